/** MicroQuickJS's command line, `mqjs`. `memoryLimit` is the whole memory that it gets: 16 MB unless told. */
import fs from 'node:fs';
import path from 'node:path';
import { deliver } from './delivery';
import { Engine, expectRunnable } from './engine';
import { findProgram, Place, programHint, runProgram } from './program';

const PLACE: Place = {
  variable: 'ENGRAM_MQJS',
  names: ['mqjs'],
  hint: 'build it (in a checkout of MicroQuickJS: make), then put it on the PATH or set ENGRAM_MQJS to its path',
};

const GLOBALS = `var now = function () { return performance.now(); };
var memoryUsed = function () { return null; };`;

export const mquickjs: Engine = {
  name: 'mqjs',
  title: 'MicroQuickJS',
  limitsMemory: true,
  get hint() {
    return programHint(PLACE);
  },
  find: () => findProgram(PLACE),
  async run(script, options = {}) {
    return runProgram(
      {
        program: expectRunnable(mquickjs, options),
        prepare(folder) {
          const s = deliver(script, GLOBALS, folder);
          // it includes 32 files at most; one that loads the others keeps none of them
          const data = 'data.js';
          fs.writeFileSync(
            path.join(folder, data),
            s.data.map((file) => `load(${JSON.stringify(file)});\n`).join(''),
          );
          const args = options.memoryLimit ? ['--memory-limit', String(Math.floor(options.memoryLimit))] : [];
          for (const file of [s.prelude, data, s.bundle, s.driver]) args.push('-I', file);
          return [...args, '-d', s.end];
        },
        buffers: true,
        memory(_atEnd, log) {
          // by then what the end's gc() freed is gone
          const size = log.map((line) => /^heap size=(\d+)\//.exec(line)).find((match) => match);
          return size ? { used: Number(size[1]), peak: null } : null;
        },
      },
      options,
    );
  },
};
