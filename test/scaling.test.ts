/** Scaling of sums to bytes on Espruino: the bits of the portable kernel for every sum, in few digits. */
import assert from 'node:assert/strict';
import { mbqm } from '../lib/fixedpoint';
import { agrees, isAbove, scalingOf, shortest, stepsOf } from '../tools/pack/scaling';
import { random } from '../author/random';

/** What a clamping array makes of a number on Espruino, which cuts off the fraction. */
const clamped = (x: number): number => Math.min(Math.max(Math.trunc(x), 0), 255);

describe('scaling to bytes', () => {
  it('gives the portable result for all sums, with shorter numbers', () => {
    const next = random(7);
    for (let round = 0; round < 40; round++) {
      const multiplier = 2 ** 30 + Math.floor(next() * 2 ** 30);
      const shift = -Math.floor(next() * 12);
      const zero = Math.floor(next() * 256) - 128;
      const bound = 20000 + Math.floor(next() * 200000);
      const steps = stepsOf(multiplier, shift, zero + 128, bound);
      const scaling = scalingOf(multiplier, shift, zero + 128, steps);
      assert.ok(scaling, `${multiplier} ${shift}`);
      const { m, minus, plus } = scaling;
      for (let sum = -bound; sum <= bound; sum++) {
        const expected = clamped(mbqm(sum, multiplier, shift) + zero + 128);
        const got = clamped(sum * m + (sum < 0 ? minus : plus));
        if (got !== expected)
          assert.equal(got, expected, `${sum} · ${multiplier} · 2^${shift - 31} + ${zero}`);
      }
      if (steps.at.length > 200) assert.ok(String(m).length < String(multiplier * 2 ** (shift - 31)).length);
    }
  });

  it('adds one number where sums below 0 are all cut off', () => {
    const steps = stepsOf(1518500250, -9, 0, 100000);
    assert.ok(isAbove(steps));
    const { minus, plus } = scalingOf(1518500250, -9, 0, steps)!;
    assert.equal(minus, plus);
    assert.ok(!isAbove(stepsOf(1518500250, -9, 1, 100000)));
  });

  it('notices a single sum that comes out differently', () => {
    const steps = stepsOf(1 << 30, -3, 128, 5000);
    const exact = (sum: number): number => mbqm(sum, 1 << 30, -3) + 128;
    assert.ok(agrees(steps, exact));
    for (const { sum } of steps.at.slice(0, 250)) {
      assert.ok(!agrees(steps, (one) => exact(one) - Number(one === sum)));
      assert.ok(!agrees(steps, (one) => exact(one) + Number(one === sum - 1)));
    }
  });

  it('finds the number with the fewest digits', () => {
    assert.equal(
      shortest(0.123456789, (x) => Math.abs(x - 0.123456789) < 1e-5),
      0.12346,
    );
    assert.equal(
      shortest(0.1 + 0.2, (x) => x === 0.1 + 0.2),
      0.1 + 0.2,
    );
  });
});
