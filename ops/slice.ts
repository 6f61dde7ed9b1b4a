/**
 * SLICE (x, begin, size): the block of x that starts at `begin`; a size of −1 takes all that is left.
 * DYNAMIC_UPDATE_SLICE (x, update, start): x with a block replaced; `start` is moved so that the block fits.
 *
 * begin, size and start: INT32 or INT64, constant or computed; what a step asks for must be as large as the output, and
 * within x, else it throws. Types: all whose elements are whole bytes.
 */
import { Node, Operators, Preparation, Tensor, View } from '../lib/graph';
import { copyBytes } from '../lib/prepare';
import { describe } from '../lib/tensor';
import { expectShape, expectType, input, output } from './checks';
import { intAt, wordsPerInt } from './ints';
import { copyGrid, copyGridFrom, expectSameMovable, stridesOf } from './strided_copy';

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
        'begin ' +
          first +
          ' and size ' +
          count +
          ' in dimension ' +
          i +
          ' do not give the ' +
          expected +
          ' of ' +
          n +
          ' elements that the output takes',
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

function asBytes(tensor: Tensor): View {
  return { of: tensor, type: 'UINT8', offset: 0, length: tensor.bytes };
}

function prepareSlice(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const begin = input(node, 1, p);
  const size = input(node, 2, p);
  const y = output(node, 0, p);
  const rank = x.shape.length;
  expectSameMovable(x, y, p);
  expectType(begin, 'INT32 INT64', 'begin', p);
  expectType(size, begin.type, 'the size', p);
  if (begin.length !== rank || size.length !== rank || y.shape.length !== rank) {
    p.fail(
      'begin, size and the output must have the ' +
        rank +
        ' dimensions of ' +
        describe(x) +
        ', but they are ' +
        describe(begin) +
        ', ' +
        describe(size) +
        ' and ' +
        describe(y),
    );
  }
  const strides = stridesOf(x.shape);
  const dims: number[] = [];
  for (let i = 0; i < rank; i++) dims.push(x.shape[i], y.shape[i], strides[i]);
  const table = new Int32Array(dims);
  const starts = new Int32Array(2);
  if (begin.constant && size.constant) {
    try {
      sliceStart(begin.data as Int32Array, size.data as Int32Array, wordsPerInt(begin), table, rank, starts);
    } catch (error) {
      p.fail((error as Error).message);
    }
    copyGrid(p, y.shape, x, starts[0], strides, y, 0, stridesOf(y.shape));
    return;
  }
  const place = p.scratch('INT32', 2);
  p.step(sliceStart, [begin, size, wordsPerInt(begin), table, rank, place]);
  copyGridFrom(p, y.shape, x, strides, y, stridesOf(y.shape), place);
}

function prepareDynamicUpdateSlice(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const update = input(node, 1, p);
  const start = input(node, 2, p);
  const y = output(node, 0, p);
  const rank = x.shape.length;
  expectSameMovable(x, y, p);
  expectSameMovable(update, y, p);
  expectShape(y, x.shape, 'the output', p);
  expectType(start, 'INT32 INT64', 'the start', p);
  expectShape(start, [rank], 'the start', p);
  const strides = stridesOf(x.shape);
  const dims: number[] = [];
  for (let i = 0; i < rank; i++) {
    if (update.shape.length !== rank || update.shape[i] > x.shape[i])
      p.fail('the update must fit into ' + describe(x) + ', but it is ' + describe(update));
    dims.push(x.shape[i] - update.shape[i], strides[i]);
  }
  if (update.length === x.length) {
    p.move(update, 0, y, 0, y.bytes);
    return;
  }
  p.inPlace(x, y);
  p.step(copyBytes, [asBytes(x), asBytes(y)]);
  if (!update.length) return;
  const place = p.scratch('INT32', 2);
  p.step(updateStart, [start, wordsPerInt(start), new Int32Array(dims), rank, place]);
  copyGridFrom(p, update.shape, update, stridesOf(update.shape), y, strides, place);
}

export const sliceOperators: Operators = {
  SLICE: prepareSlice,
  DYNAMIC_UPDATE_SLICE: prepareDynamicUpdateSlice,
};
