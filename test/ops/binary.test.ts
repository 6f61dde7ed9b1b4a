/** Operators with two operands: against naive references on random shapes, and against real TensorFlow Lite. */
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../author/graph_builder';
import { random } from '../../author/random';
import { writeModel } from '../../author/writer';
import { load } from '../../lib/index';
import {
  broadcastIndices,
  broadcastShapes,
  close,
  modelOf,
  OneOperator,
  randomValues,
  run,
  sameAsTflite,
} from '../helpers/one_operator';
import { clamp, highMul, multiplierOf, scaled } from '../helpers/quantized';
import { tfliteMissing } from '../helpers/tflite';

const f32 = Math.fround;
const RELU = { fused_activation_function: 1 };

type Scales = { a: number; b: number; y: number; za: number; zb: number; zy: number; bits: number };

/** Each quantized operator for one pair of stored values, as TFLM's reference computes it. */
const QUANTIZED: Record<string, (s: Scales, a: number, b: number) => number> = {
  ADD: (s, a, b) => sum(s, s.bits === 8 ? 20 : 15, (x) => x, a, b, 1),
  SUB: (s, a, b) => sum(s, s.bits === 8 ? 20 : 15, f32, a, b, -1),
  MUL: (s, a, b) => scaled((a - s.za) * (b - s.zb), multiplierOf((s.a * s.b) / s.y)) + s.zy,
  SQUARED_DIFFERENCE: (s, a, b) => {
    const left = s.bits === 8 ? 7 : 0;
    const twice = 2 * Math.max(s.a, s.b);
    const d =
      scaled((a - s.za) * 2 ** left, multiplierOf(s.a / twice)) -
      scaled((b - s.zb) * 2 ** left, multiplierOf(s.b / twice));
    return scaled(d * d, multiplierOf((twice * twice) / (f32(2 ** (2 * left)) * s.y))) + s.zy;
  },
};

function sum(
  s: Scales,
  left: number,
  round: (x: number) => number,
  a: number,
  b: number,
  sign: number,
): number {
  const twice = 2 * Math.max(s.a, s.b);
  const x = scaled((a - s.za) * 2 ** left, multiplierOf(round(s.a / twice)));
  const z = scaled((b - s.zb) * 2 ** left, multiplierOf(round(s.b / twice)));
  return scaled(x + sign * z, multiplierOf(round(twice / round(2 ** left * s.y)))) + s.zy;
}

/** DIV of INT8: gemmlowp's reciprocal, then a requantization. */
function quotient(s: Scales, a: number, b: number): number {
  let x = a - s.za;
  let z = b - s.zb;
  if (z < 0) [x, z] = [-x, -z];
  const zeros = Math.clz32(z);
  const half = Number((BigInt(z * 2 ** zeros - 2 ** 31) + (1n << 31n)) / 2n);
  let r = 1515870810 + highMul(half, -1010580540);
  for (let i = 0; i < 3; i++) r += 4 * highMul(r, 2 ** 29 - highMul(half, r));
  const headroom = x === 0 ? 31 : Math.clz32(x < 0 ? ~x : x) - 1;
  const { m, shift } = multiplierOf(f32(s.a / f32(s.b * s.y)));
  const q = highMul(x * 2 ** headroom, Math.min(2 * r, 2 ** 31 - 1));
  const power = shift - (31 - zeros) - headroom;
  return power < -31 ? s.zy : scaled(q, { m, shift: power }) + s.zy;
}

const FLOAT: Record<string, (a: number, b: number) => number> = {
  ADD: (a, b) => a + b,
  SUB: (a, b) => a - b,
  MUL: (a, b) => a * b,
  DIV: (a, b) => a / b,
  SQUARED_DIFFERENCE: (a, b) => (a - b) ** 2,
  MAXIMUM: Math.max,
  MINIMUM: Math.min,
  FLOOR_DIV: (a, b) => Math.floor(a / b),
  FLOOR_MOD: (a, b) => a - b * Math.floor(a / b),
};

const INTEGER: Record<string, (a: bigint, b: bigint) => bigint> = {
  ADD: (a, b) => a + b,
  SUB: (a, b) => a - b,
  MUL: (a, b) => a * b,
  DIV: (a, b) => a / b,
  SQUARED_DIFFERENCE: (a, b) => BigInt.asIntN(32, a - b) ** 2n,
  MAXIMUM: (a, b) => (a > b ? a : b),
  MINIMUM: (a, b) => (a < b ? a : b),
};

const COMPARE: Record<string, (a: number, b: number) => boolean> = {
  EQUAL: (a, b) => a === b,
  NOT_EQUAL: (a, b) => a !== b,
  LESS: (a, b) => a < b,
  LESS_EQUAL: (a, b) => a <= b,
  GREATER: (a, b) => a > b,
  GREATER_EQUAL: (a, b) => a >= b,
};

/** Random shapes of up to 7 dimensions, and for each element of the result those of the operands. */
function drawn(next: ReturnType<typeof random>): {
  sa: number[];
  sb: number[];
  sy: number[];
  ia: number[];
  ib: number[];
} {
  const { shapes, result } = broadcastShapes(next, 7, 2);
  const [sa, sb] = next() < 0.5 ? shapes : [shapes[1], shapes[0]];
  return { sa, sb, sy: result, ia: broadcastIndices(sa, result), ib: broadcastIndices(sb, result) };
}

/** A model with two inputs, or with one that is constant. */
function two(
  op: string,
  type: string,
  d: ReturnType<typeof drawn>,
  a: number[],
  b: number[],
  result = type,
): OneOperator {
  return {
    op,
    inputs: [
      { type, shape: d.sa, values: a },
      { type, shape: d.sb, values: b },
    ],
    outputs: [{ type: result, shape: d.sy }],
  };
}

describe('binary operators', function () {
  this.timeout(60000);
  const next = random(11);

  for (const op of Object.keys(QUANTIZED).concat('DIV')) {
    for (const type of op === 'DIV' ? ['INT8'] : ['INT8', 'INT16']) {
      it(`${op} ${type} as TFLM's formulas in BigInt`, () => {
        for (let round = 0; round < 60; round++) {
          const d = drawn(next);
          const bits = type === 'INT8' ? 8 : 16;
          const low = -(2 ** (bits - 1));
          const zero = (): number =>
            bits === 8 ? next.integer(-128, 127) : op === 'ADD' || op === 'SUB' ? next.integer(-99, 99) : 0;
          const scale = (): number => f32(10 ** next.uniform(-4, 0));
          const s: Scales = { a: scale(), b: scale(), y: 0, za: zero(), zb: zero(), zy: zero(), bits };
          const size =
            op === 'MUL'
              ? s.a * s.b
              : op === 'DIV'
                ? s.a / s.b
                : op === 'SQUARED_DIFFERENCE'
                  ? Math.max(s.a, s.b) ** 2
                  : Math.max(s.a, s.b);
          // a sum must not be scaled up: that is beyond what TFLM takes
          s.y = f32(size * 10 ** next.uniform(op === 'DIV' ? -3 : -0.3, 2.5));
          const a = randomValues(next, type, d.sa);
          const b = randomValues(next, type, d.sb).map((x) => (op === 'DIV' && x === s.zb ? (x ? 0 : 1) : x));
          const one = two(op, type, d, a, b);
          one.inputs[0].quantization = { scale: s.a, zeroPoint: s.za };
          one.inputs[1].quantization = { scale: s.b, zeroPoint: s.zb };
          one.outputs[0].quantization = { scale: s.y, zeroPoint: s.zy };
          const f = op === 'DIV' ? quotient : QUANTIZED[op];
          const wanted = d.ia.map((i, k) => clamp(f(s, a[i], b[d.ib[k]]), low, -1 - low));
          close(run(one)[0], wanted, 0, `${op} ${type} ${JSON.stringify(s)}`);
        }
      });
    }
  }

  for (const op of Object.keys(FLOAT)) {
    it(`${op} FLOAT32 on random shapes`, () => {
      for (let round = 0; round < 40; round++) {
        const d = drawn(next);
        const a = randomValues(next, 'FLOAT32', d.sa);
        const b = randomValues(next, 'FLOAT32', d.sb);
        close(
          run(two(op, 'FLOAT32', d, a, b))[0],
          d.ia.map((i, k) => FLOAT[op](a[i], b[d.ib[k]])),
          2e-5,
          op,
        );
      }
    });
  }

  for (const op of Object.keys(INTEGER)) {
    it(`${op} INT32 wraps around, on random shapes`, () => {
      for (let round = 0; round < 40; round++) {
        const d = drawn(next);
        const limit = next() < 0.5 ? Infinity : 50000;
        const a = randomValues(next, 'INT32', d.sa, limit);
        const b = randomValues(next, 'INT32', d.sb, limit).map((x) => x || 1);
        const wanted = d.ia.map((i, k) =>
          Number(BigInt.asIntN(32, INTEGER[op](BigInt(a[i]), BigInt(b[d.ib[k]])))),
        );
        close(run(two(op, 'INT32', d, a, b))[0], wanted, 0, op);
      }
    });
  }

  it('comparisons of FLOAT32, INT32, INT64 on random shapes', () => {
    for (const op of Object.keys(COMPARE)) {
      for (const type of ['FLOAT32', 'INT32', 'INT64']) {
        for (let round = 0; round < 10; round++) {
          const d = drawn(next);
          const few = (shape: number[]): number[] =>
            randomValues(next, 'INT32', shape, 2).map((x) =>
              type === 'FLOAT32' && x === 2
                ? NaN
                : type === 'INT64'
                  ? x * 2 ** 32 + next.integer(-1, 1) * 2 ** 31
                  : x,
            );
          const a = few(d.sa);
          const b = few(d.sb);
          close(
            run(two(op, type, d, a, b, 'BOOL'))[0],
            d.ia.map((i, k) => Number(COMPARE[op](a[i], b[d.ib[k]]))),
            0,
            `${op} ${type}`,
          );
        }
      }
    }
  });

  it('comparisons of INT8 with different scales', () => {
    for (const op of Object.keys(COMPARE)) {
      for (let round = 0; round < 20; round++) {
        const d = drawn(next);
        const a = randomValues(next, 'INT8', d.sa);
        const b = randomValues(next, 'INT8', d.sb);
        const qa = { scale: f32(10 ** next.uniform(-4, -0.1)), zeroPoint: next.integer(-128, 127) };
        const qb =
          next() < 0.5
            ? qa
            : { scale: f32(qa.scale * next.uniform(0.5, 1)), zeroPoint: next.integer(-128, 127) };
        const one = two(op, 'INT8', d, a, b, 'BOOL');
        one.inputs[0].quantization = qa;
        one.inputs[1].quantization = qb;
        const real = (x: number, q: typeof qa): number =>
          scaled((x - q.zeroPoint) * 256, multiplierOf(q.scale));
        close(
          run(one)[0],
          d.ia.map((i, k) => Number(COMPARE[op](real(a[i], qa), real(b[d.ib[k]], qb)))),
          0,
          op,
        );
      }
    }
  });

  it('MAXIMUM and MINIMUM of INT64', () => {
    for (const op of ['MAXIMUM', 'MINIMUM']) {
      for (let round = 0; round < 20; round++) {
        const d = drawn(next);
        const a = randomValues(next, 'INT64', d.sa);
        const b = randomValues(next, 'INT64', d.sb);
        close(
          run(two(op, 'INT64', d, a, b))[0],
          d.ia.map((i, k) => FLOAT[op](a[i], b[d.ib[k]])),
          0,
          op,
        );
      }
    }
  });

  it('SELECT_V2 moves any type, on random shapes', () => {
    for (const type of ['FLOAT32', 'INT8', 'UINT8', 'BOOL', 'INT16', 'INT32', 'INT64']) {
      for (let round = 0; round < 20; round++) {
        const { shapes, result } = broadcastShapes(next, 6, 3);
        const values = [
          randomValues(next, 'BOOL', shapes[0]),
          randomValues(next, type, shapes[1]),
          randomValues(next, type, shapes[2]),
        ];
        const at = shapes.map((shape) => broadcastIndices(shape, result));
        const one: OneOperator = {
          op: 'SELECT_V2',
          inputs: shapes.map((shape, i) => ({ type: i ? type : 'BOOL', shape, values: values[i] })),
          outputs: [{ type, shape: result }],
        };
        const wanted = at[0].map((c, k) => (values[0][c] ? values[1][at[1][k]] : values[2][at[2][k]]));
        close(run(one)[0], wanted, 0, `SELECT_V2 ${type}`);
      }
    }
  });

  it('BITWISE_XOR and RIGHT_SHIFT, which brings the shift into the range of the type', () => {
    for (const type of ['INT8', 'UINT8', 'INT16', 'INT32']) {
      const last = { INT8: 7, UINT8: 7, INT16: 15, INT32: 31 }[type] as number;
      for (let round = 0; round < 20; round++) {
        const d = drawn(next);
        const a = randomValues(next, type, d.sa);
        const b = randomValues(next, type, d.sb, 40);
        close(
          run(two('BITWISE_XOR', type, d, a, b))[0],
          d.ia.map((i, k) => a[i] ^ b[d.ib[k]]),
          0,
          `BITWISE_XOR ${type}`,
        );
        close(
          run(two('RIGHT_SHIFT', type, d, a, b))[0],
          d.ia.map((i, k) => Math.floor(a[i] / 2 ** clamp(b[d.ib[k]], 0, last))),
          0,
          `RIGHT_SHIFT ${type}`,
        );
      }
    }
  });

  it('ADD_N adds an input that comes twice', () => {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const x = main.input('x', 'FLOAT32', [3]);
    const w = main.tensor('w', 'FLOAT32', [3]);
    const y = main.tensor('y', 'FLOAT32', [3]);
    main.op('MUL', [x, x], [w]);
    main.op('ADD_N', [w, x, w], [y]);
    main.output(y);
    const model = load(writeModel(builder.build()));
    model.inputs[0].data.set([1, 2, 3]);
    model.invoke();
    assert.deepEqual(Array.from(model.outputs[0].data), [3, 10, 21]);
  });

  describe('refusals', () => {
    const flat = { sa: [2], sb: [2], sy: [2], ia: [0, 1], ib: [0, 1] };
    const cases: [string, OneOperator, RegExp][] = [
      [
        'a sum of BOOL',
        two('ADD', 'BOOL', flat, [0, 1], [1, 1]),
        /ADD: input 0 must be FLOAT32 or .* but it is "in0" BOOL \[2\]/,
      ],
      ['an order of BOOL', two('LESS', 'BOOL', flat, [0, 1], [1, 1]), /LESS: input 0 must be/],
      [
        'a comparison into INT8',
        two('LESS', 'INT32', flat, [0, 1], [1, 1], 'INT8'),
        /LESS: the output must be BOOL/,
      ],
      [
        'three operands',
        {
          ...two('ADD', 'INT32', flat, [0, 1], [1, 1]),
          inputs: [0, 1, 2].map(() => ({ type: 'INT32', shape: [2], values: [1, 2] })),
        },
        /ADD: it must have 2 inputs, but it has 3/,
      ],
      ['INT8 without scales', two('MUL', 'INT8', flat, [0, 1], [1, 1]), /MUL: input 0 must be quantized/],
      [
        'shapes that do not broadcast',
        two('MUL', 'INT32', { ...flat, sb: [3], ib: [] }, [0, 1], [1, 1, 1]),
        /\[2\], "in1" INT32 \[3\] do not broadcast/,
      ],
      [
        'an output that is too large',
        two('MUL', 'INT32', { ...flat, sy: [2, 2] }, [0, 1], [1, 1]),
        /do not broadcast to that of the output, "out0" INT32 \[2,2\]/,
      ],
    ];
    const zeroPoints = two('MUL', 'INT16', flat, [0, 1], [1, 1]);
    for (const x of [...zeroPoints.inputs, ...zeroPoints.outputs])
      x.quantization = { scale: 1, zeroPoint: 3 };
    cases.push([
      'zero points of INT16 MUL',
      zeroPoints,
      /the zero point of "in0" INT16 \[2\] must be 0, but it is 3/,
    ]);
    for (const [what, one, message] of cases)
      it(what, () => assert.throws(() => load(modelOf(one)), message));

    for (const op of ['DIV', 'FLOOR_DIV', 'FLOOR_MOD']) {
      it(`${op} INT32 by 0 is an error of the step, and the next one is right`, () => {
        const model = load(modelOf(two(op, 'INT32', flat, [], [])));
        model.inputs[0].data.set([7, 9]);
        model.inputs[1].data.set([0, 2]);
        assert.throws(() => model.invoke(), new RegExp(`subgraph 0, operator 0 ${op}: division by 0`));
        model.inputs[0].data.set([7, 9]);
        model.inputs[1].data.set([1, 3]);
        model.invoke();
        assert.deepEqual(Array.from(model.outputs[0].data), op === 'FLOOR_MOD' ? [0, 0] : [7, 3]);
      });
    }
  });

  it('INT32 ADD ignores its fused activation, SUB and MUL apply it, as TFLM', () => {
    const flat = { sa: [2], sb: [2], sy: [2], ia: [0, 1], ib: [0, 1] };
    const relu = (op: string, a: number[], b: number[]): number[] =>
      run({ ...two(op, 'INT32', flat, a, b), options: RELU })[0];
    assert.deepEqual(relu('ADD', [-5, 3], [1, 1]), [-4, 4]);
    assert.deepEqual(relu('SUB', [-5, 3], [1, 1]), [0, 2]);
    assert.deepEqual(relu('MUL', [-5, 3], [1, 1]), [0, 3]);
    // wrapped first, then clamped
    assert.deepEqual(relu('SUB', [2147483647, -2147483648], [-1, 1]), [0, 2147483647]);
  });

  describe('real TensorFlow Lite gives the same', function () {
    const missing = tfliteMissing();
    if (missing) return void it(`pending: ${missing}`);
    const shapes: [number[], number[], number[]][] = [
      [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      [[2, 3, 1], [4], [2, 3, 4]],
    ];
    const values = (type: string, shape: number[], least = -6): number[] =>
      type === 'FLOAT32'
        ? randomValues(next, type, shape).map((x) => (least < 0 ? x : Math.abs(x)))
        : randomValues(next, type, shape, 6).map((x) => (least < 0 ? x : Math.abs(x)));
    const table: [string, string, number][] = [
      ['POW', 'FLOAT32', 0],
      ['ATAN2', 'FLOAT32', -6],
      ['FLOOR_MOD', 'FLOAT32', -6],
      ['FLOOR_MOD', 'INT32', -6],
      ['FLOOR_DIV', 'INT32', -6],
      ['DIV', 'INT32', -6],
    ];
    for (const [op, type, least] of table) {
      it(`${op} ${type}`, async () => {
        for (const [sa, sb, sy] of op === 'ATAN2' ? shapes.slice(0, 1) : shapes) {
          const divides = /DIV|MOD/.test(op);
          await sameAsTflite({
            op,
            inputs: [
              { type, shape: sa, values: values(type, sa, least) },
              { type, shape: sb, values: values(type, sb).map((x) => (divides && !x ? 3 : x)) },
            ],
            outputs: [{ type, shape: sy }],
          });
        }
      });
    }
    it('SELECT by rows and by elements', async () => {
      for (const condition of [[3], [3, 2]]) {
        await sameAsTflite({
          op: 'SELECT',
          inputs: [
            { type: 'BOOL', shape: condition, values: randomValues(next, 'BOOL', condition) },
            { type: 'INT32', shape: [3, 2], values: [1, 2, 3, 4, 5, 6] },
            { type: 'INT32', shape: [3, 2], values: [-1, -2, -3, -4, -5, -6] },
          ],
          outputs: [{ type: 'INT32', shape: [3, 2] }],
        });
      }
    });
  });
});
