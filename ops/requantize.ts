/** From one scale and zero point to another. */
import { mbqm, quantizeMultiplier, typeRange } from '../lib/fixedpoint';
import { Argument, Preparation, TypedArray } from '../lib/graph';
import { describe } from '../lib/tensor';
import { Unary } from './lookup';

/** Kernel: y = clamp((x − zero) · multiplier + yZero), between integers of any types. x and y may be the same array. */
export function requantize(
  x: TypedArray,
  y: TypedArray,
  n: number,
  zero: number,
  multiplier: number,
  shift: number,
  yZero: number,
  min: number,
  max: number,
): void {
  for (let i = 0; i < n; i++) {
    const v = mbqm(x[i] - zero, multiplier, shift) + yZero;
    y[i] = v < min ? min : v > max ? max : v;
  }
}

/** Kernel: clamps numbers of any type. x and y may be the same array. */
export function clamp(x: TypedArray, y: TypedArray, n: number, min: number, max: number): void {
  // numbers for certain: else V8 boxes every result
  min = +min;
  max = +max;
  for (let i = 0; i < n; i++) {
    const v = x[i];
    y[i] = v < min ? min : v > max ? max : v;
  }
}

/**
 * Parameters of kernels that multiply by `d` on the way from x to y: x's zero point, multiplier, shift, y's zero point,
 * smallest and largest stored value of y.
 */
export function scaleParameters(o: Unary, d: number): Argument[] {
  const q = quantizeMultiplier(d);
  const range = typeRange(o.y.type);
  return [o.x.zeroPoint, q.multiplier, q.shift, o.y.zeroPoint, range.min, range.max];
}

/** Fails unless INT16 operands have a zero point of 0. */
export function expectSymmetricInt16(o: Unary, p: Preparation): void {
  for (let i = 0; i < 2; i++) {
    const tensor = i ? o.y : o.x;
    if (tensor.type === 'INT16' && tensor.zeroPoint)
      p.fail('the zero point of ' + describe(tensor) + ' must be 0, but it is ' + tensor.zeroPoint);
  }
}
