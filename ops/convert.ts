/**
 * CAST: the same number in another type, as C converts it. QUANTIZE: real numbers, or stored ones of another
 * scale, to stored ones. DEQUANTIZE: stored numbers to real ones. Input and output have the same shape.
 *
 * CAST: from and to FLOAT32, INT8, INT16, INT32, UINT32, BOOL, UINT8, UINT16, INT64 (TFLM: none of the last three, no
 * BOOL output). Floats lose their fraction; what does not fit wraps (C leaves it undefined).
 * QUANTIZE: FLOAT32 to INT8, UINT8, INT16; INT8 to INT8, UINT8, INT16, INT32; UINT8 to INT8, UINT8; INT16 to INT8, INT16,
 * INT32; INT32 to INT8, INT16. Halves round away from zero, before the zero point is added.
 * DEQUANTIZE: INT8, UINT8, INT16, FLOAT16 to FLOAT32. As TFLM, the first of several scales counts for all. A constant
 * is converted once, when the model is loaded.
 */
import { fround, roundAway, typeRange, powerOf2 } from '../lib/fixedpoint';
import { Argument, Kernel, Node, Operators, Preparation, Tensor, TypedArray } from '../lib/graph';
import { describe, newArray, newTensor } from '../lib/tensor';
import { expectQuantized, expectType } from './checks';
import { emitUnary, unaryOperands } from './lookup';
import { requantize, scaleParameters } from './requantize';

const CAST_TYPES = 'FLOAT32 INT8 INT16 INT32 UINT32 BOOL UINT8 UINT16 INT64';

/** Kernel: numbers of one type to another, as typed arrays convert them. */
export function convertNumbers(x: TypedArray, y: TypedArray): void {
  y.set(x);
}

/** Kernel: BOOL; `words` is 2 for INT64. */
export function convertToBool(x: TypedArray, y: Uint8Array, n: number, words: number): void {
  for (let i = 0; i < n; i++) y[i] = x[i * words] !== 0 || x[(i + 1) * words - 1] !== 0 ? 1 : 0;
}

/** Kernel: INT64, as pairs of words. */
export function convertToInt64(x: TypedArray, y: Int32Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const v = x[i] < 0 ? Math.ceil(x[i]) : Math.floor(x[i]);
    y[2 * i] = v;
    y[2 * i + 1] = Math.floor(v / 4294967296);
  }
}

/** Kernel: from INT64; `whole` is 1 for integers, of which the low word is enough, and 0 for FLOAT32. */
export function convertFromInt64(x: Int32Array, y: TypedArray, n: number, whole: number): void {
  for (let i = 0; i < n; i++) y[i] = whole ? x[2 * i] : x[2 * i + 1] * 4294967296 + (x[2 * i] >>> 0);
}

function prepareCast(node: Node, p: Preparation): void {
  const o = unaryOperands(node, p);
  const from = o.x.type;
  const to = o.y.type;
  const n = o.x.length;
  expectType(o.x, CAST_TYPES, 'the input', p);
  expectType(o.y, CAST_TYPES, 'the output', p);
  const bits = from !== 'FLOAT32' && to !== 'FLOAT32' && to !== 'BOOL' && o.x.bytes === o.y.bytes;
  if (bits || from === to) {
    p.move(o.x, 0, o.y, 0, o.x.bytes);
  } else if (to === 'BOOL') p.step(convertToBool, [o.x, o.y, n, from === 'INT64' ? 2 : 1]);
  else if (to === 'INT64') p.step(convertToInt64, [o.x, o.y, n]);
  else if (from === 'INT64') p.step(convertFromInt64, [o.x, o.y, n, to === 'FLOAT32' ? 0 : 1]);
  else p.step(convertNumbers, [o.x, o.y]);
}

/** Kernel: y = clamp(round(x / scale) + zero), in float32. */
export function quantizeFloat32(
  x: Float32Array,
  y: TypedArray,
  n: number,
  scale: number,
  zero: number,
  min: number,
  max: number,
): void {
  for (let i = 0; i < n; i++) {
    const v = roundAway(fround(x[i] / scale)) + zero;
    y[i] = v < min ? min : v > max ? max : v;
  }
}

function prepareQuantize(node: Node, p: Preparation): void {
  const o = unaryOperands(node, p);
  const from = o.x.type;
  expectType(o.x, 'FLOAT32 INT8 UINT8 INT16 INT32', 'the input', p);
  expectType(
    o.y,
    from === 'FLOAT32'
      ? 'INT8 UINT8 INT16'
      : from === 'UINT8'
        ? 'INT8 UINT8'
        : 'INT8 INT16' + (from === 'INT32' ? '' : ' INT32') + (from === 'INT8' ? ' UINT8' : ''),
    'the output',
    p,
  );
  expectQuantized(o.y, 'the output', p);
  if ((o.y.scales as number[]).length > 1)
    p.fail(
      'the output must have one scale, but ' + describe(o.y) + ' has ' + (o.y.scales as number[]).length,
    );
  p.inPlace(o.x, o.y);
  if (from === 'FLOAT32') {
    const range = typeRange(o.y.type);
    p.step(quantizeFloat32, [o.x, o.y, o.x.length, o.y.scale, o.y.zeroPoint, range.min, range.max]);
    return;
  }
  expectQuantized(o.x, 'the input', p);
  if (from === o.y.type && o.x.scale === o.y.scale && o.x.zeroPoint === o.y.zeroPoint)
    p.move(o.x, 0, o.y, 0, o.x.bytes);
  else emitUnary(requantize, o, scaleParameters(o, o.x.scale / o.y.scale), p);
}

/** Kernel: y = scale · (x − zero). */
export function dequantize(x: TypedArray, y: Float32Array, n: number, scale: number, zero: number): void {
  for (let i = 0; i < n; i++) y[i] = scale * (x[i] - zero);
}

/** Kernel: FLOAT16, as its bits, to FLOAT32. */
export function dequantizeFloat16(x: Uint16Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const exponent = (x[i] >> 10) & 31;
    const fraction = x[i] & 1023;
    const size =
      exponent === 31
        ? fraction
          ? NaN
          : Infinity
        : exponent
          ? (fraction + 1024) * powerOf2(exponent - 25)
          : fraction * 5.960464477539063e-8;
    y[i] = x[i] & 32768 ? -size : size;
  }
}

function prepareDequantize(node: Node, p: Preparation): void {
  const o = unaryOperands(node, p);
  const x = o.x;
  const half = x.type === 'FLOAT16';
  expectType(x, 'INT8 UINT8 INT16 FLOAT16', 'the input', p);
  expectType(o.y, 'FLOAT32', 'the output', p);
  if (!half) expectQuantized(x, 'the input', p);
  let y: Tensor = o.y;
  if (x.constant) {
    // a constant of its own, which the planner lets the output be a view on
    y = newTensor(o.y.name, 'FLOAT32', o.y.shape);
    y.constant = true;
    y.data = newArray('FLOAT32', y.length);
  }
  const kernel: Kernel = half ? dequantizeFloat16 : dequantize;
  const parameters: Argument[] = [x.length];
  const args = parameters.concat(half ? [] : [x.scale, x.zeroPoint]);
  if (y === o.y) p.step(kernel, ([x, y] as Argument[]).concat(args));
  else {
    kernel.apply(null, ([x.data, y.data] as Argument[]).concat(args));
    p.move(y, 0, o.y, 0, y.bytes);
  }
}

export const castOperators: Operators = { CAST: prepareCast };

export const convertOperators: Operators = {
  QUANTIZE: prepareQuantize,
  DEQUANTIZE: prepareDequantize,
};
