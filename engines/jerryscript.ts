/**
 * JerryScript's command line, `jerry`. The size of its heap is set when it is built (512 KB unless told); its peak use
 * is told by builds with memory statistics.
 */
import { deliver } from './delivery';
import { Engine, expectRunnable } from './engine';
import { findProgram, Place, programHint, runProgram } from './program';

const PLACE: Place = {
  variable: 'ENGRAM_JERRY',
  names: ['jerry'],
  hint:
    'build it (in a checkout of JerryScript: tools/build.py --mem-heap=4096 --cpointer-32bit=on --mem-stats=on ' +
    '--line-info=on --error-messages=on), then put build/bin on the PATH or set ENGRAM_JERRY to build/bin/jerry',
};

const GLOBALS = `var now = function () { return Date.now(); };
var memoryUsed = function () { return null; };`;

/** What a build with memory statistics prints on the standard error at its end; others say that they ignore the option. */
const STATISTICS = /^Heap stats:\n(?: {2}.*\n?)*|^Ignoring 'mem-stats'.*\n?/gm;

export const jerryscript: Engine = {
  name: 'jerry',
  title: 'JerryScript',
  limitsMemory: false,
  get hint() {
    return programHint(PLACE);
  },
  find: () => findProgram(PLACE),
  async run(script, options = {}) {
    return runProgram(
      {
        program: expectRunnable(jerryscript, options),
        prepare(folder) {
          const s = deliver(script, GLOBALS, folder);
          return ['--mem-stats', s.prelude, ...s.data, s.bundle, s.driver, s.end];
        },
        buffers: true,
        errors: (text) => text.replace(STATISTICS, ''),
        exitCodes: {
          10: "out of memory: the script needs more than this build's heap (--mem-heap)",
          12: 'out of references to one object (a limit of JerryScript)',
          120: 'an assertion inside JerryScript failed',
        },
        memory(_atEnd, _log, errors) {
          const peak = /Peak allocated = (\d+) bytes/.exec(errors);
          return peak ? { used: null, peak: Number(peak[1]) } : null;
        },
      },
      options,
    );
  },
};
