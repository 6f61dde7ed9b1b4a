/** The selection for chips calls builtin operators by their right numbers, and has no name too many. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { BUILTIN_OPERATORS } from '../lib/schema';

describe('the selection for chips', () => {
  it('numbers its operators as the schema does', () => {
    const source = fs.readFileSync(path.join(__dirname, '..', 'lib', 'chip.ts'), 'utf8');
    const pairs = [...source.matchAll(/(\d+) ([A-Z][A-Z0-9_]+)/g)];
    assert.ok(pairs.length > 20);
    for (const [, number, name] of pairs) assert.equal(BUILTIN_OPERATORS[+number], name);
  });
});
