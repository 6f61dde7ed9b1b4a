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
import { expectRank, expectShape, expectType, input, output } from './checks';
import { expectInts, intAt, wordsPerInt } from './ints';
import { copyGrid, fillOf, misfit, operandsOf, zeros } from './strided_copy';

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

/** Writes numbers that prepare knows. */
function writeInts(values: number[], shape: number[], y: Tensor, p: Preparation): void {
  const words = wordsPerInt(y);
  const data = new Int32Array(words * values.length);
  for (let i = 0; i < values.length; i++) data[i * words] = values[i];
  expectShape(y, shape, 'the output', p);
  copyGrid(p, [values.length], data, 0, [1], y, 0, [1]);
}

function prepareShape(node: Node, p: Preparation): void {
  const shape = input(node, 0, p).shape;
  const y = output(node, 0, p);
  p.options(SHAPE_OPTIONS);
  expectType(y, 'INT32 INT64', 'the output', p);
  writeInts(shape, [shape.length], y, p);
}

function prepareRank(node: Node, p: Preparation): void {
  const y = output(node, 0, p);
  expectType(y, 'INT32', 'the output', p);
  writeInts([input(node, 0, p).shape.length], [], y, p);
}

function prepareZerosLike(node: Node, p: Preparation): void {
  const o = operandsOf(node, 0, p);
  expectShape(o.y, o.x.shape, 'the output', p);
  copyGrid(p, [o.y.length], fillOf(o.y.type, 0), 0, [0], o.y, 0, [1]);
}

function prepareFill(node: Node, p: Preparation): void {
  const o = operandsOf(node, 1, p);
  expectRank(o.x, 0, 'the value', p);
  expectInts(input(node, 0, p), o.y.shape, 'the dims', p);
  copyGrid(p, [o.y.length], o.x, 0, [0], o.y, 0, [1]);
}

function prepareBroadcastTo(node: Node, p: Preparation): void {
  const o = operandsOf(node, 0, p);
  const shape = o.y.shape;
  const extra = shape.length - o.rank;
  expectInts(input(node, 1, p), shape, 'the shape', p);
  let fits = extra >= 0;
  for (let i = 0; i < o.rank; i++) {
    if (o.x.shape[i] === 1) o.xs[i] = 0;
    else fits = fits && o.x.shape[i] === shape[extra + i];
  }
  if (!fits) misfit('shapes of which the first broadcasts to the second', [o.x, o.y], p);
  copyGrid(p, shape, o.x, 0, zeros(extra).concat(o.xs), o.y, 0, o.ys);
}

function prepareTile(node: Node, p: Preparation): void {
  const o = operandsOf(node, 0, p);
  const multiples: number[] = [];
  const shape: number[] = [];
  const from: number[] = [];
  const to: number[] = [];
  expectRank(o.y, o.rank, 'the output', p);
  for (let i = 0; i < o.rank; i++) {
    const n = o.x.shape[i];
    const times = n ? o.y.shape[i] / n : 0;
    if (times % 1) misfit('an output that is a multiple of the input', [o.x, o.y], p);
    multiples.push(times);
    shape.push(times, n);
    from.push(0, o.xs[i]);
    to.push(n * o.ys[i], o.ys[i]);
  }
  if (o.x.length) expectInts(input(node, 1, p), multiples, 'the multiples', p);
  copyGrid(p, shape, o.x, 0, from, o.y, 0, to);
}

function prepareBroadcastArgs(node: Node, p: Preparation): void {
  const a = input(node, 0, p);
  const b = input(node, 1, p);
  const y = output(node, 0, p);
  expectType(a, 'INT32 INT64', 'the first shape', p);
  expectRank(a, 1, 'the first shape', p);
  expectRank(b, 1, 'the second shape', p);
  expectShape(y, [Math.max(a.length, b.length)], 'the output', p);
  if (b.type !== a.type || y.type !== a.type) misfit('one type', [a, b, y], p);
  p.step(broadcastArgs, [a, a.length, b, b.length, y, y.length, wordsPerInt(a)]);
}

export const fillOperators: Operators = {
  SHAPE: prepareShape,
  ZEROS_LIKE: prepareZerosLike,
  FILL: prepareFill,
};

export const broadcastOperators: Operators = { BROADCAST_TO: prepareBroadcastTo };

export const rareFillOperators: Operators = {
  RANK: prepareRank,
  TILE: prepareTile,
  BROADCAST_ARGS: prepareBroadcastArgs,
};
