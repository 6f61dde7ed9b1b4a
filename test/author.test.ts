/** Models over streams: the step form in Engram and in real TensorFlow Lite against the whole-sequence form. */
import assert from 'node:assert/strict';
import { random, StreamModel, type Stream, writeModel } from '../author/index';
import { load } from '../lib/index';
import { draw, drawFrom, drawnSoFar, ON_BANDS, ON_FEATURES, statistics } from './helpers/stream_layers';
import { openTflite, tfliteMissing } from './helpers/tflite';

const TOLERANCE = 1e-5;

/** A reproducible stream of readings within ±1.5. */
function readings(steps: number, size: number, seed = 7): number[][] {
  const next = random(seed);
  return Array.from({ length: steps }, () =>
    Array.from({ length: size }, () => Math.fround(next.uniform(-1.5, 1.5))),
  );
}

/** Compares values with those expected, relative to what is above 1. */
function close(actual: ArrayLike<number>, expected: ArrayLike<number>, where: string): void {
  assert.equal(actual.length, expected.length, where);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
    assert.ok(error <= TOLERANCE, `${where}, value ${i}: ${actual[i]} instead of ${expected[i]}`);
  }
}

/** Steps a model in Engram, and in TensorFlow Lite, and compares both with the whole-sequence form. */
async function checkForms(model: StreamModel, inputs: number[][][], tfliteSteps = 100): Promise<Uint8Array> {
  const expected = model.run(inputs);
  const file = writeModel(model.graph());
  const stepped = load(file);
  const steps = inputs[0].length;
  for (let t = 0; t < steps; t++) {
    inputs.forEach((sequence, i) => stepped.inputs[i].data.set(sequence[t]));
    stepped.invoke();
    stepped.outputs.forEach((output, i) =>
      close(output.data, expected[i][t], `Engram, step ${t}, output ${i}`),
    );
  }
  if (tfliteMissing()) return file;
  const tflite = await openTflite(file);
  for (let t = 0; t < Math.min(steps, tfliteSteps); t++) {
    inputs.forEach((sequence, i) => tflite.setInput(i, sequence[t]));
    tflite.invoke();
    expected.forEach((output, i) => close(tflite.output(i), output[t], `TFLite, step ${t}, output ${i}`));
  }
  return file;
}

describe('models over streams', function () {
  this.timeout(60000);

  for (const [shape, layers] of [
    [[4], ON_FEATURES],
    [[6, 2], ON_BANDS],
  ] as const) {
    for (const [name, add] of Object.entries(layers)) {
      it(`${name}: one step at a time as over the whole sequence`, async () => {
        const m = new StreamModel({ seed: 3 });
        const x = m.input('x', shape);
        const y = add(m, x);
        m.output(y);
        await checkForms(m, [readings(1000, x.size)]);
      });
    }
  }

  it('waits with state until windows are full', async () => {
    const stateful: Record<string, (m: StreamModel, x: Stream) => Stream> = {
      gru: (m, x) => m.gru('y', x, { units: 3, initial: draw(3) }),
      lstm: (m, x) => m.lstm('y', x, { units: 3, initialC: draw(3) }),
      rnn: (m, x) => m.simpleRnn('y', x, { units: 3 }),
      conv: (m, x) => m.conv1d('y', x, { filters: 2, size: 3 }),
      average: (m, x) => m.movingAverage('y', x, { rate: 0.5 }),
      normalization: (m, x) => m.runningNormalization('y', x, { rate: 0.5 }),
      delay: (m, x) => m.delay('y', x),
    };
    for (const [name, add] of Object.entries(stateful)) {
      const m = new StreamModel();
      const kernel = draw(20);
      const before = drawnSoFar();
      const c = m.conv1d('c', m.input('x', 2), { filters: 2, size: 5, padding: 'valid', kernel });
      const y = add(m, c);
      assert.equal(c.warmup, 4);
      assert.equal(y.warmup, 4);
      m.output(y, c);
      const sequence = readings(40, 2);
      await checkForms(m, [sequence]);
      // as a model of the same weights that only ever sees the values which count
      const [whole, convolved] = m.run([sequence]);
      const alone = new StreamModel();
      drawFrom(before);
      alone.output(add(alone, alone.input('c', 2)));
      const [expected] = alone.run([convolved.slice(4)]);
      expected.forEach((row, t) => close(whole[t + 4], row, `${name}, step ${t}`));
    }
  });

  it('names state after its layers, and resets it to its declared values', () => {
    const m = new StreamModel();
    const x = m.input('x', 3);
    const c = m.conv1d('conv', x, { filters: 2, size: 3, initial: [1, 2, 3, 4, 5, 6] });
    const h = m.lstm('memory', c, { units: 2, initialC: [0.5, -0.5] });
    m.output(m.movingAverage('smooth', m.difference('change', h), { rate: 0.1, initial: [7, 8] }));
    const model = load(writeModel(m.graph()));
    const names = ['conv/frames', 'memory/h', 'memory/c', 'change/frames', 'smooth/average'];
    assert.deepEqual(model.variables.names().toSorted(), names.toSorted());
    const initial = [
      [1, 2, 3, 4, 5, 6],
      [0, 0],
      [0.5, -0.5],
      [0, 0],
      [7, 8],
    ];
    for (let round = 0; round < 2; round++) {
      names.forEach((name, i) => assert.deepEqual(Array.from(model.variables.get(name).read()), initial[i]));
      model.step([1, 2, 3]);
      assert.deepEqual(Array.from(model.variables.get('conv/frames').read()), [4, 5, 6, 1, 2, 3]);
      model.reset();
    }
    assert.equal(model.inputs[0].name, 'x');
    assert.equal(model.outputs[0].name, 'smooth');
  });

  it('folds normalization into dense layers and convolutions that nothing else reads', async () => {
    const build = (extra: boolean): StreamModel => {
      const m = new StreamModel({ seed: 5 });
      const x = m.input('x', [5, 2]);
      const a = m.batchNormalization(
        'na',
        m.conv2d('a', x, { filters: 3, size: 2, bands: 3, bias: draw(3) }),
        statistics(3),
      );
      const b = m.batchNormalization(
        'nb',
        m.depthwiseConv2d('b', a, { size: 2, multiplier: 2 }),
        statistics(6),
      );
      const linear = m.dense('d', m.reshape('flat', b, [18]), { units: 4, bias: null });
      const y = m.batchNormalization('nd', linear, statistics(4));
      m.output(m.tanh('y', y));
      if (extra) m.output(linear);
      return m;
    };
    const ops = (m: StreamModel): string[] => m.graph().subgraphs[0].nodes.map(({ op }) => op);
    const folded = build(false);
    assert.deepEqual(
      ops(folded).filter((op) => op === 'MUL' || op === 'ADD'),
      [],
    );
    await checkForms(folded, [readings(200, 10)]);
    const kept = build(true);
    assert.deepEqual(
      ops(kept).filter((op) => op === 'MUL' || op === 'ADD'),
      ['MUL', 'ADD'],
    );
    await checkForms(kept, [readings(200, 10)]);
  });

  it('takes several inputs and gives several outputs', async () => {
    const m = new StreamModel();
    const a = m.input('a', 2);
    const b = m.input('b', 2);
    const h = m.gru('h', m.concat('both', [a, b]), { units: 4 });
    m.output(h, m.sigmoid('p', m.dense('d', h, { units: 1 })));
    await checkForms(m, [readings(300, 2), readings(300, 2, 8)]);
  });

  it('gives outputs that only have another shape under their own names', async () => {
    const m = new StreamModel();
    const x = m.input('x', 4);
    const y = m.tanh('y', x);
    m.output(m.reshape('a', x, [2, 2]), y, m.reshape('b', y, [2, 2]));
    const model = load(await checkForms(m, [readings(20, 4)]));
    assert.deepEqual(
      model.outputs.map(({ name }) => name),
      ['a', 'y', 'b'],
    );
  });

  it('gives the same file for the same seed, and another for another', () => {
    const build = (seed: number): Uint8Array => {
      const m = new StreamModel({ seed });
      m.output(m.gru('h', m.input('x', 2), { units: 4 }));
      return writeModel(m.graph());
    };
    assert.deepEqual(build(1), build(1));
    assert.notDeepEqual(build(1), build(2));
  });

  it('says which layer is wrong, and how', () => {
    const m = new StreamModel();
    const x = m.input('x', 3);
    const bands = m.input('spectrum', [4, 2]);
    const other = new StreamModel().input('foreign', 3);
    const cases: [() => unknown, RegExp][] = [
      [
        () => m.dense('d1', x, { units: 2, kernel: [1, 2] }),
        /layer "d1": the kernel needs 3 × 2 = 6 values, not 2/,
      ],
      [() => m.dense('d2', x, { units: 0 }), /layer "d2": units must be a whole number from 1 on, not 0/],
      [() => m.dense('d3', x, { units: 2, bias: [1, NaN] }), /layer "d3": value 1 of the bias is NaN/],
      [
        () => m.gru('g1', x, { units: 2, bias: new Array(6).fill(0) }),
        /"g1": the bias needs 12 = 12 values, not 6/,
      ],
      [() => m.gru('g2', bands, { units: 2 }), /layer "g2" takes \[features\], but "spectrum" is 4 × 2/],
      [
        () => m.activation('a1', x, 'gelu' as never),
        /layer "a1": activation "gelu" cannot be converted; .*softmax/,
      ],
      [() => m.conv1d('c1', x, { filters: 2, size: 1.5 }), /layer "c1": the window must be a whole number/],
      [
        () => m.conv2d('c2', bands, { filters: 2, size: 1, bands: 5 }),
        /layer "c2": a kernel over 5 bands, but .* 4/,
      ],
      [() => m.conv2d('c3', x, { filters: 2, size: 1 }), /layer "c3" takes \[bands, channels\]/],
      [() => m.sum('s1', [x, bands]), /layer "s1": "spectrum" has 8 values, "x" 3/],
      [() => m.sum('s2', [x]), /layer "s2" needs at least two streams/],
      [() => m.concat('k1', [x, bands]), /layer "k1": "spectrum" is 4 × 2, "x" 3/],
      [
        () => m.movingAverage('e1', x, { rate: 2 }),
        /layer "e1": the rate must be above 0 and at most 1, not 2/,
      ],
      [() => m.tanh('x', x), /there already is a layer "x"/],
      [() => m.tanh('t1', other), /layer "t1": stream "foreign" belongs to another model/],
      [() => m.output(x), /output "x" is an input/],
      [() => m.reshape('r1', x, [2, 2]), /layer "r1": 3 values \(3\) cannot become 2 × 2/],
      [() => m.graph(), /the model has no outputs/],
    ];
    for (const [attempt, message] of cases) assert.throws(attempt, message);
    m.output(m.tanh('y', x));
    assert.throws(
      () =>
        m.run([
          [
            [1, 2, 3],
            [1, 2],
          ],
          [],
        ]),
      /inputs of 2 and 0 readings/,
    );
    assert.throws(
      () =>
        m.run([
          [
            [1, 2, 3],
            [1, 2],
          ],
          readings(2, 8),
        ]),
      /reading 1 has 2 values, not 3/,
    );
  });
});
