/**
 * SPLIT: a tensor cut into equal parts along an axis. SPLIT_V: into parts of given sizes. UNPACK: into its slices.
 *
 * Inputs: SPLIT (axis, x), SPLIT_V (x, sizes, axis), UNPACK (x); the axis is constant. Outputs: the parts, in order, which
 * must make up x. Types: all whose elements are whole bytes. As TFLM: the outputs' own shapes count, the sizes are not
 * looked at.
 */
import { Node, Operators, Preparation } from '../lib/graph';
import { SPLIT_OPTIONS, SPLIT_V_OPTIONS, UNPACK_OPTIONS } from '../lib/schema';
import { axisWithin, constantInts, expectShape, input } from './checks';
import { copyParts } from './concat';

function cut(node: Node, index: number, axisIndex: number, p: Preparation): void {
  const x = input(node, index, p);
  const axis = constantInts(input(node, axisIndex, p), 'the axis', p)[0];
  copyParts(x, axisWithin(axis, x.shape.length, p), node.outputs, false, false, p);
}

function prepareSplit(node: Node, p: Preparation): void {
  p.options(SPLIT_OPTIONS);
  for (let i = 1; i < node.outputs.length; i++)
    expectShape(node.outputs[i], node.outputs[0].shape, 'each part', p);
  cut(node, 1, 0, p);
}

function prepareSplitV(node: Node, p: Preparation): void {
  p.options(SPLIT_V_OPTIONS);
  cut(node, 0, 2, p);
}

function prepareUnpack(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const axis = axisWithin(p.options(UNPACK_OPTIONS).axis as number, x.shape.length, p);
  copyParts(x, axis, node.outputs, false, true, p);
}

export const splitOperators: Operators = {
  SPLIT: prepareSplit,
  SPLIT_V: prepareSplitV,
  UNPACK: prepareUnpack,
};
