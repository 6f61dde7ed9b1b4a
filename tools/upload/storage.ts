/** Files into a board's Storage, so that what was there before stays whole until the new files have arrived whole. */
import { crc32 } from '../../lib/crc32';
import { STORAGE_HEADER } from '../boards';
import type { Board } from './board';

export interface StorageFile {
  name: string;
  bytes: Uint8Array;
}

/** How files were put in place. */
export interface Stored {
  /** False where Storage had no room for old and new files at once, so that the old ones went first. */
  staged: boolean;
}

export interface StoreOptions {
  /** Says how many bytes have been sent. */
  onProgress?: (done: number) => void;
  /** Compare every byte instead of checksums. */
  readBack?: boolean;
}

/** Bytes in one write. A line with 384 of them fits beside a program on the smallest board. */
const SMALL_PIECE = 384;
const PIECE = 1536;
/** Names of files on their way. */
const staging = (index: number): string => `~engram.${index}`;

const text = (name: string): string => JSON.stringify(name);
const STORAGE = 'require("Storage")';

/** Bytes that files take in Storage. */
export function spaceOf(files: StorageFile[]): number {
  return files.reduce((sum, file) => sum + STORAGE_HEADER + ((file.bytes.length + 3) & ~3), 0);
}

async function write(
  board: Board,
  name: string,
  bytes: Uint8Array,
  onPiece: (done: number) => void,
): Promise<void> {
  const piece = board.facts.free > 1500 ? PIECE : SMALL_PIECE;
  for (let at = 0; at < bytes.length; at += piece) {
    const part = Buffer.from(bytes.subarray(at, at + piece)).toString('base64');
    const size = at === 0 ? `,${bytes.length}` : '';
    const expression = `${STORAGE}.write(${text(name)},atob("${part}"),${at}${size})`;
    // the first write may tidy Storage up, which takes long on external flash
    if (!(await board.ask(expression, at === 0 ? 120000 : 15000)))
      throw new Error(`the board's Storage refused ${name} at byte ${at} of ${bytes.length}: it may be full`);
    onPiece(Math.min(at + piece, bytes.length));
  }
}

/**
 * Compares a file in Storage with what it should hold.
 * @throws Error that names the file, and what is wrong with it
 */
export async function verifyFile(
  board: Board,
  name: string,
  bytes: Uint8Array,
  readBack = false,
  title = name,
): Promise<void> {
  const length = (await board.ask(`(${STORAGE}.read(${text(name)})||"").length`)) as number;
  if (length !== bytes.length)
    throw new Error(`${title} arrived damaged: ${length} bytes of ${bytes.length}; upload again`);
  if (board.facts.crc32 && !readBack) {
    const sum = (await board.ask(`E.CRC32(${STORAGE}.readArrayBuffer(${text(name)}))`, 120000)) as number;
    if (sum >>> 0 !== crc32(bytes, 0, bytes.length, 0) >>> 0)
      throw new Error(`${title} arrived damaged: its checksum does not fit; upload again`);
    return;
  }
  for (let at = 0; at < bytes.length; at += SMALL_PIECE) {
    const part = bytes.subarray(at, at + SMALL_PIECE);
    const found = await board.ask(`btoa(${STORAGE}.read(${text(name)},${at},${part.length}))`);
    if (found !== Buffer.from(part).toString('base64'))
      throw new Error(`${title} arrived damaged, within bytes ${at} to ${at + part.length}; upload again`);
  }
}

/** Whether a file is in Storage with this very content, as far as a checksum tells. */
export async function holds(board: Board, file: StorageFile): Promise<boolean> {
  if (!board.facts.crc32) return false;
  const [length, sum] = (await board.ask(
    `(function(b){return b?[b.byteLength,E.CRC32(b)]:[-1,0]})(${STORAGE}.readArrayBuffer(${text(file.name)}))`,
    120000,
  )) as [number, number];
  return length === file.bytes.length && sum >>> 0 === crc32(file.bytes, 0, length, 0) >>> 0;
}

/** Free bytes in Storage, at once and after tidying up. */
async function roomOf(board: Board): Promise<{ free: number; total: number }> {
  const [free, trash] = (await board.ask(
    `(function(s){var t=s.getStats&&s.getStats();return t?[t.freeBytes,t.trashBytes]:[s.getFree(),0]})(${STORAGE})`,
    60000,
  )) as [number, number];
  return { free, total: free + trash };
}

/**
 * Puts files into Storage; the last one is the entry, which uses the others. They are sent under names of their own,
 * compared, and then copied by the board itself, so that an upload that is cut off leaves the board as it was. Where
 * there is no room for old and new files at once, the old entry is erased before anything else changes: what is cut off
 * does not load then, and is no mixture.
 *
 * @throws Error when the connection is cut, when there is no room, and when a file arrives damaged
 */
export async function store(board: Board, files: StorageFile[], options: StoreOptions = {}): Promise<Stored> {
  const { onProgress = () => undefined, readBack } = options;
  const total = files.reduce((sum, file) => sum + file.bytes.length, 0);
  const entry = files[files.length - 1].name;
  const erase = (names: string[]): Promise<unknown> =>
    board.ask(
      `(function(s){${names.map((name) => `s.erase(${text(name)});`).join('')}})(${STORAGE})||0`,
      60000,
    );

  await erase(files.map((_, index) => staging(index)));
  const need = spaceOf(files);
  let room = await roomOf(board);
  if (room.free < 2 * need && room.total >= 2 * need) {
    await board.ask(`${STORAGE}.compact()||0`, 300000);
    room = await roomOf(board);
  }
  const staged = room.free >= 2 * need;
  if (!staged) {
    const old = (await board.ask(
      `(function(s){var n=0;${files.map((file) => `n+=(s.read(${text(file.name)})||"").length;`).join('')}return n})(${STORAGE})`,
    )) as number;
    if (room.total + old < need)
      throw new Error(
        `the board's Storage has ${room.total + old} bytes for these files, and they need ${need}: erase something`,
      );
    await erase(files.map((file) => file.name).reverse());
  }

  let sent = 0;
  let arrived = 0;
  for (const [index, file] of files.entries()) {
    const name = staged ? staging(index) : file.name;
    try {
      await write(board, name, file.bytes, (done) => {
        arrived = sent + done;
        onProgress(arrived);
      });
      await verifyFile(board, name, file.bytes, readBack, file.name);
    } catch (error) {
      const left = staged
        ? `${entry} on the board is as it was`
        : `${entry} on the board does not load now, as there was no room for old and new at once: upload again`;
      throw new Error(`${(error as Error).message}; ${arrived} of ${total} bytes had arrived; ${left}`, {
        cause: error,
      });
    }
    sent += file.bytes.length;
  }
  if (!staged) return { staged };

  // in RAM for a moment, as flash cannot be read while it is written everywhere
  const copies = files.map(
    (file, index) => `c(${text(file.name)},${text(staging(index))},${file.bytes.length})`,
  );
  const copied = await board.ask(
    `(function(s){var c=function(to,from,n){for(var i=0;i<n;i+=512)if(!s.write(to,""+s.read(from,i,Math.min(512,n-i)),i,n))return false;return true};` +
      `s.erase(${text(entry)});return ${copies.join('&&')}})(${STORAGE})`,
    300000,
  );
  if (!copied)
    throw new Error(`the board's Storage could not hold the files twice: erase something, then upload again`);
  for (const file of files) await verifyFile(board, file.name, file.bytes, readBack);
  await erase(files.map((_, index) => staging(index)));
  return { staged };
}
