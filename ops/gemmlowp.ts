/**
 * Fixed-point functions of int32 numbers with 31 − m fractional bits ("Qm"), to the bit as gemmlowp's
 * fixedpoint/fixedpoint.h and TFLM's kernels/internal/common.h compute them.
 */
import { clz, rdpot, srdhm, powerOf2 } from '../lib/fixedpoint';

/** exp(−2^k) for k from −2 on, in Q0. */
const exponentials = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];

/** x · 2^e, saturated to int32. */
export function shiftSaturated(x: number, e: number): number {
  const limit = powerOf2(31 - e) - 1;
  return x > limit ? 2147483647 : x < -limit ? -2147483648 : x * powerOf2(e);
}

/** exp(a) in Q0 for a ≤ 0 in Qm; 0 ≤ m ≤ 5. */
export function expOnNegative(a: number, m: number): number {
  if (!a) return 2147483647;
  const quarter = 1 << (29 - m);
  const rest = (a & (quarter - 1)) - quarter;
  // Taylor around −1/8
  const x = (rest << m) + 268435456;
  const x2 = srdhm(x, x);
  const x4 = rdpot(srdhm(x2, x2), 2);
  const terms = rdpot(srdhm(x4 + srdhm(x2, x), 715827883) + x2, 1);
  let result = 1895147668 + srdhm(1895147668, x + terms);
  const quarters = rest - a;
  for (let k = 0; k < m + 2; k++) if (quarters & (quarter << k)) result = srdhm(result, exponentials[k]);
  return result;
}

/** 2 / (1 + a) in Q2 for a in Q0 from 0 to 1, by three steps of Newton and Raphson. */
function twoOverOnePlus(a: number): number {
  const half = Math.floor((a + 2147483648) / 2);
  let x = 1515870810 + srdhm(half, -1010580540);
  for (let i = 0; i < 3; i++) x += shiftSaturated(srdhm(x, 536870912 - srdhm(half, x)), 2);
  return x;
}

/** 1 / (1 + a) in Q0 for a in Q0 from 0 to 1. */
export function oneOverOnePlus(a: number): number {
  return shiftSaturated(twoOverOnePlus(a), 1);
}

/** 1 / (1 + exp(−a)) in Q0 for a in Q4. */
export function logisticQ4(a: number): number {
  if (!a) return 1073741824;
  const result = oneOverOnePlus(expOnNegative(a > 0 ? -a : a, 4));
  return a > 0 ? result : 2147483647 - result;
}

/** tanh(a) in Q0 for a in Q4. */
export function tanhQ4(a: number): number {
  if (!a) return 0;
  const result = shiftSaturated(twoOverOnePlus(expOnNegative(a > 0 ? -a : a, 5)) - 536870912, 2);
  return a > 0 ? result : -result;
}

/** Natural logarithm in Q5 of a ≥ 1 in Q12. */
export function logQ12(a: number): number {
  const bits = clz(a);
  const otherBits = clz(srdhm(a, 1518500250)) - 1;
  const r = Math.min(
    shiftSaturated(srdhm(shiftSaturated(a, bits - 1), 1518500250), 1),
    shiftSaturated(a, otherBits),
  );
  const power = Math.max((12 - bits) * 33554432 + 8388608, (12 - otherBits) * 33554432 - 8388608);
  const p = Math.floor((r + 1805811302) / 2);
  const q = 2 * (r - 1805811301);
  const q2 = srdhm(q, q);
  const numerator = srdhm(q, r) + srdhm(srdhm(q, q2), 117049297);
  const denominator = srdhm(p, 1057819769 + q + srdhm(127690142, q2)) + srdhm(638450708, q);
  return shiftSaturated(
    srdhm(power, 1488522236) + srdhm(rdpot(numerator, 6), oneOverOnePlus(denominator)),
    1,
  );
}

/**
 * 1 / √a for an integer a ≥ 0 as a multiplier m and a shift s ≤ 0, m · 2^(s − 31); returned as m · 32 − s. 0 counts as 1.
 */
export function inverseSqrt(a: number): number {
  if (a <= 1) return 2147483647 * 32;
  let shift = 11;
  while (a >= 536870912) {
    a = Math.floor(a / 4);
    shift++;
  }
  while (a < 134217728) {
    a *= 4;
    shift--;
  }
  const half = rdpot(a >> 1, 1);
  let x = 268435456;
  for (let i = 0; i < 5; i++) {
    const x3 = shiftSaturated(srdhm(srdhm(x, x), x), 6);
    x = shiftSaturated(srdhm(402653184, x) - srdhm(half, x3), 3);
  }
  x = srdhm(x, 1518500250);
  if (shift < 0) {
    x *= powerOf2(-shift);
    shift = 0;
  }
  return x * 32 + shift;
}
