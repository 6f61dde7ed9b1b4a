/** BATCH_MATMUL on Espruino; with one constant second operand it is a FULLY_CONNECTED of all rows of all batches. */
import type { TypedArray } from '../../lib/graph';
import { fullyConnectedFloat32 } from './espruino_float';
import { fullyConnected, type IsConstant } from './espruino_places';
import { call, made, reachable, type Args, type Argument, type Replacement } from './replacement';
import { scalingOf, stepsOf } from './scaling';

const MATMUL = 'engines/espruino/matmul';

/** Elements of a matrix x from which builtins are faster. */
const LEAST = 4;

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

/** What kernels for computed matrices take of the sizes from argument `from` on; null where they do not fit. */
function walkOf(args: Args, from: number, type: 'Float32Array' | 'Int8Array'): Walk | null {
  const [x, w] = args as TypedArray[];
  const [xStarts, wStarts] = args.slice(from) as Int32Array[];
  const [, rows, columns, depth, xRow, xStep, wColumn, wStep] = args.slice(from + 2) as number[];
  if ((depth > 1 && xStep !== 1) || (rows > 1 && xRow !== depth)) return null;
  if (rows * depth < LEAST) return null;
  const span = (depth - 1) * wStep + 1;
  if (span > 65535 || !columns || !reachable(x) || !reachable(w)) return null;
  // map's results have the type of the starts
  const sums = type === 'Float32Array' ? type : 'Int32Array';
  const starts = made(null, () => `every(${depth}, new ${sums}(${rows}))`);
  const taps = made(null, () => `every(${wStep}, new Uint16Array(${depth}))`);
  const column = made(null, () => `new ${type}(${depth})`);
  return { starts, columns, depth, rest: [xStarts, wStarts, wColumn, span, taps, column] };
}

interface Walk {
  starts: Argument;
  columns: number;
  depth: number;
  rest: Argument[];
}

function computedFloat32(args: Args): Replacement | null {
  const [x, w, y] = args as Float32Array[];
  const walk = walkOf(args, 3, 'Float32Array');
  if (!walk) return null;
  const operands = [0, 0, 0, y, walk.columns, walk.starts, x, w, ...walk.rest];
  return call(MATMUL, 'matmulFloat32', operands, 'every');
}

function computedInt8(args: Args): Replacement | null {
  const [x, w, bias, y] = args as [Int8Array, Int8Array, Int32Array, Int8Array];
  const [xZero, wZero, multiplier, shift, yZero, min, max] = args.slice(14) as number[];
  const walk = walkOf(args, 4, 'Int8Array');
  if (!walk) return null;
  const { columns, depth, starts } = walk;
  // the bias may be computed: sums have any size
  const offset = yZero + 4096;
  const steps = stepsOf(multiplier, shift, offset, 2 ** 31 - 1, min + 4096, max + 4096);
  const scaling = shift > 0 ? null : scalingOf(multiplier, shift, offset, steps);
  if (!scaling) return null;
  const { m, plus, minus } = scaling;
  const ones = new Int8Array(depth).fill(1);
  const working = [0, 0, 0, 0, wZero, 0, m, minus, plus, y, 0, columns, min, max];
  return call(MATMUL, 'matmulInt8', [...working, starts, x, w, bias, ...walk.rest, ones, xZero], 'every');
}

export function batchMatmulFloat32(args: Args, isConstant: IsConstant): Replacement | null {
  const [x, w, y] = args as Float32Array[];
  const product = productOf(args, 3);
  if (!product || !isConstant(w)) return computedFloat32(args);
  const { rows, depth, columns } = product;
  const weights = transposed(product, w, 0, new Float32Array(columns * depth));
  const dense = [x, weights, new Float32Array(columns), y, rows, depth, columns, -Infinity, Infinity];
  return fullyConnectedFloat32(dense, isConstant);
}

export function batchMatmulInt8(args: Args, isConstant: IsConstant, together: number): Replacement | null {
  const [x, w, bias, y] = args as [Int8Array, Int8Array, Int32Array, Int8Array];
  const product = productOf(args, 4);
  if (!product || !isConstant(w) || !isConstant(bias)) return computedInt8(args);
  const [xZero, wZero, multiplier, shift, yZero, min, max] = args.slice(14) as number[];
  const { rows, depth, columns } = product;
  const wide = transposed<TypedArray>(product, w, wZero, new Int16Array(columns * depth)) as Int16Array;
  // without its zero point the matrix must still be of bytes
  if (!wide.every((value) => value >= -128 && value <= 127)) return computedInt8(args);
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
