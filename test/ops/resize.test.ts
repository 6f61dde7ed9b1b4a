/** Resizing on random sizes, against TFLM's formulas. */
import assert from 'node:assert/strict';
import { random } from '../../author/random';
import {
  close,
  coordinates,
  indexOf,
  lengthOf,
  OneOperator,
  randomValues,
  run,
} from '../helpers/one_operator';

const f32 = Math.fround;
const next = random(31);

describe('resizing', function () {
  this.timeout(60000);

  /** Positions as TFLM's float kernels compute them. */
  function position(
    i: number,
    from: number,
    to: number,
    corners: boolean,
    centers: boolean,
    nearest: boolean,
  ): number {
    const scale = corners && to > 1 ? f32((from - 1) / (to - 1)) : f32(from / to);
    if (!centers) return f32(i * scale);
    return nearest ? f32((i + 0.5) * scale) : f32(f32((i + 0.5) * scale) - 0.5);
  }

  for (const type of ['FLOAT32', 'INT8', 'INT16', 'INT32', 'INT64']) {
    it(`RESIZE_NEAREST_NEIGHBOR ${type}`, () => {
      for (let round = 0; round < 40; round++) {
        const shape = [next.integer(1, 2), next.integer(1, 6), next.integer(1, 6), next.integer(1, 3)];
        const size = [next.integer(1, 13), next.integer(1, 13)];
        const corners = next() < 0.5;
        const centers = next() < 0.5;
        const values = randomValues(next, type, shape);
        const result = [shape[0], ...size, shape[3]];
        const at = (i: number, d: number): number => {
          const x = position(i, shape[d], size[d - 1], corners, centers, true);
          return Math.min(corners ? Math.round(x) : Math.floor(x), shape[d] - 1);
        };
        const wanted = Array.from({ length: lengthOf(result) }, (_, k) => {
          const [b, y, x, c] = coordinates(k, result);
          return values[indexOf([b, at(y, 1), at(x, 2), c], shape)];
        });
        const one: OneOperator = {
          op: 'RESIZE_NEAREST_NEIGHBOR',
          inputs: [
            { type, shape, values },
            { type: 'INT32', shape: [2], values: size, constant: true },
          ],
          outputs: [{ type, shape: result }],
          options: { align_corners: corners, half_pixel_centers: centers },
        };
        close(run(one)[0], wanted, 0, `${shape} to ${size}`);
      }
    });
  }

  for (const type of ['FLOAT32', 'INT8']) {
    it(`RESIZE_BILINEAR ${type}`, () => {
      for (let round = 0; round < 60; round++) {
        const shape = [next.integer(1, 2), next.integer(1, 6), next.integer(1, 6), next.integer(1, 3)];
        const size = [next.integer(1, 13), next.integer(1, 13)];
        const mode = next.integer(0, 2);
        const values = randomValues(next, type, shape);
        const result = [shape[0], ...size, shape[3]];
        // lower neighbour, upper neighbour, distance from the lower one
        const place = (i: number, d: number): [number, number, number] => {
          const from = shape[d];
          const to = size[d - 1];
          let x = position(i, from, to, mode === 1, mode === 2, false);
          if (type === 'INT8') {
            const less = mode === 1 && to > 1 ? 1 : 0;
            const scale = Math.trunc((1024 * (from - less) + Math.trunc((to - less) / 2)) / (to - less));
            x = (i * scale + (mode === 2 ? Math.trunc(scale / 2) - 512 : 0)) / 1024;
          }
          const low = Math.max(0, Math.floor(x));
          return [low, Math.min(Math.ceil(x), from - 1), x - low];
        };
        const wanted = Array.from({ length: lengthOf(result) }, (_, k) => {
          const [b, y, x, c] = coordinates(k, result);
          const [y0, y1, v] = place(y, 1);
          const [x0, x1, u] = place(x, 2);
          const pixel = (i: number, j: number): number => values[indexOf([b, i, j, c], shape)];
          const mean =
            pixel(y0, x0) * (1 - v) * (1 - u) +
            pixel(y1, x0) * v * (1 - u) +
            pixel(y0, x1) * (1 - v) * u +
            pixel(y1, x1) * v * u;
          return type === 'FLOAT32' ? mean : Math.trunc(mean + (mean > 0 ? 0.5 : -0.5));
        });
        const one: OneOperator = {
          op: 'RESIZE_BILINEAR',
          inputs: [
            { type, shape, values },
            { type: 'INT32', shape: [2], values: size, constant: true },
          ],
          outputs: [{ type, shape: result }],
          options: { align_corners: mode === 1, half_pixel_centers: mode === 2 },
        };
        close(run(one)[0], wanted, type === 'FLOAT32' ? 1e-5 : 0, `${shape} to ${size}, mode ${mode}`);
      }
    });
  }

  it('stays within an image that is enlarged a thousand times', () => {
    // positions in 1/1024 reach beyond the last row here
    const one: OneOperator = {
      op: 'RESIZE_BILINEAR',
      inputs: [
        { type: 'INT8', shape: [1, 1, 1, 1], values: [77] },
        { type: 'INT32', shape: [2], values: [1500, 1], constant: true },
      ],
      outputs: [{ type: 'INT8', shape: [1, 1500, 1, 1] }],
    };
    assert.deepEqual(new Set(run(one)[0]), new Set([77]));
  });
});
