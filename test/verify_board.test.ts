/** engram verify --port, and what upload says of boards that do not fit: over a socket, on Espruino for Linux. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { engineNamed } from '../engines/index';
import { crc32 } from '../lib/crc32';
import type { VerifyReport } from '../tools/verify';
import {
  CONSOLE_PORT,
  engram,
  type Fault,
  faultyLine,
  freePort,
  type RunningBoard,
  startBoard,
  writeFiles,
} from './helpers/board';

const engine = engineNamed('espruino');
const TCP = `tcp://127.0.0.1:${CONSOLE_PORT}`;
type Run = Awaited<ReturnType<typeof engram>>;

/** One line on stderr, nothing on stdout. */
function failed(run: Run, expected: RegExp): void {
  assert.match(run.stderr, expected);
  assert.match(run.stderr, /^engram: [^\n]*\n$/);
  assert.equal(run.stdout, '');
  assert.equal(run.status, 2);
}

describe('a board', function () {
  this.timeout(120000);
  let desk: string;
  let flash: string;
  let board: RunningBoard | null = null;

  before(async function () {
    desk = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-desk-'));
    flash = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-flash-'));
    writeFiles(desk, { 'gru.tflite': writeModel(gruModel({ inputs: 3, units: 12, type: 'INT8' })) });
    const program = engine.find();
    if (program !== null && (await freePort())) board = await startBoard(program, flash);
  });
  after(async () => {
    await board?.stop();
    fs.rmSync(desk, { recursive: true });
    fs.rmSync(flash, { recursive: true });
  });

  const onBoard = (title: string, run: () => Promise<void>): void => {
    if (engine.find() === null) it(`${title} (pending: ${engine.hint})`);
    else
      it(title, () => {
        assert.ok(board, `port ${CONSOLE_PORT} is taken by another program`);
        return run();
      });
  };
  const run = (...args: string[]): Promise<Run> => engram(args, desk);
  /** Runs a command whose last option is --port, through a line with a fault. */
  const through = async (fault: Fault, ...args: string[]): Promise<Run> => {
    const line = await faultyLine(fault);
    try {
      return await run(...args, `tcp://127.0.0.1:${line.port}`);
    } finally {
      line.close();
    }
  };
  /** What a script prints in another process with the same Storage. */
  const afterReboot = async (driver: string): Promise<string[]> =>
    (await engine.run({ bundle: '', driver }, { directory: flash, timeoutSeconds: 60 })).lines;

  onBoard('verify: sends what is not there, and finds no difference where there is none', async () => {
    const first = await run('verify', 'gru.tflite', '--steps', '4', '--port', TCP);
    assert.equal(first.stderr, '');
    assert.match(
      first.stdout,
      /^gru\.bin and gru were sent to LINUX at tcp:\S+\.\ngru\.tflite: outputs and variables on LINUX at tcp:\S+ are the same bits as on Node over 4 steps\.\n$/,
    );
    assert.equal(first.status, 0);
    // what is there already is not sent again
    const silent = await run('verify', 'gru.tflite', '--steps', '2', '--port', TCP);
    assert.match(silent.stdout, /^gru\.tflite: /);
    const portable = await run(
      'verify',
      'gru.tflite',
      '--steps',
      '2',
      '--kernels',
      'portable',
      '--port',
      TCP,
    );
    assert.match(portable.stdout, /were sent[^]*the same bits as on Node over 2 steps/);
  });

  onBoard('verify: inputs from a file', async () => {
    fs.writeFileSync(path.join(desk, 'in.raw'), Buffer.from([1, 2, 3, 250, 251, 252]));
    const { stdout } = await run('verify', 'gru.tflite', '--in', 'in.raw', '--port', TCP);
    assert.match(stdout, /the same bits as on Node over 2 steps/);
  });

  onBoard('verify: names step, tensor and element of the first difference', async () => {
    const invoke: Fault['replace'] = [
      /\(require\("gru"\)\.invoke\(\),1\)/,
      () => '(require("gru").invoke(),require("gru").outputs[0].data[0]^=2,1)',
    ];
    const output = await through({ replace: invoke, skip: 2 }, 'verify', 'gru.tflite', '--port');
    assert.match(
      output.stdout,
      /LINUX at tcp:\S+ differs from Node in step 2, output "y", element 0: -?\d+, but -?\d+ on Node \(stored values\)\.\n {2}1 element of it differs, by \d+ at most\.\n$/,
    );
    assert.equal(output.status, 1);
    invoke[1] = () => '(require("gru").invoke(),require("gru").variables.get("h").data[7]++,1)';
    const variable = await through({ replace: invoke, skip: 1 }, 'verify', 'gru.tflite', '--json', '--port');
    const { difference } = JSON.parse(variable.stdout) as VerifyReport;
    assert.deepEqual(
      [difference?.step, difference?.kind, difference?.name, difference?.element, difference?.largest],
      [1, 'variable', 'h', 7, 1],
    );
    assert.equal(variable.status, 1);
  });

  onBoard('verify: a step that fails, and a connection that is cut', async () => {
    const failing: Fault = {
      replace: [/require\("gru"\)\.invoke\(\)/, () => 'require("gru").step(1)'],
      skip: 1,
    };
    failed(
      await through(failing, 'verify', 'gru.tflite', '--port'),
      /step 1 of gru on the board: input 0 "x" must be given 3 numbers/,
    );
    failed(
      await through({ cutAfter: 1500 }, 'verify', 'gru.tflite', '--port'),
      /the connection to tcp:\S+ was cut/,
    );
  });

  it('verify: says where it can run', async () => {
    failed(
      await run('verify', 'gru.tflite'),
      /required option '--engine <name>'.*; or give --port, for a board/,
    );
    failed(
      await run('verify', 'gru.tflite', '--engine', 'node', '--port', TCP),
      /--engine and --port exclude each other/,
    );
    failed(await run('verify', 'gru.tflite', '--engine', 'node', '--name', 'a'), /--name goes with --port/);
    failed(
      await run('verify', 'gru.tflite', '--port', 'tcp://127.0.0.1:9'),
      /no connection to tcp:\S+: nothing listens/,
    );
  });

  onBoard('upload: a board without Storage, or with too little memory, is told before sending', async () => {
    const upload = ['upload', 'gru.tflite', '--name', 'never', '--port'];
    failed(
      await through({ replace: [/process\.env\.MODULES/, () => '"Flash,heatshrink"'] }, ...upload),
      /the LINUX at tcp:\S+ cannot keep files: its firmware has no module Storage/,
    );
    const memory: Fault = {
      replace: [/\(process\.memory\(\)\)/, () => '({free:250,blocksize:13})'],
      times: 9,
    };
    failed(
      await through(memory, ...upload),
      /never needs about \d+ variables of RAM \(\d+ bytes\), but the LINUX at tcp:\S+ has 250 free: nothing was sent/,
    );
    failed(
      await through({ replace: [/\[t\.freeBytes,t\.trashBytes\]/, () => '[3000,96]'], times: 9 }, ...upload),
      /Storage has 3096 bytes for these files, and they need \d+: erase something/,
    );
    assert.deepEqual(await afterReboot(`print(require('Storage').list(/never/).length);`), ['0']);
  });

  onBoard(
    'upload: a model whose file was spoiled after it was sent is refused by its first step',
    async () => {
      const spoil: Fault = {
        replace: [
          /\(require\("gru"\)\.reset\(\),1\)/,
          (match) =>
            `(function(s){var b=E.toUint8Array(s.readArrayBuffer("gru.bin"));b=new Uint8Array(b);b[99]^=1;s.write("gru.bin",b)})(require("Storage")),${match}`,
        ],
      };
      failed(
        await through(spoil, 'upload', 'gru.tflite', '--port'),
        /the first step of gru on the board failed: .*gru\.bin are damaged \(CRC\); send both again/,
      );
    },
  );

  onBoard('upload: a file as it is, for load by name', async () => {
    const bytes = fs.readFileSync(path.join(desk, 'gru.tflite'));
    const { stdout, stderr } = await run('upload', 'gru.tflite', '--as-is', '--port', TCP);
    assert.equal(stderr, '');
    assert.match(stdout, /\ngru\.tflite: \d+ bytes in Storage, compared on the board\.\n$/);
    assert.deepEqual(await afterReboot(`print(E.CRC32(require('Storage').readArrayBuffer('gru.tflite')));`), [
      String(crc32(bytes, 0, bytes.length, 0) >>> 0),
    ]);
    fs.writeFileSync(path.join(desk, 'broken.tflite'), bytes.subarray(0, 2000));
    failed(await run('upload', 'broken.tflite', '--as-is', '--port', TCP), /lies outside of the file/);
  });

  it('inspect --board says what does not fit', async () => {
    const small = await run('inspect', 'gru.tflite', '--board', 'MICROBIT1');
    assert.match(small.stdout, /Packed, it does not fit on MICROBIT1/);
    assert.match((await run('inspect', 'gru.tflite', '--board', 'PUCKJS')).stdout, /it fits on PUCKJS/);
    failed(await run('inspect', 'gru.tflite', '--board', 'TOASTER'), /no board "TOASTER": there are /);
  });
});
