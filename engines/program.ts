/** Engines that are programs: finding them, and running them with their output read line by line. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import {
  DEFAULT_TIMEOUT_SECONDS,
  EngineMemory,
  EngineResult,
  plainError,
  plainText,
  RunOptions,
  timeoutMessage,
} from './engine';

/**
 * A line that the script printed starts with LINE; END, then numbers about memory as JSON, says that the driver came to
 * its end. Anything else on the output comes from the engine itself.
 */
export const LINE = '\u0001';
export const END = '\u0002';

/** A script that prints more than this is killed: it would fill this process's memory. */
const MOST_OUTPUT = 256 * 1024 * 1024;

/** Where a program may lie: the path or name in the environment variable, else `names` on the PATH. */
export interface Place {
  /** Name of the environment variable. */
  variable: string;
  /** The program's names. */
  names: string[];
  /** How to get the program. */
  hint: string;
  /** Tells a program of the same name apart: why this file is not the engine, or null. */
  refuse?: (file: string) => string | null;
}

function isProgram(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Every program of that name on the PATH. */
function onPath(name: string): string[] {
  const extensions = process.platform === 'win32' ? ['.exe'] : [''];
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .filter((folder) => folder !== '')
    .flatMap((folder) => extensions.map((extension) => path.join(folder, name + extension)))
    .filter(isProgram);
}

function search(place: Place): { found: string | null; hint: string } {
  const set = process.env[place.variable];
  let candidates = place.names.flatMap(onPath);
  if (set) {
    candidates = set.includes(path.sep) ? [path.resolve(set)].filter(isProgram) : onPath(set);
    if (candidates.length === 0)
      return { found: null, hint: `${place.variable} is ${set}, which is no program that can be run` };
  }
  let hint = place.hint;
  for (const file of candidates) {
    const reason = place.refuse ? place.refuse(file) : null;
    if (reason === null) return { found: file, hint: place.hint };
    hint = `${file} ${reason}; ${place.hint}`;
  }
  return { found: null, hint };
}

/** Path of the program, or null. */
export function findProgram(place: Place): string | null {
  return search(place).found;
}

/** How to get the program, or what is wrong with the one that is there. */
export function programHint(place: Place): string {
  return search(place).hint;
}

/** A program to run, and how to understand it. */
export interface Launch {
  program: string;
  /** Writes the scripts into `folder`, an empty temporary one, and returns the program's arguments. */
  prepare: (folder: string) => string[];
  /** Folder to run in, if not that one. */
  directory?: string;
  /** True if the program keeps back what it prints into a pipe. */
  buffers: boolean;
  /** Memory from the numbers that stood beside the mark of the driver's end, and from what the engine printed. */
  memory: (atEnd: number[] | null, log: string[], errors: string) => EngineMemory | null;
  /** The failure that the engine printed among its output, although it may exit with 0; null if none. */
  failure?: (log: string[]) => string | null;
  /** Drops from the standard error what is no error. */
  errors?: (text: string) => string;
  /** What exit codes mean that come without a word. */
  exitCodes?: Record<number, string>;
}

/** Makes a program print line by line into a pipe, where coreutils' stdbuf is at hand; else its lines come at its end. */
function unbuffered(program: string, args: string[]): [string, string[]] {
  const [stdbuf] = onPath('stdbuf');
  return stdbuf === undefined ? [program, args] : [stdbuf, ['-oL', program, ...args]];
}

/** Runs a program to its end, or kills it. */
export async function runProgram(launch: Launch, options: RunOptions): Promise<EngineResult> {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'engram-')));
  try {
    return await follow(launch, launch.prepare(folder), folder, options);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function follow(
  launch: Launch,
  ownArgs: string[],
  folder: string,
  options: RunOptions,
): Promise<EngineResult> {
  const [program, args] = launch.buffers ? unbuffered(launch.program, ownArgs) : [launch.program, ownArgs];
  const lines: string[] = [];
  const log: string[] = [];
  let errors = '';
  let atEnd: number[] | null | undefined;
  let stopped: string | null = null;

  const start = performance.now();
  const child = spawn(program, args, {
    cwd: launch.directory ?? folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // SIGKILL: Espruino ignores SIGTERM
  const kill = (reason: string) => {
    stopped ??= reason;
    child.kill('SIGKILL');
  };
  const killQuietly = () => child.kill('SIGKILL');
  process.once('exit', killQuietly);
  const timer = setTimeout(
    () => kill(timeoutMessage(options)),
    (options.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
  );

  let printed = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.length;
    if (printed > MOST_OUTPUT) kill(`printed more than ${MOST_OUTPUT / 1024 / 1024} MB: killed`);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (errors.length < 1024 * 1024) errors += text;
  });
  const reader = readline.createInterface({ input: child.stdout, crlfDelay: Infinity });
  let thrown: unknown = null;
  reader.on('line', (line) => {
    // a prompt may stand before what a timer prints
    const at = line.indexOf(LINE);
    const end = line.indexOf(END);
    if (at >= 0 && (end < 0 || at < end)) {
      const text = line.slice(at + 1);
      lines.push(text);
      try {
        options.onLine?.(text);
      } catch (error) {
        thrown ??= error;
        kill('onLine threw');
      }
    } else if (end >= 0) atEnd = JSON.parse(line.slice(end + 1));
    else log.push(line);
  });

  const read = new Promise<void>((resolve) => reader.once('close', resolve));
  let ended: { exitCode: number | null; signal: string | null };
  try {
    ended = await new Promise((resolve, reject) => {
      child.once('error', (error) =>
        reject(new Error(`cannot run ${program}: ${error.message}`, { cause: error })),
      );
      child.once('close', (exitCode, signal) => resolve({ exitCode, signal }));
    });
    await read;
  } finally {
    clearTimeout(timer);
    process.off('exit', killQuietly);
    reader.close();
  }
  const { exitCode, signal } = ended;
  const seconds = (performance.now() - start) / 1000;
  if (thrown !== null) throw thrown;

  const complaint = launch.errors ? launch.errors(errors) : errors;
  let error: string | null = stopped;
  if (error === null) {
    const words = (launch.failure ? launch.failure(log) : null) ?? complaint;
    if (exitCode !== 0) {
      const fallback = signal
        ? `crashed (${signal})`
        : (launch.exitCodes?.[exitCode!] ?? `exit code ${exitCode}`);
      error = plainError(words, folder) || fallback;
    } else if (launch.failure && launch.failure(log) !== null) error = plainError(words, folder);
    else if (atEnd === undefined)
      error = `ended before the end of its script${complaint ? ': ' + plainError(complaint, folder) : ''}`;
  }
  const memory = launch.memory(atEnd ?? null, log, errors);
  for (const line of plainText(complaint, folder).split('\n')) if (line !== '') log.push(line);
  return { lines, log, seconds, memory, exitCode, error };
}
