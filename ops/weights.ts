/** What operators with weights share at prepare: bias, multipliers, weights of four bits. */
import { activationRange, floatActivationRange, fround, quantizeMultiplier } from '../lib/fixedpoint';
import { Argument, Preparation, Tensor, TypedArray } from '../lib/graph';
import { describe } from '../lib/tensor';
import { expectQuantized, expectType } from './checks';
import { Correlation } from './correlation';

/** Fails unless the bias is of one of the types and has an element for each unit. */
export function checkBias(c: Correlation, types: string, p: Preparation): void {
  if (!c.b) return;
  expectType(c.b, types, 'the bias', p);
  if (c.b.length !== c.units)
    p.fail('the bias must have ' + c.units + ' elements, but it is ' + describe(c.b));
}

/** The bias, or zeros. */
export function biasOf(c: Correlation): Argument {
  return c.b || (c.x.type === 'FLOAT32' ? new Float32Array(c.units) : new Int32Array(c.units));
}

/** Signed weights of four bits, two to a byte, low half first. */
export function unpackInt4(packed: TypedArray, length: number): Int8Array {
  const values = new Int8Array(length);
  for (let i = 0; i < length; i++) values[i] = (packed[i >> 1] << (i & 1 ? 24 : 28)) >> 28;
  return values;
}

/** Weights as the int8 kernels take them; INT4 ones are unpacked, once. */
export function weightsAsInt8(w: Tensor, p: Preparation): Argument {
  if (w.type !== 'INT4') return w;
  if (!w.constant) p.fail('INT4 weights must be constant, but ' + describe(w) + ' is computed');
  return unpackInt4(w.data as TypedArray, w.length);
}

/**
 * Multipliers and shifts from the accumulators' scale to the output's, one for each unit, as two arrays.
 * @param product how the scales of input and weights are multiplied: in float32, or in double
 */
export function multipliersOf(
  c: Correlation,
  product: 'float32' | 'double',
  p: Preparation,
): [Int32Array, Int8Array] {
  expectQuantized(c.x, 'the input', p);
  expectQuantized(c.w, 'the weights', p);
  expectQuantized(c.y, 'the output', p);
  const scales = c.w.scales as number[];
  if (scales.length !== 1 && scales.length !== c.units)
    p.fail(
      'the weights must have 1 or ' + c.units + ' scales, but ' + describe(c.w) + ' has ' + scales.length,
    );
  const multipliers = new Int32Array(c.units);
  const shifts = new Int8Array(c.units);
  for (let unit = 0; unit < c.units; unit++) {
    const both = c.x.scale * scales[scales.length > 1 ? unit : 0];
    const q = quantizeMultiplier((product === 'float32' ? fround(both) : both) / c.y.scale);
    multipliers[unit] = q.multiplier;
    shifts[unit] = q.shift;
  }
  return [multipliers, shifts];
}

/** Bounds of the output's stored values. */
export function rangeOf(c: Correlation): { min: number; max: number } {
  return c.y.type === 'FLOAT32' ? floatActivationRange(c.activation) : activationRange(c.activation, c.y);
}

/**
 * Scaling in double arithmetic, which kernels write out instead of calling `requantize`: for a sum s of unit k
 *     v = (s · multipliers[k] · powers[k] + offsets[2k + (s < 0)]) | 0
 * is what the result lies above `min`. mbqm(s, m, −e) is floor(s · m / 2^(31+e) + ½ ± 2^(−e−1)), plus for s ≥ 0, minus
 * below. With 0 < e < 22 − bits of the output all is exact in 53 bits where nothing is cut off, and what is cut off stays
 * so. Any other unit has an offset of 10⁹, so that it is always too large: what is goes to `requantize`.
 */
export function doubleScaling(
  shifts: ArrayLike<number>,
  zeroPoint: number,
  min: number,
  bits: number,
): [Float32Array, Float32Array] {
  const powers = new Float32Array(shifts.length);
  const offsets = new Float32Array(2 * shifts.length);
  const middle = zeroPoint - min + 0.5;
  for (let k = 0; k < shifts.length; k++) {
    const e = -shifts[k];
    const half = e > 0 && e < 22 - bits ? 0.5 / (1 << e) : 0;
    powers[k] = half / 1073741824;
    offsets[2 * k] = half ? middle + half : 1e9;
    offsets[2 * k + 1] = half ? middle - half : 1e9;
  }
  return [powers, offsets];
}

/** The last arguments of an int8 correlation's kernel: `doubleScaling`, zero points of input and output, bounds. */
export function int8End(c: Correlation, shifts: Int8Array): Argument[] {
  const range = rangeOf(c);
  const zero = c.y.zeroPoint;
  const end: Argument[] = doubleScaling(shifts, zero, range.min, 8);
  return end.concat([c.x.zeroPoint, zero, range.min, range.max]);
}
