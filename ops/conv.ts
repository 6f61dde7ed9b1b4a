/**
 * CONV_2D: y = activation(Σ w · x + b) over a window.
 *
 * Inputs: x [batches, height, width, depth], w [units, fh, fw, depth / groups], b [units] or absent.
 * Output: [batches, oh, ow, units]. Types: FLOAT32; INT8 with INT8 or INT4 weights (per tensor or per channel) and INT32
 * bias; others through `OtherTypes`. Weights may be computed, but INT4 ones are constant.
 * As TFLM: the multiplier of each channel is s_x · s_w / s_y in double; taps outside of the image are left out; the zero
 * points of the weights count as 0, and so do, for INT16, all zero points.
 *
 * A window that lies in x as one run of elements, such as that of a 1×1 filter, makes it a FULLY_CONNECTED.
 */
import { mbqm } from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation } from '../lib/graph';
import { CONV_2D_OPTIONS } from '../lib/schema';
import { describe } from '../lib/tensor';
import { expectRank, expectShape, input, optional, output } from './checks';
import { prepareDense } from './fully_connected';
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

/**
 * All units from `unit` to `last` at one place of the output, float32: `rows` times `runs` runs of `length` elements of
 * x, and of each unit's weights. Four units share each element of x.
 */
export function patchFloat32(
  x: Float32Array,
  w: Float32Array,
  bias: Float32Array,
  y: Float32Array,
  xAt: number,
  wAt: number,
  yAt: number,
  unit: number,
  last: number,
  wUnit: number,
  rows: number,
  xRow: number,
  wRow: number,
  runs: number,
  xRun: number,
  wRun: number,
  length: number,
  min: number,
  max: number,
): void {
  let count = 4;
  for (; unit < last; unit += count) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    if (last - unit < 4) count = 1;
    for (let row = 0; row < rows; row++) {
      let from = xAt + row * xRow;
      let at = wAt + unit * wUnit + row * wRow;
      for (let run = 0; run < runs; run++) {
        let p = at;
        const end = from + length;
        if (count > 1) {
          let q = p + wUnit;
          let r = q + wUnit;
          let t = r + wUnit;
          let i = from;
          for (; i < end - 3; i += 4) {
            const v = x[i];
            const v1 = x[i + 1];
            const v2 = x[i + 2];
            const v3 = x[i + 3];
            s0 += v * w[p] + v1 * w[p + 1] + v2 * w[p + 2] + v3 * w[p + 3];
            s1 += v * w[q] + v1 * w[q + 1] + v2 * w[q + 2] + v3 * w[q + 3];
            s2 += v * w[r] + v1 * w[r + 1] + v2 * w[r + 2] + v3 * w[r + 3];
            s3 += v * w[t] + v1 * w[t + 1] + v2 * w[t + 2] + v3 * w[t + 3];
            p += 4;
            q += 4;
            r += 4;
            t += 4;
          }
          for (; i < end; i++) {
            const v = x[i];
            s0 += v * w[p++];
            s1 += v * w[q++];
            s2 += v * w[r++];
            s3 += v * w[t++];
          }
        } else for (let i = from; i < end; i++) s0 += x[i] * w[p++];
        from += xRun;
        at += wRun;
      }
    }
    for (let k = unit; k < unit + count; k++) {
      const v = s0 + bias[k];
      y[yAt + k] = v < min ? min : v > max ? max : v;
      s0 = s1;
      s1 = s2;
      s2 = s3;
    }
  }
}

/** The same for int8. The input's zero point is subtracted here, so that taps outside of the image may be left out. */
export function patchInt8(
  x: Int8Array,
  w: Int8Array,
  bias: Int32Array,
  y: Int8Array,
  multipliers: Int32Array,
  shifts: Int8Array,
  xAt: number,
  wAt: number,
  yAt: number,
  unit: number,
  last: number,
  wUnit: number,
  rows: number,
  xRow: number,
  wRow: number,
  runs: number,
  xRun: number,
  wRun: number,
  length: number,
  xZero: number,
  yZero: number,
  min: number,
  max: number,
): void {
  let count = 4;
  for (; unit < last; unit += count) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    if (last - unit < 4) count = 1;
    for (let row = 0; row < rows; row++) {
      let from = xAt + row * xRow;
      let at = wAt + unit * wUnit + row * wRow;
      for (let run = 0; run < runs; run++) {
        let p = at;
        const end = from + length;
        if (count > 1) {
          let q = p + wUnit;
          let r = q + wUnit;
          let t = r + wUnit;
          let i = from;
          for (; i < end - 3; i += 4) {
            const v = x[i] - xZero;
            const v1 = x[i + 1] - xZero;
            const v2 = x[i + 2] - xZero;
            const v3 = x[i + 3] - xZero;
            s0 += v * w[p] + v1 * w[p + 1] + v2 * w[p + 2] + v3 * w[p + 3];
            s1 += v * w[q] + v1 * w[q + 1] + v2 * w[q + 2] + v3 * w[q + 3];
            s2 += v * w[r] + v1 * w[r + 1] + v2 * w[r + 2] + v3 * w[r + 3];
            s3 += v * w[t] + v1 * w[t + 1] + v2 * w[t + 2] + v3 * w[t + 3];
            p += 4;
            q += 4;
            r += 4;
            t += 4;
          }
          for (; i < end; i++) {
            const v = x[i] - xZero;
            s0 += v * w[p++];
            s1 += v * w[q++];
            s2 += v * w[r++];
            s3 += v * w[t++];
          }
        } else for (let i = from; i < end; i++) s0 += (x[i] - xZero) * w[p++];
        from += xRun;
        at += wRun;
      }
    }
    for (let k = unit; k < unit + count; k++) {
      const v = mbqm((s0 + bias[k]) | 0, multipliers[k], shifts[k]) + yZero;
      y[yAt + k] = v < min ? min : v > max ? max : v;
      s0 = s1;
      s1 = s2;
      s2 = s3;
    }
  }
}

/** Kernel: float32. */
export function convFloat32(
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
  min: number,
  max: number,
): void {
  const wRow = filterWidth * filterDepth;
  const xRow = dilationY * width * depth;
  const joined = dilationX === 1 && filterDepth === depth;
  let yAt = 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const top = oy * strideY - padY;
      const ky = top < 0 ? Math.ceil(-top / dilationY) : 0;
      const rows = Math.min(filterHeight, Math.ceil((height - top) / dilationY)) - ky;
      for (let ox = 0; ox < outWidth; ox++) {
        const left = ox * strideX - padX;
        const kx = left < 0 ? Math.ceil(-left / dilationX) : 0;
        const taps = Math.min(filterWidth, Math.ceil((width - left) / dilationX)) - kx;
        let xAt = ((batch * height + top + ky * dilationY) * width + left + kx * dilationX) * depth;
        const wAt = ky * wRow + kx * filterDepth;
        for (let unit = 0; unit < units; unit += unitsPerGroup) {
          patchFloat32(
            x,
            w,
            bias,
            y,
            xAt,
            wAt,
            yAt,
            unit,
            unit + unitsPerGroup,
            filterHeight * wRow,
            rows,
            xRow,
            wRow,
            joined ? 1 : taps,
            dilationX * depth,
            filterDepth,
            joined ? taps * depth : filterDepth,
            min,
            max,
          );
          xAt += filterDepth;
        }
        yAt += units;
      }
    }
  }
}

/** Kernel: int8. */
export function convInt8(
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
  xZero: number,
  yZero: number,
  min: number,
  max: number,
): void {
  const wRow = filterWidth * filterDepth;
  const xRow = dilationY * width * depth;
  const joined = dilationX === 1 && filterDepth === depth;
  let yAt = 0;
  for (let batch = 0; batch < batches; batch++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const top = oy * strideY - padY;
      const ky = top < 0 ? Math.ceil(-top / dilationY) : 0;
      const rows = Math.min(filterHeight, Math.ceil((height - top) / dilationY)) - ky;
      for (let ox = 0; ox < outWidth; ox++) {
        const left = ox * strideX - padX;
        const kx = left < 0 ? Math.ceil(-left / dilationX) : 0;
        const taps = Math.min(filterWidth, Math.ceil((width - left) / dilationX)) - kx;
        let xAt = ((batch * height + top + ky * dilationY) * width + left + kx * dilationX) * depth;
        const wAt = ky * wRow + kx * filterDepth;
        for (let unit = 0; unit < units; unit += unitsPerGroup) {
          patchInt8(
            x,
            w,
            bias,
            y,
            multipliers,
            shifts,
            xAt,
            wAt,
            yAt,
            unit,
            unit + unitsPerGroup,
            filterHeight * wRow,
            rows,
            xRow,
            wRow,
            joined ? 1 : taps,
            dilationX * depth,
            filterDepth,
            joined ? taps * depth : filterDepth,
            xZero,
            yZero,
            min,
            max,
          );
          xAt += filterDepth;
        }
        yAt += units;
      }
    }
  }
}

/** The geometry as the kernels take it. */
function geometry(c: Correlation): Argument[] {
  return [
    c.batches,
    c.height,
    c.width,
    c.depth,
    c.outHeight,
    c.outWidth,
    c.units,
    c.unitsPerGroup,
    c.filterHeight,
    c.filterWidth,
    c.filterDepth,
    c.strideY,
    c.strideX,
    c.padY,
    c.padX,
    c.dilationY,
    c.dilationX,
  ];
}

/**
 * The same convolution with longer runs: a filter as wide as the image makes each row of it one place of a column, and
 * a column is a row.
 */
function flatten(c: Correlation): void {
  if (c.unitsPerGroup !== c.units) return;
  if (c.width === c.filterWidth && c.outWidth === 1 && !c.padX && (c.dilationX === 1 || c.width === 1)) {
    c.depth *= c.width;
    c.filterDepth = c.depth;
    c.width = c.height;
    c.filterWidth = c.filterHeight;
    c.outWidth = c.outHeight;
    c.strideX = c.strideY;
    c.padX = c.padY;
    c.dilationX = c.dilationY;
    c.height = c.filterHeight = c.outHeight = c.strideY = c.dilationY = 1;
    c.padY = 0;
  }
}

/** Whether every place is one dot product over a run of x, and the runs follow each other. */
function dense(c: Correlation): boolean {
  return (
    c.unitsPerGroup === c.units &&
    c.filterHeight * c.filterWidth === 1 &&
    c.outHeight === c.height &&
    c.outWidth === c.width
  );
}

function prepareConv(node: Node, p: Preparation, others: OtherTypes[]): void {
  const options = p.options(CONV_2D_OPTIONS);
  const x = input(node, 0, p);
  const w = input(node, 1, p);
  const y = output(node, 0, p);
  expectRank(x, 4, 'the input', p);
  expectRank(w, 4, 'the weights', p);
  const units = w.shape[0];
  const depth = x.shape[3];
  const groups = depth / w.shape[3];
  if (!(groups >= 1 && depth % w.shape[3] === 0 && units % groups === 0)) {
    p.fail(
      'the channels of ' +
        describe(x) +
        ' must be those of the weights ' +
        describe(w) +
        ', or whole groups of them',
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
    unitsPerGroup: units / groups,
    filterHeight: w.shape[1],
    filterWidth: w.shape[2],
    filterDepth: w.shape[3],
    strideY: strideY,
    strideX: strideX,
    padY: rows.before,
    padX: columns.before,
    dilationY: dilationY,
    dilationX: dilationX,
    divideY: 1,
    divideX: 1,
    wUnit: w.shape[1] * w.shape[2] * w.shape[3],
    wTap: w.shape[3],
    op: node.op,
    version: node.version,
    biasType: options.quantized_bias_type as number,
    asymmetric: false,
  };
  const float = typesAre(c, 'FLOAT32', 'FLOAT32', 'FLOAT32');
  if (!float && !typesAre(c, 'INT8', 'INT8 INT4', 'INT8')) return prepareOthers(c, others, p);
  checkBias(c, float ? 'FLOAT32' : 'INT32', p);
  flatten(c);
  flatten(c);
  if (dense(c)) return prepareDense(c, c.batches * c.height * c.width, 'double', p);
  const range = rangeOf(c);
  const args: Argument[] = [c.x, weightsAsInt8(w, p), biasOf(c), c.y];
  if (float) return p.step(convFloat32, args.concat(geometry(c), [range.min, range.max]));
  p.step(
    convInt8,
    args.concat(multipliersOf(c, 'double', p), geometry(c), [x.zeroPoint, y.zeroPoint, range.min, range.max]),
  );
}

/** CONV_2D, with further combinations of types. */
export function convOperators(others: OtherTypes[]): Operators {
  return {
    CONV_2D: function (node: Node, p: Preparation): void {
      prepareConv(node, p, others);
    },
  };
}
