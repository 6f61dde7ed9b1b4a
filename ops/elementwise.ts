/**
 * y = f(x), element by element: COS, SIN, EXP, LOG, SQRT, SQUARE, CEIL, FLOOR, ROUND (to even): FLOAT32.
 * NEG, SIGN: FLOAT32 and INT32. LOGICAL_NOT: BOOL.
 * ABS: FLOAT32, INT32, INT8, INT16, where INT16 may lack a scale. RSQRT: FLOAT32, INT8, INT16.
 * Input and output have the same shape, of any number of dimensions.
 * As TFLM: quantized ABS computes the ratio of scales in float32; quantized RSQRT gives the type's largest value for 0
 * and throws for what lies below the zero point.
 */
import { fround, mbqm } from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation, TypedArray } from '../lib/graph';
import { input } from './checks';
import { inverseSqrt } from './gemmlowp';
import { elementwise, emitUnary, sameTypeOperands } from './lookup';
import { expectSymmetricInt16, scaleParameters } from './requantize';

// All kernels: x and y may be the same array of n elements.

/** Kernel. */
export function cosFloat32(x: Float32Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = Math.cos(x[i]);
}

/** Kernel. */
export function sinFloat32(x: Float32Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = Math.sin(x[i]);
}

/** Kernel. */
export function expFloat32(x: Float32Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = Math.exp(x[i]);
}

/** Kernel: natural logarithm. */
export function logFloat32(x: Float32Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = Math.log(x[i]);
}

/** Kernel. */
export function sqrtFloat32(x: Float32Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = Math.sqrt(x[i]);
}

/** Kernel: 1 / √x. */
export function rsqrtFloat32(x: Float32Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = 1 / Math.sqrt(x[i]);
}

/** Kernel. */
export function squareFloat32(x: Float32Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = x[i] * x[i];
}

/** Kernel. */
export function ceilFloat32(x: Float32Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = Math.ceil(x[i]);
}

/** Kernel. */
export function floorFloat32(x: Float32Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = Math.floor(x[i]);
}

/** Kernel: rounds halves to even. */
export function roundFloat32(x: Float32Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const below = Math.floor(x[i]);
    const rest = x[i] - below;
    y[i] = rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1;
  }
}

/** Kernel: −x; INT32 wraps. */
export function negate(x: TypedArray, y: TypedArray, n: number): void {
  for (let i = 0; i < n; i++) y[i] = -x[i];
}

/** Kernel: |x|; integers wrap. */
export function absolute(x: TypedArray, y: TypedArray, n: number): void {
  for (let i = 0; i < n; i++) y[i] = Math.abs(x[i]);
}

/** Kernel: −1, 0 or 1. */
export function signOf(x: TypedArray, y: TypedArray, n: number): void {
  for (let i = 0; i < n; i++) y[i] = x[i] < 0 ? -1 : x[i] > 0 ? 1 : 0;
}

/** Kernel: BOOL. */
export function logicalNot(x: Uint8Array, y: Uint8Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = x[i] ? 0 : 1;
}

/** Kernel: |x − zero|, requantized. */
export function absoluteQuantized(
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
    const v = mbqm(Math.abs(x[i] - zero), multiplier, shift) + yZero;
    y[i] = v < min ? min : v > max ? max : v;
  }
}

/** Kernel: 1 / √(x − zero), requantized; the largest value for 0. */
export function rsqrtQuantized(
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
    const d = x[i] - zero;
    if (d < 0) throw new Error('a root of a negative number: ' + x[i] + ' is below the zero point ' + zero);
    const root = inverseSqrt(d);
    const v = mbqm(mbqm(1, Math.floor(root / 32), 20 - (root & 31)), multiplier, shift - 20) + yZero;
    y[i] = !d || v > max ? max : v < min ? min : v;
  }
}

const prepareAbsolute = /* @__PURE__ */ elementwise(absolute, 'FLOAT32 INT32 INT16');
const prepareRsqrtFloat = /* @__PURE__ */ elementwise(rsqrtFloat32, 'FLOAT32');

function prepareAbs(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  if (x.type === 'FLOAT32' || x.type === 'INT32' || (x.type === 'INT16' && !x.scales)) {
    prepareAbsolute(node, p);
    return;
  }
  const o = sameTypeOperands(node, 'FLOAT32 INT32 INT8 INT16', p);
  expectSymmetricInt16(o, p);
  emitUnary(absoluteQuantized, o, scaleParameters(o, fround(o.x.scale / o.y.scale)), p);
}

function prepareRsqrt(node: Node, p: Preparation): void {
  if (input(node, 0, p).type === 'FLOAT32') {
    prepareRsqrtFloat(node, p);
    return;
  }
  const o = sameTypeOperands(node, 'FLOAT32 INT8 INT16', p);
  expectSymmetricInt16(o, p);
  const scale = 1 / fround(fround(Math.sqrt(o.x.scale)) * o.y.scale);
  p.step(rsqrtQuantized, ([o.x, o.y, o.x.length] as Argument[]).concat(scaleParameters(o, scale)));
}

export const elementwiseOperators: Operators = {
  COS: /* @__PURE__ */ elementwise(cosFloat32, 'FLOAT32'),
  SIN: /* @__PURE__ */ elementwise(sinFloat32, 'FLOAT32'),
  EXP: /* @__PURE__ */ elementwise(expFloat32, 'FLOAT32'),
  LOG: /* @__PURE__ */ elementwise(logFloat32, 'FLOAT32'),
  SQRT: /* @__PURE__ */ elementwise(sqrtFloat32, 'FLOAT32'),
  RSQRT: prepareRsqrt,
  SQUARE: /* @__PURE__ */ elementwise(squareFloat32, 'FLOAT32'),
  CEIL: /* @__PURE__ */ elementwise(ceilFloat32, 'FLOAT32'),
  FLOOR: /* @__PURE__ */ elementwise(floorFloat32, 'FLOAT32'),
  ROUND: /* @__PURE__ */ elementwise(roundFloat32, 'FLOAT32'),
  NEG: /* @__PURE__ */ elementwise(negate, 'FLOAT32 INT32'),
  SIGN: /* @__PURE__ */ elementwise(signOf, 'FLOAT32 INT32'),
  ABS: prepareAbs,
  LOGICAL_NOT: /* @__PURE__ */ elementwise(logicalNot, 'BOOL'),
};
