/** Bytes of typed arrays on a board, in pieces that fit beside a program on the smallest one. */
import type { Board } from './board';

/** Bytes in one question. */
const PIECE = 384;

function piece(array: string, at: number, length: number): string {
  return `(function(d){return new Uint8Array(d.buffer,d.byteOffset+${at},${length})})(${array})`;
}

/** Writes bytes over those of the typed array that the expression `array` gives. */
export async function writeArray(board: Board, array: string, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += PIECE) {
    const part = Buffer.from(bytes.subarray(at, at + PIECE));
    await board.ask(
      `(${piece(array, at, part.length)}.set(E.toUint8Array(atob("${part.toString('base64')}"))),1)`,
    );
  }
}

/** Reads the first `length` bytes of the typed array that the expression `array` gives. */
export async function readArray(board: Board, array: string, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += PIECE) {
    const count = Math.min(PIECE, length - at);
    const part = (await board.ask(`btoa(E.toString(${piece(array, at, count)}))`)) as string;
    bytes.set(Buffer.from(part, 'base64'), at);
  }
  return bytes;
}
