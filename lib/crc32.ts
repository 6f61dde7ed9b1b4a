/** CRC-32 (ISO-HDLC, as in zip and PNG), with a table of 16 entries: small, and quick enough for snapshots. */

const table = new Int32Array(16);
for (let i = 0; i < 16; i++) {
  let c = i;
  for (let k = 0; k < 4; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  table[i] = c;
}

/** CRC-32 of `length` bytes from `from` on, as an int32; `seed` is the CRC of what came before. */
export function crc32(bytes: Uint8Array, from: number, length: number, seed: number): number {
  let c = ~seed;
  for (const end = from + length; from < end; from++) {
    c ^= bytes[from];
    c = (c >>> 4) ^ table[c & 15];
    c = (c >>> 4) ^ table[c & 15];
  }
  return ~c;
}

const one = new Uint8Array(1);

/** CRC-32 of the characters of a text, two bytes each. */
export function crc32OfText(text: string, seed: number): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    one[0] = code;
    seed = crc32(one, 0, 1, seed);
    one[0] = code >> 8;
    seed = crc32(one, 0, 1, seed);
  }
  return seed;
}
