/**
 * Snapshots of packed models, in the format of variables/snapshot.ts: they move between packed and unpacked models. The
 * header has 28 bytes: as a name, that would take a variable on Espruino.
 */
import { crcOfBoth } from './packed_crc';
import { PackedModel, WORDS } from './packed';

/**
 * What `about` gives for WORDS, the words before the state: "NGRM", version and size of the header, fingerprints of the
 * variables and of the program, steps, bytes, and the checksum of `bytes`, which have the rest of a header already.
 */
export function headerOf(
  model: PackedModel,
  bytes: Uint8Array,
  variables: number,
  program: number,
): Int32Array {
  const words = new Int32Array(7);
  words.set([
    0x4d52474e,
    1 | (28 << 16),
    variables,
    program,
    model.state.steps,
    model.state.buffer.byteLength,
    crcOfBoth(bytes.subarray(0, 24), bytes.subarray(28)),
  ]);
  return words;
}

/** Method `save`: the state as a snapshot. */
export function save(this: PackedModel, into?: Uint8Array): Uint8Array {
  const state = new Uint8Array(this.state.buffer);
  const size = 28 + state.length;
  const bytes = into || new Uint8Array(size);
  if (bytes.length !== size) throw new Error('a snapshot takes ' + size + ' bytes');
  bytes.set(state, 28);
  // once for the header, once for a checksum of it
  for (let i = 0; i < 2; i++)
    bytes.set(new Uint8Array((this.about!(WORDS, bytes) as Int32Array).buffer as ArrayBuffer));
  return bytes;
}

/** Method `restore`: goes on from a snapshot. */
export function restore(this: PackedModel, bytes: Uint8Array): void {
  let wrong = 'not a snapshot';
  const given = new Int32Array(7);
  if (bytes && bytes.length >= 28) {
    const words = this.about!(WORDS, bytes) as Int32Array;
    new Uint8Array(given.buffer).set(bytes.subarray(0, 28));
    wrong =
      given[0] !== words[0] || given[1] !== words[1]
        ? wrong + ' of version 1'
        : bytes.length !== 28 + given[5] || given[6] !== words[6]
          ? 'the snapshot is damaged'
          : given[2] !== words[2] || given[3] !== words[3] || given[5] !== words[5]
            ? 'the snapshot belongs to another model'
            : '';
  }
  if (wrong) throw new Error(wrong);
  new Uint8Array(this.state.buffer).set(bytes.subarray(28));
  this.state.steps = given[4];
}

declare module './packed' {
  interface PackedModel {
    save(into?: Uint8Array): Uint8Array;
    restore(snapshot: Uint8Array): void;
  }
}
