/** Models that were written here, run by real TensorFlow Lite. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { readModel } from '../author/options';
import { random } from '../author/random';
import { gruModel, leakyIntegratorModel, randomGruWeights } from '../author/recurrent';
import type { RecurrentType } from '../author/recurrent';
import { operatorVersion } from '../author/versions';
import { writeModel } from '../author/writer';
import { GruReference } from './helpers/gru';
import { ABSENT, shared } from './helpers/shared';
import { openTflite, tfliteMissing } from './helpers/tflite';
import type { Tflite } from './helpers/tflite';

/**
 * Models whose versions follow other rules: one assembled by hand (CAST at version 3 for types that need less), one by
 * a converter from before int8 had versions of its own.
 */
const OTHER_VERSIONS = ['audio_preprocessor_int8', 'person_detect_int8'];

describe('models written again in TensorFlow Lite', function () {
  this.timeout(60000);
  const folder = shared('models');
  if (folder) {
    it('operators have the versions that its converter chose', () => {
      for (const name of fs.readdirSync(folder)) {
        const file = path.join(folder, name, 'model.tflite');
        if (OTHER_VERSIONS.includes(name) || !fs.existsSync(file)) continue;
        for (const subgraph of readModel(new Uint8Array(fs.readFileSync(file))).subgraphs) {
          for (const node of subgraph.nodes) {
            assert.equal(operatorVersion(node), node.version, `${name}, operator ${node.index} ${node.op}`);
          }
        }
      }
    });
  }
  if (!folder) it(ABSENT);
  else if (tfliteMissing()) it(`compute the same: pending, ${tfliteMissing()}`);
  else {
    // a stateless one, one with variable tensors, one with resource variables
    for (const name of ['gesture_cnn_int8', 'mnist_lstm_int8', 'vad']) {
      it(`compute the same: ${name}`, async () => {
        const bytes = new Uint8Array(fs.readFileSync(path.join(folder, name, 'model.tflite')));
        const original = await openTflite(bytes);
        const written = await openTflite(writeModel(readModel(bytes)));
        assert.deepEqual([written.inputs, written.outputs], [original.inputs, original.outputs]);
        const next = random(5);
        let moved = false;
        let before: number[][] = [];
        for (let step = 0; step < 20; step++) {
          original.inputs.forEach((input, i) => {
            const length = input.shape.reduce((a, b) => a * b, 1);
            const values = Array.from({ length }, () =>
              input.type === 'FLOAT32' ? next.normal() : next.integer(-128, 127),
            );
            original.setInput(i, values);
            written.setInput(i, values);
          });
          original.invoke();
          written.invoke();
          const outputs = (model: Tflite): number[][] =>
            model.outputs.map((_, i) => Array.from(model.output(i)));
          const now = outputs(original);
          assert.deepEqual(outputs(written), now, `step ${step}`);
          moved ||= step > 0 && JSON.stringify(now) !== JSON.stringify(before);
          before = now;
        }
        assert.ok(moved, 'outputs that never change would prove nothing');
      });
    }
  }
});

describe('recurrent models in TensorFlow Lite', function () {
  this.timeout(60000);
  const missing = tfliteMissing();
  if (missing) {
    it(`pending: ${missing}`);
    return;
  }

  const STEPS = 100;

  /** Largest error of a GRU's outputs over all steps, and their largest magnitude. */
  async function gruError(type: RecurrentType): Promise<{ error: number; magnitude: number }> {
    const [inputs, units, outputs, range] = [3, 24, 2, 4];
    const next = random(42);
    const weights = randomGruWeights(inputs, units, outputs, 7);
    const initial = Array.from({ length: units }, () => next.uniform(-0.9, 0.9));
    const graph = gruModel({ inputs, units, outputs, type, weights, initial, inputRange: range });
    const [x, y] = [graph.subgraphs[0].inputs[0], graph.subgraphs[0].outputs[0]];
    const model = await openTflite(writeModel(graph));
    assert.deepEqual(model.inputs, [{ name: 'x', type, shape: [1, inputs] }]);
    assert.deepEqual(model.outputs, [{ name: 'y', type, shape: [1, outputs] }]);
    const reference = new GruReference(weights, initial);
    let [error, magnitude] = [0, 0];
    for (let step = 0; step < STEPS; step++) {
      const real = Array.from({ length: inputs }, () => Math.fround(next.uniform(-range / 2, range / 2)));
      const stored = type === 'FLOAT32' ? real : real.map((value) => Math.round(value / x.scale));
      model.setInput(0, stored);
      model.invoke();
      const expected = reference.step(real);
      expected.forEach((value, i) => {
        const got = model.output(0)[i] * (type === 'FLOAT32' ? 1 : y.scale);
        error = Math.max(error, Math.abs(got - value));
        magnitude = Math.max(magnitude, Math.abs(value));
      });
    }
    return { error, magnitude };
  }

  it('a float GRU follows the formulas within 1e-5 over 100 steps', async () => {
    const { error, magnitude } = await gruError('FLOAT32');
    assert.ok(magnitude > 0.3, `outputs move: ${magnitude}`);
    assert.ok(error <= 1e-5, `error ${error}`);
  });

  for (const [type, share] of [
    ['INT8', 0.1],
    ['INT16', 0.01],
  ] as [RecurrentType, number][]) {
    it(`an ${type} GRU follows them within ${100 * share}% of the outputs' range`, async () => {
      const { error, magnitude } = await gruError(type);
      assert.ok(error <= share * magnitude, `error ${error}, outputs up to ${magnitude}`);
    });
  }

  for (const type of ['FLOAT32', 'INT8', 'INT16'] as RecurrentType[]) {
    it(`a leaky integrator in ${type} starts at its initial value and forgets it`, async () => {
      const graph = leakyIntegratorModel({ size: 2, decay: 0.75, type, initial: [2, -3] });
      const scale = graph.subgraphs[0].inputs[0].scale || 1;
      const model = await openTflite(writeModel(graph));
      const expected = [2, -3];
      for (let step = 0; step < STEPS; step++) {
        const x = [Math.sin(step / 9), Math.cos(step / 7)];
        model.setInput(
          0,
          x.map((value) => (type === 'FLOAT32' ? value : Math.round(value / scale))),
        );
        model.invoke();
        x.forEach((value, i) => (expected[i] = 0.75 * expected[i] + 0.25 * value));
        // MUL, MUL and ADD each round by half a unit at most, the input by a quarter of half a unit; a step
        // keeps 0.75 of the error before it
        const tolerance = type === 'FLOAT32' ? 1e-5 : (scale * (1.5 + 0.125)) / 0.25;
        model.output(0).forEach((value, i) => {
          assert.ok(
            Math.abs(value * scale - expected[i]) <= tolerance,
            `step ${step}: ${value * scale}, ${expected[i]}`,
          );
        });
      }
    });
  }
});
