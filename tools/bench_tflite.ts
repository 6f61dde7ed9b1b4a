/** Engram beside TensorFlow Lite in WebAssembly: both in this process, in alternating rounds. */
import type * as Engram from '../lib/index';
import type { Model } from '../lib/model';
import { publicModels, type BenchModel } from './bench_subjects';
import { figure } from './commands/bench';
import { shippedBundle } from './engine_bundle';
import { feed, randomStream } from './engine_inputs';
import { table } from './table';
import { openTflite, tfliteMissing, type Tflite } from './tflite';

const ROUNDS = 20;
const ROUND_MILLISECONDS = 20;
/** Steps with inputs of their own. */
const STREAM_LENGTH = 5;
const SEED = 1;

/** Why there is nothing to race; null when there is. */
export function peerMissing(): string | null {
  const missing = tfliteMissing();
  return missing === undefined ? null : `${missing}, which is a devDependency: run "npm install"`;
}

/**
 * The shipped bundle, evaluated anew: kernels that have seen only one model's types are what a user of one model has.
 */
function freshEngram(): typeof Engram {
  const module = { exports: {} };
  new Function('module', shippedBundle('engram.all.min.js'))(module);
  return module.exports as typeof Engram;
}

/** Steps that fill a round. */
function calibrate(step: () => void): number {
  for (let count = 1; ; count *= 2) {
    const begin = performance.now();
    for (let i = 0; i < count; i++) step();
    if (performance.now() - begin >= ROUND_MILLISECONDS) return count;
  }
}

/** Milliseconds per step of the fastest round, of each; the rounds alternate. */
function race(contestants: (() => void)[], before: (round: number) => void): number[] {
  const counts = contestants.map(calibrate);
  const best = contestants.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    before(round);
    contestants.forEach((step, k) => {
      const begin = performance.now();
      for (let i = 0; i < counts[k]; i++) step();
      best[k] = Math.min(best[k], (performance.now() - begin) / counts[k]);
    });
  }
  return best;
}

/** Writes the same inputs into both. */
function feedBoth(model: Model, peer: Tflite, inputs: Uint8Array): void {
  feed(model, inputs);
  model.inputs.forEach((input, i) => peer.setInput(i, input.data as ArrayLike<number>));
}

/** Elements of integer outputs that differ in the last step. */
function differences(model: Model, peer: Tflite): number {
  return model.outputs.reduce((sum, output, i) => {
    if (output.type === 'FLOAT32') return sum;
    const theirs = peer.output(i);
    return sum + Array.from(output.data).filter((value, k) => value !== theirs[k]).length;
  }, 0);
}

async function compare({ name, bytes }: BenchModel): Promise<(string | number)[]> {
  const model = freshEngram().load(bytes);
  let peer: Tflite;
  try {
    peer = await openTflite(bytes);
  } catch (error) {
    const reason = (error as Error).message.split('\n').find((line) => /^ERROR/.test(line));
    return [name, '–', '–', '–', `TensorFlow Lite refuses it: ${reason ?? (error as Error).message}`];
  }
  const stream = randomStream(model, STREAM_LENGTH, SEED);
  feedBoth(model, peer, stream[0]);
  model.invoke();
  peer.invoke();
  const differ = differences(model, peer);
  const elements = model.outputs.reduce((sum, output) => sum + output.data.length, 0);
  const [ours, theirs] = race([() => model.invoke(), () => peer.invoke()], (round) =>
    feedBoth(model, peer, stream[round % STREAM_LENGTH]),
  );
  return [
    name,
    figure(ours * 1000),
    figure(theirs * 1000),
    figure(ours / theirs),
    differ ? `${differ} of ${elements} outputs of the first step differ (XNNPACK)` : '',
  ];
}

/** The tflite section. */
export async function againstTflite(print: (text: string) => void): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const model of publicModels()) rows.push(await compare(model));
  print(table(['model', 'Engram, µs', 'TensorFlow Lite, µs', 'ratio', ''], rows));
}
