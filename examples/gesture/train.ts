/**
 * Trains the gesture model with TensorFlow.js, quantizes it, and judges both forms with Engram, on the recordings of
 * ../shared/data/gestures:
 *
 *     npx tsx examples/gesture/train.ts              train on all, write gesture_float.tflite and gesture_int8.tflite
 *     npx tsx examples/gesture/train.ts --held-out   train without the validation recordings, judge on these
 *
 * The same seed gives the same model.
 */
import * as path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { random, type Random } from '../../author/random';
import { Command } from 'commander';
import { writeWhole } from '../../tools/files';
import { progress } from '../../tools/progress';
import { type Recording, LABELS, readRecordings, type Variation, VARIATION, vary } from './data';
import type { Sequences } from './gru';
import { floatModel, int8Model, judge } from './model';
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
  epochs: 500,
  batch: 64,
  rate: 0.01,
  dropout: 0.15,
  decay: 3e-5,
  smoothing: 0.05,
  early: 0.2,
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
  return Float32Array.from({ length: rows * columns }, () =>
    next.uniform(0, 1) < share ? 0 : 1 / (1 - share),
  );
}

function loss(network: Network, samples: Sample[], settings: Settings, next: Random): tf.Scalar {
  const sequences = pack(samples);
  const { starts } = sequences;
  const total = starts[samples.length];
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
  const targets = tf.tensor2d(labels, [total, LABELS.length]);
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
    const order = recordings.slice();
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
            .minimize(() => loss(network, samples, settings, next), true, network.variables)!
            .dataSync()[0] / batches,
      );
    }
    if (epoch >= settings.epochs * 0.75) {
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

/** A line that says how a model does. */
function judged(name: string, model: Uint8Array, recordings: Recording[]): string {
  const { right, readings, confusion } = judge(model, recordings);
  const wrong = LABELS.flatMap((from, i) =>
    LABELS.flatMap((to, k) => (i !== k && confusion[i][k] ? [`${confusion[i][k]} ${from} as ${to}`] : [])),
  );
  return (
    `${name}: ${right} of ${recordings.length} right at their last reading ` +
    `(${((100 * right) / recordings.length).toFixed(2)}%), decided after ${readings.toFixed(1)} readings` +
    (wrong.length ? `; ${wrong.join(', ')}` : '') +
    '\n'
  );
}

function run(options: { data: string; heldOut?: boolean; seed: string; epochs: string }): void {
  const recordings = readRecordings(options.data);
  const training = options.heldOut ? recordings.filter(({ subset }) => subset === 'train') : recordings;
  const settings = { ...SETTINGS, seed: Number(options.seed), epochs: Number(options.epochs) };
  const bar = progress(settings.epochs, `${training.length} recordings`);
  const started = Date.now();
  const network = train(training, settings, bar.update);
  bar.stop();
  const float = floatModel(network);
  const int8 = int8Model(float, training);
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  process.stdout.write(
    `seed ${settings.seed}, ${settings.epochs} epochs, ${training.length} recordings: ${seconds} s\n`,
  );
  const others = options.heldOut ? recordings.filter(({ subset }) => subset !== 'train') : [];
  for (const [name, model] of Object.entries({ float, int8 })) {
    process.stdout.write(judged(`${name}, trained on`, model, training));
    if (others.length) process.stdout.write(judged(`${name}, held out`, model, others));
  }
  if (options.heldOut) return;
  writeWhole(path.join(__dirname, 'gesture_float.tflite'), float);
  writeWhole(path.join(__dirname, 'gesture_int8.tflite'), int8);
}

if (require.main === module) {
  const data = path.join(__dirname, '..', '..', '..', 'shared', 'data', 'gestures', 'gestures.csv');
  new Command('train')
    .description('Train the gesture model, quantize it, and judge both.')
    .option('--held-out', 'train without the validation recordings, judge on these, write nothing')
    .option('--data <file>', 'the recordings', data)
    .option('--seed <number>', 'of weights, variations and dropout', String(SETTINGS.seed))
    .option('--epochs <number>', 'how often to go through the recordings', String(SETTINGS.epochs))
    .action(run)
    .parse();
}
