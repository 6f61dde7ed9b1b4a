/**
 * L2_NORMALIZATION: x / √(Σ x²) along the last dimension.
 *
 * Input: at least 1 dimension; output: the same shape. Types: FLOAT32, INT8. No fused activation.
 * As TFLM: float norms count at least 10⁻⁶; INT8 ignores the output's parameters and takes them for 1/128 and 0.
 */
import { mbqm } from '../lib/fixedpoint';
import { Node, Operators, Preparation } from '../lib/graph';
import { L2_NORM_OPTIONS } from '../lib/schema';
import { describe } from '../lib/tensor';
import { expectQuantized, expectType } from './checks';
import { inverseSqrt } from './gemmlowp';
import { unaryOperands } from './lookup';

/** Kernel: `n` numbers in rows of `depth`. x and y may be the same array. */
export function l2NormalizationFloat32(x: Float32Array, y: Float32Array, n: number, depth: number): void {
  for (let at = 0; at < n; at += depth) {
    const end = at + depth;
    let sum = 0;
    for (let i = at; i < end; i++) sum += x[i] * x[i];
    const norm = Math.sqrt(sum);
    for (let i = at; i < end; i++) y[i] = x[i] / (norm < 0.000001 ? 0.000001 : norm);
  }
}

/** Kernel: INT8. */
export function l2NormalizationInt8(
  x: Int8Array,
  y: Int8Array,
  n: number,
  depth: number,
  zero: number,
): void {
  for (let at = 0; at < n; at += depth) {
    const end = at + depth;
    let sum = 0;
    for (let i = at; i < end; i++) sum += (x[i] - zero) * (x[i] - zero);
    const root = inverseSqrt(sum);
    const multiplier = Math.floor(root / 32);
    const shift = 7 - (root & 31);
    for (let i = at; i < end; i++) {
      const v = mbqm(x[i] - zero, multiplier, shift);
      y[i] = v < -128 ? -128 : v > 127 ? 127 : v;
    }
  }
}

function prepareL2Normalization(node: Node, p: Preparation): void {
  const o = unaryOperands(node, p);
  const activation = p.options(L2_NORM_OPTIONS).fused_activation_function;
  const rank = o.x.shape.length;
  expectType(o.x, 'FLOAT32 INT8', 'the input', p);
  expectType(o.y, o.x.type, 'the output', p);
  if (!rank) p.fail('the input must have at least 1 dimension, but it is ' + describe(o.x));
  if (activation) p.fail('it takes no fused activation, but has number ' + activation);
  const depth = o.x.shape[rank - 1];
  p.inPlace(o.x, o.y);
  if (o.x.type === 'FLOAT32') p.step(l2NormalizationFloat32, [o.x, o.y, o.x.length, depth]);
  else {
    expectQuantized(o.x, 'the input', p);
    p.step(l2NormalizationInt8, [o.x, o.y, o.x.length, depth, o.x.zeroPoint]);
  }
}

export const l2NormOperators: Operators = { L2_NORMALIZATION: prepareL2Normalization };
