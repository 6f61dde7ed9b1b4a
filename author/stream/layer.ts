/** What a layer of a stream model is. */
import type { Tensor } from '../../lib/graph';
import type { Sequence } from './sequence';
import type { StreamGraph } from './stream_graph';

/** Real numbers, in row-major order. */
export type Values = ArrayLike<number>;

/** What a layer gives at every reading. */
export interface Stream {
  /** Name of the layer that gives it. */
  readonly name: string;
  /** Shape of the values at one reading: [features], or [bands, channels]. */
  readonly shape: readonly number[];
  /** Number of values at one reading. */
  readonly size: number;
  /**
   * Number of readings at the start whose values do not count, because a window was not full yet. Layers with state
   * wait that long before they change it.
   */
  readonly warmup: number;
}

/** One layer, in both of its forms: as operators that do one step, and as a function of whole sequences. */
export interface Layer {
  readonly output: Stream;
  readonly inputs: readonly Stream[];
  /** Adds the operators of one step; returns the output, [1, size]. */
  emit(graph: StreamGraph, inputs: Tensor[]): Tensor;
  /** All outputs for all readings, in double precision. */
  run(inputs: Sequence[]): Sequence;
  /**
   * The layer that gives scale ⊙ y + offset, with both along the last dimension; absent or null for layers that cannot
   * take them into their weights.
   */
  scaled?(scale: Values, offset: Values, output: Stream): Layer | null;
}

export function stream(name: string, shape: readonly number[], warmup = 0): Stream {
  return { name, shape, warmup, size: shape.reduce((product, n) => product * n, 1) };
}

/** Last dimension of a stream. */
export function lastOf(x: Stream): number {
  return x.shape[x.shape.length - 1];
}

/** @throws Error when weights or initial values have not the number that the layer needs, or are not finite */
export function checkValues(layer: string, what: string, values: Values, shape: readonly number[]): void {
  const expected = shape.reduce((product, n) => product * n, 1);
  if (values.length !== expected) {
    throw new Error(
      `layer "${layer}": ${what} needs ${shape.join(' × ')} = ${expected} values, not ${values.length}`,
    );
  }
  for (let i = 0; i < expected; i++) {
    if (!Number.isFinite(values[i]))
      throw new Error(`layer "${layer}": value ${i} of ${what} is ${values[i]}`);
  }
}

/** @throws Error when a size is no whole number from `least` on */
export function checkCount(layer: string, what: string, value: number, least = 1): void {
  if (!Number.isInteger(value) || value < least) {
    throw new Error(`layer "${layer}": ${what} must be a whole number from ${least} on, not ${value}`);
  }
}

/** @throws Error when a share does not lie between 0 and 1 */
export function checkShare(layer: string, what: string, value: number): void {
  if (!(value > 0 && value <= 1)) {
    throw new Error(`layer "${layer}": ${what} must be above 0 and at most 1, not ${value}`);
  }
}
