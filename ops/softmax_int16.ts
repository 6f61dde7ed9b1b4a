/**
 * SOFTMAX of INT16: with tables of exp and of 1 / (1 + x), as TFLM's SoftmaxInt16.
 * Input: zero point 0. Output: INT16, scale 1/32768 (to 0.1 %), zero point 0.
 */
import { clz, fround, mbqm, quantizeMultiplier, roundAway, powerOf2 } from '../lib/fixedpoint';
import { Preparation } from '../lib/graph';
import { expectQuantized, expectType } from './checks';
import { expectOutput, Softmax } from './softmax';

/** Linear interpolation in a table of 513 numbers, as LUTLookup in TFLM's kernels/internal/common.h. */
export function interpolate(table: Int16Array, x: number): number {
  const at = 256 + (x >> 7);
  return table[at] + (((table[at + 1] - table[at]) * (x & 127) + 64) >> 7);
}

/** Kernel: INT16 in rows of `depth`; a difference to the row's largest counts multiplier · 2^(shift − 31) · 10 / 65535. */
export function softmaxInt16(
  x: Int16Array,
  y: Int16Array,
  exps: Int16Array,
  inverses: Int16Array,
  n: number,
  depth: number,
  multiplier: number,
  shift: number,
): void {
  for (let at = 0; at < n; at += depth) {
    const end = at + depth;
    let max = -32768;
    let sum = 0;
    for (let i = at; i < end; i++) if (x[i] > max) max = x[i];
    for (let i = at; i < end; i++) {
      const d = mbqm(x[i] - max, multiplier, shift) + 32767;
      y[i] = interpolate(exps, d < -32768 ? -32768 : d > 32767 ? 32767 : d);
      sum += y[i];
    }
    const headroom = clz(sum);
    const shifted = Math.floor((sum * powerOf2(headroom - 1) + 8192) / 16384) - 98304;
    const inverse = interpolate(inverses, shifted < -32768 ? -32768 : shifted > 32767 ? 32767 : shifted);
    for (let i = at; i < end; i++) {
      const v = (y[i] * inverse + (1 << (30 - headroom))) >> (31 - headroom);
      y[i] = v < 0 ? 0 : v > 32767 ? 32767 : v;
    }
  }
}

/** A table of 513 numbers for `interpolate`, in float32 as TFLM's LUTPopulate makes it for outputs with scale 2/65535. */
function interpolationTable(from: number, to: number, f: (x: number) => number): Int16Array {
  const scale = fround(2 / 65535);
  const inverse = fround(65536 / fround(fround(scale * 32767) - fround(scale * -32768)));
  const step = fround((to - from) / 512);
  const table = new Int16Array(513);
  function scaled(x: number): number {
    return fround(fround(f(fround(x))) * inverse);
  }
  function saturated(x: number): number {
    return x < -32768 ? -32768 : x > 32767 ? 32767 : x;
  }
  let next = scaled(from);
  for (let i = 0; i < 512; i++) {
    const x = fround(from + fround(i * step));
    const value = roundAway(next);
    next = scaled(from + fround((i + 1) * step));
    const middle = roundAway(fround(next + value) / 2);
    table[i] = saturated(value - roundAway((middle - roundAway(scaled(x + step / 2))) / 2));
  }
  table[512] = saturated(roundAway(scaled(to)));
  return table;
}

let exponentials: Int16Array | null = null;
let inverses: Int16Array | null = null;

/** exp from −10 to 0, one array for all. */
function exponentialTable(): Int16Array {
  exponentials = exponentials || interpolationTable(fround(fround(10 / 65535) * -65535), 0, Math.exp);
  return exponentials;
}

/** 1 / (1 + x) from 0 to 1, one array for all. */
function inverseTable(): Int16Array {
  inverses =
    inverses ||
    interpolationTable(0, fround(fround(1 / 65535) * 65535), function (x: number): number {
      return 1 / fround(1 + x);
    });
  return inverses;
}

/** Takes INT16. */
export function int16Softmax(s: Softmax, p: Preparation): boolean {
  if (s.x.type !== 'INT16') return false;
  expectType(s.y, 'INT16', 'the output', p);
  expectQuantized(s.x, 'the input', p);
  expectOutput(s.y, 1 / 32768, 0.001, 0, p);
  if (s.x.zeroPoint) p.fail('the zero point of the input must be 0, but it is ' + s.x.zeroPoint);
  const q = quantizeMultiplier((s.x.scale * s.beta) / (10 / 65535));
  p.step(softmaxInt16, [
    s.x,
    s.y,
    exponentialTable(),
    inverseTable(),
    s.x.length,
    s.depth,
    q.multiplier,
    q.shift,
  ]);
  return true;
}
