/** Scaling in double arithmetic, and the kernel of 3 × 3 depthwise convolutions, against plain definitions. */
import assert from 'node:assert/strict';
import { requantize } from '../../lib/fixedpoint';
import { depthwiseConvInt8 } from '../../ops/depthwise_conv';
import { doubleScaling } from '../../ops/weights';
import { windows } from '../../ops/window';

let seed = 1;
function draw(): number {
  seed = (seed * 16807) % 2147483647;
  return seed;
}
const within = (low: number, high: number): number => low + (draw() % (high - low + 1));

/** TFLM's arithmetic in whole numbers: rounding doubling high multiply, then rounding division by a power of two. */
function exactly(
  s: number,
  multiplier: number,
  shift: number,
  zero: number,
  min: number,
  max: number,
): number {
  const high = (BigInt(s) * BigInt(multiplier) + (1n << 30n)) >> 31n;
  const e = BigInt(-shift);
  const half = e ? 1n << (e - 1n) : 0n;
  const v = high < 0n ? -((-high + half) >> e) : (high + half) >> e;
  return Math.min(Math.max(Number(v) + zero, min), max);
}

/** What kernels write out; null where it is for `requantize`. */
function written(
  s: number,
  multiplier: number,
  shift: number,
  zero: number,
  min: number,
  max: number,
  bits: number,
) {
  const [powers, offsets] = doubleScaling([shift], zero, min, bits);
  const v = (s * multiplier * powers[0] + offsets[s >>> 31]) | 0;
  return v > max - min ? requantize(s, multiplier, shift, zero, min, max) : (v & -+(v > 0)) + min;
}

describe('scaling in double arithmetic', () => {
  for (const bits of [8, 16]) {
    const least = -(2 ** (bits - 1));
    it(`gives the bits of the integer arithmetic in ${bits} bits, whatever the sum`, () => {
      for (let shift = 0; shift >= -31; shift--) {
        for (let i = 0; i < 3000; i++) {
          // with few bits set, products meet the ties
          const multiplier = i % 3 ? within(2 ** 30, 2 ** 31 - 1) : 2 ** 30 + 2 ** within(0, 29);
          const size = 2 ** within(0, 31);
          const s = Math.max(
            -(2 ** 31),
            Math.min(2 ** 31 - 1, i % 5 ? within(-size, size) : i & 1 ? size : -size),
          );
          const zero = within(least, -1 - least);
          const min = i % 2 ? least : zero;
          const max = -1 - least;
          assert.equal(
            written(s, multiplier, shift, zero, min, max, bits),
            exactly(s, multiplier, shift, zero, min, max),
            `${s} · ${multiplier} · 2^(${shift} − 31) + ${zero}`,
          );
        }
      }
    });

    it(`gives them in ${bits} bits right beside the roundings`, () => {
      for (let shift = -1; shift > bits - 22; shift--) {
        for (let i = 0; i < 3000; i++) {
          const s = within(1, 2 ** 22 - 1) * (i & 1 ? 1 : -1);
          // the multiplier that brings the product closest to where the result changes
          const step = within(-(2 ** (bits - 1)), 2 ** (bits - 1));
          const multiplier = Math.round(((step + 0.5) * 2 ** (31 - shift)) / s) + within(-1, 1);
          if (!(multiplier >= 2 ** 30 && multiplier < 2 ** 31)) continue;
          const zero = within(-3, 3);
          assert.equal(
            written(s, multiplier, shift, zero, least, -1 - least, bits),
            exactly(s, multiplier, shift, zero, least, -1 - least),
            `${s} · ${multiplier} · 2^(${shift} − 31) + ${zero}`,
          );
        }
      }
    });
  }
});

describe('a 3 × 3 depthwise convolution in int8', () => {
  for (const [strideY, strideX] of [
    [1, 1],
    [2, 2],
    [1, 2],
    [2, 1],
    [3, 3],
  ]) {
    it(`of strides ${strideY} and ${strideX} is the plain sum, whatever the size of the image`, () => {
      for (let round = 0; round < 150; round++) {
        const padding = round & 1;
        const [height, width] = [within(padding ? 3 : 1, 7), within(padding ? 3 : 1, 7)];
        const [batches, depth, perChannel] = [within(1, 2), within(1, 5), within(1, 2)];
        const units = depth * perChannel;
        const fail = { fail: assert.fail } as unknown as Parameters<typeof windows>[5];
        const down = windows(height, 3, strideY, 1, padding, fail);
        const across = windows(width, 3, strideX, 1, padding, fail);
        const x = Int8Array.from({ length: batches * height * width * depth }, () => within(-128, 127));
        const w = Int8Array.from({ length: 9 * units }, () => within(-128, 127));
        const bias = Int32Array.from({ length: units }, () => within(-9000, 9000));
        const multipliers = Int32Array.from({ length: units }, () => within(2 ** 30, 2 ** 31 - 1));
        // some of them are for `requantize`
        const shifts = Int8Array.from({ length: units }, () => -within(6, 15));
        const y = new Int8Array(batches * down.count * across.count * units);
        const [xZero, yZero, min, max] = [
          within(-128, 127),
          within(-20, 20),
          within(-128, -30),
          within(30, 127),
        ];
        const [powers, offsets] = doubleScaling(shifts, yZero, min, 8);
        const sizes = [batches, height, width, depth, down.count, across.count, units, perChannel] as const;
        const filter = [3, 3, 1, strideY, strideX, down.before, across.before, 1, 1] as const;
        const along = [width * depth, depth, across.count * units, units, 3 * units, units] as const;
        const end = [powers, offsets, xZero, yZero, min, max] as const;
        depthwiseConvInt8(x, w, bias, y, multipliers, shifts, ...sizes, ...filter, ...along, ...end);
        let at = 0;
        for (let batch = 0; batch < batches; batch++) {
          for (let oy = 0; oy < down.count; oy++) {
            for (let ox = 0; ox < across.count; ox++) {
              for (let unit = 0; unit < units; unit++) {
                let sum = bias[unit];
                for (let tap = 0; tap < 9; tap++) {
                  const iy = oy * strideY - down.before + Math.floor(tap / 3);
                  const ix = ox * strideX - across.before + (tap % 3);
                  if (iy < 0 || ix < 0 || iy >= height || ix >= width) continue;
                  const from = ((batch * height + iy) * width + ix) * depth + Math.floor(unit / perChannel);
                  sum += (x[from] - xZero) * w[tap * units + unit];
                }
                const expected = exactly(sum, multipliers[unit], shifts[unit], yZero, min, max);
                assert.equal(y[at++], expected, `${height} × ${width} × ${depth}, place ${oy}, ${ox}`);
              }
            }
          }
        }
      }
    });
  }
});
