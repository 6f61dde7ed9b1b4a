/** Operators with one input: against naive references, against real TensorFlow Lite, and what they refuse. */
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../author/graph_builder';
import type { Quantization } from '../../author/graph_builder';
import { random } from '../../author/random';
import { writeModel } from '../../author/writer';
import { crc32 } from '../../lib/crc32';
import { load } from '../../lib/index';
import { sigmoidTable } from '../../ops/gates';
import { logisticQ4, tanhQ4 } from '../../ops/gemmlowp';
import { gateInt8, logistic, softmaxRow, tanh } from '../helpers/fixed_functions';
import {
  broadcastIndices,
  close,
  modelOf,
  OneOperator,
  randomValues,
  run,
  sameAsTflite,
} from '../helpers/one_operator';
import { clamp, multiplierOf, scaled } from '../helpers/quantized';
import { openTflite, tfliteMissing } from '../helpers/tflite';

const f32 = Math.fround;
const BYTES = Array.from({ length: 256 }, (_, i) => i - 128);
const SPECIAL = [0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-30, -1e-30, 3e38, Infinity, -Infinity, NaN];

/** A model with one input and one output of the same shape. */
function unary(
  op: string,
  from: [string, Quantization?],
  to: [string, Quantization?],
  values: number[],
  options?: OneOperator['options'],
  shape = [values.length],
): OneOperator {
  return {
    op,
    inputs: [{ type: from[0], shape, values, quantization: from[1] }],
    outputs: [{ type: to[0], shape, quantization: to[1] }],
    options,
  };
}

const even = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

const FLOAT: Record<string, (x: number) => number> = {
  COS: Math.cos,
  SIN: Math.sin,
  EXP: Math.exp,
  LOG: Math.log,
  SQRT: Math.sqrt,
  RSQRT: (x) => 1 / Math.sqrt(x),
  SQUARE: (x) => x * x,
  NEG: (x) => -x,
  ABS: Math.abs,
  CEIL: Math.ceil,
  FLOOR: Math.floor,
  ROUND: even,
  ELU: (x) => (x < 0 ? Math.expm1(x) : x),
  LOGISTIC: (x) => 1 / (1 + Math.exp(-x)),
  TANH: Math.tanh,
  RELU: (x) => (x < 0 ? 0 : x),
  RELU6: (x) => (x < 0 ? 0 : x > 6 ? 6 : x),
  HARD_SWISH: (x) => (x * Math.min(6, Math.max(0, x + 3))) / 6,
};

/** Bounds of the activations that requantize. */
const BOUNDS: Record<string, [number, number]> = {
  RELU: [0, Infinity],
  RELU_N1_TO_1: [-1, 1],
  RELU_0_TO_1: [0, 1],
};

const LIMITS: Record<string, [number, number]> = {
  INT8: [-128, 127],
  UINT8: [0, 255],
  INT16: [-32768, 32767],
  INT32: [-2147483648, 2147483647],
};

describe('unary operators', function () {
  this.timeout(60000);
  const next = random(23);
  const scale = (low: number, high: number): number =>
    f32(Math.exp(next.uniform(Math.log(low), Math.log(high))));
  const zero = (type: string): number => (type === 'INT16' ? 0 : next.integer(...LIMITS[type]));
  const quantized = (type: string, low = 0.001, high = 0.1): Quantization => ({
    scale: scale(low, high),
    zeroPoint: zero(type),
  });
  const stored = (type: string): number[] =>
    type === 'INT16' ? randomValues(next, type, [300]) : BYTES.map((x) => (type === 'UINT8' ? x + 128 : x));

  for (const [op, f] of Object.entries(FLOAT)) {
    it(`${op} FLOAT32 as in double precision, in 0 to 6 dimensions`, () => {
      for (let rank = 0; rank < 7; rank++) {
        const shape = Array.from({ length: rank }, () => next.integer(1, 3));
        const values = randomValues(next, 'FLOAT32', shape).map((x) => f32(2 * x));
        close(run(unary(op, ['FLOAT32'], ['FLOAT32'], values, undefined, shape))[0], values.map(f), 1e-6, op);
      }
      const special = SPECIAL.map(f32);
      const exact = op !== 'SIN' && op !== 'COS' && op !== 'HARD_SWISH';
      const finite = exact ? special : special.filter((x) => Math.abs(x) < 1e30);
      close(
        run(unary(op, ['FLOAT32'], ['FLOAT32'], finite))[0],
        finite.map((x) => f32(f(x))),
        1e-6,
        op,
      );
    });
  }

  it('TANH and ELU keep their relative accuracy near 0', () => {
    const values = [1e-3, -1e-3, 1e-4, -1.1e-4, 1e-5, -2e-6, -1e-6, -1e-9, 1e-20].map(f32);
    for (const op of ['TANH', 'ELU']) {
      const got = run(unary(op, ['FLOAT32'], ['FLOAT32'], values))[0];
      got.forEach((y, i) => {
        const wanted = FLOAT[op](values[i]);
        assert.ok(Math.abs(y - wanted) <= 1e-6 * Math.abs(wanted), `${op} of ${values[i]}: ${y}, ${wanted}`);
      });
    }
  });

  for (const [op, bounds] of Object.entries(BOUNDS)) {
    for (const type of op === 'RELU' ? ['INT8', 'INT16'] : ['INT8', 'UINT8']) {
      it(`${op} ${type} as TFLM's formula in BigInt`, () => {
        for (let round = 0; round < 30; round++) {
          const [a, b] = [quantized(type), quantized(type)];
          const x = stored(type);
          const [low, high] = bounds.map((v, i) =>
            Number.isFinite(v)
              ? clamp(Math.round(f32(v / b.scale!)) + b.zeroPoint!, ...LIMITS[type])
              : LIMITS[type][i],
          );
          const m = multiplierOf(f32(a.scale! / b.scale!));
          const wanted = x.map((v) => clamp(scaled(v - a.zeroPoint!, m) + b.zeroPoint!, low, high));
          close(run(unary(op, [type, a], [type, b], x))[0], wanted, 0, op);
        }
      });
    }
  }

  for (const type of ['INT8', 'INT16']) {
    it(`LEAKY_RELU ${type} with positive and negative alpha`, () => {
      for (let round = 0; round < 40; round++) {
        const [a, b] = [quantized(type), quantized(type)];
        if (type === 'INT16') a.zeroPoint = next.integer(-1000, 1000);
        const alpha = f32(next.uniform(-1, 2));
        const x = stored(type);
        const m = multiplierOf(f32(a.scale! / b.scale!));
        const n = multiplierOf(f32(f32(a.scale! * Math.abs(alpha)) / b.scale!));
        const wanted = x.map((v) => {
          const d = v - a.zeroPoint!;
          const y = d >= 0 ? scaled(d, m) : Math.sign(alpha) * scaled(d, n);
          return clamp(y + b.zeroPoint!, ...LIMITS[type]);
        });
        close(run(unary('LEAKY_RELU', [type, a], [type, b], x, { alpha }))[0], wanted, 0, 'LEAKY_RELU');
      }
    });

    it(`PRELU ${type} with an alpha that broadcasts`, () => {
      for (let round = 0; round < 40; round++) {
        const shape = Array.from({ length: next.integer(1, 5) }, () => next.integer(1, 4));
        const alphaShape = shape
          .map((size) => (next() < 0.4 ? 1 : size))
          .slice(next.integer(0, shape.length - 1));
        const [a, b, q] = [quantized(type), quantized(type), quantized('INT8', 0.001, 0.02)];
        const x = randomValues(next, type, shape);
        const alpha = randomValues(next, 'INT8', alphaShape);
        const at = broadcastIndices(alphaShape, shape);
        const m = multiplierOf(a.scale! / b.scale!);
        const n = multiplierOf((a.scale! * q.scale!) / b.scale!);
        const wanted = x.map((v, i) => {
          const d = v - a.zeroPoint!;
          const y = d >= 0 ? scaled(d, m) : scaled(d * (alpha[at[i]] - q.zeroPoint!), n);
          return clamp(y + b.zeroPoint!, ...LIMITS[type]);
        });
        const one: OneOperator = {
          op: 'PRELU',
          inputs: [
            { type, shape, values: x, quantization: a },
            { type: 'INT8', shape: alphaShape, values: alpha, quantization: q, constant: next() < 0.5 },
          ],
          outputs: [{ type, shape, quantization: b }],
        };
        close(run(one)[0], wanted, 0, 'PRELU');
      }
    });

    it(`ABS ${type}`, () => {
      for (let round = 0; round < 20; round++) {
        const [a, b] = [quantized(type), quantized(type)];
        if (round < 4) b.scale = a.scale;
        const m = multiplierOf(f32(a.scale! / b.scale!));
        const wanted = (v: number): number =>
          clamp(scaled(Math.abs(v - a.zeroPoint!), m) + b.zeroPoint!, ...LIMITS[type]);
        const x = stored(type);
        close(run(unary('ABS', [type, a], [type, b], x))[0], x.map(wanted), 0, 'ABS');
      }
    });
  }

  it('RELU6 of integers clamps stored values and does not requantize', () => {
    for (const type of ['INT8', 'INT16']) {
      const a = { scale: f32(type === 'INT8' ? 0.05 : 0.0005), zeroPoint: type === 'INT8' ? -20 : 3000 };
      const x = stored(type);
      const six = a.zeroPoint + Math.round(f32(6 / a.scale));
      const wanted = x.map((v) => clamp(v, a.zeroPoint, Math.min(six, LIMITS[type][1])));
      close(run(unary('RELU6', [type, a], [type, { scale: 1, zeroPoint: 7 }], x))[0], wanted, 0, 'RELU6');
    }
  });

  it('LOGISTIC and TANH INT8 as the fixed-point functions in BigInt, for each input', () => {
    for (let round = 0; round < 25; round++) {
      const a = quantized('INT8', 0.0005, 12);
      const x = BYTES.map((v) => v - a.zeroPoint!);
      const gate = (op: string, y: Quantization): number[] =>
        run(unary(op, ['INT8', a], ['INT8', y], BYTES))[0];
      const sigmoid = x.map((d) => gateInt8(logistic, d, a.scale!, 23, -128));
      close(gate('LOGISTIC', { scale: 1 / 256, zeroPoint: -128 }), sigmoid, 0, 'LOGISTIC');
      const tangent = x.map((d) => gateInt8(tanh, d, a.scale!, 24, 0));
      close(gate('TANH', { scale: 1 / 128, zeroPoint: 0 }), tangent, 0, 'TANH');
    }
  });

  it('fixed-point sigmoid and tanh are near enough to the real ones to ask them only at ties', () => {
    for (let i = 0; i < 100000; i++) {
      const a = next.integer(-2147483647, 2147483647);
      const x = a / 2 ** 27;
      assert.ok(Math.abs(logisticQ4(a) / 2 ** 23 - 256 / (1 + Math.exp(-x))) < 1e-4, `logistic ${a}`);
      assert.ok(Math.abs(tanhQ4(a) / 2 ** 24 - 128 * Math.tanh(x)) < 1e-4, `tanh ${a}`);
    }
  });

  it('the table of 16-bit sigmoids is the one of TFLM', () => {
    const table = sigmoidTable();
    for (let i = 0; i < 255; i++)
      assert.ok(Math.abs(table[i] - 65536 / (1 + Math.exp(-i / 24))) < 1.2, `entry ${i}`);
    assert.equal(table[255], 65535);
    // of the numbers in tensorflow/lite/kernels/internal/common.h, low byte first
    assert.equal(crc32(new Uint8Array(table.buffer as ArrayBuffer), 0, 512, 0) >>> 0, 3092212404);
  });

  it('SOFTMAX INT8 as the fixed-point functions in BigInt', () => {
    for (let round = 0; round < 60; round++) {
      const a = quantized('INT8', 0.0005, 3);
      const beta = round % 3 ? 1 : scale(0.1, 4);
      const [rows, depth] = [next.integer(1, 3), next.integer(1, round % 5 ? 12 : 300)];
      const x = randomValues(next, 'INT8', [rows, depth], round % 2 ? 127 : 20);
      const wanted = (bits: number): number[] =>
        Array.from({ length: rows }, (_, r) =>
          softmaxRow(x.slice(r * depth, (r + 1) * depth), beta, a.scale!, bits),
        ).flat();
      const got = (type: string, y: Quantization): number[] =>
        run(unary('SOFTMAX', ['INT8', a], [type, y], x, { beta }, [rows, depth]))[0];
      close(got('INT8', { scale: 1 / 256, zeroPoint: -128 }), wanted(8), 0, 'SOFTMAX to INT8');
      close(got('INT16', { scale: 1 / 65536, zeroPoint: -32768 }), wanted(16), 0, 'SOFTMAX to INT16');
    }
  });

  it('SOFTMAX INT8 of a thousand equal numbers rounds each to nothing', () => {
    const x = new Array<number>(1000).fill(5);
    const y = { scale: 1 / 256, zeroPoint: -128 };
    assert.deepEqual(
      new Set(run(unary('SOFTMAX', ['INT8', { scale: 0.1 }], ['INT8', y], x, { beta: 1 }))[0]),
      new Set([-128]),
    );
  });

  it('softmaxes and norms follow the real functions', () => {
    for (let round = 0; round < 20; round++) {
      const [rows, depth] = [next.integer(1, 3), next.integer(1, 9)];
      const shape = [rows, depth];
      const x = randomValues(next, 'FLOAT32', shape);
      const each = (f: (row: number[]) => number[]): number[] =>
        Array.from({ length: rows }, (_, r) => f(x.slice(r * depth, (r + 1) * depth))).flat();
      const sum = (row: number[], f: (v: number) => number): number => row.reduce((s, v) => s + f(v), 0);
      const float = (op: string, options?: OneOperator['options']): number[] =>
        run(unary(op, ['FLOAT32'], ['FLOAT32'], x, options, shape))[0];
      const soft = each((row) => row.map((v) => Math.exp(v) / sum(row, Math.exp)));
      close(float('SOFTMAX', { beta: 1 }), soft, 1e-6, 'SOFTMAX');
      close(float('LOG_SOFTMAX'), soft.map(Math.log), 1e-5, 'LOG_SOFTMAX');
      const norm = each((row) => row.map((v) => v / Math.sqrt(sum(row, (u) => u * u))));
      close(float('L2_NORMALIZATION'), norm, 1e-6, 'L2_NORMALIZATION');
      // of what INT8 and INT16 store, to one or two steps of the output
      const stored8 = x.map((v) => clamp(Math.round(v / 0.05), -128, 127));
      const real8 = unary(
        'L2_NORMALIZATION',
        ['INT8', { scale: 0.05 }],
        ['INT8', { scale: 1 / 128 }],
        stored8,
        undefined,
        shape,
      );
      run(real8)[0].forEach((y, i) =>
        assert.ok(Math.abs(y / 128 - norm[i]) < 0.05 || Math.abs(x[i]) < 0.5, `norm ${i}`),
      );
      const log8 = run(
        unary(
          'LOG_SOFTMAX',
          ['INT8', { scale: 0.05 }],
          ['INT8', { scale: 1 / 16, zeroPoint: 127 }],
          stored8,
          undefined,
          shape,
        ),
      )[0];
      log8.forEach((y, i) =>
        assert.ok(Math.abs((y - 127) / 16 - Math.max(Math.log(soft[i]), -15.94)) < 0.13, `log ${i}`),
      );
      const stored16 = x.map((v) => Math.round(v / 0.0005));
      const soft16 = run(
        unary(
          'SOFTMAX',
          ['INT16', { scale: 0.0005 }],
          ['INT16', { scale: 1 / 32768 }],
          stored16,
          { beta: 1 },
          shape,
        ),
      )[0];
      soft16.forEach((y, i) =>
        assert.ok(Math.abs(y / 32768 - soft[i]) < 3e-4, `soft ${i}: ${y / 32768}, ${soft[i]}`),
      );
    }
  });

  it('RSQRT of integers: near the real function, the largest value for 0, an error below', () => {
    const [a, b] = [{ scale: 0.01 }, { scale: 0.001 }];
    const x = [1, 2, 3, 10, 100, 1000, 32767, 0];
    const got = run(unary('RSQRT', ['INT16', a], ['INT16', b], x))[0];
    x.slice(0, -1).forEach((v, i) => {
      assert.ok(Math.abs(got[i] - 1 / Math.sqrt(v * 0.01) / 0.001) <= 1.5, `${v}: ${got[i]}`);
    });
    assert.equal(got[x.length - 1], 32767);
    assert.throws(
      () => run(unary('RSQRT', ['INT8', { scale: 0.1, zeroPoint: 3 }], ['INT8', b], [2])),
      /operator 0 RSQRT.*negative/,
    );
  });
});

describe('conversions', function () {
  this.timeout(60000);
  const next = random(29);

  const PAIRS: [string, string][] = [
    ['INT8', 'INT8'],
    ['INT8', 'UINT8'],
    ['INT8', 'INT16'],
    ['INT8', 'INT32'],
    ['UINT8', 'INT8'],
    ['UINT8', 'UINT8'],
    ['INT16', 'INT8'],
    ['INT16', 'INT16'],
    ['INT16', 'INT32'],
    ['INT32', 'INT8'],
    ['INT32', 'INT16'],
  ];
  it('QUANTIZE between integers as TFLM in BigInt', () => {
    for (const [from, to] of PAIRS) {
      for (let round = 0; round < 12; round++) {
        const a = { scale: f32(next.uniform(0.001, 0.1)), zeroPoint: next.integer(0, 100) };
        const b = {
          scale: round ? f32(next.uniform(0.001, 0.1)) : a.scale,
          zeroPoint: round % 2 ? a.zeroPoint : next.integer(0, 100),
        };
        const x = randomValues(next, from, [200], from === 'INT32' ? 1 << next.integer(4, 24) : Infinity);
        const m = multiplierOf(a.scale / b.scale);
        const wanted = x.map((v) => clamp(scaled(v - a.zeroPoint, m) + b.zeroPoint, ...LIMITS[to]));
        close(run(unary('QUANTIZE', [from, a], [to, b], x))[0], wanted, 0, `${from} to ${to}`);
      }
    }
  });

  it('QUANTIZE of real numbers rounds halves away from zero and clamps; DEQUANTIZE undoes it', () => {
    for (const to of ['INT8', 'UINT8', 'INT16']) {
      const b = { scale: f32(0.1), zeroPoint: to === 'INT16' ? 0 : 5 };
      const x = [0, 0.05, -0.05, 0.15, -0.15, 0.25, 1e9, -1e9]
        .map(f32)
        .concat(randomValues(next, 'FLOAT32', [50]));
      const away = (v: number): number => Math.sign(v) * Math.floor(Math.abs(v) + 0.5);
      const wanted = x.map((v) => clamp(away(f32(v / b.scale)) + b.zeroPoint, ...LIMITS[to]));
      close(run(unary('QUANTIZE', ['FLOAT32'], [to, b], x))[0], wanted, 0, to);
      const back = run(unary('DEQUANTIZE', [to, b], ['FLOAT32'], wanted))[0];
      close(
        back,
        wanted.map((v) => f32(b.scale * (v - b.zeroPoint))),
        0,
        to,
      );
    }
  });

  it('DEQUANTIZE decodes every FLOAT16', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const got = run(unary('DEQUANTIZE', ['FLOAT16'], ['FLOAT32'], Array.from(bits)))[0];
    const word = new DataView(new ArrayBuffer(4));
    bits.forEach((half, i) => {
      const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
      // the same bits in a FLOAT32; subnormal ones are multiples of 2^-24
      word.setUint32(0, (exponent === 31 ? 255 : exponent + 112) * 2 ** 23 + fraction * 2 ** 13);
      const size = exponent ? word.getFloat32(0) : fraction * 2 ** -24;
      const wanted = half & 0x8000 ? -size : size;
      assert.ok(
        Object.is(got[i], wanted) || (got[i] !== got[i] && wanted !== wanted),
        `${half}: ${got[i]}, ${wanted}`,
      );
    });
  });

  /** y = DEQUANTIZE(constant) + x, of 64 elements. */
  function dequantizedConstant(): Uint8Array {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const x = main.input('x', 'FLOAT32', [64]);
    const half = main.constant(
      'half',
      'FLOAT16',
      [64],
      Uint16Array.from({ length: 64 }, (_, i) => 0x3c00 + 16 * i),
    );
    const int8 = main.constant('int8', 'INT8', [64], BYTES.slice(0, 64), { scale: 0.5, zeroPoint: 3 });
    const tensors = ['a', 'b', 'c', 'y'].map((name) => main.tensor(name, 'FLOAT32', [64]));
    main.op('DEQUANTIZE', [half], [tensors[0]]);
    main.op('DEQUANTIZE', [int8], [tensors[1]]);
    main.op('ADD', [x, tensors[0]], [tensors[2]]);
    main.op('ADD', [tensors[2], tensors[1]], [tensors[3]]);
    main.output(tensors[3]);
    return writeModel(builder.build());
  }
  const wantedSum = Array.from({ length: 64 }, (_, i) => 1 + i / 64 + 0.5 * (i - 128 - 3) + i);

  it('DEQUANTIZE of constants costs no step and no arena', () => {
    const model = load(dequantizedConstant());
    model.inputs[0].data.set(Array.from({ length: 64 }, (_, i) => i));
    model.invoke();
    close(Array.from(model.outputs[0].data, Number), wantedSum, 1e-6, 'sum');
    // x, and the sums in one place
    assert.ok(model.memory.arena <= 2 * 256, `${model.memory.arena} bytes of arena`);
    assert.equal(model.memory.tables, 2 * 256);
  });

  const CASTS = ['FLOAT32', 'INT8', 'INT16', 'INT32', 'UINT32', 'BOOL', 'UINT8', 'UINT16', 'INT64'];
  it('CAST between all types as C converts', () => {
    const signed = (type: string): boolean => type === 'FLOAT32' || type.startsWith('INT');
    for (const from of CASTS) {
      for (const to of CASTS) {
        const values =
          from === 'BOOL'
            ? [0, 1, 1, 0]
            : [0, 1, 5, 100, 127].concat(signed(from) && signed(to) ? [-1, -100, -128] : []);
        const x = from === 'FLOAT32' ? values.map((v) => f32(v + (v < 0 ? -0.75 : 0.75))) : values;
        const whole = x.map((v) => (to === 'BOOL' ? (v ? 1 : 0) : to === 'FLOAT32' ? v : Math.trunc(v)));
        close(run(unary('CAST', [from], [to], x))[0], whole, 0, `${from} to ${to}`);
      }
    }
  });

  it('CAST of INT64 keeps large numbers and drops what does not fit', () => {
    const large = [2 ** 40, -(2 ** 40), 2 ** 31, -(2 ** 33) - 5];
    close(run(unary('CAST', ['INT64'], ['FLOAT32'], large))[0], large.map(f32), 0, 'to FLOAT32');
    close(
      run(unary('CAST', ['INT64'], ['INT32'], large))[0],
      large.map((v) => v | 0),
      0,
      'to INT32',
    );
    close(run(unary('CAST', ['FLOAT32'], ['INT64'], large))[0], large.map(f32), 0, 'from FLOAT32');
    close(run(unary('CAST', ['INT64'], ['BOOL'], [2 ** 32, 0]))[0], [1, 0], 0, 'to BOOL');
  });

  if (tfliteMissing()) {
    it(`pending: ${tfliteMissing()}`);
    return;
  }

  it('DEQUANTIZE of constants as TensorFlow Lite', async () => {
    const tflite = await openTflite(dequantizedConstant());
    tflite.setInput(
      0,
      Array.from({ length: 64 }, (_, i) => i),
    );
    tflite.invoke();
    close(Array.from(tflite.output(0)), wantedSum, 1e-6, 'sum');
  });

  it('CAST as TensorFlow Lite, to BOOL and UINT8 too', async () => {
    const types = ['FLOAT32', 'INT8', 'UINT8', 'INT16', 'INT32', 'UINT32', 'BOOL'];
    for (const from of types) {
      for (const to of types) {
        // negative floats to unsigned integers are undefined in C
        const values =
          from === 'BOOL'
            ? [0, 1]
            : from.startsWith('U') || (from === 'FLOAT32' && to.startsWith('U'))
              ? [0, 3, 200]
              : [0, 3, -2, 100];
        await sameAsTflite(
          unary(
            'CAST',
            [from],
            [to],
            values.map((v) => (from === 'FLOAT32' ? v + 0.5 : v)),
          ),
        );
      }
    }
  });
});

describe('unary operators in TensorFlow Lite', function () {
  this.timeout(60000);
  const missing = tfliteMissing();
  if (missing) {
    it(`pending: ${missing}`);
    return;
  }
  const next = random(31);
  const floats = randomValues(next, 'FLOAT32', [200]).map((x) => f32(2 * x));
  const q = (type: string): Quantization => ({
    scale: f32(next.uniform(0.005, 0.1)),
    zeroPoint: next.integer(...LIMITS[type]),
  });

  for (const approximate of [false, true]) {
    it(`GELU, ${approximate ? 'approximate' : 'exact'}: FLOAT32, INT8, UINT8`, async () => {
      await sameAsTflite(unary('GELU', ['FLOAT32'], ['FLOAT32'], floats, { approximate }));
      for (let round = 0; round < 6; round++) {
        for (const [type, x] of [
          ['INT8', BYTES],
          ['UINT8', BYTES.map((v) => v + 128)],
        ] as [string, number[]][])
          await sameAsTflite(unary('GELU', [type, q(type)], [type, q(type)], x, { approximate }));
      }
    });
  }

  for (const op of ['RELU_N1_TO_1', 'RELU_0_TO_1']) {
    it(`${op}: FLOAT32, INT8, UINT8`, async () => {
      await sameAsTflite(unary(op, ['FLOAT32'], ['FLOAT32'], floats));
      for (let round = 0; round < 4; round++) {
        for (const [type, x] of [
          ['INT8', BYTES],
          ['UINT8', BYTES.map((v) => v + 128)],
        ] as [string, number[]][])
          await sameAsTflite(unary(op, [type, q(type)], [type, q(type)], x));
      }
    });
  }

  it('SIGN FLOAT32, NEG INT32, LOGICAL_NOT', async () => {
    await sameAsTflite(unary('SIGN', ['FLOAT32'], ['FLOAT32'], floats.concat(0, -0)));
    await sameAsTflite(unary('NEG', ['INT32'], ['INT32'], [0, 1, -5, 2147483647, -2147483648]));
    await sameAsTflite(unary('LOGICAL_NOT', ['BOOL'], ['BOOL'], [0, 1, 1, 0]));
  });

  it('HARD_SWISH: FLOAT32, INT8', async () => {
    await sameAsTflite(unary('HARD_SWISH', ['FLOAT32'], ['FLOAT32'], floats));
    for (let round = 0; round < 6; round++)
      await sameAsTflite(unary('HARD_SWISH', ['INT8', q('INT8')], ['INT8', q('INT8')], BYTES));
  });
});

describe('unary operators refuse', () => {
  const refused = (one: OneOperator, message: RegExp): void => {
    assert.throws(
      () => load(modelOf(one)),
      (error: Error) => {
        assert.match(error.message, /^subgraph 0, operator 0 /);
        assert.match(error.message, message);
        return true;
      },
    );
  };
  const i8 = { scale: 0.1, zeroPoint: 3 };
  const x = [1, 2, 3];

  it('types that their kernels do not take', () => {
    for (const op of ['COS', 'LOG', 'SQRT', 'ROUND', 'SQUARE'])
      refused(unary(op, ['INT32'], ['INT32'], x), /the input must be FLOAT32, but it is "in0" INT32 \[3\]/);
    refused(unary('RELU', ['FLOAT32'], ['INT8', i8], x), /the output must be FLOAT32/);
    refused(
      unary('SOFTMAX', ['INT16', { scale: 1 }], ['INT8', i8], x, { beta: 1 }),
      /the output must be INT16/,
    );
    refused(unary('QUANTIZE', ['FLOAT32'], ['INT32', i8], x), /INT8 or UINT8 or INT16/);
    refused(unary('QUANTIZE', ['UINT8', i8], ['INT16', i8], x), /INT8 or UINT8/);
    refused(unary('DEQUANTIZE', ['INT32', i8], ['FLOAT32'], x), /INT8 or UINT8 or INT16 or FLOAT16/);
    refused(unary('LOGICAL_NOT', ['INT8', i8], ['INT8', i8], x), /BOOL/);
  });

  it('shapes that differ', () => {
    const one = unary('ABS', ['FLOAT32'], ['FLOAT32'], x);
    one.outputs[0].shape = [4];
    refused(one, /the output must have shape \[3\], but it is "out0" FLOAT32 \[4\]/);
    refused(unary('SOFTMAX', ['FLOAT32'], ['FLOAT32'], [1], { beta: 1 }, []), /at least 1 dimension/);
    const prelu: OneOperator = {
      op: 'PRELU',
      inputs: [
        { type: 'FLOAT32', shape: [3], values: x },
        { type: 'FLOAT32', shape: [2], values: [1, 2] },
      ],
      outputs: [{ type: 'FLOAT32', shape: [3] }],
    };
    refused(prelu, /do not broadcast/);
  });

  it('integers without a scale, and scales that an operator does not have', () => {
    refused(unary('RELU', ['INT8'], ['INT8', i8], x), /the input must be quantized/);
    refused(
      unary('SOFTMAX', ['INT8', i8], ['INT8', i8], x, { beta: 1 }),
      /scale 0.00390625 and zero point -128/,
    );
    refused(unary('LOGISTIC', ['INT8', i8], ['INT8', i8], x), /zero point of the output must be -128/);
    refused(unary('TANH', ['INT16', { scale: 0.01 }], ['INT16', { scale: 0.01 }], x), /must be 2\^-15/);
    refused(
      unary('RELU', ['INT16', i8], ['INT16', { scale: 1 }], x),
      /zero point of "in0" INT16 \[3\] must be 0/,
    );
    refused(
      unary('HARD_SWISH', ['INT8', { scale: 1 }], ['INT8', { scale: 0.001 }], x),
      /less than 128 times/,
    );
    refused(
      unary('SOFTMAX', ['INT8', { scale: 1e-9 }], ['INT8', { scale: 1 / 256, zeroPoint: -128 }], x, {
        beta: 1,
      }),
      /2\^-26/,
    );
    refused(unary('LOG_SOFTMAX', ['INT8', i8], ['INT8', i8], x), /scale 0.0625 and zero point 127/);
    refused(unary('QUANTIZE', ['FLOAT32'], ['INT8', { scales: [1, 2, 3] }], x), /one scale/);
  });

  it('a fused activation', () => {
    refused(
      unary('L2_NORMALIZATION', ['FLOAT32'], ['FLOAT32'], x, { fused_activation_function: 1 }),
      /no fused activation/,
    );
  });
});
