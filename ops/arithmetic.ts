/**
 * ADD, SUB, MUL, SQUARED_DIFFERENCE: y = activation(a ∘ b), with broadcasting. ADD_N: the sum of any number of inputs.
 *
 * Types: FLOAT32, INT8, INT16, INT32, the same for all operands. SQUARED_DIFFERENCE has no activation.
 * As TFLM: INT32 wraps around, and takes no quantization; ADD ignores its fused activation there, SUB and MUL apply it.
 * FLOAT32 results beyond the largest float are clamped to it, NaN stays. The multipliers of a quantized SUB are computed
 * in float32, all others in double. INT16 MUL and SQUARED_DIFFERENCE take no zero points.
 */
import {
  activationRange,
  floatActivationRange,
  fround,
  int32ActivationRange,
  mbqm,
  quantizeMultiplier,
  rdpot,
  typeRange,
} from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation, Tensor } from '../lib/graph';
import { ADD_OPTIONS, MUL_OPTIONS, SUB_OPTIONS } from '../lib/schema';
import { describe } from '../lib/tensor';
import { Binary, binaryOperands, expectUnquantized, rowOffset } from './broadcast';
import { expectQuantized } from './checks';

const TYPES = 'FLOAT32 INT8 INT16 INT32';

/** The lower 32 bits of a product of int32. */
export function multiplyInt32(a: number, b: number): number {
  return ((((a >> 16) * b) << 16) + (a & 65535) * b) | 0;
}

/** Kernel: y = clamp(a + sign · b). */
export function addFloat32(
  a: Float32Array,
  b: Float32Array,
  y: Float32Array,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
  sign: number,
  min: number,
  max: number,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        const v = a[i] + sign * b[j];
        y[k] = v < min ? min : v > max ? max : v;
      }
    }
  }
}

/** Kernel: y = clamp(a · b). */
export function mulFloat32(
  a: Float32Array,
  b: Float32Array,
  y: Float32Array,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
  min: number,
  max: number,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        const v = a[i] * b[j];
        y[k] = v < min ? min : v > max ? max : v;
      }
    }
  }
}

/** Kernel: y = (a − b)². */
export function squaredDifferenceFloat32(
  a: Float32Array,
  b: Float32Array,
  y: Float32Array,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        const v = a[i] - b[j];
        y[k] = v * v;
      }
    }
  }
}

/** Kernel: y = clamp(a + sign · b), wrapped to 32 bits before it is clamped. */
export function addInt32(
  a: Int32Array,
  b: Int32Array,
  y: Int32Array,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
  sign: number,
  min: number,
  max: number,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        const v = (a[i] + sign * b[j]) | 0;
        y[k] = v < min ? min : v > max ? max : v;
      }
    }
  }
}

/** Kernel: y = clamp(a · b), or with `square` clamp((a − b)²), wrapped to 32 bits before it is clamped. */
export function mulInt32(
  a: Int32Array,
  b: Int32Array,
  y: Int32Array,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
  square: number,
  min: number,
  max: number,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        const x = square ? (a[i] - b[j]) | 0 : a[i];
        const v = multiplyInt32(x, square ? x : b[j]);
        y[k] = v < min ? min : v > max ? max : v;
      }
    }
  }
}

/**
 * Kernel, INT8 or INT16: both inputs are brought to one scale, added (`sign` −1: subtracted, `square` 1:
 * squared), and brought to the output's scale. An input's multiplier has at most 31 bits and x − z at most 17, so that the product is exact in a
 * double, and srdhm((x − z) << L, m) is floor(((x − z) · m + unit / 2) / unit) with unit = 2^(31 − L).
 */
export function addQuantized(
  a: Int8Array | Int16Array,
  b: Int8Array | Int16Array,
  y: Int8Array | Int16Array,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
  aZero: number,
  aMultiplier: number,
  aShift: number,
  bZero: number,
  bMultiplier: number,
  bShift: number,
  unit: number,
  sign: number,
  square: number,
  multiplier: number,
  shift: number,
  zeroPoint: number,
  min: number,
  max: number,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        const d =
          rdpot(Math.floor(((a[i] - aZero) * aMultiplier) / unit + 0.5), aShift) +
          sign * rdpot(Math.floor(((b[j] - bZero) * bMultiplier) / unit + 0.5), bShift);
        const v = mbqm(square ? d * d : d, multiplier, shift) + zeroPoint;
        y[k] = v < min ? min : v > max ? max : v;
      }
    }
  }
}

/** Kernel, INT8 or INT16: the product, requantized. */
export function mulQuantized(
  a: Int8Array | Int16Array,
  b: Int8Array | Int16Array,
  y: Int8Array | Int16Array,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
  aZero: number,
  bZero: number,
  multiplier: number,
  shift: number,
  zeroPoint: number,
  min: number,
  max: number,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        const v = mbqm((a[i] - aZero) * (b[j] - bZero), multiplier, shift) + zeroPoint;
        y[k] = v < min ? min : v > max ? max : v;
      }
    }
  }
}

function expectZeroPoint0(tensors: Tensor[], p: Preparation): void {
  for (let i = 0; i < tensors.length; i++) {
    if (tensors[i].zeroPoint)
      p.fail('the zero point of ' + describe(tensors[i]) + ' must be 0, but it is ' + tensors[i].zeroPoint);
  }
}

/**
 * The parameters of addQuantized from aZero to zeroPoint. `left` is by how many bits inputs are shifted to the left
 * before they are scaled, `single` whether the ratios are computed in float32.
 */
function commonScale(
  o: Binary,
  left: number,
  single: boolean,
  sign: number,
  square: number,
  p: Preparation,
): Argument[] {
  expectQuantized(o.a, 'input 0', p);
  expectQuantized(o.b, 'input 1', p);
  expectQuantized(o.y, 'the output', p);
  function round(x: number): number {
    return single ? fround(x) : x;
  }
  const twice = 2 * Math.max(o.a.scale, o.b.scale);
  const qa = quantizeMultiplier(round(o.a.scale / twice));
  const qb = quantizeMultiplier(round(o.b.scale / twice));
  const wide = Math.pow(2, left) * o.y.scale;
  const q = quantizeMultiplier(square ? (twice * twice) / (Math.pow(2, left) * wide) : round(twice / wide));
  return [
    o.a.zeroPoint,
    qa.multiplier,
    -qa.shift,
    o.b.zeroPoint,
    qb.multiplier,
    -qb.shift,
    Math.pow(2, 31 - left),
    sign,
    square,
    q.multiplier,
    q.shift,
    o.y.zeroPoint,
  ];
}

function prepareAddition(node: Node, p: Preparation, activation: number, sign: number): void {
  const o = binaryOperands(node, TYPES, '', p);
  if (o.a.type === 'FLOAT32') {
    const range = floatActivationRange(activation);
    p.step(addFloat32, o.args.concat([sign, range.min, range.max]));
  } else if (o.a.type === 'INT32') {
    expectUnquantized(sign < 0 ? [o.a, o.b, o.y] : [o.a, o.b], p);
    const range = sign < 0 ? int32ActivationRange(activation) : typeRange('INT32');
    p.step(addInt32, o.args.concat([sign, range.min, range.max]));
  } else {
    const scaling = commonScale(o, o.a.type === 'INT8' ? 20 : 15, sign < 0, sign, 0, p);
    const range = activationRange(activation, o.y);
    p.step(addQuantized, o.args.concat(scaling, [range.min, range.max]));
  }
}

function prepareAdd(node: Node, p: Preparation): void {
  prepareAddition(node, p, p.options(ADD_OPTIONS).fused_activation_function as number, 1);
}

function prepareSub(node: Node, p: Preparation): void {
  prepareAddition(node, p, p.options(SUB_OPTIONS).fused_activation_function as number, -1);
}

function prepareMul(node: Node, p: Preparation): void {
  const o = binaryOperands(node, TYPES, '', p);
  const activation = p.options(MUL_OPTIONS).fused_activation_function as number;
  if (o.a.type === 'FLOAT32') {
    const range = floatActivationRange(activation);
    p.step(mulFloat32, o.args.concat([range.min, range.max]));
  } else if (o.a.type === 'INT32') {
    const range = int32ActivationRange(activation);
    p.step(mulInt32, o.args.concat([0, range.min, range.max]));
  } else {
    expectQuantized(o.a, 'input 0', p);
    expectQuantized(o.b, 'input 1', p);
    expectQuantized(o.y, 'the output', p);
    if (o.a.type === 'INT16') expectZeroPoint0([o.a, o.b, o.y], p);
    const q = quantizeMultiplier((o.a.scale * o.b.scale) / o.y.scale);
    const range = activationRange(activation, o.y);
    p.step(
      mulQuantized,
      o.args.concat([
        o.a.zeroPoint,
        o.b.zeroPoint,
        q.multiplier,
        q.shift,
        o.y.zeroPoint,
        range.min,
        range.max,
      ]),
    );
  }
}

function prepareSquaredDifference(node: Node, p: Preparation): void {
  const o = binaryOperands(node, TYPES, '', p);
  const range = typeRange(o.y.type);
  if (o.a.type === 'FLOAT32') {
    p.step(squaredDifferenceFloat32, o.args);
  } else if (o.a.type === 'INT32') {
    p.step(mulInt32, o.args.concat([1, range.min, range.max]));
  } else {
    if (o.a.type === 'INT16') expectZeroPoint0([o.a, o.b, o.y], p);
    const scaling = commonScale(o, o.a.type === 'INT8' ? 7 : 0, false, -1, 1, p);
    p.step(addQuantized, o.args.concat(scaling, [range.min, range.max]));
  }
}

export const arithmeticOperators: Operators = {
  ADD: prepareAdd,
  SUB: prepareSub,
  MUL: prepareMul,
  SQUARED_DIFFERENCE: prepareSquaredDifference,
};
