/**
 * DEPTHWISE_CONV_2D: every channel of the input has filters of its own; y = activation(Σ w · x + b) over a window.
 *
 * Inputs: x [batches, height, width, depth], w [1, fh, fw, depth · m], b [depth · m] or absent; output channel c belongs
 * to input channel ⌊c / m⌋. Output: [batches, oh, ow, depth · m]. Types: FLOAT32; INT8 with INT8 or INT4 weights (per
 * tensor or per channel) and INT32 bias; others through `OtherTypes`. Weights may be computed, but INT4 ones are constant.
 * As TFLM: numbers as in CONV_2D. The option depth_multiplier is not looked at: the shapes say it.
 */
import { requantize } from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation } from '../lib/graph';
import { DEPTHWISE_CONV_2D_OPTIONS } from '../lib/schema';
import { geometryOf, OtherTypes, prepareOthers, typesAre, windowCorrelation } from './correlation';
import { biasOf, checkBias, int8End, multipliersOf, rangeOf, weightsAsInt8 } from './weights';

/**
 * Kernel: float32. One axis of the image is chosen to be walked along: rows and columns are by name only, and xY to wX are
 * the steps of one place along each. Away from the edges four places of one channel are done together: they share what
 * is read of the weights and, where the filter has three columns, of the input too. At the edges, four channels of one place.
 */
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
  filterDepth: number,
  strideY: number,
  strideX: number,
  padY: number,
  padX: number,
  dilationY: number,
  dilationX: number,
  xY: number,
  xX: number,
  yY: number,
  yX: number,
  wY: number,
  wX: number,
  min: number,
  max: number,
): void {
  // numbers for certain: else V8 boxes every result
  min = +min;
  max = +max;
  const xStep = dilationX * xX;
  const place = strideX * xX;
  const back = xStep - 3 * place;
  const sliding = filterWidth === 3 && strideX === dilationX;
  for (let batch = 0; batch < batches; batch++) {
    for (let oy = 0; oy < outHeight; oy++) {
      const top = oy * strideY - padY;
      const ky = top < 0 ? Math.ceil(-top / dilationY) : 0;
      const rows = Math.min(filterHeight, Math.ceil((height - top) / dilationY)) - ky;
      let places: number;
      for (let ox = 0; ox < outWidth; ox += places) {
        const left = ox * strideX - padX;
        const kx = left < 0 ? Math.ceil(-left / dilationX) : 0;
        const taps = Math.min(filterWidth, Math.ceil((width - left) / dilationX)) - kx;
        const xAt =
          batch * height * width * depth + (top + ky * dilationY) * xY + (left + kx * dilationX) * xX;
        const yAt = batch * outHeight * outWidth * units + oy * yY + ox * yX;
        places =
          left >= 0 && ox + 4 <= outWidth && left + 3 * strideX + (filterWidth - 1) * dilationX < width
            ? 4
            : 1;
        const yStep = places > 1 ? yX : 1;
        const kStep = places > 1 ? 0 : 1;
        let next: number;
        for (let unit = 0; unit < units; unit += next) {
          let s0 = 0;
          let s1 = 0;
          let s2 = 0;
          let s3 = 0;
          let from = xAt + ((unit / perChannel) | 0);
          let at = ky * wY + kx * wX + unit;
          next = places === 1 && perChannel === 1 && units - unit > 3 ? 4 : 1;
          if (places > 1) {
            for (let row = 0; row < rows; row++) {
              let p = from;
              if (sliding) {
                const a = x[p];
                p += xStep;
                const b = x[p];
                p += xStep;
                const c = x[p];
                p += xStep;
                const d = x[p];
                p += xStep;
                const e = x[p];
                p += xStep;
                const f = x[p];
                const k = w[at];
                const l = w[at + wX];
                const m = w[at + wX + wX];
                s0 += a * k + b * l + c * m;
                s1 += b * k + c * l + d * m;
                s2 += c * k + d * l + e * m;
                s3 += d * k + e * l + f * m;
              } else {
                for (let q = at, end = at + taps * wX; q < end; q += wX) {
                  const k = w[q];
                  s0 += x[p] * k;
                  p += place;
                  s1 += x[p] * k;
                  p += place;
                  s2 += x[p] * k;
                  p += place;
                  s3 += x[p] * k;
                  p += back;
                }
              }
              from += dilationY * xY;
              at += wY;
            }
          } else {
            for (let row = 0; row < rows; row++) {
              let p = from;
              const end = at + taps * wX;
              if (next > 1) {
                for (let q = at; q < end;) {
                  s0 += x[p++] * w[q++];
                  s1 += x[p++] * w[q++];
                  s2 += x[p++] * w[q++];
                  s3 += x[p++] * w[q++];
                  p += xStep - 4;
                  q += wX - 4;
                }
              } else {
                for (let q = at; q < end; q += wX) {
                  s0 += x[p] * w[q];
                  p += xStep;
                }
              }
              from += dilationY * xY;
              at += wY;
            }
          }
          let to = yAt + unit;
          let k = unit;
          for (let n = next * places; n > 0; n--) {
            const v = s0 + bias[k];
            y[to] = v < min ? min : v > max ? max : v;
            s0 = s1;
            s1 = s2;
            s2 = s3;
            to += yStep;
            k += kStep;
          }
        }
      }
    }
  }
}

/**
 * Kernel: int8; the input's zero point is subtracted here, so that taps outside of the image may be left out.
 *
 * A filter of 3 × 3 walks over the columns of a channel: each is read once and adds to the sums of all windows that it is
 * part of. What is outside is the zero point, or has weights 0. Other filters do four channels of a place together.
 */
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
  filterDepth: number,
  strideY: number,
  strideX: number,
  padY: number,
  padX: number,
  dilationY: number,
  dilationX: number,
  xY: number,
  xX: number,
  yY: number,
  yX: number,
  wY: number,
  wX: number,
  powers: Float32Array,
  offsets: Float32Array,
  xZero: number,
  yZero: number,
  min: number,
  max: number,
): void {
  const span = max - min;
  const xStep = dilationX * xX;
  const shared = !(perChannel & 3);
  const skip = strideX - 1;
  const near = filterHeight === 3 && filterWidth === 3 && dilationY * dilationX === 1 && strideX < 3;
  for (let batch = 0; batch < batches; batch++) {
    for (let unit = 0; near && unit < units; unit++) {
      const scale = multipliers[unit] * powers[unit];
      const pair = 2 * unit;
      let edges = -1;
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      let e = 0;
      let f = 0;
      let g = 0;
      let h = 0;
      let i = 0;
      let start = 0;
      for (let oy = 0; oy < outHeight; oy++) {
        const top = oy * strideY - padY;
        const up = top < 0 ? 0 : xY;
        const down = top + 2 < height ? xY : 0;
        let p = unit;
        if (edges !== up + up + down) {
          edges = up + up + down;
          a = up && w[p];
          b = up && w[p + wX];
          c = up && w[p + wX + wX];
          p += wY;
          d = w[p];
          e = w[p + wX];
          f = w[p + wX + wX];
          p += wY;
          g = down && w[p];
          h = down && w[p + wX];
          i = down && w[p + wX + wX];
          start = bias[unit] - xZero * (a + b + c + d + e + f + g + h + i);
        }
        let to = batch * outHeight * outWidth * units + oy * yY + unit;
        p = batch * height * width * depth + (top + 1) * xY + ((unit / perChannel) | 0) - padX * xX;
        const last = p + (padX + width - 1) * xX;
        let k = xZero;
        let l = k;
        let m = k;
        if (!padX) {
          k = x[p - up];
          l = x[p];
          m = x[p + down];
        }
        // sums of the window that begins at the last column read, and of the one before
        let next = start;
        let wait = 1;
        const stop = to + outWidth * yX;
        while (to < stop) {
          let s = next + k * b + l * e + m * h;
          next = start + k * a + l * d + m * g;
          p += xX;
          if (p > last) k = l = m = xZero;
          else {
            k = x[p - up];
            l = x[p];
            m = x[p + down];
          }
          if (wait) wait--;
          else {
            s = (s + k * c + l * f + m * i) | 0;
            const v = (s * scale + offsets[pair + (s >>> 31)]) | 0;
            y[to] =
              v > span
                ? requantize(s, multipliers[unit], shifts[unit], yZero, min, max)
                : (v & -+(v > 0)) + min;
            to += yX;
            wait = skip;
          }
        }
      }
    }
    for (let oy = 0; !near && oy < outHeight; oy++) {
      const top = oy * strideY - padY;
      const ky = top < 0 ? Math.ceil(-top / dilationY) : 0;
      const rows = Math.min(filterHeight, Math.ceil((height - top) / dilationY)) - ky;
      for (let ox = 0; ox < outWidth; ox++) {
        const left = ox * strideX - padX;
        const kx = left < 0 ? Math.ceil(-left / dilationX) : 0;
        const taps = Math.min(filterWidth, Math.ceil((width - left) / dilationX)) - kx;
        const xAt =
          batch * height * width * depth + (top + ky * dilationY) * xY + (left + kx * dilationX) * xX;
        let to = batch * outHeight * outWidth * units + oy * yY + ox * yX;
        let count: number;
        for (let unit = 0; unit < units; unit += count) {
          let s = 0;
          let s1 = 0;
          let s2 = 0;
          let s3 = 0;
          let from = xAt + ((unit / perChannel) | 0);
          let at = ky * wY + kx * wX + unit;
          count = shared || (perChannel === 1 && units - unit > 3) ? 4 : 1;
          for (let row = 0; row < rows; row++) {
            let p = from;
            let q = at;
            const end = q + taps * wX;
            if (shared || count === 1) {
              for (; q < end; q += wX) {
                const v = x[p] - xZero;
                s += v * w[q];
                if (shared) {
                  s1 += v * w[q + 1];
                  s2 += v * w[q + 2];
                  s3 += v * w[q + 3];
                }
                p += xStep;
              }
            } else {
              while (q < end) {
                s += (x[p++] - xZero) * w[q++];
                s1 += (x[p++] - xZero) * w[q++];
                s2 += (x[p++] - xZero) * w[q++];
                s3 += (x[p++] - xZero) * w[q++];
                p += xStep - 4;
                q += wX - 4;
              }
            }
            from += dilationY * xY;
            at += wY;
          }
          for (let k = unit; k < unit + count; k++) {
            s = (s + bias[k]) | 0;
            const v = (s * multipliers[k] * powers[k] + offsets[k + k + (s >>> 31)]) | 0;
            y[to++] =
              v > span ? requantize(s, multipliers[k], shifts[k], yZero, min, max) : (v & -+(v > 0)) + min;
            s = s1;
            s1 = s2;
            s2 = s3;
          }
        }
      }
    }
  }
}

/** Exchanges what stands in these places of a list with what follows each. */
function swap(list: Argument[], places: number[]): void {
  for (let i = 0; i < places.length; i++) {
    const first = list[places[i]];
    list[places[i]] = list[places[i] + 1];
    list[places[i] + 1] = first;
  }
}

function prepareDepthwise(node: Node, p: Preparation, others: OtherTypes[]): void {
  const c = windowCorrelation(node, DEPTHWISE_CONV_2D_OPTIONS, 3, p);
  c.asymmetric = true;
  const float = typesAre(c, 'FLOAT32', 'FLOAT32', 'FLOAT32');
  if (!float && !typesAre(c, 'INT8', 'INT8 INT4', 'INT8')) return prepareOthers(c, others, p);
  checkBias(c, float ? 'FLOAT32' : 'INT32', p);
  const args: Argument[] = [c.x, weightsAsInt8(c.w, p), biasOf(c), c.y];
  const geometry = geometryOf(c).slice(0, 17);
  const along: Argument[] = [
    c.width * c.depth,
    c.depth,
    c.outWidth * c.units,
    c.units,
    c.filterWidth * c.units,
    c.units,
  ];
  const rather = c.outHeight - c.outWidth || c.filterHeight - c.filterWidth;
  if (rather > 0) {
    swap(geometry, [1, 4, 8, 11, 13, 15]);
    swap(along, [0, 2, 4]);
  }
  if (float) {
    const range = rangeOf(c);
    return p.step(depthwiseConvFloat32, args.concat(geometry, along, [range.min, range.max]));
  }
  const scaling = multipliersOf(c, 'double', p);
  p.step(depthwiseConvInt8, args.concat(scaling, geometry, along, int8End(c, scaling[1])));
}

/** DEPTHWISE_CONV_2D, with further combinations of types. */
export function depthwiseConvOperators(others: OtherTypes[]): Operators {
  return {
    DEPTHWISE_CONV_2D: function (node: Node, p: Preparation): void {
      prepareDepthwise(node, p, others);
    },
  };
}
