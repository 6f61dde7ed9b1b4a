/**
 * SLICE (x, begin, size): the block of x that starts at `begin`; a size of −1 takes all that is left.
 * DYNAMIC_UPDATE_SLICE (x, update, start): x with a block replaced; `start` is moved so that the block fits.
 *
 * begin, size and start: INT32 or INT64, constant or computed; what a step asks for must be as large as the output, and
 * within x, else it throws. Types: all whose elements are whole bytes.
 */
import { Node, Operators, Preparation, Tensor, View } from '../lib/graph';
import { copyBytes } from '../lib/prepare';
import { expectShape, expectType, input } from './checks';
import { intAt, stepOrNow, wordsPerInt } from './ints';
import {
  copyGrid,
  copyStrided16,
  copyStrided32,
  copyStrided8,
  expectSameMovable,
  misfit,
  operandsOf,
  RuntimeStarts,
  stridesOf,
} from './strided_copy';

/**
 * Kernel: where a slice starts. `dims` holds (size of x, size of the output, stride in x) for each of `rank` dimensions;
 * `starts` becomes the start in x and 0.
 */
export function sliceStart(
  begin: Int32Array,
  size: Int32Array,
  words: number,
  dims: Int32Array,
  rank: number,
  starts: Int32Array,
): void {
  let start = 0;
  for (let i = 0; i < rank; i++) {
    const first = intAt(begin, i, words);
    const count = intAt(size, i, words);
    const n = dims[3 * i];
    const expected = dims[3 * i + 1];
    if (!(first >= 0 && first + expected <= n) || (count === -1 ? n - first : count) !== expected) {
      throw new Error(
        'expected ' +
          expected +
          ' of ' +
          n +
          ' in dimension ' +
          i +
          ', but got begin ' +
          first +
          ' and size ' +
          count,
      );
    }
    start += first * dims[3 * i + 2];
  }
  starts[0] = start;
  starts[1] = 0;
}

/** Kernel: where an update goes. `dims` holds (largest start, stride in x) for each dimension. */
export function updateStart(
  start: Int32Array,
  words: number,
  dims: Int32Array,
  rank: number,
  starts: Int32Array,
): void {
  let at = 0;
  for (let i = 0; i < rank; i++) {
    const first = intAt(start, i, words);
    const last = dims[2 * i];
    at += (first < 0 ? 0 : first > last ? last : first) * dims[2 * i + 1];
  }
  starts[0] = 0;
  starts[1] = at;
}

/** Kernel: copyStrided8 with both starts in `starts`, in elements of `words` words. */
export function copyFrom8(
  from: Int8Array,
  to: Int8Array,
  dims: Int32Array,
  at: number,
  starts: Int32Array,
  words: number,
): void {
  copyStrided8(from, to, dims, at, starts[0] * words, starts[1] * words);
}

/** Kernel: the same for two-byte elements. */
export function copyFrom16(
  from: Int16Array,
  to: Int16Array,
  dims: Int32Array,
  at: number,
  starts: Int32Array,
  words: number,
): void {
  copyStrided16(from, to, dims, at, starts[0] * words, starts[1] * words);
}

/** Kernel: the same for four-byte elements. */
export function copyFrom32(
  from: Int32Array,
  to: Int32Array,
  dims: Int32Array,
  at: number,
  starts: Int32Array,
  words: number,
): void {
  copyStrided32(from, to, dims, at, starts[0] * words, starts[1] * words);
}

/** Starts that a step finds. */
function runtimeStarts(p: Preparation): RuntimeStarts {
  return { starts: p.scratch('INT32', 2), kernels: [copyFrom8, copyFrom16, copyFrom32] };
}

function asBytes(tensor: Tensor): View {
  return { of: tensor, type: 'UINT8', offset: 0, length: tensor.bytes };
}

/** Fails unless the tensor is one integer for each dimension. */
function expectPosition(tensor: Tensor, rank: number, what: string, p: Preparation): void {
  expectType(tensor, 'INT32 INT64', what, p);
  expectShape(tensor, [rank], what, p);
}

function prepareSlice(node: Node, p: Preparation): void {
  const o = operandsOf(node, 0, p);
  const begin = input(node, 1, p);
  const size = input(node, 2, p);
  expectPosition(begin, o.rank, 'begin', p);
  expectPosition(size, o.rank, 'the size', p);
  if (begin.type !== size.type || o.y.shape.length !== o.rank)
    misfit('operands that fit each other', [o.x, begin, size, o.y], p);
  const dims: number[] = [];
  for (let i = 0; i < o.rank; i++) dims.push(o.x.shape[i], o.y.shape[i], o.xs[i]);
  const constant = (begin.constant && size.constant) || !o.rank;
  const known = new Int32Array(2);
  const runtime = constant ? undefined : runtimeStarts(p);
  stepOrNow(
    constant,
    sliceStart,
    [begin, size, wordsPerInt(begin), new Int32Array(dims), o.rank, runtime ? runtime.starts : known],
    p,
  );
  copyGrid(p, o.y.shape, o.x, known[0], o.xs, o.y, 0, o.ys, runtime);
}

function prepareDynamicUpdateSlice(node: Node, p: Preparation): void {
  const o = operandsOf(node, 0, p);
  const update = input(node, 1, p);
  const start = input(node, 2, p);
  expectSameMovable(update, o.y, p);
  expectShape(o.y, o.x.shape, 'the output', p);
  expectPosition(start, o.rank, 'the start', p);
  const dims: number[] = [];
  for (let i = 0; i < o.rank; i++) {
    if (update.shape.length !== o.rank || update.shape[i] > o.x.shape[i])
      misfit('an update that fits', [o.x, update], p);
    dims.push(o.x.shape[i] - update.shape[i], o.xs[i]);
  }
  if (update.length === o.x.length) {
    p.move(update, 0, o.y, 0, o.y.bytes);
    return;
  }
  p.inPlace(o.x, o.y);
  p.step(copyBytes, [asBytes(o.x), asBytes(o.y)]);
  if (!update.length) return;
  const runtime = runtimeStarts(p);
  p.step(updateStart, [start, wordsPerInt(start), new Int32Array(dims), o.rank, runtime.starts]);
  copyGrid(p, update.shape, update, 0, stridesOf(update.shape), o.y, 0, o.ys, runtime);
}

export const sliceOperators: Operators = { SLICE: prepareSlice };

export const updateSliceOperators: Operators = { DYNAMIC_UPDATE_SLICE: prepareDynamicUpdateSlice };
