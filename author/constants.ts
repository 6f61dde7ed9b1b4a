/** Values of constants as the bytes that tensors have: checked against the type's range, and packed. */
import type { Tensor, TypedArray } from '../lib/graph';
import { describe, newArray } from '../lib/tensor';

/**
 * Values of a constant, one a number or bool for each element. INT64 and UINT64 also take bigints. FLOAT16, BFLOAT16
 * and all types without an array of their own take a typed array with their bytes as they are stored.
 */
export type ConstantData =
  readonly (number | boolean | bigint)[] | TypedArray | Float64Array | BigInt64Array | BigUint64Array;

/** Least and greatest value of the integer types. */
const RANGE: Record<string, [number, number]> = {
  INT4: [-8, 7],
  INT8: [-128, 127],
  UINT8: [0, 255],
  BOOL: [0, 1],
  INT16: [-32768, 32767],
  UINT16: [0, 65535],
  INT32: [-2147483648, 2147483647],
  UINT32: [0, 4294967295],
};

/**
 * The typed array that a constant `tensor` holds for these values.
 * @throws Error when their number is not the tensor's, or a value does not fit the type
 */
export function constantArray(tensor: Tensor, values: ConstantData): TypedArray {
  const type = tensor.type;
  if (RANGE[type] && !isPacked(tensor, values)) return integers(tensor, values, RANGE[type]);
  if (type === 'INT64' || type === 'UINT64') return words(tensor, values);
  if (type === 'FLOAT32') {
    checkLength(tensor, values);
    return Float32Array.from(values as ArrayLike<number>, Number);
  }
  return stored(tensor, values);
}

/** Whether INT4 values come two to a byte, as they are stored. */
function isPacked(tensor: Tensor, values: ConstantData): boolean {
  return tensor.type === 'INT4' && values instanceof Uint8Array;
}

function checkLength(tensor: Tensor, values: ConstantData): void {
  if (values.length !== tensor.length) {
    throw new Error(`constant ${describe(tensor)} needs ${tensor.length} values, not ${values.length}`);
  }
}

function integers(tensor: Tensor, values: ConstantData, [low, high]: [number, number]): TypedArray {
  checkLength(tensor, values);
  const array = newArray(tensor.type, tensor.length);
  for (let i = 0; i < tensor.length; i++) {
    const value = Number(values[i]);
    if (!Number.isInteger(value) || value < low || value > high) {
      throw new Error(
        `constant ${describe(tensor)}: value ${i} must be an integer from ${low} to ${high}, not ${value}`,
      );
    }
    if (tensor.type === 'INT4') array[i >> 1] |= (value & 15) << (4 * (i & 1));
    else array[i] = value;
  }
  return array;
}

function words(tensor: Tensor, values: ConstantData): TypedArray {
  checkLength(tensor, values);
  const [low, high] = tensor.type === 'INT64' ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
  const array = new BigInt64Array(tensor.length);
  for (let i = 0; i < tensor.length; i++) {
    const value = BigInt(values[i]);
    if (value < low || value > high) {
      throw new Error(
        `constant ${describe(tensor)}: value ${i} must be from ${low} to ${high}, not ${value}`,
      );
    }
    array[i] = BigInt.asIntN(64, value);
  }
  return new Int32Array(array.buffer);
}

function stored(tensor: Tensor, values: ConstantData): TypedArray {
  if (!ArrayBuffer.isView(values) || values.byteLength !== tensor.bytes || !tensor.bytes) {
    throw new Error(
      `constant ${describe(tensor)} needs a typed array with the ${tensor.bytes} bytes that are to be stored`,
    );
  }
  const array = newArray(tensor.type, tensor.length);
  new Uint8Array(array.buffer).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return array;
}
