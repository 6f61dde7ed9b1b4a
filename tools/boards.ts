/** Boards that run Espruino, and whether a packed model fits on them. */
import { type Packed, packModel } from './pack/index';

export interface Board {
  /** As in process.env.BOARD on the board. */
  name: string;
  title: string;
  /** Variables in all, and bytes of each. */
  variables: number;
  variableBytes: number;
  /** Bytes of Storage. */
  storage: number;
  /** Whether Storage is mapped, so that weights take no RAM; otherwise it is read through a buffer. */
  mapped: boolean;
}

/** Variables that the engine itself has taken when a sketch starts. */
const TAKEN_AT_START = 100;

/** Storage's header of a file, in bytes. */
export const STORAGE_HEADER = 32;

/** Figures of firmware 2v29. */
export const BOARDS: readonly Board[] = [
  { name: 'MICROBIT1', title: 'micro:bit 1', variables: 350, variableBytes: 12, storage: 4096, mapped: true },
  { name: 'PUCKJS', title: 'Puck.js', variables: 2630, variableBytes: 13, storage: 40960, mapped: true },
  {
    name: 'BANGLEJS',
    title: 'Bangle.js 1',
    variables: 2584,
    variableBytes: 13,
    storage: 4194304,
    mapped: false,
  },
  {
    name: 'BANGLEJS2',
    title: 'Bangle.js 2',
    variables: 12000,
    variableBytes: 14,
    storage: 8388608,
    mapped: false,
  },
  { name: 'PIXLJS', title: 'Pixl.js', variables: 2950, variableBytes: 13, storage: 36864, mapped: true },
  { name: 'MDBT42Q', title: 'MDBT42Q', variables: 2950, variableBytes: 13, storage: 40960, mapped: true },
  { name: 'JOLTJS', title: 'Jolt.js', variables: 12000, variableBytes: 14, storage: 409600, mapped: true },
  {
    name: 'PICO_R1_3',
    title: 'Espruino Pico',
    variables: 5100,
    variableBytes: 13,
    storage: 49152,
    mapped: true,
  },
  {
    name: 'MICROBIT2',
    title: 'micro:bit 2',
    variables: 6000,
    variableBytes: 13,
    storage: 40960,
    mapped: true,
  },
  {
    name: 'ESPRUINOWIFI',
    title: 'Espruino WiFi',
    variables: 8190,
    variableBytes: 13,
    storage: 65536,
    mapped: true,
  },
  { name: 'ESP32', title: 'ESP32', variables: 16383, variableBytes: 14, storage: 917504, mapped: true },
  { name: 'ESP32S3', title: 'ESP32-S3', variables: 16383, variableBytes: 14, storage: 917504, mapped: true },
  { name: 'ESP32C3', title: 'ESP32-C3', variables: 4095, variableBytes: 13, storage: 917504, mapped: true },
];

/** A board's name as it stands in BOARDS: builds for ESP32 add which SDK they are made with, as in ESP32C3_IDF4. */
export function plainName(name: string): string {
  return name.toUpperCase().replace(/_IDF\d+$/, '');
}

/**
 * A board by its name.
 * @throws Error that lists the names
 */
export function boardNamed(name: string): Board {
  const found = BOARDS.find((board) => board.name === plainName(name));
  if (!found)
    throw new Error(`no board "${name}": there are ${BOARDS.map((board) => board.name).join(', ')}`);
  return found;
}

/** What a packed model takes on a board. */
export interface Need {
  /** Bytes of Storage for the module and the weights; no weights where they are in the module. */
  module: number;
  weights: number;
  /** Variables, estimated; see `Packed`. */
  variables: number;
}

/** Bytes of a string in one variable. */
const PAYLOAD = 12;

/** What a model takes that was packed for Espruino; weights inside of the module take RAM. */
export function needOfPacked(packed: Packed, inline: boolean): Need {
  const weights = packed.weights.length;
  return {
    module: Buffer.byteLength(packed.module),
    weights: inline ? 0 : weights,
    variables: packed.variables + (inline ? Math.ceil(weights / PAYLOAD) : 0),
  };
}

/** Packs a model for Espruino and tells what it takes. */
export async function needOf(
  bytes: Uint8Array,
  kernels: 'portable' | 'espruino' = 'espruino',
): Promise<Need> {
  return needOfPacked(await packModel(bytes, { target: 'espruino', name: 'm', kernels }), false);
}

/** Whether a need fits on a board, and with what margin; negative margins say what lacks. */
export interface Fit {
  board: string;
  fits: boolean;
  flash: { needed: number; available: number; margin: number };
  ram: { needed: number; available: number; margin: number };
}

/** Compares a need with a board's memory, in bytes. */
export function fitOn(board: Board, need: Need): Fit {
  const side = (needed: number, available: number): Fit['flash'] => ({
    needed,
    available,
    margin: available - needed,
  });
  const file = (bytes: number): number => (bytes ? STORAGE_HEADER + ((bytes + 3) & ~3) : 0);
  const flash = side(file(need.module) + file(need.weights), board.storage);
  const ram = side(
    need.variables * board.variableBytes,
    (board.variables - TAKEN_AT_START) * board.variableBytes,
  );
  return { board: board.name, fits: flash.margin >= 0 && ram.margin >= 0, flash, ram };
}
