/** Which of Espruino's own kernels take the place of portable ones, and what becomes of their arguments. */
import type { TypedArray } from '../../lib/graph';
import type { Step } from '../../lib/program';
import {
  addFloat32,
  addInt8,
  mulFloat32,
  mulInt8,
  sigmoidFloat32,
  tanhFloat32,
} from './espruino_elementwise';
import type { KernelName } from './kernels';
import {
  call,
  clamping,
  clampTable,
  isExact,
  made,
  scaled,
  unbounded,
  type Accelerator,
  type Args,
  type Inner,
  type Replacement,
} from './replacement';

const DENSE = 'engines/espruino/dense';
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

function denseInt8(
  args: Args,
  isConstant: (array: TypedArray) => boolean,
  together: number,
): Replacement | null {
  const [x, w, bias, y, multipliers, shifts] = args as [
    Int8Array,
    Int8Array,
    Int32Array,
    Int8Array,
    Int32Array,
    Int8Array,
  ];
  const [rows, depth, units, zero, min, max] = args.slice(6) as number[];
  if (rows !== 1 || w.byteLength > 65535 || !isConstant(w) || !isConstant(bias)) return null;
  const bound = boundOf(w, bias, depth, units);
  const es = Array.from(shifts, (shift) => -shift);
  if (!es.every((e) => isExact(e, bound))) return null;
  const { sums, imports } = sumsOf(x, w, depth, units, together);
  if (uniform(multipliers) && uniform(shifts)) {
    const [m, plus, minus] = scaled(multipliers[0], shifts[0], zero, bound)!;
    // a table of 256 bytes is worth it only beside larger weights
    if (units * depth < 512)
      return call(DENSE, 'denseInt8', [units, 0, sums, bias, m, minus, plus, y, min, max], ...imports);
    const table = [clamping(units), y, clampTable(min, max)];
    return call(
      DENSE,
      'denseInt8Table',
      [units, 0, sums, bias, m, minus - 3968, plus - 3968, ...table],
      ...imports,
    );
  }
  return perUnit(sums, bias, y, multipliers, es, [zero, min, max], imports);
}

/** Elements up to which walking to the start of a row is cheap: no more than 128 of them on average. */
const SHORT_WALK = 256;

/** How the sums of an int8 matrix–vector product are computed: rows as views, rows that share views, or one view. */
function sumsOf(
  x: Int8Array,
  w: Int8Array,
  depth: number,
  units: number,
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
function perUnit(
  sums: Inner,
  bias: Int32Array,
  y: Int8Array,
  multipliers: Int32Array,
  es: number[],
  [zero, min, max]: number[],
  imports: string[],
): Replacement {
  const scales = made(null, () => 'scalesOf()');
  const nudges = made(null, () => 'nudgesOf()');
  const units = es.length;
  const args = [bias, multipliers, Int8Array.from(es), scales, nudges, zero + 128.5, clamping(units), y];
  return call(
    DENSE,
    'denseInt8PerUnit',
    [units, 0, 0, sums, ...args, clampTable(min, max)],
    ...imports,
    'scalesOf',
    'nudgesOf',
  );
}

function depthwiseInt8(args: Args, isConstant: (array: TypedArray) => boolean): Replacement | null {
  const [x, w, bias, y, multipliers, shifts] = args as [
    Int8Array,
    Int8Array,
    Int32Array,
    Int8Array,
    Int32Array,
    Int8Array,
  ];
  const [batches, height, width, , outHeight, outWidth, units, perChannel, filterHeight, filterWidth] =
    args.slice(6) as number[];
  const [xZero, zero, min, max] = args.slice(-4) as number[];
  const taps = filterHeight * filterWidth;
  const onePlace = batches === 1 && outHeight === 1 && outWidth === 1;
  if (!onePlace || height !== filterHeight || width !== filterWidth || perChannel !== 1) return null;
  if (
    x.length > 65535 ||
    x.length !== taps * units ||
    w.length !== x.length ||
    !isConstant(w) ||
    !isConstant(bias)
  )
    return null;
  const folded = new Int32Array(units);
  let bound = 0;
  for (let unit = 0; unit < units; unit++) {
    let sum = 0;
    let size = 0;
    for (let i = unit; i < w.length; i += units) {
      sum += w[i];
      size += 128 * Math.abs(w[i]);
    }
    folded[unit] = bias[unit] - xZero * sum;
    bound = Math.max(bound, size + Math.abs(folded[unit]));
  }
  const es = Array.from(shifts, (shift) => -shift);
  if (!es.every((e) => isExact(e, bound))) return null;
  const columns = new Int8Array(w.length);
  for (let i = 0; i < w.length; i++) columns[(i % units) * taps + Math.floor(i / units)] = w[i];
  const column = made(null, () => `new Int8Array(${taps})`);
  const starts = made(null, () => `tapsOf(${units}, ${taps})`);
  const room = made(null, () => `new Int32Array(${units})`);
  const span = (taps - 1) * units + 1;
  const sums: Inner = {
    inner: 'columnSums',
    args: [units, 0, span, column, columns, taps, starts, room, x],
  };
  return perUnit(sums, folded, y, multipliers, es, [zero, min, max], ['columnSums', 'tapsOf']);
}

function denseFloat32(args: Args, isConstant: (array: TypedArray) => boolean): Replacement | null {
  const [x, w, bias, y] = args as TypedArray[];
  const [rows, depth, units, min, max] = args.slice(4) as number[];
  if (rows !== 1 || w.byteLength > 65535 || !isConstant(w)) return null;
  if (unbounded(min, max) && isConstant(bias)) {
    const joined = new Float32Array(units * (depth + 1));
    for (let unit = 0; unit < units; unit++) {
      joined.set(w.subarray(unit * depth, (unit + 1) * depth), unit * (depth + 1));
      joined[unit * (depth + 1) + depth] = bias[unit];
    }
    const rowsText = made(joined, (name) => `floatRows(${name}, ${depth + 1}, ${units})`);
    const one = made(null, () => `withOne(${depth})`);
    return call(DENSE, 'denseFloat32', [x, rowsText, one, y], 'floatRows', 'withOne');
  }
  const matrix = made(w, (name) => `floatRows(${name}, ${depth}, ${units})`);
  return call(DENSE, 'denseFloat32Clamped', [x, matrix, bias, y, min, max], 'floatRows');
}

const ACCELERATORS: Record<string, Accelerator> = {
  'ops/fully_connected fullyConnectedInt8': denseInt8,
  'ops/fully_connected fullyConnectedFloat32': denseFloat32,
  'ops/depthwise_conv depthwiseConvInt8': depthwiseInt8,
  'ops/lookup lookup': (args) => call(DENSE, 'lookup', args.slice(0, 3)),
  'ops/arithmetic add': addFloat32,
  'ops/arithmetic mulFloat32': mulFloat32,
  'ops/arithmetic addQuantized': addInt8,
  'ops/arithmetic mulQuantized': mulInt8,
  'ops/gates sigmoidFloat32': sigmoidFloat32,
  'ops/gates tanhFloat32': tanhFloat32,
};

/** Rows of matrices that may have a view each: about two variables a row. */
const MOST_ROWS = 150;
/** Rows to a view beyond that. More take less memory, and longer walks to their starts. */
const TOGETHER = 8;

/** How many rows share a view in a program. */
export function rowsTogether(steps: { kernel: KernelName; step: Step }[]): number {
  let rows = 0;
  for (const { kernel, step } of steps) {
    if (kernel.name === 'fullyConnectedInt8' && step.args[6] === 1) rows += step.args[8] as number;
  }
  return rows > MOST_ROWS ? TOGETHER : 1;
}

/** The replacement for a step, or null where the portable kernel is best. */
export function acceleration(
  kernel: KernelName,
  step: Step,
  isConstant: (array: TypedArray) => boolean,
  together: number,
): Replacement | null {
  return ACCELERATORS[`${kernel.module} ${kernel.name}`]?.(step.args, isConstant, together) ?? null;
}
