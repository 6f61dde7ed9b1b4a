/** A seeded generator of random numbers, so that tests, examples and benchmarks can be repeated. */

/** A stream of random numbers; the same seed always gives the same stream. */
export interface Random {
  /** Uniform in [0, 1). */
  (): number;
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number;
  /** An integer from low to high, both included. */
  integer(low: number, high: number): number;
  /** Normal with this standard deviation and mean 0. */
  normal(deviation?: number): number;
}

/** Mulberry32 by Tommy Ettinger (public domain): 32 bits of state, one multiplication chain a number. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  return Object.assign(next, {
    uniform: (low: number, high: number) => low + (high - low) * next(),
    integer: (low: number, high: number) => low + Math.floor((high - low + 1) * next()),
    // Box–Muller; 1 − x keeps the logarithm's argument above 0
    normal: (deviation = 1) =>
      deviation * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  });
}
