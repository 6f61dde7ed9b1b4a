/**
 * FULLY_CONNECTED on Espruino: the whole matrix–vector product as one expression of builtins.
 *
 * `E.convolve(x, row, offset)` is the sum of x[i] · row[(i + offset) mod row.length], in double precision. `map` calls it
 * with (row, index), so that the index lands in `offset`: row i is a view that starts i elements early. One product costs
 * about 600 instructions this way, against 14,600 in a loop. Signatures are those of ops/fully_connected.ts, with rows in
 * place of the weights; there is one row of input (`rows` is 1).
 */
import { mbqm } from '../../lib/fixedpoint';

declare const E: {
  convolve(a: ArrayLike<number>, b: ArrayLike<number>, offset: number): number;
};

/** A matrix as overlapping views, one for each row, for `E.convolve` through `map`. */
export function rowsOf<T extends Int8Array | Float32Array>(matrix: T, depth: number, units: number): T[] {
  const type = matrix.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => T;
  const bytes = matrix.byteLength / matrix.length;
  const rows: T[] = [];
  for (let i = 0; i < units; i++) {
    rows.push(new type(matrix.buffer as ArrayBuffer, matrix.byteOffset + (i * depth - i) * bytes, depth + i));
  }
  return rows;
}

/** Kernel: as `fullyConnectedInt8`. */
export function fullyConnectedInt8(
  x: Int8Array,
  w: Int8Array[],
  bias: Int32Array,
  y: Int8Array,
  multipliers: Int32Array,
  shifts: Int8Array,
  rows: number,
  depth: number,
  units: number,
  zeroPoint: number,
  min: number,
  max: number,
): void {
  const sums = (w as unknown as ArrayLike<number>[]).map(
    E.convolve.bind(E, x) as (row: ArrayLike<number>, i: number) => number,
  );
  for (let unit = 0; unit < units; unit++) {
    const value = mbqm(sums[unit] + bias[unit], multipliers[unit], shifts[unit]) + zeroPoint;
    y[unit] = value < min ? min : value > max ? max : value;
  }
}

/** Kernel: as `fullyConnectedFloat32`. */
export function fullyConnectedFloat32(
  x: Float32Array,
  w: Float32Array[],
  b: Float32Array,
  y: Float32Array,
  rows: number,
  depth: number,
  units: number,
  min: number,
  max: number,
): void {
  const sums = (w as unknown as ArrayLike<number>[]).map(
    E.convolve.bind(E, x) as (row: ArrayLike<number>, i: number) => number,
  );
  for (let unit = 0; unit < units; unit++) {
    const value = sums[unit] + b[unit];
    y[unit] = value < min ? min : value > max ? max : value;
  }
}
