/**
 * The store: the newest snapshot, safe against a power cut at any moment.
 *
 * Two slots are written in turn, each with a sequence number and a CRC-32 over everything. `put` writes the slot that
 * does not hold the newest valid snapshot, so a cut while writing can only spoil the older one. `open` takes the newest
 * slot whose checksum fits. A backend need not be atomic: whatever a cut leaves in a slot, checksum and length tell.
 *
 * Slot, little-endian: "NGST", sequence number, bytes of payload, CRC-32 of sequence, length and payload; payload.
 */
import { crc32 } from '../lib/crc32';

const HEADER = 16;
/** "NGST" as a little-endian word. */
const MAGIC = 0x5453474e;

/** Where slots are kept. Slot numbers are 0 and 1. */
export interface Backend {
  /** Bytes of a slot, or null when there are none. */
  read(slot: number): Uint8Array | null;
  /** Replaces a slot's bytes. Need not be atomic. Throws when it cannot. */
  write(slot: number, bytes: Uint8Array): void;
}

/** The two slots of a backend, opened. Made by `openStore`. */
export interface Store {
  /** The newest valid snapshot, or null when there is none. */
  get(): Uint8Array | null;
  /**
   * Stores a snapshot. When this throws or is cut off, `get` of a store opened afterwards gives the one before, or
   * this one whole.
   */
  put(snapshot: Uint8Array): void;
  /** How often something was put, over the life of the store. */
  sequence: number;
}

function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >> 8;
  bytes[at + 2] = value >> 16;
  bytes[at + 3] = value >> 24;
}

function get32(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function checksum(bytes: Uint8Array, length: number): number {
  return crc32(bytes, HEADER, length, crc32(bytes, 4, 8, 0));
}

function isValid(bytes: Uint8Array | null): boolean {
  if (!bytes || bytes.length < HEADER || get32(bytes, 0) !== MAGIC) return false;
  const length = get32(bytes, 8);
  return length >= 0 && bytes.length >= HEADER + length && checksum(bytes, length) === get32(bytes, 12);
}

/** Opens a store: picks the newest valid snapshot of the backend's two slots. */
export function openStore(backend: Backend): Store {
  let newest = -1;
  let sequence = 0;
  let buffer = new Uint8Array(0);
  for (let slot = 0; slot < 2; slot++) {
    const bytes = backend.read(slot);
    if (!bytes || !isValid(bytes)) continue;
    const found = get32(bytes, 4);
    // the difference, so that the number may wrap around
    if (newest < 0 || ((found - sequence) | 0) > 0) {
      newest = slot;
      sequence = found;
    }
  }
  const store: Store = {
    sequence: sequence,
    get: function (): Uint8Array | null {
      const bytes = newest < 0 ? null : backend.read(newest);
      if (!bytes || !isValid(bytes)) return null;
      return bytes.subarray(HEADER, HEADER + get32(bytes, 8));
    },
    put: function (snapshot: Uint8Array): void {
      const slot = newest === 0 ? 1 : 0;
      const next = (store.sequence + 1) | 0;
      if (buffer.length !== HEADER + snapshot.length) buffer = new Uint8Array(HEADER + snapshot.length);
      buffer.set(snapshot, HEADER);
      put32(buffer, 0, MAGIC);
      put32(buffer, 4, next);
      put32(buffer, 8, snapshot.length);
      put32(buffer, 12, checksum(buffer, snapshot.length));
      backend.write(slot, buffer);
      newest = slot;
      store.sequence = next;
    },
  };
  return store;
}

/** A backend in memory, for tests and for RAM that keeps its content in sleep. */
export function memoryBackend(): Backend {
  const slots: (Uint8Array | null)[] = [null, null];
  return {
    read: function (slot: number): Uint8Array | null {
      return slots[slot];
    },
    write: function (slot: number, bytes: Uint8Array): void {
      const copy = new Uint8Array(bytes.length);
      copy.set(bytes);
      slots[slot] = copy;
    },
  };
}

/** The part of Espruino's Storage module that the store uses. */
export interface EspruinoStorage {
  readArrayBuffer(name: string): ArrayBuffer | undefined;
  write(name: string, data: Uint8Array): boolean;
}

/**
 * A backend in Espruino's flash storage: files `name`.0 and `name`.1.
 * @param storage `require("Storage")`
 * @param name at most 26 characters, since a file's name has at most 28
 */
export function espruinoBackend(storage: EspruinoStorage, name: string): Backend {
  if (name.length > 26)
    throw new Error('the name of a store has at most 26 characters, but "' + name + '" has ' + name.length);
  return {
    read: function (slot: number): Uint8Array | null {
      const buffer = storage.readArrayBuffer(name + '.' + slot);
      return buffer && buffer.byteLength ? new Uint8Array(buffer) : null;
    },
    write: function (slot: number, bytes: Uint8Array): void {
      if (!storage.write(name + '.' + slot, bytes)) {
        throw new Error('Storage has no room for ' + bytes.length + ' bytes of ' + name + '.' + slot);
      }
    },
  };
}
