/** The test data that lies beside the project; tests that need it are pending when it is absent. */
import fs from 'node:fs';
import path from 'node:path';

const root = path.join(__dirname, '..', '..', '..', 'shared');

/** Path of a file or folder in ../shared, or null when it is not there. */
export function shared(...parts: string[]): string | null {
  const file = path.join(root, ...parts);
  return fs.existsSync(file) ? file : null;
}

/** What a pending test says. */
export const ABSENT = 'pending: ../shared is not there';
