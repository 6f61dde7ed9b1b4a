/** engram simulate: a recorded stream through one or several versions of a model, side by side. */
import * as path from 'node:path';
import { Command } from 'commander';
import {
  agreement,
  type Agreement,
  judge,
  type Judgement,
  type Labels,
  type Outputs,
  percent,
  readLabels,
} from '../decisions';
import { readModelFile, readText, writeWhole } from '../files';
import { type Chart, escapeHtml, plotPage } from '../plot_page';
import { progress } from '../progress';
import { type Recording, type RecordingColumns, readRecordings, withRecordingOptions } from '../recordings';
import { table } from '../table';
import { outputsOf } from './quantize';
import { columnNames } from './run';

interface CommandOptions extends RecordingColumns {
  csv: string;
  classes?: string;
  html?: string;
  json?: boolean;
}

/** One model's run. */
interface Run {
  model: string;
  bytes: number;
  /** All outputs in order, at every reading of every recording. */
  outputs: Outputs[];
  judgement: Judgement | null;
  /** With the first model; null for that one itself. */
  agreement: Agreement | null;
}

interface Simulation {
  columns: string[];
  /** Whether outputs stand for classes: there are labels, or the first output has several numbers. */
  decides: boolean;
  recordings: readonly Recording[];
  runs: Run[];
}

/** Names of models, short where that tells them apart. */
function shortNames(files: readonly string[]): string[] {
  const short = files.map((file) => path.basename(file));
  return new Set(short).size === files.length ? short : [...files];
}

/**
 * Runs recordings through models.
 * @throws Error when models differ in the number of inputs or outputs, or the CSV does not fit them
 */
function simulate(files: readonly string[], options: CommandOptions): Simulation {
  const models = files.map(readModelFile);
  const shapes = models.map(({ model: { inputs, outputs } }, i) => {
    if (!outputs.length) throw new Error(`${files[i]} has no outputs to show`);
    return {
      inputs: columnNames(inputs).length,
      columns: columnNames(outputs),
      first: columnNames(outputs.slice(0, 1)).length,
    };
  });
  const [{ inputs, columns, first }] = shapes;
  shapes.forEach((shape, i) => {
    if (shape.inputs === inputs && shape.columns.length === columns.length) return;
    throw new Error(
      `${files[i]} takes ${shape.inputs} numbers and gives ${shape.columns.length}, ` +
        `but ${files[0]} takes ${inputs} and gives ${columns.length}`,
    );
  });
  const recordings = readRecordings(readText(options.csv), inputs, options.csv, options);
  const labels: Labels | null = readLabels(recordings, first, options.classes);
  const readings = recordings.reduce((sum, { rows }) => sum + rows.length, 0);
  const bar = progress(readings * files.length, 'readings');
  let done = 0;
  try {
    const names = shortNames(files);
    const runs: Run[] = [];
    // decisions are those of the first output
    const deciding = (outputs: readonly Outputs[]): Outputs[] =>
      outputs.map((rows) => rows.map((row) => row.slice(0, first)));
    models.forEach(({ bytes, model }, i) => {
      const outputs = outputsOf(model, recordings, () => bar.update(++done));
      runs.push({
        model: names[i],
        bytes: bytes.length,
        outputs,
        judgement: labels && judge(labels, deciding(outputs)),
        agreement: i ? agreement(deciding(runs[0].outputs), deciding(outputs)) : null,
      });
    });
    if (labels && first > 1) columns.splice(0, first, ...labels.classes);
    return { columns, decides: !!labels || first > 1, recordings, runs };
  } finally {
    bar.stop();
  }
}

const BARS = '▁▂▃▄▅▆▇█';
const LINE_WIDTH = 60;

/** A line of small bars; each stands for the mean of some readings. */
function sparkline(values: readonly number[], [low, high]: [number, number]): string {
  const width = Math.min(LINE_WIDTH, values.length);
  return Array.from({ length: width }, (_, i) => {
    const from = Math.floor((i * values.length) / width);
    const part = values.slice(from, Math.max(from + 1, Math.floor(((i + 1) * values.length) / width)));
    const mean = part.reduce((sum, value) => sum + value, 0) / part.length;
    const share = high > low ? (mean - low) / (high - low) : 0;
    return BARS[Math.min(BARS.length - 1, Math.floor(share * BARS.length))];
  }).join('');
}

/** One output element of a run over all recordings. */
function seriesOf(run: Run, column: number): number[] {
  return run.outputs.flatMap((rows) => rows.map((row) => row[column]));
}

/** How far a run's output element is from the first run's, as shares of that one's range. */
function differences(first: readonly number[], values: readonly number[]): { rms: number; max: number } {
  const [low, high] = extremes(first);
  const range = high - low || Math.abs(high) || 1;
  const errors = values.map((value, i) => Math.abs(value - first[i]) / range);
  const squares = errors.reduce((sum, error) => sum + error * error, 0);
  return { rms: Math.sqrt(squares / errors.length), max: extremes(errors)[1] };
}

const share = (value: number): string => `${(100 * value).toFixed(2)}%`;

function extremes(values: readonly number[]): [number, number] {
  return values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
}

function summaryRows({ runs, decides }: Simulation): string[][] {
  return runs.map(({ model, bytes, judgement, agreement: same }) => [
    model,
    String(bytes),
    ...(judgement ? [percent(judgement.last), percent(judgement.readings)] : []),
    ...(runs.length > 1 && decides ? (same ? [percent(same.last), percent(same.readings)] : ['', '']) : []),
  ]);
}

function summaryHead({ runs, decides }: Simulation): string[] {
  return [
    'model',
    'bytes',
    ...(runs[0].judgement ? ['right at last', 'right at every reading'] : []),
    ...(runs.length > 1 && decides ? ['same decision at last', 'at every reading'] : []),
  ];
}

/** A row per output element and model: its range, and how far it is from that of the first model. */
function outputRows(
  { columns, runs }: Simulation,
  more: (values: number[], all: number[][]) => string[] = () => [],
): string[][] {
  return columns.flatMap((column, i) => {
    const all = runs.map((run) => seriesOf(run, i));
    return all.map((values, k) => {
      const { rms, max } = differences(all[0], values);
      const [low, high] = extremes(values);
      return [
        k ? '' : column,
        runs[k].model,
        low.toPrecision(3),
        high.toPrecision(3),
        ...(runs.length > 1 ? (k ? [share(rms), share(max)] : ['', '']) : []),
        ...more(values, all),
      ];
    });
  });
}

function outputHead({ runs }: Simulation, ...more: string[]): string[] {
  const difference = runs.length > 1 ? ['difference rms', 'most'] : [];
  return ['output', 'model', 'least', 'greatest', ...difference, ...more];
}

/** "3 recordings". */
function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function confusionRows({ classes, confusion }: Judgement): (string | number)[][] {
  return classes.map((name, i) => [name, ...confusion[i]]);
}

function text(simulation: Simulation): string {
  const { recordings, runs } = simulation;
  const readings = recordings.reduce((sum, { rows }) => sum + rows.length, 0);
  const lines = [`${count(readings, 'reading')} in ${count(recordings.length, 'recording')}`, ''];
  lines.push(table(summaryHead(simulation), summaryRows(simulation)), '');
  const drawn = outputRows(simulation, (values, all) => [sparkline(values, extremes(all.flat()))]);
  lines.push(table(outputHead(simulation, 'over time'), drawn));
  for (const { model, judgement } of runs) {
    if (!judgement) continue;
    const title = `${model}: decisions at the last reading; rows are labels, columns what the model says`;
    lines.push('', title, '', table(['', ...judgement.classes], confusionRows(judgement)));
  }
  return lines.join('\n') + '\n';
}

function htmlTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = (tag: string, row: readonly (string | number)[]): string =>
    `<tr>${row.map((cell) => `<${tag}>${escapeHtml(String(cell))}</${tag}>`).join('')}</tr>`;
  return `<table>${cells('th', head)}${rows.map((row) => cells('td', row)).join('')}</table>`;
}

function page(simulation: Simulation, csv: string): string {
  const { columns, recordings, runs } = simulation;
  const charts = columns.map((column, i): Chart => ({
    title: column,
    series: runs.map((run) => ({ name: run.model, values: seriesOf(run, i) })),
  }));
  const confusions = runs.flatMap(({ model, judgement }) =>
    judgement
      ? [
          `<h2>${escapeHtml(model)}: labels (rows) and decisions (columns)</h2>`,
          htmlTable(['', ...judgement.classes], confusionRows(judgement)),
        ]
      : [],
  );
  const readings = recordings.reduce((sum, { rows }) => sum + rows.length, 0);
  const told = `${count(readings, 'reading')} in ${count(recordings.length, 'recording')} of ${path.basename(csv)}`;
  return plotPage({
    title: runs.map(({ model }) => model).join(' · '),
    notes: [recordings.length > 1 ? `${told}; the state is reset before each` : told],
    charts,
    appendix: [
      htmlTable(summaryHead(simulation), summaryRows(simulation)),
      htmlTable(outputHead(simulation), outputRows(simulation)),
      ...confusions,
    ].join('\n'),
  });
}

export function simulateCommand(): Command {
  const command = new Command('simulate')
    .description('Show how versions of a model (float, quantized) answer to a recorded stream, side by side.')
    .argument('<models...>', '.tflite files; the first is what others are compared with')
    .requiredOption('--csv <file>', 'a row of real numbers per reading; all inputs in order')
    .option('--html <file>', 'a page with plots and tables, self-contained')
    .option('--json', 'print outputs and figures as JSON');
  return withRecordingOptions(command).action((files: string[], options: CommandOptions) => {
    const simulation = simulate(files, options);
    if (options.html) writeWhole(options.html, page(simulation, options.csv));
    process.stdout.write(
      options.json ? `${JSON.stringify(jsonOf(simulation), null, 2)}\n` : text(simulation),
    );
  });
}

function jsonOf({ columns, recordings, runs }: Simulation): object {
  return {
    columns,
    recordings: recordings.map(({ name, rows }) => ({ name, readings: rows.length })),
    models: runs,
  };
}
