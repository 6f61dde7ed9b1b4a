/**
 * AVERAGE_POOL_2D, MAX_POOL_2D, L2_POOL_2D: the average, the largest, the root of the mean square of a window.
 *
 * Input: [batches, height, width, channels]. Output: [batches, height', width', channels].
 * Types: FLOAT32, INT8, INT16; L2_POOL_2D: FLOAT32. Taps outside of the image do not count.
 * As TFLM: integers are not requantized, so input and output must have the same scale (to 1e-6) and zero point; averages
 * are rounded half away from zero.
 */
import { activationRange, floatActivationRange } from '../lib/fixedpoint';
import { Argument, Kernel, Node, Operators, Preparation, TypedArray } from '../lib/graph';
import { POOL_2D_OPTIONS } from '../lib/schema';
import {
  expectInputs,
  expectQuantized,
  expectRank,
  expectSameQuantization,
  expectShape,
  expectType,
  input,
  output,
} from './checks';
import { windows } from './window';

/** Kernel: the largest of each window. */
export function maxPool(
  x: TypedArray,
  y: TypedArray,
  batches: number,
  height: number,
  width: number,
  channels: number,
  rows: number,
  columns: number,
  strideY: number,
  strideX: number,
  sizeY: number,
  sizeX: number,
  padY: number,
  padX: number,
  min: number,
  max: number,
): void {
  // numbers for certain: else V8 boxes every result
  min = +min;
  max = +max;
  let k = 0;
  for (let row = 0; row < batches * rows; row++) {
    const image = Math.floor(row / rows) * height;
    const top = (row % rows) * strideY - padY;
    const first = image + (top < 0 ? 0 : top);
    const last = image + (top + sizeY > height ? height : top + sizeY);
    for (let column = 0; column < columns; column++) {
      const left = column * strideX - padX;
      const from = left < 0 ? 0 : left;
      const to = left + sizeX > width ? width : left + sizeX;
      for (let c = 0; c < channels; c++) {
        let v = min;
        for (let i = first; i < last; i++) {
          for (
            let at = (i * width + from) * channels + c, end = (i * width + to) * channels;
            at < end;
            at += channels
          ) {
            if (x[at] > v) v = x[at];
          }
        }
        y[k++] = v > max ? max : v;
      }
    }
  }
}

/** Kernel: the average of each window; that of integers (`whole` 1) is rounded half away from zero. */
export function averagePool(
  x: TypedArray,
  y: TypedArray,
  batches: number,
  height: number,
  width: number,
  channels: number,
  rows: number,
  columns: number,
  strideY: number,
  strideX: number,
  sizeY: number,
  sizeX: number,
  padY: number,
  padX: number,
  min: number,
  max: number,
  whole: number,
): void {
  min = +min;
  max = +max;
  let k = 0;
  for (let row = 0; row < batches * rows; row++) {
    const image = Math.floor(row / rows) * height;
    const top = (row % rows) * strideY - padY;
    const first = image + (top < 0 ? 0 : top);
    const last = image + (top + sizeY > height ? height : top + sizeY);
    for (let column = 0; column < columns; column++) {
      const left = column * strideX - padX;
      const from = left < 0 ? 0 : left;
      const to = left + sizeX > width ? width : left + sizeX;
      const count = (last - first) * (to - from);
      const half = count >> 1;
      for (let c = 0; c < channels; c++) {
        let v = 0;
        for (let i = first; i < last; i++) {
          for (
            let at = (i * width + from) * channels + c, end = (i * width + to) * channels;
            at < end;
            at += channels
          )
            v += x[at];
        }
        v = whole ? ((v > 0 ? v + half : v - half) / count) | 0 : v / count;
        y[k++] = v < min ? min : v > max ? max : v;
      }
    }
  }
}

/** Kernel: the root of the mean square of each window. */
export function l2PoolFloat32(
  x: Float32Array,
  y: Float32Array,
  batches: number,
  height: number,
  width: number,
  channels: number,
  rows: number,
  columns: number,
  strideY: number,
  strideX: number,
  sizeY: number,
  sizeX: number,
  padY: number,
  padX: number,
  min: number,
  max: number,
): void {
  min = +min;
  max = +max;
  let k = 0;
  for (let row = 0; row < batches * rows; row++) {
    const image = Math.floor(row / rows) * height;
    const top = (row % rows) * strideY - padY;
    const first = image + (top < 0 ? 0 : top);
    const last = image + (top + sizeY > height ? height : top + sizeY);
    for (let column = 0; column < columns; column++) {
      const left = column * strideX - padX;
      const from = left < 0 ? 0 : left;
      const to = left + sizeX > width ? width : left + sizeX;
      const count = (last - first) * (to - from);
      for (let c = 0; c < channels; c++) {
        let v = 0;
        for (let i = first; i < last; i++) {
          for (
            let at = (i * width + from) * channels + c, end = (i * width + to) * channels;
            at < end;
            at += channels
          )
            v += x[at] * x[at];
        }
        v = Math.sqrt(v / count);
        y[k++] = v < min ? min : v > max ? max : v;
      }
    }
  }
}

function preparePool(node: Node, p: Preparation, kernel: Kernel, types: string): void {
  const options = p.options(POOL_2D_OPTIONS);
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const activation = options.fused_activation_function as number;
  const padding = options.padding as number;
  const strideX = options.stride_w as number;
  const strideY = options.stride_h as number;
  const sizeX = options.filter_width as number;
  const sizeY = options.filter_height as number;
  expectInputs(node, 1, p);
  expectType(x, types, 'the input', p);
  expectType(y, x.type, 'the output', p);
  expectRank(x, 4, 'the input', p);
  const vertical = windows(x.shape[1], sizeY, strideY, 1, padding, p);
  const horizontal = windows(x.shape[2], sizeX, strideX, 1, padding, p);
  expectShape(y, [x.shape[0], vertical.count, horizontal.count, x.shape[3]], 'the output', p);
  let range = floatActivationRange(activation);
  if (x.type !== 'FLOAT32') {
    expectQuantized(x, 'the input', p);
    expectQuantized(y, 'the output', p);
    if (x.zeroPoint !== y.zeroPoint || Math.abs(x.scale - y.scale) > 1e-6) expectSameQuantization(x, y, p);
    range = activationRange(activation, y);
  }
  const args: Argument[] = [
    x,
    y,
    x.shape[0],
    x.shape[1],
    x.shape[2],
    x.shape[3],
    vertical.count,
    horizontal.count,
    strideY,
    strideX,
    sizeY,
    sizeX,
    vertical.before,
    horizontal.before,
    range.min,
    range.max,
  ];
  if (kernel === averagePool) args.push(x.type === 'FLOAT32' ? 0 : 1);
  p.step(kernel, args);
}

function prepareMaxPool(node: Node, p: Preparation): void {
  preparePool(node, p, maxPool, 'FLOAT32 INT8 INT16');
}

function prepareAveragePool(node: Node, p: Preparation): void {
  preparePool(node, p, averagePool, 'FLOAT32 INT8 INT16');
}

function prepareL2Pool(node: Node, p: Preparation): void {
  preparePool(node, p, l2PoolFloat32, 'FLOAT32');
}

export const poolingOperators: Operators = {
  AVERAGE_POOL_2D: prepareAveragePool,
  MAX_POOL_2D: prepareMaxPool,
};

export const l2PoolOperators: Operators = { L2_POOL_2D: prepareL2Pool };
