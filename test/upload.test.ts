/** Uploads, end to end: the command line, the espruino package, a socket, Espruino for Linux with its Storage. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { engineNamed } from '../engines/index';
import { crc32 as crcOf } from '../lib/crc32';
import { load } from '../lib/index';
import { readConfig } from '../tools/upload/config';
import { readSketch } from '../tools/upload/sketch';
import {
  CONSOLE_PORT,
  engram,
  faultyLine,
  freePort,
  startBoard,
  writeFiles,
  type Fault,
  type RunningBoard,
} from './helpers/board';

const engine = engineNamed('espruino');
const TCP = `tcp://127.0.0.1:${CONSOLE_PORT}`;
const gru = (units: number): Uint8Array => writeModel(gruModel({ inputs: 3, units, type: 'INT8' }));
const READINGS = [
  [0.5, -1, 2],
  [0.1, 0, -0.7],
  [-3, 1, 1],
];

const crc32 = (bytes: Uint8Array): number => crcOf(bytes, 0, bytes.length, 0) >>> 0;

/** One line on stderr, nothing on stdout. */
function failed(run: { status: number | null; stdout: string; stderr: string }, expected: RegExp): void {
  assert.match(run.stderr, expected);
  assert.match(run.stderr, /^engram: [^\n]*\n$/);
  assert.equal(run.stdout, '');
  assert.equal(run.status, 2);
}

describe('upload', function () {
  this.timeout(120000);
  let desk: string;
  let flash: string;
  let board: RunningBoard | null = null;

  before(async function () {
    desk = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-desk-'));
    flash = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-flash-'));
    writeFiles(desk, { 'gru.tflite': gru(24), 'other.tflite': gru(20) });
  });
  after(async () => {
    await board?.stop();
    fs.rmSync(desk, { recursive: true });
    fs.rmSync(flash, { recursive: true });
  });

  const upload = (...args: string[]): ReturnType<typeof engram> => engram(['upload', ...args], desk);
  /** Uploads through a line with a fault. */
  const uploadThrough = async (fault: Fault, ...args: string[]): ReturnType<typeof engram> => {
    const line = await faultyLine(fault);
    try {
      return await upload(...args, '--port', `tcp://127.0.0.1:${line.port}`);
    } finally {
      line.close();
    }
  };
  /** What a script prints in another process with the same Storage, as after a reboot. */
  const afterReboot = async (driver: string): Promise<{ lines: string[]; error: string | null }> => {
    const { lines, error } = await engine.run(
      { bundle: '', driver },
      { directory: flash, timeoutSeconds: 60 },
    );
    return { lines, error };
  };
  const stepping = (name: string): string =>
    `var m = require('${name}');${JSON.stringify(READINGS)}.forEach(function (x) { m.step(x); print(m.outputs[0].data[0] + ' ' + E.CRC32(m.save())); });`;
  const answers = (bytes: Uint8Array): string[] => {
    const model = load(bytes);
    return READINGS.map((x) => {
      model.step(x);
      return `${model.outputs[0].data[0]} ${crc32(model.save())}`;
    });
  };

  describe('onto a board', () => {
    before(async function () {
      const program = engine.find();
      if (program === null) return;
      if (!(await freePort())) return;
      board = await startBoard(program, flash);
    });

    const onBoard = (title: string, run: () => Promise<void>): void => {
      if (engine.find() === null) it(`${title} (pending: ${engine.hint})`);
      else
        it(title, function () {
          assert.ok(board, `port ${CONSOLE_PORT} is taken by another program`);
          return run();
        });
    };

    onBoard(
      'a model, whose first step is the host’s to the bit; another process requires it from Storage',
      async () => {
        const run = await upload('gru.tflite', '--port', TCP);
        assert.equal(run.stderr, '');
        assert.match(
          run.stdout,
          /^LINUX, Espruino 2v\d+\S*, at tcp:\S+\.\ngru\.bin: \d+ bytes in Storage, compared on the board\.\ngru: \d+ bytes in Storage, compared on the board\.\nOne step on the board took [\d.]+ ms; its answer and variables \(25 bytes\) are the host's to the bit\.\n$/,
        );
        assert.equal(run.status, 0);
        assert.deepEqual(await afterReboot(stepping('gru')), { lines: answers(gru(24)), error: null });
      },
    );

    onBoard('a connection that is cut leaves the model that was there', async () => {
      for (const cutAfter of [3000, 9000]) {
        const run = await uploadThrough({ cutAfter }, 'other.tflite', '--name', 'gru');
        failed(
          run,
          /the connection to tcp:\S+ was cut; \d+ of \d+ bytes had arrived; gru on the board is as it was/,
        );
        assert.deepEqual(await afterReboot(stepping('gru')), { lines: answers(gru(24)), error: null });
      }
      // the console has half a line left, and the next upload has to cope with it
      const run = await upload('other.tflite', '--name', 'gru', '--port', TCP, '--read-back');
      assert.equal(run.stderr, '');
      assert.deepEqual(await afterReboot(stepping('gru')), { lines: answers(gru(20)), error: null });
      const { lines } = await afterReboot(`print(JSON.stringify(require('Storage').list().sort()));`);
      assert.deepEqual(lines, ['["gru","gru.bin"]']);
    });

    onBoard('a byte that changes on the way is found before the files are used', async () => {
      for (const more of [[], ['--read-back']]) {
        const run = await uploadThrough(
          { replace: [/atob\("[^"]{40}/, (match) => match.slice(0, -1) + (match.endsWith('A') ? 'B' : 'A')] },
          'gru.tflite',
          ...more,
        );
        failed(run, /gru(\.bin)? arrived damaged[^;]*; upload again; .*gru on the board is as it was/);
        assert.deepEqual(await afterReboot(stepping('gru')), { lines: answers(gru(20)), error: null });
      }
    });

    onBoard('without room for both, the old model goes first, and half of a new one is none', async () => {
      const filler = (free: number): string =>
        `var s = require('Storage'); s.erase('filler'); s.compact(); s.write('filler', 'x', 0, s.getFree() - 32 - ${free}); print(s.getFree());`;
      assert.equal((await afterReboot(filler(9000))).error, null);
      for (const [cutAfter, expected] of [
        [4000, /Module "?gru"? not found/],
        // where the cut falls decides what Espruino says: it may be within a function, or a word
        [9000, /(Syntax|Reference)Error: /],
      ] as const) {
        const cut = await uploadThrough({ cutAfter }, 'gru.tflite');
        failed(cut, /was cut; \d+ of \d+ bytes had arrived; gru on the board does not load now/);
        assert.match((await afterReboot(`require('gru');`)).error!, expected);
      }
      const run = await upload('gru.tflite', '--port', TCP);
      assert.equal(run.stderr, '');
      assert.match(run.stdout, /the old ones went first/);
      assert.deepEqual(await afterReboot(stepping('gru')), { lines: answers(gru(24)), error: null });
      assert.equal((await afterReboot(filler(2000))).error, null);
      failed(
        await upload('gru.tflite', '--name', 'another', '--port', TCP),
        /Storage has \d+ bytes for these files, and they need \d+: erase something/,
      );
      assert.deepEqual(await afterReboot(stepping('gru')), { lines: answers(gru(24)), error: null });
      assert.equal((await afterReboot(`require('Storage').erase('filler');`)).error, null);
    });

    onBoard('a model that the module does not fit is found by the first step', async () => {
      // the answer that comes back has a bit of its own
      const line = await uploadThrough(
        { replace: [/m\.invoke\(\)/, () => 'm.outputs[0].data[0]++'] },
        'gru.tflite',
        '--name',
        'wrong',
      );
      failed(
        line,
        /the first step of wrong on the board failed: element 0 of output 0 "\w+" differs from the host's/,
      );
    });

    onBoard('another board than the one that was meant is refused before anything is sent', async () => {
      failed(
        await upload('gru.tflite', '--name', 'never', '--port', TCP, '--board', 'PUCKJS'),
        /the board at tcp:\S+ is a LINUX, not a PUCKJS/,
      );
      const { lines } = await afterReboot(`print(require('Storage').list().indexOf('never'));`);
      assert.deepEqual(lines, ['-1']);
    });

    onBoard(
      'a sketch, minified, with its modules and their weights, as espruino.config.js says',
      async () => {
        const folder = path.join(desk, 'project');
        fs.mkdirSync(folder);
        const packed = await engram(
          ['pack', path.join(desk, 'gru.tflite'), '--name', 'brain', '-o', 'parts'],
          folder,
        );
        assert.equal(packed.stderr, '');
        writeFiles(folder, {
          'espruino.config.js': `module.exports = { board: 'LINUX', port: '${TCP}', modules: ['parts'], minify: true };`,
          'parts/scale.js': '// halves\nexports.half = function (number) { return number / 2; };\n',
          'sketch.js':
            '// what it does\nvar brain = require("brain");\nvar scale = require("scale");\nrequire("Storage");\n' +
            'brain.step([scale.half(1), -1, 2]);\nconsole.log("the sketch says é " + brain.outputs[0].data[0]);\n',
        });
        const run = await engram(['upload', 'sketch.js'], folder);
        assert.equal(run.stderr, '');
        assert.match(run.stdout, /^brain: \d+ .*\nbrain\.bin: \d+ .*\nscale: \d+ .*\n\.bootcde: \d+ /m);
        const { lines } = await afterReboot(
          `var s = require('Storage'); print(s.read('.bootcde').indexOf('//')); print(s.read('scale').indexOf('halves'));`,
        );
        assert.deepEqual(lines, ['-1', '-1']);
        // a board that is switched on runs it
        await board!.stop();
        board = await startBoard(engine.find()!, flash);
        const said = `the sketch says é ${answers(gru(24))[0].split(' ')[0]}`;
        for (let i = 0; i < 100 && !board.output().includes(Buffer.from(said).toString('latin1')); i++)
          await new Promise((resolve) => setTimeout(resolve, 50));
        assert.ok(board.output().includes(Buffer.from(said).toString('latin1')), board.output());

        writeFiles(folder, { 'lost.js': 'require("nowhere");', 'broken.js': 'Storage.read(1);' });
        failed(
          await engram(['upload', 'lost.js'], folder),
          /requires "nowhere", which is neither in the folders/,
        );
        failed(
          await engram(['upload', 'broken.js'], folder),
          /the sketch is on the board, and fails there: ReferenceError: "Storage" is not defined/,
        );
        const named = await engram(['upload', 'broken.js', '--name', 'app.js'], folder);
        assert.match(named.stdout, /^app\.js: \d+ bytes/m);
      },
    );
  });

  it('a port where nothing listens, and a port that is none', async () => {
    failed(
      await upload('gru.tflite', '--port', 'tcp://127.0.0.1:9'),
      /no connection to tcp:\S+: nothing listens/,
    );
    failed(await upload('gru.tflite', '--port', 'tcp:2323'), /must look like tcp:/);
    failed(
      await upload('gru.tflite', '--port', '/dev/nothing'),
      /no connection to \/dev\/nothing: there is no such port/,
    );
  });

  it('something that is no Espruino', async () => {
    const server = net.createServer((socket) => {
      socket.on('data', () => socket.write('login: '));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as net.AddressInfo;
      failed(
        await upload('gru.tflite', '--port', `tcp://127.0.0.1:${port}`),
        /does not answer like an Espruino; it sent "[^"]*login:"/,
      );
    } finally {
      server.close();
    }
  });

  it('without the espruino package, how to install it', async () => {
    writeFiles(desk, {
      'without.js': `const Module = require('module');
const resolve = Module._resolveFilename;
Module._resolveFilename = function (name, ...rest) {
  if (name === 'espruino') throw Object.assign(new Error("Cannot find module 'espruino'"), { code: 'MODULE_NOT_FOUND' });
  return resolve.call(this, name, ...rest);
};`,
    });
    const run = await engram(['upload', 'gru.tflite', '--port', TCP], desk, [path.join(desk, 'without.js')]);
    failed(run, /needs the package "espruino", which is not installed: npm install espruino/);
  });

  it('espruino.config.js: defaults, and entries that are not as they should be', () => {
    const folder = path.join(desk, 'config');
    fs.mkdirSync(folder);
    assert.deepEqual(readConfig(folder), { board: undefined, port: undefined, modules: [], minify: true });
    const file = path.join(folder, 'espruino.config.js');
    for (const [text, expected] of [
      ['module.exports = { board: 5 }', /espruino\.config\.js: board must be a text, not 5/],
      ['module.exports = { minify: "no" }', /minify must be true or false, not "no"/],
      ['module.exports = { modules: "dist" }', /modules must be a list of folders/],
      ['module.exports = {', /espruino\.config\.js cannot be read/],
      [
        'module.exports = { bord: "PUCKJS" }',
        /there is no entry "bord"; there are board, port, modules, minify/,
      ],
      ['module.exports = "PUCKJS"', /espruino\.config\.js must export an object/],
    ] as const) {
      fs.writeFileSync(file, text);
      delete require.cache[file];
      assert.throws(() => readConfig(folder), expected);
    }
    fs.writeFileSync(file, 'module.exports = { board: "PUCKJS", modules: ["a"], minify: false }');
    delete require.cache[file];
    assert.deepEqual(readConfig(folder), {
      board: 'PUCKJS',
      port: undefined,
      modules: [path.join(folder, 'a')],
      minify: false,
    });
  });

  it('sketches: modules of modules, minified files first, what is no JavaScript', async () => {
    const folder = path.join(desk, 'sketches');
    writeFiles(folder, {
      'main.js': 'var long_name = require("one"); (function (argument) { return argument; })(long_name);',
      'm/one.js': 'exports.two = require("two");',
      'm/two.js': 'exports.one = function (argument) { return require("one"); };',
      'm/two.min.js': 'exports.short=1;',
      'm/two.bin': new Uint8Array([1, 2, 255]),
      'bad.js': 'var a = ;',
    });
    const modules = [path.join(folder, 'm')];
    const main = path.join(folder, 'main.js');
    const long = await readSketch(main, modules, false);
    assert.deepEqual(
      long.files.map((file) => file.name),
      ['one', 'two', 'two.bin'],
    );
    assert.equal(
      Buffer.from(long.files[1].bytes).toString(),
      fs.readFileSync(path.join(folder, 'm/two.js'), 'utf8'),
    );
    assert.equal(long.code, fs.readFileSync(main, 'utf8'));
    const short = await readSketch(main, modules, true);
    assert.equal(Buffer.from(short.files[1].bytes).toString(), 'exports.short=1;');
    assert.ok(short.code.includes('long_name') && !short.code.includes('argument'), short.code);
    assert.deepEqual((await readSketch(main, [], true)).elsewhere, ['one']);
    await assert.rejects(
      readSketch(path.join(folder, 'bad.js'), [], true),
      /bad\.js is not JavaScript .*\(1:8\)/,
    );
  });
});
