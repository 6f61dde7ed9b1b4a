/**
 * SPACE_TO_DEPTH, DEPTH_TO_SPACE: blocks of pixels to channels and back. x: [batch, height, width, channels].
 * SPACE_TO_BATCH_ND (x, block, paddings), BATCH_TO_SPACE_ND (x, block, crops): every block_i-th element along each of the
 * m = length of `block` dimensions after the first goes to a batch of its own, and back. TFLM takes m = 1 in 3-D and
 * m = 2 in 4-D tensors; here any m will do.
 *
 * Block, paddings and crops are constant, INT32 or INT64. Types: all whose elements are whole bytes. Padding is the zero
 * point in INT8 and UINT8 as in TFLite, else 0 (TFLM takes it from memory that it never sets).
 */
import { Node, Operators, Preparation, Tensor, TypedArray } from '../lib/graph';
import { DEPTH_TO_SPACE_OPTIONS, SPACE_TO_DEPTH_OPTIONS } from '../lib/schema';
import { describe, lengthOf } from '../lib/tensor';
import { constantInts, expectRank, input, output } from './checks';
import { eachBorder, paddingsOf, padValueOf } from './pad';
import { copyGrid, expectSameMovable, stridesOf } from './strided_copy';

/** The grid [batch, rows of blocks, row in block, columns of blocks, column in block, channels] in both tensors. */
function prepareDepth(node: Node, p: Preparation): void {
  const toDepth = node.op === 'SPACE_TO_DEPTH';
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const block = p.options(toDepth ? SPACE_TO_DEPTH_OPTIONS : DEPTH_TO_SPACE_OPTIONS).block_size as number;
  expectSameMovable(x, y, p);
  expectRank(x, 4, 'the input', p);
  expectRank(y, 4, 'the output', p);
  if (!(block > 0)) p.fail('the block size must be at least 1, but it is ' + block);
  const space = toDepth ? x : y;
  const deep = toDepth ? y : x;
  const d = deep.shape;
  const channels = Math.floor(d[3] / (block * block));
  const wanted = [d[0], d[1] * block, d[2] * block, channels];
  if (channels * block * block !== d[3] || space.shape.join() !== wanted.join()) {
    p.fail(describe(x) + ' does not become ' + describe(y) + ' with blocks of ' + block);
  }
  const s = stridesOf(space.shape);
  const c = stridesOf(d);
  const shape = [d[0], d[1], block, d[2], block, channels];
  const spaceStrides = [s[0], block * s[1], s[1], block * s[2], s[2], 1];
  const deepStrides = [c[0], c[1], block * channels, c[2], channels, 1];
  copyGrid(p, shape, x, 0, toDepth ? spaceStrides : deepStrides, y, 0, toDepth ? deepStrides : spaceStrides);
}

/**
 * Copies between a tensor in space and one in batches: `count` positions from `first` on, in the padded space.
 * @param space the tensor, or the array that a fill takes its value from (to the batches)
 * @param strides of the tensor in space; 0 for a fill
 */
function copyBlocks(
  p: Preparation,
  space: Tensor | TypedArray,
  strides: number[],
  batched: Tensor,
  toBatches: boolean,
  block: number[],
  first: number[],
  count: number[],
  batches: number,
): void {
  const b = stridesOf(batched.shape);

  /** A grid of the first `i` dimensions is complete; cuts the next into a part of a block, whole blocks, and a part. */
  function cut(i: number, shape: number[], f: number[], t: number[], start: number, at: number): void {
    if (i === block.length) {
      const rest = batched.shape.slice(i + 1);
      const all = [batches].concat(shape, rest);
      const from = [strides[0]].concat(f, strides.slice(i + 1));
      const to = [b[0]].concat(t, b.slice(i + 1));
      if (toBatches) copyGrid(p, all, space, start, from, batched, at, to);
      else copyGrid(p, all, batched, at, to, space as Tensor, start, from);
      return;
    }
    const size = block[i];
    const step = b[0] * batches * lengthOf(block.slice(i + 1));
    const end = first[i] + count[i];
    for (let q = first[i]; q < end;) {
      const within = q % size;
      const whole = within ? 0 : Math.floor((end - q) / size);
      const width = whole ? size : Math.min(size - within, end - q);
      const rows = whole || 1;
      cut(
        i + 1,
        shape.concat([rows, width]),
        f.concat([strides[i + 1] * size, strides[i + 1]]),
        t.concat([b[i + 1], step]),
        start + (q - first[i]) * strides[i + 1],
        at + Math.floor(q / size) * b[i + 1] + within * step,
      );
      q += rows * width;
    }
  }

  cut(0, [], [], [], 0, 0);
}

function prepareBatch(node: Node, p: Preparation): void {
  const toBatches = node.op === 'SPACE_TO_BATCH_ND';
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const block = constantInts(input(node, 1, p), 'the block', p);
  const edges = paddingsOf(input(node, 2, p), block.length, p);
  const space = toBatches ? x : y;
  const batched = toBatches ? y : x;
  const m = block.length;
  expectSameMovable(x, y, p);
  if (x.shape.length < m + 1) p.fail('a block of ' + m + ' dimensions does not fit ' + describe(x));
  const shape = space.shape.slice();
  const inner = space.shape.slice(1, m + 1);
  const first: number[] = [];
  for (let i = 0; i < m; i++) {
    if (!(block[i] > 0))
      p.fail('the block must be at least 1 in each dimension, but it is [' + block.join() + ']');
    shape[0] *= block[i];
    shape[i + 1] = (edges[2 * i] + space.shape[i + 1] + edges[2 * i + 1]) / block[i];
    first.push(edges[2 * i]);
  }
  if (batched.shape.join() !== shape.join()) {
    p.fail(
      describe(x) +
        ' does not become ' +
        describe(y) +
        ' with the block [' +
        block.join() +
        '] and [' +
        edges.join() +
        '] around',
    );
  }
  copyBlocks(p, space, stridesOf(space.shape), batched, toBatches, block, first, inner, space.shape[0]);
  if (!toBatches) return;
  const still = space.shape.map(function () {
    return 0;
  });
  eachBorder(inner, edges, function (axis, start, border) {
    copyBlocks(p, padValueOf(y, p), still, y, true, block, start, border, x.shape[0]);
  });
}

export const spaceOperators: Operators = {
  SPACE_TO_DEPTH: prepareDepth,
  DEPTH_TO_SPACE: prepareDepth,
  SPACE_TO_BATCH_ND: prepareBatch,
  BATCH_TO_SPACE_ND: prepareBatch,
};
