/** The option `wide`: other kernels, the same bits. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { gruModel } from '../author/recurrent';
import { random } from '../author/random';
import { writeModel } from '../author/writer';
import { load } from '../lib/index';
import { fullyConnectedInt8 } from '../ops/fully_connected';
import { doubleScaling } from '../ops/weights';
import { fullyConnectedWide, pairsOf } from '../ops/wide';

const models = path.join(__dirname, '..', '..', 'shared', 'models');

/** Runs both ways side by side on the same inputs. */
function expectSame(bytes: Uint8Array, steps: number): void {
  const narrow = load(bytes);
  const wide = load(bytes, { wide: true });
  assert.ok(wide.memory.tables > narrow.memory.tables, 'no layer became wide');
  const next = random(7);
  for (let step = 0; step < steps; step++) {
    narrow.inputs.forEach((input, k) => {
      for (let i = 0; i < input.data.length; i++) {
        input.data[i] = Math.floor(next.uniform(-128, 128));
        wide.inputs[k].data[i] = input.data[i];
      }
    });
    narrow.invoke();
    wide.invoke();
    narrow.outputs.forEach((output, k) => assert.deepEqual(wide.outputs[k].data, output.data));
  }
}

describe('the option wide', function () {
  this.timeout(60000);

  it('gives the same bits for every number of rows, units and elements', () => {
    const next = random(1);
    const draw = (): number => Math.floor(next.uniform(-128, 128));
    for (const rows of [1, 2, 4, 5, 9]) {
      for (const units of [1, 2, 3, 4, 5, 7, 8, 11, 13, 16]) {
        for (const depth of [1, 2, 5, 8, 31]) {
          const x = Int8Array.from({ length: rows * depth }, draw);
          const w = Int8Array.from({ length: units * depth }, draw);
          const bias = Int32Array.from({ length: units }, () => draw() * 50);
          const multipliers = Int32Array.from({ length: units }, () => 1500000000 + draw() * 1000000);
          const shifts = Int8Array.from({ length: units }, () => -5 + (draw() & 3));
          const y = new Int8Array(rows * units);
          const z = new Int8Array(rows * units);
          const rest = [multipliers, shifts, rows, depth, units, -7, -128, 120] as const;
          const doubles = doubleScaling(shifts, -7, -128, 8);
          fullyConnectedInt8(x, w, bias, y, ...rest, ...doubles);
          fullyConnectedWide(x, pairsOf(w, depth, units), bias, z, ...rest, ...doubles);
          // both against the plain definition: one row and one unit are none of the ways that take several together
          const plain = new Int8Array(rows * units);
          for (let row = 0; row < rows; row++) {
            for (let unit = 0; unit < units; unit++) {
              const [m, s] = [multipliers.subarray(unit, unit + 1), shifts.subarray(unit, unit + 1)];
              fullyConnectedInt8(
                x.subarray(row * depth, (row + 1) * depth),
                w.subarray(unit * depth, (unit + 1) * depth),
                bias.subarray(unit, unit + 1),
                plain.subarray(row * units + unit, row * units + unit + 1),
                ...([m, s, 1, depth, 1, -7, -128, 120] as const),
                // powers of 0: scaled by `requantize`
                ...doubleScaling([0], -7, -128, 8),
              );
            }
          }
          assert.deepEqual(y, plain, `${rows} × ${depth} × ${units}`);
          assert.deepEqual(z, plain, `${rows} × ${depth} × ${units}, wide`);
        }
      }
    }
  });

  it('keeps the largest sums apart', () => {
    const [rows, depth, units] = [4, 2047, 8];
    for (const [a, b] of [
      [-128, -128],
      [-128, 127],
      [127, -128],
    ]) {
      const x = new Int8Array(rows * depth).fill(a);
      const w = Int8Array.from({ length: units * depth }, (_, i) => (Math.floor(i / depth) & 1 ? -1 - b : b));
      const y = new Int8Array(rows * units);
      const z = new Int8Array(rows * units);
      const rest = [
        new Int32Array(units).fill(1234567890),
        new Int8Array(units).fill(-18),
        rows,
        depth,
        units,
        0,
        -128,
        127,
      ] as const;
      const doubles = doubleScaling(rest[1], 0, -128, 8);
      fullyConnectedInt8(x, w, new Int32Array(units), y, ...rest, ...doubles);
      fullyConnectedWide(x, pairsOf(w, depth, units), new Int32Array(units), z, ...rest, ...doubles);
      const expected = (v: number): number => Math.round((v * depth * 1234567890) / 2 ** 49);
      assert.deepEqual([...y.subarray(0, 2)], [expected(a * b), expected(a * (-1 - b))]);
      assert.deepEqual(z, y);
    }
  });

  it('gives the same bits for a GRU', () => {
    expectSame(writeModel(gruModel({ inputs: 3, units: 24, type: 'INT8' })), 20);
  });

  for (const name of ['okay_nabu', 'vad', 'mlperf_kws_int8', 'person_detect_int8']) {
    it(`gives the same bits for ${name}`, function () {
      const file = path.join(models, name, 'model.tflite');
      if (!fs.existsSync(file)) {
        this.test!.title += ' (../shared/models is not there)';
        this.skip();
      }
      expectSame(new Uint8Array(fs.readFileSync(file)), 3);
    });
  }
});
