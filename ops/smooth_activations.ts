/**
 * ELU: x where it is not negative, else exp(x) − 1. HARD_SWISH: x · relu6(x + 3) / 6. GELU: x · Φ(x), exactly or
 * `approximate`ly by tanh. PRELU (x, alpha): x where it is not negative, else x · alpha; alpha broadcasts.
 *
 * ELU, HARD_SWISH: FLOAT32, INT8. GELU: FLOAT32, INT8, UINT8. PRELU: FLOAT32; INT8 and INT16 with INT8 alpha.
 * As TFLM: HARD_SWISH INT8 wants an input scale of at most 128 times the output's. TFLM has no GELU: as TFLite.
 */
import { fround, mbqm, quantizeMultiplier, rdpot, typeRange, powerOf2 } from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation, TypedArray } from '../lib/graph';
import { GELU_OPTIONS } from '../lib/schema';
import { broadcastWalk, refuseShapes, rowOffset } from './broadcast';
import { expectQuantized, expectType, input, output } from './checks';
import { tanh } from './gates';
import { emitFloatTable, emitUnary, sameTypeOperands } from './lookup';

/** Kernel. */
export function eluFloat32(x: Float32Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const v = x[i];
    y[i] = v < -0.000001 ? Math.exp(v) - 1 : v;
  }
}

function prepareElu(node: Node, p: Preparation): void {
  const o = sameTypeOperands(node, 'FLOAT32 INT8', p);
  if (o.x.type === 'FLOAT32') p.step(eluFloat32, [o.x, o.y, o.x.length]);
  else
    emitFloatTable(
      function (x: number): number {
        return x < 0 ? fround(Math.exp(x)) - 1 : x;
      },
      o,
      p,
    );
}

/** Kernel. */
export function hardSwishFloat32(x: Float32Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const v = x[i];
    y[i] = (v * (v > 3 ? 6 : v > -3 ? v + 3 : 0)) / 6;
  }
}

/** Saturates to int16. */
function int16(x: number): number {
  return x > 32767 ? 32767 : x < -32768 ? -32768 : x;
}

/** Rounding doubling high multiply of int16: (a · b + 2¹⁴) >> 15. */
function high16(a: number, b: number): number {
  return int16((a * b + 16384) >> 15);
}

/** Rounding division of an int16 by 2^e; from 2^16 on ±1, as TFLM's 16-bit mask makes it. */
function divide16(x: number, e: number): number {
  return e < 16 ? rdpot(x, e) : x < 0 ? -1 : 1;
}

/** Kernel: the fixed-point formula of TFLM's kernels/internal/reference/hard_swish.h. */
export function hardSwishInt8(
  x: Int8Array,
  y: Int8Array,
  n: number,
  zero: number,
  multiplier: number,
  shift: number,
  reluMultiplier: number,
  reluShift: number,
  yZero: number,
): void {
  for (let i = 0; i < n; i++) {
    const d = (x[i] - zero) * 128;
    let relu = d;
    if (reluShift > 0) relu = int16(relu * powerOf2(reluShift - 1));
    relu = high16(relu, reluMultiplier);
    if (reluShift > 0) relu = int16(relu * 2);
    if (reluShift < 0) relu = divide16(relu, -reluShift);
    relu = (relu + 32768) >> 1;
    const product = relu * high16(d, multiplier);
    const v = divide16(product < 0 ? -(-product >> 15) : product >> 15, -shift) + yZero;
    y[i] = v < -128 ? -128 : v > 127 ? 127 : v;
  }
}

/** A multiplier of 31 bits rounded to 15. */
function downscale(multiplier: number): number {
  return multiplier >= 2147450879 ? 32767 : (multiplier + 32768) >> 16;
}

function prepareHardSwish(node: Node, p: Preparation): void {
  const o = sameTypeOperands(node, 'FLOAT32 INT8', p);
  if (o.x.type === 'FLOAT32') {
    p.step(hardSwishFloat32, [o.x, o.y, o.x.length]);
    return;
  }
  const fine = o.x.scale / 128;
  const q = quantizeMultiplier(fround(fine / o.y.scale));
  const relu = quantizeMultiplier(fround(fine / (3 / 32768)));
  if (q.shift > 0) {
    p.fail(
      'the scale of the input, ' +
        o.x.scale +
        ', must be less than 128 times that of the output, ' +
        o.y.scale,
    );
  }
  emitUnary(
    hardSwishInt8,
    o,
    [o.x.zeroPoint, downscale(q.multiplier), q.shift, downscale(relu.multiplier), relu.shift, o.y.zeroPoint],
    p,
  );
}

/** The error function, to double precision: a series without cancellation. */
export function erf(x: number): number {
  if (x < 0) return -erf(-x);
  if (x > 6) return 1;
  let term = 1.1283791670955126 * x * Math.exp(-x * x);
  let sum = term;
  for (let n = 3; term > 1e-17 * sum; n += 2) {
    term *= (2 * x * x) / n;
    sum += term;
  }
  return sum;
}

/** x · Φ(x) for the normal distribution's Φ. */
export function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x * Math.SQRT1_2));
}

/** The same, approximately. */
export function geluTanh(x: number): number {
  return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
}

/** Kernel. */
export function geluFloat32(x: Float32Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = gelu(x[i]);
}

/** Kernel. */
export function geluTanhFloat32(x: Float32Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = geluTanh(x[i]);
}

function prepareGelu(node: Node, p: Preparation): void {
  const o = sameTypeOperands(node, 'FLOAT32 INT8 UINT8', p);
  const approximate = p.options(GELU_OPTIONS).approximate;
  if (o.x.type !== 'FLOAT32') emitFloatTable(approximate ? geluTanh : gelu, o, p);
  else p.step(approximate ? geluTanhFloat32 : geluFloat32, [o.x, o.y, o.x.length]);
}

/** Kernel; walks x and alpha as `broadcastWalk` says. */
export function preluFloat32(
  x: Float32Array,
  alpha: Float32Array,
  y: Float32Array,
  n: number,
  inner: number,
  xi: number,
  ai: number,
  mid: number,
  xm: number,
  am: number,
  outer: Int32Array,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += xm, q += am) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += xi, j += ai) {
        const v = x[i];
        y[k] = v >= 0 ? v : v * alpha[j];
      }
    }
  }
}

/** Kernel: the same, requantized. */
export function preluQuantized(
  x: TypedArray,
  alpha: Int8Array,
  y: TypedArray,
  n: number,
  inner: number,
  xi: number,
  ai: number,
  mid: number,
  xm: number,
  am: number,
  outer: Int32Array,
  zero: number,
  alphaZero: number,
  multiplier: number,
  shift: number,
  alphaMultiplier: number,
  alphaShift: number,
  yZero: number,
  min: number,
  max: number,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += xm, q += am) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += xi, j += ai) {
        const d = x[i] - zero;
        const v =
          (d < 0
            ? mbqm(d * (alpha[j] - alphaZero), alphaMultiplier, alphaShift)
            : mbqm(d, multiplier, shift)) + yZero;
        y[k] = v < min ? min : v > max ? max : v;
      }
    }
  }
}

function preparePrelu(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const alpha = input(node, 1, p);
  const y = output(node, 0, p);
  if (node.inputs.length !== 2) p.fail('it takes 2 inputs, but there are ' + node.inputs.length);
  expectType(x, 'FLOAT32 INT8 INT16', 'the input', p);
  expectType(alpha, x.type === 'FLOAT32' ? 'FLOAT32' : 'INT8', 'alpha', p);
  expectType(y, x.type, 'the output', p);
  const walk = broadcastWalk([x.shape, alpha.shape], y.shape) || refuseShapes([x, alpha], y, p);
  const args = ([x, alpha, y] as Argument[]).concat(walk);
  if (x.length === y.length) p.inPlace(x, y);
  if (x.type === 'FLOAT32') {
    p.step(preluFloat32, args);
    return;
  }
  expectQuantized(x, 'the input', p);
  expectQuantized(alpha, 'alpha', p);
  expectQuantized(y, 'the output', p);
  const q = quantizeMultiplier(x.scale / y.scale);
  const product = quantizeMultiplier((x.scale * alpha.scale) / y.scale);
  const range = typeRange(y.type);
  p.step(
    preluQuantized,
    args.concat([
      x.zeroPoint,
      alpha.zeroPoint,
      q.multiplier,
      q.shift,
      product.multiplier,
      product.shift,
      y.zeroPoint,
      range.min,
      range.max,
    ]),
  );
}

export const smoothActivationOperators: Operators = {
  ELU: prepareElu,
  HARD_SWISH: prepareHardSwish,
  GELU: prepareGelu,
  PRELU: preparePrelu,
};
