/** What must hold of weights before the first step; apart from lib/packed_weights.ts for modules with a CRC of their own. */

const MAGIC = 0x5752474e;

/** Throws an Error that names what is wrong with weights; `sum` gives a CRC-32 from a byte on, as an int32. */
export function checkWeights(
  words: Int32Array,
  length: number,
  name: string,
  bytes: number,
  crc: number,
  fingerprint: number,
  sum: () => number,
): void {
  let wrong = '';
  if (words[0] !== MAGIC || (words[1] & 255) !== 1) wrong = 'are not weights of version 1';
  else if (words[3] !== fingerprint || words[2] !== crc) wrong = 'belong to another packing of a model';
  else if (length !== bytes) wrong = 'are cut off: ' + length + ' bytes of ' + bytes;
  else if (sum() !== crc) wrong = 'are damaged (CRC)';
  if (wrong) throw new Error(name + ' ' + wrong + '; send both again');
}
