/**
 * CONCATENATION: tensors one after the other along an axis. PACK: along a new axis.
 *
 * Inputs: any number of tensors of one type; their shapes may differ along the axis (CONCATENATION) or must be the same
 * (PACK). Types: all whose elements are whole bytes; INT8 and UINT8 must share one scale and zero point, INT16 needs
 * zero point 0 but its scales are not looked at, as in TFLM; no fused activation. TFLM takes ten inputs at most.
 */
import { Node, Operators, Preparation, Tensor } from '../lib/graph';
import { CONCATENATION_OPTIONS, PACK_OPTIONS } from '../lib/schema';
import { axisWithin, expectSameQuantization, expectShape, input, output } from './checks';
import { copyGrid, expectSameMovable, misfit, stridesOf } from './strided_copy';

/**
 * Copies between a tensor and all its parts along an axis, in order.
 * @param join the parts make the whole, not the whole the parts
 * @param flat each part is one slice, without the axis
 */
export function copyParts(
  whole: Tensor,
  axis: number,
  parts: Tensor[],
  join: boolean,
  flat: boolean,
  p: Preparation,
): void {
  const strides = stridesOf(whole.shape);
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    const grid = whole.shape.slice();
    expectSameMovable(part, whole, p);
    // a scalar has no axis
    grid[axis] = flat ? 1 : part.shape[axis] || 0;
    expectShape(part, flat ? grid.slice(0, axis).concat(grid.slice(axis + 1)) : grid, 'part ' + i, p);
    if (join) copyGrid(p, grid, part, 0, stridesOf(grid), whole, at * strides[axis], strides);
    else copyGrid(p, grid, whole, at * strides[axis], strides, part, 0, stridesOf(grid));
    at += grid[axis];
  }
  if (at !== whole.shape[axis]) misfit(at + ' in dimension ' + axis + ', as the parts have', [whole], p);
}

function inputsOf(node: Node, p: Preparation): Tensor[] {
  const tensors: Tensor[] = [];
  for (let i = 0; i < node.inputs.length; i++) tensors.push(input(node, i, p));
  return tensors;
}

function prepareConcatenation(node: Node, p: Preparation): void {
  const y = output(node, 0, p);
  const xs = inputsOf(node, p);
  const options = p.options(CONCATENATION_OPTIONS);
  if (options.fused_activation_function)
    p.fail('expected no fused activation, but got ' + options.fused_activation_function);
  copyParts(y, axisWithin(options.axis as number, y.shape.length, p), xs, true, false, p);
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i];
    if (x.type === 'INT8' || x.type === 'UINT8') expectSameQuantization(x, y, p);
    if (x.type === 'INT16' && (x.zeroPoint || y.zeroPoint)) misfit('zero point 0', [x, y], p);
  }
}

function preparePack(node: Node, p: Preparation): void {
  const y = output(node, 0, p);
  copyParts(
    y,
    axisWithin(p.options(PACK_OPTIONS).axis as number, y.shape.length, p),
    inputsOf(node, p),
    true,
    true,
    p,
  );
}

export const concatOperators: Operators = { CONCATENATION: prepareConcatenation, PACK: preparePack };
