/** A store's slots as files, written through to the disk. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Backend } from '../variables/store';

/**
 * A backend for `openStore` in files `NAME.0` and `NAME.1`. Each write is flushed to the disk, and so is the folder when a
 * file is new, so that a crash afterwards loses nothing.
 */
export function fileBackend(name: string): Backend {
  return {
    read(slot) {
      try {
        return new Uint8Array(fs.readFileSync(`${name}.${slot}`));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    },
    write(slot, bytes) {
      const file = `${name}.${slot}`;
      const isNew = !fs.existsSync(file);
      const descriptor = fs.openSync(file, 'w');
      try {
        fs.writeSync(descriptor, bytes);
        fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
      if (isNew) flushFolder(path.dirname(file));
    },
  };
}

function flushFolder(folder: string): void {
  if (process.platform === 'win32') return; // folders cannot be flushed there, and need not be
  const descriptor = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
