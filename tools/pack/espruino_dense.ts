/** Matrix–vector products on Espruino: FULLY_CONNECTED and what is like it at one place. */
import {
  call,
  clamping,
  clampTable,
  made,
  nudge,
  sumsRoom,
  through,
  type Argument,
  type Inner,
  type Made,
  type Parameter,
  type Replacement,
} from './replacement';
import { agrees, isAbove, scalingOf, shortest, stepsOf } from './scaling';

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
  const { x, w, bias, multipliers, shifts, depth, units, zero, min, max, y } = dense;
  if (w.byteLength > 65535) return null;
  const bound = boundOf(w, bias, depth, units);
  if (dense.wide) return denseInt16(dense, bound, together);
  const base = baseOf(min, max);
  if (max - base > 255) return null;
  if (shifts.some((shift) => shift > 0)) return null;
  if (!uniform(multipliers) || !uniform(shifts)) return densePerUnit(dense, bound, together);
  const [multiplier, shift] = [multipliers[0], shifts[0]];
  // a table of 256 bytes is worth it only beside larger weights
  if (units * depth <= SHORT_WALK) {
    const scaling = scalingOf(
      multiplier,
      shift,
      zero - min,
      stepsOf(multiplier, shift, zero - min, bound, 0, max - min),
    );
    if (!scaling) return null;
    const operands = [units, 0, x, w, depth, bias, scaling.m, scaling.minus, scaling.plus, y];
    if (min === -128 && max === 127) return call(DENSE, 'denseInt8Small', operands);
    return call(DENSE, 'denseInt8SmallCut', [...operands, max - min, min]);
  }
  const steps = stepsOf(multiplier, shift, zero - base, bound, min - base, max - base);
  const scaling = scalingOf(multiplier, shift, zero - base, steps);
  if (!scaling) return null;
  const { m, minus, plus } = scaling;
  const { sums, imports } = sumsOf(dense, together);
  const u = clamping(units);
  const row =
    minus === plus
      ? call(DENSE, 'denseInt8Above', [units, u, sums, bias, m, plus], ...imports)
      : call(DENSE, 'denseInt8', [units, 0, u, sums, bias, m, minus, plus], ...imports);
  return through(row, u, y, clampTable(min, max, base));
}

/** Elements up to which walking to the start of a row is cheap: no more than 256 of them on average. */
const SHORT_WALK = 512;
/** Elements of a view beyond which walking costs more time than another view is worth. */
const LONG_WALK = 1600;

/** How the sums of an int8 matrix–vector product are computed: rows as views, rows that share views, or one view. */
export function sumsOf(
  { x, w, depth, units }: Pick<Dense, 'x' | 'w' | 'depth' | 'units'>,
  together: number,
): { sums: Inner; imports: string[]; shared?: { views: Made; starts: Uint16Array } } {
  if (units * depth <= SHORT_WALK) {
    const starts = made(null, () => `startsOf(${depth}, ${units})`);
    return { sums: { inner: 'matrixSums', args: [x, w, starts] }, imports: ['matrixSums', 'startsOf'] };
  }
  while (together > 4 && together * depth > LONG_WALK) together /= 2;
  if (together > 1 && units % together === 0) {
    const views = made(w, (name) => `sharedRows(${name}, ${depth}, ${units}, ${together})`);
    const starts = Uint16Array.from({ length: together }, (_, i) => i * depth);
    const sums = { inner: 'sharedSums', args: [x, views, starts, sumsRoom(units)] };
    return { sums, imports: ['sharedSums', 'sharedRows'], shared: { views, starts } };
  }
  const rows = made(w, (name) => `int8Rows(${name}, ${depth}, ${units})`);
  return { sums: { inner: 'rowSums', args: [x, rows] }, imports: ['rowSums', 'int8Rows'] };
}

/** How sums of at most `bound` are scaled with a multiplier for each unit; null where no form is exact. */
export function perUnit(
  { bias, multipliers, shifts, zero, min, max }: Omit<Dense, 'x' | 'w' | 'depth'>,
  bound: number,
): { terms: Argument[]; above: boolean; table: Int8Array } | null {
  const base = baseOf(min, max);
  const es = Array.from(shifts, (shift) => -shift);
  const most = Math.max(...es);
  if (most - Math.min(...es) > 6) return null;
  const n = Int8Array.from(es, (e) => 2 ** (most - e));
  const steps = es.map((e, unit) =>
    stepsOf(multipliers[unit], -e, zero - base, bound, min - base, max - base),
  );
  const above = steps.every(isAbove);
  const good = (f: number, h: number, middle: number): boolean =>
    steps.every((one, unit) =>
      agrees(one, (sum) => (sum * multipliers[unit] * f + (sum < 0 && !above ? -h : h)) * n[unit] + middle),
    );
  const h = nudge(most);
  const middle = zero - base + 0.5;
  const f = 2 ** (-31 - most);
  if (!good(f, h, middle)) return null;
  const shortF = shortest(f, (candidate) => good(candidate, h, middle));
  const shortH = shortest(h, (candidate) => good(shortF, candidate, middle));
  return { terms: [bias, multipliers, shortF, shortH, n, middle], above, table: clampTable(min, max, base) };
}

/** A row with a multiplier for each unit. */
function densePerUnit(dense: Dense, bound: number, together: number): Replacement | null {
  const { x, units, y } = dense;
  const scaling = perUnit(dense, bound);
  if (!scaling) return null;
  const { terms, above, table } = scaling;
  const u = clamping(units);
  const { shared, sums, imports } = sumsOf(dense, together);
  let row: Replacement;
  if (shared) {
    const operands = [u, sumsRoom(shared.starts.length), ...terms, x, shared.views, shared.starts];
    row = above
      ? call(DENSE, 'sharedInt8PerUnitAbove', [units, 0, ...operands], 'sharedRows')
      : call(DENSE, 'sharedInt8PerUnit', [units, 0, 0, ...operands], 'sharedRows');
  } else {
    const operands = [u, sums, ...terms];
    row = above
      ? call(DENSE, 'denseInt8PerUnitAbove', [units, ...operands], ...imports)
      : call(DENSE, 'denseInt8PerUnit', [units, 0, ...operands], ...imports);
  }
  return through(row, u, y, table);
}
