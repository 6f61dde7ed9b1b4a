/**
 * Scripts for the engines whose programs take several files and run them in one global scope (Duktape, JerryScript,
 * MicroQuickJS), and how binary data gets into them: as small scripts of number arrays.
 *
 * These programs cannot read files. Base64 text would need a decoder in the script, and JerryScript keeps every string
 * literal for good; arrays of numbers become garbage as soon as they are copied, so that an engine with a small heap
 * holds the data once, and one part.
 */
import fs from 'node:fs';
import path from 'node:path';
import { EngineScript } from './engine';
import { END, LINE } from './program';

/** Numbers in one array literal, and bytes in one script. */
const ARRAY = 128;
const PART = 512;
/** Most scripts that one file is cut into: they are arguments on a command line. */
const MOST_PARTS = 512;

/** Scripts, each run after the prelude, that fill what `readBytes(name)` returns. */
function dataScripts(name: string, bytes: Uint8Array): string[] {
  const size = ARRAY * Math.ceil(Math.max(PART, bytes.length / MOST_PARTS) / ARRAY);
  const scripts = [`__open(${JSON.stringify(name)}, ${bytes.length});\n`];
  for (let begin = 0; begin < bytes.length; begin += size) {
    const part = bytes.subarray(begin, begin + size);
    let text = '';
    for (let i = 0; i < part.length; i += ARRAY) text += `__part([${part.subarray(i, i + ARRAY).join()}]);\n`;
    scripts.push(text);
  }
  return scripts;
}

/** ES5 function that prints one or more lines by the engine's own function `native`, the mark before each. */
export function printerSource(native: string): string {
  return (
    "function (text) { text = '' + text; " +
    `if (text.indexOf('\\n') >= 0) text = text.split('\\n').join('\\n${LINE}'); ${native}('${LINE}' + text); }`
  );
}

/** ES5 statement that marks the driver's end, with numbers about memory: the value of the expression `memory`. */
export function endSource(native: string, memory: string): string {
  return `${native}('${END}' + JSON.stringify(${memory}));`;
}

const DATA_SOURCE = `var __files = {}, __bytes, __at;
var __open = function (name, n) { __bytes = __files['/' + name] = new Uint8Array(n); __at = 0; };
var __part = function (part) { __bytes.set(part, __at); __at += part.length; };
var readBytes = function (name) {
  var bytes = __files['/' + name];
  if (!bytes) throw new Error('no file ' + name + ' came with this script');
  return bytes;
};
`;

/** Names of the scripts, to be run in this order. Names alone: some engines cut long paths short in their errors. */
export interface Delivered {
  prelude: string;
  data: string[];
  bundle: string;
  driver: string;
  end: string;
}

/**
 * Writes the scripts into a folder. `globals` is ES5 source that defines now, memoryUsed, and gc if the engine has
 * none of that name.
 */
export function deliver(script: EngineScript, globals: string, folder: string): Delivered {
  const write = (name: string, text: string) => {
    fs.writeFileSync(path.join(folder, name), text);
    return name;
  };
  const data = Object.entries(script.files ?? {}).flatMap(([name, bytes]) => dataScripts(name, bytes));
  return {
    // the engine's own print is kept before its name is taken
    prelude: write(
      'prelude.js',
      `var __print = print;\nprint = ${printerSource('__print')};\n${DATA_SOURCE}${globals}\n`,
    ),
    data: data.map((text, i) => write(`data-${i}.js`, text)),
    bundle: write('bundle.js', script.bundle),
    driver: write('driver.js', script.driver),
    end: write('end.js', `gc();\n${endSource('__print', 'null')}\n`),
  };
}
