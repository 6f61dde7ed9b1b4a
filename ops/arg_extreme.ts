/**
 * ARG_MAX, ARG_MIN: the place of the largest or smallest element along one axis, the first of equals.
 *
 * Inputs: x of at least one dimension; the axis, constant INT32. Output: INT32, the shape of x without the axis.
 * Types: FLOAT32, INT8, UINT8, INT32. As TFLM: a NaN is chosen only if it comes first.
 */
import { Node, Operators, Preparation, TypedArray } from '../lib/graph';
import { describe, lengthOf } from '../lib/tensor';
import { rowOffset } from './broadcast';
import { axisWithin, constantInts, expectInputs, expectShape, expectType, input, output } from './checks';

/** Kernel: the place of the largest of sign · x among `count` elements, the first one of equals. */
export function argExtreme(
  x: TypedArray,
  y: Int32Array,
  n: number,
  kept: Int32Array,
  count: number,
  stride: number,
  sign: number,
): void {
  for (let k = 0; k < n; k++) {
    let at = rowOffset(k, kept, 2, 1);
    let most = sign * x[at];
    let place = 0;
    for (let i = 1; i < count; i++) {
      at += stride;
      if (sign * x[at] > most) {
        most = sign * x[at];
        place = i;
      }
    }
    y[k] = place;
  }
}

function prepareArg(node: Node, p: Preparation, sign: number): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const axes = constantInts(input(node, 1, p), 'the axis', p);
  expectInputs(node, 2, p);
  expectType(input(node, 1, p), 'INT32', 'the axis', p);
  expectType(x, 'FLOAT32 INT8 UINT8 INT32', 'the input', p);
  expectType(y, 'INT32', 'the output', p);
  if (axes.length !== 1) p.fail('it takes one axis, but there are ' + axes.length);
  const axis = axisWithin(axes[0], x.shape.length, p);
  const before = x.shape.slice(0, axis);
  const after = x.shape.slice(axis + 1);
  expectShape(y, before.concat(after), 'the output', p);
  const count = x.shape[axis];
  const inner = lengthOf(after);
  if (!count) p.fail('there is nothing to choose from in ' + describe(x));
  p.step(argExtreme, [
    x,
    y,
    y.length,
    new Int32Array([inner, 1, lengthOf(before), inner * count]),
    count,
    inner,
    sign,
  ]);
}

function prepareArgMax(node: Node, p: Preparation): void {
  prepareArg(node, p, 1);
}

function prepareArgMin(node: Node, p: Preparation): void {
  prepareArg(node, p, -1);
}

export const argOperators: Operators = { ARG_MAX: prepareArgMax, ARG_MIN: prepareArgMin };
