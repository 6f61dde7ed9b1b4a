/**
 * Tensors made of a shape or of one value.
 *
 * SHAPE, RANK: what is known of x before it is computed. INT32, SHAPE also INT64.
 * ZEROS_LIKE: 0 in each element, also where the zero point is another (as TFLM).
 * FILL (dims, value): the one element of `value` everywhere. BROADCAST_TO (x, shape): x repeated along dimensions of 1 and
 * new outer ones. TILE (x, multiples): x repeated as a whole. Types: all whose elements are whole bytes.
 * BROADCAST_ARGS (a, b): the shape that tensors of the shapes a and b broadcast to. INT32, INT64.
 * Output shapes are static in the model; operands that say the same are checked, computed ones in each step (TFLM and
 * TILE in TFLite want them constant).
 */
import { Node, Operators, Preparation, Tensor } from '../lib/graph';
import { SHAPE_OPTIONS } from '../lib/schema';
import { describe } from '../lib/tensor';
import { expectRank, expectShape, expectType, input, output } from './checks';
import { expectInts, intAt, wordsPerInt } from './ints';
import { copyGrid, expectSameMovable, fillOf, stridesOf } from './strided_copy';

/** Kernel: the broadcast of two shapes of `n1` and `n2` dimensions, `words` 32-bit words each. */
export function broadcastArgs(
  a: Int32Array,
  n1: number,
  b: Int32Array,
  n2: number,
  y: Int32Array,
  n: number,
  words: number,
): void {
  for (let i = 1; i <= n; i++) {
    const p = i > n1 ? 1 : intAt(a, n1 - i, words);
    const q = i > n2 ? 1 : intAt(b, n2 - i, words);
    if (p !== q && p !== 1 && q !== 1) throw new Error('dimensions ' + p + ' and ' + q + ' do not broadcast');
    const at = (n - i) * words;
    const dim = p === 1 ? q : p;
    y[at] = dim;
    if (words > 1) y[at + 1] = Math.floor(dim / 4294967296);
  }
}

function zeros(n: number): number[] {
  const list: number[] = [];
  for (let i = 0; i < n; i++) list.push(0);
  return list;
}

/** Writes numbers that prepare knows. */
function writeInts(values: number[], y: Tensor, p: Preparation): void {
  const words = wordsPerInt(y);
  const data = new Int32Array(words * values.length);
  for (let i = 0; i < values.length; i++) data[i * words] = values[i];
  copyGrid(p, [values.length], data, 0, [1], y, 0, [1]);
}

function prepareShape(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  p.options(SHAPE_OPTIONS);
  expectType(y, 'INT32 INT64', 'the output', p);
  expectShape(y, [x.shape.length], 'the output', p);
  writeInts(x.shape, y, p);
}

function prepareRank(node: Node, p: Preparation): void {
  const y = output(node, 0, p);
  expectType(y, 'INT32', 'the output', p);
  expectShape(y, [], 'the output', p);
  writeInts([input(node, 0, p).shape.length], y, p);
}

function prepareZerosLike(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  expectSameMovable(x, y, p);
  expectShape(y, x.shape, 'the output', p);
  copyGrid(p, [y.length], fillOf(y.type, 0), 0, [0], y, 0, [1]);
}

function prepareFill(node: Node, p: Preparation): void {
  const value = input(node, 1, p);
  const y = output(node, 0, p);
  expectSameMovable(value, y, p);
  expectRank(value, 0, 'the value', p);
  expectInts(input(node, 0, p), y.shape, 'the dims', p);
  copyGrid(p, [y.length], value, 0, [0], y, 0, [1]);
}

/** Strides of x when it is broadcast to `shape`; fails if that is impossible. */
function broadcastStrides(x: Tensor, shape: number[], p: Preparation): number[] {
  const strides = stridesOf(x.shape);
  const extra = shape.length - x.shape.length;
  let fits = extra >= 0;
  for (let i = 0; fits && i < x.shape.length; i++) {
    if (x.shape[i] === 1) strides[i] = 0;
    else fits = x.shape[i] === shape[extra + i];
  }
  if (!fits) p.fail(describe(x) + ' does not broadcast to [' + shape.join() + ']');
  return zeros(extra).concat(strides);
}

function prepareBroadcastTo(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  expectSameMovable(x, y, p);
  expectInts(input(node, 1, p), y.shape, 'the shape', p);
  copyGrid(p, y.shape, x, 0, broadcastStrides(x, y.shape, p), y, 0, stridesOf(y.shape));
}

function prepareTile(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const rank = x.shape.length;
  expectSameMovable(x, y, p);
  expectRank(y, rank, 'the output', p);
  const from = stridesOf(x.shape);
  const to = stridesOf(y.shape);
  const multiples: number[] = [];
  const shape: number[] = [];
  const fromStrides: number[] = [];
  const toStrides: number[] = [];
  for (let i = 0; i < rank; i++) {
    const times = x.shape[i] ? y.shape[i] / x.shape[i] : 0;
    if (times !== Math.floor(times))
      p.fail('the output must be a multiple of ' + describe(x) + ', but it is ' + describe(y));
    multiples.push(times);
    shape.push(times, x.shape[i]);
    fromStrides.push(0, from[i]);
    toStrides.push(x.shape[i] * to[i], to[i]);
  }
  if (x.length) expectInts(input(node, 1, p), multiples, 'the multiples', p);
  copyGrid(p, shape, x, 0, fromStrides, y, 0, toStrides);
}

function prepareBroadcastArgs(node: Node, p: Preparation): void {
  const a = input(node, 0, p);
  const b = input(node, 1, p);
  const y = output(node, 0, p);
  expectType(a, 'INT32 INT64', 'the first shape', p);
  expectType(b, a.type, 'the second shape', p);
  expectType(y, a.type, 'the output', p);
  expectRank(a, 1, 'the first shape', p);
  expectRank(b, 1, 'the second shape', p);
  expectShape(y, [Math.max(a.length, b.length)], 'the output', p);
  p.step(broadcastArgs, [a, a.length, b, b.length, y, y.length, wordsPerInt(a)]);
}

export const fillOperators: Operators = {
  SHAPE: prepareShape,
  RANK: prepareRank,
  ZEROS_LIKE: prepareZerosLike,
  FILL: prepareFill,
  BROADCAST_TO: prepareBroadcastTo,
  TILE: prepareTile,
  BROADCAST_ARGS: prepareBroadcastArgs,
};
