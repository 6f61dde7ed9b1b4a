/**
 * ADD, SUB, MUL: y = activation(a ∘ b). SQUARED_DIFFERENCE: y = (a − b)². All broadcast.
 *
 * Types: FLOAT32, INT8, INT16, INT32, the same for all operands.
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
  powerOf2,
} from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation, Tensor } from '../lib/graph';
import { ADD_OPTIONS, MUL_OPTIONS, SUB_OPTIONS } from '../lib/schema';
import { describe } from '../lib/tensor';
import {
  Binary,
  binaryOperands,
  broadcastWalk,
  expectScales,
  expectUnquantized,
  rowOffset,
} from './broadcast';

const TYPES = 'FLOAT32 INT8 INT16 INT32';

/** The lower 32 bits of a product of int32. */
export function multiplyInt32(a: number, b: number): number {
  return ((((a >> 16) * b) << 16) + (a & 65535) * b) | 0;
}

/** Kernel: y = clamp(a + sign · b); INT32, with infinite bounds, wraps around where it is stored. */
export function add(
  a: Float32Array | Int32Array,
  b: Float32Array | Int32Array,
  y: Float32Array | Int32Array,
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
  // numbers for certain: else V8 boxes every result
  min = +min;
  max = +max;
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
  min = +min;
  max = +max;
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

/** Kernel: y = a · b, wrapped to 32 bits. */
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
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi)
        y[k] = multiplyInt32(a[i], b[j]);
    }
  }
}

/** Kernel: clamps n elements where they are. */
export function clampInt32(y: Int32Array, n: number, min: number, max: number): void {
  for (let i = 0; i < n; i++) if (y[i] < min || y[i] > max) y[i] = y[i] < min ? min : max;
}

/**
 * Kernel, INT8 or INT16: both inputs are brought to one scale, added, with `square` 1 squared, and brought to the output's
 * scale. TFLM computes mbqm((x − zero) << L, multiplier, shift) for each, of which the first rounding is that of
 * (x − zero) · factor with factor = multiplier / 2^(31 − L): the product is exact in a double. For a, the input of the
 * larger scale, the ratio is ½ and there is no second rounding; that of b, by bShift bits, adds `half`, less `one` if
 * negative.
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
  aFactor: number,
  bZero: number,
  bFactor: number,
  half: number,
  one: number,
  bShift: number,
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
        const u = Math.floor((b[j] - bZero) * bFactor + 0.5);
        const d =
          Math.floor((a[i] - aZero) * aFactor + 0.5) + sign * ((u + half - ((u >>> 31) & one)) >> bShift);
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

function expectZeroPoint0(o: Binary, p: Preparation): void {
  const tensors = [o.a, o.b, o.y];
  for (let i = 0; i < 3; i++) {
    if (tensors[i].zeroPoint)
      p.fail('the zero point of ' + describe(tensors[i]) + ' must be 0, but it is ' + tensors[i].zeroPoint);
  }
}

/** Emits the clamping of an INT32 output by a fused activation. */
export function clampOutput(y: Tensor, activation: number, p: Preparation): void {
  const range = int32ActivationRange(activation);
  if (activation > 0 && activation < 4) p.step(clampInt32, [y, y.length, range.min, range.max]);
}

/**
 * Emits addQuantized. `left` is by how many bits inputs are shifted to the left before they are scaled; as TFLM, a SUB
 * computes its ratios in float32.
 */
function addScaled(
  o: Binary,
  left: number,
  sign: number,
  square: number,
  activation: number,
  p: Preparation,
): void {
  expectScales(o, p);
  const swapped = o.b.scale > o.a.scale;
  const a = swapped ? o.b : o.a;
  const b = swapped ? o.a : o.b;
  const twice = 2 * a.scale;
  const wide = powerOf2(left) * o.y.scale;
  const single = sign < 0 && !square;
  const ratio = square ? (twice * twice) / (powerOf2(left) * wide) : twice / wide;
  const qb = quantizeMultiplier(single ? fround(b.scale / twice) : b.scale / twice);
  const q = quantizeMultiplier(single ? fround(ratio) : ratio);
  const half = powerOf2(-qb.shift - 1);
  const range = activationRange(activation, o.y);
  const args: Argument[] = [a, b, o.y];
  p.step(
    addQuantized,
    args.concat(broadcastWalk([a.shape, b.shape], o.y.shape) as Argument[], [
      a.zeroPoint,
      (swapped && !square ? sign : 1) * powerOf2(left - 1),
      b.zeroPoint,
      qb.multiplier * powerOf2(left - 31),
      half < 1 ? 0 : half,
      half < 1 ? 0 : 1,
      0 - qb.shift,
      swapped && !square ? 1 : sign,
      square,
      q.multiplier,
      q.shift,
      o.y.zeroPoint,
      range.min,
      range.max,
    ]),
  );
}

function prepareSum(node: Node, p: Preparation, table: string, sign: number): void {
  const o = binaryOperands(node, TYPES, '', p);
  const activation = p.options(table).fused_activation_function as number;
  if (o.a.type === 'FLOAT32') {
    const range = floatActivationRange(activation);
    p.step(add, o.args.concat([sign, range.min, range.max]));
  } else if (o.a.type === 'INT32') {
    expectUnquantized(o, p);
    p.step(add, o.args.concat([sign, -Infinity, Infinity]));
    if (sign < 0) clampOutput(o.y, activation, p);
  } else addScaled(o, o.a.type === 'INT8' ? 20 : 15, sign, 0, activation, p);
}

function prepareAdd(node: Node, p: Preparation): void {
  prepareSum(node, p, ADD_OPTIONS, 1);
}

function prepareSub(node: Node, p: Preparation): void {
  prepareSum(node, p, SUB_OPTIONS, -1);
}

function prepareMul(node: Node, p: Preparation): void {
  const o = binaryOperands(node, TYPES, '', p);
  const activation = p.options(MUL_OPTIONS).fused_activation_function as number;
  if (o.a.type === 'FLOAT32') {
    const range = floatActivationRange(activation);
    p.step(mulFloat32, o.args.concat([range.min, range.max]));
  } else if (o.a.type === 'INT32') {
    p.step(mulInt32, o.args);
    clampOutput(o.y, activation, p);
  } else {
    expectScales(o, p);
    if (o.a.type === 'INT16') expectZeroPoint0(o, p);
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
  const y = o.y;
  if (o.a.type === 'INT8') addScaled(o, 7, -1, 1, 0, p);
  else if (o.a.type === 'INT16') {
    expectZeroPoint0(o, p);
    addScaled(o, 0, -1, 1, 0, p);
  } else {
    const square: Argument[] = [y, y, y];
    const walk = broadcastWalk([y.shape, y.shape], y.shape) as Argument[];
    p.step(add, o.args.concat([-1, -Infinity, Infinity]));
    if (y.type === 'INT32') p.step(mulInt32, square.concat(walk));
    else p.step(mulFloat32, square.concat(walk, [-Infinity, Infinity]));
  }
}

export const arithmeticOperators: Operators = { ADD: prepareAdd, SUB: prepareSub, MUL: prepareMul };

export const squaredDifferenceOperators: Operators = { SQUARED_DIFFERENCE: prepareSquaredDifference };
