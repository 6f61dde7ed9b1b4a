/** Elementwise int8 operators on Espruino: the shortest kernel that gives the bits of the portable one. */
import {
  addInt8 as addInt8Short,
  addInt8Linear,
  addInt8Rounded,
  mulInt8 as mulInt8Short,
  mulInt8Cut,
} from '../../engines/espruino/elementwise';
import type { Kernel, TypedArray } from '../../lib/graph';
import { addQuantized, mulQuantized } from '../../ops/arithmetic';
import { call, clamping, clampTable, nudge, through, type Args, type Replacement } from './replacement';
import { scalingOf, shortest, stepsOf } from './scaling';

const ELEMENTWISE = 'engines/espruino/elementwise';

/** Whether a binary operator walks over operands of one shape: n, inner, ai, bi, mid, … from argument 3 on. */
function isFlat(args: Args): boolean {
  const [n, inner, ai, bi] = args.slice(3) as number[];
  return n > 0 && inner === n && ai === 1 && bi === 1;
}

/** Count of elements, working variables, then a, b and y. */
function countFirst(args: Args, ...working: number[]): Args {
  return [args[3], ...working, ...args.slice(0, 3)];
}

/** An int8 operator on two operands of one shape, on all 65,536 pairs. */
interface Pairs {
  a: Int8Array;
  b: Int8Array;
  /** The portable kernel's results. */
  expected: Int8Array;
  min: number;
  max: number;
}

function pairsOf(portable: Kernel, args: Args, min: number, max: number): Pairs {
  const a = new Int8Array(65536);
  const b = new Int8Array(65536);
  for (let i = 0; i < 65536; i++) {
    a[i] = i;
    b[i] = i >> 8;
  }
  const expected = new Int8Array(65536);
  portable(a, b, expected, 65536, 65536, ...args.slice(5));
  return { a, b, expected, min, max };
}

/**
 * How a kernel's values become int8: `added` to them, and a table behind a clamping array if they may go beyond; the
 * latter is worth its 256 bytes from some elements on.
 */
interface Ending {
  added: number;
  clamps: boolean;
}
const ENDINGS: Ending[] = [
  { added: 256, clamps: false },
  { added: 128, clamps: true },
];
const TABLE_FROM = 16;

/** What becomes of a kernel's values. */
function ended(values: number[], { clamps }: Ending, min: number, max: number): Int8Array {
  return Int8Array.from(values, (value) => {
    const whole = Math.trunc(value);
    return clamps ? Math.min(Math.max(Math.min(Math.max(whole, 0), 255) - 128, min), max) : whole;
  });
}

function same(a: Int8Array, b: Int8Array): boolean {
  return !Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer));
}

/** The call of a kernel that ends in one of two ways. */
function endedCall(
  name: string,
  args: Args,
  working: number[],
  { clamps }: Ending,
  parameters: number[],
  { min, max }: Pairs,
): Replacement {
  const [a, b, y] = args as TypedArray[];
  const n = args[3] as number;
  const to = clamps ? clamping(n) : y;
  const row = call(ELEMENTWISE, name, [n, ...working, to, a, b, ...parameters]);
  return clamps ? through(row, to, y, clampTable(min, max)) : row;
}

/** How much longer terms become, so that halves of both signs round away from zero with one number added. */
const TILTS = [0, 1e-7, 1e-6, 1e-5, 1e-4];

/** ga · a + gb · b + offset, and zero, in few digits, if there is such a sum that gives the bits of the portable kernel. */
function plainSum(args: Args, pairs: Pairs, [ga, gb, offset, zero]: number[]): Replacement | null {
  const values = new Array<number>(65536);
  for (const ending of ENDINGS) {
    if (ending.clamps && (args[3] as number) < TABLE_FROM) continue;
    const good = (fa: number, fb: number, c: number): boolean => {
      addInt8Short(65536, values, pairs.a, pairs.b, fa, fb, c);
      return same(ended(values, ending, pairs.min, pairs.max), pairs.expected);
    };
    const found = TILTS.flatMap((tilt): number[][] => {
      let [fa, fb] = [ga * (1 + tilt), gb * (1 + tilt)];
      let c = offset * (1 + tilt) + zero + 0.5 - tilt / 4 + ending.added;
      if (!good(fa, fb, c)) return [];
      fa = shortest(fa, (candidate) => good(candidate, fb, c));
      fb = shortest(fb, (candidate) => good(fa, candidate, c));
      c = shortest(c, (candidate) => good(fa, fb, candidate));
      return [[fa, fb, c]];
    });
    const size = (terms: number[]): number => terms.join().length;
    if (found.length)
      return endedCall(
        'addInt8',
        args,
        [],
        ending,
        found.reduce((a, b) => (size(b) < size(a) ? b : a)),
        pairs,
      );
  }
  return null;
}

export function addInt8(args: Args): Replacement | null {
  if (!isFlat(args) || !(args[0] instanceof Int8Array)) return null;
  const [aZero, fa, bZero, fb, half, one, bShift, sign, square, multiplier, shift, zero, min, max] =
    args.slice(11) as number[];
  if (square) return null;
  const e = -shift;
  if (e < 0) return null;
  const pairs = pairsOf(addQuantized, args, min, max);
  const m = multiplier * 2 ** (-31 - e);
  const ga = fa * m;
  const gb = (sign * fb * m) / 2 ** bShift;
  const sum = plainSum(args, pairs, [ga, gb, -aZero * ga - bZero * gb, zero]);
  if (sum) return sum;
  const nudged = [m, zero + 4096.5 + nudge(e), zero + 4096.5 - nudge(e), min, max];
  if (!bShift && Number.isInteger(fa) && Number.isInteger(fb)) {
    const offset = -aZero * fa - sign * bZero * fb;
    return verified(pairs, args, addInt8Linear, [fa, sign * fb, offset, ...nudged]);
  }
  if (one !== 1) return null;
  const terms = [fa, -aZero * fa, fb, 0.5 - bZero * fb, bShift, half, sign];
  return verified(pairs, args, addInt8Rounded, [...terms, ...nudged]);
}

/** The short kernel, if it gives the bits of the portable one for all pairs of operands. */
function verified(
  { a, b, expected }: Pairs,
  args: Args,
  short: Kernel,
  parameters: number[],
): Replacement | null {
  const got = new Int8Array(65536);
  short(65536, 0, a, b, got, ...parameters);
  return same(got, expected) ? call(ELEMENTWISE, short.name, [...countFirst(args, 0), ...parameters]) : null;
}

export function mulInt8(args: Args): Replacement | null {
  if (!isFlat(args) || !(args[0] instanceof Int8Array)) return null;
  const [aZero, bZero, multiplier, shift, zero, min, max] = args.slice(11) as number[];
  const pairs = pairsOf(mulQuantized, args, min, max);
  const bound = 65536;
  const values = new Array<number>(65536);
  for (const ending of ENDINGS) {
    if (ending.clamps && (args[3] as number) < TABLE_FROM) continue;
    const offset = zero + ending.added;
    const steps = stepsOf(multiplier, shift, offset, bound, ending.clamps ? 0 : 1, ending.clamps ? 255 : 511);
    const scaling = shift > 0 ? null : scalingOf(multiplier, shift, offset, steps);
    if (!scaling) continue;
    const parameters = [aZero, bZero, scaling.m, scaling.minus, scaling.plus];
    mulInt8Short(
      65536,
      0,
      values,
      pairs.a,
      pairs.b,
      ...(parameters as [number, number, number, number, number]),
    );
    if (same(ended(values, ending, min, max), pairs.expected))
      return endedCall('mulInt8', args, [0], ending, parameters, pairs);
  }
  if (shift > 0) return null;
  const m = multiplier * 2 ** (shift - 31);
  const nudged = [m, zero + 4096.5 + nudge(-shift), zero + 4096.5 - nudge(-shift)];
  return verified(pairs, args, mulInt8Cut, [aZero, bZero, ...nudged, min, max]);
}
