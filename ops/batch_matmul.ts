/**
 * BATCH_MATMUL: y = x · w for each pair of matrices, batches broadcast.
 *
 * Inputs: x [..., rows, depth] and w [..., depth, columns], either of them transposed by adj_x and adj_y.
 * Output: [..., rows, columns]. Types, the same for all: FLOAT32; INT8; INT16 with zero points 0.
 * As TFLM: the multiplier is float32(s_x · s_w) / s_y; int16 accumulates in 64 bits. Nothing is transposed in memory.
 */
import { fround, mbqm64, quantizeMultiplier, requantize, typeRange } from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation, Tensor } from '../lib/graph';
import { BATCH_MATMUL_OPTIONS } from '../lib/schema';
import { expectQuantized, expectShape, expectType, input, output } from './checks';
import { misfit } from './correlation';
import { doubleScaling } from './weights';

/**
 * Kernel: float32. Batch number k multiplies the matrices that start at xStarts[k] and wStarts[k]; element (row, i) of
 * the first is at row · xRow + i · xStep, element (i, column) of the second at column · wColumn + i · wStep.
 */
export function batchMatmulFloat32(
  x: Float32Array,
  w: Float32Array,
  y: Float32Array,
  xStarts: Int32Array,
  wStarts: Int32Array,
  batches: number,
  rows: number,
  columns: number,
  depth: number,
  xRow: number,
  xStep: number,
  wColumn: number,
  wStep: number,
): void {
  let to = 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        let p = xStarts[batch] + row * xRow;
        let q = wStarts[batch] + column * wColumn;
        let sum = 0;
        for (let i = 0; i < depth; i++) {
          sum += x[p] * w[q];
          p += xStep;
          q += wStep;
        }
        y[to++] = sum;
      }
    }
  }
}

/** Kernel: int8, with zero points on both sides and a bias for each column; `powers` and `offsets` as `doubleScaling` makes them. */
export function batchMatmulInt8(
  x: Int8Array,
  w: Int8Array,
  bias: Int32Array,
  y: Int8Array,
  xStarts: Int32Array,
  wStarts: Int32Array,
  batches: number,
  rows: number,
  columns: number,
  depth: number,
  xRow: number,
  xStep: number,
  wColumn: number,
  wStep: number,
  xZero: number,
  wZero: number,
  multiplier: number,
  shift: number,
  yZero: number,
  min: number,
  max: number,
  powers: Float32Array,
  offsets: Float32Array,
): void {
  const scale = multiplier * powers[0];
  const span = max - min;
  let to = 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        let p = xStarts[batch] + row * xRow;
        let q = wStarts[batch] + column * wColumn;
        let s = bias[column];
        for (let i = 0; i < depth; i++) {
          s += (x[p] - xZero) * (w[q] - wZero);
          p += xStep;
          q += wStep;
        }
        s |= 0;
        const v = (s * scale + offsets[s >>> 31]) | 0;
        y[to++] = v > span ? requantize(s, multiplier, shift, yZero, min, max) : (v & -+(v > 0)) + min;
      }
    }
  }
}

/** Kernel: int16. */
export function batchMatmulInt16(
  x: Int16Array,
  w: Int16Array,
  y: Int16Array,
  xStarts: Int32Array,
  wStarts: Int32Array,
  batches: number,
  rows: number,
  columns: number,
  depth: number,
  xRow: number,
  xStep: number,
  wColumn: number,
  wStep: number,
  multiplier: number,
  shift: number,
): void {
  let to = 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        let p = xStarts[batch] + row * xRow;
        let q = wStarts[batch] + column * wColumn;
        let sum = 0;
        for (let i = 0; i < depth; i++) {
          sum += x[p] * w[q];
          p += xStep;
          q += wStep;
        }
        sum = mbqm64(sum, multiplier, shift);
        y[to++] = sum < -32768 ? -32768 : sum > 32767 ? 32767 : sum;
      }
    }
  }
}

/** Size of dimension `d` of `rank`, as if the shape had ones in front. */
function sizeOf(shape: number[], d: number, rank: number): number {
  const at = d - rank + shape.length;
  return at < 0 ? 1 : shape[at];
}

/** Where each batch's matrix starts in an operand. */
function startsOf(tensor: Tensor, batchShape: number[]): Int32Array {
  const rank = batchShape.length + 2;
  let count = 1;
  for (let d = 0; d < batchShape.length; d++) count *= batchShape[d];
  const starts = new Int32Array(count);
  for (let k = 0; k < count; k++) {
    let rest = k;
    let stride = sizeOf(tensor.shape, rank - 1, rank) * sizeOf(tensor.shape, rank - 2, rank);
    for (let d = batchShape.length - 1; d >= 0; d--) {
      const own = sizeOf(tensor.shape, d, rank);
      if (own > 1) starts[k] += (rest % batchShape[d]) * stride;
      stride *= own;
      rest = Math.floor(rest / batchShape[d]);
    }
  }
  return starts;
}

function prepareBatchMatmul(node: Node, p: Preparation): void {
  const options = p.options(BATCH_MATMUL_OPTIONS);
  const x = input(node, 0, p);
  const w = input(node, 1, p);
  const y = output(node, 0, p);
  if (node.inputs.length !== 2) p.fail('it takes 2 inputs, but it has ' + node.inputs.length);
  expectType(x, 'FLOAT32 INT8 INT16', 'the first operand', p);
  expectType(w, x.type, 'the second operand', p);
  expectType(y, x.type, 'the output', p);
  const rank = Math.max(x.shape.length, w.shape.length);
  if (Math.min(x.shape.length, w.shape.length) < 2) misfit([x, w, y], 'at least 2 dimensions', p);
  const adjX = options.adj_x ? 1 : 0;
  const adjY = options.adj_y ? 1 : 0;
  const rows = sizeOf(x.shape, rank - 2 + adjX, rank);
  const depth = sizeOf(x.shape, rank - 1 - adjX, rank);
  const columns = sizeOf(w.shape, rank - 1 - adjY, rank);
  const shape: number[] = [];
  let fits = sizeOf(w.shape, rank - 2 + adjY, rank) === depth;
  for (let d = 0; d < rank - 2; d++) {
    const a = sizeOf(x.shape, d, rank);
    const b = sizeOf(w.shape, d, rank);
    if (a !== b && a !== 1 && b !== 1) fits = false;
    shape.push(a === 1 ? b : a);
  }
  if (!fits) {
    misfit(
      [x, w, y],
      '[..., rows, depth] and [..., depth, columns] (adj_x and adj_y transpose), the rest broadcast',
      p,
    );
  }
  expectShape(y, shape.concat([rows, columns]), 'the output', p);
  const xStarts = startsOf(x, shape);
  const wStarts = startsOf(w, shape);
  const walk: Argument[] = [
    xStarts,
    wStarts,
    xStarts.length,
    rows,
    columns,
    depth,
    adjX ? 1 : depth,
    adjX ? rows : 1,
    adjY ? depth : 1,
    adjY ? 1 : columns,
  ];
  if (x.type === 'FLOAT32') return p.step(batchMatmulFloat32, ([x, w, y] as Argument[]).concat(walk));
  expectQuantized(x, 'the first operand', p);
  expectQuantized(w, 'the second operand', p);
  expectQuantized(y, 'the output', p);
  const q = quantizeMultiplier(fround(x.scale * w.scale) / y.scale);
  if (x.type === 'INT8') {
    const range = typeRange('INT8');
    const zeros = [x.zeroPoint, w.zeroPoint, q.multiplier, q.shift, y.zeroPoint, range.min, range.max];
    const doubles = doubleScaling([q.shift], y.zeroPoint, range.min, 8);
    return p.step(
      batchMatmulInt8,
      ([x, w, new Int32Array(columns), y] as Argument[]).concat(walk, zeros, doubles),
    );
  }
  if (x.zeroPoint || w.zeroPoint || y.zeroPoint)
    p.fail('INT16 must have zero points 0, but they are ' + [x.zeroPoint, w.zeroPoint, y.zeroPoint].join());
  p.step(batchMatmulInt16, ([x, w, y] as Argument[]).concat(walk, [q.multiplier, q.shift]));
}

export const batchMatmulOperators: Operators = { BATCH_MATMUL: prepareBatchMatmul };
