/** Models of one operator, run by Engram and by real TensorFlow Lite. */
import assert from 'node:assert/strict';
import type { ConstantData } from '../../author/constants';
import { GraphBuilder } from '../../author/graph_builder';
import type { Quantization } from '../../author/graph_builder';
import type { Random } from '../../author/random';
import { writeModel } from '../../author/writer';
import type { Options } from '../../lib/graph';
import { load } from '../../lib/index';
import { openTflite } from './tflite';

/** An operand: an input of the model with a value for each of its elements, or a constant. */
export interface Operand {
  type: string;
  shape: number[];
  values: ConstantData;
  constant?: boolean;
  quantization?: Quantization;
}

/** What an operator writes. */
export interface Result {
  type: string;
  shape: number[];
  quantization?: Quantization;
}

export interface OneOperator {
  op: string;
  inputs: Operand[];
  outputs: Result[];
  options?: Options;
}

/** The file of a model with just this operator. */
export function modelOf(one: OneOperator): Uint8Array {
  const builder = new GraphBuilder();
  const main = builder.subgraph('main');
  const inputs = one.inputs.map((x, i) =>
    x.constant
      ? main.constant(`in${i}`, x.type, x.shape, x.values, x.quantization)
      : main.input(`in${i}`, x.type, x.shape, x.quantization),
  );
  const outputs = one.outputs.map((y, i) => main.tensor(`out${i}`, y.type, y.shape, y.quantization));
  main.op(one.op, inputs, outputs, one.options);
  main.output(...outputs);
  return writeModel(builder.build());
}

/** Engram's answers; INT64 as numbers. */
export function run(one: OneOperator): number[][] {
  const model = load(modelOf(one));
  const given = one.inputs.filter((x) => !x.constant);
  model.inputs.forEach((input, i) => {
    const wide = input.type === 'INT64';
    const values = Array.from(given[i].values as ArrayLike<number>, (v) => (wide ? BigInt(v) : Number(v)));
    (input.data as unknown as { set(values: unknown[]): void }).set(values);
  });
  model.invoke();
  return model.outputs.map((output) => Array.from(output.data, Number));
}

/** TensorFlow Lite's answers. */
export async function runTflite(one: OneOperator): Promise<number[][]> {
  const tflite = await openTflite(modelOf(one));
  const given = one.inputs.filter((x) => !x.constant);
  given.forEach((x, i) => tflite.setInput(i, Array.from(x.values as ArrayLike<number>, Number)));
  tflite.invoke();
  return tflite.outputs.map((_, i) => Array.from(tflite.output(i)));
}

/** Fails unless both give the same: integers exactly, floats to 1e-5. */
export async function sameAsTflite(one: OneOperator): Promise<void> {
  const wanted = await runTflite(one);
  run(one).forEach((got, i) =>
    close(got, wanted[i], one.outputs[i].type === 'FLOAT32' ? 1e-5 : 0, `output ${i} of ${one.op}`),
  );
}

/** Fails unless all numbers agree to an absolute and relative tolerance; NaN equals NaN. */
export function close(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  assert.equal(got.length, wanted.length, what);
  for (let i = 0; i < got.length; i++) {
    const same = got[i] === wanted[i] || (Number.isNaN(got[i]) && Number.isNaN(wanted[i]));
    const near = Math.abs(got[i] - wanted[i]) <= tolerance * (1 + Math.abs(wanted[i]));
    assert.ok(same || near, `${what}, element ${i}: got ${got[i]}, expected ${wanted[i]}`);
  }
}

export function lengthOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Random values of a type: floats normal, integers over the whole range or within `limit`. */
export function randomValues(next: Random, type: string, shape: number[], limit = Infinity): number[] {
  const high: Record<string, number> = {
    INT8: 127,
    INT16: 32767,
    INT32: 2147483647,
    UINT8: 255,
    BOOL: 1,
    INT64: 9e15,
  };
  return Array.from({ length: lengthOf(shape) }, () => {
    if (type === 'FLOAT32') return Math.fround(next.normal(2));
    const top = Math.min(high[type], limit);
    return next.integer(type === 'UINT8' || type === 'BOOL' ? 0 : -top - (top < limit ? 1 : 0), top);
  });
}

/** Two or more shapes of up to `rank` dimensions that broadcast, and what they broadcast to. */
export function broadcastShapes(
  next: Random,
  rank: number,
  count: number,
): { shapes: number[][]; result: number[] } {
  const full = Array.from({ length: next.integer(0, rank) }, () => next.integer(1, 4));
  const shapes = Array.from({ length: count }, () => full.map((size) => (next() < 0.4 ? 1 : size)));
  const result = full.map((_, d) => Math.max(...shapes.map((shape) => shape[d])));
  return {
    shapes: shapes.map((shape, i) => {
      let from = 0;
      while (i !== 0 && next() < 0.3 && shape[from] === 1) from++;
      return shape.slice(from);
    }),
    result,
  };
}

/** For each element of `result`, the element of an operand of shape `shape`. */
export function broadcastIndices(shape: number[], result: number[]): number[] {
  return Array.from({ length: lengthOf(result) }, (_, k) => {
    let index = 0;
    let stride = 1;
    for (let d = 0; d < result.length; d++) {
      const at = k % result[result.length - 1 - d];
      k = Math.floor(k / result[result.length - 1 - d]);
      const own = d < shape.length ? shape[shape.length - 1 - d] : 1;
      if (own > 1) index += at * stride;
      stride *= own;
    }
    return index;
  });
}

/** Coordinates of element `k`. */
export function coordinates(k: number, shape: number[]): number[] {
  const at: number[] = [];
  for (let d = shape.length - 1; d >= 0; d--) {
    at.unshift(k % shape[d]);
    k = Math.floor(k / shape[d]);
  }
  return at;
}

/** Element at these coordinates. */
export function indexOf(at: number[], shape: number[]): number {
  return at.reduce((index, x, d) => index * shape[d] + x, 0);
}
