/** Recurrent operators on Espruino. */
import type { TypedArray } from '../../lib/graph';
import { call, clamping, clampTable, reachable, type Args, type Replacement } from './replacement';
import { scalingOf, stepsOf } from './scaling';

const RECURRENT = 'engines/espruino/recurrent';

/** An SVDF from its features on: the whole row of a unit is one product. */
export function svdfInt8(args: Args, isConstant: (array: TypedArray) => boolean): Replacement | null {
  const [features, w, bias, state, next, y] = args as (Int8Array | Int16Array)[];
  const [batches, units, rank, memory, multiplier, shift, zero] = args.slice(6) as number[];
  if (batches !== 1 || units === 0 || !isConstant(w) || shift > 0) return null;
  if (!reachable(state)) return null;
  const size = rank * memory;
  const last = state.length - 1;
  // sums wrap at 32 bits
  const steps = stepsOf(multiplier, shift, zero + 128, 2 ** 31 - 1);
  const found = scalingOf(multiplier, shift, zero + 128, steps);
  if (!found) return null;
  const scaling = [found.m, found.minus, found.plus];
  const ends = [clamping(units), next, y, clampTable(-128, 127)];
  if (rank === 1) {
    const operands = [units, 0, last, memory, state, w, features, bias];
    return call(RECURRENT, 'svdfInt8', [...operands, ...scaling, ...ends]);
  }
  const operands = [units, 0, last, size, state, w, features.length, features, bias];
  return call(RECURRENT, 'svdfRanksInt8', [...operands, ...scaling, memory, ...ends]);
}

/** The same in float32, of rank 1 and without an activation. */
export function svdfFloat32(args: Args, isConstant: (array: TypedArray) => boolean): Replacement | null {
  const [features, w, bias, state, next, y] = args as Float32Array[];
  const [batches, units, rank, memory, activation] = args.slice(6) as number[];
  if (batches !== 1 || rank !== 1 || activation || !isConstant(w) || !reachable(state)) return null;
  return call(RECURRENT, 'svdfFloat32', [units, state.length - 1, memory, state, w, features, y, bias, next]);
}
