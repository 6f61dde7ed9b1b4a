/**
 * QuickJS, embedded as WebAssembly (quickjs-emscripten): there on every machine. It has a memory limit, and runs
 * inside this process, so nothing else happens here until the script is through.
 */
import { newQuickJSWASMModule, QuickJSContext, QuickJSHandle } from 'quickjs-emscripten';
import {
  DEFAULT_TIMEOUT_SECONDS,
  Engine,
  EngineResult,
  EngineScript,
  expectRunnable,
  plainError,
  RunOptions,
  timeoutMessage,
} from './engine';

const VERSION = (require('quickjs-emscripten/package.json') as { version: string }).version;

/** Bytes of heap unless told. */
const DEFAULT_MEMORY_LIMIT = 64 * 1024 * 1024;

/** Bytes of stack: QuickJS must find its own stack full before WebAssembly does. */
const MAX_STACK = 128 * 1024;

const PRELUDE = `var print = function (text) { __print('' + text); };
var readBytes = function (name) { return new Uint8Array(new Uint8Array(__file('' + name))); };
var gc = function () {};`;

/** An error of the script, as other engines print one. */
function describe(context: QuickJSContext, error: QuickJSHandle): string {
  const value: unknown = context.dump(error);
  if (typeof value !== 'object' || value === null) return String(value);
  const { name = 'Error', message = '', stack = '' } = value as Partial<Error>;
  return `${name}: ${message}\n${stack}`.trim();
}

async function run(script: EngineScript, options: RunOptions): Promise<EngineResult> {
  // A module of its own for every run, dropped as a whole afterwards: what a failed script leaves alive in it harms no
  // later run, and memory starts from nothing.
  const quickjs = await newQuickJSWASMModule();
  const lines: string[] = [];
  let thrown: { error: unknown } | null = null;
  let late = false;

  const start = performance.now();
  const deadline = start + (options.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000;
  const runtime = quickjs.newRuntime();
  runtime.setMemoryLimit(options.memoryLimit ?? DEFAULT_MEMORY_LIMIT);
  runtime.setInterruptHandler(() => (late ||= performance.now() > deadline) || thrown !== null);
  runtime.setMaxStackSize(MAX_STACK);
  const context = runtime.newContext();

  const global = (name: string, call: (...args: QuickJSHandle[]) => QuickJSHandle) =>
    context.newFunction(name, call).consume((f) => context.setProp(context.global, name, f));
  const memoryUsed = () =>
    runtime.computeMemoryUsage().consume((usage) => Number(context.dump(usage).memory_used_size));
  global('__print', (text) => {
    for (const line of context.getString(text).split('\n')) {
      lines.push(line);
      try {
        options.onLine?.(line);
      } catch (error) {
        thrown ??= { error };
      }
    }
    return context.undefined;
  });
  global('__file', (handle) => {
    const name = context.getString(handle);
    const files = script.files ?? {};
    if (!Object.hasOwn(files, name)) throw new Error(`no file ${name} came with this script`);
    return context.newArrayBuffer(new Uint8Array(files[name]).buffer);
  });
  global('now', () => context.newNumber(performance.now()));
  global('memoryUsed', () => context.newNumber(memoryUsed()));

  /** Runs one source; its error, or null. */
  const evaluate = (source: string, name: string): string | null => {
    const result = context.evalCode(source, name, { type: 'global' });
    if (!result.error) {
      result.value.dispose();
      return null;
    }
    return result.error.consume((error) => describe(context, error));
  };
  let error: string | null;
  try {
    error =
      evaluate(PRELUDE, 'prelude.js') ??
      evaluate(script.bundle, 'bundle.js') ??
      evaluate(script.driver, 'driver.js');
    while (error === null && runtime.hasPendingJob()) {
      const jobs = runtime.executePendingJobs();
      if (jobs.error) error = jobs.error.consume((reason) => describe(context, reason));
    }
  } catch (crash) {
    // WebAssembly traps on what QuickJS does not check itself, such as its own stack
    error = `QuickJS crashed: ${crash instanceof Error ? crash.message : String(crash)}`;
  }
  const seconds = (performance.now() - start) / 1000;
  if (thrown !== null) throw (thrown as { error: unknown }).error;
  if (late) error = timeoutMessage(options);
  const memory = error === null ? { used: memoryUsed(), peak: null } : null;
  return {
    lines,
    log: [],
    seconds,
    memory,
    exitCode: late ? null : error === null ? 0 : 1,
    error: error === null ? null : plainError(error),
  };
}

export const quickjs: Engine = {
  name: 'quickjs',
  title: 'QuickJS',
  limitsMemory: true,
  hint: 'it comes with the package quickjs-emscripten: npm install',
  find: () => `quickjs-emscripten ${VERSION}`,
  async run(script, options = {}) {
    expectRunnable(quickjs, options);
    return run(script, options);
  },
};
