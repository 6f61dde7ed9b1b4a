/**
 * SELECT_V2, SELECT: y = condition ? a : b.
 *
 * Inputs: condition BOOL, a and b of the output's type. SELECT_V2 broadcasts all three; SELECT wants a and b alike, and a
 * condition of the same shape, or of one dimension (or none) that stands for rows of a and b.
 * Types: every one of 1, 2, 4 or 8 bytes an element: the kernel moves bits.
 */
import { Argument, Node, Operators, Preparation, Tensor, TypedArray } from '../lib/graph';
import { elementBytes, sameShape } from '../lib/tensor';
import { broadcastWalk, refuseShapes, rowOffset } from './broadcast';
import { expectInputs, expectType, input, output } from './checks';

/** Kernel: y = condition ? a : b. */
export function select(
  c: Uint8Array,
  a: TypedArray,
  b: TypedArray,
  y: TypedArray,
  n: number,
  inner: number,
  ci: number,
  ai: number,
  bi: number,
  mid: number,
  cm: number,
  am: number,
  bm: number,
  outer: Int32Array,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let o = rowOffset(row, outer, 4, 1);
    let p = rowOffset(row, outer, 4, 2);
    let q = rowOffset(row, outer, 4, 3);
    for (let m = 0; m < mid; m++, o += cm, p += am, q += bm) {
      for (let h = o, i = p, j = q, end = k + inner; k < end; k++, h += ci, i += ai, j += bi)
        y[k] = c[h] ? a[i] : b[j];
    }
  }
}

const TYPES = 'FLOAT32 INT8 UINT8 BOOL INT16 INT32 INT64';

function prepareSelect(node: Node, p: Preparation, condition: number[]): void {
  const c = input(node, 0, p);
  const a = input(node, 1, p);
  const b = input(node, 2, p);
  const y = output(node, 0, p);
  expectInputs(node, 3, p);
  expectType(c, 'BOOL', 'the condition', p);
  expectType(a, TYPES, 'input 1', p);
  expectType(b, a.type, 'input 2', p);
  expectType(y, a.type, 'the output', p);
  const bytes = elementBytes(y.type);
  // an element of 8 bytes is a dimension of two 32-bit words
  const words = bytes > 4 ? [2] : [];
  const one = bytes > 4 ? [1] : [];
  const walk = broadcastWalk(
    [condition.concat(one), a.shape.concat(words), b.shape.concat(words)],
    y.shape.concat(words),
  );
  if (!walk) return refuseShapes([c, a, b], y, p);
  const type = bytes === 1 ? 'INT8' : bytes === 2 ? 'INT16' : 'INT32';
  const args: Argument[] = [c];
  const tensors: Tensor[] = [a, b, y];
  for (let i = 0; i < 3; i++) {
    args.push({ of: tensors[i], type: type, offset: 0, length: tensors[i].length * (bytes > 4 ? 2 : 1) });
    if (i < 2 && tensors[i].length === y.length) p.inPlace(tensors[i], y);
  }
  p.step(select, args.concat(walk));
}

function prepareSelectV2(node: Node, p: Preparation): void {
  prepareSelect(node, p, input(node, 0, p).shape);
}

function prepareSelectV1(node: Node, p: Preparation): void {
  const shape = input(node, 0, p).shape;
  const a = input(node, 1, p);
  const rows: number[] = [];
  if (!sameShape(a.shape, input(node, 2, p).shape))
    refuseShapes([a, input(node, 2, p)], output(node, 0, p), p);
  if (sameShape(shape, a.shape)) return prepareSelect(node, p, shape);
  if (shape.length > 1 || (shape.length && shape[0] !== a.shape[0]))
    refuseShapes([input(node, 0, p), a], output(node, 0, p), p);
  for (let d = 0; d < a.shape.length; d++) rows.push(d || !shape.length ? 1 : shape[0]);
  prepareSelect(node, p, rows);
}

export const selectOperators: Operators = { SELECT_V2: prepareSelectV2, SELECT: prepareSelectV1 };
