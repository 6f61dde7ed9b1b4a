/** Quantization of operators that keep their state themselves: LSTM and SVDF. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { GraphBuilder, random } from '../author/index';
import { compareModels } from '../author/quantize/compare';
import { quantizeModel, type QuantizeOptions } from '../author/quantize/index';
import { readModel } from '../author/options';
import { statify } from '../author/statify';
import { writeModel } from '../author/writer';
import { engines } from '../engines/index';
import type { Graph, Options } from '../lib/graph';
import { load } from '../lib/index';
import { shippedBundle } from '../tools/engine_bundle';
import { verify } from '../tools/verify';
import { ABSENT, shared } from './helpers/shared';
import { openTflite, tfliteMissing } from './helpers/tflite';
import { walk } from './helpers/walk';

const INPUTS = 4;
const UNITS = 6;

interface LstmOptions {
  steps?: number;
  clip?: number;
  /** Inputs that are constants beside weights and biases, with their lengths. */
  more?: Record<number, number[]>;
  without?: number[];
  activation?: number;
}

/** UNIDIRECTIONAL_SEQUENCE_LSTM over `steps` readings in each invocation. */
function lstm({ steps = 1, clip = 0, more = {}, without = [], activation = 4 }: LstmOptions = {}): Graph {
  const next = random(5);
  const builder = new GraphBuilder();
  const main = builder.subgraph('main');
  const x = main.input('x', 'FLOAT32', [1, steps, INPUTS]);
  const shapes: Record<number, number[]> = { ...more };
  for (let gate = 0; gate < 4; gate++) {
    shapes[1 + gate] = [UNITS, INPUTS];
    shapes[5 + gate] = [UNITS, UNITS];
    shapes[12 + gate] = [UNITS];
  }
  for (const index of without) delete shapes[index];
  const inputs = Array.from({ length: 24 }, (_, i) => {
    if (i === 0) return x;
    if (i === 18) return main.state('h', 'FLOAT32', [1, UNITS]);
    if (i === 19) return main.state('c', 'FLOAT32', [1, UNITS]);
    const shape = shapes[i];
    if (!shape) return null;
    const length = shape.reduce((product, n) => product * n, 1);
    return main.constant(
      `w${i}`,
      'FLOAT32',
      shape,
      Float32Array.from({ length }, () => next.uniform(-0.8, 0.8)),
    );
  });
  const y = main.tensor('y', 'FLOAT32', [1, steps, UNITS]);
  main.op('UNIDIRECTIONAL_SEQUENCE_LSTM', inputs, [y], {
    fused_activation_function: activation,
    cell_clip: clip,
    proj_clip: 0,
    time_major: false,
    asymmetric_quantize_inputs: false,
    diagonal_recurrent_tensors: false,
  });
  main.output(y);
  return builder.build();
}

/** SVDF of 6 units with a memory of 8 steps. */
function svdf(rank: number, activation: number): Graph {
  const next = random(6);
  const builder = new GraphBuilder();
  const main = builder.subgraph('main');
  const constant = (name: string, shape: number[]): ReturnType<typeof main.constant> =>
    main.constant(
      name,
      'FLOAT32',
      shape,
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => next.uniform(-0.5, 0.5)),
    );
  const filters = UNITS * rank;
  const y = main.tensor('y', 'FLOAT32', [1, UNITS]);
  const inputs = [
    main.input('x', 'FLOAT32', [1, INPUTS]),
    constant('feature', [filters, INPUTS]),
    constant('time', [filters, 8]),
    constant('bias', [UNITS]),
    main.state('memory', 'FLOAT32', [1, filters * 8]),
  ];
  const options: Options = { rank, fused_activation_function: activation, asymmetric_quantize_inputs: false };
  main.op('SVDF', inputs, [y], options);
  main.output(y);
  return builder.build();
}

/** Rows of `steps` readings each. */
function rowsOf(count: number, steps: number, seed: number): number[][] {
  const readings = walk(count * steps, INPUTS, seed);
  return Array.from({ length: count }, (_, i) => readings.slice(i * steps, (i + 1) * steps).flat());
}

const MODELS: Record<string, [Graph, number]> = {
  'an LSTM': [lstm(), 1],
  'an LSTM over five readings at a time': [lstm({ steps: 5, clip: 10 }), 5],
  'an SVDF': [svdf(1, 0), 1],
  'an SVDF of rank 2 with RELU': [svdf(2, 1), 1],
};

const typesOf = (graph: Graph): Record<string, string> =>
  Object.fromEntries(graph.subgraphs[0].tensors.map(({ name, type }) => [name, type]));

describe('quantized operators that keep their state', function () {
  this.timeout(120000);

  for (const [name, [graph, steps]] of Object.entries(MODELS)) {
    for (const options of [{}, { state: 'int16' }, { activations: 'float' }] as QuantizeOptions[]) {
      it(`${name}, ${JSON.stringify(options)}: close to float over 2,000 invocations, and does not drift`, () => {
        const quantized = quantizeModel(graph, [rowsOf(2000, steps, 5)], options);
        const { outputs, variables } = compareModels(quantized, [rowsOf(2000, steps, 9)]);
        for (const { name: what, rms, max, drifts, beginning, end } of [...outputs, ...variables]) {
          assert.ok(rms > 0 && rms < 0.008, `${what}: rms ${rms}`);
          assert.ok(max < 0.06, `${what}: greatest ${max}`);
          assert.ok(!drifts && end.rms < 1.5 * beginning.rms, `${what}: ${beginning.rms} … ${end.rms}`);
        }
      });
    }
  }

  it('have the types that their kernels prescribe', () => {
    const rows = [rowsOf(100, 1, 5)];
    const long = typesOf(quantizeModel(lstm(), rows).graph);
    assert.deepEqual([long.x, long.w1, long.w12, long.h, long.c], ['INT8', 'INT8', 'INT32', 'INT8', 'INT16']);
    const state = quantizeModel(lstm(), rows).graph.subgraphs[0].tensors.find(({ name }) => name === 'h')!;
    assert.equal(state.zeroPoint, 0, 'TensorFlow Lite and TensorFlow Lite Micro differ on others');
    const wide = typesOf(quantizeModel(lstm(), rows, { state: 'int16' }).graph);
    assert.deepEqual(
      [wide.x, wide.w1, wide.w12, wide.h, wide.c],
      ['INT16', 'INT8', 'INT64', 'INT16', 'INT16'],
    );
    const filter = typesOf(quantizeModel(svdf(1, 0), rows, { state: 'int16' }).graph);
    assert.deepEqual(
      [filter.x, filter.feature, filter.time, filter.bias, filter.memory],
      ['INT8', 'INT8', 'INT16', 'INT32', 'INT16'],
    );
    const hybrid = typesOf(quantizeModel(lstm(), rows, { activations: 'float' }).graph);
    assert.deepEqual([hybrid.x, hybrid.w1, hybrid.w12, hybrid.h], ['FLOAT32', 'INT8', 'FLOAT32', 'FLOAT32']);
  });

  it('are refused where integers have no kernel for them, with the reason', () => {
    const rows = [rowsOf(100, 1, 5)];
    for (const [graph, reason] of [
      [lstm({ more: { 9: [UNITS], 10: [UNITS], 11: [UNITS] } }), 'has peephole weights'],
      [lstm({ more: { 16: [UNITS, UNITS] } }), 'has a projection'],
      [lstm({ more: { 20: [UNITS], 21: [UNITS], 22: [UNITS], 23: [UNITS] } }), 'has layer normalization'],
      [lstm({ without: [1, 5, 12] }), 'couples its input and forget gates'],
      [lstm({ activation: 1 }), 'has a fused activation other than TANH'],
      [svdf(1, 4), 'has a fused activation other than RELU'],
    ] as [Graph, string][]) {
      assert.throws(
        () => quantizeModel(graph, rows),
        new RegExp(
          `subgraph 0, operator 0 \\w+ ${reason}; it cannot be quantized together with its state\\. Build`,
        ),
      );
    }
  });

  const missing = tfliteMissing();
  if (missing) it(`agree with TensorFlow Lite (pending: ${missing})`);
  else {
    // its kernel in integers takes SVDF with RELU alone
    for (const name of ['an LSTM', 'an LSTM over five readings at a time', 'an SVDF of rank 2 with RELU']) {
      it(`${name} agrees with TensorFlow Lite within a unit of the last place over 300 invocations`, async () => {
        const [float, steps] = MODELS[name];
        const { graph } = quantizeModel(float, [rowsOf(1000, steps, 5)]);
        const bytes = writeModel(graph);
        const [ours, theirs] = [load(bytes, { preserve: true }), await openTflite(bytes)];
        const seen = new Set<number>();
        for (const row of rowsOf(300, steps, 9)) {
          ours.step(row);
          theirs.setInput(0, Array.from(ours.inputs[0].data));
          theirs.invoke();
          const other = theirs.output(0);
          ours.outputs[0].data.forEach((value, i) => {
            seen.add(value);
            assert.ok(Math.abs(value - other[i]) <= 1, `${value}, TensorFlow Lite ${other[i]}`);
          });
        }
        assert.ok(seen.size > 50);
      });
    }
  }

  for (const engine of engines.filter(({ name }) => name !== 'node')) {
    const title = `give the same bits on ${engine.title}`;
    if (!engine.find()) {
      it(`${title} (pending: ${engine.hint})`);
      continue;
    }
    it(title, async function () {
      let bundle: string;
      try {
        bundle = shippedBundle();
      } catch (error) {
        this.test!.title += ` (pending: ${(error as Error).message})`;
        this.skip();
      }
      for (const [graph, steps] of Object.values(MODELS)) {
        const quantized = quantizeModel(graph, [rowsOf(300, steps, 5)]);
        const model = load(writeModel(quantized.graph));
        const stream = rowsOf(10, steps, 9).map((row) => {
          model.step(row);
          const { buffer, byteOffset, byteLength } = model.inputs[0].data;
          return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength).slice();
        });
        const report = await verify('model', writeModel(quantized.graph), engine, bundle, stream, 60);
        assert.deepEqual([report.equal, report.steps], [true, 10], JSON.stringify(report.difference));
      }
    });
  }

  const folder = shared('models', 'mnist_lstm_float');
  /** Rows of real numbers: the inputs that lie beside a public model. */
  const inputsOf = (name: string, length: number): number[][] => {
    const raw = new Uint8Array(fs.readFileSync(shared('models', name, 'in.bin')!));
    const values = new Float32Array(raw.buffer);
    return Array.from({ length: values.length / length }, (_, i) =>
      Array.from(values.subarray(length * i, length * (i + 1))),
    );
  };
  if (!folder) it(`public float models (${ABSENT})`);
  else {
    it('a public model whose state was fed back by hand: with its state inside, in int16', () => {
      const bytes = new Uint8Array(fs.readFileSync(shared('models', 'dtln_model_1_float', 'model.tflite')!));
      const graph = statify(readModel(bytes), [{ out: 'Identity_1', in: 'input_3', initial: null }]);
      const rows = inputsOf('dtln_model_1_float', 769).map((row) => row.slice(0, 257));
      const quantized = quantizeModel(graph, [rows], { state: 'int16', perUnit: true });
      assert.ok(writeModel(quantized.graph).length < 0.29 * bytes.length);
      const { outputs, variables } = compareModels(quantized, [rows]);
      assert.deepEqual(
        variables.map(({ name, type }) => [name, type]),
        [['input_3', 'INT16']],
      );
      for (const { name, rms, drifts } of [...outputs, ...variables])
        assert.ok(rms > 0 && rms < 0.012 && !drifts, `${name}: ${rms}`);
    });

    it('a public model without state', () => {
      const bytes = new Uint8Array(fs.readFileSync(shared('models', 'hello_world_float', 'model.tflite')!));
      const rows = Array.from({ length: 200 }, (_, i) => [(i * 2 * Math.PI) / 200]);
      const quantized = quantizeModel(readModel(bytes), [rows]);
      const [{ rms }] = compareModels(quantized, [rows]).outputs;
      assert.ok(rms > 0 && rms < 0.012, `rms ${rms}`);
    });

    it('a public model with an LSTM: a third of the size, the same decisions, no drift', () => {
      const bytes = new Uint8Array(fs.readFileSync(`${folder}/model.tflite`));
      const rows = inputsOf('mnist_lstm_float', 784);
      const half = rows.length / 2;
      const quantized = quantizeModel(readModel(bytes), [rows.slice(0, half)]);
      const written = writeModel(quantized.graph);
      assert.ok(written.length < 0.34 * bytes.length, `${written.length} of ${bytes.length} bytes`);
      const { outputs, variables } = compareModels(quantized, [rows.slice(half)]);
      assert.ok(outputs[0].rms < 0.02 && variables.every(({ rms, drifts }) => rms < 0.01 && !drifts));
      const [float, integer] = [load(bytes), load(written)];
      const best = (scores: Float32Array): number => scores.indexOf(Math.max(...scores));
      const same = rows.filter(
        (row) => best(float.step(row) as Float32Array) === best(integer.step(row) as Float32Array),
      );
      assert.ok(same.length >= 0.95 * rows.length, `${same.length} of ${rows.length}`);
    });
  }
});
