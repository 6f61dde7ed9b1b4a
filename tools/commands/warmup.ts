/** engram warmup: how long after a reset the outputs can be trusted. */
import { Command } from 'commander';
import { load } from '../../lib/index';
import type { Model } from '../../lib/model';
import { readReadings, withColumnsOption } from '../csv';
import { readBytes, readText } from '../files';
import { progress } from '../progress';
import { columnNames, runRows } from './run';

/** What `warmup` finds. */
export interface Warmup {
  /** Where in the stream cold starts were tried, and after how many readings each agreed; null: not until the end. */
  starts: { at: number; readings: number | null }[];
  /** Greatest of them; null if one never agreed. */
  longest: number | null;
}

/**
 * Runs a stream once from its start, and again from a reset at several places in it: after how many readings does the cold
 * run agree with the warm one for good?
 * @param tolerance largest difference that counts as agreement, as a share of each output's range over the stream
 */
export function warmup(model: Model, rows: number[][], tolerance: number, tries: number): Warmup {
  model.reset();
  const warm = runRows(model, rows);
  const limits = warm[0].map((_, i) => {
    const values = warm.map((row) => row[i]);
    return tolerance * (values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b)));
  });
  const starts: Warmup['starts'] = [];
  const bar = progress(tries, 'cold starts');
  for (let k = 0; k < tries; k++) {
    // the first half, so that each cold run has as long to agree
    const at = Math.floor(((k + 1) * rows.length) / (2 * tries));
    model.reset();
    const cold = runRows(model, rows.slice(at));
    let agreed = cold.length;
    while (
      agreed > 0 &&
      cold[agreed - 1].every((value, i) => Math.abs(value - warm[at + agreed - 1][i]) <= limits[i])
    ) {
      agreed--;
    }
    starts.push({ at: at + 1, readings: agreed === cold.length ? null : agreed });
    bar.update(k + 1);
  }
  bar.stop();
  const counts = starts.map((start) => start.readings);
  return { starts, longest: counts.includes(null) ? null : Math.max(...(counts as number[])) };
}

function positive(text: string, name: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} must be a positive number, but it is "${text}"`);
  return value;
}

interface WarmupOptions {
  csv: string;
  columns?: string;
  tolerance: string;
  starts: string;
  json?: boolean;
}

export function warmupCommand(): Command {
  const command = new Command('warmup')
    .description('Tell after how many readings from a cold start the outputs agree with those of a warm run.')
    .argument('<model>', 'a .tflite file')
    .requiredOption('--csv <file>', 'a recorded stream: a row of real numbers per reading')
    .option('--tolerance <share>', "largest difference, as a share of each output's range", '0.01')
    .option('--starts <n>', 'how many cold starts to try', '10')
    .option('--json', 'print JSON for programs');
  return withColumnsOption(command).action((file: string, options: WarmupOptions) => {
    const model = load(readBytes(file));
    const inputs = columnNames(model.inputs).length;
    const { rows } = readReadings(readText(options.csv), inputs, options.csv, options.columns);
    const tries = Math.min(Math.ceil(positive(options.starts, 'starts')), Math.floor(rows.length / 2));
    if (!tries) throw new Error(`${options.csv} has ${rows.length} readings; at least 2 are needed`);
    const found = warmup(model, rows, positive(options.tolerance, 'tolerance'), tries);
    if (options.json) process.stdout.write(JSON.stringify(found, null, 2) + '\n');
    else {
      for (const { at, readings } of found.starts) {
        process.stdout.write(
          `reset before reading ${at}: ${readings === null ? 'never agrees' : `agrees after ${readings} readings`}\n`,
        );
      }
      process.stdout.write(
        found.longest === null
          ? 'Within this recording a cold start does not always come to agree with a warm run.\n'
          : `Wait ${found.longest} readings after a reset.\n`,
      );
    }
  });
}
