/**
 * STRIDED_SLICE: x[begin:end:stride] in each dimension.
 *
 * Inputs: x, begin, end, strides, the last three constant. Types: all whose elements are whole bytes. Masks as in NumPy:
 * bit i of begin_mask and end_mask makes entry i open, shrink_axis_mask takes one index and drops the dimension.
 * TFLM ignores new_axis_mask, ellipsis_mask and `offset`, takes one entry for each of at most four dimensions, and compares
 * the output's shape with that. So it is done here where the shape fits; otherwise they mean what they do in TFLite.
 */
import { Node, Operators, Options, Preparation } from '../lib/graph';
import { STRIDED_SLICE_OPTIONS } from '../lib/schema';
import { sameShape } from '../lib/tensor';
import { constantInts, expectShape, input } from './checks';
import { copyGrid, misfit, Operands, operandsOf, stridesOf } from './strided_copy';

/** What is taken of x: `shape` with dropped dimensions kept as 1; `output` without them. */
interface Slice {
  output: number[];
  shape: number[];
  start: number;
  strides: number[];
}

function within(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}

/** Resolves the entries against x; `plain` ignores the masks that TFLM ignores. */
function resolve(
  o: Operands,
  begin: number[],
  end: number[],
  strides: number[],
  options: Options,
  plain: boolean,
  p: Preparation,
): Slice {
  const slice: Slice = { output: [], shape: [], start: 0, strides: [] };
  const ellipsis = plain ? 0 : (options.ellipsis_mask as number);
  const newAxis = plain ? 0 : (options.new_axis_mask as number);
  // dimensions that no entry is for: an ellipsis stands for them, or they come last
  let free = o.rank - begin.length;
  for (let i = 0; i < begin.length; i++) if ((ellipsis | newAxis) & (1 << i)) free++;
  const entries: number[] = [];
  for (let i = 0; i < begin.length; i++) {
    if (!(ellipsis & (1 << i))) entries.push(i);
    else for (; free > 0; free--) entries.push(-1);
  }
  for (; free > 0; free--) entries.push(-1);
  let axis = 0;
  for (let k = 0; k < entries.length; k++) {
    const i = entries[k];
    const bit = i < 0 ? 0 : 1 << i;
    if (newAxis & bit) {
      slice.output.push(1);
      continue;
    }
    if (axis >= o.rank) misfit('at most ' + axis + ' entries in begin', [o.x], p);
    const n = o.x.shape[axis];
    const stride = bit ? strides[i] : 1;
    if (!stride) p.fail('expected a stride other than 0');
    const low = stride > 0 ? 0 : -1;
    const high = low + n;
    let from = stride > 0 ? 0 : n - 1;
    let to = stride > 0 ? n : -1;
    if (bit & ~(options.begin_mask as number))
      from = within(begin[i] < 0 ? begin[i] + n : begin[i], low, high);
    if (bit & ~(options.end_mask as number)) {
      to = end[i] + (!plain && options.offset ? from : 0);
      to = within(to < 0 ? to + n : to, low, high);
    }
    let count = Math.max(0, Math.ceil((to - from) / stride));
    if (bit & (options.shrink_axis_mask as number)) {
      count = 1;
      if (from < 0 || from >= n) misfit('an index within dimension ' + axis, [o.x], p);
    } else slice.output.push(count);
    slice.shape.push(count);
    slice.strides.push(o.xs[axis] * stride);
    slice.start += o.xs[axis] * from;
    axis++;
  }
  return slice;
}

function prepareStridedSlice(node: Node, p: Preparation): void {
  const o = operandsOf(node, 0, p);
  const begin = constantInts(input(node, 1, p), 'begin', p);
  const end = constantInts(input(node, 2, p), 'end', p);
  const strides = constantInts(input(node, 3, p), 'the strides', p);
  const options = p.options(STRIDED_SLICE_OPTIONS);
  if (end.length !== begin.length || strides.length !== begin.length)
    p.fail('expected as many entries in begin, end and strides');
  const others = options.ellipsis_mask || options.new_axis_mask || options.offset;
  let slice: Slice | null = null;
  if (begin.length === o.rank || !others) slice = resolve(o, begin, end, strides, options, true, p);
  if (!slice || (others && !sameShape(slice.output, o.y.shape)))
    slice = resolve(o, begin, end, strides, options, false, p);
  expectShape(o.y, slice.output, 'the output', p);
  copyGrid(p, slice.shape, o.x, slice.start, slice.strides, o.y, 0, stridesOf(slice.shape));
}

export const stridedSliceOperators: Operators = { STRIDED_SLICE: prepareStridedSlice };
