/** Espruino's own kernels in packed models: the outputs and the state of portable ones. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { engineNamed } from '../engines/index';
import { load } from '../lib/index';
import { packModel } from '../tools/pack/index';
import { feeding, installing, record } from './helpers/packed';
import { ABSENT, shared } from './helpers/shared';
import { cases } from './helpers/suite';

const STEPS = 3;
const espruino = engineNamed('espruino');

interface Run {
  /** Bytes of the outputs of each step. */
  outputs: number[][];
  /** A snapshot after the last one; empty without variables. */
  snapshot: number[];
}

/** Runs a model packed with Espruino's kernels there, and the unpacked one here. */
async function both(bytes: Uint8Array): Promise<{ here: Run; there: Run }> {
  const model = load(bytes.slice());
  const { inputs, outputs } = record(model, STEPS);
  const stateful = model.program.variables.length > 0;
  const packed = await packModel(bytes, { target: 'espruino', name: 'packed' });
  const result = await espruino.run(
    {
      bundle: '',
      driver: `${installing('packed')}var model = require('packed');${feeding(STEPS)}
${stateful ? 'print(model.save().join());' : ''}`,
      files: { in: inputs, module: Buffer.from(packed.module), weights: packed.weights },
    },
    { timeoutSeconds: 120 },
  );
  assert.equal(result.error, null);
  const lines = result.lines.map((line) => line.split(',').map(Number));
  return {
    here: { outputs, snapshot: stateful ? Array.from(model.save()) : [] },
    there: { outputs: lines.slice(0, STEPS), snapshot: lines.slice(STEPS).flat() },
  };
}

/** The largest difference of float32 outputs, in units of the range of all of them, 0 included. */
function error(here: number[][], there: number[][]): number {
  const floats = (lines: number[][]): Float32Array => new Float32Array(Uint8Array.from(lines.flat()).buffer);
  const a = floats(here);
  const b = floats(there);
  assert.equal(b.length, a.length);
  const range = Math.max(0, ...a) - Math.min(0, ...a);
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]))) / (range || 1);
}

/** What runs only where there is an Espruino, and files to run. */
function here(title: string, folder: string, run: () => Promise<void>): void {
  if (espruino.find() === null) it(`${title} (pending: ${espruino.hint})`);
  else if (!shared(folder)) it(`${title} (${ABSENT})`);
  else it(title, run);
}

describe("Espruino's own kernels", function () {
  this.timeout(300000);
  // features that wrap, int16 features, rows of a sequence
  for (const name of ['keyword_svdf_int8state', 'keyword_svdf_int16state', 'mnist_lstm_int8']) {
    here(`${name}: outputs and snapshots have the bits of the unpacked program`, 'models', async () => {
      const run = await both(new Uint8Array(fs.readFileSync(shared('models', name, 'model.tflite')!)));
      assert.deepEqual(run.there, run.here);
    });
  }
  // integer cases of groups of the conformance suite, every nth
  const groups: [string, number][] = [
    ['svdf', 4],
    ['pooling', 4],
    ['batch_matmul', 3],
    ['lstm', 3],
  ];
  for (const [group, nth] of groups) {
    here(
      `cases of the group ${group}: outputs and snapshots have the bits of the unpacked program`,
      'conformance',
      async () => {
        const integer = cases(group).filter((one) => one.types.every((type) => !type.includes('FLOAT')));
        assert.ok(integer.length > nth);
        for (let i = 0; i < integer.length; i += nth) {
          const run = await both(integer[i].bytes);
          assert.deepEqual(run.there, run.here, integer[i].name);
        }
      },
    );
  }
  // float32 cases, whose sums are added in another order
  for (const [group, nth] of [
    ['fully_connected', 4],
    ['conv', 5],
    ['depthwise', 4],
    ['pooling', 5],
    ['batch_matmul', 3],
    ['lstm', 3],
    ['svdf', 1],
  ] as [string, number][]) {
    here(
      `float32 cases of the group ${group}: within 1e-5 of the range of the outputs`,
      'conformance',
      async () => {
        const float = cases(group).filter((one) => one.types.every((type) => type === 'FLOAT32'));
        assert.ok(float.length > nth);
        for (let i = 0; i < float.length; i += nth) {
          const { here, there } = await both(float[i].bytes);
          const found = error(here.outputs, there.outputs);
          assert.ok(found <= 1e-5, `${float[i].name}: ${found}`);
        }
      },
    );
  }
});
