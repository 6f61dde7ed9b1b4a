/**
 * Every case of the conformance suite in ../shared/conformance: outputs equal TFLM's, integers to the bit, floats to
 * the tolerance of the suite. GROUP=conv,pooling runs only these groups.
 */
import assert from 'node:assert/strict';
import { load } from '../lib/index';
import { ABSENT, shared } from './helpers/shared';
import { cases, difference, groups } from './helpers/suite';

/** Cases where Engram differs from TFLM on purpose (docs/operators.md says why), and what it answers instead. */
const DELIBERATE: Record<string, string> = {
  initial_value_i16_zp300: 'variables start at the zero point in full width',
  'initial_value_i32_zp-3': 'variables start at the zero point in full width',
};

const only = process.env.GROUP?.split(',');

describe('conformance with TFLM', function () {
  this.timeout(60000);
  if (!shared('conformance')) it(ABSENT);
  for (const group of groups()) {
    if (only && !only.includes(group)) continue;
    it(group, () => {
      const failures: string[] = [];
      for (const test of cases(group)) {
        if (DELIBERATE[test.name]) continue;
        let found: string | null;
        try {
          found = difference(test, load(test.bytes));
        } catch (error) {
          found = (error as Error).message;
        }
        if (found) failures.push(`${test.name}: ${found}`);
      }
      assert.equal(
        failures.length,
        0,
        `${failures.length} cases differ:\n${failures.slice(0, 40).join('\n')}`,
      );
    });
  }
});
