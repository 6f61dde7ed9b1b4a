/** Labelled recordings as CSV: readings beside columns that tell the recording, the label and the time. */
import type { Command } from 'commander';
import { isNumber, numberIn, readTable, Sheet, type Table, withColumnsOption } from './csv';

/**
 * Which columns of the file are what, by name or by number from 1. Where the file has more columns than the model has
 * inputs, those called time, id, label or the like are found by themselves.
 */
export interface RecordingColumns {
  /** The inputs' columns, in their order; left out: all that are nothing else. */
  columns?: string;
  /** What the model should have said. */
  label?: string;
  /** A new recording starts, from the initial state, where its value changes. */
  group?: string;
  /** Time of the reading; it must go on evenly. */
  time?: string;
  /** Only rows with this value in this column: "COLUMN=VALUE". */
  where?: string[];
}

/** One recording: the model's state is reset before it. */
export interface Recording {
  /** The value of the group column, or its number. */
  name: string;
  rows: number[][];
  /** A label per row, null where the cell is empty; null when there is no label column. */
  labels: (string | null)[] | null;
}

/** Gaps longer than this many usual steps are jumps. */
const LONGEST_GAP = 5;
/** A date with a time of day that does not say where. */
const WITHOUT_ZONE = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?$/;
/** What columns that are no inputs are usually called. */
const USUAL_NAMES = {
  time: /^(time|timestamp|date|datetime|t)$/i,
  group: /^(group|recording|id|session|sequence|stream)$/i,
  label: /^(label|class|target)$/i,
};

/** Adds the options that `readRecordings` takes. */
export function withRecordingOptions(command: Command): Command {
  return withColumnsOption(command)
    .option(
      '--label <column>',
      'column with what the model should say (a name, or a number from 1); "label" is found by itself',
    )
    .option('--group <column>', 'column that tells recordings apart: the state is reset where it changes')
    .option('--time <column>', 'column with the time: no input; it must not jump within a recording')
    .option(
      '--where <column=value>',
      'only rows with this value; may be given several times',
      (value: string, all: string[] = []) => [...all, value],
    )
    .option('--classes <names>', 'what the outputs stand for, in order, where labels are text: a,b,c');
}

/**
 * Reads recordings.
 * @param inputs how many numbers the model's inputs take in each reading
 * @throws Error naming row and column when a cell is missing or not a number, a row has another number of columns, the
 * time jumps, or columns are left over; nothing has been run by then
 */
export function readRecordings(
  text: string,
  inputs: number,
  file: string,
  which: RecordingColumns,
): Recording[] {
  // labels may be text, readings are numbers: a line without any number is one of names
  const table = readTable(text, file, (cells) => cells.every((cell) => !isNumber(cell)));
  const sheet = new Sheet(table, file);
  const find = (column: string | undefined, option: string): number | null =>
    column === undefined ? null : sheet.index(column, option);
  const roles = {
    time: find(which.time, '--time'),
    group: find(which.group, '--group'),
    label: find(which.label, '--label'),
  };
  const conditions = (which.where ?? []).map((condition) => {
    const [column, value] = condition.split(/=(.*)/s);
    if (value === undefined) throw new Error(`--where must be COLUMN=VALUE, not "${condition}"`);
    return { column: sheet.index(column, '--where'), value };
  });
  const taken = new Set([...Object.values(roles), ...conditions.map(({ column }) => column)]);
  let columns = which.columns
    ? sheet.indices(which.columns, '--columns')
    : Array.from({ length: sheet.width }, (_, column) => column).filter((column) => !taken.has(column));
  // with more columns than inputs, those with usual names are what these say
  for (const role of ['time', 'group', 'label'] as const) {
    if (which.columns || roles[role] !== null || columns.length <= inputs) continue;
    const found = columns.find((column) => USUAL_NAMES[role].test(table.header?.[column] ?? ''));
    if (found === undefined) continue;
    roles[role] = found;
    columns = columns.filter((column) => column !== found);
  }
  if (columns.length !== inputs) {
    throw new Error(
      `${file}: ${columns.length} columns (${columns.map((column) => sheet.name(column)).join(', ')}) are left for the ` +
        `inputs, which take ${inputs}; say which with --columns`,
    );
  }
  return split(table, file, { columns, ...roles, conditions });
}

interface Columns {
  columns: number[];
  label: number | null;
  group: number | null;
  time: number | null;
  conditions: { column: number; value: string }[];
}

function split(table: Table, file: string, which: Columns): Recording[] {
  const recordings: (Recording & { records: number[] })[] = [];
  let name: string | null = null;
  table.records.forEach((record, index) => {
    if (which.conditions.some(({ column, value }) => record[column] !== value)) return;
    const own = which.group === null ? '1' : record[which.group];
    if (!recordings.length || own !== name) {
      name = own;
      recordings.push({ name: own, rows: [], labels: which.label === null ? null : [], records: [] });
    }
    const recording = recordings[recordings.length - 1];
    recording.rows.push(which.columns.map((column) => numberIn(table, index, column, file)));
    if (which.label !== null) recording.labels!.push(record[which.label] || null);
    recording.records.push(index);
  });
  if (!recordings.length) throw new Error(`${file}: no row has what --where asks for`);
  if (which.time !== null) expectEvenTime(table, file, which.time, recordings);
  return recordings.map(({ name: own, rows, labels }) => ({ name: own, rows, labels }));
}

function timeIn(table: Table, record: number, column: number, file: string): number {
  const cell = table.records[record][column];
  if (isNumber(cell) || cell === '') return numberIn(table, record, column, file);
  // a clock that is set for summer somewhere must not make it jump
  const time = Date.parse(WITHOUT_ZONE.test(cell) ? `${cell.replace(' ', 'T')}Z` : cell);
  if (Number.isNaN(time)) {
    throw new Error(`${file}, row ${record + table.first}, column ${column + 1}: "${cell}" is not a time`);
  }
  return time / 1000;
}

/** A stream with a gap is two streams: the model's state would take the jump for a step. */
function expectEvenTime(
  table: Table,
  file: string,
  column: number,
  recordings: { records: number[] }[],
): void {
  const steps = recordings.flatMap(({ records }) =>
    records.slice(1).map((record, i) => ({
      record,
      step: timeIn(table, record, column, file) - timeIn(table, records[i], column, file),
    })),
  );
  const sorted = steps.map(({ step }) => step).sort((a, b) => a - b);
  const usual = sorted[Math.floor(sorted.length / 2)];
  for (const { record, step } of steps) {
    if (step > 0 && step <= LONGEST_GAP * usual) continue;
    const place = `${file}, row ${record + table.first}, column ${column + 1}`;
    const jump = step > 0 ? `jumps ahead by ${step}` : step < 0 ? `goes back by ${-step}` : 'stands still';
    throw new Error(
      `${place}: the time ${jump}, where ${usual} between readings is usual; ` +
        'start a new recording there (--group), fill the gap, or name the inputs alone (--columns)',
    );
  }
}
