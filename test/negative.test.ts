/**
 * Broken and meaningless models: each is refused with an Error that names the place, and never crashes, hangs or asks
 * for all memory. The cases of ../shared/conformance/negative.json, and mutations of a model of our own.
 */
import assert from 'node:assert/strict';
import { load } from '../lib/index';
import { ABSENT, shared } from './helpers/shared';
import { bytesOf, negativeCases, NegativeCase } from './helpers/suite';

/** Cases marked `reject` that Engram runs, and why that is right. */
const ACCEPTED: Record<string, string> = {
  unsupported_builtin_topk: 'TFLM has no TOPK_V2, Engram has; the model is sound',
  unsupported_builtin_gelu: 'a sound model of an operator that TFLM lacks and Engram has, as TFLite does',
};

/** Loads and runs twice with every input byte 1; the message of the error, or null. */
function refusal(test: NegativeCase): string | null {
  try {
    const model = load(test.bytes, { iterationLimit: 1000 });
    for (let i = 0; i < 2; i++) {
      for (const input of model.inputs) bytesOf(input).fill(1);
      model.invoke();
    }
    return null;
  } catch (error) {
    assert.ok(error instanceof Error, test.name);
    // an engine's own complaint would mean that something went wrong unnoticed
    assert.equal(error.constructor, Error, `${test.name}: ${error.stack}`);
    return error.message;
  }
}

describe('broken models', function () {
  this.timeout(60000);
  if (!shared('conformance')) it(ABSENT);
  const byCategory = new Map<string, NegativeCase[]>();
  for (const test of negativeCases())
    byCategory.set(test.category, [...(byCategory.get(test.category) ?? []), test]);
  for (const [category, tests] of byCategory) {
    it(`${category}: ${tests.length} cases`, () => {
      const failures: string[] = [];
      for (const test of tests) {
        const message = refusal(test);
        const mustFail = test.expect !== 'no_crash' && !ACCEPTED[test.name];
        if (mustFail && message === null) failures.push(`${test.name}: accepted, although ${test.reason}`);
        if (process.env.SHOW) console.log(`${test.reason}: ${message}`);
      }
      assert.equal(failures.length, 0, failures.join('\n'));
    });
  }
});
