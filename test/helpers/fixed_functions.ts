/**
 * gemmlowp's fixed-point functions and the integer kernels that TFLM makes of them, as their sources state them, on
 * the BigInt arithmetic of ./quantized. One number at a time, without tables.
 */
import { clamp, divideByPowerOf2, highMul, multiplierOf, scaled } from './quantized';
import type { Multiplier } from './quantized';

const MAX = 2147483647;

/** SaturatingRoundingMultiplyByPOT for exponents of 0 and more. */
function shifted(x: number, exponent: number): number {
  const limit = 2 ** (31 - exponent) - 1;
  return x > limit ? MAX : x < -limit ? -MAX - 1 : x * 2 ** exponent;
}

/** exp_on_negative_values of a number with `integerBits` integer bits. */
export function exp(a: number, integerBits: number): number {
  if (a === 0) return MAX;
  const quarter = 2 ** (29 - integerBits);
  const mod = (((a % quarter) + quarter) % quarter) - quarter;
  const x = mod * 2 ** integerBits + 2 ** 28;
  const x2 = highMul(x, x);
  const x3 = highMul(x2, x);
  const x4 = highMul(x2, x2);
  const tail = divideByPowerOf2(highMul(divideByPowerOf2(x4, 2) + x3, 715827883) + x2, 1);
  let result = 1895147668 + highMul(1895147668, x + tail);
  const remainder = mod - a;
  const factors = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];
  for (let exponent = -2; exponent < integerBits; exponent++) {
    if (Math.floor(remainder / 2 ** (31 - integerBits + exponent)) % 2)
      result = highMul(result, factors[exponent + 2]);
  }
  return result;
}

function newton(a: number): number {
  const half = Math.floor((a + MAX + 1) / 2);
  let x = 1515870810 + highMul(half, -1010580540);
  for (let i = 0; i < 3; i++) x += shifted(highMul(x, 2 ** 29 - highMul(half, x)), 2);
  return x;
}

/** one_over_one_plus_x_for_x_in_0_1. */
export function oneOverOnePlus(a: number): number {
  return shifted(newton(a), 1);
}

/** logistic of a number with 4 integer bits. */
export function logistic(a: number): number {
  if (a === 0) return 2 ** 30;
  const positive = oneOverOnePlus(exp(-Math.abs(a), 4));
  return a > 0 ? positive : MAX - positive;
}

/** tanh of a number with 4 integer bits. */
export function tanh(a: number): number {
  if (a === 0) return 0;
  return Math.sign(a) * shifted(newton(exp(-Math.abs(a), 5)) - 2 ** 29, 2);
}

/** LOGISTIC and TANH of INT8: `fraction` is the number of fractional bits that are dropped, `zero` the output's. */
export function gateInt8(
  f: (a: number) => number,
  x: number,
  scale: number,
  fraction: number,
  zero: number,
): number {
  const input = multiplierOf(scale * 2 ** 27);
  const radius = Math.floor((15 * 2 ** 27) / 2 ** input.shift);
  if (x <= -radius) return -128;
  if (x >= radius) return 127;
  return clamp(divideByPowerOf2(f(scaled(x, input)), fraction) + zero, -128, 127);
}

/** PreprocessSoftmaxScaling, and the smallest difference that counts. */
export function softmaxScaling(beta: number, scale: number): { input: Multiplier; least: number } {
  const input = multiplierOf(Math.min(beta * scale * 2 ** 26, MAX));
  return { input, least: -Math.floor((31 * 2 ** 26) / 2 ** input.shift) };
}

function sumOfExponentials(row: number[], max: number, input: Multiplier, least: number): number {
  return row
    .filter((x) => x - max >= least)
    .reduce((sum, x) => sum + divideByPowerOf2(exp(scaled(x - max, input), 5), 12), 0);
}

/** SOFTMAX of a row of INT8 to `bits` bits. */
export function softmaxRow(row: number[], beta: number, scale: number, bits: number): number[] {
  const { input, least } = softmaxScaling(beta, scale);
  const max = Math.max(...row);
  const sum = sumOfExponentials(row, max, input, least);
  const headroom = Math.clz32(sum);
  const factor = oneOverOnePlus(sum * 2 ** headroom - 2 ** 31);
  const low = -(2 ** (bits - 1));
  return row.map((x) => {
    if (x - max < least) return low;
    const product = highMul(factor, exp(scaled(x - max, input), 5));
    return clamp(divideByPowerOf2(product, 12 - headroom + 31 - bits) + low, low, -1 - low);
  });
}
