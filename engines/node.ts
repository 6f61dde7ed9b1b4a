/**
 * Node: the program that runs this file, started once more, so that a script that never ends can be killed. The script
 * sees a global scope without `require` and `process` of a module.
 */
import fs from 'node:fs';
import path from 'node:path';
import { endSource, printerSource } from './delivery';
import { Engine, expectRunnable } from './engine';
import { runProgram } from './program';

/** Runs in the child process. */
function hostSource(names: string[]): string {
  return `'use strict';
const fs = require('node:fs'), path = require('node:path'), vm = require('node:vm');
const names = ${JSON.stringify(names)};
function write(text) {
  const bytes = Buffer.from(text + '\\n');
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(1, bytes, at);
}
globalThis.print = ${printerSource('write')};
globalThis.readBytes = function (name) {
  const index = names.indexOf(String(name));
  if (index < 0) throw new Error('no file ' + name + ' came with this script');
  return new Uint8Array(fs.readFileSync(path.join(__dirname, 'data-' + index)));
};
globalThis.now = function () { return performance.now(); };
globalThis.memoryUsed = function () {
  globalThis.gc();
  const memory = process.memoryUsage();
  return memory.heapUsed + memory.external;
};
try {
  for (const file of ['bundle.js', 'driver.js'])
    vm.runInThisContext(fs.readFileSync(path.join(__dirname, file), 'utf8'), { filename: file });
  ${endSource('write', '[memoryUsed()]')}
} catch (error) {
  // the trace alone: not the source line, which in a minified bundle is all of it, and not this file's own calls
  const trace = (error instanceof Error ? error.stack.split('\\n') : []).filter(
    (line) => /^(    at .*|\\S+:\\d+)$/.test(line) && !/node:|host\\.cjs/.test(line),
  );
  const text = error instanceof Error ? error.name + ': ' + error.message : String(error);
  fs.writeSync(2, [text].concat(trace).join('\\n') + '\\n');
  process.exitCode = 1;
}
`;
}

export const node: Engine = {
  name: 'node',
  title: 'Node',
  limitsMemory: false,
  hint: 'it runs this program',
  find: () => process.execPath,
  async run(script, options = {}) {
    const files = Object.entries(script.files ?? {});
    return runProgram(
      {
        program: expectRunnable(node, options),
        prepare(folder) {
          const host = path.join(folder, 'host.cjs');
          fs.writeFileSync(host, hostSource(files.map(([name]) => name)));
          fs.writeFileSync(path.join(folder, 'bundle.js'), script.bundle);
          fs.writeFileSync(path.join(folder, 'driver.js'), script.driver);
          files.forEach(([, bytes], i) => fs.writeFileSync(path.join(folder, `data-${i}`), bytes));
          return ['--expose-gc', host];
        },
        buffers: false,
        memory: (atEnd) => (atEnd ? { used: atEnd[0], peak: null } : null),
      },
      options,
    );
  },
};
