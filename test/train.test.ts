/** Step models trained over whole sequences in TensorFlow.js: the same values, right gradients, and what is learned stays. */
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs';
import { random, readModel, StreamModel, trainable, writeModel } from '../author/index';
import { GraphBuilder } from '../author/graph_builder';
import { leakyIntegratorModel } from '../author/recurrent';
import { load } from '../lib/index';
import { ON_BANDS, ON_FEATURES } from './helpers/stream_layers';

const BATCH = 3;
const READINGS = 12;

/** Reproducible sequences [batch][reading][value] within ±1.5. */
function sequences(size: number, seed = 7): number[][][] {
  const next = random(seed);
  return Array.from({ length: BATCH }, () =>
    Array.from({ length: READINGS }, () => Array.from({ length: size }, () => next.uniform(-1.5, 1.5))),
  );
}

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, within: number, where: string): void {
  assert.equal(actual.length, expected.length, where);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
    assert.ok(error <= within, `${where}, value ${i}: ${actual[i]} instead of ${expected[i]}`);
  }
}

describe('training', function () {
  this.timeout(120000);

  for (const [shape, layers] of [
    [[4], ON_FEATURES],
    [[6, 2], ON_BANDS],
  ] as const) {
    for (const [name, add] of Object.entries(layers)) {
      it(`${name}: a batch of sequences as one after the other, and gradients as differences tell`, () => {
        const m = new StreamModel({ seed: 3 });
        const x = m.input('x', shape);
        // a dense layer before it, so that there is something to train, and gradients have to go through
        const before = m.dense('before', x, { units: shape[shape.length - 1], activation: 'tanh' });
        m.output(add(m, before));
        const data = sequences(x.size);
        const t = trainable(m.graph(), tf);
        const input = tf.tensor3d(data);
        const [y] = t.run([input]);
        data.forEach((sequence, i) => {
          const [expected] = m.run([sequence]);
          const values = y.slice([i, 0, 0], [1, -1, -1]).dataSync();
          close(values, Float64Array.from(expected.flatMap((row) => [...row])), 1e-5, `sequence ${i}`);
        });

        // along the gradient the loss changes as its length says
        const next = random(2);
        const target = tf.tensor3d(y.arraySync().map((s) => s.map((row) => row.map(() => next.normal(1)))));
        const loss = (): tf.Scalar => tf.losses.meanSquaredError(target, t.run([input])[0]).asScalar();
        const { grads } = tf.variableGrads(loss, t.weights);
        const gradients = t.weights.map((weight) => grads[weight.name]);
        const squares = gradients.reduce((sum, g) => sum + g.square().sum().dataSync()[0], 0);
        assert.ok(squares > 1e-8, 'nothing depends on the weights');
        const step = 2e-3 / Math.sqrt(squares);
        const at = (factor: number): number => {
          t.weights.forEach((weight, i) => weight.assign(weight.add(gradients[i].mul(factor))));
          const value = loss().dataSync()[0];
          t.weights.forEach((weight, i) => weight.assign(weight.sub(gradients[i].mul(factor))));
          return value;
        };
        const slope = (at(step) - at(-step)) / (2 * step);
        assert.ok(Math.abs(slope - squares) < 0.02 * squares + 1e-4, `slope ${slope}, not ${squares}`);
        t.dispose();
      });
    }
  }

  it('teaches a GRU what its readings were before, and the file knows it', () => {
    const m = new StreamModel({ seed: 5 });
    const x = m.input('x', 1);
    m.output(m.dense('before', m.gru('memory', x, { units: 6 }), { units: 1 }));
    const untrained = m.graph();
    const t = trainable(untrained, tf);
    const next = random(3);
    const draw = (count: number): number[][][] =>
      Array.from({ length: count }, () => Array.from({ length: 20 }, () => [next.uniform(-1, 1)]));
    // the answer is the reading of the step before
    const answers = (from: number[][][]): number[][][] =>
      from.map((sequence) => sequence.map((_, i) => (i ? sequence[i - 1] : [0])));
    const data = draw(16);
    const [input, target] = [tf.tensor3d(data), tf.tensor3d(answers(data))];
    const loss = (): tf.Scalar => tf.losses.meanSquaredError(target, t.run([input])[0]).asScalar();
    const first = loss().dataSync()[0];
    const optimizer = tf.train.adam(0.03);
    const tensors = (): number => tf.memory().numTensors;
    optimizer.minimize(loss, false, t.weights);
    const before = tensors();
    for (let i = 0; i < 120; i++) optimizer.minimize(loss, false, t.weights);
    assert.equal(tensors(), before, 'no tensor is left behind');
    const last = loss().dataSync()[0];
    assert.ok(first > 0.25 && last < 0.02, `${first} … ${last}`);

    // others than it was trained on, one step at a time
    const fresh = draw(8);
    const model = load(writeModel(t.graph()));
    let squares = 0;
    fresh.forEach((sequence, i) => {
      model.reset();
      const expected = answers(fresh)[i];
      sequence.forEach((reading, step) => {
        const [value] = model.step(reading) as Float32Array;
        squares += (value - expected[step][0]) ** 2;
      });
    });
    assert.ok(squares / 160 < 0.04, `mean square ${squares / 160}`);
    assert.deepEqual(writeModel(m.graph()), writeModel(untrained), 'the source is unchanged');
    const [kept] = t.run([input]);
    close(
      trainable(t.graph(), tf).run([input])[0].dataSync(),
      kept.dataSync(),
      1e-7,
      'written and read again',
    );
  });

  it('starts from declared initial values, and trains what it is told to', () => {
    const graph = leakyIntegratorModel({ size: 2, decay: 0.5, initial: [4, -2] });
    assert.throws(() => trainable(graph, tf), /there are no weights to train/);
    const names = graph.subgraphs[0].tensors.flatMap(({ name, constant }) => (constant ? [name] : []));
    assert.ok(names.length > 0);
    const t = trainable(graph, tf, { train: (name) => name === names[0] });
    assert.equal(t.weights.length, 1);
    const [y] = t.run([tf.zeros([1, 2, 2])]);
    close(y.dataSync(), [2, -1, 1, -0.5], 1e-6, 'halved twice');
  });

  it('says what it cannot do', () => {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const x = main.input('x', 'FLOAT32', [1, 2]);
    const y = main.tensor('y', 'FLOAT32', [1, 2]);
    main.op('SIN', [x], [y]);
    main.output(y);
    assert.throws(
      () => trainable(builder.build(), tf),
      /operator 0 SIN.* cannot be trained; operators that can/,
    );
    const m = new StreamModel();
    m.output(m.dense('y', m.input('x', 3), { units: 2 }));
    const t = trainable(m.graph(), tf);
    assert.throws(
      () => t.run([tf.zeros([1, 5, 2])]),
      /input 0 "x" is \[1, 5, 2\], but \[1, 5, 3\] is expected/,
    );
    assert.throws(() => t.run([]), /the model has 1 inputs, not 0/);
    assert.ok(readModel(writeModel(t.graph())));
  });
});
