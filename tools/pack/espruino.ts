/** Which of Espruino's own kernels take the place of portable ones, and what becomes of their arguments. */
import {
  addInt8Linear,
  addInt8Rounded,
  addInt8Table,
  mulInt8 as mulInt8Short,
  mulInt8Table,
} from '../../engines/espruino/elementwise';
import type { Kernel, TypedArray } from '../../lib/graph';
import type { Step } from '../../lib/program';
import { addQuantized, mulQuantized } from '../../ops/arithmetic';
import type { KernelName } from './kernels';

/** A kernel to call instead. */
export interface Replacement {
  kernel: KernelName;
  /** Further functions that the argument texts use. */
  imports: KernelName[];
  /** Arguments; an object makes a value once, when the module is loaded, from the name of an array. */
  args: (number | TypedArray | Made)[];
}

/** A value that the module makes once: `text` gets the name of `of`. */
export interface Made {
  of: TypedArray | null;
  text: (name: string) => string;
}

type Args = (number | TypedArray)[];
/** Replaces a kernel with these arguments; `isConstant` tells weights from what is computed in each step. */
type Accelerator = (
  args: Args,
  isConstant: (array: TypedArray) => boolean,
  together: number,
) => Replacement | null;

const DENSE = 'engines/espruino/dense';
const ELEMENTWISE = 'engines/espruino/elementwise';
const FLOAT_MAX = 3.4028234663852886e38;

function made(of: TypedArray | null, text: (name: string) => string): Made {
  return { of, text };
}

function call(module: string, name: string, args: Replacement['args'], ...imports: string[]): Replacement {
  return { kernel: { module, name }, imports: imports.map((more) => ({ module, name: more })), args };
}

/** 2^(−e−1), what the second rounding adds; nothing where nothing is shifted. */
function nudge(e: number): number {
  return e ? 2 ** (-e - 1) : 0;
}

/** M, and zero point + ½ ± nudge, for a multiplier and a shift that is not positive; null where the form is not exact. */
function scaled(multiplier: number, shift: number, zero: number, bound: number): number[] | null {
  const e = -shift;
  if (!isExact(e, bound)) return null;
  const m = multiplier * 2 ** (-31 - e);
  return [m, zero + 4096.5 + nudge(e), zero + 4096.5 - nudge(e)];
}

/** Whether floor(s·M + ½ ± nudge) is exact for |s| ≤ bound: beyond 2²² only if the result is cut off at 255 anyway. */
function isExact(e: number, bound: number): boolean {
  return e >= 0 && e <= 20 && (bound < 2 ** 22 || e <= 12);
}

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
  const matrix = made(w, (name) => `int8Rows(${name}, ${depth}, ${units})`);
  if (uniform(multipliers) && uniform(shifts)) {
    const [m, plus, minus] = scaled(multipliers[0], shifts[0], zero, bound)!;
    // a table of 256 bytes is worth it only beside larger weights
    if (units * depth < 512)
      return call(DENSE, 'denseInt8', [x, matrix, bias, y, m, plus, minus, min, max], 'int8Rows');
    return call(
      DENSE,
      'denseInt8Table',
      [x, matrix, bias, y, m, plus - 3968, minus - 3968, clamping(units), clampTable(min, max)],
      'int8Rows',
    );
  }
  if (together > 1 && units % together === 0) {
    const views = made(w, (name) => `sharedRows(${name}, ${depth}, ${units}, ${together})`);
    const starts = made(null, () => `startsOf(${depth}, ${together})`);
    const sums = made(null, () => `new Int32Array(${units})`);
    return call(
      DENSE,
      'denseInt8Shared',
      [x, views, starts, sums, bias, y, ...perUnit(multipliers, es, zero, min, max)],
      'sharedRows',
      'startsOf',
      'scalesOf',
      'nudgesOf',
    );
  }
  return call(
    DENSE,
    'denseInt8PerUnit',
    [x, matrix, bias, y, ...perUnit(multipliers, es, zero, min, max)],
    'int8Rows',
    'scalesOf',
    'nudgesOf',
  );
}

/** Bytes 0 to 255 as int8 values −128 to 127, within min and max. */
function clampTable(min: number, max: number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, i) => Math.min(Math.max(i - 128, min), max));
}

/** A clamping array; those of one length are one. */
function clamping(units: number): Made {
  return made(null, () => `new Uint8ClampedArray(${units})`);
}

/** The last arguments of kernels with a multiplier for each unit. */
function perUnit(
  multipliers: Int32Array,
  es: number[],
  zero: number,
  min: number,
  max: number,
): Replacement['args'] {
  return [
    multipliers,
    Int8Array.from(es),
    made(null, () => 'scalesOf()'),
    made(null, () => 'nudgesOf()'),
    zero + 128.5,
    clamping(es.length),
    clampTable(min, max),
  ];
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
  if (x.length !== taps * units || w.length !== x.length || !isConstant(w) || !isConstant(bias)) return null;
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
  const products = Array.from({ length: taps }, (_, k) =>
    k ? `x[i + ${k * units}] * w[i + ${k * units}]` : 'x[i] * w[i]',
  );
  const sum = made(null, () => `function (x, w, i) { return ${products.join(' + ')}; }`);
  return call(
    DENSE,
    'depthwiseInt8',
    [x, w, folded, y, sum, ...perUnit(multipliers, es, zero, min, max)],
    'scalesOf',
    'nudgesOf',
  );
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

/** Whether a binary operator walks over operands of one shape: n, inner, ai, bi, mid, … from argument 3 on. */
function isFlat(args: Args): boolean {
  const [n, inner, ai, bi] = args.slice(3) as number[];
  return n > 0 && inner === n && ai === 1 && bi === 1;
}

function unbounded(min: number, max: number): boolean {
  return min <= -FLOAT_MAX && max >= FLOAT_MAX;
}

function addFloat32(args: Args): Replacement | null {
  const [sign, min, max] = args.slice(11) as number[];
  if (!isFlat(args) || !(args[0] instanceof Float32Array) || !unbounded(min, max)) return null;
  return call(ELEMENTWISE, sign < 0 ? 'subFloat32' : 'addFloat32', args.slice(0, 4));
}

function mulFloat32(args: Args): Replacement | null {
  const [min, max] = args.slice(11) as number[];
  if (!isFlat(args) || !unbounded(min, max)) return null;
  return call(ELEMENTWISE, 'mulFloat32', args.slice(0, 4));
}

function addInt8(args: Args): Replacement | null {
  if (!isFlat(args) || !(args[0] instanceof Int8Array)) return null;
  const [aZero, fa, bZero, fb, half, one, bShift, sign, square, multiplier, shift, zero, min, max] =
    args.slice(11) as number[];
  if (square) return null;
  const e = -shift;
  if (e < 0) return null;
  const m = multiplier * 2 ** (-31 - e);
  const ga = fa * m;
  const gb = (sign * fb * m) / 2 ** bShift;
  const direct = [ga, gb, -aZero * ga - bZero * gb, zero + 128.5 + nudge(e), zero + 128.5 - nudge(e)];
  const table = throughTable(addQuantized, args, addInt8Table, direct, min, max);
  if (table) return table;
  const nudged = [m, zero + 4096.5 + nudge(e), zero + 4096.5 - nudge(e), min, max];
  if (!bShift && Number.isInteger(fa) && Number.isInteger(fb)) {
    const offset = -aZero * fa - sign * bZero * fb;
    return verified(addQuantized, args, addInt8Linear, [fa, sign * fb, offset, ...nudged]);
  }
  if (one !== 1) return null;
  const terms = [fa, -aZero * fa, fb, 0.5 - bZero * fb, bShift, half, sign];
  return verified(addQuantized, args, addInt8Rounded, [...terms, ...nudged]);
}

/** All pairs of int8 operands, in two arrays. */
function allPairs(): [Int8Array, Int8Array] {
  const a = new Int8Array(65536);
  const b = new Int8Array(65536);
  for (let i = 0; i < 65536; i++) {
    a[i] = i;
    b[i] = i >> 8;
  }
  return [a, b];
}

/** The short kernel, if it gives the bits of the portable one for all 65,536 pairs of operands. */
function verified(portable: Kernel, args: Args, short: Kernel, parameters: number[]): Replacement | null {
  const [a, b] = allPairs();
  const expected = new Int8Array(65536);
  const got = new Int8Array(65536);
  portable(a, b, expected, 65536, 65536, ...args.slice(5));
  short(a, b, got, 65536, ...parameters);
  if (Buffer.compare(Buffer.from(expected.buffer), Buffer.from(got.buffer))) return null;
  return call(ELEMENTWISE, short.name, [...args.slice(0, 4), ...parameters]);
}

/** Calls a kernel with a stand-in for `E.mapInPlace`; in place of a clamping array, which Node rounds to, come doubles. */
function asOnEspruino(work: () => void): void {
  const scope = globalThis as { E?: unknown };
  const before = scope.E;
  scope.E = {
    mapInPlace(from: Float64Array, to: Int8Array, map: Uint8Array): void {
      for (let i = 0; i < to.length; i++) to[i] = map[Math.min(Math.max(Math.trunc(from[i]), 0), 255)];
    },
  };
  try {
    work();
  } finally {
    scope.E = before;
  }
}

/** Elements from which a table of 256 bytes is worth it. */
const TABLE_FROM = 16;

/** A kernel that ends in a clamping array and a table, if it gives the bits of the portable one for all operands. */
function throughTable(
  portable: Kernel,
  args: Args,
  short: Kernel,
  parameters: number[],
  min: number,
  max: number,
): Replacement | null {
  const n = args[3] as number;
  if (n < TABLE_FROM) return null;
  const [a, b] = allPairs();
  const expected = new Int8Array(65536);
  const got = new Int8Array(65536);
  portable(a, b, expected, 65536, 65536, ...args.slice(5));
  const table = clampTable(min, max);
  asOnEspruino(() => short(a, b, got, 65536, ...parameters, new Float64Array(65536), table));
  if (Buffer.compare(Buffer.from(expected.buffer), Buffer.from(got.buffer))) return null;
  return call(ELEMENTWISE, short.name, [...args.slice(0, 4), ...parameters, clamping(n), table]);
}

function mulInt8(args: Args): Replacement | null {
  if (!isFlat(args) || !(args[0] instanceof Int8Array)) return null;
  const [aZero, bZero, multiplier, shift, zero, min, max] = args.slice(11) as number[];
  const nudged = scaled(multiplier, shift, zero, 65536);
  if (!nudged) return null;
  const [m, plus, minus] = nudged;
  const direct = [aZero, bZero, m, plus - 3968, minus - 3968];
  const table = throughTable(mulQuantized, args, mulInt8Table, direct, min, max);
  if (table) return table;
  return verified(mulQuantized, args, mulInt8Short, [aZero, bZero, ...nudged, min, max]);
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
  'ops/gates sigmoidFloat32': (args) => call(ELEMENTWISE, 'sigmoidFloat32', args),
  'ops/gates tanhFloat32': (args) => call(ELEMENTWISE, 'tanhFloat32', args),
};

/** Rows of matrices that may have a view each: about two variables a row. */
const MOST_ROWS = 240;
/** Rows to a view beyond that. More take less memory, and longer walks to their starts. */
const TOGETHER = 4;

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
