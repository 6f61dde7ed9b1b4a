/** examples/machine-temperature: the excerpt on every engine, the whole record, and the sketch through its deep sleeps. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { engineNamed, engines } from '../engines/index';
import { excerpt } from '../examples/machine-temperature/excerpt';
import {
  judge,
  READINGS_PER_DAY,
  readRecord,
  STILL_RAISED,
  THRESHOLD,
  trainingLength,
  watch,
} from '../examples/machine-temperature/record';
import { RANGES, temperatureModel } from '../examples/machine-temperature/model';
import { quantize, SEED, train } from '../examples/machine-temperature/train';
import { readModel } from '../author/options';
import { quantizeModel } from '../author/quantize/index';
import { writeModel } from '../author/writer';
import { load, readGraph } from '../lib/index';
import { bundle } from '../tools/bundle';
import { readReadings } from '../tools/csv';
import { entryOf, FAMILIES, operatorsOf } from '../tools/families';
import { ABSENT, shared } from './helpers/shared';
import { openTflite, tfliteMissing } from './helpers/tflite';

const folder = path.join(__dirname, '..', 'examples', 'machine-temperature');
const cli = path.join(__dirname, '..', 'tools', 'cli.ts');
const bytesOf = (name: string): Uint8Array => new Uint8Array(fs.readFileSync(path.join(folder, name)));
const float = bytesOf('temperature.tflite');
const int16 = bytesOf('temperature_int16.tflite');
const stream = fs.readFileSync(path.join(folder, 'stream.csv'), 'utf8');
const readings = readReadings(stream, 1, 'stream.csv').rows.map(([reading]) => reading);
/** The one alarm of the excerpt: its outage begins at reading 1152. */
const ALARM = 1278;
/** Most difference of the surprise between int16 and float, at any reading of the record. */
const DRIFT = 0.006;

/** The complete runtime, and one with what the float model needs, as `engram bundle` makes it for the sketch. */
let built: Promise<string> | undefined;
const complete = (): Promise<string> => (built ??= bundle({ entryFile: 'lib/index', minify: true }));
function small(): Promise<string> {
  const ops = new Set(readGraph(float).subgraphs.flatMap(({ nodes }) => nodes.map(({ op }) => op)));
  const families = FAMILIES.filter((family) => operatorsOf(family).some((op) => ops.has(op)));
  return bundle({ entrySource: entryOf(families, { snapshots: true, rareTypes: true }), minify: true });
}

/** ES5: steps through the readings as the sketch does; prints where alarms were raised, and all answers as stored. */
const DRIVER = `
var model = engram.load(readBytes('model'));
var bytes = readBytes('readings');
var readings = new Float32Array(bytes.buffer);
var alarm = model.variables.get('alarm');
var raised = [], line = [];
for (var i = 0; i < readings.length; i++) {
  var answer = model.step([readings[i]]);
  if (answer[0][0] > ${THRESHOLD}) {
    if (answer[1][0] < ${STILL_RAISED}) raised.push(i);
    alarm.write([1]);
  }
  for (var k = 0; k < model.outputs.length; k++) line.push(model.outputs[k].data[0]);
  if (line.length >= 300) { print(line.join()); line = []; }
}
print(line.join());
print('raised ' + raised.join());
`;

/** Answers as stored, three for each reading. */
function stored(model: Uint8Array): number[] {
  const loaded = load(model);
  const alarm = loaded.variables.get('alarm');
  return [...Float32Array.from(readings)].flatMap((reading) => {
    const [surprise] = loaded.step([reading]) as Float32Array[];
    if (surprise[0] > THRESHOLD) alarm.write([1]);
    return loaded.outputs.map((output) => Number(output.data[0]));
  });
}

describe('examples/machine-temperature', function () {
  this.timeout(300000);

  it('keeps the excerpt as excerpt.ts makes it', () => assert.equal(stream, excerpt()));

  it('raises one alarm in the excerpt, float and int16', () => {
    assert.deepEqual(watch(float, readings, THRESHOLD).raised, [ALARM]);
    assert.deepEqual(watch(int16, readings, THRESHOLD).raised, [ALARM]);
  });

  it('has a README whose commands work', () => {
    const readme = fs.readFileSync(path.join(folder, 'README.md'), 'utf8');
    const commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) =>
      block.trim().split('\n'),
    );
    assert.ok(commands.length >= 4);
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-temperature-'));
    try {
      fs.mkdirSync(path.join(directory, 'modules'));
      fs.cpSync(folder, path.join(directory, 'examples', 'machine-temperature'), { recursive: true });
      for (const command of commands) {
        assert.match(command, /^npx engram /);
        const args = ['--require', require.resolve('tsx/cjs'), cli, ...command.split(' ').slice(2)];
        const run = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8' });
        assert.equal(run.status, 0, `${command}\n${run.stderr}`);
      }
    } finally {
      fs.rmSync(directory, { recursive: true });
    }
  });

  for (const engine of engines) {
    if (engine.find() === null) {
      it(`replays the excerpt on ${engine.title} (pending: ${engine.hint})`);
      continue;
    }
    it(`replays the excerpt on ${engine.title}: the same alarm; int16 to the bit`, async () => {
      const code = await complete();
      const files = { readings: new Uint8Array(Float32Array.from(readings).buffer) };
      for (const model of [float, int16]) {
        const result = await engine.run(
          { bundle: code, driver: DRIVER, files: { ...files, model } },
          { timeoutSeconds: 240 },
        );
        assert.equal(result.error, null);
        assert.equal(result.lines[result.lines.length - 1], `raised ${ALARM}`);
        const answers = result.lines.slice(0, -1).join().split(',').map(Number);
        const expected = stored(model);
        if (model === int16) assert.deepEqual(answers, expected);
        else {
          assert.equal(answers.length, expected.length);
          answers.forEach((answer, i) =>
            assert.ok(
              Math.abs(answer - expected[i]) <= 1e-5 * Math.max(1, Math.abs(expected[i])),
              `answer ${i}`,
            ),
          );
        }
      }
    });
  }

  const data = shared('data', 'machine_temperature');
  if (!data) it(`finds the marked windows of the whole record (${ABSENT})`);
  else {
    const record = readRecord(data);
    const trained = trainingLength(record);

    for (const [name, model] of Object.entries({ float, int16 })) {
      it(`finds all four marked windows with one false alarm, ${name}`, () => {
        assert.equal(record.readings.length, 22695);
        const { found, falseAlarms, early } = judge(record, watch(model, record.readings, THRESHOLD).raised);
        assert.equal(found.filter((at) => at !== null).length, 4);
        assert.equal(falseAlarms.length, 1);
        assert.deepEqual(early, []);
      });
    }

    it('finds the same through int8 with int16 state, within one alarm', () => {
      const stream = record.readings.slice(0, trained).map((reading) => [reading]);
      const { graph } = quantizeModel(readModel(float), [stream], { state: 'int16', ranges: RANGES });
      assert.ok(graph.subgraphs[0].tensors.some(({ type, constant }) => type === 'INT8' && !constant));
      const own = judge(record, watch(float, record.readings, THRESHOLD).raised);
      const { found, falseAlarms, early } = judge(
        record,
        watch(writeModel(graph), record.readings, THRESHOLD).raised,
      );
      assert.ok(!found.includes(null));
      assert.ok(Math.abs(falseAlarms.length - own.falseAlarms.length) <= 1, falseAlarms.join());
      assert.deepEqual(early, []);
    });

    it('does not depend on the exact threshold: from 0.98 to 1.48 three windows and at most three false alarms', () => {
      for (const threshold of [0.98, 1.02, 1.06, 1.14, 1.18, 1.28, 1.38, 1.48]) {
        const { found, falseAlarms } = judge(record, watch(int16, record.readings, threshold).raised);
        assert.ok(found.filter((at) => at !== null).length >= 3, `threshold ${threshold}`);
        assert.ok(falseAlarms.length <= 3, `threshold ${threshold}`);
        if (threshold < 1.01 || threshold > 1.19) continue;
        assert.ok(!found.includes(null) && falseAlarms.length === 1, `threshold ${threshold}`);
      }
    });

    it('does not drift: the surprise of int16 stays with that of float over all readings', () => {
      const exact = watch(float, record.readings, THRESHOLD).surprise;
      const integer = watch(int16, record.readings, THRESHOLD).surprise;
      const error = exact.map((surprise, i) => Math.abs(surprise - integer[i]));
      const worst = (from: number, to: number): number => Math.max(...error.slice(from, to));
      assert.ok(worst(0, 5000) < DRIFT, `${worst(0, 5000)} in the first 5,000`);
      assert.ok(worst(record.readings.length - 5000, record.readings.length) < DRIFT, 'in the last 5,000');
      assert.ok(worst(0, record.readings.length) < DRIFT, `${worst(0, record.readings.length)} over all`);
    });

    it('takes its constants from the training part alone', () => {
      const mean = (values: number[]): number =>
        values.reduce((sum, value) => sum + value, 0) / values.length;
      // a model that remembers nothing expects the mean that it has learned
      const [, , expected] = load(float).step([mean(record.readings)]) as Float32Array[];
      assert.ok(Math.abs(expected[0] - mean(record.readings.slice(0, trained))) < 0.01, `${expected[0]}`);
      assert.ok(Math.abs(mean(record.readings.slice(0, trained)) - mean(record.readings)) > 1);
    });

    it('needs state of 16 bits: with int8 state it finds no window', () => {
      const stream = record.readings.slice(0, trained).map((reading) => [reading]);
      const { graph } = quantizeModel(readModel(float), [stream], { state: 'int8', ranges: RANGES });
      const { found } = judge(record, watch(writeModel(graph), record.readings, THRESHOLD).raised);
      assert.deepEqual(found, [null, null, null, null]);
    });

    it('quantizes to the shipped file', () => {
      const again = writeModel(quantize(readModel(float), record.readings.slice(0, trained)));
      assert.deepEqual(again, int16);
    });

    it('is what training makes', () => {
      const again = writeModel(
        temperatureModel(train(record.readings.slice(0, trained), SEED, () => undefined)),
      );
      const part = record.readings.slice(0, 5 * READINGS_PER_DAY);
      const before = watch(float, part, THRESHOLD).surprise;
      watch(again, part, THRESHOLD).surprise.forEach((surprise, i) =>
        assert.ok(Math.abs(surprise - before[i]) < 1e-4, `reading ${i}: ${surprise}, not ${before[i]}`),
      );
    });
  }

  const missing = tfliteMissing();
  if (missing) it(`agrees with TensorFlow Lite (pending: ${missing})`);
  else
    for (const [name, model, tolerance] of [
      ['float', float, 1e-5],
      ['int16', int16, 1],
    ] as const)
      it(`agrees with TensorFlow Lite, state and all: ${name}`, async () => {
        const other = await openTflite(model);
        const own = load(model);
        readings.forEach((reading, i) => {
          const value = name === 'float' ? Math.fround(reading) : Math.round(reading / own.inputs[0].scale);
          own.inputs[0].data[0] = value;
          own.invoke();
          other.setInput(0, [value]);
          other.invoke();
          own.outputs.forEach((output, k) => {
            const [a, b] = [Number(output.data[0]), Number(other.output(k)[0])];
            const limit = name === 'float' ? tolerance * Math.max(1, Math.abs(b)) : tolerance;
            assert.ok(Math.abs(a - b) <= limit, `reading ${i}, output ${k}: ${a}, TensorFlow Lite ${b}`);
          });
        });
      });

  const espruino = engineNamed('espruino');
  if (espruino.find() === null) it(`goes through deep sleeps (pending: ${espruino.hint})`);
  else
    describe('the sketch, on Espruino', () => {
      const sketch = fs
        .readFileSync(path.join(folder, 'sketch.js'), 'utf8')
        .replaceAll('console.log', 'print');
      const upload = "require('Storage').write('temperature.tflite', readBytes('model'));";
      let directory: string;
      let code: string;
      /** What the sketch finds on a board: its pins, its sensor, its sleep. */
      const board = (celsius: number | null): string => `
var D2 = 0, D4 = 0, celsius = ${JSON.stringify(celsius)};
var OneWire = function () {};
var digitalWrite = function () { print('lamp'); };
var ESP32 = { deepSleep: function (us) { print('asleep for ' + us / 60e6); } };
Modules.addCached('engram', 'module.exports = engram;');
Modules.addCached('DS18B20', 'exports.connect = function () { return { getTemp: function (f) { f(celsius); } }; };');
`;
      const boot = async (driver: string): Promise<string[]> => {
        const result = await espruino.run({ bundle: code, driver, files: { model: float } }, { directory });
        assert.equal(result.error, null);
        return result.lines;
      };
      beforeEach(async () => {
        directory = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-sleep-'));
        code = await small();
        await boot(upload);
      });
      afterEach(() => fs.rmSync(directory, { recursive: true }));

      it('goes on after each deep sleep: six boots are six steps', async () => {
        const model = load(float);
        for (const celsius of [30.5, 31, 12, null, 30, 29.5, 31.5]) {
          const lines = await boot(board(celsius) + sketch);
          assert.equal(lines.pop(), 'asleep for 5');
          // a reading that the sensor did not give is left out
          assert.equal(lines.length, celsius === null ? 0 : 1);
          if (celsius === null) continue;
          const [surprise] = model.step([celsius * 1.8 + 32]) as Float32Array[];
          const [, shown] = /^surprise (\d\.\d{4})$/.exec(lines[0])!;
          assert.ok(Math.abs(Number(shown) - surprise[0]) < 6e-5, `${lines[0]}, not ${surprise[0]}`);
        }
      });

      it('raises an alarm once, though the surprise stays', async () => {
        await boot(`
var storage = require('Storage');
var model = engram.load(storage.readArrayBuffer('temperature.tflite'));
model.variables.get('surprise').write([1.2]);
engram.keep(model, engram.openStore(engram.espruinoBackend(storage, 'temperature')), {}).save();`);
        const first = await boot(board(30) + sketch);
        assert.match(first[0], /^ALARM: 86\.0, expected \d+\.\d$/);
        assert.equal(first[1], 'lamp');
        assert.match(first[2], /^surprise 1\.1/);
        const second = await boot(board(30) + sketch);
        assert.match(second[0], /^surprise 1\.1/);
        assert.equal(second.length, 2);
      });

      it('starts afresh when the stored state belongs to another model', async () => {
        const alien = new Uint8Array(32).fill(1);
        await boot(`
var bytes = new Uint8Array(${JSON.stringify([...alien])});
engram.openStore(engram.espruinoBackend(require('Storage'), 'temperature')).put(bytes);`);
        const lines = await boot(board(30) + sketch);
        assert.match(lines[0], /snapshot/i);
        assert.match(lines[1], /^surprise 0\.00/);
        assert.equal((await boot(board(30) + sketch)).length, 2);
      });
    });
});
