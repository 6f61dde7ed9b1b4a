/** examples/gesture: the stream on every engine, the sketches, the recordings, and what the model may cost. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import { engines } from '../engines/index';
import { LABELS, readRecordings, VARIATION, vary } from '../examples/gesture/data';
import { gruBackward, gruForward, type GruParameters } from '../examples/gesture/gru';
import { decide, floatModel, int8Model, judge } from '../examples/gesture/model';
import { GESTURES, stream } from '../examples/gesture/stream';
import { fromValues, valuesOf } from '../examples/gesture/network';
import { SETTINGS, train } from '../examples/gesture/training';
import { trainEach } from '../examples/gesture/workers';
import { random } from '../author/random';
import { load, readGraph } from '../lib/index';
import * as engram from '../lib/index';
import { readReadings } from '../tools/csv';
import { shippedBundle } from '../tools/engine_bundle';
import { graphMacs } from '../tools/macs';
import { ABSENT, shared } from './helpers/shared';

const folder = path.join(__dirname, '..', 'examples', 'gesture');
const bytesOf = (name: string): Uint8Array => new Uint8Array(fs.readFileSync(path.join(folder, name)));
const float = bytesOf('gesture_float.tflite');
const int8 = bytesOf('gesture_int8.tflite');
const csv = fs.readFileSync(path.join(folder, 'stream.csv'), 'utf8');
const readings = readReadings(csv, 3, 'stream.csv').rows;
const MADE = GESTURES.map(({ label }) => label);
/** Of 928 recordings, as the README says. */
const FLOAT_RIGHT = 927;
const INT8_RIGHT = 927;
/** Decisions of 5,000 without a reset in which int8 differs from float, as the README says. */
const DIFFERENT = 54;
/** Share of the recordings among them that int8 may get wrong where float does not. */
const LOST = 0.005;
/** Readings after which the stream's driver starts afresh. */
const RESET = 25;

/** ES5: all scores as stored, a line for each reading; the state goes on for RESET readings. */
const DRIVER = `
var model = engram.load(readBytes('model'));
var rows = ${JSON.stringify(readings)};
for (var i = 0; i < rows.length; i++) {
  if (i % ${RESET} === 0) model.reset();
  model.step(rows[i]);
  var line = [];
  for (var k = 0; k < model.outputs[0].data.length; k++) line.push(model.outputs[0].data[k]);
  print(line.join());
}
`;

function stored(model: Uint8Array): number[][] {
  const loaded = load(model);
  return readings.map((reading, i) => {
    if (i % RESET === 0) loaded.reset();
    loaded.step(reading);
    return Array.from(loaded.outputs[0].data as Float32Array);
  });
}

/** What a sketch logs; `globals` are what the board has. */
function sketch(name: string, globals: Record<string, unknown>): string[] {
  const lines: string[] = [];
  vm.runInNewContext(fs.readFileSync(path.join(folder, name), 'utf8'), {
    require: (module: string) =>
      module === 'engram' ? engram : { readArrayBuffer: () => int8.buffer.slice(0) as ArrayBuffer },
    console: { log: (line: string) => lines.push(line) },
    ...globals,
  });
  return lines;
}

describe('examples/gesture', function () {
  this.timeout(120000);

  it('keeps the stream as stream.ts makes it', () => assert.equal(csv, stream()));

  it('costs at most 2,000 multiply-accumulates, 10 KB of file, and 1.5 KB of RAM', () => {
    assert.ok(int8.length <= 10240, `${int8.length} bytes`);
    const { arena, variables } = load(int8).memory;
    assert.ok(arena + variables <= 1536, `${arena} + ${variables} bytes`);
    const { total } = graphMacs(readGraph(int8));
    assert.ok(total > 0 && total <= 2000, `${total} multiply-accumulates`);
  });

  it('keeps its state in an int8 variable', () => {
    const [state] = load(int8).variables.names();
    assert.equal(load(int8).variables.get(state).type, 'INT8');
    assert.equal(load(int8).inputs[0].scale, 1);
    assert.equal(load(int8).inputs[0].zeroPoint, 0);
  });

  for (const engine of engines) {
    if (engine.find() === null) {
      it(`replays the stream on ${engine.title} (pending: ${engine.hint})`);
      continue;
    }
    it(`replays the stream on ${engine.title}: int8 to the bit, float to 1e-5`, async () => {
      for (const model of [int8, float]) {
        const result = await engine.run(
          { bundle: shippedBundle('engram.min.js'), driver: DRIVER, files: { model } },
          { timeoutSeconds: 100 },
        );
        assert.equal(result.error, null);
        const answers = result.lines.map((line) => line.split(',').map(Number));
        const expected = stored(model);
        if (model === int8) assert.deepEqual(answers, expected);
        else {
          assert.equal(answers.length, expected.length);
          answers.forEach((scores, i) => {
            assert.equal(scores.length, LABELS.length);
            scores.forEach((score, k) => {
              const wanted = expected[i][k];
              assert.ok(Math.abs(score - wanted) <= 1e-5 * Math.max(1, Math.abs(wanted)), `reading ${i}`);
            });
          });
        }
      }
    });
  }

  it('tells the gestures of the stream in the sketch for Bangle.js', () => {
    let listener: ((reading: { x: number; y: number; z: number }) => void) | undefined;
    const screen: Record<string, unknown> = { getWidth: () => 176, getHeight: () => 176, drawString() {} };
    for (const name of ['clear', 'setFont', 'setFontAlign']) screen[name] = () => screen;
    const lines = sketch('sketch-banglejs2.js', {
      g: screen,
      Bangle: {
        setPollInterval: (interval: number) => assert.equal(interval, 100),
        on: (_: string, call: typeof listener) => (listener = call),
      },
    });
    for (const [x, y, z] of readings) listener!({ x: x / 64, y: y / 64, z: z / 64 });
    assert.deepEqual(lines, MADE);
  });

  it('tells the gestures of the stream in the sketch for Puck.js', () => {
    let tick: (() => void) | undefined;
    let next = 0;
    const lines = sketch('sketch-puckjs.js', {
      D1: 'D1',
      D2: 'D2',
      LED1: 'LED1',
      LED2: 'LED2',
      LED3: 'LED3',
      I2C1: {
        setup() {},
        writeTo() {},
        // low bytes that an 8-bit sensor leaves at 0
        readFrom: () => Uint8Array.from(readings[next++].flatMap((value) => [0, value & 255])),
      },
      digitalPulse() {},
      setInterval: (call: () => void) => (tick = call),
    });
    while (next < readings.length) tick!();
    assert.deepEqual(lines, MADE);
  });

  it('has the gradient of its recurrence right', () => {
    const next = random(3);
    const [units, inputs] = [4, 3];
    const draw = (length: number): Float32Array =>
      Float32Array.from({ length }, () => next.uniform(-0.8, 0.8));
    const parameters: GruParameters = {
      w: draw(inputs * 3 * units),
      b: draw(3 * units),
      u: draw(units * 3 * units),
      c: draw(3 * units),
    };
    const starts = [0, 5, 12];
    const sequences = { x: draw(12 * inputs), starts, mask: Float32Array.from([0, 2, 1, 1, 1, 0, 2, 1]) };
    const dh = draw(12 * units);
    const cost = (): number =>
      gruForward(parameters, sequences, units).h.reduce((sum, value, i) => sum + value * dh[i], 0);
    const grads = gruBackward(parameters, sequences, units, gruForward(parameters, sequences, units), dh);
    for (const name of ['w', 'b', 'u', 'c'] as const) {
      parameters[name].forEach((value, i) => {
        const step = 1 / 256;
        parameters[name][i] = value + step;
        const above = cost();
        parameters[name][i] = value - step;
        const slope = (above - cost()) / (2 * step);
        parameters[name][i] = value;
        assert.ok(Math.abs(slope - grads[name][i]) < 2e-3, `${name}[${i}]: ${slope}, ${grads[name][i]}`);
      });
    }
  });

  const data = shared('data', 'gestures', 'gestures.csv');
  if (!data) {
    it(`tells recordings (${ABSENT})`);
    return;
  }
  const recordings = readRecordings(data);

  it('tells the recordings it was trained on at least as often as the README says', () => {
    assert.equal(recordings.length, 928);
    const results = [float, int8].map((model) => judge(model, recordings));
    const [asFloat, asInt8] = results.map(({ right }) => right);
    assert.ok(asFloat >= FLOAT_RIGHT, `float: ${asFloat}`);
    assert.ok(asInt8 >= INT8_RIGHT, `int8: ${asInt8}`);
    for (const { readings: settled } of results) assert.ok(settled <= 12, `${settled} readings`);
  });

  it('does not drift from float in 5,000 readings without a reset', () => {
    const [exact, quantized] = [load(float), load(int8)];
    const rows = recordings
      .flatMap(({ readings: part, label }) =>
        part.map((reading, i) => ({ reading, label, last: !part[i + 1] })),
      )
      .slice(0, 5000);
    assert.equal(rows.length, 5000);
    let different = 0;
    const right = [0, 0];
    const errors = rows.map(({ reading, label, last }) => {
      const decisions: number[] = [];
      const [real, rounded] = [exact, quantized].map((model, i) => {
        decisions.push(decide(model.step(reading) as Float32Array));
        if (last && decisions[i] === label) right[i]++;
        return model.variables.get('h').read();
      });
      if (decisions[0] !== decisions[1]) different++;
      return rounded.reduce((sum, value, i) => sum + Math.abs(value - real[i]), 0) / rounded.length;
    });
    const mean = (part: number[]): number => part.reduce((sum, value) => sum + value, 0) / part.length;
    const [first, last] = [mean(errors.slice(0, 1000)), mean(errors.slice(-1000))];
    assert.ok(last <= first && mean(errors) < 0.03, `mean error of the state ${first} to ${last}`);
    assert.ok(different <= DIFFERENT, `${different} decisions differ`);
    const ended = rows.filter(({ last }) => last).length;
    assert.ok(right[0] - right[1] <= LOST * ended, `of ${ended}, float ${right[0]}, int8 ${right[1]}`);
  });

  it('learns gestures from other recordings than it is judged by, the same from the same seed', () => {
    const training = recordings.filter(({ subset }) => subset === 'train');
    const settings = { ...SETTINGS, units: 8, epochs: 12, batch: 16 };
    const costs: number[] = [];
    const models = [1, 2].map(() =>
      floatModel(train(training.slice(0, 400), settings, (_, cost) => costs.push(cost))),
    );
    assert.deepEqual(models[0], models[1]);
    assert.ok(costs[settings.epochs - 1] < costs[0] * 0.7, `${costs[0]} to ${costs[settings.epochs - 1]}`);
    const held = recordings.filter(({ subset, label }) => subset !== 'train' && label < 3);
    const { right } = judge(int8Model(models[0], training), held);
    assert.ok(right > held.length * 0.7, `${right} of ${held.length}`);
  });

  it('trains the same in processes of their own, and says why one ends early', async () => {
    const jobs = [1, 2, 3].map((seed) => ({
      recordings: recordings.slice(60 * seed, 60 * seed + 40),
      settings: { ...SETTINGS, units: 4, epochs: 2, batch: 16, seed },
    }));
    const told: number[] = [];
    const networks = await trainEach(jobs, (epochs) => told.push(epochs));
    networks.forEach((network, i) => {
      const { variables } = train(jobs[i].recordings, jobs[i].settings, () => undefined);
      assert.deepEqual(valuesOf(network.variables), valuesOf(variables));
      assert.deepEqual(floatModel(network), floatModel(fromValues(valuesOf(variables))));
    });
    assert.deepEqual(told, [1, 2, 3, 4, 5, 6]);
    const broken = {
      recordings: [{ ...jobs[0].recordings[0], readings: [] }],
      settings: { ...jobs[0].settings, batch: 1 },
    };
    await assert.rejects(
      trainEach([broken], () => undefined),
      /training seed 1 ended early: status 1\n[^]*Error/,
    );
  });

  it('varies recordings within what the sensor can tell', () => {
    const next = random(5);
    for (const recording of recordings.slice(0, 200)) {
      const varied = vary(recording, VARIATION, next);
      assert.ok(varied.length >= 8);
      assert.ok(varied.flat().every((value) => value >= -128 && value <= 127));
    }
  });
});
