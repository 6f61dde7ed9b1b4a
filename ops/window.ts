/** Where windows (filters, pools) lie on an input: padding and output sizes. */
import { Preparation } from '../lib/graph';

export interface Window {
  /** Number of windows. */
  count: number;
  /** Elements of padding before the input. */
  before: number;
}

/**
 * Windows of `size` elements, `dilation` apart, every `stride` elements along an input of `length` elements; `padding`
 * as in the schema: 0 SAME, 1 VALID.
 */
export function windows(
  length: number,
  size: number,
  stride: number,
  dilation: number,
  padding: number,
  p: Preparation,
): Window {
  if (stride < 1) p.fail('the stride must be at least 1, but it is ' + stride);
  if (size < 1) p.fail('the filter must have at least 1 element, but it has ' + size);
  if (dilation < 1) p.fail('the dilation must be at least 1, but it is ' + dilation);
  if (padding !== 0 && padding !== 1)
    p.fail('the padding must be 0 (SAME) or 1 (VALID), but it is ' + padding);
  const extent = (size - 1) * dilation + 1;
  const count = Math.floor((padding ? length + stride - extent : length + stride - 1) / stride);
  const before = Math.floor(((count - 1) * stride + extent - length) / 2);
  return { count: count, before: padding || before < 0 ? 0 : before };
}
