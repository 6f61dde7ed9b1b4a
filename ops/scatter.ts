/**
 * SCATTER_ND (indices, updates, shape): zeros, with updates added where the index tuples say; several for one place add up.
 * SPARSE_TO_DENSE (indices, shape, values, default): the default everywhere but where the indices say.
 * ONE_HOT (indices, depth, on, off): `on` where the place along the new axis is the index, else `off`.
 *
 * As TFLite (TFLM has none of them); output shapes are static in the model. Indices: INT32 or INT64; one outside of its
 * dimension is an error in SCATTER_ND and SPARSE_TO_DENSE, and gives only `off` in ONE_HOT. Types: SCATTER_ND FLOAT32,
 * INT32, INT8, UINT8 (integers wrap); the others all whose elements are whole bytes.
 */
import { Node, Operators, Preparation, Tensor } from '../lib/graph';
import { ONE_HOT_OPTIONS } from '../lib/schema';
import { describe, lengthOf } from '../lib/tensor';
import { axisWithin, expectShape, expectType, input, output } from './checks';
import { sliceOffset } from './gather';
import { expectInts, intAt, wordsPerInt } from './ints';
import { asWords, copyGrid, expectSameMovable, fillOf, wordsOf, stridesOf } from './strided_copy';

/** Kernel: adds `n` slices of `inner` elements to y, wrapping in 8 bits; `dims` as in `sliceOffset`. */
export function scatterAdd8(
  updates: Int8Array,
  indices: Int32Array,
  y: Int8Array,
  words: number,
  n: number,
  nd: number,
  dims: Int32Array,
  inner: number,
): void {
  let from = 0;
  for (let i = 0; i < n; i++) {
    let to = sliceOffset(indices, i, words, nd, dims);
    for (let end = to + inner; to < end; to++) y[to] += updates[from++];
  }
}

/** Kernel: the same in 32 bits. */
export function scatterAdd32(
  updates: Int32Array,
  indices: Int32Array,
  y: Int32Array,
  words: number,
  n: number,
  nd: number,
  dims: Int32Array,
  inner: number,
): void {
  let from = 0;
  for (let i = 0; i < n; i++) {
    let to = sliceOffset(indices, i, words, nd, dims);
    for (let end = to + inner; to < end; to++) y[to] = (y[to] + updates[from++]) | 0;
  }
}

/** Kernel: the same in float32. */
export function scatterAddFloat32(
  updates: Float32Array,
  indices: Int32Array,
  y: Float32Array,
  words: number,
  n: number,
  nd: number,
  dims: Int32Array,
  inner: number,
): void {
  let from = 0;
  for (let i = 0; i < n; i++) {
    let to = sliceOffset(indices, i, words, nd, dims);
    for (let end = to + inner; to < end; to++) y[to] += updates[from++];
  }
}

/** Kernel: puts `n` values of `inner` words into y; `step` is 0 where one value serves all. */
export function scatter8(
  values: Int8Array,
  indices: Int32Array,
  y: Int8Array,
  words: number,
  n: number,
  nd: number,
  dims: Int32Array,
  step: number,
  inner: number,
): void {
  for (let i = 0; i < n; i++) {
    const to = sliceOffset(indices, i, words, nd, dims);
    for (let k = 0; k < inner; k++) y[to + k] = values[i * step + k];
  }
}

/** Kernel: the same for four-byte words. */
export function scatter32(
  values: Int32Array,
  indices: Int32Array,
  y: Int32Array,
  words: number,
  n: number,
  nd: number,
  dims: Int32Array,
  step: number,
  inner: number,
): void {
  for (let i = 0; i < n; i++) {
    const to = sliceOffset(indices, i, words, nd, dims);
    for (let k = 0; k < inner; k++) y[to + k] = values[i * step + k];
  }
}

/** Kernel: puts `on` into y [outer, depth, suffix] where indices [outer, suffix] say, if they are within the depth. */
export function oneHot8(
  indices: Int32Array,
  on: Int8Array,
  y: Int8Array,
  words: number,
  outer: number,
  depth: number,
  suffix: number,
  inner: number,
): void {
  for (let i = 0; i < outer * suffix; i++) {
    const index = intAt(indices, i, words);
    const to = ((i - (i % suffix)) * depth + index * suffix + (i % suffix)) * inner;
    if (index >= 0 && index < depth) for (let k = 0; k < inner; k++) y[to + k] = on[k];
  }
}

/** Kernel: the same for four-byte words. */
export function oneHot32(
  indices: Int32Array,
  on: Int32Array,
  y: Int32Array,
  words: number,
  outer: number,
  depth: number,
  suffix: number,
  inner: number,
): void {
  for (let i = 0; i < outer * suffix; i++) {
    const index = intAt(indices, i, words);
    const to = ((i - (i % suffix)) * depth + index * suffix + (i % suffix)) * inner;
    if (index >= 0 && index < depth) for (let k = 0; k < inner; k++) y[to + k] = on[k];
  }
}

/** (size, stride in words) of the first `nd` dimensions of y. */
function dimsOf(y: Tensor, nd: number, words: number): Int32Array {
  const strides = stridesOf(y.shape);
  const dims: number[] = [];
  for (let i = 0; i < nd; i++) dims.push(y.shape[i], strides[i] * words);
  return new Int32Array(dims);
}

function prepareScatterNd(node: Node, p: Preparation): void {
  const indices = input(node, 0, p);
  const updates = input(node, 1, p);
  const y = output(node, 0, p);
  expectType(indices, 'INT32 INT64', 'the indices', p);
  expectType(y, 'FLOAT32 INT32 INT8 UINT8', 'the output', p);
  expectSameMovable(updates, y, p);
  expectInts(input(node, 2, p), y.shape, 'the shape', p);
  const lead = indices.shape.length - 1;
  const nd = indices.shape[lead];
  if (lead < 0 || nd > y.shape.length)
    p.fail(
      'the indices must have at most ' +
        y.shape.length +
        ' numbers in the last dimension, but they are ' +
        describe(indices),
    );
  const count = indices.shape.slice(0, lead);
  const slice = y.shape.slice(nd);
  expectShape(updates, count.concat(slice), 'the updates', p);
  copyGrid(p, [y.length], fillOf(y.type, 0), 0, [0], y, 0, [1]);
  if (!updates.length) return;
  const float = y.type === 'FLOAT32';
  const words = wordsOf(y.type, true);
  p.step(float ? scatterAddFloat32 : words.bytes === 1 ? scatterAdd8 : scatterAdd32, [
    float ? updates : asWords(updates, words),
    indices,
    float ? y : asWords(y, words),
    wordsPerInt(indices),
    lengthOf(count),
    nd,
    dimsOf(y, nd, 1),
    lengthOf(slice),
  ]);
}

function prepareSparseToDense(node: Node, p: Preparation): void {
  const indices = input(node, 0, p);
  const values = input(node, 2, p);
  const fill = input(node, 3, p);
  const y = output(node, 0, p);
  const rank = y.shape.length;
  const count = indices.shape.length ? indices.shape[0] : 1;
  expectType(indices, 'INT32 INT64', 'the indices', p);
  expectSameMovable(values, y, p);
  expectSameMovable(fill, y, p);
  expectInts(input(node, 1, p), y.shape, 'the shape', p);
  if (indices.length !== count * rank || indices.shape.length > 2) {
    p.fail('the indices must be [n,' + rank + '], but they are ' + describe(indices));
  }
  if (values.shape.length) expectShape(values, [count], 'the values', p);
  if (fill.length !== 1) p.fail('the default must be one element, but it is ' + describe(fill));
  copyGrid(p, [y.length], fill, 0, [0], y, 0, [1]);
  if (!count) return;
  const words = wordsOf(y.type, true);
  p.step(words.bytes === 1 ? scatter8 : scatter32, [
    asWords(values, words),
    indices,
    asWords(y, words),
    wordsPerInt(indices),
    count,
    rank,
    dimsOf(y, rank, words.count),
    values.shape.length ? words.count : 0,
    words.count,
  ]);
}

function prepareOneHot(node: Node, p: Preparation): void {
  const indices = input(node, 0, p);
  const on = input(node, 2, p);
  const off = input(node, 3, p);
  const y = output(node, 0, p);
  const axis = axisWithin(p.options(ONE_HOT_OPTIONS).axis as number, indices.shape.length + 1, p);
  const depth = y.shape[axis];
  expectType(indices, 'INT32 INT64', 'the indices', p);
  expectSameMovable(on, y, p);
  expectSameMovable(off, y, p);
  if (on.length !== 1 || off.length !== 1)
    p.fail('on and off must be one element each, but they are ' + describe(on) + ' and ' + describe(off));
  expectShape(y, indices.shape.slice(0, axis).concat([depth], indices.shape.slice(axis)), 'the output', p);
  expectInts(input(node, 1, p), [depth], 'the depth', p);
  copyGrid(p, [y.length], off, 0, [0], y, 0, [1]);
  if (!y.length) return;
  const words = wordsOf(y.type, true);
  const suffix = lengthOf(indices.shape.slice(axis));
  p.step(words.bytes === 1 ? oneHot8 : oneHot32, [
    indices,
    asWords(on, words),
    asWords(y, words),
    wordsPerInt(indices),
    indices.length / suffix,
    depth,
    suffix,
    words.count,
  ]);
}

export const scatterOperators: Operators = {
  SCATTER_ND: prepareScatterNd,
  SPARSE_TO_DENSE: prepareSparseToDense,
  ONE_HOT: prepareOneHot,
};
