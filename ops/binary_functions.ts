/**
 * Rare operators with two broadcast operands: POW: aᵇ; ATAN2: the angle of (b, a); BITWISE_XOR; RIGHT_SHIFT.
 *
 * Types: POW and ATAN2 FLOAT32; BITWISE_XOR INT8, UINT8, INT16, UINT16, INT32, UINT32, BOOL; RIGHT_SHIFT the same but BOOL.
 * TFLM has none of them. As TFLite: a shift is brought into the range from 0 to the type's last bit.
 */
import { Node, Operators, Preparation, TypedArray } from '../lib/graph';
import { elementBytes } from '../lib/tensor';
import { binaryOperands, rowOffset } from './broadcast';

/** Kernel: `code` 0: power, 1: angle, 2: exclusive or, 3: shift by at most `most` bits. */
export function binaryFunction(
  a: TypedArray,
  b: TypedArray,
  y: TypedArray,
  n: number,
  inner: number,
  ai: number,
  bi: number,
  mid: number,
  am: number,
  bm: number,
  outer: Int32Array,
  code: number,
  most: number,
): void {
  for (let row = 0, k = 0; k < n; row++) {
    let p = rowOffset(row, outer, 3, 1);
    let q = rowOffset(row, outer, 3, 2);
    for (let m = 0; m < mid; m++, p += am, q += bm) {
      for (let i = p, j = q, end = k + inner; k < end; k++, i += ai, j += bi) {
        const u = a[i];
        const v = b[j];
        const shift = v < 0 ? 0 : v > most ? most : v;
        y[k] =
          code < 1
            ? Math.pow(u, v)
            : code < 2
              ? Math.atan2(u, v)
              : code < 3
                ? u ^ v
                : u < 0
                  ? u >> shift
                  : u >>> shift;
      }
    }
  }
}

function prepareFunction(node: Node, p: Preparation, types: string, code: number): void {
  const o = binaryOperands(node, types, '', p);
  p.step(binaryFunction, o.args.concat([code, 8 * elementBytes(o.y.type) - 1]));
}

function preparePow(node: Node, p: Preparation): void {
  prepareFunction(node, p, 'FLOAT32', 0);
}

function prepareAtan2(node: Node, p: Preparation): void {
  prepareFunction(node, p, 'FLOAT32', 1);
}

function prepareXor(node: Node, p: Preparation): void {
  prepareFunction(node, p, 'INT8 UINT8 INT16 UINT16 INT32 UINT32 BOOL', 2);
}

function prepareShift(node: Node, p: Preparation): void {
  prepareFunction(node, p, 'INT8 UINT8 INT16 UINT16 INT32 UINT32', 3);
}

export const binaryFunctionOperators: Operators = {
  POW: preparePow,
  ATAN2: prepareAtan2,
  BITWISE_XOR: prepareXor,
  RIGHT_SHIFT: prepareShift,
};
