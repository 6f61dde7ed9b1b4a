/**
 * WHERE (x): the positions of elements that are not 0, INT64 [count, rank]. BOOL, INT8, UINT8, INT32, UINT32, FLOAT32.
 * UNIQUE (x): the different values of a vector in the order in which they first come, and for each element the number of
 * its value, INT32 or INT64. Types: elements of 1, 4 or 8 bytes.
 * TOPK_V2 (x, k): the k largest of each row, largest first, equal ones in order, and their INT32 positions. FLOAT32, INT32,
 * INT16, INT8, UINT8.
 *
 * As TFLite (TFLM has none of them), but output shapes are static in the model: a step that finds another number of
 * positions or values throws.
 */
import { Node, Operators, Preparation, Tensor } from '../lib/graph';
import { UNIQUE_OPTIONS } from '../lib/schema';
import { describe } from '../lib/tensor';
import { expectShape, expectType, input, output } from './checks';
import { emitGather } from './gather';
import { expectInts, wordsPerInt } from './ints';
import { asWords, expectSameMovable, wordsOf } from './strided_copy';

/** Fails unless a step found as many as the output has room for. */
export function expectCount(found: number, wanted: number): void {
  if (found !== wanted)
    throw new Error(
      'found ' +
        found +
        ' where the static shape of the output says ' +
        wanted +
        '; convert the model with a shape that fits',
    );
}

/** Writes the position of element `i` of a tensor of this shape as row number `row` of INT64 indices. */
export function writePosition(i: number, y: Int32Array, row: number, shape: Int32Array, rank: number): void {
  for (let k = rank - 1; k >= 0; k--) {
    const at = 2 * (row * rank + k);
    y[at] = i % shape[k];
    y[at + 1] = 0;
    i = (i - y[at]) / shape[k];
  }
}

/** Kernel: positions in `shape` of the elements that are not 0, of which there must be `count`. */
export function where8(
  x: Int8Array,
  y: Int32Array,
  n: number,
  shape: Int32Array,
  rank: number,
  count: number,
): void {
  let found = 0;
  for (let i = 0; i < n; i++) {
    if (!x[i]) continue;
    if (found < count) writePosition(i, y, found, shape, rank);
    found++;
  }
  expectCount(found, count);
}

/** Kernel: the same for elements of four bytes, of which the bits in `mask` count (float −0 is 0). */
export function where32(
  x: Int32Array,
  y: Int32Array,
  n: number,
  shape: Int32Array,
  rank: number,
  count: number,
  mask: number,
): void {
  let found = 0;
  for (let i = 0; i < n; i++) {
    if (!(x[i] & mask)) continue;
    if (found < count) writePosition(i, y, found, shape, rank);
    found++;
  }
  expectCount(found, count);
}

/** Kernel: the different values of `n` elements, of which there must be `count`, and each element's value's number. */
export function unique8(
  x: Int8Array,
  y: Int8Array,
  numbers: Int32Array,
  n: number,
  count: number,
  words: number,
): void {
  let found = 0;
  for (let i = 0; i < n; i++) {
    let k = 0;
    while (k < found && y[k] !== x[i]) k++;
    if (k === found) {
      if (++found > count) break;
      y[k] = x[i];
    }
    numbers[i * words] = k;
    if (words > 1) numbers[i * words + 1] = 0;
  }
  expectCount(found, count);
}

/** Kernel: the same for elements of `width` words; where no bit of `mask` is set in two of them, they are equal. */
export function unique32(
  x: Int32Array,
  y: Int32Array,
  numbers: Int32Array,
  n: number,
  count: number,
  words: number,
  width: number,
  mask: number,
): void {
  let found = 0;
  const last = width - 1;
  for (let i = 0; i < n; i++) {
    const low = x[i * width];
    const high = x[i * width + last];
    let k = 0;
    for (; k < found; k++) {
      const other = y[k * width];
      if ((other === low || !((other | low) & mask)) && (!last || y[k * width + last] === high)) break;
    }
    if (k === found) {
      if (++found > count) break;
      y[k * width] = low;
      y[k * width + last] = high;
    }
    numbers[i * words] = k;
    if (words > 1) numbers[i * words + 1] = 0;
  }
  expectCount(found, count);
}

/** Kernel: positions of the `k` largest of each of `rows` rows of `n`. */
export function topKFloat32(
  x: Float32Array,
  positions: Int32Array,
  rows: number,
  n: number,
  k: number,
): void {
  for (let row = 0; row < rows; row++) {
    const start = row * n;
    const first = row * k;
    for (let i = 0; i < n; i++) {
      const value = x[start + i];
      let at = first + (i < k ? i : k);
      while (at > first && value > x[start + positions[at - 1]]) {
        if (at < first + k) positions[at] = positions[at - 1];
        at--;
      }
      if (at < first + k) positions[at] = i;
    }
  }
}

/** Kernel: the same for integers. */
export function topKInt32(x: Int32Array, positions: Int32Array, rows: number, n: number, k: number): void {
  for (let row = 0; row < rows; row++) {
    const start = row * n;
    const first = row * k;
    for (let i = 0; i < n; i++) {
      const value = x[start + i];
      let at = first + (i < k ? i : k);
      while (at > first && value > x[start + positions[at - 1]]) {
        if (at < first + k) positions[at] = positions[at - 1];
        at--;
      }
      if (at < first + k) positions[at] = i;
    }
  }
}

/** Kernel: int8 to int32. */
export function widenInt8(x: Int8Array, y: Int32Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = x[i];
}

/** Kernel: uint8 to int32. */
export function widenUint8(x: Uint8Array, y: Int32Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = x[i];
}

/** Kernel: int16 to int32. */
export function widenInt16(x: Int16Array, y: Int32Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = x[i];
}

/** The bits of an element that decide whether it is 0. */
function maskOf(type: string): number {
  return type === 'FLOAT32' ? 2147483647 : -1;
}

function prepareWhere(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const rank = x.shape.length;
  expectType(x, 'BOOL INT8 UINT8 INT32 UINT32 FLOAT32', 'the input', p);
  expectType(y, 'INT64', 'the output', p);
  expectShape(y, [y.shape.length ? y.shape[0] : 0, rank], 'the output', p);
  const words = wordsOf(x.type);
  const args = [asWords(x, words), y, x.length, new Int32Array(x.shape), rank, y.shape[0]];
  if (words.bytes === 1) p.step(where8, args);
  else p.step(where32, args.concat([maskOf(x.type)]));
}

function prepareUnique(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const numbers = output(node, 1, p);
  const words = wordsOf(x.type);
  p.options(UNIQUE_OPTIONS);
  expectSameMovable(x, y, p);
  if (words.bytes === 2 || words.count > 2)
    p.fail('the input must have elements of 1, 4 or 8 bytes, but it is ' + describe(x));
  expectShape(x, [x.length], 'the input', p);
  expectShape(y, [y.length], 'the first output', p);
  expectType(numbers, 'INT32 INT64', 'the second output', p);
  expectShape(numbers, [x.length], 'the second output', p);
  const args = [asWords(x, words), asWords(y, words), numbers, x.length, y.length, wordsPerInt(numbers)];
  if (words.bytes === 1) p.step(unique8, args);
  else p.step(unique32, args.concat([words.count, maskOf(x.type)]));
}

/** x as a tensor of 32-bit numbers that compare alike. */
function wide(x: Tensor, p: Preparation): Tensor {
  if (x.type === 'INT32' || x.type === 'FLOAT32') return x;
  const y = p.scratch('INT32', x.length);
  p.step(x.type === 'INT8' ? widenInt8 : x.type === 'UINT8' ? widenUint8 : widenInt16, [x, y, x.length]);
  return y;
}

function prepareTopK(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const values = output(node, 0, p);
  const positions = output(node, 1, p);
  const rank = x.shape.length;
  expectType(x, 'FLOAT32 INT32 INT16 INT8 UINT8', 'the input', p);
  expectSameMovable(x, values, p);
  expectType(positions, 'INT32', 'the second output', p);
  if (!rank || values.shape.length !== rank)
    p.fail(
      'the input and the output must have as many dimensions, at least one, but they are ' +
        describe(x) +
        ' and ' +
        describe(values),
    );
  const n = x.shape[rank - 1];
  const k = values.shape[rank - 1];
  const shape = x.shape.slice(0, rank - 1).concat([k]);
  expectShape(values, shape, 'the first output', p);
  expectShape(positions, shape, 'the second output', p);
  expectInts(input(node, 1, p), [k], 'k', p);
  if (k > n) p.fail('k must be at most ' + n + ', but it is ' + k);
  if (!values.length) return;
  const rows = values.length / k;
  const numbers = wide(x, p);
  p.step(x.type === 'FLOAT32' ? topKFloat32 : topKInt32, [numbers, positions, rows, n, k]);
  emitGather(x, positions, values, rows, 1, k, [n, 1], n, 1, p);
}

export const searchOperators: Operators = {
  WHERE: prepareWhere,
  UNIQUE: prepareUnique,
  TOPK_V2: prepareTopK,
};
