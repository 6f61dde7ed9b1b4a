/** Files in and out: models are read, results are written whole or not at all. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { load } from '../lib/index';
import type { Model } from '../lib/model';

/** Bytes of a file; an error that names it when it cannot be read. */
export function readBytes(file: string): Uint8Array {
  try {
    return new Uint8Array(fs.readFileSync(file));
  } catch (error) {
    throw new Error(`cannot read ${file}: ${reason(error)}`, { cause: error });
  }
}

/** A model's bytes, and the model loaded; an error that names the file when it cannot be read or is none. */
export function readModelFile(file: string): { bytes: Uint8Array; model: Model } {
  const bytes = readBytes(file);
  try {
    return { bytes, model: load(bytes) };
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Text of a file; an error that names it when it cannot be read. */
export function readText(file: string): string {
  return Buffer.from(readBytes(file)).toString('utf8');
}

/** Writes a file beside its place first, then moves it there, so that it is there whole or not at all. */
export function writeWhole(file: string, content: Uint8Array | string): void {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}`);
  try {
    fs.writeFileSync(temporary, content);
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw new Error(`cannot write ${file}: ${reason(error)}`, { cause: error });
  }
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT'
    ? 'there is no such file or folder'
    : code === 'EISDIR'
      ? 'it is a folder'
      : message;
}
