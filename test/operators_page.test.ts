/** docs/operators.md says what the build has. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { formattedPage, PAGE } from '../scripts/operators';
import { catalogue } from '../tools/catalogue/index';

describe('docs/operators.md', () => {
  it('is what the catalogue makes of every operator in the build', async () => {
    assert.equal(fs.readFileSync(PAGE, 'utf8'), await formattedPage(), 'run "npm run operators"');
  });

  it('names types and a reference for each', () => {
    for (const { op, types, reference } of catalogue()) {
      assert.ok(types.length > 0, op);
      assert.ok(reference, op);
    }
  });
});
