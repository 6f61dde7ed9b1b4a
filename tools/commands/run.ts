/** engram run: a recorded stream through a model, step by step, with its state carried from one to the next. */
import { Command } from 'commander';
import { stringify } from 'csv-stringify/sync';
import { load } from '../../lib/index';
import type { Model, ModelTensor } from '../../lib/model';
import { readReadings, withColumnsOption } from '../csv';
import { readBytes, readText, writeWhole } from '../files';
import { progress } from '../progress';

interface RunOptions {
  in?: string;
  out?: string;
  steps?: string;
  csv?: string;
  columns?: string;
}

function bytesOf(tensor: ModelTensor): Uint8Array {
  return new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
}

function stepCount(text: string | undefined, available: number): number {
  if (text === undefined) return available;
  const steps = Number(text);
  if (!Number.isInteger(steps) || steps < 1)
    throw new Error(`--steps must be a whole number from 1 on, but it is "${text}"`);
  if (steps > available) throw new Error(`--steps ${steps}: the input has only ${available}`);
  return steps;
}

/**
 * Runs packed steps: for each one the bytes of all inputs in order; likewise the outputs.
 * @throws Error when the input is not a whole number of steps
 */
export function runBytes(model: Model, input: Uint8Array, wanted?: string): Uint8Array {
  const inputs = model.inputs.map(bytesOf);
  const outputs = model.outputs.map(bytesOf);
  const size = inputs.reduce((sum, bytes) => sum + bytes.length, 0);
  if (!size && wanted === undefined)
    throw new Error('the model has no inputs: say how many steps with --steps');
  if (size ? input.length % size || !input.length : input.length) {
    throw new Error(`the input has ${input.length} bytes, which is not a number of steps of ${size} bytes`);
  }
  const steps = stepCount(wanted, size ? input.length / size : Infinity);
  const result = new Uint8Array(steps * outputs.reduce((sum, bytes) => sum + bytes.length, 0));
  const bar = progress(steps, 'steps');
  let from = 0;
  let to = 0;
  for (let step = 0; step < steps; step++) {
    for (const bytes of inputs) bytes.set(input.subarray(from, (from += bytes.length)));
    model.invoke();
    for (const bytes of outputs) {
      result.set(bytes, to);
      to += bytes.length;
    }
    bar.update(step + 1);
  }
  bar.stop();
  return result;
}

/** Names of the numbers in a row of output: the tensor's name, with an index where it has several elements. */
export function columnNames(tensors: ModelTensor[]): string[] {
  return tensors.flatMap((tensor) => {
    const length = tensor.shape.reduce((product, dimension) => product * dimension, 1);
    return length === 1 ? [tensor.name] : Array.from({ length }, (_, i) => `${tensor.name}[${i}]`);
  });
}

/** Runs rows of real numbers; gives rows of real numbers. */
export function runRows(model: Model, rows: number[][]): number[][] {
  const lengths = model.inputs.map((tensor) =>
    tensor.shape.reduce((product, dimension) => product * dimension, 1),
  );
  const bar = progress(rows.length, 'readings');
  const results = rows.map((row, index) => {
    let at = 0;
    const result = model.step(...lengths.map((length) => row.slice(at, (at += length))));
    bar.update(index + 1);
    return (Array.isArray(result) ? result : [result]).flatMap((values) => Array.from(values));
  });
  bar.stop();
  return results;
}

function runCsv(model: Model, file: string, { columns, steps }: RunOptions): string {
  const readings = readReadings(readText(file), columnNames(model.inputs).length, file, columns);
  const rows = readings.rows.slice(0, stepCount(steps, readings.rows.length));
  const results = runRows(model, rows);
  return stringify(readings.header ? [columnNames(model.outputs), ...results] : results);
}

export function runCommand(): Command {
  const command = new Command('run')
    .description('Run a recorded stream through a model; its state carries over from step to step.')
    .argument('<model>', 'a .tflite file')
    .option('--in <file>', 'raw bytes: for each step all inputs in order, little-endian')
    .option(
      '--out <file>',
      'where the outputs go: raw bytes likewise, or CSV (default for CSV: standard output)',
    )
    .option(
      '--csv <file>',
      'a row of real numbers per reading; all inputs in order. A first line of names may be there',
    )
    .option('--steps <n>', 'run only the first n steps');
  return withColumnsOption(command).action((file: string, options: RunOptions) => {
    if (!options.csv === !options.in)
      throw new Error('say what to run: either --in FILE with raw bytes, or --csv FILE');
    if (options.in && !options.out) throw new Error('--in needs --out FILE for the outputs');
    if (options.in && options.columns !== undefined) throw new Error('--columns goes with --csv, not --in');
    const model = load(readBytes(file));
    if (options.in) writeWhole(options.out!, runBytes(model, readBytes(options.in), options.steps));
    else {
      const text = runCsv(model, options.csv!, options);
      if (options.out) writeWhole(options.out, text);
      else process.stdout.write(text);
    }
  });
}
