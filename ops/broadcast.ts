/**
 * Broadcasting of elementwise operators, decided at prepare: dimensions that all operands walk alike are joined, and
 * what remains becomes two plain loops and, rarely, rows around them.
 *
 * A kernel with operands a and b runs
 *
 *     for (row = 0, k = 0; k < n; row++) {
 *       p = rowOffset(row, outer, 3, 1); q = rowOffset(row, outer, 3, 2);
 *       for (m = 0; m < mid; m++, p += am, q += bm)
 *         for (i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) y[k] = f(a[i], b[j]);
 *     }
 *
 * With equal shapes this is one loop over n elements.
 */
import { Argument, Node, Preparation, Tensor } from '../lib/graph';
import { describe, lengthOf } from '../lib/tensor';
import { expectInputs, expectQuantized, expectType, input, output } from './checks';

/**
 * Where row number `row` starts in an operand. `outer` holds, for each dimension from the innermost outwards, its size
 * and every operand's stride: `width` numbers; `which` is 1 for the first operand.
 */
export function rowOffset(row: number, outer: Int32Array, width: number, which: number): number {
  let offset = 0;
  for (let d = 0; d < outer.length; d += width) {
    const next = Math.floor(row / outer[d]);
    offset += (row - next * outer[d]) * outer[d + which];
    row = next;
  }
  return offset;
}

/** Size of dimension `d` counted from the end; 1 where there is none. */
function sizeFromEnd(shape: number[], d: number): number {
  const at = shape.length - 1 - d;
  return at < 0 ? 1 : shape[at];
}

/**
 * Arguments of a kernel that walks operands of these shapes along an output of shape `y`: n, inner, an inner stride for
 * each operand, mid, a mid stride for each operand, outer. Dimensions of size 1 are left out, and those that every operand
 * walks alike are joined. Returns null unless the shapes broadcast to exactly `y`.
 */
export function broadcastWalk(shapes: number[][], y: number[]): Argument[] | null {
  // from the innermost outwards: size, stride in operand 0, stride in operand 1, …
  const dims: number[][] = [];
  const strides: number[] = [];
  let rank = y.length;
  for (let o = 0; o < shapes.length; o++) {
    strides.push(1);
    rank = Math.max(rank, shapes[o].length);
  }
  for (let d = 0; d < rank; d++) {
    const size = sizeFromEnd(y, d);
    const dim: number[] = [size];
    const last = dims.length ? dims[dims.length - 1] : null;
    let joins = !!last;
    let widest = 1;
    for (let o = 0; o < shapes.length; o++) {
      const own = sizeFromEnd(shapes[o], d);
      if (own !== 1) widest = own;
      if (own !== 1 && own !== size) return null;
      const stride = own === 1 ? 0 : strides[o];
      strides[o] *= own;
      dim.push(stride);
      if (last && stride !== last[0] * last[o + 1]) joins = false;
    }
    if (widest !== size) return null;
    if (size === 1) continue;
    if (last && joins) last[0] *= size;
    else dims.push(dim);
  }
  const walk: Argument[] = [lengthOf(y)];
  for (let level = 0; level < 2; level++) {
    for (let o = 0; o <= shapes.length; o++) walk.push(level < dims.length ? dims[level][o] : o ? 0 : 1);
  }
  let outer: number[] = [];
  for (let level = 2; level < dims.length; level++) outer = outer.concat(dims[level]);
  walk.push(new Int32Array(outer));
  return walk;
}

/** Fails because operands do not broadcast to y. */
export function refuseShapes(operands: Tensor[], y: Tensor, p: Preparation): never {
  const names: string[] = [];
  for (let o = 0; o < operands.length; o++) names.push(describe(operands[o]));
  return p.fail(
    'the shapes of ' + names.join(', ') + ' do not broadcast to that of the output, ' + describe(y),
  );
}

/** The operands of a binary operator, checked, and the first arguments of its kernel. */
export interface Binary {
  a: Tensor;
  b: Tensor;
  y: Tensor;
  /** a, b, y and how to walk them; the kernel's own parameters follow. */
  args: Argument[];
}

/**
 * Checks that a node has two inputs and an output of types among `types`, and that the inputs are alike and broadcast to
 * the output. The output's type is that of the inputs, unless `result` names another one.
 */
export function binaryOperands(node: Node, types: string, result: string, p: Preparation): Binary {
  const a = input(node, 0, p);
  const b = input(node, 1, p);
  const y = output(node, 0, p);
  expectInputs(node, 2, p);
  expectType(a, types, 'input 0', p);
  expectType(b, a.type, 'input 1', p);
  expectType(y, result || a.type, 'the output', p);
  const args: Argument[] = [a, b, y];
  const walk = broadcastWalk([a.shape, b.shape], y.shape) || refuseShapes([a, b], y, p);
  if (a.length === y.length) p.inPlace(a, y);
  if (b.length === y.length) p.inPlace(b, y);
  return { a: a, b: b, y: y, args: args.concat(walk) };
}

/** Fails unless all operands are quantized. */
export function expectScales(o: Binary, p: Preparation): void {
  expectQuantized(o.a, 'input 0', p);
  expectQuantized(o.b, 'input 1', p);
  expectQuantized(o.y, 'the output', p);
}

/** Fails if an input is quantized. */
export function expectUnquantized(o: Binary, p: Preparation): void {
  const x = o.a.scales ? o.a : o.b;
  if (x.scales) p.fail('INT32 is not computed with scales, but ' + describe(x) + ' has one');
}
