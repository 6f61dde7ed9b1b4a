/** What operators with weights share at prepare: bias, multipliers, weights of four bits, other combinations of types. */
import { activationRange, floatActivationRange, fround, quantizeMultiplier } from '../lib/fixedpoint';
import { Argument, Preparation, Tensor, TypedArray } from '../lib/graph';
import { describe } from '../lib/tensor';
import { expectQuantized, expectType } from './checks';

/**
 * A sum of products of inputs and weights for each output, in the most general form: CONV_2D with groups,
 * DEPTHWISE_CONV_2D (a group for each channel), TRANSPOSE_CONV and FULLY_CONNECTED (one place, one tap).
 *
 * Output (oy, ox, unit) sums over taps (ky, kx) and i < filterDepth
 *     x[iy, ix, ⌊unit / unitsPerGroup⌋ · filterDepth + i] · w[unit · wUnit + (ky · filterWidth + kx) · wTap + i]
 * with iy = (oy · strideY − padY + ky · dilationY) / divideY where that is a whole number within the image, ix likewise.
 */
export interface Correlation {
  x: Tensor;
  w: Tensor;
  b: Tensor | null;
  y: Tensor;
  /** Fused activation. */
  activation: number;
  batches: number;
  height: number;
  width: number;
  depth: number;
  outHeight: number;
  outWidth: number;
  units: number;
  unitsPerGroup: number;
  filterHeight: number;
  filterWidth: number;
  filterDepth: number;
  strideY: number;
  strideX: number;
  padY: number;
  padX: number;
  dilationY: number;
  dilationX: number;
  divideY: number;
  divideX: number;
  wUnit: number;
  wTap: number;
  /** The operator's name and version, and what only some of them have. */
  op: string;
  version: number;
  /** quantized_bias_type: the accumulator's type when there is no bias. */
  biasType: number;
  asymmetric: boolean;
}

/**
 * Prepares a correlation of types that an operator does not take itself; false when these are not its types either.
 * Families of operators are made with a list of these, so that a build may leave rare types out.
 */
export type OtherTypes = (c: Correlation, p: Preparation) => boolean;

/** Lets the other types have a correlation, and fails if none of them takes it. */
export function prepareOthers(c: Correlation, others: OtherTypes[], p: Preparation): void {
  for (let i = 0; i < others.length; i++) if (others[i](c, p)) return;
  p.fail(
    'no kernel takes ' +
      c.x.type +
      ' input with ' +
      c.w.type +
      ' weights and ' +
      c.y.type +
      ' output: expected FLOAT32 for all, INT8 input with INT8 or INT4 weights, or INT16 input with INT8 weights',
  );
}

/** The geometry as the general kernels take it. */
export function correlationArguments(c: Correlation): Argument[] {
  return [
    c.batches,
    c.height,
    c.width,
    c.depth,
    c.outHeight,
    c.outWidth,
    c.units,
    c.unitsPerGroup,
    c.filterHeight,
    c.filterWidth,
    c.filterDepth,
    c.strideY,
    c.strideX,
    c.padY,
    c.padX,
    c.dilationY,
    c.dilationX,
    c.divideY,
    c.divideX,
    c.wUnit,
    c.wTap,
  ];
}

/** Whether input, weights and output are of these types. */
export function typesAre(c: Correlation, x: string, w: string, y: string): boolean {
  return c.x.type === x && w.split(' ').indexOf(c.w.type) >= 0 && c.y.type === y;
}

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
