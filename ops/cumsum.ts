/**
 * CUMSUM: running sums along an axis; `exclusive` leaves out the element itself, `reverse` starts at the end.
 *
 * Inputs: x of at least one dimension; the axis, constant INT32. Output: the shape of x.
 * Types: FLOAT32, INT8 (requantized), INT32 (wraps around).
 * As TFLM: an INT8 sum starts at −zero point instead of 0.
 */
import { mbqm, quantizeMultiplier } from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation } from '../lib/graph';
import { CUMSUM_OPTIONS } from '../lib/schema';
import { lengthOf } from '../lib/tensor';
import {
  axisWithin,
  constantInts,
  expectInputs,
  expectQuantized,
  expectShape,
  expectType,
  input,
  output,
} from './checks';

/** Kernel: sums along `lines` lines; line l starts at element (l / inner) · depth · inner + l mod inner, plus `first`. */
export function cumsum(
  x: Float32Array | Int32Array,
  y: Float32Array | Int32Array,
  lines: number,
  depth: number,
  inner: number,
  first: number,
  step: number,
  exclusive: number,
): void {
  for (let line = 0; line < lines; line++) {
    let at = Math.floor(line / inner) * inner * depth + (line % inner) + first;
    let sum = 0;
    for (let i = 0; i < depth; i++, at += step) {
      const before = sum;
      sum += x[at];
      y[at] = exclusive ? before : sum;
    }
  }
}

/** Kernel: the same for INT8. */
export function cumsumInt8(
  x: Int8Array,
  y: Int8Array,
  lines: number,
  depth: number,
  inner: number,
  first: number,
  step: number,
  exclusive: number,
  zero: number,
  multiplier: number,
  shift: number,
  zeroPoint: number,
): void {
  for (let line = 0; line < lines; line++) {
    let at = Math.floor(line / inner) * inner * depth + (line % inner) + first;
    let sum = -zero;
    for (let i = 0; i < depth; i++, at += step) {
      const before = sum;
      sum += x[at] - zero;
      const v = mbqm((exclusive ? before : sum) << 19, multiplier, shift) + zeroPoint;
      y[at] = v < -128 ? -128 : v > 127 ? 127 : v;
    }
  }
}

function prepareCumsum(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const options = p.options(CUMSUM_OPTIONS);
  const axes = constantInts(input(node, 1, p), 'the axis', p);
  expectInputs(node, 2, p);
  expectType(input(node, 1, p), 'INT32', 'the axis', p);
  expectType(x, 'FLOAT32 INT8 INT32', 'the input', p);
  expectType(y, x.type, 'the output', p);
  expectShape(y, x.shape, 'the output', p);
  if (axes.length !== 1) p.fail('it takes one axis, but there are ' + axes.length);
  const axis = axisWithin(axes[0], x.shape.length, p);
  const inner = lengthOf(x.shape.slice(axis + 1));
  const depth = x.shape[axis];
  const reverse = options.reverse as boolean;
  const args: Argument[] = [
    x,
    y,
    lengthOf(x.shape.slice(0, axis)) * inner,
    depth,
    inner,
    reverse ? (depth - 1) * inner : 0,
    reverse ? -inner : inner,
    options.exclusive ? 1 : 0,
  ];
  p.inPlace(x, y);
  if (x.type !== 'INT8') {
    p.step(cumsum, args);
    return;
  }
  expectQuantized(x, 'the input', p);
  expectQuantized(y, 'the output', p);
  const q = quantizeMultiplier((2 * x.scale) / (1048576 * y.scale));
  p.step(cumsumInt8, args.concat([x.zeroPoint, q.multiplier, q.shift, y.zeroPoint]));
}

export const cumsumOperators: Operators = { CUMSUM: prepareCumsum };
