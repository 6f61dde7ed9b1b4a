/** Steps of recurrent operators that have a single row to work on. */
import { Argument, Preparation, Tensor, View } from '../lib/graph';
import { copyBytes } from '../lib/prepare';
import { fullyConnectedFloat32 } from './fully_connected';

/** Emits y ← W x + bias, limited to ±limit if that is above 0. bias may be y itself. */
export function rowProduct(
  x: Tensor,
  w: Tensor,
  bias: Argument,
  y: Argument,
  units: number,
  limit: number,
  p: Preparation,
): void {
  const max = limit > 0 ? limit : Infinity;
  p.step(fullyConnectedFloat32, [x, w, bias, y, 1, w.shape[1], units, -max, max]);
}

/** Emits a copy of float values. */
export function copyRow(from: View, to: View, p: Preparation): void {
  const bytes = 4 * from.length;
  p.step(copyBytes, [
    { of: from.of, type: 'UINT8', offset: from.offset, length: bytes },
    { of: to.of, type: 'UINT8', offset: to.offset, length: bytes },
  ]);
}
