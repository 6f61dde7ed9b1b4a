/** `espruino.config.js`: the board, and how sketches get onto it. */
import * as fs from 'node:fs';
import * as path from 'node:path';

export interface BoardConfig {
  /** The board's name, as `process.env.BOARD` on it says; undefined: any. */
  board?: string;
  /** A serial port, a Bluetooth address or tcp://HOST:PORT; undefined: the first board found. */
  port?: string;
  /** Directories with modules, absolute. */
  modules: string[];
  /** Whether sketches and modules are minified. */
  minify: boolean;
}

const ENTRIES = ['board', 'port', 'modules', 'minify'];

/**
 * Reads `espruino.config.js` in `directory`; without the file, what it would say when empty.
 * @throws Error that names the entry which is not as it should be
 */
export function readConfig(directory: string): BoardConfig {
  const file = path.join(directory, 'espruino.config.js');
  let given: Record<string, unknown> = {};
  if (fs.existsSync(file)) {
    try {
      const exported = require(path.resolve(file)) as { default?: unknown };
      given = (exported.default ?? exported) as Record<string, unknown>;
    } catch (error) {
      throw new Error(`${file} cannot be read: ${(error as Error).message.split('\n')[0]}`, { cause: error });
    }
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new Error(`${file} must export an object: module.exports = { board: 'PUCKJS' }`);
  for (const entry of Object.keys(given))
    if (!ENTRIES.includes(entry))
      throw new Error(`${file}: there is no entry "${entry}"; there are ${ENTRIES.join(', ')}`);
  const wrong = (entry: string, expected: string): never => {
    throw new Error(`${file}: ${entry} must be ${expected}, not ${JSON.stringify(given[entry])}`);
  };
  for (const entry of ['board', 'port'])
    if (given[entry] !== undefined && typeof given[entry] !== 'string') wrong(entry, 'a text');
  if (given.minify !== undefined && typeof given.minify !== 'boolean') wrong('minify', 'true or false');
  const modules = given.modules ?? [];
  if (!Array.isArray(modules) || modules.some((folder) => typeof folder !== 'string'))
    wrong('modules', 'a list of folders');
  return {
    board: given.board as string | undefined,
    port: given.port as string | undefined,
    modules: (modules as string[]).map((folder) => path.resolve(directory, folder)),
    minify: (given.minify as boolean | undefined) ?? true,
  };
}
