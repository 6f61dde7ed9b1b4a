/** Readings for tests of models over time. */
import { random } from '../../author/random';

/** A random walk that is drawn back to 0, as a sensor's readings: within ±3. */
export function walk(steps: number, size: number, seed: number): number[][] {
  const next = random(seed);
  const at = new Array<number>(size).fill(0);
  return Array.from({ length: steps }, () =>
    at.map((value, i) => (at[i] = Math.max(-3, Math.min(3, 0.9 * value + 0.6 * next.normal())))),
  );
}
