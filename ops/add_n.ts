/**
 * ADD_N: the sum of one or more inputs of the same shape.
 *
 * Types: FLOAT32; INT8, where all inputs have the same scale and zero point. As TFLM: the INT8 sum is requantized once, and starts
 * at −zero point instead of 0. FLOAT32 sums may become infinite.
 */
import { mbqm, quantizeMultiplier, typeRange } from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation, Tensor } from '../lib/graph';
import { add } from './arithmetic';
import { broadcastWalk } from './broadcast';
import { expectQuantized, expectSameQuantization, expectShape, expectType, input, output } from './checks';

/** Kernel: sum = x + before · sum; `before` is 0 for the first input. */
export function accumulateInt8(x: Int8Array, sum: Int32Array, n: number, before: number): void {
  for (let i = 0; i < n; i++) sum[i] = x[i] + before * sum[i];
}

/** Kernel: requantizes sums; `offset` is what they hold of zero points. */
export function requantizeSum(
  sum: Int32Array,
  y: Int8Array,
  n: number,
  offset: number,
  multiplier: number,
  shift: number,
  zeroPoint: number,
  min: number,
  max: number,
): void {
  for (let i = 0; i < n; i++) {
    const v = mbqm((sum[i] - offset) << 19, multiplier, shift) + zeroPoint;
    y[i] = v < min ? min : v > max ? max : v;
  }
}

function prepareAddN(node: Node, p: Preparation): void {
  const first = input(node, 0, p);
  const y = output(node, 0, p);
  const count = node.inputs.length;
  const inputs: Tensor[] = [];
  expectType(first, 'FLOAT32 INT8', 'input 0', p);
  expectType(y, first.type, 'the output', p);
  expectShape(y, first.shape, 'the output', p);
  for (let i = 0; i < count; i++) {
    const x = input(node, i, p);
    expectType(x, first.type, 'input ' + i, p);
    expectShape(x, first.shape, 'input ' + i, p);
    expectSameQuantization(first, x, p);
    inputs.push(x);
  }
  if (first.type === 'FLOAT32') {
    if (count < 2) {
      p.move(first, 0, y, 0, y.bytes);
      return;
    }
    const walk = broadcastWalk([y.shape, y.shape], y.shape) as Argument[];
    for (let i = 1; i < count; i++) {
      const args: Argument[] = [i < 2 ? first : y, inputs[i], y];
      p.step(add, args.concat(walk, [1, -Infinity, Infinity]));
    }
    return;
  }
  expectQuantized(first, 'input 0', p);
  expectQuantized(y, 'the output', p);
  const sum = p.scratch('INT32', y.length);
  for (let i = 0; i < count; i++) p.step(accumulateInt8, [inputs[i], sum, y.length, i ? 1 : 0]);
  const q = quantizeMultiplier((2 * first.scale) / (1048576 * y.scale));
  const range = typeRange(y.type);
  p.step(requantizeSum, [
    sum,
    y,
    y.length,
    (count + 1) * first.zeroPoint,
    q.multiplier,
    q.shift,
    y.zeroPoint,
    range.min,
    range.max,
  ]);
}

export const addNOperators: Operators = { ADD_N: prepareAddN };
