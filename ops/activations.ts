/**
 * Activations: y = f(x), element by element.
 *
 * RELU: max(x, 0). RELU6: x between 0 and 6. LEAKY_RELU: x where it is not negative, else alpha · x. LOGISTIC, TANH.
 * These: FLOAT32, INT8, INT16. RELU_N1_TO_1, RELU_0_TO_1: FLOAT32, INT8, UINT8.
 * Input and output have the same type and shape. INT8 and UINT8 functions are tables of 256 entries.
 *
 * As TFLM: RELU6 of integers clamps stored values between the input's 0 and 6 and does not requantize; LOGISTIC INT8 wants
 * zero point −128 for its output and takes its scale for 1/256, TANH INT8 ignores its output's parameters and takes them for
 * 1/128 and 0; INT16 LOGISTIC and TANH interpolate a table and want a scale of 2^−15 for their outputs.
 */
import { fround, mbqm, quantizeMultiplier, rdpot, roundAway, typeRange } from '../lib/fixedpoint';
import { Argument, Node, Operators, Prepare, Preparation, TypedArray } from '../lib/graph';
import { LEAKY_RELU_OPTIONS } from '../lib/schema';
import {
  gateScale,
  powerOf,
  sigmoidFloat32,
  sigmoidInt16,
  sigmoidTable,
  tanh,
  tanhFloat32,
  tanhInt16,
} from './gates';
import { logisticQ4, tanhQ4 } from './gemmlowp';
import { emitUnary, sameTypeOperands, Unary } from './lookup';
import { clamp, expectSymmetricInt16, requantize, scaleParameters } from './requantize';

const TYPES = 'FLOAT32 INT8 INT16';

/** Stored value of a real number: round(value / scale) + zero point, in float32. */
function stored(value: number, o: Unary): number {
  return roundAway(fround(value / o.y.scale)) + o.y.zeroPoint;
}

/** Clamps between two real numbers, requantizing integers. */
function rectifier(low: number, high: number, types: string): Prepare {
  return function (node: Node, p: Preparation): void {
    const o = sameTypeOperands(node, types, p);
    if (o.x.type === 'FLOAT32') {
      p.step(clamp, [o.x, o.y, o.x.length, low, high]);
      return;
    }
    expectSymmetricInt16(o, p);
    const parameters = scaleParameters(o, fround(o.x.scale / o.y.scale));
    parameters[4] = Math.max(parameters[4] as number, stored(low, o));
    if (high < Infinity) parameters[5] = Math.min(parameters[5] as number, stored(high, o));
    emitUnary(requantize, o, parameters, p);
  };
}

function prepareRelu6(node: Node, p: Preparation): void {
  const o = sameTypeOperands(node, TYPES, p);
  const x = o.x;
  const six = x.type === 'FLOAT32' ? 6 : roundAway(fround(6 / x.scale)) + x.zeroPoint;
  emitUnary(clamp, o, [x.zeroPoint, x.type === 'FLOAT32' ? six : Math.min(six, typeRange(x.type).max)], p);
}

/** Kernel: x where it is not negative, else alpha · x. */
export function leakyReluFloat32(x: Float32Array, y: Float32Array, n: number, alpha: number): void {
  for (let i = 0; i < n; i++) {
    const v = x[i];
    y[i] = v > 0 ? v : v * alpha;
  }
}

/** Kernel: the same, requantized; the product with −alpha is subtracted where `sign` is −1. */
export function leakyReluQuantized(
  x: TypedArray,
  y: TypedArray,
  n: number,
  zero: number,
  multiplier: number,
  shift: number,
  yZero: number,
  min: number,
  max: number,
  alphaMultiplier: number,
  alphaShift: number,
  sign: number,
): void {
  for (let i = 0; i < n; i++) {
    const d = x[i] - zero;
    const v = (d < 0 ? sign * mbqm(d, alphaMultiplier, alphaShift) : mbqm(d, multiplier, shift)) + yZero;
    y[i] = v < min ? min : v > max ? max : v;
  }
}

function prepareLeakyRelu(node: Node, p: Preparation): void {
  const o = sameTypeOperands(node, TYPES, p);
  const alpha = p.options(LEAKY_RELU_OPTIONS).alpha as number;
  if (o.x.type === 'FLOAT32') {
    p.step(leakyReluFloat32, [o.x, o.y, o.x.length, alpha]);
    return;
  }
  const q = quantizeMultiplier(fround(fround(o.x.scale * (alpha < 0 ? -alpha : alpha)) / o.y.scale));
  const parameters = scaleParameters(o, fround(o.x.scale / o.y.scale));
  emitUnary(leakyReluQuantized, o, parameters.concat([q.multiplier, q.shift, alpha < 0 ? -1 : 1]), p);
}

/** What `logisticInt8` and `tanhInt8` need to bring an input to Q4. */
function q4Parameters(o: Unary): Argument[] {
  const d = o.x.scale * 134217728;
  const q = quantizeMultiplier(d);
  let power = 1;
  while (power <= d) power *= 2;
  return [o.x.zeroPoint, Math.floor(2013265920 / power), q.multiplier, q.shift, o.x.scale];
}

// The fixed-point functions are within 2e-5 output steps of the real ones, which on a chip are a hundred times as fast:
// they are asked only where rounding might differ.

/** Kernel: 1 / (1 + exp(−x)) with scale 1/256; from ±radius on it is saturated. */
export function logisticInt8(
  x: Int8Array,
  y: Int8Array,
  n: number,
  zero: number,
  radius: number,
  multiplier: number,
  shift: number,
  scale: number,
): void {
  for (let i = 0; i < n; i++) {
    const d = x[i] - zero;
    const real = 256 / (1 + Math.exp(-scale * d));
    let v = Math.floor(real + 0.5);
    if (Math.abs(real - v) > 0.499) v = rdpot(logisticQ4(mbqm(d, multiplier, shift)), 23);
    y[i] = d <= -radius ? -128 : d >= radius || v > 255 ? 127 : v - 128;
  }
}

/** Kernel: tanh with scale 1/128; from ±radius on it is saturated. */
export function tanhInt8(
  x: Int8Array,
  y: Int8Array,
  n: number,
  zero: number,
  radius: number,
  multiplier: number,
  shift: number,
  scale: number,
): void {
  for (let i = 0; i < n; i++) {
    const d = x[i] - zero;
    const real = 128 * tanh(scale * d);
    let v = Math.floor(real + 0.5);
    if (Math.abs(real - v) > 0.499) v = rdpot(tanhQ4(mbqm(d, multiplier, shift)), 24);
    y[i] = d <= -radius ? -128 : d >= radius || v > 127 ? 127 : v;
  }
}

/** Emits the table's kernel for INT16; `maxShift` as in `gateScale`. */
function emitGate(kernel: typeof sigmoidInt16, maxShift: number, o: Unary, p: Preparation): void {
  expectSymmetricInt16(o, p);
  if (powerOf(o.y.scale) !== -15) p.fail('the scale of the output must be 2^-15, but it is ' + o.y.scale);
  const scale = gateScale(o.x.scale, maxShift);
  p.step(kernel, [o.x, o.y, sigmoidTable(), o.x.length, scale.multiplier, scale.shift]);
}

function prepareLogistic(node: Node, p: Preparation): void {
  const o = sameTypeOperands(node, TYPES, p);
  if (o.x.type === 'FLOAT32') p.step(sigmoidFloat32, [o.x, o.y, o.x.length]);
  else if (o.x.type === 'INT16') emitGate(sigmoidInt16, 0, o, p);
  else {
    if (o.y.zeroPoint !== -128)
      p.fail('the zero point of the output must be -128, but it is ' + o.y.zeroPoint);
    emitUnary(logisticInt8, o, q4Parameters(o), p);
  }
}

function prepareTanh(node: Node, p: Preparation): void {
  const o = sameTypeOperands(node, TYPES, p);
  if (o.x.type === 'FLOAT32') p.step(tanhFloat32, [o.x, o.y, o.x.length]);
  else if (o.x.type === 'INT16') emitGate(tanhInt16, 1, o, p);
  else emitUnary(tanhInt8, o, q4Parameters(o), p);
}

/** RELU and its kind. */
export const reluOperators: Operators = {
  RELU: /* @__PURE__ */ rectifier(0, Infinity, TYPES),
  RELU_N1_TO_1: /* @__PURE__ */ rectifier(-1, 1, 'FLOAT32 INT8 UINT8'),
  RELU_0_TO_1: /* @__PURE__ */ rectifier(0, 1, 'FLOAT32 INT8 UINT8'),
  RELU6: prepareRelu6,
};

export const leakyReluOperators: Operators = { LEAKY_RELU: prepareLeakyRelu };

/** The activations of gates. */
export const sigmoidOperators: Operators = { LOGISTIC: prepareLogistic, TANH: prepareTanh };
