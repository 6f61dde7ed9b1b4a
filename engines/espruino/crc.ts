/** CRC-32 by Espruino's own, and the header of weights, in place of lib/packed_crc.ts. */

declare const E: {
  CRC32(data: ArrayLike<number>): number;
  toUint8Array(head: Uint8Array, rest: Uint8Array): Uint8Array;
};

/** CRC-32 of two pieces of bytes, one after the other, as an int32. */
export function crcOfBoth(head: Uint8Array, rest: Uint8Array): number {
  // of a list, E.CRC32 takes the elements for bytes
  return E.CRC32(E.toUint8Array(head, rest)) | 0;
}

/** CRC-32 of weights, from the word after that which holds it on, as an int32. */
export function crcOfWeights(weights: ArrayBuffer, bytes: number): number {
  return E.CRC32(new Int8Array(weights, 12, bytes - 12)) | 0;
}

/** The four words at the beginning of weights. */
export function wordsOf(weights: ArrayBuffer): Int32Array {
  return new Int32Array(weights, 0, 4);
}
