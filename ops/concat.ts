/**
 * CONCATENATION: tensors one after the other along an axis. PACK: along a new axis.
 *
 * Inputs: any number of tensors of one type; their shapes may differ along the axis (CONCATENATION) or must be the same
 * (PACK). Types: all whose elements are whole bytes; INT8 and UINT8 must share one scale and zero point, INT16 needs
 * zero point 0 but its scales are not looked at, as in TFLM; no fused activation. TFLM takes ten inputs at most.
 */
import { Node, Operators, Preparation } from '../lib/graph';
import { CONCATENATION_OPTIONS, PACK_OPTIONS } from '../lib/schema';
import { describe } from '../lib/tensor';
import { axisWithin, expectSameQuantization, expectShape, input, output } from './checks';
import { copyGrid, expectSameMovable, stridesOf } from './strided_copy';

function prepareConcatenation(node: Node, p: Preparation): void {
  const y = output(node, 0, p);
  const options = p.options(CONCATENATION_OPTIONS);
  const axis = axisWithin(options.axis as number, y.shape.length, p);
  if (options.fused_activation_function) {
    p.fail('it takes no fused activation, but it has number ' + options.fused_activation_function);
  }
  const strides = stridesOf(y.shape);
  let at = 0;
  for (let i = 0; i < node.inputs.length; i++) {
    const x = input(node, i, p);
    expectSameMovable(x, y, p);
    if (x.type === 'INT8' || x.type === 'UINT8') expectSameQuantization(x, y, p);
    if (x.type === 'INT16' && (x.zeroPoint || y.zeroPoint)) {
      p.fail(
        'INT16 needs zero point 0, but ' +
          describe(x.zeroPoint ? x : y) +
          ' has ' +
          (x.zeroPoint || y.zeroPoint),
      );
    }
    const shape = y.shape.slice();
    // a scalar has no axis
    shape[axis] = x.shape.length ? x.shape[axis] : -1;
    expectShape(x, shape, 'input ' + i, p);
    copyGrid(p, shape, x, 0, stridesOf(shape), y, at * strides[axis], strides);
    at += shape[axis];
    if (at > y.shape[axis]) break;
  }
  if (at !== y.shape[axis]) {
    p.fail(
      'the inputs have ' + at + ' or more elements along axis ' + axis + ', but the output is ' + describe(y),
    );
  }
}

function preparePack(node: Node, p: Preparation): void {
  const y = output(node, 0, p);
  const options = p.options(PACK_OPTIONS);
  const count = node.inputs.length;
  const axis = axisWithin(options.axis as number, y.shape.length, p);
  if (options.values_count !== count || y.shape[axis] !== count) {
    p.fail(
      'it packs ' +
        options.values_count +
        ' tensors along axis ' +
        axis +
        ', but it has ' +
        count +
        ' inputs and the output is ' +
        describe(y),
    );
  }
  const shape = y.shape.slice(0, axis).concat(y.shape.slice(axis + 1));
  const strides = stridesOf(y.shape);
  const outer = strides.slice(0, axis).concat(strides.slice(axis + 1));
  for (let i = 0; i < count; i++) {
    const x = input(node, i, p);
    expectSameMovable(x, y, p);
    expectShape(x, shape, 'input ' + i, p);
    copyGrid(p, shape, x, 0, stridesOf(shape), y, i * strides[axis], outer);
  }
}

export const concatOperators: Operators = { CONCATENATION: prepareConcatenation, PACK: preparePack };
