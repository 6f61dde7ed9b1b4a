/**
 * Trains the forecaster with TensorFlow.js on the first 15% of the record, and writes the model, float and integer:
 *
 *     npx tsx examples/machine-temperature/train.ts [folder of the record]
 *
 * Levels are leaky integrators, so the forecast is a convolution of the past with Σ wₖ·aₖ·(1 − aₖ)ʲ: this is the
 * whole-sequence form in which time constants and weights are learned. The written model does the same step by step.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { SingleBar, Presets } from 'cli-progress';
import { quantizeModel } from '../../author/quantize/index';
import { random } from '../../author/random';
import { writeModel } from '../../author/writer';
import type { Graph } from '../../lib/graph';
import { load } from '../../lib/index';
import { type Forecaster, RANGES, STAGE_RATE, STAGES, temperatureModel } from './model';
import {
  judge,
  type MachineRecord,
  READINGS_PER_DAY,
  readRecord,
  THRESHOLD,
  trainingLength,
  watch,
} from './record';

export const SEED = 1;
const EPOCHS = 400;
const LEVELS = 2;
/** Length of the learned convolution: four days. */
const TAPS = 4 * READINGS_PER_DAY;
/** Every so many readings one equation; neighbours tell almost the same. */
const STRIDE = 4;

function meanOf(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** A series held back by the chain that `expected` is in the model. */
function heldBack(series: number[]): number[] {
  const stages = new Array<number>(STAGES).fill(0);
  return series.map((value) => {
    for (let i = STAGES - 1; i >= 0; i--) stages[i] += STAGE_RATE * ((i ? stages[i - 1] : value) - stages[i]);
    return stages[STAGES - 1];
  });
}

/**
 * Learns time constants and weights from readings. The chain and the levels are both linear, so the order in which they
 * filter does not matter: what comes out is compared with the reading of the same moment.
 */
export function train(
  readings: number[],
  seed: number,
  progress: (epoch: number, loss: number) => void,
): Forecaster {
  const mean = meanOf(readings);
  const spread = Math.sqrt(meanOf(readings.map((reading) => (reading - mean) ** 2)));
  const z = readings.map((reading) => (reading - mean) / spread);
  const held = heldBack(z);
  const past: number[][] = [];
  const truth: number[] = [];
  for (let t = READINGS_PER_DAY; t < z.length; t += STRIDE) {
    past.push(Array.from({ length: TAPS }, (_, j) => held[t - j] ?? 0));
    truth.push(z[t]);
  }
  const x = tf.tensor2d(past);
  const y = tf.tensor1d(truth);
  const age = tf.range(0, TAPS).reshape([1, TAPS]);
  const next = random(seed);
  // time constants of half an hour and of eight hours, to start from
  const logits = tf.variable(
    tf.tensor2d(Array.from({ length: LEVELS }, (_, k) => [1.5 + 3 * k + next.uniform(-0.2, 0.2)])),
  );
  // shares of the levels and of the mean, as the input of a softmax
  const shares = tf.variable(tf.tensor1d(Array.from({ length: LEVELS + 1 }, () => next.uniform(-0.3, 0.3))));
  const weightsNow = (): tf.Tensor2D => tf.softmax(shares).slice(0, LEVELS).reshape([LEVELS, 1]);
  const optimizer = tf.train.adam(0.02);
  for (let epoch = 1; epoch <= EPOCHS; epoch++) {
    const loss = optimizer.minimize(
      () => {
        // rate a = σ(−logit), so log(1 − a) = −softplus(−logit)
        const kept = tf.exp(tf.mul(tf.neg(tf.softplus(tf.neg(logits))), age));
        const kernel = tf.sum(tf.mul(tf.mul(weightsNow(), tf.sigmoid(tf.neg(logits))), kept), 0);
        const forecast = tf.matMul(x, kernel.reshape([TAPS, 1])).reshape([truth.length]);
        return tf.losses.meanSquaredError(y, forecast).asScalar();
      },
      true,
      [logits, shares],
    )!;
    progress(epoch, loss.dataSync()[0]);
    loss.dispose();
  }
  const rates = Array.from(logits.dataSync(), (logit) => 1 / (1 + Math.exp(logit)));
  const forecaster = { mean, deviation: spread, rates, weights: Array.from(weightsNow().dataSync()) };
  // in standard deviations of its own error from here on
  const model = load(writeModel(temperatureModel(forecaster)));
  const squares = readings.flatMap((reading, t) => {
    const expected = (model.step([reading]) as Float32Array[])[2][0];
    return t < READINGS_PER_DAY ? [] : [((reading - expected) / spread) ** 2];
  });
  const error = Math.sqrt(meanOf(squares));
  return { ...forecaster, deviation: spread * error };
}

/** Integers throughout: int8 weights, activations and state of 16 bits. Ranges beyond RANGES are those of the readings. */
export function quantize(graph: Graph, readings: number[]): Graph {
  const stream = readings.map((reading) => [reading]);
  return quantizeModel(graph, [stream], { activations: 'int16', state: 'int16', ranges: RANGES }).graph;
}

function report(record: MachineRecord, name: string, bytes: Uint8Array): void {
  const { found, falseAlarms, early } = judge(record, watch(bytes, record.readings, THRESHOLD).raised);
  const hits = found.filter((at) => at !== null).length;
  console.log(
    `${name}: ${bytes.length} bytes, ${hits} of ${found.length} windows (${found.join(', ')}), ` +
      `false alarms: ${falseAlarms.join(', ') || 'none'}; in the training part: ${early.join(', ') || 'none'}`,
  );
}

if (require.main === module) {
  const folder = process.argv[2] ?? path.join(__dirname, '../../../shared/data/machine_temperature');
  const record = readRecord(folder);
  const bar = new SingleBar({ format: 'training [{bar}] {percentage}%, loss {loss}' }, Presets.legacy);
  bar.start(EPOCHS, 0, { loss: '' });
  const seen = record.readings.slice(0, trainingLength(record));
  const forecaster = train(seen, SEED, (epoch, loss) => bar.update(epoch, { loss: loss.toFixed(4) }));
  bar.stop();
  console.log(
    `time constants (readings): ${forecaster.rates.map((rate) => (1 / rate).toFixed(1)).join(', ')}`,
  );
  console.log(`weights: ${forecaster.weights.map((weight) => weight.toFixed(3)).join(', ')}`);
  const graph = temperatureModel(forecaster);
  for (const [name, bytes] of [
    ['temperature.tflite', writeModel(graph)],
    ['temperature_int16.tflite', writeModel(quantize(graph, seen))],
  ] as const) {
    fs.writeFileSync(path.join(__dirname, name), bytes);
    report(record, name, bytes);
  }
}
