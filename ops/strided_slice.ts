/**
 * STRIDED_SLICE: x[begin:end:stride] in each dimension.
 *
 * Inputs: x, begin, end, strides, the last three constant. Types: all whose elements are whole bytes. Masks as in NumPy:
 * bit i of begin_mask and end_mask makes entry i open, shrink_axis_mask takes one index and drops the dimension.
 * TFLM ignores new_axis_mask, ellipsis_mask and `offset`, takes one entry for each of at most four dimensions, and compares
 * the output's shape with that. So it is done here where the shape fits; otherwise they mean what they do in TFLite.
 */
import { Node, Operators, Options, Preparation, Tensor } from '../lib/graph';
import { STRIDED_SLICE_OPTIONS } from '../lib/schema';
import { describe, sameShape } from '../lib/tensor';
import { constantInts, input, output } from './checks';
import { copyGrid, expectSameMovable, stridesOf } from './strided_copy';

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

/** Resolves the entries against x; `plain` ignores the masks that TFLM ignores. Returns null if there are too many. */
function resolve(
  x: Tensor,
  begin: number[],
  end: number[],
  strides: number[],
  options: Options,
  plain: boolean,
  p: Preparation,
): Slice | null {
  const slice: Slice = { output: [], shape: [], start: 0, strides: [] };
  const ellipsis = plain ? 0 : (options.ellipsis_mask as number);
  const newAxis = plain ? 0 : (options.new_axis_mask as number);
  const step = stridesOf(x.shape);
  // how many dimensions an ellipsis stands for, and which are left over at the end
  let free = x.shape.length - begin.length;
  for (let i = 0; i < begin.length; i++) if ((ellipsis | newAxis) & (1 << i)) free++;
  let axis = 0;

  /** Takes `count` elements of the next dimension, or one and drops the dimension if −1. */
  function take(count: number, from: number, stride: number): void {
    slice.shape.push(count < 0 ? 1 : count);
    slice.strides.push(step[axis] * stride);
    slice.start += step[axis] * from;
    if (count >= 0) slice.output.push(count);
    axis++;
  }

  for (let i = 0; i < begin.length; i++) {
    const bit = 1 << i;
    if (ellipsis & bit) {
      for (; free > 0; free--) take(x.shape[axis], 0, 1);
      continue;
    }
    if (newAxis & bit) {
      slice.output.push(1);
      continue;
    }
    if (axis >= x.shape.length) return null;
    const n = x.shape[axis];
    const stride = strides[i];
    if (!stride) p.fail('stride ' + i + ' must not be 0');
    const shrink = (options.shrink_axis_mask as number) & bit;
    const low = stride > 0 ? 0 : -1;
    const high = stride > 0 ? n : n - 1;
    let from = within(begin[i] < 0 ? begin[i] + n : begin[i], low, high);
    if ((options.begin_mask as number) & bit) from = stride > 0 ? 0 : n - 1;
    let to = end[i] + (!plain && options.offset ? from : 0);
    to = within(to < 0 ? to + n : to, low, high);
    if ((options.end_mask as number) & bit) to = stride > 0 ? n : -1;
    if (shrink && (from < 0 || from >= n))
      p.fail('index ' + begin[i] + ' is outside of dimension ' + axis + ' of ' + describe(x));
    take(shrink ? -1 : Math.max(0, Math.ceil((to - from) / stride)), from, stride);
  }
  while (axis < x.shape.length) take(x.shape[axis], 0, 1);
  return slice;
}

function prepareStridedSlice(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const begin = constantInts(input(node, 1, p), 'begin', p);
  const end = constantInts(input(node, 2, p), 'end', p);
  const strides = constantInts(input(node, 3, p), 'the strides', p);
  const y = output(node, 0, p);
  const options = p.options(STRIDED_SLICE_OPTIONS);
  expectSameMovable(x, y, p);
  if (end.length !== begin.length || strides.length !== begin.length) {
    p.fail(
      'begin, end and strides must have as many entries, but they have ' +
        begin.length +
        ', ' +
        end.length +
        ' and ' +
        strides.length,
    );
  }
  let slice = resolve(x, begin, end, strides, options, true, p);
  if (!slice || !sameShape(slice.output, y.shape)) slice = resolve(x, begin, end, strides, options, false, p);
  if (!slice) p.fail('begin has ' + begin.length + ' entries, too many for ' + describe(x));
  else if (!sameShape(slice.output, y.shape))
    p.fail('it gives shape [' + slice.output.join() + '], but the output is ' + describe(y));
  else copyGrid(p, slice.shape, x, slice.start, slice.strides, y, 0, stridesOf(slice.shape));
}

export const stridedSliceOperators: Operators = { STRIDED_SLICE: prepareStridedSlice };
