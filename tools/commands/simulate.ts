/** engram simulate: a recorded stream through one or several versions of a model, side by side. */
import * as path from 'node:path';
import { Command } from 'commander';
import { load } from '../../lib/index';
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
import { readBytes, readText, writeWhole } from '../files';
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
  outputs: Outputs[];
  judgement: Judgement | null;
  /** With the first model; null for that one itself. */
  agreement: Agreement | null;
}

interface Simulation {
  columns: string[];
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
  const models = files.map((file) => ({ file, bytes: readBytes(file) }));
  const shapes = models.map(({ bytes }) => {
    const { inputs, outputs } = load(bytes);
    if (!outputs.length) throw new Error('a model without outputs has nothing to show');
    return { inputs: columnNames(inputs).length, columns: columnNames(outputs.slice(0, 1)) };
  });
  const [{ inputs, columns }] = shapes;
  shapes.forEach((shape, i) => {
    if (shape.inputs === inputs && shape.columns.length === columns.length) return;
    throw new Error(
      `${files[i]} takes ${shape.inputs} numbers and gives ${shape.columns.length}, ` +
        `but ${files[0]} takes ${inputs} and gives ${columns.length}`,
    );
  });
  const recordings = readRecordings(readText(options.csv), inputs, options.csv, options);
  const labels: Labels | null = readLabels(recordings, columns.length, options.classes);
  const readings = recordings.reduce((sum, { rows }) => sum + rows.length, 0);
  const bar = progress(readings * files.length, 'readings');
  let done = 0;
  try {
    const names = shortNames(files);
    const runs: Run[] = [];
    models.forEach(({ bytes }, i) => {
      const outputs = outputsOf(bytes, recordings, () => bar.update(++done));
      runs.push({
        model: names[i],
        bytes: bytes.length,
        outputs,
        judgement: labels && judge(labels, outputs),
        agreement: i ? agreement(runs[0].outputs, outputs) : null,
      });
    });
    return { columns: labels && columns.length > 1 ? labels.classes : columns, recordings, runs };
  } finally {
    bar.stop();
  }
}

const BARS = '▁▂▃▄▅▆▇█';
const LINE_WIDTH = 60;

/** A line of small bars; each stands for the mean of some readings. */
function sparkline(values: readonly number[], low: number, high: number): string {
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

function extremes(values: readonly number[]): [number, number] {
  return values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
}

function summaryRows({ runs }: Simulation): string[][] {
  const share = (value: number): string => `${(100 * value).toFixed(2)}%`;
  return runs.map(({ model, bytes, judgement, agreement: same }) => [
    model,
    String(bytes),
    ...(judgement ? [percent(judgement.last), percent(judgement.readings)] : []),
    ...(runs.length > 1
      ? same
        ? [percent(same.last), percent(same.readings), share(same.rms), share(same.max)]
        : ['', '', '', '']
      : []),
  ]);
}

function summaryHead({ runs }: Simulation): string[] {
  return [
    'model',
    'bytes',
    ...(runs[0].judgement ? ['right at last', 'right at every reading'] : []),
    ...(runs.length > 1 ? ['same decision at last', 'at every reading', 'difference rms', 'greatest'] : []),
  ];
}

function confusionRows({ classes, confusion }: Judgement): (string | number)[][] {
  return classes.map((name, i) => [name, ...confusion[i]]);
}

function text(simulation: Simulation): string {
  const { columns, recordings, runs } = simulation;
  const readings = recordings.reduce((sum, { rows }) => sum + rows.length, 0);
  const lines = [
    `${readings} readings in ${recordings.length} recording${recordings.length > 1 ? 's' : ''}`,
    '',
  ];
  lines.push(table(summaryHead(simulation), summaryRows(simulation)), '');
  const drawn = columns.flatMap((column, i) => {
    const all = runs.map((run) => seriesOf(run, i));
    const [low, high] = extremes(all.flat());
    return all.map((values, k) => [
      k ? '' : column,
      runs[k].model,
      k ? '' : low.toPrecision(3),
      k ? '' : high.toPrecision(3),
      sparkline(values, low, high),
    ]);
  });
  lines.push(table(['output', 'model', 'least', 'greatest', 'over time'], drawn));
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
  return plotPage({
    title: runs.map(({ model }) => model).join(' · '),
    notes: [
      `${readings} readings in ${recordings.length} recordings of ${path.basename(csv)}; the state is reset before each`,
    ],
    charts,
    appendix: [htmlTable(summaryHead(simulation), summaryRows(simulation)), ...confusions].join('\n'),
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
