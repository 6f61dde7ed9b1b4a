/**
 * What an engine adapter is: it runs a bundle and a driver script on one JavaScript engine, and tells the output, the
 * time and the memory. The same script runs on every engine (`index.ts` lists them), so that answers can be compared.
 *
 * Besides the bundle's global, a driver finds these globals on every engine:
 *
 *     print(text)        a line of output
 *     readBytes(name)    Uint8Array: the bytes of one of the script's files
 *     now()              milliseconds, from the finest clock that the engine has
 *     memoryUsed()       bytes in use on the engine's heap, garbage excluded where it can be; null where it cannot tell
 *     gc()               collects garbage, where that can be asked for
 *
 * Both sources are ES5, and keep to what the weakest engine takes: one that runs on Espruino and MicroQuickJS runs on all.
 */

import path from 'node:path';

export const ENGINE_NAMES = ['node', 'quickjs', 'duk', 'jerry', 'mqjs', 'espruino'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** What to run. */
export interface EngineScript {
  /** ES5 source that is run first, in the global scope; it defines a global (`var engram = …`). */
  bundle: string;
  /** ES5 source that is run second, in the global scope. An error that it throws fails the run. */
  driver: string;
  /** Binary data by name, for `readBytes`. */
  files?: Record<string, Uint8Array>;
}

export interface RunOptions {
  /** Most bytes of heap; only where `limitsMemory`. */
  memoryLimit?: number;
  /** The run is killed after this many seconds; 60 unless told. */
  timeoutSeconds?: number;
  /** Called with each line as it comes. */
  onLine?: (line: string) => void;
  /**
   * Espruino: the folder that keeps its flash (espruino.flash), a temporary one unless told. A second run in the same
   * folder is the same board after a reboot. Other engines keep nothing.
   */
  directory?: string;
}

/** Memory as the engine itself counts it. */
export interface EngineMemory {
  /** Bytes in use at the driver's end; null if the engine tells only the peak. */
  used: number | null;
  /** Most bytes in use at any time; null if the engine does not count it. */
  peak: number | null;
  /** Espruino: variables in use, the unit in which boards count their memory. */
  variables?: number;
}

export interface EngineResult {
  /** What the script printed. */
  lines: string[];
  /** What the engine itself printed: banner, warnings, traces, and console.log of a script that goes past print. */
  log: string[];
  /** Wall time of the whole run, the engine's start included. */
  seconds: number;
  /** Null where the engine cannot tell. */
  memory: EngineMemory | null;
  /** The process's exit code; null if it was killed, 0 or 1 for an embedded engine. */
  exitCode: number | null;
  /** Why the run failed: the script's error with what the engine adds to it, a timeout, a crash. Null: it ran to its end. */
  error: string | null;
}

export interface Engine {
  name: EngineName;
  title: string;
  /** Whether `memoryLimit` can be asked for. */
  limitsMemory: boolean;
  /** How to get the engine, or what is wrong with the one named by its environment variable. */
  readonly hint: string;
  /** Path of the engine's program, or the version of an embedded one; null if it is not on this machine. */
  find(): string | null;
  /** Runs a script. Throws if the engine is absent or the options do not fit it; a script that fails is a result. */
  run(script: EngineScript, options?: RunOptions): Promise<EngineResult>;
}

export const DEFAULT_TIMEOUT_SECONDS = 60;

/** Throws unless the engine is here and takes the options; returns what `find` found. */
export function expectRunnable(engine: Engine, options: RunOptions): string {
  const found = engine.find();
  if (found === null) throw new Error(`${engine.title} is not on this machine: ${engine.hint}`);
  const { memoryLimit, timeoutSeconds } = options;
  if (memoryLimit !== undefined && !engine.limitsMemory)
    throw new Error(`${engine.title} takes no memory limit: leave memoryLimit out`);
  if (memoryLimit !== undefined && !(memoryLimit > 0))
    throw new Error(`memoryLimit: expected a positive number of bytes, got ${memoryLimit}`);
  if (timeoutSeconds !== undefined && !(timeoutSeconds > 0))
    throw new Error(`timeoutSeconds: expected a positive number, got ${timeoutSeconds}`);
  return found;
}

/** The error of a run that was killed. */
export function timeoutMessage(options: RunOptions): string {
  return `no end after ${options.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS} s: killed (timeoutSeconds sets the time)`;
}

// eslint-disable-next-line no-control-regex
const ANSI = /\x1b\[[0-9;]*[A-Za-z]/g;

/** What an engine printed, without colours and without the name of the temporary folder. */
export function plainText(text: string, folder?: string): string {
  const plain = text.replace(ANSI, '');
  return folder === undefined ? plain : plain.replaceAll(folder + path.sep, '').replaceAll(folder, '');
}

/** An engine's complaint, without what stands before the error itself: it starts with "TypeError: …" on every engine. */
export function plainError(text: string, folder?: string): string {
  const plain = plainText(text, folder).trim();
  const start = /^(?:Uncaught |Unhandled exception: )?(?=\w*Error\b)/m.exec(plain);
  if (start) return plain.slice(start.index + start[0].length);
  return plain.replace(/^(Uncaught|Unhandled exception:) /, '');
}
