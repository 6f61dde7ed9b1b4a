/**
 * Trains the gesture model with TensorFlow.js: `npx tsx examples/gesture/train.ts [--folds 5 | --final]`.
 * Reproducible from a seed.
 */
import * as path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { random, type Random } from '../../author/random';
import { type Recording, LABELS, readRecordings, vary } from './data';
import { forward, INPUT_SCALE, type Network, newNetwork } from './network';

export interface Settings {
  units: number;
  epochs: number;
  batch: number;
  rate: number;
  dropout: number;
  decay: number;
  seed: number;
}

export const SETTINGS: Settings = { units: 20, epochs: 120, batch: 64, rate: 0.01, dropout: 0.15, decay: 1e-4, seed: 1 };

/** A batch: readings padded at their end, and how much each time step counts. */
function pack(samples: { readings: number[][]; label: number }[]): { x: tf.Tensor3D; weights: tf.Tensor2D; labels: tf.Tensor2D } {
  const time = Math.max(...samples.map((s) => s.readings.length));
  const x = new Float32Array(samples.length * time * 3);
  const weights = new Float32Array(samples.length * time);
  samples.forEach(({ readings }, i) => {
    readings.forEach((reading, t) => {
      reading.forEach((value, axis) => (x[(i * time + t) * 3 + axis] = value / INPUT_SCALE));
      // the last readings decide; earlier ones help to decide early
      const left = readings.length - 1 - t;
      weights[i * time + t] = left === 0 ? 1 : left < 3 ? 0.5 : t >= 5 ? 0.12 : 0;
    });
  });
  return {
    x: tf.tensor3d(x, [samples.length, time, 3]),
    weights: tf.tensor2d(weights, [samples.length, time]),
    labels: tf.oneHot(tf.tensor1d(samples.map((s) => s.label), 'int32'), LABELS.length) as tf.Tensor2D,
  };
}

function loss(network: Network, samples: { readings: number[][]; label: number }[], settings: Settings, next: Random): tf.Scalar {
  const { x, weights, labels } = pack(samples);
  const kept = Array.from({ length: samples.length * settings.units }, () => (next.uniform(0, 1) < settings.dropout ? 0 : 1 / (1 - settings.dropout)));
  const logits = forward(network, x, tf.tensor2d(kept, [samples.length, settings.units]));
  const smooth = tf.add(tf.mul(labels, 0.95), 0.05 / LABELS.length) as tf.Tensor2D;
  const columns = tf.unstack(weights, 1) as tf.Tensor1D[];
  let total = tf.scalar(0);
  logits.forEach((logit, t) => {
    const each = tf.neg(tf.sum(tf.mul(smooth, tf.logSoftmax(logit)), 1));
    total = tf.add(total, tf.sum(tf.mul(each, columns[t])));
  });
  const data = tf.div(total, tf.sum(weights));
  const shrink = [0, 2, 4].map((i) => tf.sum(tf.square(network.variables[i])));
  return tf.add(data, tf.mul(tf.addN(shrink), settings.decay)) as tf.Scalar;
}

/** Share of recordings that are right at their last reading. */
export function accuracy(network: Network, recordings: Recording[]): number {
  let right = 0;
  for (let i = 0; i < recordings.length; i += 128) {
    const part = recordings.slice(i, i + 128);
    const logits = tf.tidy(() => tf.stack(forward(network, pack(part).x, null)).arraySync() as number[][][]);
    part.forEach((recording, k) => {
      const last = logits[recording.readings.length - 1][k];
      if (last.indexOf(Math.max(...last)) === recording.label) right++;
    });
  }
  return right / recordings.length;
}

/** Trains on recordings; gives the network with the average of its weights over the last quarter. */
export function train(recordings: Recording[], settings: Settings, progress: (epoch: number, loss: number) => void): Network {
  const next = random(settings.seed);
  const network = newNetwork(3, settings.units, LABELS.length, next);
  const optimizer = tf.train.adam(settings.rate);
  const sums = network.variables.map((variable) => new Float32Array(variable.size));
  let averaged = 0;
  for (let epoch = 0; epoch < settings.epochs; epoch++) {
    const done = epoch / settings.epochs;
    (optimizer as unknown as { learningRate: number }).learningRate =
      settings.rate * Math.min(1, (epoch + 1) / 4) * (0.03 + 0.97 * 0.5 * (1 + Math.cos(Math.PI * done)));
    // recordings of like length together, in random order of batches
    const order = recordings.map((recording) => ({ recording, key: recording.readings.length + next.uniform(-4, 4) }));
    order.sort((a, b) => a.key - b.key);
    const batches: Recording[][] = [];
    for (let i = 0; i < order.length; i += settings.batch) batches.push(order.slice(i, i + settings.batch).map((o) => o.recording));
    for (let i = batches.length - 1; i > 0; i--) {
      const k = Math.floor(next.uniform(0, i + 1));
      [batches[i], batches[k]] = [batches[k], batches[i]];
    }
    let last = 0;
    for (const batch of batches) {
      const samples = batch.map((recording) => ({ readings: vary(recording, next), label: recording.label }));
      const cost = tf.tidy(() => optimizer.minimize(() => loss(network, samples, settings, next), true, network.variables)!.dataSync()[0]);
      last += cost / batches.length;
    }
    if (epoch >= settings.epochs * 0.75) {
      averaged++;
      network.variables.forEach((variable, i) => variable.dataSync().forEach((value, k) => (sums[i][k] += value)));
    }
    progress(epoch + 1, last);
  }
  network.variables.forEach((variable, i) => variable.assign(tf.tensor(sums[i].map((value) => value / averaged), variable.shape)));
  return network;
}

if (require.main === module) {
  const file = path.join(__dirname, '..', '..', '..', 'shared', 'data', 'gestures', 'gestures.csv');
  const recordings = readRecordings(file);
  const settings = { ...SETTINGS, ...JSON.parse(process.argv[2] ?? '{}') as Partial<Settings> };
  const training = recordings.filter((r) => r.subset === 'train');
  const held = recordings.filter((r) => r.subset !== 'train');
  const started = Date.now();
  const network = train(training, settings, (epoch, cost) => {
    if (epoch % 10 === 0) console.log(epoch, cost.toFixed(4), ((Date.now() - started) / 1000).toFixed(0) + 's');
  });
  console.log(JSON.stringify(settings), 'train', accuracy(network, training).toFixed(4), 'held out', accuracy(network, held).toFixed(4));
}
