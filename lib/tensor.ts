/** What the tensor types mean in memory. */
import { Tensor, TensorInfo, TensorType, TypedArray } from './graph';

/** Bytes of one element; 0.5 for INT4; 0 for types that have no fixed size. */
export function elementBytes(type: TensorType): number {
  switch (type) {
    case 'INT8':
    case 'UINT8':
    case 'BOOL':
      return 1;
    case 'INT16':
    case 'UINT16':
    case 'FLOAT16':
    case 'BFLOAT16':
      return 2;
    case 'FLOAT32':
    case 'INT32':
    case 'UINT32':
    case 'RESOURCE':
      return 4;
    case 'INT64':
    case 'UINT64':
    case 'FLOAT64':
    case 'COMPLEX64':
      return 8;
    case 'COMPLEX128':
      return 16;
    case 'INT4':
      return 0.5;
    default:
      return 0;
  }
}

/** Bytes that `length` elements take. */
export function storageBytes(type: TensorType, length: number): number {
  return Math.ceil(elementBytes(type) * length);
}

/** Bytes that a view of this type must be aligned to. */
export function alignmentOf(type: TensorType): number {
  const bytes = elementBytes(type);
  return bytes < 1 ? 1 : bytes > 4 ? 4 : bytes;
}

/**
 * A typed array of `length` elements of `type` at `offset` bytes of `buffer`. INT64 and UINT64 give an Int32Array
 * with two words an element, low word first; INT4 the bytes that hold it; other types without an array of their own,
 * their bytes.
 */
export function viewOf(type: TensorType, buffer: ArrayBuffer, offset: number, length: number): TypedArray {
  // Espruino takes a length of 0 for "the rest of the buffer"
  if (!length) return newArray(type, 0);
  switch (type) {
    case 'INT8':
      return new Int8Array(buffer, offset, length);
    case 'FLOAT32':
      return new Float32Array(buffer, offset, length);
    case 'INT16':
      return new Int16Array(buffer, offset, length);
    case 'UINT16':
    case 'FLOAT16':
    case 'BFLOAT16':
      return new Uint16Array(buffer, offset, length);
    case 'INT32':
    case 'RESOURCE':
      return new Int32Array(buffer, offset, length);
    case 'UINT32':
      return new Uint32Array(buffer, offset, length);
    case 'INT64':
    case 'UINT64':
      return new Int32Array(buffer, offset, 2 * length);
    default:
      return new Uint8Array(buffer, offset, storageBytes(type, length));
  }
}

/** A new typed array for `length` elements of `type`. */
export function newArray(type: TensorType, length: number): TypedArray {
  switch (type) {
    case 'INT8':
      return new Int8Array(length);
    case 'FLOAT32':
      return new Float32Array(length);
    case 'INT16':
      return new Int16Array(length);
    case 'UINT16':
    case 'FLOAT16':
    case 'BFLOAT16':
      return new Uint16Array(length);
    case 'INT32':
    case 'RESOURCE':
      return new Int32Array(length);
    case 'UINT32':
      return new Uint32Array(length);
    case 'INT64':
    case 'UINT64':
      return new Int32Array(2 * length);
    default:
      return new Uint8Array(storageBytes(type, length));
  }
}

/** Number of elements of a shape. */
export function lengthOf(shape: number[]): number {
  let length = 1;
  for (let i = 0; i < shape.length; i++) length *= shape[i];
  return length;
}

/** A tensor without quantization, value or place. */
export function newTensor(name: string, type: TensorType, shape: number[]): Tensor {
  const length = lengthOf(shape);
  return {
    name: name,
    type: type,
    shape: shape,
    scale: 0,
    zeroPoint: 0,
    scales: null,
    zeroPoints: null,
    quantizedDimension: 0,
    length: length,
    bytes: storageBytes(type, length),
    constant: false,
    isVariable: false,
    data: null,
    subgraph: -1,
    index: -1,
    variable: null,
    lifetime: null,
    place: null,
  };
}

/** Whether two shapes are the same. */
export function sameShape(a: number[], b: number[]): boolean {
  let same = a.length === b.length;
  for (let i = 0; i < a.length; i++) same = same && a[i] === b[i];
  return same;
}

/** How error messages name a tensor: `"name" INT8 [1,3]`. */
export function describe(tensor: TensorInfo | null): string {
  return tensor ? '"' + tensor.name + '" ' + tensor.type + ' [' + tensor.shape.join() + ']' : 'nothing';
}

/** Sets every element of a tensor's view to its real value 0: the zero point, in the type's full width. */
export function fillZero(data: TypedArray, tensor: TensorInfo): void {
  const wide = data.length === 2 * tensor.length;
  const zero = tensor.scale ? tensor.zeroPoint : 0;
  for (let i = 0; i < data.length; i++) data[i] = wide && i % 2 ? (zero < 0 ? -1 : 0) : zero;
}
