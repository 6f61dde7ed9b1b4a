/** Measuring and checking from the command line: engram bench, engram verify, npm run bench. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { load } from '../lib/index';
import { engram } from './helpers/command';
import { builtBundle } from './helpers/engine_stream';

describe('bench and verify from the command line', function () {
  this.timeout(120000);
  let folder: string;
  const file = (name: string): string => path.join(folder, name);
  const gru = writeModel(gruModel({ inputs: 3, units: 8, outputs: 2, type: 'INT8' }));

  before(function () {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-test-'));
    fs.writeFileSync(file('gru.tflite'), gru);
    if (builtBundle('engram.all.min.js') !== null && builtBundle('engram.js') !== null) return;
    this.test!.parent!.title += ': pending, dist is not built, run "npm run build"';
    this.skip();
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  it('bench --json has the documented fields', () => {
    const { status, stdout, stderr } = engram('bench', file('gru.tflite'), '--steps', '20', '--json');
    assert.equal(status, 0, stderr);
    const report = JSON.parse(stdout) as Record<string, unknown> & { results: Record<string, unknown>[] };
    assert.deepEqual(Object.keys(report), [
      'model',
      'bytes',
      'macs',
      'macsByOperator',
      'stateBytesCopied',
      'memory',
      'results',
      'absent',
    ]);
    assert.equal(report.macs, 3 * 8 * 3 + 3 * 8 * 8 + 2 * 8);
    assert.deepEqual(Object.keys(report.stateBytesCopied as object), ['engram', 'copyAlways']);
    const [result] = report.results;
    assert.deepEqual(Object.keys(result), [
      'engine',
      'title',
      'error',
      'steps',
      'rounds',
      'microsecondsPerStep',
      'nanosecondsPerMac',
      'bareLoop',
      'ratio',
      'loadMilliseconds',
      'firstStepMilliseconds',
      'heap',
      'profile',
    ]);
    assert.deepEqual([result.engine, result.error, result.steps], ['node', null, 20]);
    assert.ok((result.rounds as number) >= 5);
    const { nanosecondsPerMac: bare, form } = result.bareLoop as {
      nanosecondsPerMac: number;
      form: string;
    };
    assert.ok(bare > 0 && form.length > 0);
    const perMac = result.nanosecondsPerMac as number;
    assert.ok(Math.abs((result.ratio as number) - perMac / bare) < 1e-9);
    assert.ok(Math.abs((result.microsecondsPerStep as number) - (perMac * 280) / 1000) < 1e-9);
  });

  it('bench --profile splits the time by operators', () => {
    const { status, stdout } = engram(
      'bench',
      file('gru.tflite'),
      '--profile',
      '--engine',
      'quickjs',
      '--json',
    );
    assert.equal(status, 0);
    const report = JSON.parse(stdout) as {
      results: {
        profile: {
          operators: { name: string; share: number; macs: number; count: number }[];
          steps: { position: number; operator: string; runs: number }[];
        };
      }[];
    };
    const { operators, steps } = report.results[0].profile;
    const dense = operators.find(({ name }) => name === 'FULLY_CONNECTED')!;
    assert.deepEqual([dense.count, dense.macs], [3, 280]);
    assert.ok(Math.abs(operators.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
    const { length } = load(gru).program.steps.slice(0, load(gru).program.end);
    assert.equal(steps.length, length);
    assert.ok(steps.every(({ runs }) => runs === 1));
  });

  it('bench --all measures every engine or says how to get it', () => {
    const { status, stdout } = engram('bench', file('gru.tflite'), '--all', '--steps', '2', '--json');
    assert.equal(status, 0);
    const { results, absent } = JSON.parse(stdout) as {
      results: { engine: string; error: string | null; microsecondsPerStep: number }[];
      absent: { engine: string; hint: string }[];
    };
    assert.deepEqual([...results, ...absent].map(({ engine }) => engine).sort(), [
      'duk',
      'espruino',
      'jerry',
      'mqjs',
      'node',
      'quickjs',
    ]);
    for (const { engine, error } of results) assert.equal(error, null, engine);
    for (const { hint } of absent) assert.ok(hint.length > 10);
  });

  it('verify says that the bits are the same', () => {
    const { status, stdout } = engram('verify', file('gru.tflite'), '--engine', 'quickjs', '--steps', '4');
    assert.equal(status, 0);
    assert.match(stdout, /on QuickJS are the same bits as on Node over 4 steps\.\n$/);
    const json = engram('verify', file('gru.tflite'), '--engine', 'quickjs', '--json');
    assert.deepEqual(JSON.parse(json.stdout), {
      model: file('gru.tflite'),
      engine: 'quickjs',
      steps: 20,
      equal: true,
      difference: null,
    });
  });

  /** Runs `npm run bench` from its sources. */
  const suite = (...sections: string[]) =>
    spawnSync(
      process.execPath,
      ['--require', 'tsx/cjs', path.join(__dirname, '..', 'tools', 'bench-suite.ts'), ...sections],
      { encoding: 'utf8', cwd: path.join(__dirname, '..'), timeout: 120000 },
    );

  it('npm run bench measures the sections that are named, the own models at least', () => {
    const { status, stdout, stderr } = suite('arenas', 'copies');
    assert.equal(status, 0, stderr);
    const [, arenas, copies] = stdout.split('== ');
    assert.match(arenas, /^arenas: /);
    assert.match(arenas, /^gru_24_int8 +\d+/m);
    assert.match(copies, /^copies: /);
    assert.match(copies, /^gru_24_int8 +24 +0 +48$/m);
  });

  it('npm run bench knows its sections', () => {
    const { status, stderr } = suite('nonsense');
    assert.equal(status, 2);
    assert.match(
      stderr,
      /^bench: there is no section nonsense: expected models, tflite, arenas, copies, engines/,
    );
  });
});
