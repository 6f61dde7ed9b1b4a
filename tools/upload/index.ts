/** Uploads: a model or a sketch onto a board, compared there before it is relied upon. */
import { needOfPacked, plainName } from '../boards';
import type { Packed } from '../pack/index';
import { progress } from '../progress';
import { Board } from './board';
import { expectedStep, smokeStep } from './smoke';
import { LONGEST_NAME, type Sketch } from './sketch';
import { store, type StorageFile, type StoreOptions } from './storage';

export interface UploadOptions extends Omit<StoreOptions, 'onProgress'> {
  /** Undefined: the first board found. */
  port?: string;
  /** What `process.env.BOARD` must be; undefined: anything. */
  board?: string;
  /** Milliseconds that the first step may take. */
  timeout?: number;
}

export interface Uploaded {
  port: string;
  board: string;
  version: string;
  files: { name: string; bytes: number }[];
  staged: boolean;
}

/**
 * Connects to the board that was meant, with its interpreter reset so that its memory is free.
 * @throws Error when there is none, it is another, or it keeps no files
 */
export async function connect(options: Pick<UploadOptions, 'port' | 'board'>): Promise<Board> {
  const board = await Board.connect(options.port);
  try {
    const { board: name, builtins } = board.facts;
    if (options.board !== undefined && plainName(options.board) !== plainName(`${name}`))
      throw new Error(
        `the board at ${board.port} is a ${name}, not a ${options.board}: give --board ${name}, or another --port`,
      );
    if (!builtins.includes('Storage'))
      throw new Error(
        `the ${name} at ${board.port} cannot keep files: its firmware has no module Storage; paste what engram pack --inline makes`,
      );
    await board.reset();
  } catch (error) {
    await board.close();
    throw error;
  }
  return board;
}

/**
 * Compares a model's need of RAM with what is free.
 * @throws Error that says both
 */
function expectRoom(board: Board, packed: Packed, inline: boolean): void {
  const { board: name, free, blocksize } = board.facts;
  const { variables } = needOfPacked(packed, inline);
  // builds for computers, whose variables are larger, get more when they are full
  if (blocksize > 16 || variables <= free) return;
  throw new Error(
    `${packed.files.module} needs about ${variables} variables of RAM (${variables * blocksize} bytes), but the ${name} at ` +
      `${board.port} has ${free} free: nothing was sent; --no-ram takes a little less`,
  );
}

async function send(board: Board, files: StorageFile[], options: UploadOptions): Promise<Uploaded> {
  const total = files.reduce((sum, file) => sum + file.bytes.length, 0);
  const bar = progress(total, 'sending');
  try {
    const { staged } = await store(board, files, { ...options, onProgress: (done) => bar.update(done) });
    const { board: name, version } = board.facts;
    return {
      port: board.port,
      board: name,
      version,
      files: files.map((file) => ({ name: file.name, bytes: file.bytes.length })),
      staged,
    };
  } finally {
    bar.stop();
  }
}

/** What goes into Storage, the module last. */
export function filesOf(packed: Packed, inline: boolean): StorageFile[] {
  const module = { name: packed.files.module, bytes: new Uint8Array(Buffer.from(packed.module)) };
  return inline ? [module] : [{ name: packed.files.weights, bytes: packed.weights }, module];
}

/** Sends a packed model to a connected board. */
export async function sendModel(
  board: Board,
  packed: Packed,
  inline: boolean,
  options: UploadOptions,
): Promise<Uploaded> {
  expectRoom(board, packed, inline);
  return send(board, filesOf(packed, inline), options);
}

/**
 * Puts a packed model onto a board, and lets it carry out one step there.
 * @returns what was stored, and how long the step took, in milliseconds
 * @throws Error when there is no such board, the upload fails, or the board's answer is not the host's
 */
export async function uploadModel(
  packed: Packed,
  inline: boolean,
  options: UploadOptions,
): Promise<Uploaded & { milliseconds: number; compared: number }> {
  const expected = expectedStep(packed.model, packed.smoke);
  const board = await connect(options);
  try {
    const uploaded = await sendModel(board, packed, inline, options);
    const timeout = options.timeout ?? 60000;
    const milliseconds = await smokeStep(board, packed.files.module, packed.model, expected, timeout);
    await board.start();
    return {
      ...uploaded,
      milliseconds,
      compared: expected.outputs.reduce((sum, bytes) => sum + bytes.length, packed.model.program.stateBytes),
    };
  } finally {
    await board.close();
  }
}

/**
 * Puts a file onto a board as it is, for a sketch that opens it.
 * @throws Error when there is no such board, or the upload fails
 */
export async function uploadFile(file: StorageFile, options: UploadOptions): Promise<Uploaded> {
  if (Buffer.byteLength(file.name) > LONGEST_NAME)
    throw new Error(`the name "${file.name}" has more than ${LONGEST_NAME} letters: give --name`);
  const board = await connect(options);
  try {
    const uploaded = await send(board, [file], options);
    await board.start();
    return uploaded;
  } finally {
    await board.close();
  }
}

/** Where a sketch goes that is run when the board starts. */
const BOOT_CODE = '.bootcde';

/**
 * Puts a sketch and its modules onto a board, and starts it.
 * @param name of its file; undefined: the boot code
 * @throws Error when a module is nowhere, the upload fails, or the sketch throws as the board starts
 */
export async function uploadSketch(
  sketch: Sketch,
  name: string | undefined,
  options: UploadOptions,
): Promise<Uploaded> {
  const target = name ?? BOOT_CODE;
  if (Buffer.byteLength(target) > LONGEST_NAME)
    throw new Error(`the name "${target}" has more than ${LONGEST_NAME} letters`);
  const board = await connect(options);
  try {
    if (name === undefined && /^BANGLEJS/.test(board.facts.board))
      throw new Error('the boot code of a Bangle.js starts its launcher: give the sketch a file with --name');
    for (const module of sketch.elsewhere) {
      if (board.facts.builtins.includes(module)) continue;
      if (!(await board.ask(`require("Storage").read(${JSON.stringify(module)},0,1)!==undefined`)))
        throw new Error(
          `the sketch requires "${module}", which is neither in the folders of modules nor on the board`,
        );
    }
    const entry = { name: target, bytes: new Uint8Array(Buffer.from(sketch.code)) };
    if (!entry.bytes.length) throw new Error('the sketch is empty');
    const uploaded = await send(board, [...sketch.files, entry], options);
    const printed = await board.start();
    const complaint = /Uncaught (.*)/.exec(printed);
    // what another file runs into is not this sketch's
    if (complaint && target.startsWith('.boot'))
      throw new Error(`the sketch is on the board, and fails there: ${complaint[1].trim()}`);
    return uploaded;
  } finally {
    await board.close();
  }
}
