/**
 * Operators that sum products, beyond the conformance suite: larger and odder shapes, computed weights, against a plain
 * reference with BigInt arithmetic.
 */
import assert from 'node:assert/strict';
import { random } from '../../author/random';
import type { Random } from '../../author/random';
import { mbqm, rdpot, requantize } from '../../lib/fixedpoint';
import { load } from '../../lib/index';
import {
  broadcastIndices,
  broadcastShapes,
  close,
  lengthOf,
  randomValues,
  run,
} from '../helpers/one_operator';
import type { OneOperator, Operand } from '../helpers/one_operator';
import { clamp, divideByPowerOf2, multiplierOf, scaled } from '../helpers/quantized';
import { cases } from '../helpers/suite';

import { sums } from '../helpers/windowed';
import type { Geometry } from '../helpers/windowed';

type Values = ArrayLike<number>;

/** Output size and padding along one axis. */
function axis(
  input: number,
  filter: number,
  stride: number,
  dilation: number,
  same: boolean,
): [number, number] {
  const reach = (filter - 1) * dilation + 1;
  const size = same ? Math.ceil(input / stride) : Math.ceil((input - reach + 1) / stride);
  return [size, Math.max(0, Math.floor(((size - 1) * stride + reach - input) / 2))];
}

const OPS = { conv: 'CONV_2D', depthwise: 'DEPTHWISE_CONV_2D', transpose: 'TRANSPOSE_CONV' };

/** A random operator of a kind: shapes that meet all paths of the kernels, edges and insides. */
function draw(next: Random, kind: Geometry['kind'], type: string): { one: OneOperator; geometry: Geometry } {
  const size = (): number => (next() < 0.3 ? 1 : next.integer(2, 11));
  const stride: [number, number] = [next.integer(1, 3), next.integer(1, 3)];
  const plain = next() < 0.5;
  if (plain) stride[0] = stride[1] = 1;
  const dilation: [number, number] =
    kind === 'transpose' || next() < 0.6 ? [1, 1] : [next.integer(1, 3), next.integer(1, 3)];
  const same = next() < 0.5;
  const batches = next.integer(1, 3);
  const groups = kind === 'conv' && next() < 0.3 ? next.integer(2, 3) : 1;
  const depth = groups * next.integer(1, 7);
  const filter = [next() < 0.4 ? 3 : next.integer(1, 5), next() < 0.4 ? 3 : next.integer(1, 5)];
  const units = kind === 'depthwise' ? depth * next.integer(1, 3) : groups * next.integer(1, 6);
  const image = [0, 1].map((a) => {
    const least = same || kind === 'transpose' ? 1 : (filter[a] - 1) * dilation[a] + 1;
    return next() < 0.3 ? least : Math.max(size(), least);
  });
  const [rows, columns] = [0, 1].map((a) => axis(image[a], filter[a], stride[a], dilation[a], same));
  let x = [batches, image[0], image[1], depth];
  let y = [batches, rows[0], columns[0], units];
  let pad: [number, number] = [rows[1], columns[1]];
  if (kind === 'transpose') {
    const out = [0, 1].map((a) => (same ? image[a] * stride[a] : (image[a] - 1) * stride[a] + filter[a]));
    pad = [0, 1].map((a) => axis(out[a], filter[a], stride[a], 1, same)[1]) as [number, number];
    x = [batches, image[0], image[1], depth];
    y = [batches, out[0], out[1], units];
  }
  const w =
    kind === 'depthwise' ? [1, filter[0], filter[1], units] : [units, filter[0], filter[1], depth / groups];
  const dim = kind === 'depthwise' ? 3 : 0;
  const perChannel = next() < 0.7;
  const int8 = type !== 'FLOAT32';
  const scales = Array.from({ length: perChannel ? units : 1 }, () => Math.fround(next.uniform(0.004, 0.02)));
  const weights: Operand = {
    type,
    shape: w,
    values: type === 'INT4' ? randomValues(next, 'INT8', w, 7) : randomValues(next, int8 ? 'INT8' : type, w),
    constant: type === 'INT4' || next() < 0.8,
    quantization: int8 ? { scales, zeroPoints: scales.map(() => 0), quantizedDimension: dim } : undefined,
  };
  const input: Operand = {
    type: int8 ? 'INT8' : type,
    shape: x,
    values: randomValues(next, int8 ? 'INT8' : type, x),
    quantization: int8
      ? { scale: Math.fround(next.uniform(0.01, 0.1)), zeroPoint: next.integer(-128, 127) }
      : undefined,
  };
  const inputs = [input, weights];
  if (kind === 'transpose') inputs.unshift({ type: 'INT32', shape: [4], values: y, constant: true });
  if (kind === 'transpose') [inputs[1], inputs[2]] = [weights, input];
  if (next() < 0.8) {
    inputs.push({
      type: int8 ? 'INT32' : type,
      shape: [units],
      values: randomValues(next, int8 ? 'INT32' : type, [units], 20000),
      constant: next() < 0.8,
    });
  }
  const one: OneOperator = {
    op: OPS[kind],
    inputs,
    outputs: [
      {
        type: input.type,
        shape: y,
        quantization: int8
          ? { scale: Math.fround(next.uniform(0.05, 1)), zeroPoint: next.integer(-128, 127) }
          : undefined,
      },
    ],
    options: {
      padding: same ? 0 : 1,
      stride_h: stride[0],
      stride_w: stride[1],
      fused_activation_function: next.integer(0, 3),
      ...(kind === 'transpose' ? {} : { dilation_h_factor: dilation[0], dilation_w_factor: dilation[1] }),
      ...(kind === 'depthwise' ? { depth_multiplier: units / depth } : {}),
    },
  };
  return { one, geometry: { x, w, y, stride, dilation, pad, kind } };
}

/** Bounds of a fused activation in real numbers. */
const BOUNDS = [
  [-Infinity, Infinity],
  [0, Infinity],
  [-1, 1],
  [0, 6],
];

function expected(one: OneOperator, g: Geometry): number[] {
  const from = g.kind === 'transpose' ? 1 : 0;
  const [weights, input] =
    g.kind === 'transpose' ? [one.inputs[1], one.inputs[2]] : [one.inputs[1], one.inputs[0]];
  const bias = one.inputs[2 + from]?.values as Values | undefined;
  const x = input.values as Values;
  const w = weights.values as Values;
  const units = g.y[3];
  const [low, high] = BOUNDS[one.options!.fused_activation_function as number];
  if (input.type === 'FLOAT32') {
    return sums(g, (a, b) => x[a] * w[b]).map((sum, k) => clamp(sum + (bias?.[k % units] ?? 0), low, high));
  }
  const { scale, zeroPoint } = input.quantization as { scale: number; zeroPoint: number };
  const out = one.outputs[0].quantization as { scale: number; zeroPoint: number };
  const scales = weights.quantization!.scales!;
  const stored = (real: number): number =>
    Number.isFinite(real) ? out.zeroPoint + Math.round(Math.fround(real / out.scale)) : real;
  return sums(g, (a, b) => (x[a] - zeroPoint) * w[b]).map((sum, k) => {
    const unit = k % units;
    const multiplier = multiplierOf((scale * scales[scales.length > 1 ? unit : 0]) / out.scale);
    return clamp(
      scaled(sum + (bias?.[unit] ?? 0), multiplier) + out.zeroPoint,
      Math.max(-128, stored(low)),
      Math.min(127, stored(high)),
    );
  });
}

describe('sums of products', function () {
  this.timeout(60000);

  it('requantization equals TFLM’s formulas', () => {
    const next = random(11);
    const any = (): number => next.integer(-2147483648, 2147483647) >> next.integer(0, 31);
    const edges = [0, 1, -1, 4194303, -4194303, 4194304, -4194304, 2147483647, -2147483648, 2147483646];
    for (let i = 0; i < 100000; i++) {
      const x = i % 4 ? any() : edges[next.integer(0, edges.length - 1)];
      const exponent = next.integer(0, 31);
      assert.equal(rdpot(x, exponent), divideByPowerOf2(x, exponent), `rdpot(${x}, ${exponent})`);
      const m = next() < 0.05 ? 0 : next.integer(1 << 30, 2147483647);
      const shift = next.integer(-31, 30);
      const want = scaled(x, { m, shift });
      assert.equal(mbqm(x, m, shift), want, `mbqm(${x}, ${m}, ${shift})`);
      const zero = next.integer(-128, 127);
      const bounds = [next.integer(-128, 127), next.integer(-128, 127)].sort((a, b) => a - b);
      const got = new Int8Array([requantize(x, m, shift, zero, bounds[0], bounds[1])])[0];
      assert.equal(
        got,
        clamp(want + zero, bounds[0], bounds[1]),
        `requantize(${x}, ${m}, ${shift}, ${zero}, ${bounds})`,
      );
    }
  });

  for (const kind of ['conv', 'depthwise', 'transpose'] as const) {
    for (const type of kind === 'transpose' ? ['FLOAT32', 'INT8'] : ['FLOAT32', 'INT8', 'INT4']) {
      it(`${OPS[kind]} ${type}: random shapes`, () => {
        const next = random(kind.length * 100 + type.length);
        for (let i = 0; i < 150; i++) {
          const { one, geometry } = draw(next, kind, type);
          const what = `case ${i}: ${JSON.stringify({ ...geometry, options: one.options })}`;
          close(run(one)[0], expected(one, geometry), type === 'FLOAT32' ? 1e-5 : 0, what);
        }
      });
    }
  }

  it('FULLY_CONNECTED: random shapes, computed weights, zero points of weights', () => {
    const next = random(3);
    for (let i = 0; i < 300; i++) {
      const [rows, depth, units] = [next.integer(1, 5), next.integer(1, 19), next.integer(1, 13)];
      const float = next() < 0.3;
      const perChannel = !float && next() < 0.4;
      const [sx, sy] = [Math.fround(next.uniform(0.01, 0.1)), Math.fround(next.uniform(0.05, 1))];
      const scales = Array.from({ length: perChannel ? units : 1 }, () =>
        Math.fround(next.uniform(0.004, 0.02)),
      );
      const [zx, zy] = [next.integer(-128, 127), next.integer(-128, 127)];
      const zw = perChannel || next() < 0.5 ? 0 : next.integer(-128, 127);
      const type = float ? 'FLOAT32' : 'INT8';
      const x = randomValues(next, type, [rows, depth]);
      const w = randomValues(next, type, [units, depth]);
      const b = randomValues(next, float ? type : 'INT32', [units], 20000);
      const withBias = next() < 0.8;
      const one: OneOperator = {
        op: 'FULLY_CONNECTED',
        inputs: [
          {
            type,
            shape: [rows, depth],
            values: x,
            quantization: float ? undefined : { scale: sx, zeroPoint: zx },
          },
          {
            type,
            shape: [units, depth],
            values: w,
            constant: next() < 0.6,
            quantization: float
              ? undefined
              : { scales, zeroPoints: scales.map(() => zw), quantizedDimension: 0 },
          },
        ],
        outputs: [
          { type, shape: [rows, units], quantization: float ? undefined : { scale: sy, zeroPoint: zy } },
        ],
      };
      if (withBias) {
        one.inputs.push({
          type: float ? type : 'INT32',
          shape: [units],
          values: b,
          constant: next() < 0.8,
          quantization: float ? undefined : { scale: sx * scales[0], zeroPoint: 0 },
        });
      }
      const want = Array.from({ length: rows * units }, (_, k) => {
        const [row, unit] = [Math.floor(k / units), k % units];
        let sum = withBias ? b[unit] : 0;
        for (let d = 0; d < depth; d++) {
          sum += float
            ? x[row * depth + d] * w[unit * depth + d]
            : (x[row * depth + d] - zx) * (w[unit * depth + d] - zw);
        }
        if (float) return sum;
        const real = perChannel ? (sx * scales[unit]) / sy : Math.fround(sx * scales[0]) / sy;
        return clamp(scaled(sum, multiplierOf(real)) + zy, -128, 127);
      });
      close(
        run(one)[0],
        want,
        float ? 1e-5 : 0,
        `case ${i}: ${rows} × ${depth} × ${units}, ${type}, ${perChannel}, ${zw}`,
      );
    }
  });

  it('BATCH_MATMUL: batches that broadcast, transposed operands', () => {
    const next = random(21);
    for (let i = 0; i < 100; i++) {
      const int8 = i % 2 === 1;
      const { shapes, result } = broadcastShapes(next, 3, 2);
      const [rows, depth, columns] = [next.integer(1, 4), next.integer(1, 6), next.integer(1, 4)];
      const [adjX, adjY] = [next() < 0.5, next() < 0.5];
      const xs = [...shapes[0], ...(adjX ? [depth, rows] : [rows, depth])];
      const ws = [...shapes[1], ...(adjY ? [columns, depth] : [depth, columns])];
      const shape = [...result, rows, columns];
      const type = int8 ? 'INT8' : 'FLOAT32';
      const [x, w] = [randomValues(next, type, xs), randomValues(next, type, ws)];
      const quantization = (): { scale: number; zeroPoint: number } => ({
        scale: Math.fround(next.uniform(0.02, 0.1)),
        zeroPoint: next.integer(-128, 127),
      });
      const [qx, qw, qy] = [quantization(), quantization(), quantization()];
      const [xb, wb] = shapes.map((own) => broadcastIndices(own, result));
      const want = Array.from({ length: lengthOf(shape) }, (_, k) => {
        const [batch, row, column] = [
          Math.floor(k / (rows * columns)),
          Math.floor(k / columns) % rows,
          k % columns,
        ];
        let sum = 0;
        for (let d = 0; d < depth; d++) {
          const a = x[xb[batch] * rows * depth + (adjX ? d * rows + row : row * depth + d)];
          const b = w[wb[batch] * depth * columns + (adjY ? column * depth + d : d * columns + column)];
          sum += int8 ? (a - qx.zeroPoint) * (b - qw.zeroPoint) : a * b;
        }
        if (!int8) return sum;
        return clamp(
          scaled(sum, multiplierOf(Math.fround(qx.scale * qw.scale) / qy.scale)) + qy.zeroPoint,
          -128,
          127,
        );
      });
      const operand = (shape: number[], values: number[], q: typeof qx): Operand => ({
        type,
        shape,
        values,
        constant: next() < 0.3,
        quantization: int8 ? q : undefined,
      });
      const got = run({
        op: 'BATCH_MATMUL',
        inputs: [operand(xs, x, qx), operand(ws, w, qw)],
        outputs: [{ type, shape, quantization: int8 ? qy : undefined }],
        options: { adj_x: adjX, adj_y: adjY },
      })[0];
      close(got, want, int8 ? 0 : 1e-5, `case ${i}: ${xs} by ${ws}`);
    }
  });

  it('the arena is never larger than TFLM’s', function () {
    const all = ['conv', 'depthwise', 'fully_connected', 'transpose_conv', 'batch_matmul'].flatMap(cases);
    if (!all.length) this.skip();
    for (const test of all) {
      if (!test.arena.p32.planned) continue;
      const bytes = load(test.bytes).memory.arena;
      assert.ok(
        bytes <= test.arena.p32.planned.head,
        `${test.name}: ${bytes} > ${test.arena.p32.planned.head}`,
      );
    }
  });
});
