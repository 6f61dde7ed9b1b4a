/** Matrix–vector products on Espruino: FULLY_CONNECTED and what is like it at one place. */
import {
  call,
  clamping,
  clampTable,
  isExact,
  made,
  nudge,
  scaled,
  type Inner,
  type Parameter,
  type Replacement,
} from './replacement';

export const DENSE = 'engines/espruino/dense';

/** The largest magnitude of int8 dot products with a matrix's rows, plus bias. */
function boundOf(w: Int8Array, bias: Int32Array, depth: number, units: number): number {
  let largest = 0;
  for (let unit = 0; unit < units; unit++) {
    let sum = Math.abs(bias[unit]);
    for (let i = unit * depth; i < (unit + 1) * depth; i++) sum += 128 * Math.abs(w[i]);
    largest = Math.max(largest, sum);
  }
  return largest;
}

function uniform(array: ArrayLike<number>): boolean {
  return Array.from(array).every((value) => value === array[0]);
}

/** One row of an int8 product with requantization: y = M · (w x + bias) + zero, from min to max. */
export interface Dense {
  x: Int8Array | Parameter;
  y: Int8Array | Parameter;
  /** Rows of weights, [units, depth]; the input's zero point is in the bias. */
  w: Int8Array;
  bias: Int32Array;
  multipliers: Int32Array;
  shifts: Int8Array;
  depth: number;
  units: number;
  zero: number;
  min: number;
  max: number;
  /** y is int16. */
  wide?: boolean;
}

/** What becomes 0 in a clamping array: results that go beyond int8 wrap, as those of SVDF's features do. */
function baseOf(min: number, max: number): number {
  return min < -128 || max > 127 ? min : -128;
}

/**
 * An int16 row with one multiplier. With e from 0 to 5, products and sums are exact in a double while |s| < 2²², and
 * beyond that the result is cut off; with a shift to the left they are exact while |s| < 2²².
 */
function denseInt16(dense: Dense, bound: number, together: number): Replacement | null {
  const { bias, multipliers, shifts, units, zero, min, max, y } = dense;
  const e = -shifts[0];
  if (!uniform(multipliers) || !uniform(shifts)) return null;
  if (e < 0 ? e < -8 || bound >= 2 ** 22 : e > 5 || bound >= 2 ** 30) return null;
  const { sums, imports } = sumsOf(dense, together);
  const m = multipliers[0] * 2 ** (-31 - e);
  const middle = zero + 65536.5;
  const args = [units, 0, sums, bias, m, middle - nudge(e), middle + nudge(e), y, min, max];
  return call(DENSE, 'denseInt16', args, ...imports);
}

/** Carries out one row; null where a form that is exact is not to be had. */
export function denseRow(dense: Dense, together: number): Replacement | null {
  const { w, bias, multipliers, shifts, depth, units, zero, min, max, y } = dense;
  if (w.byteLength > 65535) return null;
  const bound = boundOf(w, bias, depth, units);
  if (dense.wide) return denseInt16(dense, bound, together);
  if (max - baseOf(min, max) > 255) return null;
  const es = Array.from(shifts, (shift) => -shift);
  if (!es.every((e) => isExact(e, bound))) return null;
  const { sums, imports } = sumsOf(dense, together);
  if (!uniform(multipliers) || !uniform(shifts)) return perUnit(sums, dense, imports);
  const [m, plus, minus] = scaled(multipliers[0], shifts[0], zero, bound)!;
  // a table of 256 bytes is worth it only beside larger weights
  if (units * depth < 512)
    return call(DENSE, 'denseInt8', [units, 0, sums, bias, m, minus, plus, y, min, max], ...imports);
  const base = baseOf(min, max);
  const table = [clamping(units), y, clampTable(min, max, base)];
  const args = [units, 0, sums, bias, m, minus - 4096 - base, plus - 4096 - base, ...table];
  return call(DENSE, 'denseInt8Table', args, ...imports);
}

/** Elements up to which walking to the start of a row is cheap: no more than 128 of them on average. */
const SHORT_WALK = 256;

/** How the sums of an int8 matrix–vector product are computed: rows as views, rows that share views, or one view. */
export function sumsOf(
  { x, w, depth, units }: Pick<Dense, 'x' | 'w' | 'depth' | 'units'>,
  together: number,
): { sums: Inner; imports: string[] } {
  if (units * depth <= SHORT_WALK) {
    const starts = made(null, () => `startsOf(${depth}, ${units})`);
    return { sums: { inner: 'matrixSums', args: [x, w, starts] }, imports: ['matrixSums', 'startsOf'] };
  }
  if (together > 1 && units % together === 0) {
    const args = [
      x,
      made(w, (name) => `sharedRows(${name}, ${depth}, ${units}, ${together})`),
      made(null, () => `startsOf(${depth}, ${together})`),
      made(null, () => `new Int32Array(${units})`),
    ];
    return { sums: { inner: 'sharedSums', args }, imports: ['sharedSums', 'sharedRows', 'startsOf'] };
  }
  const rows = made(w, (name) => `int8Rows(${name}, ${depth}, ${units})`);
  return { sums: { inner: 'rowSums', args: [x, rows] }, imports: ['rowSums', 'int8Rows'] };
}

/** Requantizes sums with a multiplier for each unit. */
export function perUnit(
  sums: Inner,
  { bias, y, multipliers, shifts, units, zero, min, max }: Omit<Dense, 'x' | 'w' | 'depth'>,
  imports: string[],
): Replacement {
  const base = baseOf(min, max);
  const scales = made(null, () => 'scalesOf()');
  const nudges = made(null, () => 'nudgesOf()');
  const args = [
    bias,
    multipliers,
    shifts.map((shift) => -shift),
    scales,
    nudges,
    zero + 0.5 - base,
    clamping(units),
    y,
  ];
  return call(
    DENSE,
    'denseInt8PerUnit',
    [units, 0, 0, sums, ...args, clampTable(min, max, base)],
    ...imports,
    'scalesOf',
    'nudgesOf',
  );
}
