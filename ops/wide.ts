/**
 * Kernels for engines that compile, on machines with memory to spare: the weights of two units make one number of 53
 * bits, the second 2²⁷ times, so that each product brings two, and so do their sums (see fullyConnectedInt8). Takes four
 * more bytes for each weight.
 */
import { requantize } from '../lib/fixedpoint';
import { Kernel, TypedArray } from '../lib/graph';
import { fullyConnectedInt8 } from './fully_connected';

/** Below this depth a sum of products is less than half of 2²⁷. */
const MAX_DEPTH = 2048;

/** Weights [units, depth] as pairs: of units 0 and 1, of 2 and 3, for each element in turn; then of the next four units. */
export function pairsOf(w: Int8Array, depth: number, units: number): Float64Array {
  const pairs = new Float64Array(((units + 3) >> 2) * 2 * depth);
  for (let unit = 0; unit < units; unit++) {
    const at = (unit >> 2) * 2 * depth + ((unit >> 1) & 1);
    for (let i = 0; i < depth; i++) pairs[at + 2 * i] += w[unit * depth + i] * (unit & 1 ? 134217728 : 1);
  }
  return pairs;
}

/** Kernel: as fullyConnectedInt8, with `pairs` of weights; to the same bits. */
export function fullyConnectedWide(
  x: Int8Array,
  pairs: Float64Array,
  bias: Int32Array,
  y: Int8Array,
  multipliers: Int32Array,
  shifts: Int8Array,
  rows: number,
  depth: number,
  units: number,
  zeroPoint: number,
  min: number,
  max: number,
  powers: Float32Array,
  offsets: Float32Array,
): void {
  const span = max - min;
  let high = 0;
  let step: number;
  let count: number;
  for (let row = 0; row < rows; row += step) {
    step = rows - row > 3 ? 4 : 1;
    let p = 0;
    for (let unit = 0; unit < units; unit += count) {
      count = 4;
      let i = row * depth;
      const end = i + depth;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let s4 = 0;
      let s5 = 0;
      let s6 = 0;
      let s7 = 0;
      if (step > 1) {
        let i1 = end;
        let i2 = i1 + depth;
        let i3 = i2 + depth;
        while (i < end) {
          const k = pairs[p++];
          const l = pairs[p++];
          let v = x[i++];
          s0 += v * k;
          s1 += v * l;
          v = x[i1++];
          s2 += v * k;
          s3 += v * l;
          v = x[i2++];
          s4 += v * k;
          s5 += v * l;
          v = x[i3++];
          s6 += v * k;
          s7 += v * l;
        }
      } else {
        // eight units share what is read of x, and none of their sums waits for the one before
        if (units - unit > 7) {
          count = 8;
          const end8 = p + 4 * depth;
          for (let q = p + 2 * depth; i < end;) {
            const v = x[i++];
            s0 += v * pairs[p++];
            s1 += v * pairs[p++];
            s2 += v * pairs[q++];
            s3 += v * pairs[q++];
          }
          p = end8;
        }
        while (i < end) {
          const v = x[i++];
          s0 += v * pairs[p++];
          s1 += v * pairs[p++];
        }
      }
      let to = row * units + unit;
      const last = units - unit > count ? unit + count : units;
      for (let n = 0; n < step; n++) {
        for (let k = unit; k < last; k++) {
          let sum = high;
          if (!((k - unit) & 1)) {
            high = ((s0 / 134217728 + 67108864.5) | 0) - 67108864;
            sum = s0 - high * 134217728;
            s0 = s1;
            s1 = s2;
            s2 = s3;
            s3 = s4;
            s4 = s5;
            s5 = s6;
            s6 = s7;
          }
          const s = (sum + bias[k]) | 0;
          const v = (s * multipliers[k] * powers[k] + offsets[k + k + (s >>> 31)]) | 0;
          y[to++] =
            v > span ? requantize(s, multipliers[k], shifts[k], zeroPoint, min, max) : (v & -+(v > 0)) + min;
        }
        // sums that no unit has
        if (last - unit < 3) {
          s0 = s1;
          s1 = s2;
          s2 = s3;
          s3 = s4;
          s4 = s5;
          s5 = s6;
        }
        to += units - last + unit;
      }
    }
  }
}

/**
 * Exchanges the dense int8 layers of constant weights among a program's steps for wide ones.
 * @param constant whether an array is neither computed nor state
 */
export function widen(
  steps: { kernel: Kernel; args: (number | TypedArray)[] }[],
  constant: (array: TypedArray) => boolean,
): void {
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i];
    if (step.kernel !== fullyConnectedInt8) continue;
    const w = step.args[1] as Int8Array;
    const depth = step.args[7] as number;
    const units = step.args[8] as number;
    if (!constant(w) || depth >= MAX_DEPTH || units < 4) continue;
    step.kernel = fullyConnectedWide;
    step.args[1] = pairsOf(w, depth, units) as unknown as TypedArray;
  }
}
