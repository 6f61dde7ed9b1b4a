/** Snapshots of packed models, in the format of variables/snapshot.ts: they move between packed and unpacked models. */
import { FINGERPRINT, PackedModel } from './packed';

const HEADER = 28;

/**
 * The words before the state: "NGRM", version and size of the header, fingerprint, steps, bytes, and the checksum of
 * `bytes`, which have the rest of a header already.
 */
function headerOf(model: PackedModel, bytes: Uint8Array): Int32Array {
  const words = new Int32Array(7);
  const fingerprint = model.about!(FINGERPRINT) as number[];
  words.set([
    0x4d52474e,
    1 | (HEADER << 16),
    fingerprint[0],
    fingerprint[1],
    model.state.steps,
    model.state.buffer.byteLength,
    model.crc(bytes.subarray(0, HEADER - 4), bytes.subarray(HEADER)),
  ]);
  return words;
}

/** Method `save`: the state as a snapshot. */
export function save(this: PackedModel, into?: Uint8Array): Uint8Array {
  const state = new Uint8Array(this.state.buffer);
  const bytes = into || new Uint8Array(HEADER + state.length);
  if (bytes.length !== HEADER + state.length)
    throw new Error('a snapshot takes ' + (HEADER + state.length) + ' bytes');
  bytes.set(state, HEADER);
  // once for the header, once for a checksum of it
  bytes.set(new Uint8Array(headerOf(this, bytes).buffer));
  bytes.set(new Uint8Array(headerOf(this, bytes).buffer));
  return bytes;
}

/** Method `restore`: goes on from a snapshot. */
export function restore(this: PackedModel, bytes: Uint8Array): void {
  if (!bytes || !(bytes.length >= HEADER)) throw new Error('not a snapshot');
  const words = headerOf(this, bytes);
  const given = new Int32Array(7);
  new Uint8Array(given.buffer).set(bytes.subarray(0, HEADER));
  if (given[0] !== words[0] || given[1] !== words[1]) throw new Error('not a snapshot of version 1');
  if (bytes.length !== HEADER + given[5] || given[6] !== words[6]) throw new Error('the snapshot is damaged');
  if (given[2] !== words[2] || given[3] !== words[3] || given[5] !== words[5])
    throw new Error('the snapshot belongs to another model');
  new Uint8Array(this.state.buffer).set(bytes.subarray(HEADER));
  this.state.steps = given[4];
}

declare module './packed' {
  interface PackedModel {
    save(into?: Uint8Array): Uint8Array;
    restore(snapshot: Uint8Array): void;
    /** CRC-32 of two pieces of bytes, one after the other, as an int32. */
    crc(head: Uint8Array, rest: Uint8Array): number;
  }
}
