/**
 * Matrix–vector products on Espruino for packed programs, see fully_connected.ts for how one expression does them.
 *
 * Requantization without calls: for an accumulator s, mbqm(s, m, −e) is floor(s·M + ½ ± 2^(−e−1)) with M = m / 2^(31+e),
 * plus for s ≥ 0, minus below: that is the rounding of the product and then of the shift, as one. It is exact in a
 * double while |s| < 2²² or the result is cut off; `engram pack` checks that.
 */

declare const E: {
  convolve(a: ArrayLike<number>, b: ArrayLike<number>, offset: number): number;
  mapInPlace(from: ArrayLike<number>, to: ArrayLike<number>, map: ArrayLike<number>): void;
};

/** Rows of an int8 matrix: views of which row i starts i elements early. */
export function int8Rows(w: Int8Array, depth: number, units: number): Int8Array[] {
  const rows: Int8Array[] = [];
  const buffer = w.buffer as ArrayBuffer;
  const at = w.byteOffset;
  for (let i = 0; i < units; i++) rows.push(new Int8Array(buffer, at + i * depth - i, depth + i));
  return rows;
}

/** As int8Rows, for float32. */
export function floatRows(w: Float32Array, depth: number, units: number): Float32Array[] {
  const rows: Float32Array[] = [];
  const buffer = w.buffer as ArrayBuffer;
  const at = w.byteOffset;
  for (let i = 0; i < units; i++) rows.push(new Float32Array(buffer, at + (i * depth - i) * 4, depth + i));
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

/** Where the rows of such a view begin. */
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

/** The same with several rows to a view, into `s`. */
export function sharedSums(
  x: Int8Array,
  views: Int8Array[],
  starts: Int32Array,
  s: Int32Array,
): ArrayLike<number> {
  let i = views.length;
  while (i--) s.set((starts as unknown as number[]).map(E.convolve.bind(E, x, views[i])), i * starts.length);
  return s;
}

/** Where the rows of a depthwise convolution's input begin; `E.mapInPlace` takes no indices of 32 bits. */
export function tapsOf(units: number, taps: number): Uint16Array {
  const starts = new Uint16Array(taps);
  for (let i = 0; i < taps; i++) starts[i] = i * units;
  return starts;
}

/**
 * Sums of a depthwise convolution to one place: channel j's column is gathered from x, which has a row of all channels a
 * tap, into `column`; `w` has the taps of a channel side by side. `starts` are the beginnings of x's rows, `span` is from the
 * first tap of a channel to its last one.
 */
export function columnSums(
  j: number,
  offset: number,
  span: number,
  column: Int8Array,
  w: Int8Array,
  taps: number,
  starts: Uint16Array,
  s: Int32Array,
  x: Int8Array,
): ArrayLike<number> {
  const gather = E.mapInPlace;
  const convolve = E.convolve;
  const buffer = x.buffer as ArrayBuffer;
  offset = x.byteOffset;
  while (j--) {
    gather(starts, column, new Int8Array(buffer, offset + j, span));
    s[j] = convolve(column, w, j * taps);
  }
  return s;
}

/**
 * Kernel: int8 from sums `s`, one multiplier for all units; `plus` and `minus` are zero point + ½ ± 2^(−e−1) + 4096, so that
 * cutting off the fraction rounds down; what is beyond ±4096 is cut off at min or max in any case.
 *
 * Working variables are parameters (`v`, any number), and what loops use most comes first: Espruino looks names up one
 * after the other, and a `var` costs as much as an index.
 */
export function denseInt8(
  i: number,
  v: number,
  s: ArrayLike<number>,
  b: Int32Array,
  m: number,
  minus: number,
  plus: number,
  y: Int8Array,
  min: number,
  max: number,
): void {
  while (i--) {
    v = s[i] + b[i];
    v = ((v * m + (v < 0 ? minus : plus)) | 0) - 4096;
    y[i] = v < min ? min : v > max ? max : v;
  }
}

/**
 * Kernel: the same through a clamping array: `plus` and `minus` with 128 in place of 4096, which lands in u from 0 to 255;
 * the table takes that to the int8 range, and to min and max.
 */
export function denseInt8Table(
  i: number,
  v: number,
  s: ArrayLike<number>,
  b: Int32Array,
  m: number,
  minus: number,
  plus: number,
  u: Uint8ClampedArray,
  y: Int8Array,
  table: Uint8Array,
): void {
  while (i--) u[i] = (v = s[i] + b[i]) * m + (v < 0 ? minus : plus);
  E.mapInPlace(u, y, table);
}

/** Kernel: denseInt8 for int16, with 65536 in place of 4096. */
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

/** Kernel: a multiplier m · 2^(−31−e) for each unit; `scale` holds 2^(−31−e), `nudge` 2^(−e−1), by e; zero + 128½. */
export function denseInt8PerUnit(
  i: number,
  v: number,
  k: number,
  s: ArrayLike<number>,
  b: Int32Array,
  m: Int32Array,
  e: Int8Array,
  scale: Float64Array,
  nudge: Float64Array,
  zero: number,
  u: Uint8ClampedArray,
  y: Int8Array,
  table: Uint8Array,
): void {
  while (i--)
    u[i] = (v = s[i] + b[i]) * m[i] * scale[(k = e[i])] + (v < 0 ? zero - nudge[k] : zero + nudge[k]);
  E.mapInPlace(u, y, table);
}

/** 2^(−31−e) for e from 0 to 20. */
export function scalesOf(): Float64Array {
  const scales = new Float64Array(21);
  let v = 1 / 2147483648;
  for (let e = 0; e < 21; e++) {
    scales[e] = v;
    v /= 2;
  }
  return scales;
}

/** 2^(−e−1) for e from 1 to 20, and 0 for no shift: then there is one rounding only. */
export function nudgesOf(): Float64Array {
  const nudges = new Float64Array(21);
  let v = 0.25;
  for (let e = 1; e < 21; e++) {
    nudges[e] = v;
    v /= 2;
  }
  return nudges;
}

/**
 * Kernel: float32; rows end with the bias, and `one` with a 1 behind room for x. Sums are added in another order than by
 * the portable kernel, all of them in double precision.
 */
export function denseFloat32(
  x: Float32Array,
  rows: Float32Array[],
  one: Float32Array,
  y: Float32Array,
): void {
  one.set(x);
  y.set((rows as unknown as ArrayLike<number>[]).map(E.convolve.bind(E, one)) as unknown as number[]);
}

/** Kernel: the same where x has the 1. */
export function denseFloat32One(one: Float32Array, rows: Float32Array[], y: Float32Array): void {
  y.set((rows as unknown as ArrayLike<number>[]).map(E.convolve.bind(E, one)) as unknown as number[]);
}

/** Kernel: a fused activation once y is there: what brings it is called first, as argument `v`. */
export function clampFloat32(v: number | void, i: number, y: Float32Array, min: number, max: number): void {
  while (i--)
    if ((v = y[i]) < min) y[i] = min;
    else if (v > max) y[i] = max;
}

/** Kernel: columnSums for float32, with the bias. */
export function columnsFloat32(
  j: number,
  offset: number,
  span: number,
  column: Float32Array,
  w: Float32Array,
  taps: number,
  starts: Uint16Array,
  y: Float32Array,
  b: Float32Array,
  x: Float32Array,
): void {
  const gather = E.mapInPlace;
  const convolve = E.convolve;
  const buffer = x.buffer as ArrayBuffer;
  offset = x.byteOffset;
  while (j--) {
    gather(starts, column, new Float32Array(buffer, offset + j * 4, span));
    y[j] = convolve(column, w, j * taps) + b[j];
  }
}

/** Kernel: the same with a fused activation. */
export function denseFloat32Clamped(
  x: Float32Array,
  rows: Float32Array[],
  b: Float32Array,
  y: Float32Array,
  min: number,
  max: number,
): void {
  const s = (rows as unknown as ArrayLike<number>[]).map(E.convolve.bind(E, x)) as unknown as number[];
  for (let i = 0; i < s.length; i++) {
    const v = s[i] + b[i];
    y[i] = v < min ? min : v > max ? max : v;
  }
}

/** Room for x, and a 1. */
export function withOne(depth: number): Float32Array {
  const one = new Float32Array(depth + 1);
  one[depth] = 1;
  return one;
}

/** Kernel: y = table[x], by the bits of x. */
export function lookup(x: Uint8Array, y: Uint8Array, table: Uint8Array): void {
  E.mapInPlace(x, y, table);
}
