/**
 * GATHER (x, indices): slices of x along an axis, with leading batch dimensions shared by both.
 * GATHER_ND (x, indices): the last dimension of the indices holds one index for each leading dimension of x.
 * EMBEDDING_LOOKUP (indices, table): rows of a table; an INT8 table with zero point 0 can give FLOAT32 rows.
 *
 * Indices: INT32 or INT64, constant or computed; one outside of its dimension is an error when the step runs (TFLM looks at
 * GATHER's only in debug builds, and at GATHER_ND's only together). Types: all whose elements are whole bytes except
 * INT16 for GATHER and GATHER_ND, as TFLM.
 */
import { Node, Operators, Preparation, Tensor } from '../lib/graph';
import { GATHER_OPTIONS } from '../lib/schema';
import { lengthOf, sameShape } from '../lib/tensor';
import { axisWithin, expectRank, expectShape, expectType, input, output } from './checks';
import { intAt, wordsPerInt } from './ints';
import {
  asWords,
  copyGrid,
  expectSameMovable,
  misfit,
  Operands,
  operandsOf,
  stridesOf,
  wordsOf,
} from './strided_copy';

/**
 * Offset of the slice that index tuple number `i` of `nd` indices means; `dims` holds (size, stride) for each.
 * @throws Error when an index is outside of its dimension
 */
export function sliceOffset(
  indices: Int32Array,
  i: number,
  words: number,
  nd: number,
  dims: Int32Array,
): number {
  let offset = 0;
  for (let k = 0; k < nd; k++) {
    const index = intAt(indices, i * nd + k, words);
    const n = dims[2 * k];
    if (!(index >= 0 && index < n)) throw new Error('index ' + index + ' is outside of a dimension of ' + n);
    offset += index * dims[2 * k + 1];
  }
  return offset;
}

/**
 * Kernel: copies slices of `inner` one-byte elements. For each of `batches` there are `n` index tuples, used for each of
 * `outer` blocks of `block` elements of x.
 */
export function gather8(
  x: Int8Array,
  indices: Int32Array,
  y: Int8Array,
  words: number,
  batches: number,
  outer: number,
  n: number,
  nd: number,
  dims: Int32Array,
  block: number,
  inner: number,
): void {
  let to = 0;
  let start = 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < n; i++) {
        let from = start + sliceOffset(indices, batch * n + i, words, nd, dims);
        for (let end = to + inner; to < end; to++) y[to] = x[from++];
      }
      start += block;
    }
  }
}

/** Kernel: the same for four-byte elements. */
export function gather32(
  x: Int32Array,
  indices: Int32Array,
  y: Int32Array,
  words: number,
  batches: number,
  outer: number,
  n: number,
  nd: number,
  dims: Int32Array,
  block: number,
  inner: number,
): void {
  let to = 0;
  let start = 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < n; i++) {
        let from = start + sliceOffset(indices, batch * n + i, words, nd, dims);
        for (let end = to + inner; to < end; to++) y[to] = x[from++];
      }
      start += block;
    }
  }
}

/** Kernel: `n` rows of `inner` int8 values, dequantized. */
export function gatherScaled(
  x: Int8Array,
  indices: Int32Array,
  y: Float32Array,
  n: number,
  dims: Int32Array,
  inner: number,
  scale: number,
): void {
  let to = 0;
  for (let i = 0; i < n; i++) {
    let from = sliceOffset(indices, i, 1, 1, dims);
    for (let end = to + inner; to < end; to++) y[to] = x[from++] * scale;
  }
}

/**
 * Emits a gather from x to y; counts and strides in elements.
 * @param dims (size, stride) for each index of a tuple
 */
export function emitGather(
  x: Tensor,
  indices: Tensor,
  y: Tensor,
  batches: number,
  outer: number,
  n: number,
  dims: number[],
  block: number,
  inner: number,
  p: Preparation,
): void {
  if (!y.length) return;
  const words = wordsOf(x.type, true);
  const table = new Int32Array(dims);
  for (let i = 1; i < table.length; i += 2) table[i] *= words.count;
  p.step(words.bytes === 1 ? gather8 : gather32, [
    asWords(x, words),
    indices,
    asWords(y, words),
    wordsPerInt(indices),
    batches,
    outer,
    n,
    dims.length / 2,
    table,
    block * words.count,
    inner * words.count,
  ]);
}

function gatherable(node: Node, p: Preparation): Operands {
  const o = operandsOf(node, 0, p);
  if (o.x.type === 'INT16') misfit('another type than INT16', [o.x], p);
  expectType(input(node, 1, p), 'INT32 INT64', 'the indices', p);
  return o;
}

function prepareGather(node: Node, p: Preparation): void {
  const o = gatherable(node, p);
  const indices = input(node, 1, p);
  const options = p.options(GATHER_OPTIONS);
  const shape = o.x.shape;
  const axis = axisWithin(options.axis as number, o.rank, p);
  let lead = options.batch_dims as number;
  if (lead < 0) lead += indices.shape.length;
  const rest = indices.shape.slice(lead);
  const batch = shape.slice(0, lead);
  if (!(lead >= 0 && lead <= axis) || !sameShape(indices.shape, batch.concat(rest))) {
    misfit(lead + ' batch dimensions before axis ' + axis, [o.x, indices], p);
  }
  expectShape(o.y, shape.slice(0, axis).concat(rest, shape.slice(axis + 1)), 'the output', p);
  const inner = o.xs[axis];
  const size = shape[axis];
  if (indices.constant && indices.length === 1) {
    // one known slice is a plain copy, or no copy at all
    const one = shape.slice();
    const index = intAt(indices.data as Int32Array, 0, wordsPerInt(indices));
    if (!(index >= 0 && index < size)) misfit('an index within axis ' + axis + ', not ' + index, [o.x], p);
    one[axis] = 1;
    copyGrid(p, one, o.x, index * inner, o.xs, o.y, 0, stridesOf(one));
    return;
  }
  const batches = lengthOf(batch);
  const outer = lengthOf(shape.slice(lead, axis));
  emitGather(
    o.x,
    indices,
    o.y,
    batches,
    outer,
    indices.length / batches,
    [size, inner],
    size * inner,
    inner,
    p,
  );
}

function prepareGatherNd(node: Node, p: Preparation): void {
  const o = gatherable(node, p);
  const indices = input(node, 1, p);
  const count = indices.shape.slice(0, -1);
  const nd = indices.shape[count.length];
  if (!(nd <= o.rank)) misfit('at most ' + o.rank + ' numbers in the last dimension', [indices], p);
  const slice = o.x.shape.slice(nd);
  const dims: number[] = [];
  expectShape(o.y, count.concat(slice), 'the output', p);
  for (let i = 0; i < nd; i++) dims.push(o.x.shape[i], o.xs[i]);
  emitGather(o.x, indices, o.y, 1, 1, lengthOf(count), dims, 0, lengthOf(slice), p);
}

function prepareEmbeddingLookup(node: Node, p: Preparation): void {
  const indices = input(node, 0, p);
  const table = input(node, 1, p);
  const y = output(node, 0, p);
  const n = indices.length;
  const row = table.shape.slice(1);
  expectType(indices, 'INT32', 'the indices', p);
  expectRank(indices, 1, 'the indices', p);
  if (!row.length) misfit('a table of 2 or more dimensions', [table], p);
  expectShape(y, [n].concat(row), 'the output', p);
  const inner = lengthOf(row);
  if (table.type === 'INT8' && y.type === 'FLOAT32') {
    if (table.zeroPoint || (table.scales && table.scales.length > 1))
      misfit('a table with one scale and zero point 0', [table], p);
    p.step(gatherScaled, [table, indices, y, n, new Int32Array([table.shape[0], inner]), inner, table.scale]);
    return;
  }
  expectSameMovable(table, y, p);
  emitGather(table, indices, y, 1, 1, n, [table.shape[0], inner], 0, inner, p);
}

export const gatherOperators: Operators = { GATHER: prepareGather };

export const gatherNdOperators: Operators = { GATHER_ND: prepareGatherNd };

export const embeddingOperators: Operators = { EMBEDDING_LOOKUP: prepareEmbeddingLookup };
