/**
 * Moving elements from one regular grid to another: the one kernel behind slices, transposes, padding, broadcasts.
 *
 * A grid is a start and, for each dimension of `shape`, a stride, all in elements; a stride of 0 repeats, a negative one
 * runs backwards. Elements move as bits: types of one, two or four bytes are seen as INT8, INT16 or INT32, larger ones
 * as several words, so that three kernels serve all types. What turns out to be one contiguous run is a move for the
 * planner, a few long runs are block copies, and only the rest goes element by element.
 */
import { Argument, Kernel, Node, Preparation, Tensor, TypedArray, View } from '../lib/graph';
import { copyBytes } from '../lib/prepare';
import { describe, elementBytes, newArray } from '../lib/tensor';
import { input, output } from './checks';

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
  let n = dims[at];
  const df = dims[at + 1];
  const dt = dims[at + 2];
  if (at) {
    for (let i = 0; i < n; i++) {
      copyStrided8(from, to, dims, at - 3, f, t);
      f += df;
      t += dt;
    }
    return;
  }
  // runs of bytes are what splits of channels come to
  if (df === 1 && dt === 1) {
    for (; n > 3; n -= 4) {
      to[t++] = from[f++];
      to[t++] = from[f++];
      to[t++] = from[f++];
      to[t++] = from[f++];
    }
  }
  for (; n > 0; n--) {
    to[t] = from[f];
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
  if (at) {
    for (let i = 0; i < n; i++) {
      copyStrided16(from, to, dims, at - 3, f, t);
      f += df;
      t += dt;
    }
    return;
  }
  for (let i = 0; i < n; i++) {
    to[t] = from[f];
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
  if (at) {
    for (let i = 0; i < n; i++) {
      copyStrided32(from, to, dims, at - 3, f, t);
      f += df;
      t += dt;
    }
    return;
  }
  for (let i = 0; i < n; i++) {
    to[t] = from[f];
    f += df;
    t += dt;
  }
}

/** Fails with what was expected and the operands that came. */
export function misfit(expected: string, tensors: Tensor[], p: Preparation): never {
  const names: string[] = [];
  for (let i = 0; i < tensors.length; i++) names.push(describe(tensors[i]));
  return p.fail('expected ' + expected + ', but got ' + names.join(' and '));
}

/** Fails unless both tensors have one type, with elements that can be copied. */
export function expectSameMovable(x: Tensor, y: Tensor, p: Preparation): void {
  if (x.type !== y.type || !(elementBytes(x.type) >= 1) || x.type === 'RESOURCE') {
    misfit('operands of one type with elements of whole bytes', [x, y], p);
  }
}

/** Distance in elements from one index to the next, for each dimension of a tensor of this shape. */
export function stridesOf(shape: number[]): number[] {
  const strides = shape.slice();
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

/** The strides of what is the same everywhere. */
export function zeros(rank: number): number[] {
  const strides: number[] = [];
  for (let i = 0; i < rank; i++) strides.push(0);
  return strides;
}

/** The first input and the first output of an operator that moves the one to the other. */
export interface Operands {
  x: Tensor;
  y: Tensor;
  rank: number;
  /** Strides of x. */
  xs: number[];
  /** Strides of y. */
  ys: number[];
}

/** Operands of one type that can be copied, x being input number `index`. */
export function operandsOf(node: Node, index: number, p: Preparation): Operands {
  const x = input(node, index, p);
  const y = output(node, 0, p);
  expectSameMovable(x, y, p);
  return { x: x, y: y, rank: x.shape.length, xs: stridesOf(x.shape), ys: stridesOf(y.shape) };
}

/** Type and number of the words that an element is moved as. */
export interface Words {
  type: string;
  bytes: number;
  count: number;
}

/** How elements of this type are moved, by kernels for words of one or four bytes, and of two unless `narrow`. */
export function wordsOf(type: string, narrow?: boolean): Words {
  const bytes = elementBytes(type);
  const word = bytes > 4 ? 4 : narrow && bytes === 2 ? 1 : bytes;
  return { type: word === 1 ? 'INT8' : word === 2 ? 'INT16' : 'INT32', bytes: word, count: bytes / word };
}

/** A tensor seen as words. */
export function asWords(tensor: Tensor, words: Words): View {
  return { of: tensor, type: words.type, offset: 0, length: tensor.bytes / words.bytes };
}

/** The array that a fill takes its value from: `value` (a zero point) for types of one byte, 0 for others. */
export function fillOf(type: string, value: number): TypedArray {
  const words = wordsOf(type);
  const data = newArray(words.type, words.count);
  if (elementBytes(type) === 1) data[0] = value;
  return data;
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
  let last: Dimension = { n: words, f: 1, t: 1 };
  const dims = [last];
  for (let i = shape.length - 1; i >= 0; i--) {
    const n = shape[i];
    const f = fromStrides[i] * words;
    const t = toStrides[i] * words;
    if (!n) return null;
    if (n === 1) continue;
    if (f === last.f * last.n && t === last.t * last.n) last.n *= n;
    else if (last.n === 1) {
      last.n = n;
      last.f = f;
      last.t = t;
    } else {
      last = { n: n, f: f, t: t };
      dims.push(last);
    }
  }
  return dims;
}

/** Starts of both grids that a step computes, in elements, and the kernels that take them: for 1, 2 and 4 bytes. */
export interface RuntimeStarts {
  starts: Tensor;
  kernels: Kernel[];
}

/**
 * Copies `shape` elements from a grid in `from` (a tensor, or the array that a fill takes its value from) to one in `to`,
 * whose type has elements of the same size. The grid in `to` covers no element twice. Where `from` may become the same
 * memory as a part of `to`, that is done; so no other step of the operator may write to that part.
 * @param runtime given if where the grids start is known only at run time
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
  runtime?: RuntimeStarts,
): void {
  const words = wordsOf(to.type);
  const bytes = words.bytes;
  const dims = collapse(shape, fromStrides, toStrides, words.count);
  if (!dims) return;
  const source = (from as Tensor).shape ? (from as Tensor) : null;
  const f = fromStart * words.count;
  const t = toStart * words.count;
  const inner = dims[0];
  const contiguous = inner.n === 1 || (inner.f === 1 && inner.t === 1);
  if (source && contiguous && !runtime) {
    const run = inner.n * bytes;
    let count = 1;
    for (let i = 1; i < dims.length; i++) count *= dims[i].n;
    // only what is all of one side may become the same memory as a part of the other
    if (count === 1 && (run === source.bytes || run === to.bytes)) {
      p.move(source, f * bytes, to, t * bytes, run);
      return;
    }
    if (count === 1 || (count <= MAX_RUNS && run > 15)) {
      for (let i = 0; i < count; i++) copyRun(p, i, dims, source, f, to, t, bytes);
      return;
    }
  }
  // the longest dimension innermost, unless the innermost is contiguous and not short
  let longest = 0;
  for (let i = 1; i < dims.length; i++) if (dims[i].n > dims[longest].n) longest = i;
  if (!contiguous || inner.n < 8) {
    dims[0] = dims[longest];
    dims[longest] = inner;
  }
  const table: number[] = [];
  for (let i = 0; i < dims.length; i++) table.push(dims[i].n, dims[i].f, dims[i].t);
  const args: Argument[] = [
    source ? asWords(source, words) : (from as TypedArray),
    asWords(to, words),
    new Int32Array(table),
    table.length - 3,
  ];
  const which = runtime ? runtime.kernels : [copyStrided8, copyStrided16, copyStrided32];
  p.step(which[bytes >> 1], args.concat(runtime ? [runtime.starts, words.count] : [f, t]));
}

/** Emits a block copy of contiguous run number `i`; starts in words. */
function copyRun(
  p: Preparation,
  i: number,
  dims: Dimension[],
  from: Tensor,
  f: number,
  to: Tensor,
  t: number,
  bytes: number,
): void {
  for (let k = 1; k < dims.length; k++) {
    const index = i % dims[k].n;
    f += index * dims[k].f;
    t += index * dims[k].t;
    i = (i - index) / dims[k].n;
  }
  const length = dims[0].n * bytes;
  p.step(copyBytes, [
    { of: from, type: 'UINT8', offset: f * bytes, length: length },
    { of: to, type: 'UINT8', offset: t * bytes, length: length },
  ]);
}
