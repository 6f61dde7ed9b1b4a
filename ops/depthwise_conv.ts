/**
 * DEPTHWISE_CONV_2D: every channel of the input has filters of its own; y = activation(Σ w · x + b) over a window.
 *
 * Inputs: x [batches, height, width, depth], w [1, fh, fw, depth · m], b [depth · m] or absent; output channel c belongs
 * to input channel ⌊c / m⌋. Output: [batches, oh, ow, depth · m]. Types: FLOAT32; INT8 with INT8 or INT4 weights (per
 * tensor or per channel) and INT32 bias; others through `OtherTypes`. Weights may be computed, but INT4 ones are constant.
 * As TFLM: numbers as in CONV_2D. The option depth_multiplier is not looked at: the shapes say it.
 */
import { mbqm } from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation } from '../lib/graph';
import { DEPTHWISE_CONV_2D_OPTIONS } from '../lib/schema';
import { describe } from '../lib/tensor';
import { expectRank, expectShape, input, optional, output } from './checks';
import {
  biasOf,
  checkBias,
  Correlation,
  multipliersOf,
  OtherTypes,
  prepareOthers,
  rangeOf,
  typesAre,
  weightsAsInt8,
} from './weights';
import { windows } from './window';

/** Kernel: float32. Four channels at a time share the walk over the window. */
export function depthwiseConvFloat32(
  x: Float32Array,
  w: Float32Array,
  bias: Float32Array,
  y: Float32Array,
  batches: number,
  height: number,
  width: number,
  depth: number,
  outHeight: number,
  outWidth: number,
  units: number,
  perChannel: number,
  filterHeight: number,
  filterWidth: number,
  strideY: number,
  strideX: number,
  padY: number,
  padX: number,
  dilationY: number,
  dilationX: number,
  min: number,
  max: number,
): void {
  const xRow = dilationY * width * depth;
  const xStep = dilationX * depth;
  let to = 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const top = oy * strideY - padY;
      const ky = top < 0 ? Math.ceil(-top / dilationY) : 0;
      const kyEnd = Math.min(filterHeight, Math.ceil((height - top) / dilationY));
      for (let ox = 0; ox < outWidth; ox++) {
        const left = ox * strideX - padX;
        const kx = left < 0 ? Math.ceil(-left / dilationX) : 0;
        const taps = Math.min(filterWidth, Math.ceil((width - left) / dilationX)) - kx;
        const xAt = ((batch * height + top + ky * dilationY) * width + left + kx * dilationX) * depth;
        let count = 4;
        for (let unit = 0; unit < units; unit += count) {
          let s0 = 0;
          let s1 = 0;
          let s2 = 0;
          let s3 = 0;
          const c0 = perChannel === 1 ? unit : Math.floor(unit / perChannel);
          let from = xAt + c0;
          if (units - unit < 4) {
            count = 1;
            for (let row = ky; row < kyEnd; row++) {
              let q = (row * filterWidth + kx) * units + unit;
              for (let p = from, end = p + taps * xStep; p < end; p += xStep) {
                s0 += x[p] * w[q];
                q += units;
              }
              from += xRow;
            }
          } else {
            const c1 = perChannel === 1 ? 1 : Math.floor((unit + 1) / perChannel) - c0;
            const c2 = perChannel === 1 ? 2 : Math.floor((unit + 2) / perChannel) - c0;
            const c3 = perChannel === 1 ? 3 : Math.floor((unit + 3) / perChannel) - c0;
            for (let row = ky; row < kyEnd; row++) {
              let q = (row * filterWidth + kx) * units + unit;
              for (let p = from, end = p + taps * xStep; p < end; p += xStep) {
                s0 += x[p] * w[q];
                s1 += x[p + c1] * w[q + 1];
                s2 += x[p + c2] * w[q + 2];
                s3 += x[p + c3] * w[q + 3];
                q += units;
              }
              from += xRow;
            }
          }
          for (let k = unit; k < unit + count; k++) {
            const v = s0 + bias[k];
            y[to++] = v < min ? min : v > max ? max : v;
            s0 = s1;
            s1 = s2;
            s2 = s3;
          }
        }
      }
    }
  }
}

/** Kernel: int8. */
export function depthwiseConvInt8(
  x: Int8Array,
  w: Int8Array,
  bias: Int32Array,
  y: Int8Array,
  multipliers: Int32Array,
  shifts: Int8Array,
  batches: number,
  height: number,
  width: number,
  depth: number,
  outHeight: number,
  outWidth: number,
  units: number,
  perChannel: number,
  filterHeight: number,
  filterWidth: number,
  strideY: number,
  strideX: number,
  padY: number,
  padX: number,
  dilationY: number,
  dilationX: number,
  xZero: number,
  yZero: number,
  min: number,
  max: number,
): void {
  const xRow = dilationY * width * depth;
  const xStep = dilationX * depth;
  let to = 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const top = oy * strideY - padY;
      const ky = top < 0 ? Math.ceil(-top / dilationY) : 0;
      const kyEnd = Math.min(filterHeight, Math.ceil((height - top) / dilationY));
      for (let ox = 0; ox < outWidth; ox++) {
        const left = ox * strideX - padX;
        const kx = left < 0 ? Math.ceil(-left / dilationX) : 0;
        const taps = Math.min(filterWidth, Math.ceil((width - left) / dilationX)) - kx;
        const xAt = ((batch * height + top + ky * dilationY) * width + left + kx * dilationX) * depth;
        let count = 4;
        for (let unit = 0; unit < units; unit += count) {
          let s0 = 0;
          let s1 = 0;
          let s2 = 0;
          let s3 = 0;
          const c0 = perChannel === 1 ? unit : Math.floor(unit / perChannel);
          let from = xAt + c0;
          if (units - unit < 4) {
            count = 1;
            for (let row = ky; row < kyEnd; row++) {
              let q = (row * filterWidth + kx) * units + unit;
              for (let p = from, end = p + taps * xStep; p < end; p += xStep) {
                s0 += (x[p] - xZero) * w[q];
                q += units;
              }
              from += xRow;
            }
          } else {
            const c1 = perChannel === 1 ? 1 : Math.floor((unit + 1) / perChannel) - c0;
            const c2 = perChannel === 1 ? 2 : Math.floor((unit + 2) / perChannel) - c0;
            const c3 = perChannel === 1 ? 3 : Math.floor((unit + 3) / perChannel) - c0;
            for (let row = ky; row < kyEnd; row++) {
              let q = (row * filterWidth + kx) * units + unit;
              for (let p = from, end = p + taps * xStep; p < end; p += xStep) {
                s0 += (x[p] - xZero) * w[q];
                s1 += (x[p + c1] - xZero) * w[q + 1];
                s2 += (x[p + c2] - xZero) * w[q + 2];
                s3 += (x[p + c3] - xZero) * w[q + 3];
                q += units;
              }
              from += xRow;
            }
          }
          for (let k = unit; k < unit + count; k++) {
            const v = mbqm((s0 + bias[k]) | 0, multipliers[k], shifts[k]) + yZero;
            y[to++] = v < min ? min : v > max ? max : v;
            s0 = s1;
            s1 = s2;
            s2 = s3;
          }
        }
      }
    }
  }
}

function prepareDepthwise(node: Node, p: Preparation, others: OtherTypes[]): void {
  const options = p.options(DEPTHWISE_CONV_2D_OPTIONS);
  const x = input(node, 0, p);
  const w = input(node, 1, p);
  const y = output(node, 0, p);
  expectRank(x, 4, 'the input', p);
  expectRank(w, 4, 'the weights', p);
  const units = w.shape[3];
  const depth = x.shape[3];
  if (w.shape[0] !== 1 || !(units > 0) || units % depth) {
    p.fail(
      'the weights must be [1, height, width, a multiple of the channels of ' +
        describe(x) +
        '], but they are ' +
        describe(w),
    );
  }
  const padding = options.padding as number;
  const strideY = options.stride_h as number;
  const strideX = options.stride_w as number;
  const dilationY = options.dilation_h_factor as number;
  const dilationX = options.dilation_w_factor as number;
  const rows = windows(x.shape[1], w.shape[1], strideY, dilationY, padding, p);
  const columns = windows(x.shape[2], w.shape[2], strideX, dilationX, padding, p);
  expectShape(y, [x.shape[0], rows.count, columns.count, units], 'the output', p);
  const c: Correlation = {
    x: x,
    w: w,
    b: optional(node, 2),
    y: y,
    activation: options.fused_activation_function as number,
    batches: x.shape[0],
    height: x.shape[1],
    width: x.shape[2],
    depth: depth,
    outHeight: rows.count,
    outWidth: columns.count,
    units: units,
    unitsPerGroup: units / depth,
    filterHeight: w.shape[1],
    filterWidth: w.shape[2],
    filterDepth: 1,
    strideY: strideY,
    strideX: strideX,
    padY: rows.before,
    padX: columns.before,
    dilationY: dilationY,
    dilationX: dilationX,
    divideY: 1,
    divideX: 1,
    wUnit: 1,
    wTap: units,
    op: node.op,
    version: node.version,
    biasType: 0,
    asymmetric: true,
  };
  const float = typesAre(c, 'FLOAT32', 'FLOAT32', 'FLOAT32');
  if (!float && !typesAre(c, 'INT8', 'INT8 INT4', 'INT8')) return prepareOthers(c, others, p);
  checkBias(c, float ? 'FLOAT32' : 'INT32', p);
  const range = rangeOf(c);
  const args: Argument[] = [x, weightsAsInt8(w, p), biasOf(c), y];
  const geometry: Argument[] = [
    c.batches,
    c.height,
    c.width,
    depth,
    c.outHeight,
    c.outWidth,
    units,
    c.unitsPerGroup,
    c.filterHeight,
    c.filterWidth,
    strideY,
    strideX,
    c.padY,
    c.padX,
    dilationY,
    dilationX,
  ];
  if (float) return p.step(depthwiseConvFloat32, args.concat(geometry, [range.min, range.max]));
  p.step(
    depthwiseConvInt8,
    args.concat(multipliersOf(c, 'double', p), geometry, [x.zeroPoint, y.zeroPoint, range.min, range.max]),
  );
}

/** DEPTHWISE_CONV_2D, with further combinations of types. */
export function depthwiseConvOperators(others: OtherTypes[]): Operators {
  return {
    DEPTHWISE_CONV_2D: function (node: Node, p: Preparation): void {
      prepareDepthwise(node, p, others);
    },
  };
}
