/**
 * TFLM's integer arithmetic as its sources state it, in BigInt: what kernels, which split products to stay within 53
 * bits, are compared with.
 */

const MIN = -2147483648n;

/** SaturatingRoundingDoublingHighMul. */
export function highMul(a: number, b: number): number {
  if (BigInt(a) === MIN && a === b) return 2147483647;
  const product = BigInt(a) * BigInt(b);
  // BigInt division truncates, as C's does
  return Number((product + (product >= 0n ? 1n << 30n : 1n - (1n << 30n))) / (1n << 31n));
}

/** RoundingDivideByPOT. */
export function divideByPowerOf2(x: number, exponent: number): number {
  const mask = (1n << BigInt(exponent)) - 1n;
  const remainder = BigInt(x) & mask;
  const threshold = (mask >> 1n) + (x < 0 ? 1n : 0n);
  return Number((BigInt(x) >> BigInt(exponent)) + (remainder > threshold ? 1n : 0n));
}

export interface Multiplier {
  m: number;
  shift: number;
}

/** QuantizeMultiplier. */
export function multiplierOf(real: number): Multiplier {
  if (real === 0) return { m: 0, shift: 0 };
  let shift = -40;
  while (real / 2 ** shift >= 1) shift++;
  let m = Math.round((real / 2 ** shift) * 2 ** 31);
  if (m === 2 ** 31) {
    m /= 2;
    shift++;
  }
  return shift < -31 ? { m: 0, shift: 0 } : { m, shift };
}

/** MultiplyByQuantizedMultiplier for int32. */
export function scaled(x: number, { m, shift }: Multiplier): number {
  return divideByPowerOf2(
    highMul(Number(BigInt.asIntN(32, BigInt(x) << BigInt(Math.max(shift, 0)))), m),
    Math.max(-shift, 0),
  );
}

export function clamp(x: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, x));
}
