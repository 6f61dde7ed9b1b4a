/** What must hold of weights before the first step. */
import { crcOfWeights, wordsOf } from './packed_crc';

const MAGIC = 0x5752474e;

/** Throws an Error that names what is wrong with weights. */
export function checkWeights(
  weights: Uint8Array | ArrayBuffer,
  name: string,
  bytes: number,
  crc: number,
  fingerprint: number,
): void {
  const words = wordsOf(weights);
  const length = weights.byteLength;
  let wrong = '';
  if (words[0] !== MAGIC || (words[1] & 255) !== 1) wrong = 'are not weights of version 1';
  else if (words[3] !== fingerprint || words[2] !== crc) wrong = 'belong to another packing of a model';
  else if (length !== bytes) wrong = 'are cut off: ' + length + ' bytes of ' + bytes;
  else if (crcOfWeights(weights, bytes) !== crc) wrong = 'are damaged (CRC)';
  if (wrong) throw new Error(name + ' ' + wrong + '; send both again');
}
