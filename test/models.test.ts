/**
 * Every public model in ../shared/models: outputs over all steps equal TFLM's, integers to the bit, floats within
 * 1e-5 relative. MODEL=name runs only that one.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { load } from '../lib/index';
import type { Model } from '../lib/model';
import { ABSENT, shared } from './helpers/shared';
import { bytesOf, feed } from './helpers/suite';

/** Largest magnitude of a float output over all steps. */
function range(outputs: Uint8Array, offset: number, length: number, stepBytes: number): number {
  let largest = 0;
  for (let at = offset; at < outputs.length; at += stepBytes) {
    for (const x of new Float32Array(outputs.slice(at, at + length).buffer))
      largest = Math.max(largest, Math.abs(x));
  }
  return largest;
}

/**
 * Compares all steps. Floats to 1e-5 of the largest value that the output takes over the run: single values near 0 are
 * differences of larger ones, and TFLM's own float32 sums are no better there.
 */
export function compareRun(model: Model, inputs: Uint8Array, outputs: Uint8Array): string | null {
  let at = 0;
  let expectedAt = 0;
  const stepBytes = model.outputs.reduce((sum, output) => sum + output.data.byteLength, 0);
  for (let step = 0; at < inputs.length; step++) {
    at = feed(model, inputs, at);
    model.invoke();
    for (const [index, output] of model.outputs.entries()) {
      const got = bytesOf(output).slice();
      const expected = outputs.slice(expectedAt, (expectedAt += got.length));
      if (output.type !== 'FLOAT32') {
        const wrong = got.findIndex((byte, i) => byte !== expected[i]);
        if (wrong >= 0)
          return `step ${step}, output ${index}, byte ${wrong}: got ${got[wrong]}, expected ${expected[wrong]}`;
        continue;
      }
      const a = new Float32Array(got.buffer);
      const b = new Float32Array(expected.buffer);
      const largest = range(outputs, expectedAt - got.length - step * stepBytes, got.length, stepBytes);
      for (let k = 0; k < b.length; k++) {
        if (!(Math.abs(a[k] - b[k]) <= 1e-5 * largest)) {
          return `step ${step}, output ${index}, element ${k}: got ${a[k]}, expected ${b[k]}`;
        }
      }
    }
  }
  return expectedAt === outputs.length ? null : `${expectedAt} bytes of output instead of ${outputs.length}`;
}

describe('public models', function () {
  this.timeout(120000);
  const folder = shared('models');
  if (!folder) it(ABSENT);
  for (const name of folder ? fs.readdirSync(folder).sort() : []) {
    const file = path.join(folder as string, name, 'model.tflite');
    if (!fs.existsSync(file) || (process.env.MODEL && process.env.MODEL !== name)) continue;
    for (const suffix of ['', '_act']) {
      const input = path.join(folder as string, name, `in${suffix}.bin`);
      if (!fs.existsSync(input)) continue;
      it(name + (suffix ? ' (inputs that move the output)' : ''), () => {
        const found = compareRun(
          load(fs.readFileSync(file)),
          new Uint8Array(fs.readFileSync(input)),
          new Uint8Array(fs.readFileSync(path.join(path.dirname(input), `out${suffix}.bin`))),
        );
        assert.equal(found, null);
      });
    }
  }
  if (folder) {
    it('seanet: 64 single-operator models', () => {
      const bin = fs.readFileSync(path.join(folder, 'seanet', 'seanet.bin'));
      const index = JSON.parse(fs.readFileSync(path.join(folder, 'seanet', 'seanet.json'), 'utf8'));
      const failures: string[] = [];
      for (const entry of index) {
        const cut = (place: { offset: number; length: number } | [number, number]): Uint8Array => {
          const [offset, length] = Array.isArray(place) ? place : [place.offset, place.length];
          return new Uint8Array(bin.subarray(offset, offset + length));
        };
        let found: string | null;
        try {
          found = compareRun(
            load(cut(entry.model)),
            cut(entry.input ?? entry.in),
            cut(entry.output ?? entry.out),
          );
        } catch (error) {
          found = (error as Error).message;
        }
        if (found) failures.push(`${entry.name}: ${found}`);
      }
      assert.equal(failures.length, 0, failures.join('\n'));
    });
  }
});
