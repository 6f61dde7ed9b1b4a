/** Sensor streams as CSV: a row of real numbers per reading, with or without a line of names first. */
import { parse } from 'csv-parse/sync';

export interface Readings {
  /** Column names, or null when the file starts with numbers. */
  header: string[] | null;
  rows: number[][];
}

/**
 * Reads numbers from CSV text.
 * @param columns how many numbers a row must have
 * @throws Error naming row and column when a cell is missing or not a number; nothing has been run by then
 */
export function readReadings(text: string, columns: number, file: string): Readings {
  let records: string[][];
  try {
    records = parse(text, { bom: true, skip_empty_lines: true, trim: true, relax_column_count: true });
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
  const header =
    records.length && records[0].some((cell) => cell !== '' && !isNumber(cell)) ? records.shift()! : null;
  if (!records.length) throw new Error(`${file} has no rows of numbers`);
  const first = header ? 2 : 1;
  const rows = records.map((record, index) => {
    const row = index + first;
    if (record.length !== columns)
      throw new Error(`${file}, row ${row}: ${record.length} columns, but ${columns} are expected`);
    return record.map((cell, column) => {
      const place = `${file}, row ${row}, column ${column + 1}${header?.[column] ? ` (${header[column]})` : ''}`;
      if (cell === '') throw new Error(`${place}: the cell is empty`);
      if (!isNumber(cell)) throw new Error(`${place}: "${cell}" is not a number`);
      return Number(cell);
    });
  });
  return { header, rows };
}

function isNumber(cell: string): boolean {
  return cell !== '' && Number.isFinite(Number(cell));
}
