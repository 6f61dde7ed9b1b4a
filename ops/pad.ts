/**
 * PAD (x, paddings), PADV2 (x, paddings, value): x with elements before and after in each dimension.
 * MIRROR_PAD (x, paddings): the elements come from x itself, mirrored at its border with (SYMMETRIC) or without (REFLECT)
 * the outermost one.
 *
 * Paddings are constant, INT32 or INT64, a pair for each dimension. Types: all whose elements are whole bytes. As TFLM: PAD
 * fills INT8 (and UINT8) with the output's zero point, all others with 0, also INT16; PADV2 wants the value of INT8
 * quantized like the output. A mirror may not reach farther than x: TFLM repeats elements there.
 */
import { Node, Operators, Preparation, Tensor } from '../lib/graph';
import { MIRROR_PAD_OPTIONS } from '../lib/schema';
import { constantInts, expectSameQuantization, expectShape, input, optional } from './checks';
import { copyGrid, expectSameMovable, fillOf, misfit, Operands, operandsOf, zeros } from './strided_copy';

/** Elements before (2i) and after (2i + 1) each of `rank` dimensions i. */
export function paddingsOf(tensor: Tensor, rank: number, p: Preparation): number[] {
  const paddings = constantInts(tensor, 'the paddings', p);
  let fits = paddings.length === 2 * rank;
  for (let i = 0; i < paddings.length; i++) fits = fits && paddings[i] >= 0;
  if (!fits)
    p.fail('expected ' + rank + ' pairs of paddings, none negative, but got [' + paddings.join() + ']');
  return paddings;
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
  for (let k = 2 * inner.length - 1; k >= 0; k--) {
    const axis = k >> 1;
    const start: number[] = [];
    const shape: number[] = [];
    for (let i = 0; i < inner.length; i++) {
      const before = paddings[2 * i];
      start.push(i < axis ? before : i === axis && k & 1 ? before + inner[i] : 0);
      shape.push(i < axis ? inner[i] : i === axis ? paddings[k] : before + inner[i] + paddings[2 * i + 1]);
    }
    emit(axis, start, shape);
  }
}

/** Position of an index in a tensor. */
function positionOf(index: number[], strides: number[]): number {
  let at = 0;
  for (let i = 0; i < index.length; i++) at += index[i] * strides[i];
  return at;
}

/** Copies x into the middle of y. */
function copyInner(o: Operands, paddings: number[], p: Preparation): void {
  const shape: number[] = [];
  const start: number[] = [];
  for (let i = 0; i < o.rank; i++) {
    shape.push(paddings[2 * i] + o.x.shape[i] + paddings[2 * i + 1]);
    start.push(paddings[2 * i]);
  }
  expectShape(o.y, shape, 'the output', p);
  copyGrid(p, o.x.shape, o.x, 0, o.xs, o.y, positionOf(start, o.ys), o.ys);
}

function preparePad(node: Node, p: Preparation): void {
  const o = operandsOf(node, 0, p);
  const value = optional(node, 2);
  const paddings = paddingsOf(input(node, 1, p), o.rank, p);
  if (value) {
    expectSameMovable(value, o.y, p);
    if (value.length !== 1) misfit('a value of one element', [value], p);
    if (o.y.type === 'INT8') expectSameQuantization(value, o.y, p);
  }
  copyInner(o, paddings, p);
  const fill = value || fillOf(o.y.type, o.y.zeroPoint);
  const still = zeros(o.rank);
  eachBorder(o.x.shape, paddings, function (axis, start, shape) {
    copyGrid(p, shape, fill, 0, still, o.y, positionOf(start, o.ys), o.ys);
  });
}

function prepareMirrorPad(node: Node, p: Preparation): void {
  const o = operandsOf(node, 0, p);
  const paddings = paddingsOf(input(node, 1, p), o.rank, p);
  // mode 0 is REFLECT
  const skip = p.options(MIRROR_PAD_OPTIONS).mode ? 0 : 1;
  for (let i = 0; i < paddings.length; i++) {
    if (paddings[i] && paddings[i] > o.x.shape[i >> 1] - skip)
      misfit('no padding wider than what is mirrored', [o.x, o.y], p);
  }
  copyInner(o, paddings, p);
  eachBorder(o.x.shape, paddings, function (axis, start, shape) {
    // the border before starts with what lies farthest from x; after, with what lies next to it
    const mirror = start.slice();
    mirror[axis] = start[axis] ? start[axis] - 1 - skip : 2 * paddings[2 * axis] - 1 + skip;
    const backwards = o.ys.slice();
    backwards[axis] = -o.ys[axis];
    copyGrid(p, shape, o.y, positionOf(mirror, o.ys), backwards, o.y, positionOf(start, o.ys), o.ys);
  });
}

export const padOperators: Operators = { PAD: preparePad, PADV2: preparePad };

export const mirrorPadOperators: Operators = { MIRROR_PAD: prepareMirrorPad };
