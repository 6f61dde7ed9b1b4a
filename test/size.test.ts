/** The flash budget of the chip bundle, and the figure that README.md states for it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { BUNDLES, CHIP_BUDGET } from '../scripts/bundles';

const root = path.join(__dirname, '..');

/** Bytes of a file of the build, or a pending test. */
function measure(test: Mocha.Context, file: string): number {
  const full = path.join(root, file);
  if (fs.existsSync(full)) return fs.statSync(full).size;
  test.test!.title += ` (${file} is not built: run "npm run build")`;
  return test.skip();
}

/** The kilobytes that a Markdown table states in the row of a file. */
function statedKilobytes(markdown: string, file: string): string | undefined {
  const row = markdown
    .split('\n')
    .find((line) => line.trimStart().startsWith('|') && line.includes('`' + file + '`'));
  return row?.match(/(\d+(?:\.\d+)?)\s*KB/)?.[1];
}

describe('size', () => {
  it(`dist/engram.min.js keeps to ${CHIP_BUDGET} bytes`, function () {
    const bytes = measure(this, 'dist/engram.min.js');
    assert.ok(bytes <= CHIP_BUDGET, `dist/engram.min.js has ${bytes} bytes, ${bytes - CHIP_BUDGET} too many`);
  });

  it('README.md states the measured sizes', function () {
    const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');
    for (const { out } of BUNDLES) {
      const stated = statedKilobytes(readme, out);
      // The chip bundle's figure must be there; those of the others must be right where they are.
      if (stated === undefined && out !== 'dist/engram.min.js') continue;
      const measured = (measure(this, out) / 1024).toFixed(1);
      assert.equal(stated, measured, `the table row of \`${out}\` in README.md, in KB of 1024 bytes`);
    }
  });

  it('finds the figure in a table row and nowhere else', () => {
    const text = 'about `dist/engram.min.js`, 1.0 KB\n| `dist/engram.min.js` | the chip | 38.2 KB |\n';
    assert.equal(statedKilobytes(text, 'dist/engram.min.js'), '38.2');
    assert.equal(statedKilobytes(text, 'dist/engram.js'), undefined);
  });
});
