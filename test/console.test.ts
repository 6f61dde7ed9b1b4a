/** At the console of Espruino: what it prints of a model, what errors say, and steps that do not come to their end. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { engineNamed } from '../engines/index';
import { crc32 } from '../lib/crc32';
import { load } from '../lib/index';
import { packModel, type PackOptions } from '../tools/pack/index';
import { type Console, openConsole } from './helpers/board';

const engine = engineNamed('espruino');
const bundleFile = path.join(__dirname, '..', 'dist', 'engram.min.js');
const bytes = writeModel(gruModel({ inputs: 3, units: 12, type: 'INT8' }));
const READINGS = [
  [0.5, -1, 2],
  [0.1, 0, -0.7],
  [-3, 1, 1],
];

/** Packings under test, by their names in Storage. */
const PACKINGS: Record<string, Partial<PackOptions>> = {
  gru: {},
  portable: { kernels: 'portable' },
  sliced: { parts: ['state', 'snapshots', 'slices'] },
};

/** Builtins that kernels call. */
const HOOKED = ['E.convolve', 'E.mapInPlace', 'Math.exp', 'Math.floor', 'Math.pow'];

describe('at the console', function () {
  this.timeout(120000);
  let flash: string;
  let console: Console | null = null;

  before(async function () {
    const program = engine.find();
    if (program === null) return;
    flash = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-flash-'));
    const files: Record<string, Uint8Array> = { 'gru.tflite': bytes };
    for (const [name, options] of Object.entries(PACKINGS)) {
      const packed = await packModel(bytes, { target: 'espruino', name, ...options });
      files[name] = Buffer.from(packed.module);
      files[`${name}.bin`] = packed.weights;
    }
    if (fs.existsSync(bundleFile)) files.engram = fs.readFileSync(bundleFile);
    const installing = Object.keys(files).map(
      (name) => `require('Storage').write('${name}', readBytes('${name}'));`,
    );
    const { error } = await engine.run(
      { bundle: '', driver: installing.join('\n'), files },
      { directory: flash },
    );
    assert.equal(error, null);
    console = await openConsole(program, flash);
  });
  after(async () => {
    await console?.close();
    if (flash) fs.rmSync(flash, { recursive: true });
  });

  const there = (title: string, run: (type: (line: string) => Promise<string>) => Promise<void>): void => {
    if (engine.find() === null) it(`${title} (pending: ${engine.hint})`);
    else it(title, () => run((line) => console!.type(line)));
  };

  there('a model shows what it is, and answers', async (type) => {
    assert.match(
      await type('var m = require("gru");'),
      /^=gru: x INT8 \[1,3\] -> y INT8 \[1,1\], variables: 1/,
    );
    assert.match(await type('m'), /^=gru: x INT8 \[1,3\] -> y INT8 \[1,1\], variables: 1/);
    const answer = (load(bytes).step([1, 2, 3]) as Float32Array)[0];
    const shown = /^=new Float32Array\(\[(.*)\]\)$/.exec(await type('m.step([1, 2, 3])'))![1];
    assert.ok(Math.abs(Number(shown) - answer) < 1e-6, `${shown}, not ${answer}`);
    assert.match(await type('m.variables'), /h/);
    assert.match(await type('m.variables.names()'), /^=\[\s+"h"\s+\]$/);
    assert.match(await type('m.variables.get("h").read()'), /^=new Float32Array\(\[/);
    assert.equal(await type('m.reset()'), '=undefined');
    assert.match(await type('m.variables.get("h").data'), /^=new Int8Array\(12\)$/);
  });

  there('errors say what to do', async (type) => {
    for (const [line, expected] of [
      ['m.step([1, 2])', /^Uncaught Error: input 0 "x" must be given 3 numbers/],
      ['m.step()', /^Uncaught Error: input 0 "x" must be given 3 numbers/],
      ['m.step(1, 2, 3)', /^Uncaught Error: input 0 "x" must be given 3 numbers/],
      ['m.step([1, 2, "x"])', /^Uncaught Error: input 0 "x" must be given 3 numbers/],
      ['m.step([1, 2, 3], 4)', /^Uncaught Error: not a state of this model: use newState\(\)/],
      ['m.variables.get("hh")', /^Uncaught Error: no variable "hh": there are h/],
      ['m.variables.get("h").write([1])', /^Uncaught Error: variable "h\S*" must be given 12 numbers/],
      ['m.restore(new Uint8Array(40))', /^Uncaught Error: not a snapshot of version 1/],
      ['require("grux")', /^Uncaught (Error: )?Module "?grux"? not found/],
    ] as const)
      assert.match(await type(line), expected, line);
  });

  /** Types a function that gives a few answers and the state's checksum, after a reset; what it gives. */
  const course = (of: string): string =>
    `(function (m) { var r = []; m.reset(); ${JSON.stringify(READINGS)}.forEach(function (x) { m.step(x); r.push(m.outputs[0].data[0]); }); return r.join() + ' ' + E.CRC32(m.save()); })(${of})`;
  const expected = (): string => {
    const model = load(bytes);
    const answers = READINGS.map((x) => {
      model.step(x);
      return model.outputs[0].data[0];
    });
    const snapshot = model.save();
    return `="${answers.join()} ${crc32(snapshot, 0, snapshot.length, 0) >>> 0}"`;
  };
  const models = [...Object.keys(PACKINGS).map((name) => `require("${name}")`), 'loaded'];

  for (const model of models) {
    const prepare = async (type: (line: string) => Promise<string>): Promise<boolean> => {
      if (model !== 'loaded') return true;
      if (!fs.existsSync(bundleFile)) return false;
      await type('var loaded = loaded || require("engram").load("gru.tflite");');
      return true;
    };
    // kernels look functions up when they call them: one that throws, or that Ctrl-C hits, stands for any other place
    for (const [what, effect, said] of [
      ['Ctrl-C', 'interrupt()', /Execution Interrupted/],
      ['an exception', 'throw new Error("broken")', /broken/],
    ] as const) {
      there(`${model}: ${what} in the middle of a step, then reset()`, async (type) => {
        assert.ok(await prepare(type), 'npm run build');
        await type(
          `var left = 0; function failing(f) { return function () { if (left-- === 0) { ${effect}; } return f.apply(this, arguments); }; }`,
        );
        let failures = 0;
        for (const count of [0, 1, 2, 7, 12, 20]) {
          await type(`${model}.step([1, 2, 3]);`);
          await type(HOOKED.map((name) => `${name} = failing(${name});`).join(' ') + ` left = ${count};`);
          if (said.test(await type(`${model}.step([3, 2, 1]);`))) failures++;
          await type(HOOKED.map((name) => `delete ${name};`).join(' '));
          assert.equal(await type(course(model)), expected(), `call ${count}`);
        }
        assert.ok(failures > 1, `${failures} steps failed`);
      });
    }
  }
});
