/** CRC-32 and header of what packed models are given; on Espruino, engines/espruino/crc.ts takes its place. */
import { crc32 } from './crc32';

/** CRC-32 of two pieces of bytes, one after the other, as an int32. */
export function crcOfBoth(head: Uint8Array, rest: Uint8Array): number {
  return crc32(rest, 0, rest.length, crc32(head, 0, head.length, 0));
}

/** CRC-32 of weights, from the word after that which holds it on, as an int32. */
export function crcOfWeights(weights: Uint8Array | ArrayBuffer, bytes: number): number {
  return crc32(weights as Uint8Array, 12, bytes - 12, 0);
}

/** The four words at the beginning of weights. */
export function wordsOf(weights: Uint8Array | ArrayBuffer): Int32Array {
  const bytes = weights as Uint8Array;
  return new Int32Array(bytes.buffer, bytes.byteOffset, 4);
}
