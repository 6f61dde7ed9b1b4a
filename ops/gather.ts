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
import { describe, lengthOf } from '../lib/tensor';
import { axisWithin, expectShape, expectType, input, output } from './checks';
import { intAt, wordsPerInt } from './ints';
import {
  asWords,
  copyGrid,
  expectMovable,
  expectSameMovable,
  narrowWordsOf,
  stridesOf,
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
  words: number,
  n: number,
  dims: Int32Array,
  inner: number,
  scale: number,
): void {
  let to = 0;
  for (let i = 0; i < n; i++) {
    let from = sliceOffset(indices, i, words, 1, dims);
    for (let end = to + inner; to < end; to++) y[to] = x[from++] * scale;
  }
}

/** Emits the kernel; counts and strides in elements. `dims` holds (size, stride) for each index of a tuple. */
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
  const words = narrowWordsOf(x.type);
  const table = dims.slice();
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
    new Int32Array(table),
    block * words.count,
    inner * words.count,
  ]);
}

function expectGatherable(x: Tensor, indices: Tensor, y: Tensor, p: Preparation): void {
  expectSameMovable(x, y, p);
  if (x.type === 'INT16') p.fail('it does not take INT16, but the input is ' + describe(x));
  expectType(indices, 'INT32 INT64', 'the indices', p);
}

function prepareGather(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const indices = input(node, 1, p);
  const y = output(node, 0, p);
  const options = p.options(GATHER_OPTIONS);
  const rank = x.shape.length;
  expectGatherable(x, indices, y, p);
  const axis = axisWithin(options.axis as number, rank, p);
  let batchDims = options.batch_dims as number;
  if (batchDims < 0) batchDims += indices.shape.length;
  if (!(batchDims >= 0 && batchDims <= axis && batchDims <= indices.shape.length)) {
    p.fail(
      batchDims +
        ' batch dimensions are not possible with axis ' +
        axis +
        ' and indices ' +
        describe(indices),
    );
  }
  const lead = x.shape.slice(0, batchDims);
  expectShape(indices, lead.concat(indices.shape.slice(batchDims)), 'the indices', p);
  const shape = x.shape.slice(0, axis).concat(indices.shape.slice(batchDims), x.shape.slice(axis + 1));
  expectShape(y, shape, 'the output', p);
  const strides = stridesOf(x.shape);
  const inner = strides[axis];
  const size = x.shape[axis];
  if (indices.constant && indices.length === 1) {
    // one known slice is a plain copy, or no copy at all
    const index = intAt(indices.data as Int32Array, 0, wordsPerInt(indices));
    if (!(index >= 0 && index < size))
      p.fail('index ' + index + ' is outside of axis ' + axis + ' of ' + describe(x));
    const one = x.shape.slice();
    one[axis] = 1;
    copyGrid(p, one, x, index * inner, strides, y, 0, stridesOf(one));
    return;
  }
  const batches = lengthOf(lead);
  const outer = lengthOf(x.shape.slice(batchDims, axis));
  emitGather(x, indices, y, batches, outer, indices.length / batches, [size, inner], size * inner, inner, p);
}

function prepareGatherNd(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const indices = input(node, 1, p);
  const y = output(node, 0, p);
  expectGatherable(x, indices, y, p);
  const lead = indices.shape.length - 1;
  const nd = indices.shape[lead];
  if (lead < 0 || nd > x.shape.length)
    p.fail(
      'the indices must have at most ' +
        x.shape.length +
        ' numbers in the last dimension, but they are ' +
        describe(indices),
    );
  expectShape(y, indices.shape.slice(0, lead).concat(x.shape.slice(nd)), 'the output', p);
  const strides = stridesOf(x.shape);
  const dims: number[] = [];
  for (let i = 0; i < nd; i++) dims.push(x.shape[i], strides[i]);
  const inner = lengthOf(x.shape.slice(nd));
  emitGather(x, indices, y, 1, 1, lengthOf(indices.shape.slice(0, lead)), dims, 0, inner, p);
}

function prepareEmbeddingLookup(node: Node, p: Preparation): void {
  const indices = input(node, 0, p);
  const table = input(node, 1, p);
  const y = output(node, 0, p);
  expectType(indices, 'INT32', 'the indices', p);
  expectShape(indices, [indices.length], 'the indices', p);
  if (table.shape.length < 2)
    p.fail('the table must have 2 dimensions or more, but it is ' + describe(table));
  expectShape(y, [indices.length].concat(table.shape.slice(1)), 'the output', p);
  expectMovable(table, 'the table', p);
  const rows = table.shape[0];
  const inner = lengthOf(table.shape.slice(1));
  if (table.type === 'INT8' && y.type === 'FLOAT32') {
    if (table.zeroPoint)
      p.fail(
        'the table must have zero point 0 to give FLOAT32, but ' +
          describe(table) +
          ' has ' +
          table.zeroPoint,
      );
    if (table.scales && table.scales.length > 1)
      p.fail('the table must have one scale, but ' + describe(table) + ' has ' + table.scales.length);
    p.step(gatherScaled, [
      table,
      indices,
      y,
      1,
      indices.length,
      new Int32Array([rows, inner]),
      inner,
      table.scale,
    ]);
    return;
  }
  expectSameMovable(table, y, p);
  emitGather(table, indices, y, 1, 1, indices.length, [rows, inner], 0, inner, p);
}

export const gatherOperators: Operators = {
  GATHER: prepareGather,
  GATHER_ND: prepareGatherNd,
  EMBEDDING_LOOKUP: prepareEmbeddingLookup,
};
