/** Reductions and running sums: against naive references, and against real TensorFlow Lite. */
import assert from 'node:assert/strict';
import { random } from '../../author/random';
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
  sameAsTflite,
} from '../helpers/one_operator';
import { clamp, multiplierOf, scaled } from '../helpers/quantized';
import { tfliteMissing } from '../helpers/tflite';

const f32 = Math.fround;
const next = random(23);

/** A random reduction: the input's shape, the axes as a model states them, and for each output the inputs that make it. */
function drawnReduction(): {
  shape: number[];
  axes: number[];
  keep: boolean;
  result: number[];
  members: number[][];
} {
  const shape = Array.from({ length: next.integer(1, 6) }, () => next.integer(1, 4));
  const away = shape.map(() => next() < 0.5);
  const axes = shape.flatMap((_, d) => (away[d] ? [next() < 0.5 ? d : d - shape.length] : []));
  if (axes.length && next() < 0.3) axes.push(axes[0]);
  if (!axes.length) {
    axes.push(0);
    away[0] = true;
  }
  const keep = next() < 0.5;
  const members: number[][] = [];
  const kept = shape.map((size, d) => (away[d] ? 1 : size));
  for (let k = 0; k < lengthOf(shape); k++) {
    const to = indexOf(
      coordinates(k, shape).map((x, d) => (away[d] ? 0 : x)),
      kept,
    );
    (members[to] ??= []).push(k);
  }
  return { shape, axes, keep, result: keep ? kept : shape.filter((_, d) => !away[d]), members };
}

function reduction(
  op: string,
  type: string,
  d: ReturnType<typeof drawnReduction>,
  values: number[],
): OneOperator {
  return {
    op,
    inputs: [
      { type, shape: d.shape, values },
      { type: 'INT32', shape: [d.axes.length], values: d.axes, constant: true },
    ],
    outputs: [{ type, shape: d.result }],
    options: { keep_dims: d.keep },
  };
}

describe('reductions', function () {
  this.timeout(60000);

  for (const type of ['INT8', 'INT16']) {
    for (const op of ['MEAN', 'SUM']) {
      it(`${op} ${type} as TFLM's formulas in BigInt`, () => {
        for (let round = 0; round < 80; round++) {
          const d = drawnReduction();
          const values = randomValues(next, type, d.shape);
          const zero = (): number => (type === 'INT8' ? next.integer(-128, 127) : next.integer(-300, 300));
          const qx = { scale: f32(10 ** next.uniform(-4, 0)), zeroPoint: zero() };
          const qy = { scale: f32(qx.scale * 10 ** next.uniform(-1, 2)), zeroPoint: zero() };
          const one = reduction(op, type, d, values);
          one.inputs[0].quantization = qx;
          one.outputs[0].quantization = qy;
          const n = d.members[0].length;
          const q = multiplierOf(qx.scale / qy.scale);
          if (op === 'MEAN') {
            const left = Math.min(31 - Math.clz32(n), 31 + q.shift);
            q.m = Number((BigInt(q.m) << BigInt(left)) / BigInt(n));
            q.shift -= left;
          }
          const high = type === 'INT8' ? 127 : 32767;
          const wanted = d.members.map((m) => {
            const total = m.reduce((sum, k) => sum + values[k], 0) - qx.zeroPoint * n;
            return clamp(scaled(total, q) + qy.zeroPoint, -1 - high, high);
          });
          close(run(one)[0], wanted, 0, `${op} ${type} of ${d.shape} along ${d.axes}`);
        }
      });
    }
  }

  const plain: Record<string, (values: number[]) => number> = {
    MEAN: (v) => v.reduce((a, b) => a + b) / v.length,
    SUM: (v) => v.reduce((a, b) => a + b),
    REDUCE_MAX: (v) => Math.max(...v),
    REDUCE_MIN: (v) => Math.min(...v),
    REDUCE_ALL: (v) => Math.min(...v),
    REDUCE_ANY: (v) => Math.max(...v),
    REDUCE_PROD: (v) => v.reduce((a, b) => a * b),
  };
  for (const op of Object.keys(plain)) {
    const bool = /ALL|ANY/.test(op);
    const types = bool
      ? ['BOOL']
      : /MAX|MIN/.test(op)
        ? ['FLOAT32', 'INT8', 'INT16', 'UINT8', 'INT32']
        : ['FLOAT32'];
    it(`${op} ${types.join(', ')} on random shapes`, () => {
      for (const type of types) {
        for (let round = 0; round < 40; round++) {
          const d = drawnReduction();
          const values = randomValues(next, type, d.shape);
          const wanted = d.members.map((m) => plain[op](m.map((k) => values[k])));
          close(
            run(reduction(op, type, d, values))[0],
            wanted,
            type === 'FLOAT32' ? 1e-5 : 0,
            `${op} of ${d.shape} along ${d.axes}`,
          );
        }
      }
    });
  }

  it('REDUCE_MAX passes over NaN', () => {
    const d = { shape: [2, 3], axes: [1], keep: false, result: [2], members: [] };
    assert.deepEqual(run(reduction('REDUCE_MAX', 'FLOAT32', d, [NaN, -1, NaN, 4, NaN, 3]))[0], [-1, 4]);
    assert.deepEqual(run(reduction('REDUCE_MIN', 'FLOAT32', d, [NaN, -1, NaN, 4, NaN, 3]))[0], [-1, 3]);
  });

  for (const op of ['ARG_MAX', 'ARG_MIN']) {
    it(`${op} gives the first of equals, on random shapes`, () => {
      for (const type of ['FLOAT32', 'INT8', 'UINT8', 'INT32']) {
        for (let round = 0; round < 30; round++) {
          const shape = Array.from({ length: next.integer(1, 5) }, () => next.integer(1, 5));
          const axis = next.integer(0, shape.length - 1);
          const values = randomValues(next, type === 'FLOAT32' ? 'INT8' : type, shape, 3).map((x) =>
            op === 'ARG_MAX' ? x : x,
          );
          const result = shape.filter((_, d) => d !== axis);
          const wanted = Array.from({ length: lengthOf(result) }, (_, k) => {
            const at = coordinates(k, result);
            const line = Array.from(
              { length: shape[axis] },
              (_, i) => values[indexOf([...at.slice(0, axis), i, ...at.slice(axis)], shape)],
            );
            return line.indexOf(op === 'ARG_MAX' ? Math.max(...line) : Math.min(...line));
          });
          const one: OneOperator = {
            op,
            inputs: [
              { type, shape, values },
              {
                type: 'INT32',
                shape: [],
                values: [next() < 0.5 ? axis : axis - shape.length],
                constant: true,
              },
            ],
            outputs: [{ type: 'INT32', shape: result }],
            options: { output_type: 2 },
          };
          close(run(one)[0], wanted, 0, `${op} ${type} of ${shape} along ${axis}`);
        }
      }
    });
  }

  it('refuses axes beyond the dimensions, shapes and types that do not fit', () => {
    const d = { shape: [2, 3], axes: [2], keep: false, result: [2], members: [] };
    const refused = (one: OneOperator, message: RegExp): void =>
      assert.throws(() => load(modelOf(one)), message);
    refused(reduction('MEAN', 'FLOAT32', d, []), /MEAN: axis 2 is outside of 2 dimensions/);
    d.axes = [-1];
    refused(
      reduction('MEAN', 'FLOAT32', { ...d, result: [3] }, []),
      /MEAN: the output must have shape \[2\], but it is "out0" FLOAT32 \[3\]/,
    );
    refused(reduction('MEAN', 'FLOAT32', { ...d, keep: true }, []), /must have shape \[2,1\]/);
    refused(reduction('MEAN', 'INT32', d, []), /the input must be FLOAT32 or INT8 or INT16/);
    refused(reduction('SUM', 'INT8', d, []), /the input must be quantized/);
    refused(reduction('REDUCE_ALL', 'INT8', d, []), /the input must be BOOL/);
    const one = reduction('SUM', 'FLOAT32', d, [0, 0, 0, 0, 0, 0]);
    one.inputs[1].constant = false;
    refused(one, /the axes must be constant/);
  });
});

describe('running sums', function () {
  this.timeout(60000);
  for (const type of ['FLOAT32', 'INT32', 'INT8']) {
    it(`CUMSUM ${type} on random shapes`, () => {
      for (let round = 0; round < 60; round++) {
        const shape = Array.from({ length: next.integer(1, 5) }, () => next.integer(1, 5));
        const axis = next.integer(0, shape.length - 1);
        const exclusive = next() < 0.5;
        const reverse = next() < 0.5;
        const values = randomValues(next, type, shape);
        const qx = { scale: f32(next.uniform(0.01, 0.1)), zeroPoint: next.integer(-20, 20) };
        const qy = { scale: f32(qx.scale * next.uniform(0.5, 9)), zeroPoint: next.integer(-20, 20) };
        const q = multiplierOf((2 * qx.scale) / (2 ** 20 * qy.scale));
        const wanted = values.map((_, k) => {
          const at = coordinates(k, shape);
          let sum = type === 'INT8' ? -qx.zeroPoint : 0;
          for (let i = 0; i < shape[axis]; i++) {
            const before = reverse ? i > at[axis] : i < at[axis];
            if (!before && (exclusive || i !== at[axis])) continue;
            sum += values[indexOf(at.with(axis, i), shape)] - (type === 'INT8' ? qx.zeroPoint : 0);
          }
          return type === 'FLOAT32'
            ? sum
            : type === 'INT32'
              ? sum | 0
              : clamp(scaled(sum * 2 ** 19, q) + qy.zeroPoint, -128, 127);
        });
        const one: OneOperator = {
          op: 'CUMSUM',
          inputs: [
            { type, shape, values, quantization: type === 'INT8' ? qx : undefined },
            { type: 'INT32', shape: [], values: [next() < 0.5 ? axis : axis - shape.length], constant: true },
          ],
          outputs: [{ type, shape, quantization: type === 'INT8' ? qy : undefined }],
          options: { exclusive, reverse },
        };
        close(run(one)[0], wanted, type === 'FLOAT32' ? 1e-5 : 0, `${shape} along ${axis}`);
      }
    });
  }
});

describe('what TFLM lacks, as real TensorFlow Lite', function () {
  this.timeout(60000);
  const missing = tfliteMissing();
  if (missing) return void it(`pending: ${missing}`);

  it('REDUCE_PROD and REDUCE_ANY', async () => {
    for (const [op, type] of [
      ['REDUCE_PROD', 'FLOAT32'],
      ['REDUCE_PROD', 'INT32'],
      ['REDUCE_ANY', 'BOOL'],
      ['REDUCE_MAX', 'INT32'],
    ]) {
      for (const [axes, result] of [
        [[0], [1, 3, 4]],
        [
          [-1, 1],
          [2, 1, 1],
        ],
      ]) {
        const d = { shape: [2, 3, 4], axes, keep: true, result, members: [] };
        await sameAsTflite(reduction(op, type, d, randomValues(next, type, d.shape, 5)));
      }
    }
  });

  it('CUMSUM INT32', async () => {
    for (const [exclusive, reverse] of [
      [false, false],
      [true, false],
      [true, true],
    ]) {
      await sameAsTflite({
        op: 'CUMSUM',
        inputs: [
          { type: 'INT32', shape: [2, 3, 2], values: randomValues(next, 'INT32', [2, 3, 2], 99) },
          { type: 'INT32', shape: [1], values: [1], constant: true },
        ],
        outputs: [{ type: 'INT32', shape: [2, 3, 2] }],
        options: { exclusive, reverse },
      });
    }
  });
});
