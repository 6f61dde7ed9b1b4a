/**
 * RESHAPE, SQUEEZE, EXPAND_DIMS: the same elements under another shape.
 *
 * Inputs: x; RESHAPE also the new shape, which may be absent; EXPAND_DIMS also the axis, constant. Output: the type and
 * the number of elements of x, its shape static in the model. Types: all whose elements are whole bytes.
 * As TFLM: the output tensor's own shape counts (of RESHAPE and SQUEEZE only its number of elements), the shape operand of
 * RESHAPE is not looked at; a RESHAPE of one operand with the output shape [0] makes a scalar.
 */
import { Node, Operators, Preparation, Tensor } from '../lib/graph';
import { EXPAND_DIMS_OPTIONS, RESHAPE_OPTIONS, SQUEEZE_OPTIONS } from '../lib/schema';
import { describe, storageBytes } from '../lib/tensor';
import { axisWithin, constantInts, expectShape, input, output } from './checks';
import { expectSameMovable } from './strided_copy';

function move(x: Tensor, y: Tensor, p: Preparation): void {
  expectSameMovable(x, y, p);
  if (x.length !== y.length)
    p.fail(describe(x) + ' and ' + describe(y) + ' must have the same number of elements');
  p.move(x, 0, y, 0, x.bytes);
}

function prepareReshape(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  p.options(RESHAPE_OPTIONS);
  if (node.inputs.length === 1 && y.shape.length === 1 && !y.shape[0]) {
    y.shape = [];
    y.length = 1;
    y.bytes = storageBytes(y.type, 1);
  }
  move(x, y, p);
}

function prepareSqueeze(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const axes = p.options(SQUEEZE_OPTIONS).squeeze_dims as number[];
  for (let i = 0; i < axes.length; i++) {
    const axis = axisWithin(axes[i], x.shape.length, p);
    if (x.shape[axis] !== 1) p.fail('dimension ' + axis + ' of ' + describe(x) + ' must be 1 to be dropped');
  }
  move(x, output(node, 0, p), p);
}

function prepareExpandDims(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const axes = constantInts(input(node, 1, p), 'the axis', p);
  p.options(EXPAND_DIMS_OPTIONS);
  if (axes.length !== 1) p.fail('the axis must be one number, but there are ' + axes.length);
  const axis = axisWithin(axes[0], x.shape.length + 1, p);
  const shape = x.shape.slice(0, axis).concat([1], x.shape.slice(axis));
  expectShape(y, shape, 'the output', p);
  move(x, y, p);
}

export const reshapeOperators: Operators = {
  RESHAPE: prepareReshape,
  SQUEEZE: prepareSqueeze,
  EXPAND_DIMS: prepareExpandDims,
};
