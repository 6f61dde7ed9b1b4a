/** engram quantize: a float model in integers, its state too, and how far that strays from it. */
import * as path from 'node:path';
import { Command, Option } from 'commander';
import { readModel } from '../../author/options';
import { compareModels, type Comparison, type ErrorOverTime } from '../../author/quantize/compare';
import { quantizeModel, type Quantized, type QuantizeOptions, type Range } from '../../author/quantize/index';
import { writeModel } from '../../author/writer';
import { load } from '../../lib/index';
import type { Model } from '../../lib/model';
import { columnNames } from './run';
import { judge, type Judgement, type Outputs, percent, readLabels } from '../decisions';
import { readModelFile, readText, writeWhole } from '../files';
import { progress } from '../progress';
import { type Recording, type RecordingColumns, readRecordings, withRecordingOptions } from '../recordings';
import { table } from '../table';

interface CommandOptions extends RecordingColumns {
  data: string;
  state?: 'int8' | 'int16' | 'float';
  weights: 'int8';
  activations: 'int8' | 'int16' | 'float';
  io: 'quantized' | 'float';
  perUnit?: boolean;
  range?: string[];
  classes?: string;
  out?: string;
  json?: boolean;
}

/** Bytes of a model in the file and in memory. */
interface Size {
  file: number;
  arena: number;
  variables: number;
}

/** What `--json` prints. */
interface Report extends Comparison {
  model: string;
  out: string;
  before: Size;
  after: Size;
  /** Operators that still compute in float. */
  keptFloat: string[];
  /** Columns of the data that never moved. */
  still: string[];
  accuracy: { float: Judgement; quantized: Judgement } | null;
}

/** All numbers of a model's outputs at every reading of every recording, each from the initial state. */
export function outputsOf(model: Model, recordings: readonly Recording[], onStep: () => void): Outputs[] {
  const lengths = model.inputs.map(({ shape }) => shape.reduce((product, n) => product * n, 1));
  return recordings.map(({ rows }) => {
    model.reset();
    return rows.map((row) => {
      let at = 0;
      const result = model.step(...lengths.map((length) => row.slice(at, (at += length))));
      onStep();
      return (Array.isArray(result) ? result : [result]).flatMap((values) => Array.from(values));
    });
  });
}

const LONGEST_NAME = 36;

function sizeOf(bytes: Uint8Array): Size {
  const { arena, variables } = load(bytes).memory;
  return { file: bytes.length, arena, variables };
}

function rangesOf(texts: readonly string[]): Record<string, Range> {
  const ranges: Record<string, Range> = {};
  for (const text of texts) {
    const [, name, low, high] = /^(.+)=([^:]+):([^:]+)$/.exec(text) ?? [];
    const range = { low: Number(low), high: Number(high) };
    if (name === undefined || !(range.low < range.high))
      throw new Error(`--range must be NAME=LOW:HIGH, not "${text}"`);
    ranges[name] = range;
  }
  return ranges;
}

/** Columns whose value is the same in all rows. */
function stillColumns(names: string[], recordings: readonly Recording[]): string[] {
  const first = recordings[0].rows[0];
  return names.filter((_, column) =>
    recordings.every(({ rows }) => rows.every((row) => row[column] === first[column])),
  );
}

/** The end of a name that would not fit into a table: converters join the names of all that they fused. */
function shortName(name: string): string {
  return name.length > LONGEST_NAME ? `…${name.slice(1 - LONGEST_NAME)}` : name;
}

function errorRows(errors: readonly ErrorOverTime[]): (string | number)[][] {
  const share = (value: number): string => `${(100 * value).toFixed(2)}%`;
  return errors.map((error) => [
    shortName(error.name),
    error.from,
    error.type,
    `${error.low.toPrecision(3)} … ${error.high.toPrecision(3)}`,
    share(error.rms),
    share(error.max),
    share(error.beginning.rms),
    share(error.middle.rms),
    share(error.end.rms) + (error.drifts ? ' drifts' : ''),
  ]);
}

function text(report: Report): string {
  const { before, after } = report;
  const size = (what: string, a: number, b: number): (string | number)[] => [
    what,
    a,
    b,
    `${((100 * b) / a || 0).toFixed(0)}%`,
  ];
  const head = [
    'name',
    'computed by',
    'type',
    'range',
    'rms',
    'greatest',
    'rms at first',
    'midway',
    'at last',
  ];
  const lines = [
    table(
      ['bytes', 'before', 'after', ''],
      [
        size('file', before.file, after.file),
        size('arena', before.arena, after.arena),
        size('variables', before.variables, after.variables),
      ],
    ),
    '',
    `errors over ${report.readings} readings in ${report.streams} recording${report.streams > 1 ? 's' : ''}, ` +
      'as shares of the range of the float value; first, middle and last third of each recording:',
    '',
    table(head, errorRows([...report.variables, ...report.layers])),
  ];
  const drifting = [...report.variables, ...report.outputs].filter(({ drifts }) => drifts);
  if (drifting.length) {
    const advice = report.variables.every(({ type }) => type === 'INT16') ? '' : '. Try --state int16';
    const names = drifting.map(({ name }) => name).join(', ');
    lines.push('', `${names}: the error grows with time${advice}`);
  }
  if (report.keptFloat.length) lines.push('', `kept in float: ${report.keptFloat.join('; ')}`);
  if (report.still.length) {
    lines.push('', `never moved in the data, so that its range is unknown: ${report.still.join(', ')}`);
  }
  if (report.accuracy) {
    const { float, quantized } = report.accuracy;
    lines.push(
      '',
      table(
        ['accuracy', 'before', 'after'],
        [
          ['at the last reading of a recording', percent(float.last), percent(quantized.last)],
          ['at every reading', percent(float.readings), percent(quantized.readings)],
        ],
      ),
    );
  }
  if (after.file > before.file) {
    lines.push(
      '',
      'The file has grown: scales and names take more than the weights of so small a model save. Without names it is ' +
        'smaller (engram strip), and packed it carries neither (engram pack).',
    );
  }
  lines.push('', `wrote ${report.out}`);
  return lines.join('\n') + '\n';
}

function defaultOut(file: string, options: CommandOptions): string {
  const kind = options.activations === 'float' ? 'hybrid' : options.activations;
  const state = options.state && options.state !== options.activations ? `-${options.state}-state` : '';
  return `${file.replace(/\.tflite$/, '')}.${kind}${state}.tflite`;
}

function run(file: string, options: CommandOptions): void {
  const out = options.out ?? defaultOut(file, options);
  if (path.resolve(out) === path.resolve(file))
    throw new Error(`${out} is the model itself: say another file with -o`);
  const { bytes, model } = readModelFile(file);
  const names = columnNames(model.inputs);
  const recordings = readRecordings(readText(options.data), names.length, options.data, options);
  const [output] = model.outputs;
  const classes = output ? output.shape.reduce((a, b) => a * b, 1) : 0;
  const labels = readLabels(recordings, classes, options.classes);
  const streams = recordings.map(({ rows }) => rows);
  const readings = streams.reduce((sum, rows) => sum + rows.length, 0);
  const bar = progress(readings * (labels ? 4 : 2), 'readings');
  try {
    let judged = 0;
    const settings: QuantizeOptions = {
      state: options.state,
      weights: options.weights,
      activations: options.activations,
      io: options.io,
      perUnit: options.perUnit,
      ranges: rangesOf(options.range ?? []),
      onStep: (done) => bar.update(done),
    };
    const quantized: Quantized = quantizeModel(readModel(bytes), streams, settings);
    const written = writeModel(quantized.graph);
    const comparison = compareModels(quantized, streams, (done) => bar.update(readings + done));
    const count = (): void => bar.update(2 * readings + ++judged);
    const decisions = (of: Model): Judgement => {
      const rows = outputsOf(of, recordings, count);
      return judge(
        labels!,
        rows.map((outputs) => outputs.map((row) => row.slice(0, classes))),
      );
    };
    const accuracy = labels && { float: decisions(model), quantized: decisions(load(written)) };
    const report: Report = {
      model: file,
      out,
      before: sizeOf(bytes),
      after: sizeOf(written),
      ...comparison,
      keptFloat: quantized.keptFloat,
      still: stillColumns(names, recordings),
      accuracy,
    };
    bar.stop();
    // by now the written bytes have been loaded and have run on all of the data
    writeWhole(out, written);
    process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : text(report));
  } finally {
    bar.stop();
  }
}

export function quantizeCommand(): Command {
  const command = new Command('quantize')
    .description('Turn a float model into one of integers, together with its state.')
    .argument('<model>', 'a float .tflite file')
    .requiredOption('--data <file>', 'recorded readings as CSV, to find ranges and errors with')
    .addOption(
      new Option('--state <type>', 'what variables are kept in, and the loops that run through them').choices(
        ['int8', 'int16', 'float'],
      ),
    )
    .addOption(new Option('--weights <type>', 'what weights are kept in').choices(['int8']).default('int8'))
    .addOption(
      new Option('--activations <type>', 'what operators compute in; float quantizes weights alone')
        .choices(['int8', 'int16', 'float'])
        .default('int8'),
    )
    .addOption(
      new Option('--io <type>', 'inputs and outputs: integers, or float with conversions inside')
        .choices(['quantized', 'float'])
        .default('quantized'),
    )
    .option(
      '--per-unit',
      'a scale for each unit of dense layers: more exact where they differ in size, and larger',
    )
    .option(
      '--range <name=low:high>',
      'range of a tensor or variable that the data do not show; may be given several times',
      (value: string, all: string[] = []) => [...all, value],
    )
    .option('-o, --out <file>', 'where the model goes; default: beside the float one')
    .option('--json', 'print the report as JSON');
  return withRecordingOptions(command).action(run);
}
