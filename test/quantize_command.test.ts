/** engram quantize: the report, and what is wrong with data. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Comparison } from '../author/quantize/compare';
import { StreamModel } from '../author/index';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { readGraph } from '../lib/index';
import { walk } from './helpers/walk';

describe('engram quantize', function () {
  this.timeout(60000);
  const cli = path.join(__dirname, '..', 'tools', 'cli.ts');
  let folder: string;

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-quantize-'));
    fs.writeFileSync(
      path.join(folder, 'gru.tflite'),
      writeModel(gruModel({ inputs: 3, units: 20, outputs: 2, seed: 4 })),
    );
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  function engram(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(process.execPath, ['--require', require.resolve('tsx/cjs'), cli, ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
  }

  /** Two recordings with time and a label at their ends. */
  function csv(change: (rows: string[][]) => void = () => undefined): string {
    const rows = walk(60, 3, 5).map((row, i) => [
      i < 40 ? 'a' : 'b',
      String(i / 10),
      ...row.map(String),
      i === 39 ? 'left' : i === 59 ? 'right' : '',
    ]);
    change(rows);
    const file = path.join(folder, 'data.csv');
    fs.writeFileSync(
      file,
      [['id', 'time', 'x', 'y', 'z', 'label'], ...rows].map((row) => row.join()).join('\n'),
    );
    return 'data.csv';
  }

  const columns = ['--group', 'id', '--label', 'label', '--classes', 'left,right'];

  it('writes a model that runs, and reports sizes, errors over time and accuracy', () => {
    const file = csv();
    const { status, stdout, stderr } = engram('quantize', 'gru.tflite', '--data', file, ...columns, '--json');
    assert.equal(status, 0, stderr);
    const report = JSON.parse(stdout) as Comparison & {
      out: string;
      before: { file: number };
      after: { file: number };
      accuracy: {
        float: { last: { of: number } };
        quantized: { last: { of: number }; confusion: number[][] };
      };
    };
    assert.equal(report.out, 'gru.int8.tflite');
    const bytes = new Uint8Array(fs.readFileSync(path.join(folder, report.out)));
    assert.equal(report.after.file, bytes.length);
    assert.ok(report.after.file < 0.8 * report.before.file);
    assert.equal(readGraph(bytes).subgraphs[0].inputs[0].type, 'INT8');
    assert.deepEqual([report.readings, report.streams], [60, 2]);
    assert.deepEqual(
      report.variables.map(({ name }) => name),
      ['h'],
    );
    assert.ok(report.layers.every(({ beginning, end }) => beginning.rms > 0 && end.rms > 0));
    assert.equal(report.accuracy.float.last.of, 2);
    assert.equal(
      report.accuracy.quantized.confusion.flat().reduce((sum, n) => sum + n),
      2,
    );
  });

  it('finds columns with usual names by itself', () => {
    const file = csv();
    const run = (...args: string[]): object => {
      const { status, stdout, stderr } = engram('quantize', 'gru.tflite', '--data', file, '--json', ...args);
      assert.equal(status, 0, stderr);
      return JSON.parse(stdout) as object;
    };
    assert.deepEqual(run('--classes', 'left,right'), run(...columns));
  });

  it('prints tables', () => {
    const run = engram(
      'quantize',
      'gru.tflite',
      '--data',
      csv(),
      ...columns,
      '--state',
      'int16',
      '-o',
      'o.tflite',
    );
    assert.equal(run.status, 0, run.stderr);
    assert.match(run.stdout, /^bytes +before +after/);
    assert.match(run.stdout, /^h +variable +INT16/m);
    assert.match(run.stdout, /^at the last reading of a recording +\d+\.\d% \(\d of 2\)/m);
    assert.match(run.stdout, /wrote o\.tflite\n$/);
  });

  for (const [what, change, message] of [
    ['a missing cell', (rows) => (rows[4][3] = ''), /data\.csv, row 6, column 4 \(y\): the cell is empty/],
    ['text', (rows) => (rows[4][3] = 'n/a'), /row 6, column 4 \(y\): "n\/a" is not a number/],
    ['an empty line', (rows) => (rows[4] = []), /data\.csv, row 6: the line is empty/],
    ['a row that is too short', (rows) => rows[9].pop(), /row 11: 5 columns, but 6 are expected/],
    ['a time that jumps', (rows) => (rows[7][1] = '70'), /row 9, column 2: the time jumps ahead by 69\.4/],
    ['a time that goes back', (rows) => (rows[7][1] = '0.1'), /row 9, column 2: the time goes back/],
    ['an unknown label', (rows) => (rows[39][5] = 'up'), /recording a, reading 40: label "up".*left, right/],
    ['data that never move', (rows) => rows.forEach((row) => row.fill('1', 2, 5)), /never moves: input "x"/],
  ] as [string, (rows: string[][]) => void, RegExp][]) {
    it(`refuses ${what}, and leaves nothing behind`, () => {
      const { status, stderr } = engram('quantize', 'gru.tflite', '--data', csv(change), ...columns);
      assert.equal(status, 2);
      assert.match(stderr, message);
      assert.deepEqual(fs.readdirSync(folder).sort(), ['data.csv', 'gru.tflite']);
    });
  }

  it('says why a small model grows, and shortens names that converters have made long', () => {
    const model = new StreamModel({ seed: 1 });
    const name = `model/${'sequential/'.repeat(9)}dense;bias`;
    model.output(model.dense(name, model.input('x', 3), { units: 2 }));
    fs.writeFileSync(path.join(folder, 'small.tflite'), writeModel(model.graph()));
    const run = engram('quantize', 'small.tflite', '--data', csv(), '--columns', 'x,y,z');
    assert.equal(run.status, 0, run.stderr);
    assert.match(run.stdout, /^…\S{25}dense;bias +0 FULLY_CONNECTED /m);
    const grown = fs.statSync(path.join(folder, 'small.int8.tflite')).size;
    assert.equal(
      /The file has grown/.test(run.stdout),
      grown > fs.statSync(path.join(folder, 'small.tflite')).size,
    );
  });

  it('refuses columns that are unknown, labels that say nothing, and to write over the model', () => {
    const file = csv();
    const failing = (...args: string[]): string =>
      engram('quantize', 'gru.tflite', '--data', file, ...args).stderr;
    assert.match(failing(), /label "left" must be a number from 0 to 1, unless --classes/);
    assert.match(
      failing('--columns', 'x,y,w'),
      /--columns w: data\.csv has no such column; its columns are id, /,
    );
    assert.match(failing(...columns, '-o', 'gru.tflite'), /is the model itself/);
    assert.match(failing('--columns', 'x,y,z', '--range', 'h=2:1'), /--range must be NAME=LOW:HIGH/);
  });
});
