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
import { lengthOf, sameShape } from '../lib/tensor';
import { constantInts, input } from './checks';
import { eachBorder, paddingsOf } from './pad';
import { copyGrid, fillOf, misfit, operandsOf, stridesOf, zeros } from './strided_copy';

/** The grid [batch, rows of blocks, row in block, columns of blocks, column in block, channels] in both tensors. */
function prepareDepth(node: Node, p: Preparation): void {
  const o = operandsOf(node, 0, p);
  const toDepth = node.op === 'SPACE_TO_DEPTH';
  const block = p.options(toDepth ? SPACE_TO_DEPTH_OPTIONS : DEPTH_TO_SPACE_OPTIONS).block_size as number;
  const d = (toDepth ? o.y : o.x).shape;
  const s = toDepth ? o.xs : o.ys;
  const c = toDepth ? o.ys : o.xs;
  const channels = d[3] / (block * block);
  if (
    d.length !== 4 ||
    !(block > 0) ||
    !sameShape((toDepth ? o.x : o.y).shape, [d[0], d[1] * block, d[2] * block, channels])
  ) {
    misfit('shapes that blocks of ' + block + ' turn into each other', [o.x, o.y], p);
  }
  const shape = [d[0], d[1], block, d[2], block, channels];
  const space = [s[0], block * s[1], s[1], block * s[2], s[2], 1];
  const deep = [c[0], c[1], block * channels, c[2], channels, 1];
  copyGrid(p, shape, o.x, 0, toDepth ? space : deep, o.y, 0, toDepth ? deep : space);
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
  const o = operandsOf(node, 0, p);
  const toBatches = node.op === 'SPACE_TO_BATCH_ND';
  const block = constantInts(input(node, 1, p), 'the block', p);
  const edges = paddingsOf(input(node, 2, p), block.length, p);
  const space = toBatches ? o.x : o.y;
  const batched = toBatches ? o.y : o.x;
  const shape = space.shape.slice();
  const inner = shape.slice(1, block.length + 1);
  const first: number[] = [];
  let fits = inner.length === block.length;
  for (let i = 0; i < block.length; i++) {
    fits = fits && block[i] > 0;
    shape[0] *= block[i];
    shape[i + 1] = (edges[2 * i] + inner[i] + edges[2 * i + 1]) / block[i];
    first.push(edges[2 * i]);
  }
  if (!fits || !sameShape(batched.shape, shape)) {
    misfit(
      'shapes that blocks of [' + block.join() + '] with [' + edges.join() + '] around turn into each other',
      [o.x, o.y],
      p,
    );
  }
  const batches = space.shape[0];
  copyBlocks(p, space, stridesOf(space.shape), batched, toBatches, block, first, inner, batches);
  if (!toBatches) return;
  const fill = fillOf(o.y.type, o.y.zeroPoint);
  eachBorder(inner, edges, function (axis, start, border) {
    copyBlocks(p, fill, zeros(o.rank), batched, true, block, start, border, batches);
  });
}

export const depthSpaceOperators: Operators = { SPACE_TO_DEPTH: prepareDepth, DEPTH_TO_SPACE: prepareDepth };

export const batchSpaceOperators: Operators = {
  SPACE_TO_BATCH_ND: prepareBatch,
  BATCH_TO_SPACE_ND: prepareBatch,
};
