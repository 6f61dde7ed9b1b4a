/**
 * Trains the gesture model with TensorFlow.js, quantizes it, and judges both forms with Engram, on the recordings of
 * ../shared/data/gestures:
 *
 *     npx tsx examples/gesture/train.ts                    train on all, write gesture_float.tflite and gesture_int8.tflite
 *     npx tsx examples/gesture/train.ts --held-out         train without the validation recordings, judge on these
 *     npx tsx examples/gesture/train.ts --cross-validate   judge on each fifth of the training recordings in turn
 *
 * The same seed gives the same model.
 */
import * as path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { writeWhole } from '../../tools/files';
import { progress } from '../../tools/progress';
import { LABELS, type Recording, readRecordings } from './data';
import { floatModel, int8Model, judge, type Result } from './model';
import { SETTINGS } from './training';
import { trainEach } from './workers';

/** Parts that cross-validation makes of the training recordings. */
const FOLDS = 5;

interface Options {
  data: string;
  heldOut?: boolean;
  crossValidate?: boolean;
  seed: number;
  seeds: number;
  epochs: number;
}

/** Recordings to train on, others to judge by, and the seed. */
interface Trial {
  training: Recording[];
  others: Recording[];
  seed: number;
}

/** Both forms of a model. */
interface Pair {
  float: Uint8Array;
  int8: Uint8Array;
}

/** Trains a network for each trial and quantizes it. */
async function models(trials: Trial[], epochs: number): Promise<Pair[]> {
  const bar = progress(trials.length * epochs, 'epochs');
  const jobs = trials.map(({ training, seed }) => ({
    recordings: training,
    settings: { ...SETTINGS, epochs, seed },
  }));
  const networks = await trainEach(jobs, bar.update);
  bar.stop();
  return networks.map((network, i) => {
    const float = floatModel(network);
    return { float, int8: int8Model(float, trials[i].training) };
  });
}

const percent = (right: number, of: number): string => `${((100 * right) / of).toFixed(2)}%`;

/** How many recordings a confusion counts. */
const judgedBy = (confusion: number[][]): number => confusion.flat().reduce((sum, some) => sum + some, 0);

/** A line that says how a model does. */
function judged(name: string, { right, readings, confusion }: Result): string {
  const wrong = LABELS.flatMap((from, i) =>
    LABELS.flatMap((to, k) => (i !== k && confusion[i][k] ? [`${confusion[i][k]} ${from} as ${to}`] : [])),
  );
  const all = judgedBy(confusion);
  return (
    `${name}: ${right} of ${all} right at their last reading (${percent(right, all)}), ` +
    `decided after ${readings.toFixed(1)} readings` +
    (wrong.length ? `; ${wrong.join(', ')}` : '') +
    '\n'
  );
}

/** Results of several models that were judged by parts of the recordings, as one. */
function together(results: Result[]): Result {
  const counts = results.map(({ confusion }) => judgedBy(confusion));
  const all = counts.reduce((sum, count) => sum + count, 0);
  return {
    right: results.reduce((sum, { right }) => sum + right, 0),
    readings: results.reduce((sum, { readings }, i) => sum + (readings * counts[i]) / all, 0),
    confusion: LABELS.map((_, i) =>
      LABELS.map((__, k) => results.reduce((sum, { confusion }) => sum + confusion[i][k], 0)),
    ),
  };
}

/** Judges models of the trials of each seed by the recordings that these did not see. */
async function compare(trials: Trial[], epochs: number): Promise<void> {
  const pairs = await models(trials, epochs);
  const seeds = [...new Set(trials.map(({ seed }) => seed))];
  for (const form of ['float', 'int8'] as const) {
    const results = seeds.map((seed) =>
      together(
        trials.flatMap((trial, i) => (trial.seed === seed ? [judge(pairs[i][form], trial.others)] : [])),
      ),
    );
    results.forEach((result, i) => process.stdout.write(judged(`${form}, seed ${seeds[i]}`, result)));
    const all = together([results[0]])
      .confusion.flat()
      .reduce((sum, count) => sum + count, 0);
    const rights = results.map(({ right }) => right);
    const mean = rights.reduce((sum, right) => sum + right, 0) / rights.length;
    process.stdout.write(
      `${form}: mean ${percent(mean, all)}, least ${percent(Math.min(...rights), all)}, ` +
        `most ${percent(Math.max(...rights), all)}\n`,
    );
  }
}

async function run({ data, heldOut, crossValidate, seed, seeds, epochs }: Options): Promise<void> {
  const started = Date.now();
  const recordings = readRecordings(data);
  const training = recordings.filter(({ subset }) => subset === 'train');
  const all = Array.from({ length: seeds }, (_, i) => seed + i);
  if (crossValidate) {
    const folds = Array.from({ length: FOLDS }, (_, fold) => fold);
    const trials = all.flatMap((one) =>
      folds.map((fold) => ({
        training: training.filter((_, i) => i % FOLDS !== fold),
        others: training.filter((_, i) => i % FOLDS === fold),
        seed: one,
      })),
    );
    await compare(trials, epochs);
  } else if (heldOut) {
    const others = recordings.filter(({ subset }) => subset !== 'train');
    await compare(
      all.map((one) => ({ training, others, seed: one })),
      epochs,
    );
  } else {
    const [{ float, int8 }] = await models([{ training: recordings, others: [], seed }], epochs);
    process.stdout.write(judged('float, trained on', judge(float, recordings)));
    process.stdout.write(judged('int8, trained on', judge(int8, recordings)));
    writeWhole(path.join(__dirname, 'gesture_float.tflite'), float);
    writeWhole(path.join(__dirname, 'gesture_int8.tflite'), int8);
  }
  process.stdout.write(`${((Date.now() - started) / 1000).toFixed(0)} s\n`);
}

function count(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('expected a whole number from 1 on');
  return Number(text);
}

if (require.main === module) {
  const data = path.join(__dirname, '..', '..', '..', 'shared', 'data', 'gestures', 'gestures.csv');
  new Command('train')
    .description('Train the gesture model, quantize it, and judge both.')
    .option('--held-out', 'train without the validation recordings, judge on these, write nothing')
    .option('--cross-validate', `judge on each of ${FOLDS} parts of the training recordings, write nothing`)
    .option('--data <file>', 'the recordings', data)
    .option('--seed <number>', 'of weights, variations and dropout', count, SETTINGS.seed)
    .option('--seeds <number>', 'how many seeds to judge, from this one on', count, 1)
    .option('--epochs <number>', 'how often to go through the recordings', count, SETTINGS.epochs)
    .action(run)
    .parseAsync()
    .catch((error: Error) => {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 1;
    });
}
