/** BATCH_MATMUL with one constant second operand on Espruino: a FULLY_CONNECTED of all rows of all batches. */
import type { TypedArray } from '../../lib/graph';
import { fullyConnectedFloat32 } from './espruino_float';
import { fullyConnected, type IsConstant } from './espruino_places';
import type { Args, Replacement } from './replacement';

interface Product {
  rows: number;
  depth: number;
  columns: number;
  /** Element (column, i) of the second operand. */
  at: (column: number, i: number) => number;
}

/** The product, from argument `from` on; null where it is not all rows of x, one after the other, by the same matrix. */
function productOf(args: Args, from: number): Product | null {
  const [xStarts, wStarts] = args.slice(from) as Int32Array[];
  const [batches, rows, columns, depth, xRow, xStep, wColumn, wStep] = args.slice(from + 2) as number[];
  const together = xStarts.every((start, batch) => start === batch * rows * depth);
  if (!together || !wStarts.every((start) => start === wStarts[0])) return null;
  // a single column of x^T is a row
  if ((depth > 1 && xStep !== 1) || (rows > 1 && xRow !== depth)) return null;
  const at = (column: number, i: number): number => wStarts[0] + column * wColumn + i * wStep;
  return { rows: batches * rows, depth, columns, at };
}

/** The second operand as rows of weights, put into `to`. */
function transposed<T extends TypedArray>(product: Product, w: T, zero: number, to: T): T {
  const { columns, depth, at } = product;
  for (let column = 0; column < columns; column++)
    for (let i = 0; i < depth; i++) to[column * depth + i] = w[at(column, i)] - zero;
  return to;
}

export function batchMatmulFloat32(args: Args, isConstant: IsConstant): Replacement | null {
  const [x, w, y] = args as Float32Array[];
  const product = productOf(args, 3);
  if (!product || !isConstant(w)) return null;
  const { rows, depth, columns } = product;
  const weights = transposed(product, w, 0, new Float32Array(columns * depth));
  const dense = [x, weights, new Float32Array(columns), y, rows, depth, columns, -Infinity, Infinity];
  return fullyConnectedFloat32(dense, isConstant);
}

export function batchMatmulInt8(args: Args, isConstant: IsConstant, together: number): Replacement | null {
  const [x, w, bias, y] = args as [Int8Array, Int8Array, Int32Array, Int8Array];
  const product = productOf(args, 4);
  if (!product || !isConstant(w) || !isConstant(bias)) return null;
  const [xZero, wZero, multiplier, shift, yZero, min, max] = args.slice(14) as number[];
  const { rows, depth, columns } = product;
  const wide = transposed<TypedArray>(product, w, wZero, new Int16Array(columns * depth)) as Int16Array;
  // without its zero point the matrix must still be of bytes
  if (!wide.every((value) => value >= -128 && value <= 127)) return null;
  const weights = Int8Array.from(wide);
  const folded = Int32Array.from({ length: columns }, (_, column) => {
    const row = weights.subarray(column * depth, (column + 1) * depth);
    return bias[column] - xZero * row.reduce((sum, value) => sum + value, 0);
  });
  const multipliers = new Int32Array(columns).fill(multiplier);
  const shifts = new Int8Array(columns).fill(shift);
  const scaling = [multipliers, shifts];
  const sizes = [rows, depth, columns, yZero, min, max];
  return fullyConnected([x, weights, folded, y, ...scaling, ...sizes], isConstant, together);
}
