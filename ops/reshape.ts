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
import { storageBytes } from '../lib/tensor';
import { axisWithin, constantInts, expectShape, input, output } from './checks';
import { expectSameMovable, misfit } from './strided_copy';

function moveAll(x: Tensor, y: Tensor, p: Preparation): void {
  expectSameMovable(x, y, p);
  if (x.length !== y.length) misfit('the same number of elements', [x, y], p);
  p.move(x, 0, y, 0, x.bytes);
}

function prepareReshape(node: Node, p: Preparation): void {
  const y = output(node, 0, p);
  p.options(RESHAPE_OPTIONS);
  if (node.inputs.length === 1 && y.shape.length === 1 && !y.shape[0]) {
    y.shape = [];
    y.length = 1;
    y.bytes = storageBytes(y.type, 1);
  }
  moveAll(input(node, 0, p), y, p);
}

function prepareSqueeze(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const axes = p.options(SQUEEZE_OPTIONS).squeeze_dims as number[];
  for (let i = 0; i < axes.length; i++) {
    const axis = axisWithin(axes[i], x.shape.length, p);
    if (x.shape[axis] !== 1) misfit('1 in dimension ' + axis, [x], p);
  }
  moveAll(x, output(node, 0, p), p);
}

function prepareExpandDims(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  p.options(EXPAND_DIMS_OPTIONS);
  const axis = axisWithin(constantInts(input(node, 1, p), 'the axis', p)[0], x.shape.length + 1, p);
  expectShape(y, x.shape.slice(0, axis).concat([1], x.shape.slice(axis)), 'the output', p);
  moveAll(x, y, p);
}

export const reshapeOperators: Operators = {
  RESHAPE: prepareReshape,
  SQUEEZE: prepareSqueeze,
  EXPAND_DIMS: prepareExpandDims,
};
