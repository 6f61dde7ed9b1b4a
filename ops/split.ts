/**
 * SPLIT: a tensor cut into equal parts along an axis. SPLIT_V: into parts of given sizes. UNPACK: into its slices.
 *
 * Inputs: SPLIT (axis, x), SPLIT_V (x, sizes, axis), UNPACK (x); axis and sizes constant. Outputs: the parts, in order.
 * Types: all whose elements are whole bytes. A size of −1 stands for what the others leave.
 */
import { Node, Operators, Preparation, Tensor } from '../lib/graph';
import { SPLIT_OPTIONS, SPLIT_V_OPTIONS, UNPACK_OPTIONS } from '../lib/schema';
import { describe } from '../lib/tensor';
import { axisWithin, constantInts, expectShape, input, output } from './checks';
import { copyGrid, expectSameMovable, stridesOf } from './strided_copy';

function axisOf(tensor: Tensor, x: Tensor, p: Preparation): number {
  const values = constantInts(tensor, 'the axis', p);
  if (values.length !== 1) p.fail('the axis must be one number, but it is ' + describe(tensor));
  return axisWithin(values[0], x.shape.length, p);
}

/** Cuts x into the outputs; `sizes` are their lengths along the axis. */
function cut(node: Node, x: Tensor, axis: number, sizes: number[], p: Preparation): void {
  const strides = stridesOf(x.shape);
  const count = node.outputs.length;
  let at = 0;
  if (sizes.length !== count) p.fail('it makes ' + sizes.length + ' parts, but it has ' + count + ' outputs');
  for (let i = 0; i < count; i++) at += sizes[i];
  if (at !== x.shape[axis])
    p.fail('the parts [' + sizes.join() + '] do not add up to axis ' + axis + ' of ' + describe(x));
  at = 0;
  for (let i = 0; i < count; i++) {
    const y = output(node, i, p);
    const shape = x.shape.slice();
    shape[axis] = sizes[i];
    expectSameMovable(x, y, p);
    expectShape(y, shape, 'output ' + i, p);
    copyGrid(p, shape, x, at * strides[axis], strides, y, 0, stridesOf(shape));
    at += sizes[i];
  }
}

function prepareSplit(node: Node, p: Preparation): void {
  const x = input(node, 1, p);
  const axis = axisOf(input(node, 0, p), x, p);
  const sizes: number[] = [];
  p.options(SPLIT_OPTIONS);
  const count = node.outputs.length;
  if (x.shape[axis] % count)
    p.fail('axis ' + axis + ' of ' + describe(x) + ' does not divide into ' + count + ' parts');
  for (let i = 0; i < count; i++) sizes.push(x.shape[axis] / count);
  cut(node, x, axis, sizes, p);
}

function prepareSplitV(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const sizes = constantInts(input(node, 1, p), 'the sizes', p);
  const axis = axisOf(input(node, 2, p), x, p);
  let rest = x.shape[axis];
  p.options(SPLIT_V_OPTIONS);
  for (let i = 0; i < sizes.length; i++) if (sizes[i] !== -1) rest -= sizes[i];
  const open = sizes.indexOf(-1);
  if (open >= 0) sizes[open] = rest;
  cut(node, x, axis, sizes, p);
}

function prepareUnpack(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const options = p.options(UNPACK_OPTIONS);
  const count = node.outputs.length;
  const axis = axisWithin(options.axis as number, x.shape.length, p);
  if (options.num !== count || x.shape[axis] !== count) {
    p.fail(
      'it unpacks ' +
        options.num +
        ' slices along axis ' +
        axis +
        ' of ' +
        describe(x) +
        ', but it has ' +
        count +
        ' outputs',
    );
  }
  const shape = x.shape.slice(0, axis).concat(x.shape.slice(axis + 1));
  const strides = stridesOf(x.shape);
  const outer = strides.slice(0, axis).concat(strides.slice(axis + 1));
  for (let i = 0; i < count; i++) {
    const y = output(node, i, p);
    expectSameMovable(x, y, p);
    expectShape(y, shape, 'output ' + i, p);
    copyGrid(p, shape, x, i * strides[axis], outer, y, 0, stridesOf(shape));
  }
}

export const splitOperators: Operators = {
  SPLIT: prepareSplit,
  SPLIT_V: prepareSplitV,
  UNPACK: prepareUnpack,
};
