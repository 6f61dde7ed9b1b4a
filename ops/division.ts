/**
 * DIV: y = activation(a / b). FLOOR_DIV: y = floor(a / b). FLOOR_MOD: y = a − b · floor(a / b). All broadcast.
 *
 * Types: DIV FLOAT32, INT8, INT32; FLOOR_DIV and FLOOR_MOD FLOAT32, INT32.
 * As TFLM: FLOAT32 DIV by 0 gives ± the largest float, 0 / 0 NaN; INT32 DIV truncates; FLOOR_DIV refuses a divisor of 0,
 * FLOAT32 FLOOR_MOD gives NaN. Integers divided by 0 are an error of the step: TFLM crashes, TFLite fails.
 * INT8 DIV is computed with a fixed-point reciprocal of b, as TFLM does it.
 */
import {
  activationRange,
  clz,
  floatActivationRange,
  fround,
  mbqm,
  quantizeMultiplier,
  srdhm,
} from '../lib/fixedpoint';
import { Node, Operators, Preparation } from '../lib/graph';
import { DIV_OPTIONS } from '../lib/schema';
import { clampOutput } from './arithmetic';
import { binaryOperands, expectScales, expectUnquantized, rowOffset } from './broadcast';
import { oneOverOnePlus } from './gemmlowp';

/** Fails because a divisor is 0. */
export function divisionBy0(): never {
  throw new Error('division by 0');
}

/** Kernel: y = clamp(a / b); INT32 (`whole` 1) fails where b is 0, and truncates where it is stored. */
export function divide(
  a: Float32Array | Int32Array,
  b: Float32Array | Int32Array,
  y: Float32Array | Int32Array,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
  whole: number,
  min: number,
  max: number,
): void {
  // numbers for certain: else V8 boxes every result
  min = +min;
  max = +max;
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        if (whole && !b[j]) divisionBy0();
        const v = a[i] / b[j];
        y[k] = v < min ? min : v > max ? max : v;
      }
    }
  }
}

/** Kernel: floor(a / b); fails where b is 0. */
export function floorDivide(
  a: Float32Array | Int32Array,
  b: Float32Array | Int32Array,
  y: Float32Array | Int32Array,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        if (b[j] === 0) divisionBy0();
        y[k] = Math.floor(a[i] / b[j]);
      }
    }
  }
}

/** Kernel: the remainder that has the sign of b; INT32 (`whole` 1) fails where b is 0. */
export function floorModulo(
  a: Float32Array | Int32Array,
  b: Float32Array | Int32Array,
  y: Float32Array | Int32Array,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
  whole: number,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        const divisor = b[j];
        if (whole && !divisor) divisionBy0();
        const v = a[i] % divisor;
        y[k] = v && v < 0 !== divisor < 0 ? v + divisor : v;
      }
    }
  }
}

/** Kernel: INT8; a / b by a fixed-point reciprocal of b, requantized. */
export function divideInt8(
  a: Int8Array,
  b: Int8Array,
  y: Int8Array,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
  aZero: number,
  bZero: number,
  multiplier: number,
  shift: number,
  zeroPoint: number,
  min: number,
  max: number,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        let dividend = a[i] - aZero;
        let divisor = b[j] - bZero;
        if (!divisor) divisionBy0();
        if (divisor < 0) {
          dividend = -dividend;
          divisor = -divisor;
        }
        const zeros = clz(divisor);
        const headroom = clz(dividend < 0 ? ~dividend : dividend) - 1;
        const quotient = srdhm(dividend << headroom, oneOverOnePlus((divisor << zeros) & 2147483647));
        const power = shift - 31 + zeros - headroom;
        const v = (power < -31 ? 0 : mbqm(quotient, multiplier, power)) + zeroPoint;
        y[k] = v < min ? min : v > max ? max : v;
      }
    }
  }
}

function prepareDiv(node: Node, p: Preparation): void {
  const o = binaryOperands(node, 'FLOAT32 INT8 INT32', '', p);
  const activation = p.options(DIV_OPTIONS).fused_activation_function as number;
  if (o.a.type === 'INT8') {
    expectScales(o, p);
    const q = quantizeMultiplier(fround(o.a.scale / fround(o.b.scale * o.y.scale)));
    const range = activationRange(activation, o.y);
    p.step(
      divideInt8,
      o.args.concat([
        o.a.zeroPoint,
        o.b.zeroPoint,
        q.multiplier,
        q.shift,
        o.y.zeroPoint,
        range.min,
        range.max,
      ]),
    );
    return;
  }
  if (o.a.type === 'INT32') {
    expectUnquantized(o, p);
    p.step(divide, o.args.concat([1, -Infinity, Infinity]));
    clampOutput(o.y, activation, p);
  } else {
    const range = floatActivationRange(activation);
    p.step(divide, o.args.concat([0, range.min, range.max]));
  }
}

function prepareFloorDiv(node: Node, p: Preparation): void {
  p.step(floorDivide, binaryOperands(node, 'FLOAT32 INT32', '', p).args);
}

function prepareFloorMod(node: Node, p: Preparation): void {
  const o = binaryOperands(node, 'FLOAT32 INT32', '', p);
  p.step(floorModulo, o.args.concat([o.a.type === 'INT32' ? 1 : 0]));
}

export const divisionOperators: Operators = {
  DIV: prepareDiv,
  FLOOR_DIV: prepareFloorDiv,
  FLOOR_MOD: prepareFloorMod,
};
