/**
 * docs/tutorial.md, followed to the letter in a folder of its own: files are written as it shows them, every command is
 * run, lines are typed into a board's REPL, and what comes out is compared with what it says.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { engineNamed } from '../engines/index';
import { load } from '../lib/index';
import { readRecordings } from '../tools/recordings';
import { CONSOLE_PORT, freePort, startBoard, type RunningBoard } from './helpers/board';
import { answersOf, linesOf, plain } from './helpers/repl';

const root = path.join(__dirname, '..');
const text = fs.readFileSync(path.join(root, 'docs', 'tutorial.md'), 'utf8');

interface Block {
  kind: 'js' | 'sh' | 'text';
  content: string;
}

const blocks: Block[] = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, kind, content]) => {
  assert.ok(kind === 'js' || kind === 'sh' || kind === 'text', `a block of ${kind}`);
  return { kind, content };
});
/** Name of the file that a block of JavaScript is, from its first line: "// NAME.js, …" or "// NAME.js: …". */
const nameOf = (content: string): string => {
  const name = /^\/\/ ([\w.]+\.js)[,:] /.exec(content)?.[1];
  assert.ok(name, `no file is named by ${content.slice(0, 40)}`);
  return name;
};
const fileOf = (name: string): string =>
  blocks.find(({ kind, content }) => kind === 'js' && nameOf(content) === name)!.content;
const commands = blocks.flatMap(({ kind, content }) => (kind === 'sh' ? content.trim().split('\n') : []));
const typed = blocks.filter(({ kind, content }) => kind === 'text' && content.startsWith('>'));

const NUMBER = /-?\d+(?:\.\d+)?(?:e-?\d+)?/g;

/** A line without its numbers, and these; bars of plots and a version stand for any. */
function taken(line: string): { rest: string; numbers: number[] } {
  const plainly = line
    .replace(/Espruino 2v[\d.]+/, 'Espruino')
    .replace(/took [\d.]+ ms/, 'took some time')
    .trim();
  return {
    rest: plainly.replace(NUMBER, '#').replace(/\s+/g, ' '),
    numbers: (plainly.match(NUMBER) ?? []).map(Number),
  };
}

/** Whether a line is what the page says: the same words, and numbers within a fifth, or within one. */
function isLike(actual: string, shown: string): boolean {
  const [a, b] = [taken(actual), taken(shown)];
  return (
    a.rest === b.rest &&
    a.numbers.every((value, i) => {
      const other = b.numbers[i];
      return Math.abs(value - other) <= Math.max(0.2 * Math.max(Math.abs(value), Math.abs(other)), 1);
    })
  );
}

/** Every shown line comes out, in this order, with nothing between but where "…" stands alone. */
function expectOutput(actual: string, shown: string): void {
  const lines = actual.split('\n').map((line) => line.trimEnd());
  let at = 0;
  let skips = false;
  for (const line of shown.trimEnd().split('\n')) {
    if (line === '…') {
      skips = true;
      continue;
    }
    const found = skips
      ? lines.findIndex((other, i) => i >= at && isLike(other, line))
      : isLike(lines[at] ?? '', line)
        ? at
        : -1;
    assert.ok(found >= 0, `"${line}" is not in its place of\n${actual}`);
    at = found + 1;
    skips = false;
  }
}

const espruino = engineNamed('espruino');
const program = espruino.find();

function lacksConnection(): boolean {
  try {
    require.resolve('espruino');
    return false;
  } catch {
    return true;
  }
}

/** Why a command cannot be run here, or null. */
function missing(command: string): string | null {
  const engine = /--engine (\w+)/.exec(command)?.[1];
  if (engine && engineNamed(engine).find() === null) return engineNamed(engine).hint;
  if (!/espruino --telnet|engram upload/.test(command)) return null;
  if (program === null) return espruino.hint;
  if (lacksConnection()) return 'the package "espruino" is not installed: npm install espruino';
  return null;
}

/** What a sketch finds on a watch, ES5: the accelerometer, the button and the screen. */
const WATCH = `
var clock = 0, drawn = [], heard, press;
var getTime = function () { return clock; };
var BTN1 = 0;
var setWatch = function (callback) { press = callback; };
var Bangle = { setPollInterval: function (ms) { print('every ' + ms + ' ms'); }, on: function (what, callback) { heard = callback; } };
var screen = { clear: function () { return screen; }, setFont: function () { return screen; }, drawString: function (text) { drawn.push(text); } };
var g = screen;
`;

describe('docs/tutorial.md', function () {
  this.timeout(300000);
  const built = fs.existsSync(path.join(root, 'dist', 'host', 'author', 'index.js'));
  if (!built) {
    it('is followed to the letter (pending: Engram is not built; npm run build)');
    return;
  }

  let folder: string;
  let board: RunningBoard | null = null;
  const outputs = new Map<string, string>();

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-tutorial-'));
    // a project in which engram is installed
    const modules = path.join(folder, 'node_modules');
    fs.mkdirSync(path.join(modules, '.bin'), { recursive: true });
    fs.writeFileSync(path.join(folder, 'package.json'), '{ "name": "watch", "private": true }');
    fs.symlinkSync(root, path.join(modules, 'engram'));
    for (const name of ['@tensorflow', 'csv-parse'])
      fs.symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
    fs.symlinkSync('../engram/dist/host/tools/cli.js', path.join(modules, '.bin', 'engram'));
  });
  after(async () => {
    await board?.stop();
    fs.rmSync(folder, { recursive: true });
  });

  it('shows files, commands, and lines that are typed', () => {
    assert.deepEqual(
      blocks.filter(({ kind }) => kind === 'js').map(({ content }) => nameOf(content)),
      ['record.js', 'motion.js', 'train.js', 'espruino.config.js', 'watch.js'],
    );
    assert.ok(commands.length >= 11);
    for (const command of commands)
      assert.match(command, /^(npx engram |node |tail -f \/dev\/null \| espruino )/);
    assert.equal(typed.length, 3);
  });

  let last: string[] = [];
  for (const { kind, content } of blocks) {
    if (kind === 'js') {
      it(`writes ${nameOf(content)}`, () => fs.writeFileSync(path.join(folder, nameOf(content)), content));
    } else if (kind === 'sh') {
      last = content.trim().split('\n');
      for (const command of last) {
        const reason = missing(command);
        if (reason) it(`${command} (pending: ${reason})`);
        else if (command.endsWith('&')) {
          it(command, async () => {
            assert.ok(await freePort(), `port ${CONSOLE_PORT} is taken by another program`);
            board = await startBoard(program!, folder);
          });
        } else {
          it(command, () => {
            const run = spawnSync('sh', ['-c', command], {
              cwd: folder,
              encoding: 'utf8',
              env: { ...process.env, NO_COLOR: '1', npm_config_offline: 'true' },
            });
            assert.equal(run.status, 0, `${run.stdout}\n${run.stderr}`);
            outputs.set(command, run.stdout);
          });
        }
      }
    } else if (!content.startsWith('>')) {
      const said = last;
      it(`comes out as shown: ${said[0]}`, function () {
        const known = said.map((command) => outputs.get(command));
        // lines of commands that are pending do not come out
        const there = said.filter((command) => !missing(command));
        if (!there.length) {
          this.test!.title += ` (pending: ${missing(said[0])})`;
          this.skip();
        }
        assert.ok(
          there.every((command) => outputs.has(command)),
          'it has not run',
        );
        const shown = content
          .split('\n')
          .filter((line) => said.length === there.length || !/on Espruino/.test(line))
          .join('\n');
        expectOutput(known.join(''), shown);
      });
    }
  }

  it('has learned to tell the motions apart, in integers too', () => {
    const recordings = readRecordings(
      fs.readFileSync(path.join(folder, 'other.csv'), 'utf8'),
      3,
      'other.csv',
      {},
    );
    for (const name of ['motion.tflite', 'motion.int8.tflite']) {
      const model = load(new Uint8Array(fs.readFileSync(path.join(folder, name))));
      const right = recordings.filter(({ rows, labels }) => {
        model.reset();
        let scores = new Float32Array();
        for (const row of rows) scores = model.step(row) as Float32Array<ArrayBuffer>;
        return ['rest', 'walk', 'shake'][scores.indexOf(Math.max(...scores))] === labels![0];
      });
      assert.equal(recordings.length, 60);
      assert.ok(right.length >= 54, `${name}: ${right.length} of 60`);
    }
  });

  it('draws plots on a page of its own', () => {
    const page = fs.readFileSync(path.join(folder, 'motion.html'), 'utf8');
    assert.ok(!/(src|href)="?http/.test(page));
    const charts = JSON.parse(
      /<script id="charts" type="application\/json">(.*?)<\/script>/s.exec(page)![1],
    ) as { series: { values: number[] }[] }[];
    assert.deepEqual(
      charts.map(({ series }) => series.map(({ values }) => values.length)),
      [
        [6000, 6000],
        [6000, 6000],
        [6000, 6000],
      ],
    );
  });

  const onBoard = (title: string, run: () => Promise<void>): void => {
    const reason = missing('npx engram upload');
    if (reason) it(`${title} (pending: ${reason})`);
    else
      it(title, async () => {
        await board?.stop();
        board = null;
        await run();
      });
  };

  // blocks that end with E.reboot(), and those after it, are sessions of their own
  const sessions: string[][] = [[]];
  typed.forEach(({ content }) => {
    sessions[sessions.length - 1].push(content);
    if (content.includes('>E.reboot()')) sessions.push([]);
  });
  sessions.forEach((session, i) => {
    onBoard(`the REPL answers as shown, ${i ? 'after' : 'before'} the reboot`, async () => {
      const lines = linesOf(session.join('')).filter((line) => line.typed !== 'E.reboot()');
      const answers = await answersOf(
        program!,
        folder,
        lines.map((line) => line.typed),
      );
      lines.forEach((line, k) => {
        const actual = plain(answers[k]);
        assert.ok(isAnswer(actual, plain(line.answer)), `${line.typed}: ${actual}, not ${line.answer}`);
      });
      outputs.set(`session ${i}`, plain(answers[answers.length - 1]));
    });
  });
  onBoard(
    'the state goes on after the reboot: the same answer, which a fresh model would not give',
    async () => {
      assert.equal(sessions.length, 2);
      const goesOn = outputs.get('session 1');
      assert.ok(goesOn);
      assert.equal(goesOn, outputs.get('session 0'));
      const [, reading] = /^>(m\.step.*)$/m.exec(sessions[1][0])!;
      const [, fresh] = await answersOf(program!, folder, [`var m = require('motion')`, reading]);
      assert.notEqual(plain(fresh), goesOn);
    },
  );

  onBoard('the recorder writes a CSV that the quantizer takes', async () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-record-'));
    try {
      const moves = `
heard({ x: 9, y: 9, z: 9 });
for (var k = 0; k < 4; k++) {
  press();
  for (var i = 0; i < 5; i++) { clock += 0.08; heard({ x: 0.1 * i, y: -0.25, z: 1 }); }
}
print(drawn.join());
print(JSON.stringify(require('Storage').open('motion.csv', 'r').read(10000)));
`;
      const run = await espruino.run(
        { bundle: '', driver: WATCH + fileOf('record.js') + moves },
        { directory },
      );
      assert.equal(run.error, null);
      assert.deepEqual(run.lines.slice(0, 2), ['every 80 ms', 'rest,walk,shake,rest']);
      const recordings = readRecordings(JSON.parse(run.lines[2]) as string, 3, 'motion.csv', {});
      assert.deepEqual(
        recordings.map(({ name, rows, labels }) => [name, rows.length, labels![0]]),
        [
          ['1', 5, 'rest'],
          ['2', 5, 'walk'],
          ['3', 5, 'shake'],
          ['4', 5, 'rest'],
        ],
      );
      assert.deepEqual(recordings[3].rows[2], [0.2, -0.25, 1]);
    } finally {
      fs.rmSync(directory, { recursive: true });
    }
  });

  onBoard('the sketch says what the wrist does, and goes on after it was ended', async () => {
    const { rows, labels } = readRecordings(
      fs.readFileSync(path.join(folder, 'motion.csv'), 'utf8'),
      3,
      'motion.csv',
      {},
    )[2];
    assert.equal(labels![0], 'shake');
    const start = `${WATCH}
require('Storage').erase('motion.state');
var kill;
E.on = function (what, callback) { if (what === 'kill') kill = callback; };
eval(require('Storage').read('motion.app.js').replace('console.log', 'print'));
var readings = ${JSON.stringify(rows.slice(0, 40))};
var feel = function (i) { heard({ x: readings[i][0], y: readings[i][1], z: readings[i][2] }); };
for (var i = 0; i < 30; i++) feel(i);
print(drawn[drawn.length - 1]);
kill();`;
    const stop = `print(E.CRC32(require('motion').save()));`;
    const first = await espruino.run({ bundle: '', driver: start + stop }, { directory: folder });
    assert.equal(first.error, null);
    assert.deepEqual(first.lines.slice(0, 2), ['every 80 ms', 'shake']);
    const again = start.replace(`require('Storage').erase('motion.state');`, '').replace('i < 30', 'i < 0');
    const second = await espruino.run({ bundle: '', driver: again + stop }, { directory: folder });
    assert.equal(second.error, null);
    assert.equal(second.lines[2], first.lines[2]);
    // a snapshot that does not belong to the model is told, and the sketch starts afresh
    const alien = `require('Storage').write('motion.state', new Uint8Array(40));`;
    const third = await espruino.run({ bundle: '', driver: alien + again }, { directory: folder });
    assert.equal(third.error, null);
    assert.match(third.lines[0], /snapshot/);
  });
});

/** Whether an answer is the shown one; numbers of arrays within 0.05. */
function isAnswer(actual: string, shown: string): boolean {
  const [a, b] = [taken(actual), taken(shown)];
  return a.rest === b.rest && a.numbers.every((value, i) => Math.abs(value - b.numbers[i]) <= 0.05);
}
