/**
 * MEAN, SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_ALL, REDUCE_ANY, REDUCE_PROD: one value for all elements along some axes.
 *
 * Inputs: x of any shape; the axes, constant INT32, negative ones counted from the end, repeated ones counted once.
 * Output: the shape without the axes, or (keep_dims) with 1 in their place.
 * Types: MEAN, SUM: FLOAT32, INT8, INT16 (requantized). REDUCE_MAX, REDUCE_MIN: FLOAT32, INT8, INT16, UINT8, INT32, where input and
 * output must have the same quantization. REDUCE_ALL, REDUCE_ANY: BOOL. REDUCE_PROD: FLOAT32, INT32.
 * As TFLM: MEAN folds 1/n into the multiplier, truncating it. Largest and smallest floats pass over NaN.
 */
import { floatActivationRange, mbqm, quantizeMultiplier, typeRange, powerOf2 } from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation, Tensor, TypedArray } from '../lib/graph';
import { REDUCER_OPTIONS } from '../lib/schema';
import { describe } from '../lib/tensor';
import { multiplyInt32 } from './arithmetic';
import { rowOffset } from './broadcast';
import {
  axisWithin,
  constantInts,
  expectInputs,
  expectQuantized,
  expectSameQuantization,
  expectType,
  input,
  output,
} from './checks';

/**
 * Kernel: the sum of the elements that belong to each output, divided by `count`. Output number k starts at
 * rowOffset(k, kept); its elements are `rows` rows, which start at rowOffset(row, reduced) from there, of `inner`
 * elements, `stride` apart.
 */
export function sumFloat32(
  x: Float32Array,
  y: Float32Array,
  n: number,
  kept: Int32Array,
  rows: number,
  reduced: Int32Array,
  inner: number,
  stride: number,
  count: number,
): void {
  for (let k = 0; k < n; k++) {
    const start = rowOffset(k, kept, 2, 1);
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      for (let i = 0, at = start + rowOffset(row, reduced, 2, 1); i < inner; i++, at += stride) sum += x[at];
    }
    y[k] = sum / count;
  }
}

/** Kernel, INT8 or INT16: the sum, less `offset`, requantized. */
export function sumQuantized(
  x: Int8Array | Int16Array,
  y: Int8Array | Int16Array,
  n: number,
  kept: Int32Array,
  rows: number,
  reduced: Int32Array,
  inner: number,
  stride: number,
  offset: number,
  multiplier: number,
  shift: number,
  zeroPoint: number,
  min: number,
  max: number,
): void {
  for (let k = 0; k < n; k++) {
    const start = rowOffset(k, kept, 2, 1);
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      for (let i = 0, at = start + rowOffset(row, reduced, 2, 1); i < inner; i++, at += stride) sum += x[at];
    }
    const v = mbqm((sum - offset) | 0, multiplier, shift) + zeroPoint;
    y[k] = v < min ? min : v > max ? max : v;
  }
}

/** Kernel, any type: the largest of sign · x, from `least` up, times sign: the largest or the smallest. */
export function reduceExtreme(
  x: TypedArray,
  y: TypedArray,
  n: number,
  kept: Int32Array,
  rows: number,
  reduced: Int32Array,
  inner: number,
  stride: number,
  sign: number,
  least: number,
): void {
  for (let k = 0; k < n; k++) {
    const start = rowOffset(k, kept, 2, 1);
    let most = least;
    for (let row = 0; row < rows; row++) {
      for (let i = 0, at = start + rowOffset(row, reduced, 2, 1); i < inner; i++, at += stride) {
        if (sign * x[at] > most) most = sign * x[at];
      }
    }
    y[k] = sign * most;
  }
}

/** Kernel: the product; INT32 (`wraps` 1) keeps its lower 32 bits. */
export function reduceProduct(
  x: TypedArray,
  y: TypedArray,
  n: number,
  kept: Int32Array,
  rows: number,
  reduced: Int32Array,
  inner: number,
  stride: number,
  wraps: number,
): void {
  for (let k = 0; k < n; k++) {
    const start = rowOffset(k, kept, 2, 1);
    let product = 1;
    for (let row = 0; row < rows; row++) {
      for (let i = 0, at = start + rowOffset(row, reduced, 2, 1); i < inner; i++, at += stride) {
        product = wraps ? multiplyInt32(product, x[at]) : product * x[at];
      }
    }
    y[k] = product;
  }
}

interface Reduction {
  x: Tensor;
  y: Tensor;
  /** Number of elements that make one. */
  count: number;
  /** x, y and how to walk them; the kernel's own parameters follow. */
  args: Argument[];
}

/** Checks operands and shapes, and joins neighbouring dimensions that are kept or reduced alike. */
function reduction(node: Node, types: string, p: Preparation): Reduction {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const axes = constantInts(input(node, 1, p), 'the axes', p);
  const rank = x.shape.length;
  expectInputs(node, 2, p);
  expectType(input(node, 1, p), 'INT32', 'the axes', p);
  expectType(x, types, 'the input', p);
  expectType(y, x.type, 'the output', p);
  const keep = p.options(REDUCER_OPTIONS).keep_dims as boolean;
  const away: boolean[] = [];
  for (let d = 0; d < rank; d++) away.push(false);
  for (let i = 0; rank && i < axes.length; i++) away[axisWithin(axes[i], rank, p)] = true;
  const shape: number[] = [];
  const kept: number[] = [];
  const reduced: number[] = [];
  let count = 1;
  let stride = 1;
  let last: number[] = [];
  for (let d = rank - 1; d >= 0; d--) {
    const size = x.shape[d];
    if (away[d]) count *= size;
    if (!away[d] || keep) shape.unshift(away[d] ? 1 : size);
    if (size !== 1) {
      const list = away[d] ? reduced : kept;
      if (list === last) list[list.length - 2] *= size;
      else list.push(size, stride);
      last = list;
    }
    stride *= size;
  }
  if (y.shape.join() !== shape.join()) {
    p.fail('the output must have shape [' + shape.join() + '], but it is ' + describe(y));
  }
  const inner = reduced.length ? reduced[0] : 1;
  return {
    x: x,
    y: y,
    count: count,
    args: [
      x,
      y,
      y.length,
      new Int32Array(kept),
      count / (inner || 1),
      new Int32Array(reduced.slice(2)),
      inner,
      reduced.length ? reduced[1] : 1,
    ],
  };
}

function prepareSum(node: Node, p: Preparation, mean: boolean): void {
  const r = reduction(node, 'FLOAT32 INT8 INT16', p);
  if (r.x.type === 'FLOAT32') {
    p.step(sumFloat32, r.args.concat([(mean && r.count) || 1]));
    return;
  }
  expectQuantized(r.x, 'the input', p);
  expectQuantized(r.y, 'the output', p);
  const q = quantizeMultiplier(r.x.scale / r.y.scale);
  if (mean && r.count) {
    let bits = 0;
    while (bits < 32 && bits < 31 + q.shift && powerOf2(bits + 1) <= r.count) bits++;
    q.multiplier = Math.floor((q.multiplier * powerOf2(bits)) / r.count);
    q.shift -= bits;
  }
  const range = typeRange(r.y.type);
  p.step(
    sumQuantized,
    r.args.concat([r.x.zeroPoint * r.count, q.multiplier, q.shift, r.y.zeroPoint, range.min, range.max]),
  );
}

function prepareMean(node: Node, p: Preparation): void {
  prepareSum(node, p, true);
}

function preparePlainSum(node: Node, p: Preparation): void {
  prepareSum(node, p, false);
}

function prepareExtreme(node: Node, p: Preparation, types: string, sign: number): void {
  const r = reduction(node, types, p);
  expectSameQuantization(r.x, r.y, p);
  const range =
    r.x.type === 'FLOAT32'
      ? floatActivationRange(0)
      : r.x.type === 'BOOL'
        ? { min: 0, max: 1 }
        : typeRange(r.x.type);
  p.step(reduceExtreme, r.args.concat([sign, sign > 0 ? range.min : -range.max]));
}

function prepareReduceMax(node: Node, p: Preparation): void {
  prepareExtreme(node, p, 'FLOAT32 INT8 INT16 UINT8 INT32', 1);
}

function prepareReduceMin(node: Node, p: Preparation): void {
  prepareExtreme(node, p, 'FLOAT32 INT8 INT16 UINT8 INT32', -1);
}

function prepareReduceAny(node: Node, p: Preparation): void {
  prepareExtreme(node, p, 'BOOL', 1);
}

function prepareReduceAll(node: Node, p: Preparation): void {
  prepareExtreme(node, p, 'BOOL', -1);
}

function prepareProduct(node: Node, p: Preparation): void {
  const r = reduction(node, 'FLOAT32 INT32', p);
  p.step(reduceProduct, r.args.concat([r.x.type === 'INT32' ? 1 : 0]));
}

export const reduceOperators: Operators = { MEAN: prepareMean, SUM: preparePlainSum };

export const reduceExtremeOperators: Operators = {
  REDUCE_MAX: prepareReduceMax,
  REDUCE_MIN: prepareReduceMin,
  REDUCE_ALL: prepareReduceAll,
  REDUCE_ANY: prepareReduceAny,
};

export const reduceProductOperators: Operators = { REDUCE_PROD: prepareProduct };
