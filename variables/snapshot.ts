/**
 * Snapshots: a state as bytes, to keep over sleep, reset or a change of battery, and back.
 *
 * Format, little-endian: "NGRM", version (1) as uint16, header size (28) as uint16, fingerprint of the variables,
 * fingerprint of the program, steps done, bytes of state, CRC-32 of all the rest; then the state's block.
 */
import { crc32 } from '../lib/crc32';
import { Model } from '../lib/model';
import { Program } from '../lib/program';
import { fingerprintOf } from './fingerprint';

const HEADER = 28;
const VERSION = 1;
/** "NGRM" as a little-endian word. */
const MAGIC = 0x4d52474e;

/** Names of the header's words, in order from byte 8 on. */
const VARIABLES = 8;
const PROGRAM = 12;
const STEPS = 16;
const BYTES = 20;
const CHECKSUM = 24;

function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >> 8;
  bytes[at + 2] = value >> 16;
  bytes[at + 3] = value >> 24;
}

function get32(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function checksum(bytes: Uint8Array): number {
  return crc32(bytes, HEADER, bytes.length - HEADER, crc32(bytes, 0, CHECKSUM, 0));
}

/** Bytes that a snapshot of the program's state takes. */
export function snapshotBytes(program: Program): number {
  return HEADER + program.stateBytes;
}

/**
 * Writes the program's state as a snapshot.
 * @param into where to, of `snapshotBytes` bytes; nothing is allocated then but two short views
 * @throws Error when `into` has another size
 */
export function saveState(program: Program, into?: Uint8Array): Uint8Array {
  const size = snapshotBytes(program);
  const bytes = into || new Uint8Array(size);
  if (bytes.length !== size)
    throw new Error('a snapshot takes ' + size + ' bytes, but ' + bytes.length + ' were given');
  const fingerprint = fingerprintOf(program);
  put32(bytes, 0, MAGIC);
  put32(bytes, 4, VERSION | (HEADER << 16));
  put32(bytes, VARIABLES, fingerprint.variables);
  put32(bytes, PROGRAM, fingerprint.program);
  put32(bytes, STEPS, program.state.steps);
  put32(bytes, BYTES, program.stateBytes);
  bytes.set(new Uint8Array(program.state.buffer), HEADER);
  put32(bytes, CHECKSUM, checksum(bytes));
  return bytes;
}

/**
 * Brings a snapshot back. Everything is checked before anything is changed.
 * @throws Error saying what is wrong: not a snapshot, another version, damaged, or of another model
 */
export function restoreState(program: Program, bytes: Uint8Array): void {
  if (!bytes || !(bytes.length >= HEADER) || get32(bytes, 0) !== MAGIC) {
    throw new Error(
      'not a snapshot of a model: ' +
        (bytes && bytes.length ? bytes.length + ' bytes that do not start with NGRM' : 'it is empty'),
    );
  }
  const version = get32(bytes, 4) & 65535;
  if (version !== VERSION || get32(bytes, 4) >>> 16 !== HEADER) {
    throw new Error('the snapshot has version ' + version + ', but this is version ' + VERSION);
  }
  if (bytes.length !== HEADER + get32(bytes, BYTES)) {
    throw new Error(
      'the snapshot is damaged: it has ' +
        bytes.length +
        ' bytes, but should have ' +
        (HEADER + get32(bytes, BYTES)),
    );
  }
  if (checksum(bytes) !== get32(bytes, CHECKSUM))
    throw new Error('the snapshot is damaged: its checksum does not fit');
  const fingerprint = fingerprintOf(program);
  if (get32(bytes, VARIABLES) !== fingerprint.variables) {
    throw new Error(
      'the snapshot belongs to another model: its variables differ in name, type or shape (' +
        get32(bytes, BYTES) +
        ' bytes of state, here ' +
        program.stateBytes +
        ')',
    );
  }
  if (get32(bytes, PROGRAM) !== fingerprint.program) {
    throw new Error(
      'the snapshot belongs to another model: the variables are the same, but operators or weights differ',
    );
  }
  new Uint8Array(program.state.buffer).set(bytes.subarray(HEADER));
  program.state.steps = get32(bytes, STEPS);
}

/** Gives models the methods `save` and `restore`; bundles that do without snapshots do not call it. */
export function enableSnapshots(): void {
  Model.prototype.save = function (into?: Uint8Array): Uint8Array {
    this.idle();
    return saveState(this.program, into);
  };
  Model.prototype.restore = function (snapshot: Uint8Array): void {
    this.idle();
    restoreState(this.program, snapshot);
  };
}
