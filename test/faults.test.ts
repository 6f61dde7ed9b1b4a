/** What can be wrong with a packed model in Espruino's Storage is found before the first step, and named. */
import assert from 'node:assert/strict';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { engineNamed } from '../engines/index';
import { load } from '../lib/index';
import { packModel, type Packed } from '../tools/pack/index';

const engine = engineNamed('espruino');
const gru = (units: number): Uint8Array => writeModel(gruModel({ inputs: 3, units, type: 'INT8' }));
const READINGS = [
  [0.5, -1, 2],
  [0.1, 0, -0.7],
];

describe('faults of packed models', function () {
  this.timeout(60000);
  let one: Packed;
  let other: Packed;
  before(async function () {
    one = await packModel(gru(12), { target: 'espruino', name: 'gru' });
    other = await packModel(gru(10), { target: 'espruino', name: 'gru' });
  });

  const there = (title: string, run: () => Promise<void>): void => {
    if (engine.find() === null) it(`${title} (pending: ${engine.hint})`);
    else it(title, run);
  };
  /** Runs a driver with files in Storage; `attempt(f)` prints what f gives, or the message that it throws. */
  const lines = async (files: Record<string, Uint8Array>, driver: string): Promise<string[]> => {
    const names = Object.keys(files);
    const result = await engine.run(
      {
        bundle: '',
        driver: `var storage = require('Storage');
var put = function (name, from) { storage.write(name, readBytes(from || name)); };
${JSON.stringify(names)}.forEach(function (name) { put(name); });
var attempt = function (f) { try { print(f()); } catch (e) { print(e.message); } };
var answers = function (m) {
  return ${JSON.stringify(READINGS)}.map(function (x) { m.step(x); return m.outputs[0].data[0]; }).join();
};
var forget = function () { if (Modules.getCached().indexOf('gru') >= 0) Modules.removeCached('gru'); };
var anew = function () { forget(); return answers(require('gru')); };
${driver}`,
        files,
      },
      { timeoutSeconds: 50 },
    );
    assert.equal(result.error, null);
    return result.lines;
  };
  const answersOf = (units: number): string => {
    const model = load(gru(units));
    return READINGS.map((x) => {
      model.step(x);
      return model.outputs[0].data[0];
    }).join();
  };
  const moduleOf = (packed: Packed): Uint8Array => new Uint8Array(Buffer.from(packed.module));

  there('weights that are missing, cut off, spoiled or of another packing', async () => {
    const { weights } = one;
    const variants: [string, Uint8Array, RegExp][] = [
      [
        'cut',
        weights.slice(0, weights.length - 40),
        /^gru\.bin are cut off: \d+ bytes of \d+; send both again$/,
      ],
      ['short', weights.slice(0, 10), /^Storage has no gru\.bin of \d+ bytes: send it$/],
      ['foreign', other.weights, /^gru\.bin belong to another packing of a model; send both again$/],
      ['text', new Uint8Array(weights.length).fill(65), /^gru\.bin are not weights of version 1; send both/],
    ];
    for (const [i, at] of [20, 500, weights.length - 1].entries()) {
      const spoiled = weights.slice();
      spoiled[at] ^= 1;
      variants.push([`spoiled${i}`, spoiled, /^gru\.bin are damaged \(CRC\); send both again$/]);
    }
    const printed = await lines(
      {
        gru: moduleOf(one),
        good: weights,
        ...Object.fromEntries(variants.map(([name, bytes]) => [name, bytes])),
      },
      `attempt(anew);
${JSON.stringify(variants.map(([name]) => name))}.forEach(function (name) { put('gru.bin', name); attempt(anew); });
put('gru.bin', 'good');
attempt(anew);`,
    );
    assert.match(printed[0], /^Storage has no gru\.bin of \d+ bytes: send it$/);
    for (const [i, [name, , expected]] of variants.entries()) assert.match(printed[i + 1], expected, name);
    assert.equal(printed[variants.length + 1], answersOf(12));
  });

  there('a module that is cut off anywhere is not run', async () => {
    const module = moduleOf(one);
    const end = Buffer.from(module).lastIndexOf('module.exports');
    const cuts = [0.1, 0.35, 0.6, 0.85, 1].map((part) => Math.floor(part * end));
    const printed = await lines(
      {
        'gru.bin': one.weights,
        ...Object.fromEntries(cuts.map((cut) => [`cut${cut}`, module.slice(0, cut)])),
      },
      `${JSON.stringify(cuts)}.forEach(function (cut) {
  put('gru', 'cut' + cut);
  // a part that ends between statements runs, and exports no model
  attempt(function () { forget(); var m = require('gru'); return m.invoke ? 'a model' : 'no model'; });
});`,
    );
    // what is left of a name may be another one, which has no value yet
    for (const line of printed)
      assert.match(line, /^(Got |Unexpected end|no model|Unsupported first argument|.*is not defined)/);
    assert.equal(printed.length, cuts.length);
  });

  there(
    'a file that is rewritten under a live model: told at each use, then it is required again',
    async () => {
      const printed = await lines(
        { gru: moduleOf(one), 'gru.bin': one.weights, gru2: moduleOf(other), 'gru2.bin': other.weights },
        `attempt(anew);
var m = require('gru');
// the same bytes alone would not be written
put('gru.bin', 'gru2.bin');
put('gru.bin');
attempt(function () { return m.step([1, 2, 3]); });
attempt(function () { return m.invoke(); });
attempt(anew);
m = require('gru');
put('gru.bin', 'gru2.bin');
put('gru', 'gru2');
attempt(function () { m.reset(); return m.step([1, 2, 3]); });
attempt(anew);
storage.erase('gru.bin');
attempt(function () { return require('gru').invoke(); });`,
      );
      assert.equal(printed[0], answersOf(12));
      for (const at of [1, 2, 6]) assert.match(printed[at], /^gru\.bin was rewritten: /, `line ${at}`);
      assert.equal(printed[3], answersOf(12));
      // the module's own text is gone, too
      assert.match(printed[4], /^(gru\.bin was rewritten|Function code is null)/);
      assert.equal(printed[5], answersOf(10));
    },
  );

  there('memory that is short is said before anything is taken', async () => {
    const printed = await lines(
      { gru: moduleOf(one), 'gru.bin': one.weights },
      `var real = process.memory, before = real().usage;
process.memory = function () { return { free: 200, blocksize: 13 }; };
attempt(anew);
process.memory = real;
print(real().usage - before < 60 ? 'nothing was taken' : real().usage - before);
attempt(anew);`,
    );
    assert.match(printed[0], /^gru needs about \d+ variables \(\d+ bytes\), but 200 are free$/);
    assert.deepEqual(printed.slice(1), ['nothing was taken', answersOf(12)]);
  });
});
