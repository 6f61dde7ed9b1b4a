/** Quantization: errors over time, real TensorFlow Lite, other engines, and what is refused. */
import assert from 'node:assert/strict';
import { StreamModel } from '../author/index';
import { GraphBuilder } from '../author/graph_builder';
import { compareModels, type Comparison } from '../author/quantize/compare';
import { quantizeModel, type Quantized, type QuantizeOptions } from '../author/quantize/index';
import { gruModel, leakyIntegratorModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { engines } from '../engines/index';
import type { Graph, Tensor } from '../lib/graph';
import { load } from '../lib/index';
import { shippedBundle } from '../tools/engine_bundle';
import { verify } from '../tools/verify';
import { openTflite, tfliteMissing } from './helpers/tflite';
import { allLayers, layerModel, LAYERS } from './helpers/quantized_layers';
import { walk } from './helpers/walk';

/** Quantizes with one stream, and compares on another. */
function quantizeAndCompare(
  graph: Graph,
  size: number,
  steps: number,
  options: QuantizeOptions,
): { quantized: Quantized; comparison: Comparison } {
  const quantized = quantizeModel(graph, [walk(steps, size, 5)], options);
  return { quantized, comparison: compareModels(quantized, [walk(steps, size, 9)]) };
}

function tensorOf(graph: Graph, name: string): Tensor {
  const found = graph.subgraphs[0].tensors.find((tensor) => tensor.name === name);
  assert.ok(found, `no tensor ${name}`);
  return found;
}

const opsOf = (graph: Graph): string[] => graph.subgraphs[0].nodes.map(({ op }) => op);
const GRU = { inputs: 3, units: 20, outputs: 6, seed: 4 };

describe('quantized models over 5,000 steps', function () {
  this.timeout(60000);
  // greatest rms of the outputs, as a share of their range
  for (const [options, rms] of [
    [{ state: 'int8' }, 0.0065],
    [{ state: 'int16' }, 0.004],
    [{ state: 'float' }, 0.005],
    [{ activations: 'int16' }, 0.0015],
    [{ activations: 'float' }, 0.003],
  ] as [QuantizeOptions, number][]) {
    it(`a GRU with ${JSON.stringify(options)} does not drift`, () => {
      const { comparison } = quantizeAndCompare(gruModel(GRU), 3, 5000, options);
      assert.equal(comparison.readings, 5000);
      const [output] = comparison.outputs;
      assert.ok(output.rms > 0, 'it is another model');
      assert.ok(output.rms <= rms, `rms ${output.rms}`);
      for (const { name, beginning, end, drifts, max } of [...comparison.variables, ...comparison.outputs]) {
        assert.ok(!drifts && end.rms <= 1.3 * beginning.rms, `${name}: ${beginning.rms} … ${end.rms}`);
        assert.ok(max <= 0.06, `${name}: greatest ${max}`);
      }
    });
  }

  it('a slow integrator stands still in int8 and follows in int16, and the report tells', () => {
    const graph = leakyIntegratorModel({ size: 2, decay: 0.99 });
    const error = (options: QuantizeOptions): number => {
      const [y] = quantizeAndCompare(graph, 2, 5000, options).comparison.variables;
      assert.equal(y.name, 'y');
      return y.rms;
    };
    const [narrow, wide, all] = [error({}), error({ state: 'int16' }), error({ activations: 'int16' })];
    assert.ok(narrow > 0.005, `int8: ${narrow}`);
    assert.ok(wide < 1e-4 && all < 1e-4, `int16: ${wide}, ${all}`);
  });

  it('errors that grow with time are told apart from those that do not', () => {
    // what comes in is summed up: an error of the input's scale grows, a constant one does not
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const x = main.input('x', 'FLOAT32', [1, 1]);
    const handle = main.variable('sum');
    const sum = main.tensor('sum', 'FLOAT32', [1, 1]);
    main.op('ADD', [main.read(handle, 'FLOAT32', [1, 1]), x], [sum]);
    main.assign(handle, sum);
    main.output(sum);
    const rows = Array.from({ length: 300 }, (_, i) => [i % 2 ? 0.3014 : 1]);
    const quantized = quantizeModel(builder.build(), [rows]);
    const { variables } = compareModels(quantized, [rows]);
    assert.equal(variables[0].drifts, true);
    assert.ok(variables[0].end.rms > 4 * variables[0].beginning.rms);
  });
});

describe('quantized layers', function () {
  this.timeout(120000);

  for (const [name, make] of Object.entries(LAYERS)) {
    it(`${name}: close to float in int8, closer with int16 state, closest in int16`, () => {
      const graph = layerModel(make);
      const before = writeModel(graph);
      const errors = (['int8', 'int16'] as const).map((state) => {
        const { comparison } = quantizeAndCompare(graph, 4, 500, { state });
        return comparison.outputs[0].rms;
      });
      const wide = quantizeAndCompare(graph, 4, 500, { activations: 'int16' }).comparison;
      assert.ok(errors[0] > 0 && errors[0] < 0.012, `int8: ${errors[0]}`);
      assert.ok(errors[1] <= 1.3 * errors[0], `int16 state: ${errors[1]}, int8 ${errors[0]}`);
      assert.ok(wide.outputs[0].rms < 0.0025, `int16: ${wide.outputs[0].rms}`);
      assert.ok(wide.outputs[0].rms < errors[0]);
      assert.deepEqual(writeModel(graph), before, 'the float model is unchanged');
    });
  }
});

describe('quantized models on other engines', function () {
  this.timeout(120000);
  for (const engine of engines.filter(({ name }) => name !== 'node')) {
    const name = `the same bits on ${engine.title}, state included: a GRU, and ten kinds of layers`;
    if (!engine.find()) {
      it(`${name}: pending, ${engine.hint}`);
      continue;
    }
    it(name, async function () {
      let bundle: string;
      try {
        bundle = shippedBundle();
      } catch (error) {
        this.test!.title += `: pending, ${(error as Error).message}`;
        this.skip();
      }
      for (const [float, size] of [
        [gruModel({ ...GRU, units: 8 }), 3],
        [allLayers(), 4],
      ] as const) {
        for (const state of ['int8', 'int16'] as const) {
          const { graph } = quantizeModel(float, [walk(500, size, 5)], { state });
          const model = load(writeModel(graph));
          const stream = walk(20, size, 9).map((row) => {
            model.step(row);
            const { buffer, byteOffset, byteLength } = model.inputs[0].data;
            return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength).slice();
          });
          const report = await verify('model', writeModel(graph), engine, bundle, stream, 60);
          assert.deepEqual([report.equal, report.steps], [true, 20], JSON.stringify(report.difference));
        }
      }
    });
  }
});

describe('what is quantized, and how', () => {
  it('a variable and all that is read from it and assigned to it share one scale', () => {
    const graph = gruModel({ ...GRU, initial: new Float32Array(20).fill(0.5) });
    for (const state of ['int8', 'int16'] as const) {
      const { graph: quantized } = quantizeModel(graph, [walk(200, 3, 5)], { state });
      const type = state.toUpperCase();
      const value = tensorOf(quantized, 'h/value');
      const initial = quantized.subgraphs[1].nodes.find(({ op }) => op === 'ASSIGN_VARIABLE')!.inputs[1]!;
      for (const tensor of [value, tensorOf(quantized, 'h/next'), initial]) {
        assert.deepEqual([tensor.type, tensor.scale, tensor.zeroPoint], [type, value.scale, value.zeroPoint]);
      }
      const model = load(writeModel(quantized));
      for (const real of model.variables.get('h').read()) assert.ok(Math.abs(real - 0.5) <= value.scale / 2);
    }
  });

  it('outputs of activations have the scales that their kernels prescribe', () => {
    const int8 = quantizeModel(gruModel(GRU), [walk(200, 3, 5)]).graph;
    const int16 = quantizeModel(gruModel(GRU), [walk(200, 3, 5)], { activations: 'int16' }).graph;
    const at = (graph: Graph, name: string): number[] => {
      const { scale, zeroPoint } = tensorOf(graph, name);
      return [scale, zeroPoint];
    };
    assert.deepEqual(at(int8, '1-z'), [1 / 256, -128]);
    assert.deepEqual(at(int8, 'n'), [1 / 128, 0]);
    assert.deepEqual(at(int16, 'z'), [1 / 32768, 0]);
    assert.deepEqual(at(int16, 'n'), [1 / 32768, 0]);
  });

  it('convolutions have a scale for each channel, dense layers one, or one for each unit when asked', () => {
    const model = new StreamModel();
    const x = model.input('x', [2, 2]);
    const kernel = Float32Array.from({ length: 3 * 1 * 2 * 5 }, (_, i) => ((i % 5) + 1) / 10);
    const convolved = model.conv2d('c', x, { filters: 5, size: 3, bands: 1, kernel });
    const dense = Float32Array.from({ length: 10 }, (_, i) => ((i % 2) + 1) / 10);
    model.output(model.dense('d', convolved, { units: 2, kernel: dense }));
    const scalesOf = (options: QuantizeOptions, op: string): number[] => {
      const { graph } = quantizeModel(model.graph(), [walk(100, 4, 5)], options);
      const node = graph.subgraphs[0].nodes.find((candidate) => candidate.op === op)!;
      assert.equal(node.inputs[1]!.type, 'INT8');
      return node.inputs[1]!.scales!;
    };
    const close = (actual: number[], expected: number[]): void => {
      assert.equal(actual.length, expected.length);
      actual.forEach((value, i) => assert.ok(Math.abs(value / expected[i] - 1) < 1e-6, `${value}`));
    };
    close(
      scalesOf({}, 'CONV_2D'),
      [0.1, 0.2, 0.3, 0.4, 0.5].map((most) => most / 127),
    );
    close(scalesOf({}, 'FULLY_CONNECTED'), [0.2 / 127]);
    close(
      scalesOf({ perUnit: true }, 'FULLY_CONNECTED'),
      [0.1, 0.2].map((most) => most / 127),
    );
  });

  it('biases are int32 beside int8 and int64 beside int16, in the scale of input times weights', () => {
    for (const [activations, type] of [
      ['int8', 'INT32'],
      ['int16', 'INT64'],
    ] as const) {
      const { graph } = quantizeModel(gruModel(GRU), [walk(200, 3, 5)], { activations });
      const [input, weights, bias] = graph.subgraphs[0].nodes.find(({ op }) => op === 'FULLY_CONNECTED')!
        .inputs as Tensor[];
      assert.equal(bias.type, type);
      assert.equal(bias.scale, Math.fround(input.scale * weights.scale));
    }
  });

  it('int16 state: the loop and what leads to it are int16, what follows int8', () => {
    const { graph } = quantizeModel(gruModel(GRU), [walk(200, 3, 5)], { state: 'int16' });
    const typeOf = (name: string): string => tensorOf(graph, name).type;
    assert.deepEqual(['x', 'z', 'n', 'h/next', 'y'].map(typeOf), [
      'INT16',
      'INT16',
      'INT16',
      'INT16',
      'INT8',
    ]);
    assert.equal(opsOf(graph).filter((op) => op === 'QUANTIZE').length, 1);
    assert.ok(!opsOf(graph).includes('DEQUANTIZE'));
  });

  it('an operator of the loop without an int16 kernel is int8 between conversions that TensorFlow Lite has', async () => {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const shape = [1, 2];
    const start = builder.subgraph('start');
    start.assign(start.variable('h'), start.constant('zero', 'FLOAT32', shape, [0, 0]));
    const x = main.input('x', 'FLOAT32', shape);
    main.callOnce(start);
    const handle = main.variable('h');
    const old = main.read(handle, 'FLOAT32', shape);
    const [swish, mixed, next] = ['swish', 'mixed', 'next'].map((name) =>
      main.tensor(name, 'FLOAT32', shape),
    );
    main.op('HARD_SWISH', [old], [swish]);
    main.op('MUL', [swish, main.constant('half', 'FLOAT32', [1], [0.5])], [mixed]);
    main.op('ADD', [mixed, x], [next]);
    main.assign(handle, next);
    main.output(next);
    const { quantized, comparison } = quantizeAndCompare(builder.build(), 2, 500, { state: 'int16' });
    assert.deepEqual(opsOf(quantized.graph).slice(3), [
      'QUANTIZE',
      'HARD_SWISH',
      'DEQUANTIZE',
      'QUANTIZE',
      'MUL',
      'ADD',
      'ASSIGN_VARIABLE',
    ]);
    assert.deepEqual(quantized.keptFloat, []);
    assert.ok(comparison.variables[0].rms < 0.005, `${comparison.variables[0].rms}`);
    if (!tfliteMissing()) (await openTflite(writeModel(quantized.graph))).invoke();
  });

  it('float state: the loop is float but for its dense layers', () => {
    const { graph } = quantizeModel(gruModel(GRU), [walk(200, 3, 5)], { state: 'float' });
    const typeOf = (name: string): string => tensorOf(graph, name).type;
    assert.deepEqual(['x/gates', 'h/gates', 'z', 'h/next', 'y'].map(typeOf), [
      'INT8',
      'INT8',
      'FLOAT32',
      'FLOAT32',
      'INT8',
    ]);
  });

  it('float inputs and outputs keep their names', () => {
    const { graph } = quantizeModel(gruModel(GRU), [walk(200, 3, 5)], { io: 'float' });
    const model = load(writeModel(graph));
    const describe = ({ name, type }: { name: string; type: string }): string => `${name} ${type}`;
    assert.deepEqual(model.inputs.map(describe), ['x FLOAT32']);
    assert.deepEqual(model.outputs.map(describe), ['y FLOAT32']);
  });

  it('operators without an integer kernel stay float between conversions, and are named', () => {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const x = main.input('x', 'FLOAT32', [1, 3]);
    const relu = main.tensor('relu', 'FLOAT32', [1, 3]);
    const sine = main.tensor('sine', 'FLOAT32', [1, 3]);
    const y = main.tensor('y', 'FLOAT32', [1, 3]);
    main.op('RELU', [x], [relu]);
    main.op('SIN', [relu], [sine]);
    main.op('MUL', [sine, x], [y]);
    main.output(y);
    const { quantized, comparison } = quantizeAndCompare(builder.build(), 3, 300, {});
    assert.deepEqual(opsOf(quantized.graph), ['RELU', 'DEQUANTIZE', 'SIN', 'QUANTIZE', 'MUL']);
    assert.deepEqual(quantized.keptFloat, ['subgraph 0, operator 1 SIN']);
    assert.ok(comparison.outputs[0].rms < 0.01);
  });

  it('weights in half precision are taken as floats', () => {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const x = main.input('x', 'FLOAT32', [1, 2]);
    // 1, −2, 0.5, 2^−24 (subnormal)
    const stored = main.constant('stored', 'FLOAT16', [2, 2], Uint16Array.of(0x3c00, 0xc000, 0x3800, 1));
    const weights = main.tensor('weights', 'FLOAT32', [2, 2]);
    const y = main.tensor('y', 'FLOAT32', [1, 2]);
    main.op('DEQUANTIZE', [stored], [weights]);
    main.op('FULLY_CONNECTED', [x, weights, null], [y]);
    main.output(y);
    const { graph, float } = quantizeModel(builder.build(), [walk(100, 2, 5)]);
    assert.deepEqual(opsOf(graph), ['FULLY_CONNECTED']);
    assert.deepEqual(Array.from(graph.subgraphs[0].nodes[0].inputs[1]!.data!), [64, -127, 32, 0]);
    assert.deepEqual([...float.subgraphs[0].nodes[0].inputs[1]!.data!], [1, -2, 0.5, 2 ** -24]);
  });

  it('a part whose range is small is brought to the scale of the whole, and keeps its own before', () => {
    const model = new StreamModel();
    const x = model.input('x', 2);
    const small = model.scale('small', x, { scale: [0.01, 0.01], offset: [0, 0] });
    model.output(model.concat('all', [x, small]), model.sum('both', [small, small]));
    const { quantized, comparison } = quantizeAndCompare(model.graph(), 2, 300, {});
    const [all, both] = comparison.outputs;
    assert.ok(all.rms < 0.005 && both.rms < 0.01, `${all.rms}, ${both.rms}`);
    assert.ok(opsOf(quantized.graph).includes('QUANTIZE'));
  });
});

describe('what cannot be quantized', () => {
  const still = Array.from({ length: 20 }, () => [0.5, 0.5, 0.5]);

  it('data that never move, naming the input', () => {
    assert.throws(
      () => quantizeModel(gruModel(GRU), [still]),
      /never moves: input "x" FLOAT32 \[1,3\] is 0.5 in all 20 readings/,
    );
    assert.throws(() => quantizeModel(gruModel(GRU), []), /at least one reading/);
  });

  it('a variable that never moves, unless its range is given', () => {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const x = main.input('x', 'FLOAT32', [1, 1]);
    const handle = main.variable('alarm');
    const old = main.read(handle, 'FLOAT32', [1, 1]);
    const half = main.constant('half', 'FLOAT32', [1], [0.5]);
    const faded = main.tensor('faded', 'FLOAT32', [1, 1]);
    const y = main.tensor('y', 'FLOAT32', [1, 1]);
    main.op('MUL', [old, half], [faded]);
    main.assign(handle, faded);
    main.op('ADD', [faded, x], [y]);
    main.output(y);
    const rows = walk(50, 1, 5);
    assert.throws(
      () => quantizeModel(builder.build(), [rows]),
      /variable "alarm" never moves.*--range alarm=/,
    );
    const { graph } = quantizeModel(builder.build(), [rows], { ranges: { alarm: { low: 0, high: 2 } } });
    const model = load(writeModel(graph));
    model.variables.get('alarm').write([2]);
    model.step([0]);
    assert.ok(Math.abs(model.variables.get('alarm').read()[0] - 1) < 0.01);
  });

  it('a layer that is 0 throughout, naming it', () => {
    const model = new StreamModel();
    const x = model.input('x', 3);
    model.output(
      model.relu('dead', model.dense('d', x, { units: 2, kernel: new Float32Array(6), bias: [-1, -2] })),
    );
    assert.throws(
      () => quantizeModel(model.graph(), [walk(50, 3, 5)]),
      /RELU: "dead" FLOAT32 \[1,2\] is 0 in the whole of the calibration data/,
    );
  });

  it('values that are not finite, naming layer and reading', () => {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const x = main.input('x', 'FLOAT32', [1, 1]);
    const y = main.tensor('y', 'FLOAT32', [1, 1]);
    main.op('LOG', [x], [y]);
    main.output(y);
    assert.throws(
      () => quantizeModel(builder.build(), [[[1], [2], [-1]]]),
      /stream 1, reading 3: "y" FLOAT32 \[1,1\] becomes NaN/,
    );
  });

  it('models that are quantized already, or have control flow', () => {
    const int8 = quantizeModel(gruModel(GRU), [walk(100, 3, 5)]).graph;
    assert.throws(() => quantizeModel(int8, [walk(100, 3, 5)]), /quantized already/);
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const branch = builder.subgraph('branch');
    branch.output(branch.input('x', 'FLOAT32', [1]));
    const flag = main.input('flag', 'BOOL', [1]);
    const x = main.input('x', 'FLOAT32', [1]);
    const y = main.tensor('y', 'FLOAT32', [1]);
    main.op('IF', [flag, x], [y], { then_subgraph_index: 1, else_subgraph_index: 1 });
    main.output(y);
    assert.throws(() => quantizeModel(builder.build(), [[[1, 1]]]), /operator 0 IF: .*control flow/);
  });

  it('rows of another length, and choices that are none', () => {
    const graph = gruModel(GRU);
    assert.throws(() => quantizeModel(graph, [[[1, 2]]]), /stream 1, reading 1: 2 numbers.*take 3/);
    const state = 'int4' as unknown as 'int8';
    assert.throws(() => quantizeModel(graph, [walk(5, 3, 1)], { state }), /state must be .* not "int4"/);
  });

  it('float activations where there are no weights', () => {
    assert.throws(
      () => quantizeModel(leakyIntegratorModel({ decay: 0.5 }), [walk(9, 1, 1)], { activations: 'float' }),
      /only weights of dense layers and convolutions/,
    );
  });
});
