/**
 * TRANSPOSE_CONV: the transpose of CONV_2D: every element of the input adds its filter to the output.
 *
 * Inputs: the output's shape INT32 [4], w [units, fh, fw, depth], x [batches, height, width, depth], b [units] or absent.
 * Output: [batches, oh, ow, units]. Types: FLOAT32; INT8 (per tensor or per channel) with INT32 bias; others through
 * `OtherTypes`. Weights may be computed.
 * Each output gathers the taps that reach it, so there is no scratch memory (TFLM scatters into 32-bit sums).
 * As TFLM: numbers as in CONV_2D; the output may have any size; what no tap reaches is the bias; an output shape that
 * is computed is not looked at.
 */
import { Argument, Node, Operators, Preparation } from '../lib/graph';
import { TRANSPOSE_CONV_OPTIONS } from '../lib/schema';
import { expectRank, expectType, input, output } from './checks';
import { patchFloat32, patchInt8 } from './conv';
import { denseCorrelation, misfit, OtherTypes, prepareOthers, typesAre } from './correlation';
import { expectInts } from './ints';
import { biasOf, checkBias, int8End, multipliersOf, rangeOf } from './weights';
import { windows } from './window';

/** Kernel: float32. */
export function transposeConvFloat32(
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
  filterHeight: number,
  filterWidth: number,
  strideY: number,
  strideX: number,
  padY: number,
  padX: number,
  min: number,
  max: number,
): void {
  const wRow = filterWidth * depth;
  let yAt = 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let oy = 0; oy < outHeight; oy++) {
      // the first tap that reaches this row from a row of the image; further taps come from rows before it
      let ky = (oy + padY) % strideY;
      let iy = (oy + padY - ky) / strideY;
      if (iy >= height) {
        ky += (iy - height + 1) * strideY;
        iy = height - 1;
      }
      const rows = Math.min(iy + 1, Math.ceil((filterHeight - ky) / strideY));
      for (let ox = 0; ox < outWidth; ox++) {
        let kx = (ox + padX) % strideX;
        let ix = (ox + padX - kx) / strideX;
        if (ix >= width) {
          kx += (ix - width + 1) * strideX;
          ix = width - 1;
        }
        patchFloat32(
          x,
          w,
          bias,
          y,
          ((batch * height + iy) * width + ix) * depth,
          ky * wRow + kx * depth,
          yAt,
          0,
          units,
          filterHeight * wRow,
          rows,
          -width * depth,
          strideY * wRow,
          Math.min(ix + 1, Math.ceil((filterWidth - kx) / strideX)),
          -depth,
          strideX * depth,
          depth,
          min,
          max,
        );
        yAt += units;
      }
    }
  }
}

/** Kernel: int8. */
export function transposeConvInt8(
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
  filterHeight: number,
  filterWidth: number,
  strideY: number,
  strideX: number,
  padY: number,
  padX: number,
  powers: Float32Array,
  offsets: Float32Array,
  xZero: number,
  yZero: number,
  min: number,
  max: number,
): void {
  const wRow = filterWidth * depth;
  let yAt = 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let oy = 0; oy < outHeight; oy++) {
      let ky = (oy + padY) % strideY;
      let iy = (oy + padY - ky) / strideY;
      if (iy >= height) {
        ky += (iy - height + 1) * strideY;
        iy = height - 1;
      }
      const rows = Math.min(iy + 1, Math.ceil((filterHeight - ky) / strideY));
      for (let ox = 0; ox < outWidth; ox++) {
        let kx = (ox + padX) % strideX;
        let ix = (ox + padX - kx) / strideX;
        if (ix >= width) {
          kx += (ix - width + 1) * strideX;
          ix = width - 1;
        }
        patchInt8(
          x,
          w,
          bias,
          y,
          multipliers,
          shifts,
          ((batch * height + iy) * width + ix) * depth,
          ky * wRow + kx * depth,
          yAt,
          0,
          units,
          filterHeight * wRow,
          rows,
          -width * depth,
          strideY * wRow,
          Math.min(ix + 1, Math.ceil((filterWidth - kx) / strideX)),
          -depth,
          strideX * depth,
          depth,
          xZero,
          yZero,
          min,
          max,
          1,
          0,
          units,
          powers,
          offsets,
        );
        yAt += units;
      }
    }
  }
}

function prepareTransposeConv(node: Node, p: Preparation, others: OtherTypes[]): void {
  const options = p.options(TRANSPOSE_CONV_OPTIONS);
  const shape = input(node, 0, p);
  const w = input(node, 1, p);
  const x = input(node, 2, p);
  const y = output(node, 0, p);
  expectRank(x, 4, 'the input', p);
  expectRank(w, 4, 'the weights', p);
  expectRank(y, 4, 'the output', p);
  expectType(shape, 'INT32', 'the output shape', p);
  if (shape.constant) expectInts(shape, y.shape, 'the numbers of the output shape', p);
  const units = w.shape[0];
  const depth = x.shape[3];
  if (!(depth > 0) || w.shape[3] !== depth || y.shape[3] !== units || y.shape[0] !== x.shape[0]) {
    misfit([x, w, y], '[batches, ..., depth], [units, ..., depth], [batches, ..., units]', p);
  }
  const padding = options.padding as number;
  const strideY = options.stride_h as number;
  const strideX = options.stride_w as number;
  const padY = windows(y.shape[1], w.shape[1], strideY, 1, padding, p).before;
  const padX = windows(y.shape[2], w.shape[2], strideX, 1, padding, p).before;
  const c = denseCorrelation(node, 3, x, w, y, units, depth, p);
  c.activation = options.fused_activation_function as number;
  c.biasType = options.quantized_bias_type as number;
  c.batches = x.shape[0];
  c.height = x.shape[1];
  c.width = x.shape[2];
  c.outHeight = y.shape[1];
  c.outWidth = y.shape[2];
  c.filterHeight = w.shape[1];
  c.filterWidth = w.shape[2];
  c.padY = -padY;
  c.padX = -padX;
  c.dilationY = c.dilationX = -1;
  c.divideY = strideY;
  c.divideX = strideX;
  c.wUnit = w.length / units;
  const float = typesAre(c, 'FLOAT32', 'FLOAT32', 'FLOAT32');
  if (!float && !typesAre(c, 'INT8', 'INT8', 'INT8')) return prepareOthers(c, others, p);
  checkBias(c, float ? 'FLOAT32' : 'INT32', p);
  const args: Argument[] = [x, w, biasOf(c), y];
  const geometry: Argument[] = [
    c.batches,
    c.height,
    c.width,
    depth,
    c.outHeight,
    c.outWidth,
    units,
    c.filterHeight,
    c.filterWidth,
    strideY,
    strideX,
    padY,
    padX,
  ];
  if (float) {
    const range = rangeOf(c);
    return p.step(transposeConvFloat32, args.concat(geometry, [range.min, range.max]));
  }
  const scaling = multipliersOf(c, 'double', p);
  p.step(transposeConvInt8, args.concat(scaling, geometry, int8End(c, scaling[1])));
}

/** TRANSPOSE_CONV, with further combinations of types. */
export function transposeConvOperators(others: OtherTypes[]): Operators {
  return {
    TRANSPOSE_CONV: function (node: Node, p: Preparation): void {
      prepareTransposeConv(node, p, others);
    },
  };
}
