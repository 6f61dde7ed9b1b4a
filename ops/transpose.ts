/**
 * TRANSPOSE (x, permutation): dimension i of the output is dimension permutation[i] of x.
 * REVERSE_V2 (x, axes): x backwards along each of the axes.
 *
 * Permutation and axes are constant. Types: all whose elements are whole bytes. TFLM takes REVERSE_V2 along neighbouring
 * axes only; here any axes will do.
 */
import { Node, Operators, Preparation } from '../lib/graph';
import { axisWithin, constantInts, expectShape, input, output } from './checks';
import { copyGrid, expectSameMovable, stridesOf } from './strided_copy';

function prepareTranspose(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const permutation = constantInts(input(node, 1, p), 'the permutation', p);
  const rank = x.shape.length;
  const from = stridesOf(x.shape);
  const strides: number[] = [];
  const shape: number[] = [];
  expectSameMovable(x, y, p);
  for (let i = 0; i < rank; i++) {
    const axis = permutation[i];
    if (permutation.length !== rank || !(axis >= 0 && axis < rank) || permutation.indexOf(axis) < i) {
      p.fail('[' + permutation.join() + '] is not a permutation of ' + rank + ' dimensions');
    }
    shape.push(x.shape[axis]);
    strides.push(from[axis]);
  }
  expectShape(y, shape, 'the output', p);
  copyGrid(p, shape, x, 0, strides, y, 0, stridesOf(shape));
}

function prepareReverse(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const axes = constantInts(input(node, 1, p), 'the axes', p);
  const to = stridesOf(x.shape);
  const strides = to.slice();
  let start = 0;
  expectSameMovable(x, y, p);
  expectShape(y, x.shape, 'the output', p);
  for (let i = 0; i < axes.length; i++) {
    const axis = axisWithin(axes[i], x.shape.length, p);
    if (strides[axis] < 0) p.fail('axis ' + axis + ' stands twice in [' + axes.join() + ']');
    start += (x.shape[axis] - 1) * to[axis];
    strides[axis] = -to[axis];
  }
  copyGrid(p, x.shape, x, start, strides, y, 0, to);
}

export const transposeOperators: Operators = { TRANSPOSE: prepareTranspose, REVERSE_V2: prepareReverse };
