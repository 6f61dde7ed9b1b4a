/** Packed programs give the bits of unpacked ones, for every public model and on every engine. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { quantizeModel } from '../author/quantize/index';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { engineNamed, type EngineName } from '../engines/index';
import { crc32 } from '../lib/crc32';
import { load } from '../lib/index';
import type { Model } from '../lib/model';
import { checkDialect, formatViolations } from '../tools/dialect';
import { packModel, type PackOptions } from '../tools/pack/index';
import { firstDifference } from '../tools/same_outputs';
import { evaluate, feeding, installing, onNode, record } from './helpers/packed';
import { ABSENT, shared } from './helpers/shared';
import { cases, difference } from './helpers/suite';

const STEPS = 3;

const gru = (type: 'INT8' | 'FLOAT32'): Uint8Array => writeModel(gruModel({ inputs: 3, units: 24, type }));
const modelFile = (name: string): Uint8Array =>
  new Uint8Array(fs.readFileSync(shared('models', name, 'model.tflite')!));

/** Packs with weights apart for Node. */
const separate = (bytes: Uint8Array, more: Partial<PackOptions> = {}): ReturnType<typeof packModel> =>
  packModel(bytes, { target: 'es5', name: 'packed', inline: false, ...more });

describe('packed programs on Node', function () {
  this.timeout(120000);
  const folder = shared('models');
  if (!folder) it(ABSENT);
  for (const name of folder ? fs.readdirSync(folder).sort() : []) {
    if (!fs.existsSync(path.join(folder!, name, 'model.tflite'))) continue;
    it(`${name}: the bits of the unpacked program`, async () => {
      const bytes = modelFile(name);
      assert.equal(firstDifference(load(bytes), onNode(await separate(bytes)), STEPS), null);
    });
  }
  for (const type of ['INT8', 'FLOAT32'] as const) {
    it(`a GRU, ${type}, weights in the module and in slices`, async () => {
      const packed = await packModel(gru(type), {
        target: 'es5',
        name: 'gru',
        parts: ['state', 'snapshots', 'slices'],
      });
      const model = evaluate(packed.module) as Model;
      assert.equal(firstDifference(load(gru(type)), model, STEPS), null);
      model.reset();
      // inputs share memory with what comes after them
      const x = [1, 2, 3];
      model.inputs[0].data.set(x);
      model.invoke();
      const bits = Array.from(model.outputs[0].data);
      model.reset();
      model.inputs[0].data.set(x);
      model.start();
      assert.throws(() => model.invoke(), /a step is under way/);
      let slices = 1;
      while (!model.resume(2)) slices++;
      assert.ok(slices > 5);
      assert.deepEqual(Array.from(model.outputs[0].data), bits);
      assert.throws(() => model.resume(1), /no step is under way/);
    });
  }
  for (const group of folder ? ['control', 'variables', 'graph'] : []) {
    it(`cases of the conformance group ${group}`, async () => {
      const failures: string[] = [];
      for (const test of cases(group)) {
        // an initial value that is not in the file: see docs/operators.md
        if (test.name.startsWith('initial_value_i')) continue;
        const found = difference(test, onNode(await separate(test.bytes, { minify: false })));
        if (found) failures.push(`${test.name}: ${found}`);
      }
      assert.deepEqual(failures, []);
    });
  }
  it('step() on real numbers answers as unpacked', async () => {
    for (const type of ['INT8', 'FLOAT32'] as const) {
      const packed = await separate(gru(type));
      const model = onNode(packed);
      const other = load(gru(type));
      for (let i = 0; i < 5; i++) {
        const x = [Math.sin(i), 3.7 * i - 7, -0.3];
        assert.deepEqual(model.step(x), other.step(x));
      }
      model.reset();
      model.step(...packed.smoke.inputs);
      assert.deepEqual(
        Array.from(model.outputs[0].data, (q) =>
          Math.fround((model.outputs[0].scale || 1) * (q - model.outputs[0].zeroPoint)),
        ),
        packed.smoke.outputs[0],
      );
    }
  });
  it('snapshots move between packed and unpacked models, streams do not mix', async () => {
    const other = load(gru('INT8'));
    const model = onNode(await separate(gru('INT8')));
    other.step([1, 2, 3]);
    model.restore(other.save());
    assert.deepEqual(model.step([3, 2, 1]), other.step([3, 2, 1]));
    assert.deepEqual(model.save(), other.save());
    const fresh = model.newState();
    const before = model.state;
    const saved = model.save();
    assert.deepEqual(model.step([1, 1, 1], fresh), load(gru('INT8')).step([1, 1, 1]));
    model.state = before;
    assert.deepEqual(model.save(), saved);
    assert.deepEqual(model.variables.names(), other.variables.names());
    const h = model.variables.names()[0];
    assert.deepEqual(model.variables.get(h).read(), other.variables.get(h).read());
    saved[40] ^= 1;
    assert.throws(() => model.restore(saved), /damaged/);
  });
  it('weights that are cut off, damaged or of another packing are refused and named', async () => {
    const packed = await separate(gru('INT8'));
    const make = evaluate(packed.module) as (weights?: Uint8Array) => Model;
    assert.throws(() => make(), /packed\.bin: give the bytes/);
    assert.throws(() => make(packed.weights.subarray(0, 1000)), /packed\.bin are cut off: 1000 bytes/);
    assert.throws(() => make(new Uint8Array(0)), /packed\.bin are cut off: 0 bytes/);
    const spoiled = packed.weights.slice();
    spoiled[2000] ^= 4;
    assert.throws(() => make(spoiled), /packed\.bin are damaged/);
    const other = await separate(
      writeModel(gruModel({ inputs: 3, units: 24, type: 'INT8', seed: 9 } as Parameters<typeof gruModel>[0])),
    );
    assert.notDeepEqual(other.weights, packed.weights);
    assert.throws(() => make(other.weights), /belong to another packing/);
    const shifted = new Uint8Array(packed.weights.length + 1);
    shifted.set(packed.weights, 1);
    assert.equal(make(shifted.subarray(1)).inputs.length, 1);
  });
});

describe('packed modules', function () {
  this.timeout(60000);
  it('are the JavaScript of the weakest engine', async () => {
    for (const target of ['es5', 'espruino'] as const) {
      for (const minify of [true, false]) {
        const { module } = await packModel(gru('INT8'), { target, name: 'gru', inline: true, minify });
        const allow = ['fill', ...(target === 'espruino' ? ['E', 'require', 'atob', 'process'] : [])];
        assert.equal(formatViolations(checkDialect(module, { allow }), target), '');
      }
    }
  });
});

describe('sizes of packed models', function () {
  this.timeout(60000);
  const modules: [string, number][] = [
    ['hello_world_int8', 4096],
    ['okay_nabu', 14336],
  ];
  for (const [name, most] of modules) {
    if (!shared('models')) it(`${name} (${ABSENT})`);
    else
      it(`${name}: a module for Espruino of at most ${most} bytes`, async () => {
        const { module } = await packModel(modelFile(name), { target: 'espruino', name });
        assert.ok(module.length <= most, `${module.length} bytes`);
      });
  }
  for (const type of ['FLOAT32', 'INT8'] as const)
    it(`a GRU of ${type}: a module for Espruino of at most 6144 bytes`, async () => {
      const { module } = await packModel(gru(type), { target: 'espruino', name: 'gru' });
      assert.ok(module.length <= 6144, `${module.length} bytes`);
    });
  // what a module from Storage and its first step leave in use
  const memory: [string, number][] = [
    ['hello_world_int8', 2.5],
    ['vad', 7],
    ['okay_nabu', 16],
  ];
  const espruino = engineNamed('espruino');
  for (const [name, kilobytes] of memory) {
    const title = `${name} takes at most ${kilobytes} KB of RAM on Espruino, at 13 bytes a variable`;
    if (espruino.find() === null) it(`${title} (pending: ${espruino.hint})`);
    else if (!shared('models')) it(`${title} (${ABSENT})`);
    else
      it(title, async () => {
        const packed = await packModel(modelFile(name), { target: 'espruino', name: 'packed' });
        const result = await espruino.run({
          bundle: '',
          driver: `var storage = require('Storage');
storage.write('packed', readBytes('module')); storage.write('packed.bin', readBytes('weights'));
var before = process.memory().usage;
var model = require('packed');
model.invoke();
print(process.memory().usage - before);`,
          files: { module: Buffer.from(packed.module), weights: packed.weights },
        });
        assert.equal(result.error, null);
        const bytes = 13 * Number(result.lines[0]);
        assert.ok(bytes <= kilobytes * 1024, `${bytes} bytes`);
      });
  }
  const limits: [string, number][] = [
    ['hello_world_int8', 32],
    ['okay_nabu', 192],
  ];
  const mqjs = engineNamed('mqjs');
  for (const [name, kilobytes] of limits) {
    const title = `${name} runs within ${kilobytes} KB on MicroQuickJS, weights included`;
    if (mqjs.find() === null) it(`${title} (pending: ${mqjs.hint})`);
    else if (!shared('models')) it(`${title} (${ABSENT})`);
    else
      it(title, async () => {
        const { module } = await packModel(modelFile(name), { target: 'es5', name });
        const result = await mqjs.run(
          { bundle: module, driver: `${name}.invoke(); print('done');` },
          { memoryLimit: kilobytes * 1024 },
        );
        assert.equal(result.error, null);
        assert.deepEqual(result.lines, ['done']);
      });
  }
});

describe('packed modules for Espruino', function () {
  this.timeout(60000);
  /** Evaluates a module with what it uses of Espruino; `storage` has the weights. */
  const evaluateThere = (text: string, storage: Record<string, Uint8Array>, free = 5000): Model => {
    const module = { exports: {} as Model };
    // takes elements for bytes, as Espruino's does
    const E = { CRC32: (data: Int8Array) => crc32(Uint8Array.from(data), 0, data.length, 0) >>> 0 };
    const require = (): unknown => ({ readArrayBuffer: (name: string) => storage[name]?.slice().buffer });
    const process = { memory: () => ({ free, blocksize: 13 }) };
    new Function('module', 'E', 'require', 'process', text)(module, E, require, process);
    return module.exports;
  };
  it('find a missing, cut, damaged or foreign weights file before the first step', async () => {
    const packed = await packModel(gru('INT8'), { target: 'espruino', name: 'gru', kernels: 'portable' });
    const { module, weights } = packed;
    assert.equal(evaluateThere(module, { 'gru.bin': weights }).inputs.length, 1);
    assert.throws(() => evaluateThere(module, {}), /Storage has no gru\.bin of \d+ bytes/);
    assert.throws(() => evaluateThere(module, { 'gru.bin': weights.slice(0, 500) }), /cut off: 500 bytes/);
    for (const at of [4, 12, 100, weights.length - 1]) {
      const spoiled = weights.slice();
      spoiled[at] ^= 16;
      assert.throws(
        () => evaluateThere(module, { 'gru.bin': spoiled }),
        /gru\.bin (are|belong)/,
        `byte ${at}`,
      );
    }
    const other = await packModel(gru('FLOAT32'), { target: 'espruino', name: 'gru', kernels: 'portable' });
    assert.throws(() => evaluateThere(module, { 'gru.bin': other.weights }), /belong to another packing/);
  });
  it('say what they need when memory is short (checkMemory)', async () => {
    const { module, weights, variables } = await packModel(gru('INT8'), { target: 'espruino', name: 'gru' });
    const text = new RegExp(
      `gru needs about ${variables} variables \\(${variables * 13} bytes\\), but 300 are free`,
    );
    assert.throws(() => evaluateThere(module, { 'gru.bin': weights }, 300), text);
  });
  it('run sketches written for the built-in tensorflow module', async () => {
    const { module, weights } = await packModel(gru('FLOAT32'), {
      target: 'espruino',
      name: 'gru',
      kernels: 'portable',
      parts: ['tensorflow'],
    });
    const tf = evaluateThere(module, { 'gru.bin': weights }) as unknown as {
      create(arenaSize: number, model: string): typeof tf;
      getInput(): Float32Array;
      getOutput(): Float32Array;
      invoke(): void;
    };
    const sketch = tf.create(4000, 'anything');
    sketch.getInput().set([1, 2, 3]);
    sketch.invoke();
    assert.deepEqual(sketch.getOutput(), load(gru('FLOAT32')).step([1, 2, 3]));
  });
  it('describe themselves', async () => {
    const { module, weights } = await packModel(gru('INT8'), {
      target: 'espruino',
      name: 'gru',
      kernels: 'portable',
    });
    const model = evaluateThere(module, { 'gru.bin': weights });
    assert.match(String(model), /^gru: .* INT8 \[1,3\] -> .* INT8 \[1,1\], variables: 1$/);
  });
});

describe('packed programs on engines', function () {
  this.timeout(180000);
  const models: Record<string, () => Uint8Array> = {
    'an int8 GRU': () => gru('INT8'),
    'a float GRU': () => gru('FLOAT32'),
    'a GRU of float32 with int8 weights': () => {
      const readings = Array.from({ length: 50 }, (_, i) => [Math.sin(i), Math.cos(3 * i), i % 2]);
      const graph = gruModel({ inputs: 3, units: 24, type: 'FLOAT32' });
      return writeModel(quantizeModel(graph, [readings], { activations: 'float' }).graph);
    },
    hello_world_int8: () => modelFile('hello_world_int8'),
    vad: () => modelFile('vad'),
    // weights above 64 KB
    alexa_v1: () => modelFile('alexa_v1'),
    // dilated convolutions
    gesture_cnn_int8: () => modelFile('gesture_cnn_int8'),
    // padding
    micro_speech_int8: () => modelFile('micro_speech_int8'),
  };
  for (const name of ['duk', 'jerry', 'mqjs', 'quickjs', 'espruino'] as EngineName[]) {
    const engine = engineNamed(name);
    for (const [title, bytes] of Object.entries(models)) {
      const forms: [string, Partial<PackOptions>][] =
        name === 'espruino'
          ? [
              ['portable kernels', { target: 'espruino', kernels: 'portable' }],
              ['its own kernels', { target: 'espruino' }],
              ['weights in the module', { target: 'espruino', inline: true }],
            ]
          : [['', { target: 'es5', inline: true }]];
      for (const [form, options] of forms) {
        const others = name !== 'espruino' || options.inline || options.kernels;
        if (['alexa_v1', 'gesture_cnn_int8', 'micro_speech_int8'].includes(title) && others) continue;
        const test = `${title} on ${engine.title}${form && ', '}${form}: the bits of the unpacked program`;
        if (engine.find() === null) it(`${test} (pending: ${engine.hint})`);
        else if (!title.includes('GRU') && !shared('models')) it(`${test} (${ABSENT})`);
        else
          it(test, async () => {
            const { inputs, outputs } = record(load(bytes()), STEPS);
            const packed = await packModel(bytes(), { target: 'es5', name: 'packed', ...options });
            const espruino = name === 'espruino';
            const result = await engine.run(
              {
                bundle: espruino ? '' : packed.module,
                driver:
                  (espruino
                    ? `${installing('packed')}var model = require('packed');`
                    : 'var model = packed;') + feeding(STEPS),
                files: espruino
                  ? {
                      in: inputs,
                      module: Buffer.from(packed.module),
                      weights: packed.weights,
                    }
                  : { in: inputs },
              },
              { timeoutSeconds: 120 },
            );
            assert.equal(result.error, null);
            assert.deepEqual(
              result.lines.map((line) => line.split(',').map(Number)),
              outputs,
            );
          });
      }
    }
  }

  const espruino = engineNamed('espruino');
  for (const [title, bytes] of Object.entries(models).slice(0, 5)) {
    const test = `${title} on Espruino, real numbers in and out: the answers of the unpacked model`;
    if (espruino.find() === null) it(`${test} (pending: ${espruino.hint})`);
    else if (!title.includes('GRU') && !shared('models')) it(`${test} (${ABSENT})`);
    else
      it(test, async () => {
        const model = load(bytes());
        const values = Array.from({ length: model.inputs[0].data.length }, (_, i) => Math.sin(i + 1));
        const expected = [0, 1, 2].map((step) =>
          Array.from(model.step(values.map((value) => value / (1 + step))) as Float32Array),
        );
        const packed = await packModel(bytes(), { target: 'espruino', name: 'packed' });
        const result = await espruino.run({
          bundle: '',
          driver: `${installing('packed')}var model = require('packed'), values = ${JSON.stringify(values)};
for (var step = 0; step < 3; step++)
  print(JSON.stringify([].slice.call(model.step(values.map(function (value) { return value / (1 + step); })))));
try { model.step([1, 2]); } catch (e) { print(JSON.stringify(e.message)); }`,
          files: { module: Buffer.from(packed.module), weights: packed.weights },
        });
        assert.equal(result.error, null);
        const lines = result.lines.map((line) => JSON.parse(line) as number[]);
        lines
          .slice(0, 3)
          .forEach((line, step) =>
            line.forEach((value, i) =>
              assert.ok(Math.abs(value - expected[step][i]) < 1e-6, `${step}: ${line}`),
            ),
          );
        assert.match(String(lines[3]), /^input 0 ".*" must be given \d+ numbers, got 2$/);
      });
  }
  for (const group of ['conv', 'depthwise', 'fully_connected']) {
    const test = `cases of the group ${group} on Espruino, its own kernels: the bits of the unpacked program`;
    if (espruino.find() === null) it(`${test} (pending: ${espruino.hint})`);
    else if (!shared('conformance')) it(`${test} (${ABSENT})`);
    else
      it(test, async () => {
        const int8 = cases(group).filter((one) => one.types.every((type) => !/FLOAT|INT16/.test(type)));
        assert.ok(int8.length > 20);
        for (let i = 0; i < int8.length; i += 12) {
          const { inputs, outputs } = record(load(int8[i].bytes.slice()), 2);
          const packed = await packModel(int8[i].bytes, { target: 'espruino', name: 'packed' });
          const result = await espruino.run({
            bundle: '',
            driver: `${installing('packed')}var model = require('packed');` + feeding(2),
            files: { in: inputs, module: Buffer.from(packed.module), weights: packed.weights },
          });
          assert.equal(result.error, null, int8[i].name);
          assert.deepEqual(
            result.lines.map((line) => line.split(',').map(Number)),
            outputs,
            int8[i].name,
          );
        }
      });
  }
});
