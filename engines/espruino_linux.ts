/**
 * Espruino's build for Linux (BOARD=LINUX), `espruino`: the interpreter of the boards with Storage in a file, memory that
 * grows, and variables of 27 bytes where boards have 12 to 14. It runs one file and prints errors among the output.
 */
import fs from 'node:fs';
import path from 'node:path';
import { endSource, printerSource } from './delivery';
import { Engine, expectRunnable } from './engine';
import { findProgram, Place, programHint, runProgram } from './program';

const PLACE: Place = {
  variable: 'ENGRAM_ESPRUINO',
  names: ['espruino'],
  hint:
    'build it (in a checkout of Espruino: BOARD=LINUX RELEASE=1 make), then put bin on the PATH or set ENGRAM_ESPRUINO ' +
    'to bin/espruino',
  refuse(file) {
    // the command line package of the same name is a script for Node; it would look for a board
    const head = Buffer.alloc(128);
    const handle = fs.openSync(file, 'r');
    fs.readSync(handle, head, 0, head.length, 0);
    fs.closeSync(handle);
    return /^#!.*\bnode\b/.test(head.toString('latin1')) ? 'is the npm command line, not the engine' : null;
  },
};

/**
 * The prelude. A file is read as a string, which is a chain of variables that every access walks along; made flat, where
 * a contiguous piece of memory that large is to be had, reading costs the same everywhere.
 */
function preludeSource(names: string[], paths: string[]): string {
  return `var print = ${printerSource('console.log')};
var readBytes = function (name) {
  var index = ${JSON.stringify(names)}.indexOf('' + name);
  if (index < 0) throw new Error('no file ' + name + ' came with this script');
  var text = require('fs').readFileSync(${JSON.stringify(paths)}[index]);
  if (!text) return new Uint8Array(0);
  return new Uint8Array(E.toArrayBuffer(E.toFlatString(text) || text));
};
var now = function () { return getTime() * 1000; };
var gc = function () { process.memory(true); };
var memoryUsed = function () { var memory = process.memory(true); return memory.usage * memory.blocksize; };
`;
}

/** The first complaint among what Espruino printed, with the trace after it. */
function failure(log: string[]): string | null {
  const at = log.findIndex((line) => /^>?(Uncaught |Execution Interrupted)/.test(line));
  if (at < 0) return null;
  return log
    .slice(at)
    .filter((line) => !/^[ ^]*$/.test(line) && line !== '>' && line !== 'Uncaught undefined')
    .join('\n');
}

const END_SOURCE = endSource('console.log', '[process.memory(true).usage, process.memory(true).blocksize]');

export const espruino: Engine = {
  name: 'espruino',
  title: 'Espruino (Linux)',
  limitsMemory: false,
  get hint() {
    return programHint(PLACE);
  },
  find: () => findProgram(PLACE),
  async run(script, options = {}) {
    const files = Object.entries(script.files ?? {});
    return runProgram(
      {
        program: expectRunnable(espruino, options),
        directory: options.directory,
        prepare(folder) {
          const write = (name: string, content: string | Uint8Array) => {
            const file = path.join(folder, name);
            fs.writeFileSync(file, content);
            return file;
          };
          const prelude = preludeSource(
            files.map(([name]) => name),
            files.map(([, bytes], i) => write(`data-${i}`, bytes)),
          );
          // through eval, so that the text of prelude and bundle does not stay; in the driver's first line, so that its
          // own lines keep their numbers
          const evaluations = [write('prelude.js', prelude), write('bundle.js', script.bundle)].map(
            (file) => `eval(require('fs').readFileSync(${JSON.stringify(file)}));`,
          );
          return [write('driver.js', `${evaluations.join('')}${script.driver}\n;${END_SOURCE}\n`)];
        },
        buffers: false,
        failure,
        memory: (atEnd) => (atEnd ? { used: atEnd[0] * atEnd[1], peak: null, variables: atEnd[0] } : null),
      },
      options,
    );
  },
};
