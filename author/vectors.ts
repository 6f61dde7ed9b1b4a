/** Vectors of a FlatBuffers file, written with the builder's own backward primitives. */
import type { Builder } from 'flatbuffers';

/** A position in a file under construction, counted from its end as the FlatBuffers builder does. */
export type Offset = number;

/** Constants start at multiples of this many bytes in the file (`force_align` of Buffer.data). */
export const BUFFER_ALIGNMENT = 16;

/** A vector of bytes whose first byte is aligned to 16 bytes from the start of the file. */
export function alignedBytes(builder: Builder, bytes: Uint8Array): Offset {
  builder.prep(BUFFER_ALIGNMENT, bytes.length);
  return builder.createByteVector(bytes);
}

/** A vector of references to tables. */
export function offsets(builder: Builder, list: Offset[]): Offset {
  builder.startVector(4, list.length, 4);
  for (const offset of list.toReversed()) builder.addOffset(offset);
  return builder.endVector();
}

/** A vector of int32. */
export function int32s(builder: Builder, list: number[]): Offset {
  builder.startVector(4, list.length, 4);
  for (const value of list.toReversed()) builder.addInt32(value);
  return builder.endVector();
}

/** A vector of int64, given as numbers. */
export function int64s(builder: Builder, list: number[]): Offset {
  builder.startVector(8, list.length, 8);
  for (const value of list.toReversed()) builder.addInt64(BigInt(value));
  return builder.endVector();
}

/** A vector of float32. */
export function float32s(builder: Builder, list: number[]): Offset {
  builder.startVector(4, list.length, 4);
  for (const value of list.toReversed()) builder.addFloat32(value);
  return builder.endVector();
}
