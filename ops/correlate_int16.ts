/**
 * INT16 input with INT8 weights, for CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV and FULLY_CONNECTED: one general kernel.
 *
 * Bias: INT64, or INT32 (not for DEPTHWISE_CONV_2D), or INT16 (TRANSPOSE_CONV alone), or absent. As TFLM, the bias says
 * the accumulator: 64 bits with a single rounding by a multiplier of 16 bits, or 32 bits with two roundings for INT32;
 * without a bias the option quantized_bias_type says it. Zero points count for FULLY_CONNECTED alone.
 */
import { mbqm, mbqm64 } from '../lib/fixedpoint';
import { Argument, Preparation } from '../lib/graph';
import { intAt, wordsPerInt } from './ints';
import { Correlation, geometryOf, typesAre } from './correlation';
import { biasOf, checkBias, multipliersOf, rangeOf } from './weights';

/** Kernel: see `Correlation`. `biasWords` is 2 for INT64; `wide` is 1 for an accumulator of 64 bits. */
export function correlateInt16(
  x: Int16Array,
  w: Int8Array,
  bias: Int32Array,
  y: Int16Array,
  multipliers: Int32Array,
  shifts: Int8Array,
  batches: number,
  height: number,
  width: number,
  depth: number,
  outHeight: number,
  outWidth: number,
  units: number,
  unitsPerGroup: number,
  filterHeight: number,
  filterWidth: number,
  filterDepth: number,
  strideY: number,
  strideX: number,
  padY: number,
  padX: number,
  dilationY: number,
  dilationX: number,
  divideY: number,
  divideX: number,
  wUnit: number,
  wTap: number,
  biasWords: number,
  wide: number,
  xZero: number,
  wZero: number,
  yZero: number,
  min: number,
  max: number,
): void {
  let to = 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox++) {
        for (let unit = 0; unit < units; unit++) {
          const first = Math.floor(unit / unitsPerGroup) * filterDepth;
          let sum = intAt(bias, unit, biasWords);
          for (let ky = 0; ky < filterHeight; ky++) {
            const iy = (oy * strideY - padY + ky * dilationY) / divideY;
            if (iy < 0 || iy >= height || iy % 1) continue;
            for (let kx = 0; kx < filterWidth; kx++) {
              const ix = (ox * strideX - padX + kx * dilationX) / divideX;
              if (ix < 0 || ix >= width || ix % 1) continue;
              let p = ((batch * height + iy) * width + ix) * depth + first;
              let q = unit * wUnit + (ky * filterWidth + kx) * wTap;
              for (const end = p + filterDepth; p < end; p++) sum += (x[p] - xZero) * (w[q++] - wZero);
            }
          }
          sum =
            yZero +
            (wide
              ? mbqm64(sum, multipliers[unit], shifts[unit])
              : mbqm(sum | 0, multipliers[unit], shifts[unit]));
          y[to++] = sum < min ? min : sum > max ? max : sum;
        }
      }
    }
  }
}

/** Takes INT16 input with INT8 weights. */
export function int16Types(c: Correlation, p: Preparation): boolean {
  if (!typesAre(c, 'INT16', 'INT8', 'INT16')) return false;
  const dense = c.op === 'FULLY_CONNECTED';
  const perTensor = !!c.w.scales && c.w.scales.length === 1;
  checkBias(
    c,
    c.op === 'DEPTHWISE_CONV_2D' ? 'INT64' : c.op === 'TRANSPOSE_CONV' ? 'INT64 INT32 INT16' : 'INT64 INT32',
    p,
  );
  const range = rangeOf(c);
  const args: Argument[] = [c.x, c.w, biasOf(c), c.y];
  p.step(
    correlateInt16,
    args.concat(multipliersOf(c, dense && perTensor ? 'float32' : 'double', p), geometryOf(c), [
      c.b ? wordsPerInt(c.b) : 1,
      (c.b ? c.b.type === 'INT32' : c.biasType === 2) ? 0 : 1,
      dense ? c.x.zeroPoint : 0,
      dense && perTensor ? c.w.zeroPoint : 0,
      dense ? c.y.zeroPoint : 0,
      range.min,
      range.max,
    ]),
  );
  return true;
}
