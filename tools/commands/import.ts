/** engram import: a saved TensorFlow.js layers model as a .tflite that does one step for each reading. */
import * as path from 'node:path';
import { Command } from 'commander';
import { importSavedModel } from '../../author/import_tfjs';
import { random } from '../../author/random';
import type { StreamModel } from '../../author/stream/model';
import { writeModel } from '../../author/writer';
import { load } from '../../lib/index';
import type { Model } from '../../lib/model';
import { readBytes, readText, writeWhole } from '../files';
import { table } from '../table';

const STEPS = 50;

/** Greatest difference that is taken for rounding, relative to what is above 1. */
const TOLERANCE = 1e-4;

/** Bytes of a shard, which must lie beside or below model.json. */
function shardReader(file: string): (name: string) => Uint8Array {
  const folder = path.resolve(path.dirname(file));
  return (name) => {
    const shard = path.resolve(folder, name);
    if (path.isAbsolute(name) || !shard.startsWith(folder + path.sep)) {
      throw new Error('it must lie in the folder of the model');
    }
    return readBytes(shard);
  };
}

/** @throws Error when the step form and the whole-sequence form answer differently on a random stream */
function compare(source: StreamModel, stepped: Model): void {
  const next = random(1);
  const streams = stepped.inputs.map((input) =>
    Array.from({ length: STEPS }, () =>
      Float32Array.from({ length: input.data.length }, () => next.uniform(-1, 1)),
    ),
  );
  const expected = source.run(streams);
  for (let t = 0; t < STEPS; t++) {
    stepped.inputs.forEach((input, i) => input.data.set(streams[i][t]));
    stepped.invoke();
    stepped.outputs.forEach((output, i) => {
      expected[i][t].forEach((value, k) => {
        const error = Math.abs(output.data[k] - value) / Math.max(1, Math.abs(value));
        if (error <= TOLERANCE) return;
        throw new Error(
          `output "${output.name}" at step ${t} is ${output.data[k]}, but over the whole sequence ${value}; nothing was written`,
        );
      });
    });
  }
}

/** Inputs, outputs and variables of a model. */
function interfaceTable(model: Model): string {
  const row = (what: string, { name, shape }: { name: string; shape: number[] }): string[] => [
    what,
    name,
    shape.join(' × '),
  ];
  return table(
    ['', 'name', 'shape'],
    [
      ...model.inputs.map((tensor) => row('input', tensor)),
      ...model.outputs.map((tensor) => row('output', tensor)),
      ...model.variables.names().map((name) => row('variable', model.variables.get(name))),
    ],
  );
}

function importFile(file: string, options: { output: string; window?: string }): void {
  const window = options.window === undefined ? undefined : Number(options.window);
  if (window !== undefined && !(Number.isInteger(window) && window > 0)) {
    throw new Error(`--window must be a whole number from 1 on, but it is "${options.window}"`);
  }
  const text = readText(file);
  let source: StreamModel;
  try {
    source = importSavedModel(text, shardReader(file), { window });
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
  const written = writeModel(source.graph());
  const model = load(written);
  compare(source, model);
  writeWhole(options.output, written);
  const warmup = source.warmup
    ? `The first ${source.warmup} outputs do not count: a window is not full yet.\n`
    : '';
  process.stdout.write(
    `${interfaceTable(model)}\n\n${warmup}${options.output}: ${written.length} bytes, one step for each reading; ` +
      `over ${STEPS} random readings as the whole sequence.\n`,
  );
}

export function importCommand(): Command {
  return new Command('import')
    .description(
      'Turn a saved TensorFlow.js layers model into a .tflite that does one step for each reading.',
    )
    .argument('<model.json>', 'a saved model, its weights beside it')
    .requiredOption('-o, --output <file>', 'where the .tflite goes')
    .option('--window <readings>', 'length of the window of a model that takes sequences of any length')
    .action(importFile);
}
