/**
 * EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL: BOOL results of comparing two operands.
 * MAXIMUM, MINIMUM: the larger or smaller of two. LOGICAL_AND, LOGICAL_OR: the same on BOOL.
 *
 * All broadcast. Types: comparisons FLOAT32, INT8, INT32, INT64, EQUAL and NOT_EQUAL also BOOL; MAXIMUM and MINIMUM FLOAT32,
 * INT8, UINT8, INT16, INT32, INT64.
 * As TFLM: INT8 is compared after (x − zero point) · 256 · scale is rounded, so that scales may differ, and values closer
 * than 1/256 are equal. MAXIMUM and MINIMUM compare raw integers, whatever the scales, and take the second operand
 * when one is NaN.
 */
import { quantizeMultiplier, rdpot, powerOf2 } from '../lib/fixedpoint';
import { Argument, Kernel, Node, Operators, Preparation, Tensor, TypedArray } from '../lib/graph';
import { binaryOperands, rowOffset } from './broadcast';
import { expectQuantized } from './checks';

const EXTREME_TYPES = 'FLOAT32 INT8 UINT8 INT16 INT32 INT64';

/** Kernel: a < b gives `less`, a > b `greater`, a = b `equal`; what has no order (NaN) `other`. */
export function compare(
  a: TypedArray,
  b: TypedArray,
  y: Uint8Array,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
  less: number,
  equal: number,
  greater: number,
  other: number,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        const u = a[i];
        const v = b[j];
        y[k] = u < v ? less : u > v ? greater : u === v ? equal : other;
      }
    }
  }
}

/** Kernel: the same for INT64, pairs of low and high words. */
export function compareInt64(
  a: Int32Array,
  b: Int32Array,
  y: Uint8Array,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
  less: number,
  equal: number,
  greater: number,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        const d = a[2 * i + 1] - b[2 * j + 1] || (a[2 * i] >>> 0) - (b[2 * j] >>> 0);
        y[k] = d < 0 ? less : d > 0 ? greater : equal;
      }
    }
  }
}

/** Kernel: the same for INT8 with scales; (x − zero) · factor, shifted, is x in 1/256, exact before it is rounded. */
export function compareQuantized(
  a: Int8Array,
  b: Int8Array,
  y: Uint8Array,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
  aZero: number,
  aFactor: number,
  aShift: number,
  bZero: number,
  bFactor: number,
  bShift: number,
  less: number,
  equal: number,
  greater: number,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        const d =
          rdpot(Math.floor((a[i] - aZero) * aFactor + 0.5), aShift) -
          rdpot(Math.floor((b[j] - bZero) * bFactor + 0.5), bShift);
        y[k] = d < 0 ? less : d > 0 ? greater : equal;
      }
    }
  }
}

/** Kernel: the larger (`sign` 1) or smaller (−1) of two, the second one unless the first is beyond it. */
export function extreme(
  a: TypedArray,
  b: TypedArray,
  y: TypedArray,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
  sign: number,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        y[k] = sign * a[i] > sign * b[j] ? a[i] : b[j];
      }
    }
  }
}

/** Kernel: the same for INT64. */
export function extremeInt64(
  a: Int32Array,
  b: Int32Array,
  y: Int32Array,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
  sign: number,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        const d = a[2 * i + 1] - b[2 * j + 1] || (a[2 * i] >>> 0) - (b[2 * j] >>> 0);
        const low = sign * d > 0 ? a[2 * i] : b[2 * j];
        y[2 * k + 1] = sign * d > 0 ? a[2 * i + 1] : b[2 * j + 1];
        y[2 * k] = low;
      }
    }
  }
}

/** Zero point, factor and shift of an INT8 operand of compareQuantized. */
function scaling(x: Tensor, what: string, p: Preparation): number[] {
  expectQuantized(x, what, p);
  const q = quantizeMultiplier(x.scale);
  return [x.zeroPoint, q.multiplier * powerOf2(Math.max(q.shift, 0) - 23), Math.max(-q.shift, 0)];
}

/** A comparison that gives these results for a < b, a = b, a > b, and for what has no order. */
function prepareComparison(
  node: Node,
  p: Preparation,
  less: number,
  equal: number,
  greater: number,
  other: number,
): void {
  const o = binaryOperands(node, 'FLOAT32 INT8 INT32 INT64' + (less === greater ? ' BOOL' : ''), 'BOOL', p);
  const results = [less, equal, greater];
  if (o.a.type === 'INT8') {
    const scales: Argument[] = scaling(o.a, 'input 0', p).concat(scaling(o.b, 'input 1', p));
    p.step(compareQuantized, o.args.concat(scales, results));
  } else if (o.a.type === 'INT64') p.step(compareInt64, o.args.concat(results));
  else p.step(compare, o.args.concat(results, [other]));
}

function prepareEqual(node: Node, p: Preparation): void {
  prepareComparison(node, p, 0, 1, 0, 0);
}

function prepareNotEqual(node: Node, p: Preparation): void {
  prepareComparison(node, p, 1, 0, 1, 1);
}

function prepareLess(node: Node, p: Preparation): void {
  prepareComparison(node, p, 1, 0, 0, 0);
}

function prepareLessEqual(node: Node, p: Preparation): void {
  prepareComparison(node, p, 1, 1, 0, 0);
}

function prepareGreater(node: Node, p: Preparation): void {
  prepareComparison(node, p, 0, 0, 1, 0);
}

function prepareGreaterEqual(node: Node, p: Preparation): void {
  prepareComparison(node, p, 0, 1, 1, 0);
}

/** The larger (`sign` 1) or smaller of two operands. */
function prepareExtreme(node: Node, p: Preparation, types: string, sign: number): void {
  const o = binaryOperands(node, types, '', p);
  const kernel: Kernel = o.a.type === 'INT64' ? extremeInt64 : extreme;
  p.step(kernel, o.args.concat([sign]));
}

function prepareMaximum(node: Node, p: Preparation): void {
  prepareExtreme(node, p, EXTREME_TYPES, 1);
}

function prepareMinimum(node: Node, p: Preparation): void {
  prepareExtreme(node, p, EXTREME_TYPES, -1);
}

function prepareOr(node: Node, p: Preparation): void {
  prepareExtreme(node, p, 'BOOL', 1);
}

function prepareAnd(node: Node, p: Preparation): void {
  prepareExtreme(node, p, 'BOOL', -1);
}

export const comparisonOperators: Operators = {
  EQUAL: prepareEqual,
  NOT_EQUAL: prepareNotEqual,
  LESS: prepareLess,
  LESS_EQUAL: prepareLessEqual,
  GREATER: prepareGreater,
  GREATER_EQUAL: prepareGreaterEqual,
  MAXIMUM: prepareMaximum,
  MINIMUM: prepareMinimum,
  LOGICAL_OR: prepareOr,
  LOGICAL_AND: prepareAnd,
};
