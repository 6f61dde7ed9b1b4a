/** engram simulate: models side by side, on recordings with and without labels. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { quantizeModel } from '../author/quantize/index';
import { gruModel, leakyIntegratorModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { agreement, decide, judge, readLabels } from '../tools/decisions';
import { readRecordings } from '../tools/recordings';

const recordings = [
  [0, 0.4, 0.9],
  [1, 0.2],
].map((values, i) => ({ name: String(i), rows: values.map((value) => [value]), labels: null }));

describe('decisions', () => {
  it('are the greatest output, or whether a single one reaches a half', () => {
    assert.deepEqual([decide([0.1, 3, 2]), decide([0.5]), decide([0.49])], [1, 1, 0]);
  });

  it('are judged at every labelled reading, and at the last one of each recording', () => {
    const labelled = [
      { ...recordings[0], labels: ['off', null, 'on'] },
      { ...recordings[1], labels: ['off', 'off'] },
    ];
    const labels = readLabels(labelled, 1, 'off,on')!;
    const judgement = judge(
      labels,
      recordings.map(({ rows }) => rows),
    );
    assert.deepEqual(judgement.readings, { right: 3, of: 4 });
    assert.deepEqual(judgement.last, { right: 2, of: 2 });
    assert.deepEqual(judgement.confusion, [
      [1, 0],
      [0, 1],
    ]);
  });

  it('of two models agree or not, and their outputs differ by a share of the range', () => {
    const first = recordings.map(({ rows }) => rows);
    const second = [
      [[0], [0.6], [0.9]],
      [[1], [0.2]],
    ];
    const { readings, last, max } = agreement(first, second);
    assert.deepEqual(
      [readings, last],
      [
        { right: 4, of: 5 },
        { right: 2, of: 2 },
      ],
    );
    assert.ok(Math.abs(max - 0.2) < 1e-12);
  });

  it('need to know what labels that are text stand for', () => {
    const labelled = [{ ...recordings[0], labels: ['wave', null, null] }];
    assert.throws(
      () => readLabels(labelled, 3),
      /reading 1: label "wave" must be a number from 0 to 2, unless --classes/,
    );
    assert.throws(() => readLabels(labelled, 3, 'a,b'), /--classes names 2, but the model tells 3/);
    assert.equal(readLabels(recordings, 3), null);
  });
});

describe('recordings as CSV', () => {
  const text = 'when,id,x,who\n0,a,1,eve\n1,a,2,eve\n0,b,3,bob\n1,b,4,bob\n';

  it('are told apart by a column, and chosen by another', () => {
    const all = readRecordings(text, 1, 'f', { group: 'id', time: 'when', columns: 'x', label: 'who' });
    assert.deepEqual(all, [
      { name: 'a', rows: [[1], [2]], labels: ['eve', 'eve'] },
      { name: 'b', rows: [[3], [4]], labels: ['bob', 'bob'] },
    ]);
    const bob = readRecordings(text, 1, 'f', { columns: '3', where: ['who=bob'] });
    assert.deepEqual(
      bob.map(({ rows }) => rows),
      [[[3], [4]]],
    );
    assert.throws(
      () => readRecordings(text, 1, 'f', { columns: 'x', where: ['who=ann'] }),
      /no row has what --where/,
    );
  });

  it('say which columns are left over', () => {
    assert.throws(
      () => readRecordings('a,b,c\n1,2,3\n', 2, 'f', {}),
      /f: 3 columns \(a, b, c\) are left for the inputs, which take 2; say which with --columns/,
    );
  });

  it('without names, and with a column of time that is found by its name', () => {
    assert.deepEqual(readRecordings('1,2\n3,4\n', 2, 'f', {})[0].rows, [
      [1, 2],
      [3, 4],
    ]);
    const dated = 'timestamp,x\n2014-01-01 00:00:00,1\n2014-01-01 00:05:00,2\n2014-01-01 00:10:00,3\n';
    assert.deepEqual(readRecordings(dated, 1, 'f', {})[0].rows, [[1], [2], [3]]);
    assert.throws(
      () => readRecordings(`${dated}2014-01-02 00:00:00,4\n`, 1, 'f', {}),
      /f, row 5, column 1: the time jumps ahead by 85800, where 300 between readings is usual/,
    );
    // a night in which the clocks of half a continent are set
    const night = 'time,x\n2014-03-30 01:30:00,1\n2014-03-30 02:30:00,2\n2014-03-30 03:30:00,3\n';
    const zone = process.env.TZ;
    process.env.TZ = 'Europe/Berlin';
    try {
      assert.deepEqual(readRecordings(night, 1, 'f', {})[0].rows, [[1], [2], [3]]);
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
    assert.throws(
      () => readRecordings(`${dated}soon,4\n`, 1, 'f', {}),
      /row 5, column 1: "soon" is not a time/,
    );
  });
});

describe('engram simulate', function () {
  this.timeout(60000);
  const cli = path.join(__dirname, '..', 'tools', 'cli.ts');
  let folder: string;

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-simulate-'));
    const graph = gruModel({ inputs: 2, units: 6, outputs: 3 });
    const rows = Array.from({ length: 90 }, (_, i) => [Math.sin(i / 3), Math.cos(i / 7)]);
    const lines = rows.map((row, i) => [Math.floor(i / 30), ...row, ['up', 'down', 'rest'][i % 3]].join());
    fs.writeFileSync(path.join(folder, 'float.tflite'), writeModel(graph));
    fs.writeFileSync(path.join(folder, 'int8.tflite'), writeModel(quantizeModel(graph, [rows]).graph));
    fs.writeFileSync(path.join(folder, 'other.tflite'), writeModel(leakyIntegratorModel({ decay: 0.5 })));
    fs.writeFileSync(path.join(folder, 'data.csv'), ['id,a,b,label', ...lines].join('\n'));
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  function engram(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(process.execPath, ['--require', require.resolve('tsx/cjs'), cli, ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
  }
  const columns = ['--csv', 'data.csv', '--group', 'id', '--label', 'label', '--classes', 'up,down,rest'];

  it('shows outputs over time, agreement and confusion, in the terminal and as a page', () => {
    const run = engram('simulate', 'float.tflite', 'int8.tflite', ...columns, '--html', 'page.html');
    assert.equal(run.status, 0, run.stderr);
    assert.match(run.stdout, /^90 readings in 3 recordings/);
    assert.match(run.stdout, /^int8\.tflite +\d+ .*%/m);
    assert.match(run.stdout, /^up +float\.tflite .*[▁-█]{60}$/m);
    assert.match(run.stdout, /int8\.tflite: decisions at the last reading/);
    const html = fs.readFileSync(path.join(folder, 'page.html'), 'utf8');
    assert.ok(!/(src|href)="?http/.test(html), 'self-contained');
    const charts = JSON.parse(
      /<script id="charts" type="application\/json">(.*?)<\/script>/s.exec(html)![1],
    ) as {
      series: { name: string; values: number[] }[];
    }[];
    assert.equal(charts.length, 3);
    for (const { series } of charts) {
      assert.deepEqual(
        series.map(({ name, values }) => [name, values.length]),
        [
          ['float.tflite', 90],
          ['int8.tflite', 90],
        ],
      );
    }
    assert.match(html, /labels \(rows\) and decisions/);
  });

  it('prints JSON: small differences, and the same decisions at nearly all readings', () => {
    const run = engram('simulate', 'float.tflite', 'int8.tflite', ...columns, '--json');
    assert.equal(run.status, 0, run.stderr);
    const { models } = JSON.parse(run.stdout) as {
      models: { outputs: number[][][]; agreement: { readings: { right: number }; rms: number } | null }[];
    };
    assert.equal(models[0].agreement, null);
    const { readings, rms } = models[1].agreement!;
    assert.ok(rms > 0 && rms < 0.01, `rms ${rms}`);
    assert.ok(readings.right >= 85, `${readings.right} of 90`);
    // the state is reset where the recording changes: another first output than without a reset
    const [one] = (
      JSON.parse(
        engram('simulate', 'float.tflite', '--csv', 'data.csv', '--columns', 'a,b', '--json').stdout,
      ) as {
        models: { outputs: number[][][] }[];
      }
    ).models;
    assert.deepEqual(one.outputs[0][0], models[0].outputs[0][0]);
    assert.notDeepEqual(one.outputs[0][30], models[0].outputs[1][0]);
  });

  it('shows all outputs, and no decisions where there are none', () => {
    const example = path.join(__dirname, '..', 'examples', 'machine-temperature');
    const models = ['temperature', 'temperature_int16'].map((name) => path.join(example, `${name}.tflite`));
    const csv = ['--csv', path.join(example, 'stream.csv')];
    const run = engram('simulate', ...models, ...csv, '--html', 'several.html');
    assert.equal(run.status, 0, run.stderr);
    for (const name of ['surprise', 'alarm', 'expected_temperature'])
      assert.match(run.stdout, new RegExp(`^${name} +temperature\\.tflite .*[▁-█]{60}$`, 'm'));
    assert.match(run.stdout, /^ +temperature_int16\.tflite +\S+ +\S+ +0\.\d\d% +0\.\d\d% +[▁-█]{60}$/m);
    assert.doesNotMatch(run.stdout, /decision/);
    const html = fs.readFileSync(path.join(folder, 'several.html'), 'utf8');
    assert.equal([...html.matchAll(/<div id="chart/g)].length, 3);
  });

  it('names the file that is no model', () => {
    const { status, stderr } = engram('simulate', 'float.tflite', 'data.csv', ...columns);
    assert.equal(status, 2);
    assert.match(stderr, /^engram: data\.csv: not a \.tflite model/);
  });

  it('refuses models that do not fit each other', () => {
    const { status, stderr } = engram('simulate', 'float.tflite', 'other.tflite', ...columns);
    assert.equal(status, 2);
    assert.match(stderr, /other\.tflite takes 1 numbers and gives 1, but float\.tflite takes 2 and gives 3/);
  });
});
