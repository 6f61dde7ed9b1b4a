/** engram verify: whether an engine gives the same bits as Node. */
import { Command } from 'commander';
import { ENGINE_NAMES, engineNamed } from '../../engines/index';
import { load } from '../../lib/index';
import { shippedBundle } from '../engine_bundle';
import { bytesOf, randomStream } from '../engine_inputs';
import { readBytes } from '../files';
import { verify, type VerifyReport } from '../verify';
import { positive } from './bench';

interface VerifyOptions {
  engine: string;
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

export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'Run the same inputs on Node and on another engine, and compare outputs and variables to the bit. Exit status 1: ' +
        'they differ; the first difference is told.',
    )
    .argument('<model>', 'a .tflite file')
    .requiredOption('--engine <name>', ENGINE_NAMES.join(', '))
    .option('--in <file>', 'raw bytes: for each step all inputs in order (default: random values)')
    .option('--steps <n>', `how many steps (default: all of --in, or ${DEFAULT_STEPS})`)
    .option('--timeout <seconds>', 'most time for the engine', '300')
    .option('--json', 'print JSON for programs')
    .action(async (file: string, options: VerifyOptions) => {
      const engine = engineNamed(options.engine);
      const timeout = positive(options.timeout, '--timeout');
      if (engine.find() === null) throw new Error(`${engine.title} is not on this machine: ${engine.hint}`);
      const model = readBytes(file);
      const report = await verify(file, model, engine, shippedBundle(), streamOf(model, options), timeout);
      process.stdout.write(
        options.json ? JSON.stringify(report, null, 2) + '\n' : reportText(report, engine.title),
      );
      if (!report.equal) process.exitCode = 1;
    });
}
