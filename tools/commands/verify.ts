/** engram verify: whether an engine gives the same bits as Node. */
import { Command } from 'commander';
import { ENGINE_NAMES, engineNamed } from '../../engines/index';
import { load } from '../../lib/index';
import { shippedBundle } from '../engine_bundle';
import { bytesOf, randomStream } from '../engine_inputs';
import { readBytes } from '../files';
import { packModel } from '../pack/index';
import { readConfig } from '../upload/config';
import { connect, filesOf, sendModel } from '../upload/index';
import { holds } from '../upload/storage';
import { verify, type VerifyReport } from '../verify';
import { verifyOnBoard } from '../verify_board';
import { moduleName } from './pack';
import { positive } from './bench';

interface VerifyOptions {
  engine?: string;
  port?: string;
  board?: string;
  name?: string;
  kernels?: string;
  steps?: string;
  in?: string;
  timeout: string;
  json?: boolean;
}

const DEFAULT_STEPS = 20;
const SEED = 1;

/** The steps of a file, or random ones. */
function streamOf(model: Uint8Array, options: VerifyOptions): Uint8Array[] {
  const loaded = load(model);
  const steps = options.steps === undefined ? undefined : positive(options.steps, '--steps');
  if (options.in === undefined) return randomStream(loaded, steps ?? DEFAULT_STEPS, SEED);
  const bytes = readBytes(options.in);
  const size = loaded.inputs.reduce((sum, input) => sum + bytesOf(input).length, 0);
  if (!size) throw new Error(`${options.in} is of no use: the model has no inputs`);
  if (!bytes.length || bytes.length % size)
    throw new Error(
      `${options.in} has ${bytes.length} bytes, which is not a number of steps of ${size} bytes`,
    );
  const available = bytes.length / size;
  if (steps !== undefined && steps > available)
    throw new Error(`--steps ${steps}: ${options.in} has only ${available}`);
  return Array.from({ length: steps ?? available }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

/** The report as text for people. */
export function reportText(report: VerifyReport, title: string): string {
  const { difference, steps } = report;
  if (!difference)
    return `${report.model}: outputs and variables on ${title} are the same bits as on Node over ${steps} steps.\n`;
  const { step, kind, name, element, expected, got, elements, largest, operator } = difference;
  const lines = [
    `${report.model}: ${title} differs from Node in step ${step}, ${kind} "${name}", element ${element}: ` +
      `${got}, but ${expected} on Node (stored values).`,
    `  ${elements} element${elements === 1 ? '' : 's'} of it differ${elements === 1 ? 's' : ''}, by ${largest} at most.`,
  ];
  if (operator)
    lines.push(
      `  First different result in that step: operator ${operator.index} ${operator.op}, tensor "${operator.tensor}", ` +
        `element ${operator.element}: ${operator.got}, but ${operator.expected} on Node.`,
    );
  return lines.join('\n') + '\n';
}

/** Runs a model on the board that is meant; it is sent first if it is not there. */
async function onBoard(
  file: string,
  model: Uint8Array,
  options: VerifyOptions,
  timeout: number,
): Promise<{ report: VerifyReport; title: string; sent: string }> {
  const { kernels } = options;
  if (kernels !== undefined && kernels !== 'portable' && kernels !== 'espruino')
    throw new Error(`no kernels "${kernels}": there are portable and espruino`);
  const config = readConfig(process.cwd());
  const wanted = options.board ?? config.board;
  const stream = streamOf(model, options);
  const packed = await packModel(model, {
    target: 'espruino',
    name: options.name ?? moduleName(file),
    kernels,
    minify: config.minify,
  });
  const board = await connect({
    port: options.port === 'any' ? config.port : options.port,
    board: wanted === 'any' ? undefined : wanted,
  });
  try {
    let there = true;
    for (const part of filesOf(packed, false)) there = there && (await holds(board, part));
    if (!there) await sendModel(board, packed, false, {});
    const report = await verifyOnBoard(file, packed, board, stream, timeout * 1000);
    await board.start();
    const title = `${board.facts.board} at ${board.port}`;
    const names = filesOf(packed, false).map((part) => part.name);
    return { report, title, sent: there ? '' : `${names.join(' and ')} were sent to ${title}.\n` };
  } finally {
    await board.close();
  }
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'Run the same inputs on Node and on another engine or a board, and compare outputs and variables to the bit. Exit ' +
        'status 1: they differ; the first difference is told.',
    )
    .argument('<model>', 'a .tflite file')
    .option('--engine <name>', ENGINE_NAMES.join(', '))
    .option(
      '--port <port>',
      "a board: a serial port, a Bluetooth address, tcp://HOST:PORT, or 'any' for the first one",
    )
    .option(
      '--board <name>',
      "with --port: refuse any other board (process.env.BOARD); 'any' takes what is there",
    )
    .option('--name <name>', "with --port: the module's name on the board; default: the file's")
    .option('--kernels <kind>', 'with --port: portable: no kernels that use the builtins of Espruino')
    .option('--in <file>', 'raw bytes: for each step all inputs in order (default: random values)')
    .option('--steps <n>', `how many steps (default: all of --in, or ${DEFAULT_STEPS})`)
    .option('--timeout <seconds>', 'most time for the engine, or for each step on a board', '300')
    .option('--json', 'print JSON for programs')
    .action(async (file: string, options: VerifyOptions) => {
      const timeout = positive(options.timeout, '--timeout');
      if (options.engine === undefined && options.port === undefined)
        throw new Error("required option '--engine <name>' not specified; or give --port, for a board");
      if (options.engine !== undefined && options.port !== undefined)
        throw new Error('--engine and --port exclude each other');
      const model = readBytes(file);
      let report: VerifyReport;
      let title: string;
      let sent = '';
      if (options.engine !== undefined) {
        for (const option of ['board', 'name', 'kernels'] as const)
          if (options[option] !== undefined) throw new Error(`--${option} goes with --port`);
        const engine = engineNamed(options.engine);
        if (engine.find() === null) throw new Error(`${engine.title} is not on this machine: ${engine.hint}`);
        report = await verify(file, model, engine, shippedBundle(), streamOf(model, options), timeout);
        title = engine.title;
      } else ({ report, title, sent } = await onBoard(file, model, options, timeout));
      process.stdout.write(
        options.json ? JSON.stringify(report, null, 2) + '\n' : sent + reportText(report, title),
      );
      if (!report.equal) process.exitCode = 1;
    });
}
