/** Writes docs/operators.md from the catalogue: `npm run operators`. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { format } from 'prettier';
import { operatorsPage } from '../tools/catalogue/index';

/** The page as it is kept, formatted as the other documents are. */
export function formattedPage(): Promise<string> {
  return format(operatorsPage(), { parser: 'markdown', printWidth: 110 });
}

export const PAGE = path.join(__dirname, '..', 'docs', 'operators.md');

if (require.main === module) void formattedPage().then((text) => fs.writeFileSync(PAGE, text));
