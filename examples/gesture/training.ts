/** Training of the gesture model with TensorFlow.js: train.ts is the command. */
import * as tf from '@tensorflow/tfjs';
import { random, type Random } from '../../author/random';
import { LABELS, RANDOM, type Recording, type Variation, VARIATION, vary } from './data';
import type { Sequences } from './gru';
import { cost, INPUT_SCALE, type Lesson, type Network, newNetwork } from './network';

export interface Settings {
  units: number;
  epochs: number;
  batch: number;
  /** How often an epoch goes through movements that are no gesture: few are recorded, and no two are alike. */
  repeat: number;
  rate: number;
  /** Share of the state's units that the recurrence, and the output layer, do not see. */
  dropout: number;
  decay: number;
  smoothing: number;
  early: number;
  seed: number;
  variation: Variation;
}

export const SETTINGS: Settings = {
  units: 22,
  epochs: 1200,
  batch: 64,
  repeat: 2,
  rate: 0.01,
  dropout: 0.15,
  decay: 1e-4,
  smoothing: 0.05,
  early: 0.12,
  seed: 1,
  variation: VARIATION,
};

interface Sample {
  readings: number[][];
  label: number;
}

/** Samples one after the other. */
function pack(samples: Sample[]): Sequences {
  const starts = [0];
  for (const { readings } of samples) starts.push(starts[starts.length - 1] + readings.length);
  const x = new Float32Array(starts[samples.length] * 3);
  samples.forEach(({ readings }, i) =>
    readings.forEach((reading, t) =>
      reading.forEach((value, axis) => (x[(starts[i] + t) * 3 + axis] = value / INPUT_SCALE)),
    ),
  );
  return { x, starts, mask: null };
}

/** Mask of dropout: 0, or what keeps the mean. */
function mask(rows: number, columns: number, share: number, next: Random): Float32Array {
  const result = new Float32Array(rows * columns);
  for (let i = 0; i < result.length; i++) result[i] = next() < share ? 0 : 1 / (1 - share);
  return result;
}

/** What the samples of a batch teach: the last readings decide; earlier ones help to decide early. */
function lesson(samples: Sample[], settings: Settings, next: Random): Lesson {
  const sequences = pack(samples);
  const { starts } = sequences;
  const total = starts[samples.length];
  const targets = new Float32Array(total * LABELS.length).fill(settings.smoothing / LABELS.length);
  const weights = new Float32Array(total);
  samples.forEach(({ label, readings }, i) =>
    readings.forEach((_, t) => {
      targets[(starts[i] + t) * LABELS.length + label] += 1 - settings.smoothing;
      const left = readings.length - 1 - t;
      weights[starts[i] + t] = left === 0 ? 1 : left < 3 ? 0.5 : t >= 5 ? settings.early : 0;
    }),
  );
  const seen = mask(total, settings.units, settings.dropout, next);
  sequences.mask = mask(samples.length, settings.units, settings.dropout, next);
  return { sequences, seen, targets, weights };
}

/** The cost of a lesson, and of great weights. */
function loss(network: Network, of: Lesson, decay: number): tf.Scalar {
  const shrink = [0, 2, 4].map((i) => tf.sum(tf.square(network.variables[i])));
  return tf.add(cost(network, of), tf.mul(tf.addN(shrink), decay));
}

/** Trains on recordings; gives the network with the average of its weights over the last quarter. */
export function train(
  recordings: Recording[],
  settings: Settings,
  progress: (epoch: number, loss: number) => void,
): Network {
  const next = random(settings.seed);
  const network = newNetwork(3, settings.units, LABELS.length, next);
  const optimizer = tf.train.adam(settings.rate);
  const sums = network.variables.map((variable) => new Float64Array(variable.size));
  let averaged = 0;
  for (let epoch = 0; epoch < settings.epochs; epoch++) {
    const done = epoch / settings.epochs;
    (optimizer as unknown as { learningRate: number }).learningRate =
      settings.rate * Math.min(1, (epoch + 1) / 4) * (0.03 + 0.97 * 0.5 * (1 + Math.cos(Math.PI * done)));
    const order = recordings.flatMap((one) =>
      new Array<Recording>(one.label === RANDOM ? settings.repeat : 1).fill(one),
    );
    for (let i = order.length - 1; i > 0; i--) {
      const k = next.integer(0, i);
      [order[i], order[k]] = [order[k], order[i]];
    }
    let last = 0;
    const batches = Math.round(order.length / settings.batch);
    for (let i = 0; i < batches; i++) {
      const part = order.slice(
        Math.round((i * order.length) / batches),
        Math.round(((i + 1) * order.length) / batches),
      );
      const samples = part.map((recording) => ({
        readings: vary(recording, settings.variation, next),
        label: recording.label,
      }));
      last += tf.tidy(
        () =>
          optimizer
            .minimize(
              () => loss(network, lesson(samples, settings, next), settings.decay),
              true,
              network.variables,
            )!
            .dataSync()[0] / batches,
      );
    }
    if (epoch >= Math.floor(settings.epochs * 0.75)) {
      averaged++;
      network.variables.forEach((variable, i) =>
        variable.dataSync().forEach((value, k) => (sums[i][k] += value)),
      );
    }
    progress(epoch + 1, last);
  }
  network.variables.forEach((variable, i) =>
    variable.assign(
      tf.tensor(
        Float32Array.from(sums[i], (value) => value / averaged),
        variable.shape,
      ),
    ),
  );
  optimizer.dispose();
  return network;
}
