/**
 * TRANSPOSE (x, permutation): dimension i of the output is dimension permutation[i] of x.
 * REVERSE_V2 (x, axes): x backwards along each of the axes.
 *
 * Permutation and axes are constant. Types: all whose elements are whole bytes. TFLM takes REVERSE_V2 along neighbouring
 * axes only; here any axes will do.
 */
import { Node, Operators, Preparation } from '../lib/graph';
import { axisWithin, constantInts, expectShape, input } from './checks';
import { copyGrid, misfit, operandsOf } from './strided_copy';

function prepareTranspose(node: Node, p: Preparation): void {
  const o = operandsOf(node, 0, p);
  const permutation = constantInts(input(node, 1, p), 'the permutation', p);
  const strides: number[] = [];
  const shape: number[] = [];
  for (let i = 0; i < o.rank; i++) {
    const axis = permutation[i];
    if (permutation.length !== o.rank || !(axis >= 0 && axis < o.rank) || permutation.indexOf(axis) < i) {
      misfit('a permutation, not [' + permutation.join() + ']', [o.x], p);
    }
    shape.push(o.x.shape[axis]);
    strides.push(o.xs[axis]);
  }
  expectShape(o.y, shape, 'the output', p);
  copyGrid(p, shape, o.x, 0, strides, o.y, 0, o.ys);
}

function prepareReverse(node: Node, p: Preparation): void {
  const o = operandsOf(node, 0, p);
  const axes = constantInts(input(node, 1, p), 'the axes', p);
  const strides = o.xs.slice();
  let start = 0;
  expectShape(o.y, o.x.shape, 'the output', p);
  for (let i = 0; i < axes.length; i++) {
    const axis = axisWithin(axes[i], o.rank, p);
    if (strides[axis] < 0) p.fail('expected each axis once, but got [' + axes.join() + ']');
    start += (o.x.shape[axis] - 1) * o.xs[axis];
    strides[axis] = -o.xs[axis];
  }
  copyGrid(p, o.x.shape, o.x, start, strides, o.y, 0, o.ys);
}

export const transposeOperators: Operators = { TRANSPOSE: prepareTranspose };

export const reverseOperators: Operators = { REVERSE_V2: prepareReverse };
