/** engram trace: every output and variable over the steps of a recorded stream, as CSV and as a page of plots. */
import * as path from 'node:path';
import { Command } from 'commander';
import { stringify } from 'csv-stringify/sync';
import { load } from '../../lib/index';
import type { Model } from '../../lib/model';
import { readReadings, withColumnsOption } from '../csv';
import { readBytes, readText, writeWhole } from '../files';
import { type Chart, plotPage } from '../plot_page';
import { columnNames, runRows } from './run';

/** A quantity over the steps: an output or a variable. */
export interface Track {
  name: string;
  kind: 'output' | 'variable';
  /** Names of the elements. */
  columns: string[];
  /** Real values: a row per step. */
  rows: number[][];
}

/** Runs a stream and keeps everything that can be seen. */
export function trace(model: Model, readings: number[][]): Track[] {
  const outputs = model.outputs.map((output): Track => ({
    name: output.name,
    kind: 'output',
    columns: columnNames([output]),
    rows: [],
  }));
  const variables = model.variables.names().map((name): Track => {
    const { length } = model.variables.get(name).data;
    return {
      name,
      kind: 'variable',
      columns: length === 1 ? [`state.${name}`] : Array.from({ length }, (_, i) => `state.${name}[${i}]`),
      rows: [],
    };
  });
  for (const reading of readings) {
    const [row] = runRows(model, [reading]);
    let at = 0;
    for (const output of outputs) output.rows.push(row.slice(at, (at += output.columns.length)));
    for (const variable of variables)
      variable.rows.push(Array.from(model.variables.get(variable.name).read()));
  }
  return [...outputs, ...variables];
}

/** Most elements of a tensor that get a line of their own. */
const MOST_LINES = 8;

function chartOf(track: Track): Chart {
  const title = `${track.kind} ${track.name}`;
  if (track.columns.length <= MOST_LINES) {
    return {
      title,
      series: track.columns.map((name, i) => ({ name, values: track.rows.map((row) => row[i]) })),
    };
  }
  const sorted = track.rows.map((row) => [...row].sort((a, b) => a - b));
  const quantile = (share: number): number[] =>
    sorted.map((row) => row[Math.round(share * (row.length - 1))]);
  return {
    title: `${title} (${track.columns.length} elements)`,
    series: [
      { name: 'greatest', values: quantile(1) },
      { name: 'upper quartile', values: quantile(0.75) },
      { name: 'median', values: quantile(0.5) },
      { name: 'lower quartile', values: quantile(0.25) },
      { name: 'least', values: quantile(0) },
    ],
  };
}

interface TraceOptions {
  csv: string;
  columns?: string;
  out?: string;
  html?: string;
}

export function traceCommand(): Command {
  const command = new Command('trace')
    .description('Show each output and variable over the steps of a recorded stream.')
    .argument('<model>', 'a .tflite file')
    .requiredOption('--csv <file>', 'a row of real numbers per reading; all inputs in order')
    .option('--out <file>', 'where the CSV goes; default: standard output, or nowhere with --html')
    .option('--html <file>', 'a page with plots, self-contained');
  return withColumnsOption(command).action((file: string, options: TraceOptions) => {
    const model = load(readBytes(file));
    const inputs = columnNames(model.inputs).length;
    const { rows } = readReadings(readText(options.csv), inputs, options.csv, options.columns);
    const tracks = trace(model, rows);
    const table = rows.map((_, step) => [step + 1, ...tracks.flatMap((track) => track.rows[step])]);
    const csv = stringify([['step', ...tracks.flatMap((track) => track.columns)], ...table]);
    if (options.html) {
      const notes = [
        `${rows.length} readings of ${path.basename(options.csv)}, from the declared initial state`,
      ];
      writeWhole(options.html, plotPage({ title: path.basename(file), notes, charts: tracks.map(chartOf) }));
    }
    if (options.out) writeWhole(options.out, csv);
    else if (!options.html) process.stdout.write(csv);
  });
}
