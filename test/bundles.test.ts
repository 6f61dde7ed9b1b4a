/** What each family of operators adds to a bundle: within its budget, and as docs/bundles.md states. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { leakyIntegratorModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { allOperators } from '../ops/index';
import { bundle } from '../tools/bundle';
import { buildBytes, entryOf, FAMILIES, operatorsOf } from '../tools/families';

describe('bundles by family', function () {
  this.timeout(240000);

  it('keep to their budgets, and docs/bundles.md states what they take', async () => {
    const text = fs.readFileSync(path.join(__dirname, '..', 'docs', 'bundles.md'), 'utf8');
    const core = await buildBytes([]);
    const check = (name: string, bytes: number): void => {
      const row = text.split('\n').find((line) => line.split('|')[1]?.trim() === name);
      assert.ok(row, `no row for ${name}`);
      const [stated, budget] = row.split('|').slice(3, 5).map(Number);
      const measured = bytes / 1024;
      assert.ok(measured <= budget, `${name}: ${measured.toFixed(2)} KB, the budget is ${budget}`);
      assert.ok(
        Math.abs(measured - stated) < 0.11,
        `${name}: ${measured.toFixed(2)} KB, but ${stated} is stated`,
      );
    };
    check('(the loader itself)', core);
    for (const family of FAMILIES) check(family.name, (await buildBytes([family])) - core);
  });

  it('a build of chosen families runs a model of theirs, and names what it lacks', async () => {
    const chosen = ['variables', 'control', 'arithmetic'].map((name) =>
      FAMILIES.find((family) => family.name === name)!,
    );
    const code = await bundle({
      entrySource: entryOf(chosen, { snapshots: true, storage: true, rareTypes: false }),
      minify: true,
    });
    const module = { exports: {} as typeof import('../lib/index') };
    new Function('module', code)(module);
    const model = module.exports.load(writeModel(leakyIntegratorModel({ decay: 0.5 })));
    assert.equal((model.step(4) as Float32Array)[0], 2);
    model.restore(model.save());
    assert.throws(() => module.exports.load('gru' as never), /load\("gru"\) needs Espruino's Storage/);
    const small = await bundle({
      entrySource: entryOf([FAMILIES[0]], { snapshots: false, storage: false, rareTypes: false }),
      minify: true,
    });
    new Function('module', small)(module);
    assert.throws(
      () => module.exports.load(writeModel(leakyIntegratorModel({ decay: 0.5 }))),
      /no operator .*builtin operator 18/,
    );
  });

  it('all families together are the operators of the complete build', () => {
    assert.deepEqual(FAMILIES.flatMap(operatorsOf).sort(), Object.keys(allOperators).sort());
  });
});
