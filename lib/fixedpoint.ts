/**
 * The integer arithmetic that all quantized kernels share: TFLM's reference arithmetic with double rounding
 * (tensorflow/lite/kernels/internal/common.h, quantization_util.cc), in numbers of at most 53 bits.
 * No Math.imul, fround, clz32: Espruino has none of them.
 */
import { Tensor } from './graph';

const float = new Float32Array(1);

/** Rounds to float32. */
export function fround(x: number): number {
  float[0] = x;
  return float[0];
}

/** 2^e, exactly: Espruino's Math.pow is off in the last bits. */
export function powerOf2(e: number): number {
  if (e < 0) return 1 / powerOf2(-e);
  return e < 31 ? 1 << e : 1073741824 * powerOf2(e - 30);
}

/** Rounds half away from zero, as C's round(); Math.round takes −2.5 to −2, on Espruino to −3. */
export function roundAway(x: number): number {
  return x < 0 ? -Math.floor(0.5 - x) : Math.floor(x + 0.5);
}

/**
 * Saturating rounding doubling high multiply: (a·b + 2³⁰) >> 31 for int32 a and b. The 64-bit product does not fit
 * a double, so b is split into 16 high and 16 low bits.
 */
export function srdhm(a: number, b: number): number {
  if (a === -2147483648 && b === a) return 2147483647;
  return Math.floor((a * (b >> 16) + Math.floor((a * (b & 65535) + 1073741824) / 65536)) / 32768);
}

/**
 * Rounding division of an int32 by 2^e, ties away from zero; 0 ≤ e ≤ 31.
 * Without branches: whether to round up is as good as random, and a branch on it costs more than all the rest.
 */
export function rdpot(x: number, e: number): number {
  const mask = ~(-1 << e);
  return ((x >> e) + (((x & mask) + mask - (mask >> 1) - ((x >>> 31) & mask)) >>> e)) | 0;
}

/**
 * Multiplies an int32 by a quantized multiplier: x · multiplier · 2^(shift − 31), rounded twice as TFLM does:
 * rdpot(srdhm(x << max(shift, 0), multiplier), max(−shift, 0)).
 */
export function mbqm(x: number, multiplier: number, shift: number): number {
  if (shift > 0) return srdhm(x << shift, multiplier);
  if (x > 4194303 || x < -4194303) return rdpot(srdhm(x, multiplier), -shift);
  // the usual case, for every output of every integer kernel: the product fits a double, and nothing overflows
  const high = Math.floor((x * multiplier) / 2147483648 + 0.5) | 0;
  const mask = ~(-1 << -shift);
  return (high + mask - (mask >> 1) - ((high >>> 31) & mask)) >> -shift;
}

/**
 * The same for an int64 accumulator (int16 activations with int64 bias): the multiplier is reduced to 16 bits, and
 * there is a single rounding. x is an integer of at most 48 bits.
 */
export function mbqm64(x: number, multiplier: number, shift: number): number {
  const reduced = multiplier < 0x7fff0000 ? (multiplier + 32768) >> 16 : 0x7fff;
  const high = Math.floor(x / 1048576);
  const power = powerOf2(15 - shift);
  const low = (x - high * 1048576) * reduced + power / 2;
  if (power < 1048576) return high * reduced * (1048576 / power) + Math.floor(low / power);
  return Math.floor((high * reduced + Math.floor(low / 1048576)) / (power / 1048576));
}

/**
 * From an accumulator to a stored value: mbqm, plus the output's zero point, within min and max. Kernels write out
 * `doubleScaling` (ops/weights.ts) and come here with what that does not cover.
 */
export function requantize(
  x: number,
  multiplier: number,
  shift: number,
  zeroPoint: number,
  min: number,
  max: number,
): number {
  x = mbqm(x, multiplier, shift) + zeroPoint;
  return x < min ? min : x > max ? max : x;
}

/** A real multiplier as a 31-bit integer and a power of two: d = multiplier · 2^(shift − 31). */
export interface QuantizedMultiplier {
  multiplier: number;
  shift: number;
}

/** TFLM's QuantizeMultiplier: frexp, then round half away from zero; too small a multiplier becomes 0. */
export function quantizeMultiplier(d: number): QuantizedMultiplier {
  let shift = 0;
  let q = d < 0 ? -d : d;
  if (!(q > 0) || q === Infinity) return { multiplier: 0, shift: 0 };
  while (q >= 1) {
    q /= 2;
    shift++;
  }
  while (q < 0.5) {
    q *= 2;
    shift--;
  }
  q = Math.floor(q * 2147483648 + 0.5);
  if (q === 2147483648) {
    q /= 2;
    shift++;
  }
  if (shift < -31) return { multiplier: 0, shift: 0 };
  if (shift > 30) return { multiplier: d < 0 ? -2147483647 : 2147483647, shift: 30 };
  return { multiplier: d < 0 ? -q : q, shift: shift };
}

/** Number of leading zero bits of a uint32. */
export function clz(x: number): number {
  let n = 0;
  if (!x) return 32;
  while (!(x & 0x80000000)) {
    x <<= 1;
    n++;
  }
  return n;
}

/** Smallest and largest stored value of an integer type. */
export function typeRange(type: string): { min: number; max: number } {
  switch (type) {
    case 'INT8':
      return { min: -128, max: 127 };
    case 'UINT8':
      return { min: 0, max: 255 };
    case 'INT16':
      return { min: -32768, max: 32767 };
    default:
      return { min: -2147483648, max: 2147483647 };
  }
}

/**
 * Bounds of a fused activation (ActivationFunctionType 0 to 3) in the stored values of a quantized output:
 * zero point + round(bound / scale), in float32 as TFLM computes it. Other activations give the type's range.
 */
export function activationRange(activation: number, output: Tensor): { min: number; max: number } {
  const range = typeRange(output.type);
  if (activation === 1 || activation === 3) range.min = Math.max(range.min, quantized(0, output));
  if (activation === 2) {
    range.min = Math.max(range.min, quantized(-1, output));
    range.max = Math.min(range.max, quantized(1, output));
  }
  if (activation === 3) range.max = Math.min(range.max, quantized(6, output));
  return range;
}

function quantized(value: number, tensor: Tensor): number {
  return tensor.zeroPoint + roundAway(fround(value / tensor.scale));
}

const FLOAT_MAX = 3.4028234663852886e38;

/** Bounds of a fused activation for float outputs; without one they are ± the largest float, which ±Infinity becomes. */
export function floatActivationRange(activation: number): { min: number; max: number } {
  return activationBounds(activation, -FLOAT_MAX, FLOAT_MAX);
}

/** Bounds of a fused activation for INT32 outputs that stand for themselves. */
export function int32ActivationRange(activation: number): { min: number; max: number } {
  return activationBounds(activation, -2147483648, 2147483647);
}

function activationBounds(activation: number, min: number, max: number): { min: number; max: number } {
  return {
    min: activation === 1 || activation === 3 ? 0 : activation === 2 ? -1 : min,
    max: activation === 2 ? 1 : activation === 3 ? 6 : max,
  };
}
