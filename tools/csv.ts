/** Sensor streams as CSV: a row of real numbers per reading, with or without a line of names first. */
import type { Command } from 'commander';
import { parse } from 'csv-parse/sync';

export interface Readings {
  /** Column names, or null when the file starts with numbers. */
  header: string[] | null;
  rows: number[][];
}

/** Cells of a CSV file as text. */
export interface Table {
  header: string[] | null;
  records: string[][];
  /** Number of the first record's row in the file, from 1. */
  first: number;
}

/**
 * Takes CSV text apart. The first line counts as names when `isHeader` says so of its cells. Empty lines at the end are no
 * rows; before it one would be a reading that is missing.
 * @throws Error when the text is no CSV, has no rows beside names, or has an empty line between rows
 */
export function readTable(text: string, file: string, isHeader: (cells: string[]) => boolean): Table {
  let records: string[][];
  try {
    records = parse(text, { bom: true, trim: true, relax_column_count: true });
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
  const isEmpty = (record: string[]): boolean => record.length === 1 && record[0] === '';
  while (records.length && isEmpty(records[records.length - 1])) records.pop();
  const empty = records.findIndex(isEmpty);
  if (empty >= 0) throw new Error(`${file}, row ${empty + 1}: the line is empty`);
  const header = records.length && isHeader(records[0]) ? records.shift()! : null;
  if (!records.length) throw new Error(`${file} has no rows of numbers`);
  return { header, records, first: header ? 2 : 1 };
}

/**
 * The number in a cell.
 * @throws Error naming row and column when it is missing or not a number
 */
export function numberIn(table: Table, record: number, column: number, file: string): number {
  const cell = table.records[record][column];
  const name = table.header?.[column] ? ` (${table.header[column]})` : '';
  const place = `${file}, row ${record + table.first}, column ${column + 1}${name}`;
  if (cell === '') throw new Error(`${place}: the cell is empty`);
  if (!isNumber(cell)) throw new Error(`${place}: "${cell}" is not a number`);
  return Number(cell);
}

/** A table whose rows are all as long as the first one, and its columns by name, or by number from 1. */
export class Sheet {
  /** How many columns there are. */
  readonly width: number;

  /** @throws Error naming the row that has another number of columns */
  constructor(
    private readonly table: Table,
    private readonly file: string,
  ) {
    this.width = (table.header ?? table.records[0]).length;
    table.records.forEach((_, record) => expectWidth(table, record, this.width, file));
  }

  /** @throws Error saying which columns there are */
  index(column: string, option: string): number {
    const { header } = this.table;
    const named = header ? header.indexOf(column) : -1;
    if (named >= 0) return named;
    const number = Number(column);
    if (Number.isInteger(number) && number >= 1 && number <= this.width) return number - 1;
    throw new Error(
      `${option} ${column}: ${this.file} has no such column; ` +
        (header ? `its columns are ${header.join(', ')}` : `it has ${this.width} columns without names`),
    );
  }

  /** Several columns in their order, separated by commas. */
  indices(columns: string, option: string): number[] {
    return columns.split(',').map((column) => this.index(column.trim(), option));
  }

  name(column: number): string {
    return this.table.header?.[column] ?? String(column + 1);
  }
}

function expectWidth(table: Table, record: number, width: number, file: string): void {
  const { length } = table.records[record];
  if (length !== width)
    throw new Error(`${file}, row ${record + table.first}: ${length} columns, but ${width} are expected`);
}

/** Adds the option that tells the inputs' columns. */
export function withColumnsOption(command: Command): Command {
  return command.option(
    '--columns <names>',
    'columns with the inputs, in order: x,y,z, or numbers from 1. Others are ignored then',
  );
}

/**
 * Reads numbers from CSV text.
 * @param inputs how many numbers the model's inputs take in each reading
 * @param chosen the inputs' columns in their order, by name or by number from 1; left out, a row has nothing else
 * @throws Error naming row and column when a cell is missing or not a number; nothing has been run by then
 */
export function readReadings(text: string, inputs: number, file: string, chosen?: string): Readings {
  // a line with numbers among its text is a damaged reading, not names
  const isHeader = (cells: string[]): boolean => !cells.some(isNumber) && cells.some((cell) => cell !== '');
  const table = readTable(text, file, isHeader);
  const columns = chosen === undefined ? null : chosenColumns(table, inputs, file, chosen);
  const rows = table.records.map((record, index) => {
    if (columns) return columns.map((column) => numberIn(table, index, column, file));
    expectWidth(table, index, inputs, file);
    return record.map((_, column) => numberIn(table, index, column, file));
  });
  return { header: table.header, rows };
}

function chosenColumns(table: Table, inputs: number, file: string, chosen: string): number[] {
  const columns = new Sheet(table, file).indices(chosen, '--columns');
  if (columns.length !== inputs)
    throw new Error(`--columns ${chosen}: the inputs take ${inputs} numbers, not ${columns.length}`);
  return columns;
}

export function isNumber(cell: string): boolean {
  return cell !== '' && Number.isFinite(Number(cell));
}
