/**
 * FLOAT32 input with INT8 weights (dynamic-range quantization), for CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED.
 *
 * As TFLite (TFLM has no such kernels): each batch of the input, or each row for FULLY_CONNECTED, is quantized to int8 by
 * its own range in every step; the dot products are exact; scales and bias are applied in float. The range is symmetric
 * for FULLY_CONNECTED unless asymmetric_quantize_inputs is set, and for CONV_2D with one scale and one group; otherwise it
 * is asymmetric. Bias: FLOAT32 or absent. Weights are symmetric.
 */
import { fround, roundAway } from '../lib/fixedpoint';
import { Argument, Preparation } from '../lib/graph';
import { describe } from '../lib/tensor';
import { expectQuantized } from './checks';
import { Correlation, geometryOf, typesAre } from './correlation';
import { biasOf, checkBias, rangeOf } from './weights';

/**
 * Kernel: quantizes `rows` rows of `n` elements to int8, each with a scale and a zero point that it finds from the row.
 * Source: PortableSymmetricQuantizeFloats and PortableAsymmetricQuantizeFloats in
 * tensorflow/lite/kernels/internal/reference/portable_tensor_utils.cc.
 */
export function quantizeRows(
  x: Float32Array,
  q: Int8Array,
  scales: Float32Array,
  zeros: Int32Array,
  rows: number,
  n: number,
  asymmetric: number,
): void {
  for (let row = 0, i = 0; row < rows; row++) {
    const start = i;
    const end = i + n;
    let low = 0;
    let high = 0;
    for (; i < end; i++) {
      if (x[i] < low) low = x[i];
      if (x[i] > high) high = x[i];
    }
    let zero = 0;
    let inverse = 0;
    scales[row] = 1;
    if (low !== high) {
      if (asymmetric) {
        const scale = (high - low) / 255;
        // the zero point from the end of the range where it is more exact
        zero = 128 - low / scale < 127 + high / scale ? -128 - low / scale : 127 - high / scale;
        zero = zero <= -128 ? -128 : zero >= 127 ? 127 : roundAway(zero);
        scales[row] = scale;
        inverse = fround(1 / scales[row]);
      } else {
        high = Math.max(high, -low);
        scales[row] = high / 127;
        inverse = fround(127 / high);
      }
    }
    zeros[row] = zero;
    for (i = start; i < end; i++) {
      const v = roundAway(fround(zero + fround(x[i] * inverse)));
      q[i] = v > 127 ? 127 : v < -128 ? -128 : v;
    }
  }
}

/** Kernel: see `Correlation`; x quantized by `quantizeRows`, one row for each batch. */
export function correlateHybrid(
  x: Int8Array,
  w: Int8Array,
  bias: Float32Array,
  y: Float32Array,
  scales: Float32Array,
  zeros: Int32Array,
  unitScales: Float32Array,
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
  min: number,
  max: number,
): void {
  let to = 0;
  for (let batch = 0; batch < batches; batch++) {
    const zero = zeros[batch];
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox++) {
        for (let unit = 0; unit < units; unit++) {
          const first = Math.floor(unit / unitsPerGroup) * filterDepth;
          let sum = 0;
          for (let ky = 0; ky < filterHeight; ky++) {
            const iy = (oy * strideY - padY + ky * dilationY) / divideY;
            if (iy < 0 || iy >= height || iy % 1) continue;
            for (let kx = 0; kx < filterWidth; kx++) {
              const ix = (ox * strideX - padX + kx * dilationX) / divideX;
              if (ix < 0 || ix >= width || ix % 1) continue;
              let p = ((batch * height + iy) * width + ix) * depth + first;
              let q = unit * wUnit + (ky * filterWidth + kx) * wTap;
              for (const end = p + filterDepth; p < end; p++) sum += (x[p] - zero) * w[q++];
            }
          }
          sum = sum * unitScales[unit] * scales[batch] + bias[unit];
          y[to++] = sum < min ? min : sum > max ? max : sum;
        }
      }
    }
  }
}

/** Takes FLOAT32 input with INT8 weights. */
export function hybridTypes(c: Correlation, p: Preparation): boolean {
  if (!typesAre(c, 'FLOAT32', 'INT8', 'FLOAT32') || c.op === 'TRANSPOSE_CONV') return false;
  if (c.version < 2)
    p.fail(
      'FLOAT32 input with INT8 weights needs version 2 of the operator or a later one, but this is version 1',
    );
  checkBias(c, 'FLOAT32', p);
  expectQuantized(c.w, 'the weights', p);
  const scales = c.w.scales as number[];
  if (scales.length !== 1 && scales.length !== c.units)
    p.fail(
      'the weights must have 1 or ' + c.units + ' scales, but ' + describe(c.w) + ' has ' + scales.length,
    );
  if (c.activation > 3)
    p.fail('fused activation ' + c.activation + ' is not there for INT8 weights: expected 0 to 3');
  const unitScales = new Float32Array(c.units);
  let asymmetric = c.asymmetric;
  for (let unit = 0; unit < c.units; unit++) {
    unitScales[unit] = scales[scales.length > 1 ? unit : 0];
    if (c.op === 'CONV_2D' && (unitScales[unit] !== unitScales[0] || c.unitsPerGroup !== c.units))
      asymmetric = true;
  }
  const q = p.scratch('INT8', c.x.length);
  const rowScales = p.scratch('FLOAT32', c.batches);
  const zeros = p.scratch('INT32', c.batches);
  const range = rangeOf(c);
  p.step(quantizeRows, [c.x, q, rowScales, zeros, c.batches, c.x.length / c.batches, asymmetric ? 1 : 0]);
  const args: Argument[] = [q, c.w, biasOf(c), c.y, rowScales, zeros, unitScales];
  p.step(correlateHybrid, args.concat(geometryOf(c), [range.min, range.max]));
  return true;
}
