/** Models by name: files in Espruino's Storage, tested with the bundle for chips. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { engineNamed } from '../engines/index';
import { load } from '../lib/index';
import { packModel } from '../tools/pack/index';
import { record, feeding } from './helpers/packed';

const engine = engineNamed('espruino');
const bundleFile = path.join(__dirname, '..', 'dist', 'engram.min.js');
const STEPS = 3;

const gru = (units: number): Uint8Array => writeModel(gruModel({ inputs: 3, units, type: 'INT8' }));

describe('load by name', function () {
  this.timeout(120000);

  /** Files, by their names in Storage, and a driver after `var engram = require('engram')`. */
  const onEspruino = async (files: Record<string, Uint8Array>, driver: string): Promise<string[]> => {
    const stored = { engram: new Uint8Array(fs.readFileSync(bundleFile)), ...files };
    const installing = Object.keys(stored)
      .filter((name) => name !== 'in')
      .map((name) => `require('Storage').write('${name}', readBytes('${name}'));`);
    const result = await engine.run(
      {
        bundle: '',
        driver: `${installing.join('\n')}
var engram = require('engram');
var failing = function (f) { try { f(); print('no error'); } catch (e) { print(e.message); } };
${driver}`,
        files: stored,
      },
      { timeoutSeconds: 100 },
    );
    assert.equal(result.error, null);
    return result.lines;
  };
  const there = (title: string, run: () => Promise<void>): void => {
    if (engine.find() === null) it(`${title} (pending: ${engine.hint})`);
    else if (!fs.existsSync(bundleFile)) it(`${title} (pending: npm run build)`);
    else it(title, run);
  };

  for (const [title, units] of [
    ['a .tflite file', 12],
    ['a .tflite file beyond 64 KB, where views cannot begin', 160],
  ] as const) {
    there(`${title} answers as its bytes do`, async () => {
      const bytes = gru(units);
      assert.equal(bytes.length > 65536, units === 160);
      const { inputs, outputs } = record(load(bytes), STEPS);
      const lines = await onEspruino(
        { 'gru.tflite': bytes, in: inputs },
        `var model = engram.load('gru.tflite');${feeding(STEPS)}`,
      );
      assert.deepEqual(
        lines.map((line) => line.split(',').map(Number)),
        outputs,
      );
    });
  }

  there('constants take no memory: a large model takes hardly more than a small one', async () => {
    const files = { small: gru(12), large: gru(100) };
    const [small, large] = (
      await onEspruino(
        files,
        `['small', 'large'].forEach(function (name) {
  var before = process.memory(true).usage;
  var model = engram.load(name);
  print(process.memory(true).usage - before);
});`,
      )
    ).map(Number);
    const bytes = files.large.length - files.small.length;
    // the arena and tables of multipliers grow; a variable holds at least 12 bytes of an array
    assert.ok(bytes > 25000);
    assert.ok((large - small) * 12 < bytes / 3, `${small} and ${large} variables`);
  });

  there('a file that is rewritten under a live model is told at each use, and loads anew', async () => {
    const other = gru(8);
    const lines = await onEspruino(
      { gru: gru(12), other },
      `var model = engram.load('gru');
model.step([1, 2, 3]);
var state = model.state, store = require('Storage');
store.write('gru', store.readArrayBuffer('other'));
failing(function () { model.step([1, 2, 3]); });
failing(function () { model.invoke(); });
failing(function () { model.start(); model.resume(1); });
failing(function () { model.reset(); });
failing(function () { model.newState(); });
failing(function () { model.save(); });
model = engram.load('gru');
model.step([1, 2, 3]);
print(model.outputs[0].data[0]);
store.erase('gru');
failing(function () { model.invoke(); });`,
    );
    const expected = load(other);
    expected.step([1, 2, 3]);
    const told = '"gru" in Storage was rewritten: load it again';
    assert.deepEqual(lines, [...Array<string>(6).fill(told), String(expected.outputs[0].data[0]), told]);
  });

  there('memory that is short is said before anything is taken', async () => {
    const [said, taken, answer] = await onEspruino(
      { gru: gru(12) },
      `var real = process.memory;
var before = real(true).usage;
process.memory = function () { return { free: 900, blocksize: 13 }; };
failing(function () { engram.load('gru'); });
process.memory = real;
print(real(true).usage - before < 100);
engram.load('gru').invoke();
print('runs');`,
    );
    assert.match(said, /^"gru" needs about \d+ variables, but 900 are free: engram pack makes it smaller$/);
    assert.ok(Number(/\d+/.exec(said)![0]) > 2000);
    assert.deepEqual([taken, answer], ['true', 'runs']);
  });

  there('a packed module, and what is neither', async () => {
    const bytes = gru(12);
    const packed = await packModel(bytes, { target: 'espruino', name: 'gru' });
    const { inputs, outputs } = record(load(bytes), STEPS);
    const lines = await onEspruino(
      {
        gru: Buffer.from(packed.module),
        'gru.bin': packed.weights,
        in: inputs,
        note: Buffer.from('hello there'),
        other: Buffer.from('exports.a = 1;'),
        cut: bytes.slice(0, 900),
      },
      `failing(function () { engram.load('nothing'); });
failing(function () { engram.load('note'); });
failing(function () { engram.load('other'); });
failing(function () { engram.load('cut'); });
failing(function () { engram.load('gru', { atomic: true }); });
var model = engram.load('gru');${feeding(STEPS)}`,
    );
    assert.match(lines[0], /^Storage has no "nothing": send it/);
    assert.match(lines[1], /^"note" is no \.tflite model, and no module of engram pack: /);
    assert.match(lines[2], /^"other" is no \.tflite model, and no module of engram pack: it has no invoke/);
    assert.match(lines[3], /lies outside of the file/);
    assert.match(lines[4], /^the module "gru" was packed: load takes no options for it/);
    assert.deepEqual(
      lines.slice(5).map((line) => line.split(',').map(Number)),
      outputs,
    );
  });

  it('elsewhere, says what to give', async function () {
    assert.throws(
      () => load('gru' as never),
      /the bytes of a \.tflite model, but got the name "gru": read the/,
    );
    if (!fs.existsSync(bundleFile)) return this.skip();
    for (const name of ['quickjs', 'duk', 'jerry', 'mqjs'] as const) {
      const other = engineNamed(name);
      if (other.find() === null) continue;
      const { lines } = await other.run({
        bundle: fs.readFileSync(bundleFile, 'utf8'),
        driver: `try { engram.load('gru'); } catch (e) { print(e.message); }`,
      });
      assert.deepEqual(
        lines,
        [`load("gru") needs Espruino's Storage: elsewhere, give the bytes as a Uint8Array`],
        name,
      );
    }
  });
});
