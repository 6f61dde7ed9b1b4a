/**
 * Moving elements from one regular grid to another: the one kernel behind slices, transposes, padding, broadcasts.
 *
 * A grid is a start and, for each dimension of `shape`, a stride, all in elements; a stride of 0 repeats, a negative one
 * runs backwards. Elements move as bits: types of one, two or four bytes are seen as INT8, INT16 or INT32, larger ones
 * as several words, so that three kernels serve all types. What turns out to be one contiguous run is a move for the
 * planner, a few long runs are block copies, and only the rest goes element by element.
 */
import { Preparation, Tensor, TypedArray, View } from '../lib/graph';
import { copyBytes } from '../lib/prepare';
import { describe, elementBytes } from '../lib/tensor';

/** Most block copies for one copy: each is a step, which costs memory. */
const MAX_RUNS = 8;

/**
 * Kernel: copies a grid of one-byte elements. `dims` holds (count, stride in `from`, stride in `to`) for each dimension,
 * innermost first; `at` is the position of the outermost one, `f` and `t` are where the grids start.
 */
export function copyStrided8(
  from: Int8Array,
  to: Int8Array,
  dims: Int32Array,
  at: number,
  f: number,
  t: number,
): void {
  const n = dims[at];
  const df = dims[at + 1];
  const dt = dims[at + 2];
  for (let i = 0; i < n; i++) {
    if (at) copyStrided8(from, to, dims, at - 3, f, t);
    else to[t] = from[f];
    f += df;
    t += dt;
  }
}

/** Kernel: the same for two-byte elements. */
export function copyStrided16(
  from: Int16Array,
  to: Int16Array,
  dims: Int32Array,
  at: number,
  f: number,
  t: number,
): void {
  const n = dims[at];
  const df = dims[at + 1];
  const dt = dims[at + 2];
  for (let i = 0; i < n; i++) {
    if (at) copyStrided16(from, to, dims, at - 3, f, t);
    else to[t] = from[f];
    f += df;
    t += dt;
  }
}

/** Kernel: the same for four-byte elements. */
export function copyStrided32(
  from: Int32Array,
  to: Int32Array,
  dims: Int32Array,
  at: number,
  f: number,
  t: number,
): void {
  const n = dims[at];
  const df = dims[at + 1];
  const dt = dims[at + 2];
  for (let i = 0; i < n; i++) {
    if (at) copyStrided32(from, to, dims, at - 3, f, t);
    else to[t] = from[f];
    f += df;
    t += dt;
  }
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

/** Fails unless the tensor's elements are whole bytes that can be copied. */
export function expectMovable(tensor: Tensor, what: string, p: Preparation): void {
  if (!(elementBytes(tensor.type) >= 1) || tensor.type === 'RESOURCE') {
    p.fail(what + ' must have elements of whole bytes, but it is ' + describe(tensor));
  }
}

/** Fails unless `y` has the type of `x`, and that can be copied. */
export function expectSameMovable(x: Tensor, y: Tensor, p: Preparation): void {
  expectMovable(x, 'the input', p);
  if (x.type !== y.type) p.fail('the types of ' + describe(x) + ' and ' + describe(y) + ' must be the same');
}

/** Distance in elements from one index to the next, for each dimension of a tensor of this shape. */
export function stridesOf(shape: number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (let i = 0; i < shape.length; i++) strides.push(0);
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

/** Type and number of the words that an element is moved as. */
export interface Words {
  type: string;
  bytes: number;
  count: number;
}

/** How elements of this type are moved. */
export function wordsOf(type: string): Words {
  const bytes = elementBytes(type);
  const word = bytes > 4 ? 4 : bytes;
  return { type: word === 1 ? 'INT8' : word === 2 ? 'INT16' : 'INT32', bytes: word, count: bytes / word };
}

/** The same for kernels that move words of one or four bytes only. */
export function narrowWordsOf(type: string): Words {
  const words = wordsOf(type);
  return words.bytes === 2 ? { type: 'INT8', bytes: 1, count: 2 } : words;
}

/** The array that a fill with an integer takes its value from; of float types only 0. */
export function fillOf(type: string, value: number): TypedArray {
  const words = wordsOf(type);
  const high = value < 0 ? -1 : 0;
  const data: number[] = [value];
  for (let i = 1; i < words.count; i++) data.push(high);
  return words.bytes === 1
    ? new Int8Array(data)
    : words.bytes === 2
      ? new Int16Array(data)
      : new Int32Array(data);
}

/** A dimension of both grids: count, stride in the source, stride in the target. */
interface Dimension {
  n: number;
  f: number;
  t: number;
}

/** Dimensions, innermost first, without those of size 1 and with those that continue each other joined; null if empty. */
function collapse(
  shape: number[],
  fromStrides: number[],
  toStrides: number[],
  words: number,
): Dimension[] | null {
  const dims: Dimension[] = [];
  let last: Dimension = { n: words, f: 1, t: 1 };
  if (words > 1) dims.push(last);
  for (let i = shape.length - 1; i >= 0; i--) {
    const n = shape[i];
    const f = fromStrides[i] * words;
    const t = toStrides[i] * words;
    if (!n) return null;
    if (n === 1) continue;
    if (dims.length && f === last.f * last.n && t === last.t * last.n) last.n *= n;
    else {
      last = { n: n, f: f, t: t };
      dims.push(last);
    }
  }
  return dims;
}

/** Collapsed dimensions as the kernels take them. */
function tableOf(dims: Dimension[]): Int32Array {
  // the longest dimension innermost, unless the innermost is contiguous and not short
  let longest = 0;
  for (let i = 1; i < dims.length; i++) if (dims[i].n > dims[longest].n) longest = i;
  if (longest && !(dims[0].f === 1 && dims[0].t === 1 && dims[0].n > 7))
    dims.unshift(dims.splice(longest, 1)[0]);
  const table: number[] = dims.length ? [] : [1, 0, 0];
  for (let i = 0; i < dims.length; i++) table.push(dims[i].n, dims[i].f, dims[i].t);
  return new Int32Array(table);
}

/** A tensor seen as words. */
export function asWords(tensor: Tensor, words: Words): View {
  return { of: tensor, type: words.type, offset: 0, length: tensor.bytes / words.bytes };
}

/**
 * Copies `shape` elements from a grid in `from` (a tensor, or the array that a fill takes its value from) to one in `to`,
 * whose type has elements of the same size. The grid in `to` covers no element twice. Where `from` may become the same
 * memory as a part of `to`, that is done; so no other step of the operator may write to that part.
 */
export function copyGrid(
  p: Preparation,
  shape: number[],
  from: Tensor | TypedArray,
  fromStart: number,
  fromStrides: number[],
  to: Tensor,
  toStart: number,
  toStrides: number[],
): void {
  const words = wordsOf(to.type);
  const dims = collapse(shape, fromStrides, toStrides, words.count);
  if (!dims) return;
  const source = (from as Tensor).shape ? (from as Tensor) : null;
  const f = fromStart * words.count;
  const t = toStart * words.count;
  if (source && (!dims.length || (dims[0].f === 1 && dims[0].t === 1))) {
    const run = dims.length ? dims[0].n * words.bytes : words.bytes;
    // only what is all of one side may become the same memory as a part of the other
    if (dims.length < 2 && (run === source.bytes || run === to.bytes)) {
      p.move(source, f * words.bytes, to, t * words.bytes, run);
      return;
    }
    if (copyRuns(p, source, f * words.bytes, to, t * words.bytes, dims, words.bytes)) return;
  }
  const table = tableOf(dims);
  p.step(words.bytes === 1 ? copyStrided8 : words.bytes === 2 ? copyStrided16 : copyStrided32, [
    source ? asWords(source, words) : (from as TypedArray),
    asWords(to, words),
    table,
    table.length - 3,
    f,
    t,
  ]);
}

/** The same where the starts are known only at run time: `starts` holds both, counted in elements. */
export function copyGridFrom(
  p: Preparation,
  shape: number[],
  from: Tensor,
  fromStrides: number[],
  to: Tensor,
  toStrides: number[],
  starts: Tensor,
): void {
  const words = wordsOf(to.type);
  const dims = collapse(shape, fromStrides, toStrides, words.count);
  if (!dims) return;
  const table = tableOf(dims);
  p.step(words.bytes === 1 ? copyFrom8 : words.bytes === 2 ? copyFrom16 : copyFrom32, [
    asWords(from, words),
    asWords(to, words),
    table,
    table.length - 3,
    starts,
    words.count,
  ]);
}

/** Emits a block copy for each contiguous run, if they are few; offsets in bytes. */
function copyRuns(
  p: Preparation,
  from: Tensor,
  f: number,
  to: Tensor,
  t: number,
  dims: Dimension[],
  bytes: number,
): boolean {
  const length = dims.length ? dims[0].n * bytes : bytes;
  let count = 1;
  for (let i = 1; i < dims.length; i++) count *= dims[i].n;
  if (count > MAX_RUNS || (length < 16 && count > 1)) return false;
  for (let run = 0; run < count; run++) {
    let rest = run;
    let a = f;
    let b = t;
    for (let i = 1; i < dims.length; i++) {
      const index = rest % dims[i].n;
      a += index * dims[i].f * bytes;
      b += index * dims[i].t * bytes;
      rest = (rest - index) / dims[i].n;
    }
    p.step(copyBytes, [
      { of: from, type: 'UINT8', offset: a, length: length },
      { of: to, type: 'UINT8', offset: b, length: length },
    ]);
  }
  return true;
}
