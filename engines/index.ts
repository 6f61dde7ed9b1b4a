/**
 * The engines that a bundle can be run on: all of them, and one by name.
 *
 * Node and QuickJS are always there. The others are programs, found on the PATH under their usual names, or by an
 * environment variable that holds a path (or a name on the PATH):
 *
 *     duk        Duktape        ENGRAM_DUK
 *     jerry      JerryScript    ENGRAM_JERRY
 *     mqjs       MicroQuickJS   ENGRAM_MQJS
 *     espruino   Espruino       ENGRAM_ESPRUINO    its build for Linux, not the npm package of that name
 */
import { duktape } from './duktape';
import { Engine, ENGINE_NAMES } from './engine';
import { espruino } from './espruino_linux';
import { jerryscript } from './jerryscript';
import { mquickjs } from './mquickjs';
import { node } from './node';
import { quickjs } from './quickjs';

export { ENGINE_NAMES } from './engine';
export type { Engine, EngineMemory, EngineName, EngineResult, EngineScript, RunOptions } from './engine';

/** Every engine, at hand or not, in the order of ENGINE_NAMES. */
export const engines: readonly Engine[] = [node, quickjs, duktape, jerryscript, mquickjs, espruino];

/** Other names that people use. */
const ALIASES: Record<string, string> = {
  duktape: 'duk',
  jerryscript: 'jerry',
  mquickjs: 'mqjs',
  microquickjs: 'mqjs',
  nodejs: 'node',
  qjs: 'quickjs',
};

/** Levenshtein's distance: insertions, deletions and replacements of a character from `a` to `b`. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}

/** The engine of that name; an error that lists the names, and the nearest one, if there is none. */
export function engineNamed(name: string): Engine {
  const lower = name.toLowerCase();
  const wanted = Object.hasOwn(ALIASES, lower) ? ALIASES[lower] : lower;
  const engine = engines.find((candidate) => candidate.name === wanted);
  if (engine) return engine;
  const near = [...ENGINE_NAMES, ...Object.keys(ALIASES)]
    .map((candidate) => ({ candidate, edits: distance(lower, candidate) }))
    .sort((a, b) => a.edits - b.edits)[0];
  const question = near.edits <= 2 ? ` (did you mean ${near.candidate}?)` : '';
  throw new Error(`unknown engine ${name}${question}: expected one of ${ENGINE_NAMES.join(', ')}`);
}
