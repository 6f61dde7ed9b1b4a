/** Checks that operators share at prepare; each failure names what was expected and what came. */
import { Node, Preparation, Tensor, TypedArray } from '../lib/graph';
import { describe, sameShape } from '../lib/tensor';

/** Input number `index`, which must be there. */
export function input(node: Node, index: number, p: Preparation): Tensor {
  const tensor = node.inputs[index];
  if (!tensor) p.fail('input ' + index + ' is missing');
  return tensor as Tensor;
}

/** Output number `index`, which must be there. */
export function output(node: Node, index: number, p: Preparation): Tensor {
  const tensor = node.outputs[index];
  if (!tensor) p.fail('output ' + index + ' is missing');
  return tensor;
}

/** An optional input: null when absent. */
export function optional(node: Node, index: number): Tensor | null {
  return node.inputs[index] || null;
}

/** Fails unless the operator has `count` inputs. */
export function expectInputs(node: Node, count: number, p: Preparation): void {
  if (node.inputs.length !== count)
    p.fail('it must have ' + count + ' inputs, but it has ' + node.inputs.length);
}

/** Fails unless the tensor's type is one of a space-separated list. */
export function expectType(tensor: Tensor, types: string, what: string, p: Preparation): void {
  if (types.split(' ').indexOf(tensor.type) < 0) {
    p.fail(what + ' must be ' + types.split(' ').join(' or ') + ', but it is ' + describe(tensor));
  }
}

/** Fails unless the tensor has exactly this shape. */
export function expectShape(tensor: Tensor, shape: number[], what: string, p: Preparation): void {
  if (!sameShape(tensor.shape, shape)) {
    p.fail(what + ' must have shape [' + shape.join() + '], but it is ' + describe(tensor));
  }
}

/** Fails unless the tensor has `rank` dimensions. */
export function expectRank(tensor: Tensor, rank: number, what: string, p: Preparation): void {
  if (tensor.shape.length !== rank)
    p.fail(what + ' must have ' + rank + ' dimensions, but it is ' + describe(tensor));
}

/** Fails unless the tensor is quantized with finite positive scales. */
export function expectQuantized(tensor: Tensor, what: string, p: Preparation): void {
  const scales = tensor.scales;
  if (!scales) p.fail(what + ' must be quantized, but ' + describe(tensor) + ' has no scale');
  else {
    for (let i = 0; i < scales.length; i++) {
      if (!(scales[i] > 0 && scales[i] < Infinity))
        p.fail(what + ' ' + describe(tensor) + ' has scale ' + scales[i]);
    }
  }
}

/** Fails unless both tensors have the same scale and zero point (or none). */
export function expectSameQuantization(a: Tensor, b: Tensor, p: Preparation): void {
  if (a.scale !== b.scale || a.zeroPoint !== b.zeroPoint) {
    p.fail(
      'the quantization of ' +
        describe(a) +
        ' (' +
        a.scale +
        ', ' +
        a.zeroPoint +
        ') and ' +
        describe(b) +
        ' (' +
        b.scale +
        ', ' +
        b.zeroPoint +
        ') must be the same',
    );
  }
}

/** The values of a constant INT32 or INT64 tensor. */
export function constantInts(tensor: Tensor, what: string, p: Preparation): number[] {
  expectType(tensor, 'INT32 INT64 INT16 INT8', what, p);
  // a constant of no elements has no bytes in the file that would mark it as one
  if (!tensor.length) return [];
  if (!tensor.constant) p.fail(what + ' must be constant, but ' + describe(tensor) + ' is computed');
  const data = tensor.data as TypedArray;
  const stride = tensor.type === 'INT64' ? 2 : 1;
  const values: number[] = [];
  for (let i = 0; i < tensor.length; i++) {
    values.push(stride === 2 ? data[2 * i + 1] * 4294967296 + (data[2 * i] >>> 0) : data[i]);
  }
  return values;
}

/** An axis counted from 0; negative ones count from the end. */
export function axisWithin(axis: number, rank: number, p: Preparation): number {
  const from0 = axis < 0 ? axis + rank : axis;
  if (!(from0 >= 0 && from0 < rank)) p.fail('axis ' + axis + ' is outside of ' + rank + ' dimensions');
  return from0;
}
