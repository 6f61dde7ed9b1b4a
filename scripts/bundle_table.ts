/** Writes the measured sizes into docs/bundles.md and README.md: `npx tsx scripts/bundle_table.ts`, after a build. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { buildBytes, FAMILIES } from '../tools/families';
import { BUNDLES } from './bundles';

const root = path.join(__dirname, '..');

async function main(): Promise<void> {
  const core = await buildBytes([]);
  const kilobytes = (bytes: number): string => (bytes / 1024).toFixed(1);
  const rows = [
    `| (the loader itself) | reads, plans, runs; variables, streams, slices | ${kilobytes(core)} | 33 |`,
  ];
  for (const family of FAMILIES) {
    const bytes = (await buildBytes([family])) - core;
    const budget = Math.ceil((bytes / 1024 + 0.2) * 2) / 2;
    rows.push(`| ${family.name} | ${family.title} | ${kilobytes(bytes)} | ${budget} |`);
  }
  const file = path.join(root, 'docs', 'bundles.md');
  const text = fs.readFileSync(file, 'utf8');
  const table = `| family | operators | KB | budget |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
  fs.writeFileSync(file, text.replace(/\| family +\|[\s\S]*?\n(?=\n|$)/, table));
  let readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');
  for (const { out } of BUNDLES) {
    const size = kilobytes(fs.statSync(path.join(root, out)).size);
    readme = readme.replace(
      new RegExp(`(\\| \`${out.replaceAll('.', '\\.')}\` *\\| )[^|]*\\|`),
      `$1${size} KB |`,
    );
  }
  fs.writeFileSync(path.join(root, 'README.md'), readme);
}

void main();
