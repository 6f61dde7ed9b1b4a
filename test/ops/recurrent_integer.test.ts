/** Integer SVDF and LSTM against references that follow TFLM's sources step by step, on random models. */
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../author/graph_builder';
import type { Quantization } from '../../author/graph_builder';
import { readModel } from '../../author/options';
import { random } from '../../author/random';
import type { Random } from '../../author/random';
import { writeModel } from '../../author/writer';
import type { Node, Tensor, TypedArray } from '../../lib/graph';
import { load } from '../../lib/index';
import { sigmoidTable } from '../../ops/gates';
import { clamp, multiplierOf, scaled } from '../helpers/quantized';
import type { Multiplier } from '../helpers/quantized';

const f32 = Math.fround;
const table = sigmoidTable();

/** MultiplyByQuantizedMultiplier for int64. */
function scaled64(x: bigint, { m, shift }: Multiplier): number {
  const reduced = m < 0x7fff0000 ? (m + (1 << 15)) >> 16 : 0x7fff;
  const total = BigInt(15 - shift);
  return Number((x * BigInt(reduced) + (1n << (total - 1n))) >> total);
}

/** Logistic and Tanh of reference_integer_ops for int16; a multiplier of 0 stands for 3 << shift. */
function sigmoid(x: number, multiplier = 3, shift = 0): number {
  const input = shift ? (x * multiplier + (1 << (shift - 1))) >> shift : x * multiplier;
  const size = Math.abs(input);
  const at = size >> 9;
  const value = at >= 255 ? 0x7fff << 10 : (table[at] << 9) + (size & 0x1ff) * (table[at + 1] - table[at]);
  return (input >= 0 ? value + (1 << 9) : (1 << 25) - value + (1 << 9) - 1) >> 10;
}

function tanh(x: number, multiplier = 3, shift = 0): number {
  const input = shift ? (x * multiplier + (1 << (shift - 1))) >> shift : x * multiplier;
  const size = Math.abs(input);
  const at = size >> 8;
  const value = at >= 255 ? 0xffff << 8 : (table[at] << 8) + (size & 0xff) * (table[at + 1] - table[at]);
  return (input >= 0 ? value - (1 << 23) + (1 << 7) : -value + (1 << 23) + (1 << 7) - 1) >> 8;
}

const saturate = (x: number): number => clamp(x, -32768, 32767);

interface LstmCase {
  wide: boolean;
  batches: number;
  steps: number;
  inputs: number;
  cells: number;
  timeMajor: boolean;
  cellScale: number;
  cellClip: number;
}

/** A random model of one integer LSTM, and a function that computes a step of it. */
function lstm(c: LstmCase, next: Random): { bytes: Uint8Array; step: (x: ArrayLike<number>) => number[] } {
  const main = new GraphBuilder();
  const graph = main.subgraph('main');
  const type = c.wide ? 'INT16' : 'INT8';
  const top = c.wide ? 32767 : 127;
  const rows = c.timeMajor ? [c.steps, c.batches] : [c.batches, c.steps];
  const quantization = (): Quantization => ({
    scale: next.uniform(0.5, 3) / top,
    zeroPoint: next.integer(-20, 20),
  });
  const x = graph.input('x', type, [...rows, c.inputs], quantization());
  const h = graph.state('h', type, [c.batches, c.cells], quantization());
  const cell = graph.state('c', 'INT16', [c.batches, c.cells], { scale: c.cellScale });
  const weights = (name: string, columns: number): Tensor =>
    graph.constant(
      name,
      'INT8',
      [c.cells, columns],
      Array.from({ length: c.cells * columns }, () => next.integer(-127, 127)),
      { scale: next.uniform(0.002, 0.03) },
    );
  const w = [0, 1, 2, 3].map((gate) => weights(`w${gate}`, c.inputs));
  const r = [0, 1, 2, 3].map((gate) => weights(`r${gate}`, c.cells));
  const range = c.wide ? 2e7 : 20000;
  const biases = w.map(() => Array.from({ length: c.cells }, () => next.integer(-range, range)));
  const b = biases.map((values, gate) =>
    graph.constant(`b${gate}`, c.wide ? 'INT64' : 'INT32', [c.cells], c.wide ? values.map(BigInt) : values, {
      scale: x.scale * w[gate].scale,
    }),
  );
  const y = graph.tensor('y', type, [...rows, c.cells], { scale: h.scale, zeroPoint: h.zeroPoint });
  const none = (count: number): null[] => Array.from({ length: count }, () => null);
  graph.op(
    'UNIDIRECTIONAL_SEQUENCE_LSTM',
    [x, ...w, ...r, ...none(3), ...b, ...none(2), h, cell, ...none(4)],
    [y],
    { fused_activation_function: 4, cell_clip: c.cellClip, time_major: c.timeMajor },
  );
  graph.output(y);

  const hidden = Array.from({ length: c.batches }, () => new Array<number>(c.cells).fill(h.zeroPoint));
  const cells = Array.from({ length: c.batches }, () => new Array<number>(c.cells).fill(0));
  /** A product with weights, brought to 12 fractional bits. */
  const dense = (v: number[], from: Tensor, m: Tensor, bias: number[] | null): number[] =>
    Array.from({ length: c.cells }, (_, u) => {
      let sum = BigInt(bias ? bias[u] : 0);
      v.forEach((value, i) => {
        sum += BigInt((m.data as TypedArray)[u * v.length + i] * (value - from.zeroPoint));
      });
      const multiplier = multiplierOf(f32(from.scale * m.scale) / 2 ** -12);
      return saturate(c.wide ? scaled64(sum, multiplier) : scaled(Number(sum), multiplier));
    });
  const power = Math.round(Math.log2(cell.scale));
  const shift = 15 + power - 3;
  const clip = Math.trunc(clamp(c.cellClip / cell.scale, -32768, 32767));
  const cellTanh = (v: number): number => (shift < 0 ? tanh(v, 3, -shift) : tanh(v, 3 << shift, 0));
  const step = (values: ArrayLike<number>): number[] => {
    const out = new Array<number>(c.batches * c.steps * c.cells);
    for (let t = 0; t < c.steps; t++) {
      for (let batch = 0; batch < c.batches; batch++) {
        const row = c.timeMajor ? t * c.batches + batch : batch * c.steps + t;
        const v = Array.from(values).slice(row * c.inputs, (row + 1) * c.inputs);
        const gates = w.map((_, gate) => {
          const own = dense(v, x, w[gate], biases[gate]);
          const back = dense(hidden[batch], h, r[gate], null);
          return own.map((a, u) => (gate === 2 ? tanh : sigmoid)(saturate(a + back[u])));
        });
        for (let u = 0; u < c.cells; u++) {
          const [i, f, g, o] = gates.map((gate) => gate[u]);
          const kept = saturate(
            scaled(f * cells[batch][u], multiplierOf((2 ** -15 * cell.scale) / cell.scale)),
          );
          const taken = saturate(scaled(i * g, multiplierOf(2 ** -30 / cell.scale)));
          let value = saturate(kept + taken);
          if (c.cellClip > 0) value = clamp(value, -clip, clip);
          cells[batch][u] = value;
          const result = scaled(cellTanh(value) * o, multiplierOf(2 ** -30 / h.scale)) + h.zeroPoint;
          hidden[batch][u] = clamp(result, -top - 1, top);
          out[row * c.cells + u] = hidden[batch][u];
        }
      }
    }
    return out;
  };
  return { bytes: writeModel(main.build()), step };
}

describe('integer recurrent operators', () => {
  it('LSTM is what TFLM computes', () => {
    const next = random(31);
    const reached = { clipped: 0, saturated: 0, moved: new Set<number>() };
    for (let i = 0; i < 60; i++) {
      const c: LstmCase = {
        wide: i % 2 === 1,
        batches: next.integer(1, 3),
        steps: next.integer(1, 3),
        inputs: next.integer(1, 9),
        cells: next.integer(1, 9),
        timeMajor: next() < 0.5,
        cellScale: next() < 0.8 ? 2 ** -next.integer(8, 15) : next.uniform(0.0001, 0.001),
        cellClip: next() < 0.3 ? next.uniform(0.1, 2) : next() < 0.1 ? 1e-6 : 0,
      };
      const { bytes, step } = lstm(c, next);
      const model = load(bytes);
      for (let k = 0; k < 5; k++) {
        const x = Array.from({ length: model.inputs[0].data.length }, () =>
          c.wide ? next.integer(-32768, 32767) : next.integer(-128, 127),
        );
        model.inputs[0].data.set(x);
        model.invoke();
        const y = step(x);
        assert.deepEqual(Array.from(model.outputs[0].data), y, `${JSON.stringify(c)}, step ${k}`);
        y.forEach((value) => reached.moved.add(value));
        const cells = Array.from(model.variables.get('c').data, Math.abs);
        if (cells.some((value) => value >= 32767)) reached.saturated++;
        const limit = Math.trunc(Math.min(c.cellClip / f32(c.cellScale), 32767));
        if (c.cellClip > 0 && cells.includes(limit)) reached.clipped++;
      }
    }
    assert.ok(
      reached.clipped > 5 && reached.saturated > 5 && reached.moved.size > 200,
      JSON.stringify(reached),
    );
  });

  it('SVDF is what TFLM computes', () => {
    const next = random(37);
    const moved = new Set<number>();
    for (let i = 0; i < 60; i++) {
      const stateType = i % 2 ? 'INT16' : 'INT8';
      const top = i % 2 ? 32767 : 127;
      const [batches, inputs, units, rank, memory] = [3, 6, 4, 3, 5].map((most) => next.integer(1, most));
      const filters = units * rank;
      const builder = new GraphBuilder();
      const main = builder.subgraph('main');
      const draw = (length: number, limit: number): number[] =>
        Array.from({ length }, () => next.integer(-limit, limit));
      const zeroPoint = (): number => next.integer(-40, 40);
      const x = main.input('x', 'INT8', [batches, inputs], {
        scale: next.uniform(0.01, 0.03),
        zeroPoint: zeroPoint(),
      });
      const wf = main.constant('wf', 'INT8', [filters, inputs], draw(filters * inputs, 127), {
        scale: next.uniform(0.002, 0.02),
      });
      const wt = main.constant(
        'wt',
        stateType,
        [filters, memory],
        draw(filters * memory, i % 2 ? 3000 : 127),
        {
          scale: next.uniform(0.5, 2) / (i % 2 ? 3000 : 127),
        },
      );
      const state = main.state('state', stateType, [batches, memory * filters], {
        scale: next.uniform(0.5, 4) / top,
        zeroPoint: i % 2 ? 0 : zeroPoint(),
      });
      const bias = draw(units, i % 2 ? 500000 : 2000);
      const b =
        next() < 0.8 ? main.constant('b', 'INT32', [units], bias, { scale: state.scale * wt.scale }) : null;
      const y = main.tensor('y', 'INT8', [batches, units], {
        scale: next.uniform(0.01, 0.05),
        zeroPoint: zeroPoint(),
      });
      main.op('SVDF', [x, wf, wt, b, state], [y], { rank, fused_activation_function: next.integer(0, 3) });
      main.output(y);
      const model = load(writeModel(builder.build()));

      const memoryOf = new Array<number>(batches * filters * memory).fill(state.zeroPoint);
      const first = multiplierOf(f32(f32(x.scale * wf.scale) / state.scale));
      const second = multiplierOf(f32(f32(state.scale * wt.scale) / y.scale));
      for (let k = 0; k < 6; k++) {
        const values = draw(batches * inputs, 127);
        model.inputs[0].data.set(values);
        model.invoke();
        memoryOf.push(memoryOf[memoryOf.length - 1]);
        memoryOf.shift();
        const expected: number[] = [];
        for (let batch = 0; batch < batches; batch++) {
          const sums = new Array<number>(filters).fill(0);
          for (let f = 0; f < filters; f++) {
            let dot = 0;
            for (let n = 0; n < inputs; n++)
              dot += (wf.data as TypedArray)[f * inputs + n] * (values[batch * inputs + n] - x.zeroPoint);
            const start = (batch * filters + f) * memory;
            const stored = state.zeroPoint + clamp(scaled(dot, first), -top - 1, top);
            memoryOf[start + memory - 1] = i % 2 ? stored : (stored << 24) >> 24;
            for (let n = 0; n < memory; n++)
              sums[f] += (wt.data as TypedArray)[f * memory + n] * (memoryOf[start + n] - state.zeroPoint);
          }
          for (let u = 0; u < units; u++) {
            const sum = sums.slice(u * rank, (u + 1) * rank).reduce((a, v) => a + v, b ? bias[u] : 0);
            expected.push(clamp(scaled(sum, second) + y.zeroPoint, -128, 127));
          }
        }
        assert.deepEqual(Array.from(model.outputs[0].data), expected, `model ${i}, step ${k}`);
        assert.deepEqual(
          Array.from(model.variables.get('state').data),
          memoryOf,
          `state of model ${i}, step ${k}`,
        );
        expected.forEach((value) => moved.add(value));
      }
    }
    assert.ok(moved.size > 100);
  });

  it('LSTM in integers refuses what TFLM does not take', () => {
    const c: LstmCase = {
      wide: false,
      batches: 1,
      steps: 1,
      inputs: 2,
      cells: 3,
      timeMajor: false,
      cellScale: 2 ** -11,
      cellClip: 0,
    };
    const { bytes } = lstm(c, random(41));
    assert.doesNotThrow(() => load(bytes));
    const refuse = (message: RegExp, change: (node: Node) => void): void => {
      const graph = readModel(bytes);
      change(graph.subgraphs[0].nodes[0]);
      assert.throws(() => load(writeModel(graph)), message);
    };
    const features =
      /integer LSTMs have no coupled gates, peephole weights, projection or layer normalization/;
    refuse(features, (node) => [1, 5, 12].forEach((at) => (node.inputs[at] = null)));
    refuse(features, (node) => [9, 10, 11].forEach((at) => (node.inputs[at] = node.inputs[12])));
    refuse(features, (node) => [20, 21, 22, 23].forEach((at) => (node.inputs[at] = node.inputs[12])));
    refuse(features, (node) => (node.inputs[16] = node.inputs[5]));
    refuse(/need the fused activation TANH \(4\), but it is 1/, (node) => {
      node.options = { ...node.options, fused_activation_function: 1 };
    });
    refuse(/the bias must be INT32, but it is "wf"/, (node) => {
      const bias = node.inputs[13] as Tensor;
      Object.assign(bias, { name: 'wf', type: 'INT8', bytes: 3, data: new Int8Array(3) });
    });
    refuse(/the recurrent weights must have one scale and zero point 0/, (node) => {
      Object.assign(node.inputs[6] as Tensor, { scales: [0.1, 0.2, 0.3], zeroPoints: [0, 0, 0] });
    });
    refuse(/the input weights must have one scale and zero point 0/, (node) => {
      Object.assign(node.inputs[2] as Tensor, { zeroPoint: 1, zeroPoints: [1] });
    });
    refuse(/the cell state must be quantized/, (node) => {
      Object.assign(node.inputs[19] as Tensor, { scale: 0, scales: null });
    });
    refuse(/the cell state must be INT16/, (node) => {
      Object.assign(node.inputs[19] as Tensor, { type: 'INT32', bytes: 12 });
    });
    refuse(/output and output state must be INT8/, (node) => {
      Object.assign(node.outputs[0], { type: 'INT16', bytes: 6 });
    });
  });
});
