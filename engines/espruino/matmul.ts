/**
 * Products of two computed matrices on Espruino: a column of the second is gathered, and one expression multiplies all
 * rows of the first by it, see matrixSums in dense.ts. Working variables are parameters.
 */

declare const E: {
  convolve(a: ArrayLike<number>, b: ArrayLike<number>, offset: number): number;
  mapInPlace(from: ArrayLike<number>, to: ArrayLike<number>, map: ArrayLike<number>): void;
  sum(array: ArrayLike<number>): number;
};

/** Where elements are that lie `step` apart. */
export function every(step: number, starts: Uint16Array | Int32Array | Float32Array): ArrayLike<number> {
  for (let i = 0; i < starts.length; i++) starts[i] = i * step;
  return starts;
}

/**
 * Kernel: float32. Batches as batchMatmulFloat32; `rows` are the starts of the rows of a matrix x, `taps` those of the
 * elements of a column of w, which is copied to `column`.
 */
export function matmulFloat32(
  i: number,
  at: number,
  s: ArrayLike<number>,
  y: Float32Array,
  columns: number,
  rows: Float32Array,
  x: Float32Array,
  w: Float32Array,
  xStarts: Int32Array,
  wStarts: Int32Array,
  wColumn: number,
  span: number,
  taps: Uint16Array,
  column: Float32Array,
): void {
  let to = y.length;
  for (let batch = xStarts.length - 1; batch >= 0; batch--) {
    const xs = x.subarray(xStarts[batch], xStarts[batch] + rows.length * column.length);
    to -= rows.length * columns;
    for (let c = 0; c < columns; c++) {
      at = wStarts[batch] + c * wColumn;
      E.mapInPlace(taps, column, w.subarray(at, at + span));
      s = (rows as unknown as number[]).map(E.convolve.bind(E, column, xs));
      i = rows.length;
      at = to + i * columns + c;
      while (i--) y[(at -= columns)] = s[i];
    }
  }
}

/**
 * Kernel: int8. Σ (x − xZero)(w − wZero) is Σ x·w − wZero Σ x and something for each column; `ones` sums up rows.
 * `minus` and `plus` as in denseInt8.
 */
export function matmulInt8(
  i: number,
  v: number,
  s: ArrayLike<number>,
  t: ArrayLike<number>,
  wZero: number,
  z: number,
  m: number,
  minus: number,
  plus: number,
  y: Int8Array,
  at: number,
  columns: number,
  min: number,
  max: number,
  rows: Int32Array,
  x: Int8Array,
  w: Int8Array,
  bias: Int32Array,
  xStarts: Int32Array,
  wStarts: Int32Array,
  wColumn: number,
  span: number,
  taps: Uint16Array,
  column: Int8Array,
  ones: Int8Array,
  xZero: number,
): void {
  let to = y.length;
  for (let batch = xStarts.length - 1; batch >= 0; batch--) {
    const xs = x.subarray(xStarts[batch], xStarts[batch] + rows.length * column.length);
    t = (rows as unknown as number[]).map(E.convolve.bind(E, ones, xs));
    to -= rows.length * columns;
    for (let c = 0; c < columns; c++) {
      at = wStarts[batch] + c * wColumn;
      E.mapInPlace(taps, column, w.subarray(at, at + span));
      s = (rows as unknown as number[]).map(E.convolve.bind(E, column, xs));
      z = bias[c] - xZero * (E.sum(column) - column.length * wZero);
      i = rows.length;
      at = to + i * columns + c;
      while (i--) {
        v = s[i] - t[i] * wZero + z;
        v = ((v * m + (v < 0 ? minus : plus)) | 0) - 4096;
        y[(at -= columns)] = v < min ? min : v > max ? max : v;
      }
    }
  }
}
