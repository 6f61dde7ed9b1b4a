/**
 * Rare operators along a sequence; TFLM has none of them.
 *
 * RANGE: start, start + delta, …, up to but without limit. Inputs: three scalars, INT32 or FLOAT32. Output: one dimension, as
 * long as the range; a range that turns out longer or shorter is an error of the step.
 * SEGMENT_SUM: the sums of the rows that have the same number. Inputs: x, FLOAT32 or INT32; the rows' numbers, INT32, which must not
 * decrease nor reach beyond the output.
 * REVERSE_SEQUENCE: the first `length` elements along seq_dim reversed, for each index of batch_dim its own length. Inputs: x of any
 * type of 1, 2, 4 or 8 bytes; the lengths, INT32.
 * MATRIX_DIAG: [..., n] to [..., n, n], 0 beside the diagonal. Types: as REVERSE_SEQUENCE.
 */
import { Node, Operators, Preparation, Tensor, TypedArray, View } from '../lib/graph';
import { REVERSE_SEQUENCE_OPTIONS } from '../lib/schema';
import { describe, elementBytes, lengthOf } from '../lib/tensor';
import { axisWithin, expectRank, expectShape, expectType, input, output } from './checks';

const MOVED = 'FLOAT32 INT8 UINT8 BOOL INT16 INT32 INT64';

/** A tensor seen as 8, 16 or 32-bit integers: kernels that move bits have three array types. */
function bitsOf(x: Tensor): View {
  const bytes = elementBytes(x.type);
  return {
    of: x,
    type: bytes === 1 ? 'INT8' : bytes === 2 ? 'INT16' : 'INT32',
    offset: 0,
    length: x.length * wordsOf(x),
  };
}

/** How many elements of `bitsOf` one element is. */
function wordsOf(x: Tensor): number {
  return elementBytes(x.type) > 4 ? 2 : 1;
}

/** Kernel: y = start + i · delta; fails if that is not what lies before the limit. */
export function range(
  start: TypedArray,
  limit: TypedArray,
  delta: TypedArray,
  y: TypedArray,
  n: number,
): void {
  const length = Math.ceil((limit[0] - start[0]) / delta[0]);
  if ((length > 0 ? length : 0) !== n) {
    throw new Error(
      'the range from ' +
        start[0] +
        ' to ' +
        limit[0] +
        ' by ' +
        delta[0] +
        ' does not have ' +
        n +
        ' elements',
    );
  }
  for (let i = 0; i < n; i++) y[i] = start[0] + i * delta[0];
}

function prepareRange(node: Node, p: Preparation): void {
  const y = output(node, 0, p);
  expectType(y, 'FLOAT32 INT32', 'the output', p);
  expectRank(y, 1, 'the output', p);
  for (let i = 0; i < 3; i++) {
    expectType(input(node, i, p), y.type, 'input ' + i, p);
    if (input(node, i, p).length !== 1)
      p.fail('input ' + i + ' must have one element, but it is ' + describe(input(node, i, p)));
  }
  p.step(range, [input(node, 0, p), input(node, 1, p), input(node, 2, p), y, y.length]);
}

/** Kernel: adds up rows of `size` elements by their numbers. */
export function segmentSum(
  x: TypedArray,
  ids: Int32Array,
  y: TypedArray,
  count: number,
  size: number,
  segments: number,
): void {
  for (let i = 0; i < segments * size; i++) y[i] = 0;
  for (let row = 0; row < count; row++) {
    const id = ids[row];
    if (id < 0 || id >= segments || (row && id < ids[row - 1])) {
      throw new Error(
        'segment number ' + id + ' of row ' + row + ' is out of order or not below ' + segments,
      );
    }
    for (let i = 0; i < size; i++) y[id * size + i] += x[row * size + i];
  }
}

function prepareSegmentSum(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const ids = input(node, 1, p);
  const y = output(node, 0, p);
  expectType(x, 'FLOAT32 INT32', 'the input', p);
  expectType(ids, 'INT32', 'the segment numbers', p);
  expectType(y, x.type, 'the output', p);
  expectShape(ids, x.shape.slice(0, 1), 'the segment numbers', p);
  if (!y.shape.length) p.fail('the output must have at least one dimension, but it is ' + describe(y));
  expectShape(y, [y.shape[0]].concat(x.shape.slice(1)), 'the output', p);
  p.step(segmentSum, [x, ids, y, ids.length, lengthOf(x.shape.slice(1)), y.shape[0]]);
}

/**
 * Kernel: copies `rows` rows of `size` elements; row r is number r / batchStep mod batches in the batch and
 * r / step mod depth in its sequence.
 */
export function reverseSequence(
  x: TypedArray,
  lengths: Int32Array,
  y: TypedArray,
  rows: number,
  size: number,
  batches: number,
  batchStep: number,
  depth: number,
  step: number,
): void {
  for (let row = 0; row < rows; row++) {
    const length = lengths[Math.floor(row / batchStep) % batches];
    const at = Math.floor(row / step) % depth;
    if (length < 0 || length > depth)
      throw new Error('a sequence length is ' + length + ', but there are ' + depth + ' elements');
    let i = (at < length ? row + (length - 1 - 2 * at) * step : row) * size;
    for (let k = row * size, end = k + size; k < end; k++) y[k] = x[i++];
  }
}

function prepareReverseSequence(node: Node, p: Preparation): void {
  const options = p.options(REVERSE_SEQUENCE_OPTIONS);
  const x = input(node, 0, p);
  const lengths = input(node, 1, p);
  const y = output(node, 0, p);
  expectType(x, MOVED, 'the input', p);
  expectType(lengths, 'INT32', 'the lengths', p);
  expectType(y, x.type, 'the output', p);
  expectShape(y, x.shape, 'the output', p);
  const sequence = axisWithin(options.seq_dim as number, x.shape.length, p);
  const batch = axisWithin(options.batch_dim as number, x.shape.length, p);
  if (sequence === batch) p.fail('seq_dim and batch_dim must differ, but both are ' + batch);
  expectShape(lengths, [x.shape[batch]], 'the lengths', p);
  const last = Math.max(sequence, batch) + 1;
  p.step(reverseSequence, [
    bitsOf(x),
    lengths,
    bitsOf(y),
    lengthOf(x.shape.slice(0, last)),
    lengthOf(x.shape.slice(last)) * wordsOf(x),
    x.shape[batch],
    lengthOf(x.shape.slice(batch + 1, last)),
    x.shape[sequence],
    lengthOf(x.shape.slice(sequence + 1, last)),
  ]);
}

/** Kernel: `count` diagonals of `n` elements of `words` become matrices. */
export function diagonal(x: TypedArray, y: TypedArray, count: number, n: number, words: number): void {
  let k = 0;
  for (let row = 0; row < count * n; row++) {
    for (let column = 0; column < n; column++) {
      for (let w = 0; w < words; w++) y[k++] = column === row % n ? x[row * words + w] : 0;
    }
  }
}

function prepareMatrixDiag(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const rank = x.shape.length;
  expectType(x, MOVED, 'the input', p);
  expectType(y, x.type, 'the output', p);
  if (!rank) p.fail('the input must have at least one dimension, but it is ' + describe(x));
  const n = x.shape[rank - 1];
  expectShape(y, x.shape.concat([n]), 'the output', p);
  p.step(diagonal, [bitsOf(x), bitsOf(y), lengthOf(x.shape.slice(0, rank - 1)), n, wordsOf(x)]);
}

export const sequenceOperators: Operators = {
  RANGE: prepareRange,
  SEGMENT_SUM: prepareSegmentSum,
  REVERSE_SEQUENCE: prepareReverseSequence,
  MATRIX_DIAG: prepareMatrixDiag,
};
