/** Sensor streams as CSV: a row of real numbers per reading, with or without a line of names first. */
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

/**
 * Reads numbers from CSV text.
 * @param columns how many numbers a row must have
 * @throws Error naming row and column when a cell is missing or not a number; nothing has been run by then
 */
export function readReadings(text: string, columns: number, file: string): Readings {
  // a line with numbers among its text is a damaged reading, not names
  const isHeader = (cells: string[]): boolean => !cells.some(isNumber) && cells.some((cell) => cell !== '');
  const table = readTable(text, file, isHeader);
  const rows = table.records.map((record, index) => {
    if (record.length !== columns)
      throw new Error(
        `${file}, row ${index + table.first}: ${record.length} columns, but ${columns} are expected`,
      );
    return record.map((_, column) => numberIn(table, index, column, file));
  });
  return { header: table.header, rows };
}

export function isNumber(cell: string): boolean {
  return cell !== '' && Number.isFinite(Number(cell));
}
