/**
 * How Espruino's kernels scale sums to bytes: v = s·m + (s < 0 ? minus : plus), and a clamping array cuts off the fraction and
 * what is beyond 0 and 255. The portable kernel's result is a step function of s, so looking at the sums where it steps
 * tells whether another form gives its bits for all of them; numbers are as short as that allows.
 */
import { mbqm } from '../../lib/fixedpoint';
import { nudge } from './replacement';

/** Results from `low` to `high`, of sums from −bound to bound; what is beyond them is cut off later. */
export interface Steps {
  /** The portable result of a sum, which never falls as the sum grows. */
  of: (sum: number) => number;
  low: number;
  high: number;
  bound: number;
  /** The least sums that reach the results above `low`. */
  at: { sum: number; result: number }[];
}

/** Steps of mbqm(sum) + offset. */
export function stepsOf(
  multiplier: number,
  shift: number,
  offset: number,
  bound: number,
  low = 0,
  high = 255,
): Steps {
  const of = (sum: number): number => mbqm(sum, multiplier, shift) + offset;
  const at: Steps['at'] = [];
  let from = -bound;
  for (let result = Math.max(low + 1, of(-bound) + 1); result <= high && of(bound) >= result; result++) {
    let to = bound;
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      if (of(middle) >= result) to = middle;
      else from = middle + 1;
    }
    at.push({ sum: from, result });
  }
  return { of, low, high, bound, at };
}

/** Whether `value`, which never falls among sums below 0 and among others, comes to the same results. */
export function agrees({ of, low, high, bound, at }: Steps, value: (sum: number) => number): boolean {
  const cut = (x: number): number => Math.min(Math.max(Math.trunc(x), low), high);
  if (![-bound, -1, 0, bound].every((sum) => cut(value(sum)) === cut(of(sum)))) return false;
  return at.every(({ sum, result }) => value(sum) >= result && (sum <= -bound || value(sum - 1) < result));
}

/** The number with the fewest digits near `value` that is good enough; `value` itself if none is. */
export function shortest(value: number, good: (candidate: number) => boolean): number {
  for (let digits = 2; digits < 17; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (good(candidate)) return candidate;
  }
  return value;
}

/** m, and what to add to sums below 0 and to others. */
export interface Scaling {
  m: number;
  minus: number;
  plus: number;
}

/** Whether sums below 0 all come to the least result, so that one number can be added to all. */
export function isAbove({ of, low }: Steps): boolean {
  return of(-1) <= low;
}

/** The scaling of sums by one multiplier with a shift that is not to the left; null where there is none. */
export function scalingOf(multiplier: number, shift: number, offset: number, steps: Steps): Scaling | null {
  const value = (sum: number, m: number, minus: number, plus: number): number =>
    sum * m + (sum < 0 ? minus : plus);
  const e = -shift;
  let m = multiplier * 2 ** (-31 - e);
  let minus = offset + 0.5 - nudge(e);
  let plus = offset + 0.5 + nudge(e);
  if (isAbove(steps)) minus = plus;
  const good = (): boolean => agrees(steps, (sum) => value(sum, m, minus, plus));
  if (!good()) return null;
  m = shortest(m, (candidate) => agrees(steps, (sum) => value(sum, candidate, minus, plus)));
  if (minus === plus) {
    plus = shortest(plus, (candidate) => agrees(steps, (sum) => value(sum, m, candidate, candidate)));
    return { m, minus: plus, plus };
  }
  plus = shortest(plus, (candidate) => agrees(steps, (sum) => value(sum, m, minus, candidate)));
  minus = shortest(minus, (candidate) => agrees(steps, (sum) => value(sum, m, candidate, plus)));
  return { m, minus, plus };
}
