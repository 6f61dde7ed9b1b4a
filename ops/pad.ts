/**
 * PAD (x, paddings), PADV2 (x, paddings, value): x with elements before and after in each dimension.
 * MIRROR_PAD (x, paddings): the elements come from x itself, mirrored at its border with (SYMMETRIC) or without (REFLECT)
 * the outermost one.
 *
 * Paddings are constant, INT32 or INT64, a pair for each dimension. Types: all whose elements are whole bytes. As TFLM: PAD
 * fills INT8 (and UINT8) with the output's zero point, all others with 0, also INT16; PADV2 wants the value of INT8
 * quantized like the output. A mirror may not reach farther than x: TFLM repeats elements there.
 */
import { Node, Operators, Preparation, Tensor, TypedArray } from '../lib/graph';
import { MIRROR_PAD_OPTIONS } from '../lib/schema';
import { typeRange } from '../lib/fixedpoint';
import { describe } from '../lib/tensor';
import { constantInts, expectSameQuantization, expectShape, input, optional, output } from './checks';
import { copyGrid, expectSameMovable, fillOf, stridesOf } from './strided_copy';

/** Elements before (2i) and after (2i + 1) each dimension i of x. */
export function paddingsOf(tensor: Tensor, rank: number, p: Preparation): number[] {
  const paddings = constantInts(tensor, 'the paddings', p);
  if (paddings.length !== 2 * rank)
    p.fail('the paddings must be ' + rank + ' pairs, but they are ' + describe(tensor));
  for (let i = 0; i < paddings.length; i++)
    if (paddings[i] < 0) p.fail('padding ' + paddings[i] + ' of dimension ' + (i >> 1) + ' is negative');
  return paddings;
}

/** What a quantized tensor is padded with. */
export function padValueOf(tensor: Tensor, p: Preparation): TypedArray {
  const eight = tensor.type === 'INT8' || tensor.type === 'UINT8';
  const value = eight ? tensor.zeroPoint : 0;
  if (eight) {
    const range = typeRange(tensor.type);
    if (value < range.min || value > range.max)
      p.fail('zero point ' + value + ' of ' + describe(tensor) + ' is outside of its type');
  }
  return fillOf(tensor.type, value);
}

/**
 * The part of a block that lies around an inner one, as blocks that do not overlap: calls `emit` with the dimension in
 * which each lies before or after the inner one, its start and its shape.
 */
export function eachBorder(
  inner: number[],
  paddings: number[],
  emit: (axis: number, start: number[], shape: number[]) => void,
): void {
  for (let axis = inner.length - 1; axis >= 0; axis--) {
    for (let side = 0; side < 2; side++) {
      const start: number[] = [];
      const shape: number[] = [];
      for (let i = 0; i < inner.length; i++) {
        const before = paddings[2 * i];
        start.push(i < axis ? before : i === axis && side ? before + inner[i] : 0);
        shape.push(
          i < axis ? inner[i] : i === axis ? paddings[2 * i + side] : before + inner[i] + paddings[2 * i + 1],
        );
      }
      emit(axis, start, shape);
    }
  }
}

/** Position of an index in a tensor. */
function positionOf(index: number[], strides: number[]): number {
  let at = 0;
  for (let i = 0; i < index.length; i++) at += index[i] * strides[i];
  return at;
}

/** Copies x into the middle of y; returns the strides of y. */
function copyInner(x: Tensor, y: Tensor, paddings: number[], p: Preparation): number[] {
  const shape: number[] = [];
  const start: number[] = [];
  const strides = stridesOf(y.shape);
  expectSameMovable(x, y, p);
  for (let i = 0; i < x.shape.length; i++) {
    shape.push(paddings[2 * i] + x.shape[i] + paddings[2 * i + 1]);
    start.push(paddings[2 * i]);
  }
  expectShape(y, shape, 'the output', p);
  copyGrid(p, x.shape, x, 0, stridesOf(x.shape), y, positionOf(start, strides), strides);
  return strides;
}

function preparePad(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const value = optional(node, 2);
  const paddings = paddingsOf(input(node, 1, p), x.shape.length, p);
  if (value) {
    expectSameMovable(value, y, p);
    if (value.length !== 1) p.fail('the value must be one element, but it is ' + describe(value));
    if (y.type === 'INT8') expectSameQuantization(value, y, p);
  }
  const strides = copyInner(x, y, paddings, p);
  const still = x.shape.map(function () {
    return 0;
  });
  eachBorder(x.shape, paddings, function (axis, start, shape) {
    copyGrid(p, shape, value || padValueOf(y, p), 0, still, y, positionOf(start, strides), strides);
  });
}

function prepareMirrorPad(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const paddings = paddingsOf(input(node, 1, p), x.shape.length, p);
  // mode 0 is REFLECT
  const skip = p.options(MIRROR_PAD_OPTIONS).mode ? 0 : 1;
  for (let i = 0; i < paddings.length; i++) {
    if (paddings[i] && paddings[i] > x.shape[i >> 1] - skip)
      p.fail(
        'padding ' +
          paddings[i] +
          ' of dimension ' +
          (i >> 1) +
          ' is more than ' +
          describe(x) +
          ' can mirror',
      );
  }
  const strides = copyInner(x, y, paddings, p);
  eachBorder(x.shape, paddings, function (axis, start, shape) {
    if (!shape[axis]) return;
    // the border before starts with what lies farthest from x; after, with what lies next to it
    const before = start[axis] < paddings[2 * axis];
    const mirror = start.slice();
    mirror[axis] = before ? 2 * paddings[2 * axis] - 1 + skip : start[axis] - 1 - skip;
    const backwards = strides.slice();
    backwards[axis] = -strides[axis];
    copyGrid(p, shape, y, positionOf(mirror, strides), backwards, y, positionOf(start, strides), strides);
  });
}

export const padOperators: Operators = { PAD: preparePad, PADV2: preparePad, MIRROR_PAD: prepareMirrorPad };
