/** Duktape's command line, `duk`. It tells nothing of its memory, and takes no limit. */
import { deliver } from './delivery';
import { Engine, expectRunnable } from './engine';
import { findProgram, Place, programHint, runProgram } from './program';

const PLACE: Place = {
  variable: 'ENGRAM_DUK',
  names: ['duk'],
  hint: 'install it (Debian: apt-get install duktape; macOS: brew install duktape), or set ENGRAM_DUK to its path',
};

const GLOBALS = `var gc = function () { Duktape.gc(); };
var now = typeof performance === 'undefined' ? Date.now : function () { return performance.now(); };
var memoryUsed = function () { return null; };`;

export const duktape: Engine = {
  name: 'duk',
  title: 'Duktape',
  limitsMemory: false,
  get hint() {
    return programHint(PLACE);
  },
  find: () => findProgram(PLACE),
  async run(script, options = {}) {
    return runProgram(
      {
        program: expectRunnable(duktape, options),
        prepare(folder) {
          const s = deliver(script, GLOBALS, folder);
          return [s.prelude, ...s.data, s.bundle, s.driver, s.end];
        },
        buffers: false,
        memory: () => null,
      },
      options,
    );
  },
};
