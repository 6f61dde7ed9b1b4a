/** Sketches: minified for Espruino, with the modules that they require. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse, type Node } from 'acorn';
import { simple } from 'acorn-walk';
import { minify } from 'terser';
import { readBytes, readText } from '../files';
import type { StorageFile } from './storage';

/** A sketch and what goes along with it. */
export interface Sketch {
  code: string;
  /** Files of modules found on the host. */
  files: StorageFile[];
  /** Names of modules that must be on the board already, or in its firmware. */
  elsewhere: string[];
}

/** Longest name of a file in Storage. */
export const LONGEST_NAME = 28;

/** Names that a script requires. @throws Error with file, line and column when it is no script */
function requiredBy(code: string, file: string): string[] {
  const names = new Set<string>();
  let tree: Node;
  try {
    tree = parse(code, { ecmaVersion: 'latest', allowReturnOutsideFunction: true });
  } catch (error) {
    throw new Error(`${file} is not JavaScript that a board can run: ${(error as Error).message}`, {
      cause: error,
    });
  }
  simple(tree, {
    CallExpression(call) {
      const [first] = call.arguments;
      if (call.callee.type !== 'Identifier' || call.callee.name !== 'require') return;
      if (first?.type === 'Literal' && typeof first.value === 'string') names.add(first.value);
    },
  });
  return [...names];
}

/**
 * Shortens a script: no comments, short local names. Statements stay as they are, since Espruino creates a variable when
 * its `var` is executed, and a declaration that a minifier drops as a repetition may be the one that counts.
 */
async function shorten(code: string): Promise<string> {
  const result = await minify(code, {
    parse: { bare_returns: true },
    compress: false,
    // Espruino takes `of` for a reserved word
    mangle: { reserved: ['of'] },
    format: { comments: false },
  });
  return result.code ?? '';
}

/** The file of a module, shortened already where there is one. */
function moduleFile(name: string, folders: string[], shortened: boolean): string | null {
  for (const folder of folders) {
    for (const ending of shortened ? ['.min.js', '.js'] : ['.js']) {
      const file = path.join(folder, name + ending);
      if (fs.existsSync(file)) return file;
    }
  }
  return null;
}

/**
 * Reads a sketch and the modules that it and they require, from the first of `folders` that has them; the weights
 * NAME.bin of a packed model go along with its module.
 * @throws Error for what is not JavaScript, and for names that are too long for Storage
 */
export async function readSketch(file: string, folders: string[], shortened: boolean): Promise<Sketch> {
  const files = new Map<string, StorageFile>();
  const elsewhere = new Set<string>();
  const prepare = async (source: string): Promise<string> => {
    const code = readText(source);
    for (const name of requiredBy(code, source)) {
      const found = moduleFile(name, folders, shortened);
      if (!found) elsewhere.add(name);
      if (!found || files.has(name)) continue;
      if (Buffer.byteLength(name) > LONGEST_NAME)
        throw new Error(`the module's name "${name}" has more than ${LONGEST_NAME} letters`);
      // in its place before its own modules, which may require it in turn
      files.set(name, { name, bytes: new Uint8Array(0) });
      const text = await prepare(found);
      files.set(name, { name, bytes: new Uint8Array(Buffer.from(text)) });
      const weights = path.join(path.dirname(found), `${name}.bin`);
      if (fs.existsSync(weights))
        files.set(`${name}.bin`, { name: `${name}.bin`, bytes: readBytes(weights) });
    }
    return shortened && !source.endsWith('.min.js') ? shorten(code) : code;
  };
  const code = await prepare(file);
  return { code, files: [...files.values()], elsewhere: [...elsewhere] };
}
