/**
 * Matrix–vector products on Espruino for packed programs, see fully_connected.ts for how one expression does them.
 *
 * Requantization without calls: for an accumulator s, mbqm(s, m, −e) is floor(s·M + ½ ± 2^(−e−1)) with M = m / 2^(31+e),
 * plus for s ≥ 0, minus below: that is the rounding of the product and then of the shift, as one. `engram pack` looks at the
 * sums where results step, and takes the shortest numbers that give the same ones.
 */

declare const E: {
  convolve(a: ArrayLike<number>, b: ArrayLike<number>, offset: number): number;
  mapInPlace(
    from: ArrayLike<number>,
    to: ArrayLike<number>,
    map: ArrayLike<number> | ((value: number) => number),
  ): void;
};

/** Rows of an int8 matrix: views of which row i starts i elements early. */
export function int8Rows(w: Int8Array, depth: number, units: number): Int8Array[] {
  const rows: Int8Array[] = [];
  const buffer = w.buffer as ArrayBuffer;
  const at = w.byteOffset;
  for (let i = 0; i < units; i++) rows.push(new Int8Array(buffer, at + i * depth - i, depth + i));
  return rows;
}

/** Views of several rows each, `together` of them. */
export function sharedRows(w: Int8Array, depth: number, units: number, together: number): Int8Array[] {
  const views: Int8Array[] = [];
  const size = depth * together;
  for (let i = 0; i < units; i += together)
    views.push(new Int8Array(w.buffer as ArrayBuffer, w.byteOffset + i * depth, size));
  return views;
}

/** Where the rows of a matrix begin. */
export function startsOf(depth: number, together: number): Int32Array {
  const starts = new Int32Array(together);
  for (let i = 0; i < together; i++) starts[i] = i * depth;
  return starts;
}

/** Sums of products of x with each row. */
export function rowSums(x: Int8Array, rows: Int8Array[]): ArrayLike<number> {
  return (rows as unknown as ArrayLike<number>[]).map(E.convolve.bind(E, x)) as unknown as number[];
}

/**
 * The same with a small matrix as it is: `map` hands the start of each row to `E.convolve`, which walks there. The result
 * has the type of `starts`.
 */
export function matrixSums(x: Int8Array, w: Int8Array, starts: Int32Array): ArrayLike<number> {
  return (starts as unknown as number[]).map(E.convolve.bind(E, x, w));
}

/** The same with several rows to a view, into `s`; `starts` are where the rows of a view begin. */
export function sharedSums(
  x: Int8Array,
  views: Int8Array[],
  starts: Uint16Array,
  s: Int32Array,
): ArrayLike<number> {
  const n = starts.length;
  let i = views.length;
  while (i--) E.mapInPlace(starts, s.subarray(i * n, i * n + n), E.convolve.bind(E, x, views[i]));
  return s;
}

/**
 * Kernel: int8 from sums `s`, one multiplier for all units, into a clamping array, which cuts off the fraction and what is
 * beyond 0 and 255; a table takes that to int8, and to min and max. `minus` and `plus` are what becomes 0, zero point + ½,
 * and ± 2^(−e−1).
 *
 * Working variables are parameters (`v`, any number), and what loops use most comes first: Espruino looks names up one
 * after the other, and a `var` costs as much as an index.
 */
export function denseInt8(
  i: number,
  v: number,
  u: Uint8ClampedArray,
  s: ArrayLike<number>,
  b: Int32Array,
  m: number,
  minus: number,
  plus: number,
): void {
  while (i--) u[i] = (v = s[i] + b[i]) * m + (v < 0 ? minus : plus);
}

/** Kernel: the same where sums below 0 all become 0, as with an activation. */
export function denseInt8Above(
  i: number,
  u: Uint8ClampedArray,
  s: ArrayLike<number>,
  b: Int32Array,
  m: number,
  plus: number,
): void {
  while (i--) u[i] = (s[i] + b[i]) * m + plus;
}

/** Kernel: the whole of a small matrix, whose rows `E.convolve` walks to. */
export function denseInt8Small(
  i: number,
  v: number,
  x: Int8Array,
  w: Int8Array,
  depth: number,
  b: Int32Array,
  m: number,
  minus: number,
  plus: number,
  y: Int8Array,
): void {
  const convolve = E.convolve;
  while (i--) {
    v = convolve(x, w, i * depth) + b[i];
    v = (v * m + (v < 0 ? minus : plus)) | 0;
    y[i] = (v < 0 ? 0 : v > 255 ? 255 : v) - 128;
  }
}

/** Kernel: the same from `min` on, over `range`. */
export function denseInt8SmallCut(
  i: number,
  v: number,
  x: Int8Array,
  w: Int8Array,
  depth: number,
  b: Int32Array,
  m: number,
  minus: number,
  plus: number,
  y: Int8Array,
  range: number,
  min: number,
): void {
  const convolve = E.convolve;
  while (i--) {
    v = convolve(x, w, i * depth) + b[i];
    v = (v * m + (v < 0 ? minus : plus)) | 0;
    y[i] = (v < 0 ? 0 : v > range ? range : v) + min;
  }
}

/** Kernel: int16, from −65536 on. */
export function denseInt16(
  i: number,
  v: number,
  s: ArrayLike<number>,
  b: Int32Array,
  m: number,
  minus: number,
  plus: number,
  y: Int16Array,
  min: number,
  max: number,
): void {
  while (i--) {
    v = s[i] + b[i];
    v = ((v * m + (v < 0 ? minus : plus)) | 0) - 65536;
    y[i] = v < min ? min : v > max ? max : v;
  }
}

/**
 * Kernel: denseInt8 with a multiplier m · n · f for each unit; n is a power of two, and what the second rounding adds is h · n.
 * `zero` is what becomes 0, and zero point + ½.
 */
export function denseInt8PerUnit(
  i: number,
  v: number,
  u: Uint8ClampedArray,
  s: ArrayLike<number>,
  b: Int32Array,
  m: Int32Array,
  f: number,
  h: number,
  n: Int8Array,
  zero: number,
): void {
  while (i--) u[i] = ((v = s[i] + b[i]) * m[i] * f + (v < 0 ? -h : h)) * n[i] + zero;
}

/** Kernel: the same where sums below 0 all become 0. */
export function denseInt8PerUnitAbove(
  i: number,
  u: Uint8ClampedArray,
  s: ArrayLike<number>,
  b: Int32Array,
  m: Int32Array,
  f: number,
  h: number,
  n: Int8Array,
  zero: number,
): void {
  while (i--) u[i] = ((s[i] + b[i]) * m[i] * f + h) * n[i] + zero;
}

/**
 * Kernel: the same with several rows to a view, an even number; `starts` are where the rows of a view begin, `s` has room for
 * their sums.
 */
export function sharedInt8PerUnit(
  i: number,
  v: number,
  k: number,
  u: Uint8ClampedArray,
  s: Int32Array,
  b: Int32Array,
  m: Int32Array,
  f: number,
  h: number,
  n: Int8Array,
  zero: number,
  x: Int8Array,
  views: Int8Array[],
  starts: Uint16Array,
): void {
  for (let view = views.length; view--;) {
    E.mapInPlace(starts, s, E.convolve.bind(E, x, views[view]));
    k = starts.length;
    while (k) {
      u[--i] = ((v = s[--k] + b[i]) * m[i] * f + (v < 0 ? -h : h)) * n[i] + zero;
      u[--i] = ((v = s[--k] + b[i]) * m[i] * f + (v < 0 ? -h : h)) * n[i] + zero;
    }
  }
}

/** Kernel: the same where sums below 0 all become 0. */
export function sharedInt8PerUnitAbove(
  i: number,
  k: number,
  u: Uint8ClampedArray,
  s: Int32Array,
  b: Int32Array,
  m: Int32Array,
  f: number,
  h: number,
  n: Int8Array,
  zero: number,
  x: Int8Array,
  views: Int8Array[],
  starts: Uint16Array,
): void {
  for (let view = views.length; view--;) {
    E.mapInPlace(starts, s, E.convolve.bind(E, x, views[view]));
    k = starts.length;
    while (k) {
      u[--i] = ((s[--k] + b[i]) * m[i] * f + h) * n[i] + zero;
      u[--i] = ((s[--k] + b[i]) * m[i] * f + h) * n[i] + zero;
    }
  }
}

/**
 * Kernel: a depthwise convolution to one place: channel j's column is gathered from x, which has a row of all channels a
 * tap, into `column`; `w` has the taps of a channel side by side. `starts` are the beginnings of x's rows (`E.mapInPlace`
 * takes no indices of 32 bits). The rest as in denseInt8PerUnit.
 */
export function columnsInt8PerUnit(
  j: number,
  v: number,
  column: Int8Array,
  x: Int8Array,
  starts: Uint16Array,
  w: Int8Array,
  taps: number,
  u: Uint8ClampedArray,
  b: Int32Array,
  m: Int32Array,
  f: number,
  h: number,
  n: Int8Array,
  zero: number,
): void {
  const gather = E.mapInPlace;
  const convolve = E.convolve;
  while (j--) {
    gather(starts, column, x.subarray(j));
    u[j] = ((v = convolve(column, w, j * taps) + b[j]) * m[j] * f + (v < 0 ? -h : h)) * n[j] + zero;
  }
}
