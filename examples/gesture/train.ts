import * as path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { random, type Random } from '../../author/random';
import { type Recording, LABELS, readRecordings, type Variation, VARIATION, vary } from './data';
import type { Sequences } from './gru';
import { forward, INPUT_SCALE, type Network, newNetwork } from './network';

export interface Settings {
  units: number;
  epochs: number;
  batch: number;
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
  epochs: 400,
  batch: 64,
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
  return Float32Array.from({ length: rows * columns }, () => (next.uniform(0, 1) < share ? 0 : 1 / (1 - share)));
}

function loss(network: Network, samples: Sample[], settings: Settings, teachers: Network[], next: Random): tf.Scalar {
  const sequences = pack(samples);
  const { starts } = sequences;
  const total = starts[samples.length];
  let targets: tf.Tensor2D;
  const labels = new Float32Array(total * LABELS.length).fill(settings.smoothing / LABELS.length);
  const weights = new Float32Array(total);
  let sum = 0;
  samples.forEach(({ label, readings }, i) =>
    readings.forEach((_, t) => {
      labels[(starts[i] + t) * LABELS.length + label] += 1 - settings.smoothing;
      // the last readings decide; earlier ones help to decide early
      const left = readings.length - 1 - t;
      const weight = left === 0 ? 1 : left < 3 ? 0.5 : t >= 5 ? settings.early : 0;
      weights[starts[i] + t] = weight;
      sum += weight;
    }),
  );
  targets = tf.tensor2d(labels, [total, LABELS.length]);
  if (teachers.length) {
    const soft = tf.mul(tf.addN(teachers.map((teacher) => tf.softmax(forward(teacher, sequences, null)))), 1 / teachers.length);
    targets = tf.add(tf.mul(targets, 0.3), tf.mul(soft, 0.7));
  }
  const seen = mask(total, settings.units, settings.dropout, next);
  const logits = forward(
    network,
    { ...sequences, mask: mask(samples.length, settings.units, settings.dropout, next) },
    tf.tensor2d(seen, [total, settings.units]),
  );
  const each = tf.neg(tf.sum(tf.mul(targets, tf.logSoftmax(logits)), 1));
  const data = tf.div(tf.sum(tf.mul(each, tf.tensor1d(weights))), sum);
  const shrink = [0, 2, 4].map((i) => tf.sum(tf.square(network.variables[i])));
  return tf.add(data, tf.mul(tf.addN(shrink), settings.decay));
}

/** Logits of each recording at each reading. */
export function logitsOf(networks: Network[], recordings: Sample[]): number[][][] {
  return tf.tidy(() => {
    const sequences = pack(recordings);
    const all = tf.addN(networks.map((network) => tf.softmax(forward(network, sequences, null)))).arraySync() as number[][];
    return recordings.map((_, i) => all.slice(sequences.starts[i], sequences.starts[i + 1]));
  });
}

export function decisions(networks: Network[], recordings: Sample[]): number[][] {
  return logitsOf(networks, recordings).map((steps) => steps.map((step) => step.indexOf(Math.max(...step))));
}

/** Share of recordings that are right at their last reading. */
export function accuracy(networks: Network[], recordings: Recording[]): number {
  const all = decisions(networks, recordings);
  return recordings.filter(({ label }, i) => all[i][all[i].length - 1] === label).length / recordings.length;
}

/** Trains on recordings; gives the network with the average of its weights over the last quarter. */
export function train(
  recordings: Recording[],
  settings: Settings,
  teachers: Network[],
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
    const order = recordings.slice();
    for (let i = order.length - 1; i > 0; i--) {
      const k = next.integer(0, i);
      [order[i], order[k]] = [order[k], order[i]];
    }
    let last = 0;
    const batches = Math.round(order.length / settings.batch);
    for (let i = 0; i < batches; i++) {
      const part = order.slice(Math.round((i * order.length) / batches), Math.round(((i + 1) * order.length) / batches));
      const samples = part.map((recording) => ({ readings: vary(recording, settings.variation, next), label: recording.label }));
      last += tf.tidy(
        () => optimizer.minimize(() => loss(network, samples, settings, teachers, next), true, network.variables)!.dataSync()[0] / batches,
      );
    }
    if (epoch >= settings.epochs * 0.75) {
      averaged++;
      network.variables.forEach((variable, i) => variable.dataSync().forEach((value, k) => (sums[i][k] += value)));
    }
    progress(epoch + 1, last);
  }
  network.variables.forEach((variable, i) =>
    variable.assign(tf.tensor(Float32Array.from(sums[i], (value) => value / averaged), variable.shape)),
  );
  optimizer.dispose();
  return network;
}
