/** Which module exports a kernel: a prepared program holds functions, a printed one needs their names. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Kernel } from '../../lib/graph';

export interface KernelName {
  /** Module below the compiled chip side, without extension: `ops/fully_connected`. */
  module: string;
  name: string;
}

const FOLDERS = ['ops', 'variables', 'lib'];

let known: Map<unknown, KernelName> | null = null;

/** Every function that the chip side exports, with its module and name. */
export function kernelNames(): Map<unknown, KernelName> {
  if (known) return known;
  known = new Map();
  const root = path.join(__dirname, '..', '..');
  for (const folder of FOLDERS) {
    for (const file of fs.readdirSync(path.join(root, folder)).sort()) {
      const match = /^([a-z0-9_]+)\.(ts|js)$/.exec(file);
      if (!match) continue;
      const exported = require(path.join(root, folder, match[1])) as Record<string, unknown>;
      for (const [name, value] of Object.entries(exported)) {
        if (typeof value === 'function' && !known.has(value))
          known.set(value, { module: `${folder}/${match[1]}`, name });
      }
    }
  }
  return known;
}

/**
 * Module and name of a kernel.
 * @throws Error when no module exports it: kernels must be exported to be printed
 */
export function kernelName(kernel: Kernel): KernelName {
  const found = kernelNames().get(kernel);
  if (!found)
    throw new Error(`kernel ${kernel.name || '(anonymous)'} is not exported by any module of the chip side`);
  return found;
}
