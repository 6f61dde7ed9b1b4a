/** Weights to .tflite: the float step model, and its int8 form with int8 state. */
import { readModel } from '../../author/options';
import { quantizeModel } from '../../author/quantize';
import { gruModel } from '../../author/recurrent';
import { strip } from '../../author/strip';
import { writeModel } from '../../author/writer';
import { load } from '../../lib/index';
import { LABELS, type Recording } from './data';
import { type Network, weightsOf } from './network';

/** The model for one reading: input "x" [1, 3] in raw units, output "y" [1, 6], state "h" [1, units]. */
export function floatModel(network: Network): Uint8Array {
  const graph = gruModel({
    inputs: 3,
    units: network.units,
    outputs: network.outputs,
    weights: weightsOf(network),
  });
  return writeModel(strip(graph));
}

/** Quantizes the model with its state. Readings are integers from −128 to 127 already: as int8 they lose nothing. */
export function int8Model(float: Uint8Array, recordings: Recording[]): Uint8Array {
  const streams = recordings.map(({ readings }) => readings);
  const { graph } = quantizeModel(readModel(float), streams, {
    perUnit: true,
    ranges: { x: { low: -128, high: 127 } },
  });
  return writeModel(strip(graph));
}

export interface Result {
  /** Recordings that are right at their last reading. */
  right: number;
  /** Mean number of readings from the first one to the one from which the decision stays as it is at the last. */
  readings: number;
  /** [labels, labels]: recordings of a gesture (row) decided as another (column). */
  confusion: number[][];
}

/** Where the greatest score is. */
export function decide(scores: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i] > scores[best]) best = i;
  return best;
}

/** Runs recordings through a model with Engram, each from the initial state. */
export function judge(model: Uint8Array, recordings: Recording[]): Result {
  const loaded = load(model);
  const result: Result = { right: 0, readings: 0, confusion: LABELS.map(() => LABELS.map(() => 0)) };
  for (const { readings, label } of recordings) {
    loaded.reset();
    const decisions = readings.map((reading) => decide(loaded.step(reading) as Float32Array));
    const last = decisions[decisions.length - 1];
    let settled = decisions.length;
    while (settled > 1 && decisions[settled - 2] === last) settled--;
    result.confusion[label][last]++;
    if (last === label) result.right++;
    result.readings += settled / recordings.length;
  }
  return result;
}
