/** engram quantize: a float model in integers, its state too, and how far that strays from it. */
import * as path from 'node:path';
import { Command, Option } from 'commander';
import { readModel } from '../../author/options';
import { compareModels, type Comparison, type ErrorOverTime } from '../../author/quantize/compare';
import { quantizeModel, type Quantized, type QuantizeOptions, type Range } from '../../author/quantize/index';
import { writeModel } from '../../author/writer';
import { load } from '../../lib/index';
import { columnNames } from './run';
import { judge, type Judgement, type Outputs, percent, readLabels } from '../decisions';
import { readBytes, readText, writeWhole } from '../files';
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

/** Outputs of a model's first output at every reading of every recording, from the initial state each. */
export function outputsOf(
  bytes: Uint8Array,
  recordings: readonly Recording[],
  onStep: () => void,
): Outputs[] {
  const model = load(bytes);
  const lengths = model.inputs.map(({ shape }) => shape.reduce((product, n) => product * n, 1));
  return recordings.map(({ rows }) => {
    model.reset();
    return rows.map((row) => {
      let at = 0;
      const result = model.step(...lengths.map((length) => row.slice(at, (at += length))));
      onStep();
      return Array.from(Array.isArray(result) ? result[0] : result);
    });
  });
}

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

function errorRows(errors: readonly ErrorOverTime[]): (string | number)[][] {
  const share = (value: number): string => `${(100 * value).toFixed(2)}%`;
  return errors.map((error) => [
    error.name,
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
  const bytes = readBytes(file);
  const model = load(bytes);
  const names = columnNames(model.inputs);
  const recordings = readRecordings(readText(options.data), names.length, options.data, options);
  const [output] = model.outputs;
  const labels = readLabels(
    recordings,
    output ? output.shape.reduce((a, b) => a * b, 1) : 0,
    options.classes,
  );
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
    const accuracy = labels && {
      float: judge(labels, outputsOf(bytes, recordings, count)),
      quantized: judge(labels, outputsOf(written, recordings, count)),
    };
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
    .option('--per-unit', 'a scale for each unit of dense layers: larger, and beyond runtimes before 2023')
    .option(
      '--range <name=low:high>',
      'range of a tensor or variable that the data do not show; may be given several times',
      (value: string, all: string[] = []) => [...all, value],
    )
    .option('-o, --out <file>', 'where the model goes; default: beside the float one')
    .option('--json', 'print the report as JSON');
  return withRecordingOptions(command).action(run);
}
