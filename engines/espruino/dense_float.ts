/** Float32 matrix–vector products on Espruino for packed programs, as in dense.ts: working variables are parameters. */

declare const E: {
  convolve(a: ArrayLike<number>, b: ArrayLike<number>, offset: number): number;
  mapInPlace(
    from: ArrayLike<number>,
    to: ArrayLike<number>,
    map: ArrayLike<number> | ((value: number) => number),
  ): void;
};

/** Rows of a matrix: views of which row i starts i elements early. */
export function floatRows(w: Float32Array, depth: number, units: number): Float32Array[] {
  const rows: Float32Array[] = [];
  const buffer = w.buffer as ArrayBuffer;
  const at = w.byteOffset;
  for (let i = 0; i < units; i++) rows.push(new Float32Array(buffer, at + (i * depth - i) * 4, depth + i));
  return rows;
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

/** Views of `size` elements each, `count` of them. */
export function sharedFloatRows(w: Float32Array, size: number, count: number): Float32Array[] {
  const views: Float32Array[] = [];
  for (let i = 0; i < count; i++)
    views.push(new Float32Array(w.buffer as ArrayBuffer, w.byteOffset + 4 * i * size, size));
  return views;
}

/** Kernel: the same with several short rows to a view; `starts` are where the rows of a view begin. */
export function denseFloat32Shared(
  x: Float32Array,
  one: Float32Array,
  views: Float32Array[],
  starts: Uint16Array,
  y: Float32Array,
): void {
  const n = starts.length;
  let i = views.length;
  one.set(x);
  while (i--) E.mapInPlace(starts, y.subarray(i * n, i * n + n), E.convolve.bind(E, one, views[i]));
}

/** Kernel: denseFloat32 where x has the 1. */
export function denseFloat32One(one: Float32Array, rows: Float32Array[], y: Float32Array): void {
  y.set((rows as unknown as ArrayLike<number>[]).map(E.convolve.bind(E, one)) as unknown as number[]);
}

/** Kernel: a fused activation once y is there: what brings it is called first, as argument `v`. */
export function clampFloat32(v: number | void, i: number, y: Float32Array, min: number, max: number): void {
  while (i--)
    if ((v = y[i]) < min) y[i] = min;
    else if (v > max) y[i] = max;
}

/** Kernel: a depthwise convolution to one place in float32, as columnsInt8PerUnit. */
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
