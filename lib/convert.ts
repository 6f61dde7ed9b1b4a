/** Real numbers to a tensor's stored values and back. */
import { fround, roundAway, typeRange } from './fixedpoint';
import { TensorInfo, TypedArray } from './graph';

/** A number, or an array of them. */
export type Reals = number | ArrayLike<number>;

/**
 * Says why `values` cannot be written to a tensor; '' when they can.
 */
export function misfit(values: Reals | undefined, tensor: TensorInfo): string {
  if (typeof values === 'number') {
    return tensor.length === 1 ? '' : 'one number, but ' + tensor.length + ' are expected';
  }
  if (!values || typeof values !== 'object' || typeof values.length !== 'number') {
    return (
      (values === undefined ? 'nothing' : 'a ' + typeof values) +
      ', but ' +
      tensor.length +
      ' numbers are expected'
    );
  }
  if (values.length !== tensor.length)
    return values.length + ' values, but ' + tensor.length + ' are expected';
  for (let i = 0; i < values.length; i++) {
    if (typeof values[i] !== 'number') return 'element ' + i + ' is "' + values[i] + '", not a number';
    if (tensor.type !== 'FLOAT32' && values[i] !== values[i]) return 'element ' + i + ' is NaN';
  }
  return '';
}

/** Writes real numbers, quantized as QUANTIZE does: round(x / scale) + zero point, clamped. */
export function writeReals(values: Reals, tensor: TensorInfo, data: TypedArray): void {
  const wide = data.length !== tensor.length;
  const single = typeof values === 'number';
  const scaled = tensor.scale !== 0;
  const range = typeRange(tensor.type);
  if (tensor.type === 'UINT32') range.max = 4294967295;
  if (tensor.type === 'UINT32' || tensor.type === 'UINT16') range.min = 0;
  if (tensor.type === 'UINT16') range.max = 65535;
  for (let i = 0; i < tensor.length; i++) {
    let x = single ? (values as number) : (values as ArrayLike<number>)[i];
    if (tensor.type === 'BOOL') x = x ? 1 : 0;
    else if (tensor.type !== 'FLOAT32') {
      x = scaled ? roundAway(fround(fround(x) / tensor.scale)) + tensor.zeroPoint : roundAway(x);
      if (!wide) x = Math.min(Math.max(x, range.min), range.max);
    }
    if (wide) {
      data[2 * i] = x;
      data[2 * i + 1] = Math.floor(x / 4294967296);
    } else data[i] = x;
  }
}

/** Reads stored values as real numbers: scale · (stored − zero point). */
export function readReals(tensor: TensorInfo, data: TypedArray, into: Float32Array): Float32Array {
  const wide = data.length !== tensor.length;
  const scaled = tensor.scale !== 0;
  for (let i = 0; i < tensor.length; i++) {
    let x = wide ? data[2 * i + 1] * 4294967296 + (data[2 * i] >>> 0) : data[i];
    if (scaled) x = tensor.scale * (x - tensor.zeroPoint);
    into[i] = x;
  }
  return into;
}
