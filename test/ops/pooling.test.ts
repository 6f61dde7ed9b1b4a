/** Pooling on random windows, against a naive reference. */
import assert from 'node:assert/strict';
import { random } from '../../author/random';
import type { Options } from '../../lib/graph';
import { load } from '../../lib/index';
import {
  close,
  coordinates,
  indexOf,
  lengthOf,
  modelOf,
  OneOperator,
  randomValues,
  run,
} from '../helpers/one_operator';
import { clamp } from '../helpers/quantized';

const f32 = Math.fround;
const next = random(29);

describe('pooling', function () {
  this.timeout(60000);

  for (const op of ['AVERAGE_POOL_2D', 'MAX_POOL_2D', 'L2_POOL_2D']) {
    for (const type of op === 'L2_POOL_2D' ? ['FLOAT32'] : ['FLOAT32', 'INT8', 'INT16']) {
      it(`${op} ${type} on random windows`, () => {
        for (let round = 0; round < 60; round++) {
          const shape = [next.integer(1, 2), next.integer(1, 9), next.integer(1, 9), next.integer(1, 4)];
          const stride = [next.integer(1, 4), next.integer(1, 4)];
          const same = next() < 0.5;
          const size = [0, 1].map((i) => next.integer(1, same ? 6 : shape[i + 1]));
          const out = [0, 1].map((i) =>
            Math.ceil((same ? shape[i + 1] : shape[i + 1] - size[i] + 1) / stride[i]),
          );
          const pad = [0, 1].map((i) =>
            same ? Math.floor(Math.max(0, (out[i] - 1) * stride[i] + size[i] - shape[i + 1]) / 2) : 0,
          );
          const activation = next.integer(0, 3);
          const quantization =
            type === 'FLOAT32'
              ? undefined
              : { scale: f32(next.uniform(0.01, 0.1)), zeroPoint: next.integer(-9, 9) };
          const values = randomValues(next, type, shape);
          const real = (x: number): number =>
            quantization ? quantization.zeroPoint + Math.round(f32(x / quantization.scale)) : x;
          const high = type === 'INT8' ? 127 : type === 'INT16' ? 32767 : Infinity;
          const low = type === 'FLOAT32' ? -Infinity : -1 - high;
          const bounds = [
            [low, high],
            [real(0), high],
            [real(-1), real(1)],
            [real(0), real(6)],
          ][activation];
          const result = [shape[0], out[0], out[1], shape[3]];
          const wanted = Array.from({ length: lengthOf(result) }, (_, k) => {
            const [b, y, x, c] = coordinates(k, result);
            const taps: number[] = [];
            for (let i = 0; i < size[0]; i++) {
              for (let j = 0; j < size[1]; j++) {
                const at = [b, y * stride[0] - pad[0] + i, x * stride[1] - pad[1] + j, c];
                if (at.every((t, d) => t >= 0 && t < shape[d])) taps.push(values[indexOf(at, shape)]);
              }
            }
            const total = taps.reduce((a, t) => a + (op === 'L2_POOL_2D' ? t * t : t), 0);
            const half = Math.floor(taps.length / 2);
            const mean =
              type === 'FLOAT32'
                ? total / taps.length
                : Math.trunc((total > 0 ? total + half : total - half) / taps.length);
            const v = op === 'MAX_POOL_2D' ? Math.max(...taps) : op === 'L2_POOL_2D' ? Math.sqrt(mean) : mean;
            return clamp(v, Math.max(bounds[0], low), Math.min(bounds[1], high));
          });
          const one: OneOperator = {
            op,
            inputs: [{ type, shape, values, quantization }],
            outputs: [{ type, shape: result, quantization }],
            options: {
              padding: same ? 0 : 1,
              stride_h: stride[0],
              stride_w: stride[1],
              filter_height: size[0],
              filter_width: size[1],
              fused_activation_function: activation,
            },
          };
          close(
            run(one)[0],
            wanted,
            type === 'FLOAT32' ? 1e-5 : 0,
            `${op} ${type} ${shape} ${size} ${stride}`,
          );
        }
      });
    }
  }

  it('refuses outputs of another size, strides and filters of 0, other quantization', () => {
    const pool = (options: Options, result: number[], type = 'FLOAT32', scale = 0): OneOperator => ({
      op: 'MAX_POOL_2D',
      inputs: [{ type, shape: [1, 4, 4, 1], values: [], quantization: scale ? { scale: 1 } : undefined }],
      outputs: [{ type, shape: result, quantization: scale ? { scale } : undefined }],
      options: { padding: 1, stride_h: 1, stride_w: 1, filter_height: 2, filter_width: 2, ...options },
    });
    const refused = (one: OneOperator, message: RegExp): void =>
      assert.throws(() => load(modelOf(one)), message);
    refused(pool({}, [1, 4, 3, 1]), /the output must have shape \[1,3,3,1\]/);
    refused(pool({ stride_w: 0 }, [1, 3, 3, 1]), /the stride must be at least 1/);
    refused(pool({ filter_height: 0 }, [1, 3, 3, 1]), /the filter must have at least 1/);
    refused(pool({ filter_height: 7 }, [1, 3, 3, 1]), /the output must have shape/);
    refused(pool({}, [1, 3, 3, 1], 'INT8', 2), /must be the same/);
    refused(pool({}, [1, 3, 3, 1], 'INT32'), /the input must be FLOAT32 or INT8 or INT16/);
  });
});
