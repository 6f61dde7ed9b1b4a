/**
 * SOFTMAX: exp(beta · x) / Σ exp(beta · x) along the last dimension. LOG_SOFTMAX: its logarithm, with beta 1.
 *
 * Input: at least 1 dimension; output: the same shape. Types: FLOAT32; INT8; SOFTMAX also INT8 → INT16 and INT16.
 * As TFLM, the output's scale and zero point are given: INT8 1/256 and −128; INT16 of INT8 1/65536 and −32768; INT16 of
 * INT16 1/32768 and 0 (zero point 0 for the input as well); INT8 LOG_SOFTMAX 16/256 and 127. TFLM stops on an assertion when
 * an INT8 softmax has exponentials that add up to 512 or more; here they round to 0 as they should.
 */
import {
  clz,
  mbqm,
  QuantizedMultiplier,
  quantizeMultiplier,
  rdpot,
  srdhm,
  powerOf2,
} from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation, Tensor, TypedArray } from '../lib/graph';
import { SOFTMAX_OPTIONS } from '../lib/schema';
import { describe } from '../lib/tensor';
import { expectQuantized, expectType } from './checks';
import { expOnNegative, logQ12, oneOverOnePlus } from './gemmlowp';
import { Unary, unaryOperands } from './lookup';

// All kernels but softmaxInt8 to INT16: x and y may be the same array.

/** Kernel: `n` numbers in rows of `depth`. */
export function softmaxFloat32(
  x: Float32Array,
  y: Float32Array,
  n: number,
  depth: number,
  beta: number,
): void {
  for (let at = 0; at < n; at += depth) {
    const end = at + depth;
    let max = -3.4028234663852886e38;
    let sum = 0;
    for (let i = at; i < end; i++) if (x[i] > max) max = x[i];
    for (let i = at; i < end; i++) {
      y[i] = Math.exp((x[i] - max) * beta);
      sum += y[i];
    }
    for (let i = at; i < end; i++) y[i] /= sum;
  }
}

/** Kernel: `n` numbers in rows of `depth`. */
export function logSoftmaxFloat32(x: Float32Array, y: Float32Array, n: number, depth: number): void {
  for (let at = 0; at < n; at += depth) {
    const end = at + depth;
    let max = -3.4028234663852886e38;
    let sum = 0;
    for (let i = at; i < end; i++) if (x[i] > max) max = x[i];
    for (let i = at; i < end; i++) sum += Math.exp(x[i] - max);
    sum = Math.log(sum);
    for (let i = at; i < end; i++) y[i] = x[i] - max - sum;
  }
}

/**
 * Kernel: INT8 in rows of `depth`; exps[d] is exp of a number that is d below the row's largest, in Q0, for d below
 * `reach`, and 0 from there on. The output has `bits` bits.
 */
export function softmaxInt8(
  x: Int8Array,
  y: TypedArray,
  exps: Int32Array,
  n: number,
  depth: number,
  reach: number,
  bits: number,
): void {
  const min = bits > 8 ? -32768 : -128;
  for (let at = 0; at < n; at += depth) {
    const end = at + depth;
    let max = -128;
    let sum = 0;
    for (let i = at; i < end; i++) if (x[i] > max) max = x[i];
    // in Q12; the exponentials are at most 2³¹ − 1
    for (let i = at; i < end; i++) if (max - x[i] < reach) sum += (exps[max - x[i]] + 2048) >>> 12;
    const headroom = sum > 2147483647 ? 0 : clz(sum);
    const exponent = 43 - headroom - bits;
    const scale = exponent > 31 ? 0 : oneOverOnePlus((sum << headroom) + 2147483648);
    for (let i = at; i < end; i++) {
      const d = max - x[i];
      const v = d < reach ? rdpot(srdhm(scale, exps[d]), exponent) + min : min;
      y[i] = v < -1 - min ? v : -1 - min;
    }
  }
}

/** Kernel: INT8 in rows of `depth`; exps as in softmaxInt8. */
export function logSoftmaxInt8(
  x: Int8Array,
  y: Int8Array,
  exps: Int32Array,
  n: number,
  depth: number,
  reach: number,
  multiplier: number,
  shift: number,
  backMultiplier: number,
  backShift: number,
  radius: number,
): void {
  for (let at = 0; at < n; at += depth) {
    const end = at + depth;
    let max = -128;
    let sum = 0;
    for (let i = at; i < end; i++) if (x[i] > max) max = x[i];
    for (let i = at; i < end; i++) if (max - x[i] < reach) sum += (exps[max - x[i]] + 2048) >>> 12;
    const log = logQ12(sum);
    const least = Math.max(-radius, mbqm(log - 2147483648, backMultiplier, backShift));
    for (let i = at; i < end; i++) {
      const v = x[i] - max > least ? rdpot(mbqm(x[i] - max, multiplier, shift) - log, 22) + 127 : -128;
      y[i] = v < -128 ? -128 : v > 127 ? 127 : v;
    }
  }
}

/** What differences of INT8 numbers are multiplied by to be in Q5. */
function differenceScale(x: Tensor, beta: number, p: Preparation): QuantizedMultiplier {
  const d = beta * x.scale * 67108864;
  expectQuantized(x, 'the input', p);
  if (!(d > 1)) {
    p.fail(
      'beta times the scale of the input must be more than 2^-26, but beta is ' +
        beta +
        ' and the scale ' +
        x.scale,
    );
  }
  return quantizeMultiplier(Math.min(d, 2147483647));
}

/** From how large a difference on an exponential counts nothing. */
function radiusOf(q: QuantizedMultiplier): number {
  return Math.floor(2080374784 / powerOf2(q.shift)) + 1;
}

/** exp(−d) in Q0 for each difference d, as long as it is 2^−20 or more: less adds nothing to sums nor shows in outputs. */
function expTable(q: QuantizedMultiplier): Int32Array {
  const reach = Math.min(radiusOf(q), 256);
  const table: number[] = [];
  for (let d = 0, exp = 2048; d < reach && exp > 2047; d++) {
    exp = expOnNegative(mbqm(-d, q.multiplier, q.shift), 5);
    table.push(exp);
  }
  return new Int32Array(table);
}

/** Fails unless an output's scale is this one (to a relative tolerance) and its zero point this one. */
export function expectOutput(
  y: Tensor,
  scale: number,
  tolerance: number,
  zeroPoint: number,
  p: Preparation,
): void {
  if (Math.abs(y.scale - scale) > tolerance * scale || y.zeroPoint !== zeroPoint) {
    p.fail(
      'the output must have scale ' +
        scale +
        ' and zero point ' +
        zeroPoint +
        ', but ' +
        describe(y) +
        ' has ' +
        y.scale +
        ' and ' +
        y.zeroPoint,
    );
  }
}

/** Checks operands of rows; returns the length of a row. */
function rowLength(o: Unary, p: Preparation): number {
  const rank = o.x.shape.length;
  if (!rank) p.fail('the input must have at least 1 dimension, but it is ' + describe(o.x));
  if (o.x.type === o.y.type) p.inPlace(o.x, o.y);
  return o.x.shape[rank - 1];
}

/** A softmax, as far as its types do not matter. */
export interface Softmax {
  x: Tensor;
  y: Tensor;
  /** Length of a row. */
  depth: number;
  beta: number;
}

/** Emits a softmax if its input is of a type that it takes, or returns false. */
export type SoftmaxType = (s: Softmax, p: Preparation) => boolean;

function int8Softmax(s: Softmax, p: Preparation): void {
  const bits = s.y.type === 'INT8' ? 8 : 16;
  expectType(s.y, 'INT8 INT16', 'the output', p);
  expectOutput(s.y, powerOf2(-bits), bits > 8 ? 0.001 : 0, bits > 8 ? -32768 : -128, p);
  const exps = expTable(differenceScale(s.x, s.beta, p));
  p.step(softmaxInt8, [s.x, s.y, exps, s.x.length, s.depth, exps.length, bits]);
}

/** SOFTMAX of FLOAT32, INT8 and `otherTypes`. */
export function softmaxOperators(otherTypes: SoftmaxType[]): Operators {
  return {
    SOFTMAX: function (node: Node, p: Preparation): void {
      const o = unaryOperands(node, p);
      const x = o.x;
      const beta = p.options(SOFTMAX_OPTIONS).beta as number;
      const s: Softmax = { x: x, y: o.y, depth: rowLength(o, p), beta: beta };
      for (let i = 0; i < otherTypes.length; i++) if (otherTypes[i](s, p)) return;
      expectType(x, 'FLOAT32 INT8', 'the input', p);
      if (x.type === 'INT8') int8Softmax(s, p);
      else {
        expectType(o.y, 'FLOAT32', 'the output', p);
        p.step(softmaxFloat32, [x, o.y, x.length, s.depth, beta]);
      }
    },
  };
}

function prepareLogSoftmax(node: Node, p: Preparation): void {
  const o = unaryOperands(node, p);
  const n = o.x.length;
  const depth = rowLength(o, p);
  expectType(o.x, 'FLOAT32 INT8', 'the input', p);
  expectType(o.y, o.x.type, 'the output', p);
  if (o.x.type === 'FLOAT32') {
    p.step(logSoftmaxFloat32, [o.x, o.y, n, depth]);
    return;
  }
  expectOutput(o.y, 1 / 16, 0, 127, p);
  const q = differenceScale(o.x, 1, p);
  const back = quantizeMultiplier(powerOf2(31 - q.shift) / q.multiplier);
  const exps = expTable(q);
  const args: Argument[] = [o.x, o.y, exps, n, depth, exps.length];
  p.step(logSoftmaxInt8, args.concat([q.multiplier, q.shift, back.multiplier, back.shift, radiusOf(q)]));
}

export const logSoftmaxOperators: Operators = { LOG_SOFTMAX: prepareLogSoftmax };
