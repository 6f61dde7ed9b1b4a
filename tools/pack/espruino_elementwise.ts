/** Elementwise operators on Espruino: the shortest kernel that gives the bits of the portable one. */
import {
  addInt8Linear,
  addInt8Rounded,
  addInt8Table,
  mulInt8 as mulInt8Short,
  mulInt8Table,
} from '../../engines/espruino/elementwise';
import type { Kernel } from '../../lib/graph';
import { addQuantized, mulQuantized } from '../../ops/arithmetic';
import {
  call,
  clamping,
  clampTable,
  nudge,
  scaled,
  unbounded,
  type Args,
  type Replacement,
} from './replacement';

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

export function addFloat32(args: Args): Replacement | null {
  const [sign, min, max] = args.slice(11) as number[];
  if (!isFlat(args) || !(args[0] instanceof Float32Array) || !unbounded(min, max)) return null;
  return call(ELEMENTWISE, sign < 0 ? 'subFloat32' : 'addFloat32', countFirst(args));
}

export function mulFloat32(args: Args): Replacement | null {
  const [min, max] = args.slice(11) as number[];
  if (!isFlat(args) || !unbounded(min, max)) return null;
  return call(ELEMENTWISE, 'mulFloat32', countFirst(args));
}

export function addInt8(args: Args): Replacement | null {
  if (!isFlat(args) || !(args[0] instanceof Int8Array)) return null;
  const [aZero, fa, bZero, fb, half, one, bShift, sign, square, multiplier, shift, zero, min, max] =
    args.slice(11) as number[];
  if (square) return null;
  const e = -shift;
  if (e < 0) return null;
  const m = multiplier * 2 ** (-31 - e);
  const ga = fa * m;
  const gb = (sign * fb * m) / 2 ** bShift;
  const direct = [ga, gb, -aZero * ga - bZero * gb, zero + 128.5 + nudge(e), zero + 128.5 - nudge(e)];
  const table = throughTable(addQuantized, args, addInt8Table, direct, min, max);
  if (table) return table;
  const nudged = [m, zero + 4096.5 + nudge(e), zero + 4096.5 - nudge(e), min, max];
  if (!bShift && Number.isInteger(fa) && Number.isInteger(fb)) {
    const offset = -aZero * fa - sign * bZero * fb;
    return verified(addQuantized, args, addInt8Linear, [fa, sign * fb, offset, ...nudged]);
  }
  if (one !== 1) return null;
  const terms = [fa, -aZero * fa, fb, 0.5 - bZero * fb, bShift, half, sign];
  return verified(addQuantized, args, addInt8Rounded, [...terms, ...nudged]);
}

/** All pairs of int8 operands, in two arrays. */
function allPairs(): [Int8Array, Int8Array] {
  const a = new Int8Array(65536);
  const b = new Int8Array(65536);
  for (let i = 0; i < 65536; i++) {
    a[i] = i;
    b[i] = i >> 8;
  }
  return [a, b];
}

/** The short kernel, if it gives the bits of the portable one for all 65,536 pairs of operands. */
function verified(portable: Kernel, args: Args, short: Kernel, parameters: number[]): Replacement | null {
  const [a, b] = allPairs();
  const expected = new Int8Array(65536);
  const got = new Int8Array(65536);
  portable(a, b, expected, 65536, 65536, ...args.slice(5));
  short(65536, 0, a, b, got, ...parameters);
  if (Buffer.compare(Buffer.from(expected.buffer), Buffer.from(got.buffer))) return null;
  return call(ELEMENTWISE, short.name, [...countFirst(args, 0), ...parameters]);
}

/** Calls a kernel with a stand-in for `E.mapInPlace`; in place of a clamping array, which Node rounds to, come doubles. */
function asOnEspruino(work: () => void): void {
  const scope = globalThis as { E?: unknown };
  const before = scope.E;
  scope.E = {
    mapInPlace(from: Float64Array, to: Int8Array, map: Uint8Array): void {
      for (let i = 0; i < to.length; i++) to[i] = map[Math.min(Math.max(Math.trunc(from[i]), 0), 255)];
    },
  };
  try {
    work();
  } finally {
    scope.E = before;
  }
}

/** Elements from which a table of 256 bytes is worth it. */
const TABLE_FROM = 16;

/** A kernel that ends in a clamping array and a table, if it gives the bits of the portable one for all operands. */
function throughTable(
  portable: Kernel,
  args: Args,
  short: Kernel,
  parameters: number[],
  min: number,
  max: number,
): Replacement | null {
  const n = args[3] as number;
  if (n < TABLE_FROM) return null;
  const [a, b] = allPairs();
  const expected = new Int8Array(65536);
  const got = new Int8Array(65536);
  portable(a, b, expected, 65536, 65536, ...args.slice(5));
  const table = clampTable(min, max);
  asOnEspruino(() => short(65536, 0, a, b, got, ...parameters, new Float64Array(65536), table));
  if (Buffer.compare(Buffer.from(expected.buffer), Buffer.from(got.buffer))) return null;
  return call(ELEMENTWISE, short.name, [...countFirst(args, 0), ...parameters, clamping(n), table]);
}

export function mulInt8(args: Args): Replacement | null {
  if (!isFlat(args) || !(args[0] instanceof Int8Array)) return null;
  const [aZero, bZero, multiplier, shift, zero, min, max] = args.slice(11) as number[];
  const nudged = scaled(multiplier, shift, zero, 65536);
  if (!nudged) return null;
  const [m, plus, minus] = nudged;
  const direct = [aZero, bZero, m, plus - 3968, minus - 3968];
  const table = throughTable(mulQuantized, args, mulInt8Table, direct, min, max);
  if (table) return table;
  return verified(mulQuantized, args, mulInt8Short, [aZero, bZero, ...nudged, min, max]);
}

export function sigmoidFloat32(args: Args): Replacement {
  const [x, y, n] = args;
  return call(ELEMENTWISE, 'sigmoidFloat32', [n, 0, x, y]);
}

export function tanhFloat32(args: Args): Replacement {
  const [x, y, n] = args;
  return call(ELEMENTWISE, 'tanhFloat32', [n, 0, 0, x, y]);
}
