/**
 * Weights of packed models: a header of four little-endian words ("NGRW", version 1 and length, CRC-32, fingerprint),
 * then the data. Everything is checked before the first step.
 */
import { checkWeights } from './packed_check';

/** Weights as bytes that the user or the script gives, at an offset that all types may have. */
export function openWeights(
  given: ArrayBuffer | Uint8Array,
  name: string,
  bytes: number,
  crc: number,
  fingerprint: number,
): Uint8Array {
  if (!given || typeof given.byteLength !== 'number')
    throw new Error(name + ': give the bytes of the weights as a Uint8Array');
  let weights = (given as Uint8Array).buffer ? (given as Uint8Array) : new Uint8Array(given as ArrayBuffer);
  if (weights.byteOffset & 3) {
    const aligned = new Uint8Array(weights.length);
    aligned.set(weights);
    weights = aligned;
  }
  if (weights.length < 16) throw new Error(name + ' are cut off: ' + weights.length + ' bytes of ' + bytes);
  checkWeights(weights, name, bytes, crc, fingerprint);
  return weights;
}

/** Bytes from base64 without padding. */
export function fromBase64(text: string, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  let bits = 0;
  let count = 0;
  for (let i = 0, at = 0; at < bytes; i++) {
    const c = text.charCodeAt(i);
    bits = (bits << 6) | (c > 96 ? c - 71 : c > 64 ? c - 65 : c > 47 ? c + 4 : c === 43 ? 62 : 63);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out[at++] = (bits >> count) & 255;
    }
  }
  return out;
}
