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
import { requantize } from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation } from '../lib/graph';
import { CONV_2D_OPTIONS } from '../lib/schema';
import {
  Correlation,
  geometryOf,
  OtherTypes,
  prepareOthers,
  typesAre,
  windowCorrelation,
} from './correlation';
import { constantOperands, prepareDense } from './fully_connected';
import { biasOf, checkBias, int8End, multipliersOf, rangeOf, weightsAsInt8 } from './weights';

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
  // numbers for certain: else V8 boxes every result
  min = +min;
  max = +max;
  const count = last - unit > 3 ? 4 : 1;
  for (; unit < last; unit += count) {
    // the last four once more, where units are no multiple of four
    if (last - unit < count) unit = last - count;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
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
          while (i < end - 3) {
            const v = x[i++];
            const v1 = x[i++];
            const v2 = x[i++];
            const v3 = x[i++];
            s0 += v * w[p++] + v1 * w[p++] + v2 * w[p++] + v3 * w[p++];
            s1 += v * w[q++] + v1 * w[q++] + v2 * w[q++] + v3 * w[q++];
            s2 += v * w[r++] + v1 * w[r++] + v2 * w[r++] + v3 * w[r++];
            s3 += v * w[t++] + v1 * w[t++] + v2 * w[t++] + v3 * w[t++];
          }
          while (i < end) {
            const v = x[i++];
            s0 += v * w[p++];
            s1 += v * w[q++];
            s2 += v * w[r++];
            s3 += v * w[t++];
          }
        } else for (let i = from; i < end;) s0 += x[i++] * w[p++];
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

/**
 * The same for int8, at one place of the output or, for at least four units and fewer than 2048 taps, at four
 * places, which lie `xPlace` apart in x and `yPlace` in y. There products of two units are one, as in fullyConnectedInt8.
 */
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
  places: number,
  xPlace: number,
  yPlace: number,
  powers: Float32Array,
  offsets: Float32Array,
): void {
  const span = max - min;
  const count = rows * runs * length < 2048 && last - unit > 3 ? 4 : 1;
  for (; unit < last; unit += count) {
    // the last four once more, where units are no multiple of four
    if (last - unit < count) unit = last - count;
    // of each place two pairs of units
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let s4 = 0;
    let s5 = 0;
    let s6 = 0;
    let s7 = 0;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let row = 0; row < rows; row++) {
      let from = xAt + row * xRow;
      let at = wAt + unit * wUnit + row * wRow;
      for (let run = 0; run < runs; run++) {
        let i = from;
        const end = i + length;
        let p = at;
        let q = p + wUnit;
        let r = q + wUnit;
        let t = r + wUnit;
        if (places > 1) {
          let i1 = i + xPlace;
          let i2 = i1 + xPlace;
          let i3 = i2 + xPlace;
          while (i < end) {
            const k = w[p++] + w[q++] * 134217728;
            const l = w[r++] + w[t++] * 134217728;
            let v = x[i++] - xZero;
            s0 += v * k;
            s1 += v * l;
            v = x[i1++] - xZero;
            s2 += v * k;
            s3 += v * l;
            v = x[i2++] - xZero;
            s4 += v * k;
            s5 += v * l;
            v = x[i3++] - xZero;
            s6 += v * k;
            s7 += v * l;
          }
        } else if (count > 1) {
          while (i < end) {
            const v = x[i++] - xZero;
            a = (a + v * w[p++]) | 0;
            b = (b + v * w[q++]) | 0;
            c = (c + v * w[r++]) | 0;
            d = (d + v * w[t++]) | 0;
          }
        } else while (i < end) a += (x[i++] - xZero) * w[p++];
        from += xRun;
        at += wRun;
      }
    }
    let to = yAt + unit;
    for (let n = 0; n < places; n++) {
      for (let k = unit; k < unit + count; k++) {
        if (places > 1 && !((k - unit) & 1)) {
          b = ((s0 / 134217728 + 67108864.5) | 0) - 67108864;
          a = s0 - b * 134217728;
          s0 = s1;
          s1 = s2;
          s2 = s3;
          s3 = s4;
          s4 = s5;
          s5 = s6;
          s6 = s7;
        }
        const s = (a + bias[k]) | 0;
        const v = (s * multipliers[k] * powers[k] + offsets[k + k + (s >>> 31)]) | 0;
        y[to++] =
          v > span ? requantize(s, multipliers[k], shifts[k], yZero, min, max) : (v & -+(v > 0)) + min;
        a = b;
        b = c;
        c = d;
      }
      to += yPlace - count;
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

/** Kernel: int8. Away from the edges four places are done together, along the longer axis of the output. */
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
  powers: Float32Array,
  offsets: Float32Array,
  xZero: number,
  yZero: number,
  min: number,
  max: number,
): void {
  const wRow = filterWidth * filterDepth;
  const xRow = dilationY * width * depth;
  const joined = dilationX === 1 && filterDepth === depth;
  const down = outHeight > outWidth;
  const several = unitsPerGroup > 3 && filterHeight * wRow < 2048;
  let tall: number;
  let wide: number;
  for (let batch = 0; batch < batches; batch++) {
    for (let oy = 0; oy < outHeight; oy += tall) {
      const top = oy * strideY - padY;
      const ky = top < 0 ? Math.ceil(-top / dilationY) : 0;
      const rows = Math.min(filterHeight, Math.ceil((height - top) / dilationY)) - ky;
      tall =
        several &&
        down &&
        top >= 0 &&
        oy + 4 <= outHeight &&
        top + 3 * strideY + (filterHeight - 1) * dilationY < height
          ? 4
          : 1;
      for (let ox = 0; ox < outWidth; ox += wide) {
        const left = ox * strideX - padX;
        const kx = left < 0 ? Math.ceil(-left / dilationX) : 0;
        const taps = Math.min(filterWidth, Math.ceil((width - left) / dilationX)) - kx;
        wide =
          several &&
          !down &&
          left >= 0 &&
          ox + 4 <= outWidth &&
          left + 3 * strideX + (filterWidth - 1) * dilationX < width
            ? 4
            : 1;
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
            ((batch * outHeight + oy) * outWidth + ox) * units,
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
            tall * wide,
            down ? strideY * width * depth : strideX * depth,
            down ? outWidth * units : units,
            powers,
            offsets,
          );
          xAt += filterDepth;
        }
      }
    }
  }
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
  const c = windowCorrelation(node, CONV_2D_OPTIONS, 0, p);
  const float = typesAre(c, 'FLOAT32', 'FLOAT32', 'FLOAT32');
  if (!float && !typesAre(c, 'INT8', 'INT8 INT4', 'INT8')) return prepareOthers(c, others, p);
  checkBias(c, float ? 'FLOAT32' : 'INT32', p);
  flatten(c);
  flatten(c);
  if (dense(c) && (float || constantOperands(c)))
    return prepareDense(c, c.batches * c.height * c.width, 'double', p);
  const args: Argument[] = [c.x, weightsAsInt8(c.w, p), biasOf(c), c.y];
  const geometry = geometryOf(c).slice(0, 17);
  if (float) {
    const range = rangeOf(c);
    return p.step(convFloat32, args.concat(geometry, [range.min, range.max]));
  }
  const scaling = multipliersOf(c, 'double', p);
  p.step(convInt8, args.concat(scaling, geometry, int8End(c, scaling[1])));
}

/** CONV_2D, with further combinations of types. */
export function convOperators(others: OtherTypes[]): Operators {
  return {
    CONV_2D: function (node: Node, p: Preparation): void {
      prepareConv(node, p, others);
    },
  };
}
