/**
 * FULLY_CONNECTED: y = activation(x · Wᵀ + b).
 *
 * Inputs: x, whose elements are taken as rows of `depth`; W [units, depth]; b [units] or absent. Output: [..., units].
 * Types: FLOAT32; INT8 with INT8 or INT4 weights and INT32 bias; others through `OtherTypes`. Weights may be computed,
 * but INT4 ones are constant.
 * As TFLM: per tensor, the multiplier is float32(s_x · s_w) / s_y, and the weights may have a zero point; per channel
 * all is in double, the weights' zero points count as 0, and INT4 is refused. Per tensor, a bias whose scale is not
 * s_x · s_w is refused.
 */
import { requantize } from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation, Tensor } from '../lib/graph';
import { FULLY_CONNECTED_OPTIONS } from '../lib/schema';
import { describe } from '../lib/tensor';
import { batchMatmulInt8 } from './batch_matmul';
import { input, output } from './checks';
import { Correlation, denseCorrelation, misfit, OtherTypes, prepareOthers, typesAre } from './correlation';
import { biasOf, checkBias, doubleScaling, int8End, multipliersOf, rangeOf, weightsAsInt8 } from './weights';

/**
 * Kernel: float32; `rows` times `units` dot products of `depth` elements. Four units are done together, so that each
 * element of x that is read serves four products, and two rows, where there are. Indices that count themselves up are
 * what interpreters do fastest. `bias` may be `y`, which adds to it.
 */
export function fullyConnectedFloat32(
  x: Float32Array,
  w: Float32Array,
  bias: Float32Array,
  y: Float32Array,
  rows: number,
  depth: number,
  units: number,
  min: number,
  max: number,
): void {
  // numbers for certain: else V8 boxes every result
  min = +min;
  max = +max;
  let step = 2;
  for (let row = 0; row < rows; row += step) {
    if (rows - row < 2) step = 1;
    let count = 4;
    for (let unit = 0; unit < units; unit += count) {
      let i = row * depth;
      const end = i + depth;
      let j = end;
      let p = unit * depth;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let z0 = 0;
      let z1 = 0;
      let z2 = 0;
      let z3 = 0;
      if (units - unit < 4) {
        count = 1;
        while (i < end) s0 += x[i++] * w[p++];
        if (step > 1) for (p -= depth; j < end + depth;) z0 += x[j++] * w[p++];
      } else {
        let q = p + depth;
        let r = q + depth;
        let t = r + depth;
        if (step > 1) {
          while (i < end) {
            const v = x[i++];
            const u = x[j++];
            let k = w[p++];
            s0 += v * k;
            z0 += u * k;
            k = w[q++];
            s1 += v * k;
            z1 += u * k;
            k = w[r++];
            s2 += v * k;
            z2 += u * k;
            k = w[t++];
            s3 += v * k;
            z3 += u * k;
          }
        } else {
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
        }
      }
      let to = row * units + unit;
      for (let k = unit; k < unit + count; k++) {
        const v = s0 + bias[k];
        y[to] = v < min ? min : v > max ? max : v;
        if (step > 1) {
          const u = z0 + bias[k];
          y[to + units] = u < min ? min : u > max ? max : u;
        }
        to++;
        s0 = s1;
        s1 = s2;
        s2 = s3;
        z0 = z1;
        z1 = z2;
        z2 = z3;
      }
    }
  }
}

/**
 * Kernel: int8; `bias` holds b − zero point of x · Σ w; `multipliers` and `shifts` have one entry for each unit, `powers`
 * and `offsets` are these as `doubleScaling` makes them.
 *
 * Four units together, and four rows, where there are. Then a product brings two: the weights of two units make one
 * number, the second 2²⁷ times. So do their sums, exactly: below a depth of 2048 a sum is less than half of 2²⁷, and all
 * fits the 53 bits of a double. Cut to 32 bits is what V8 adds without looking for an overflow.
 */
export function fullyConnectedInt8(
  x: Int8Array,
  w: Int8Array,
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
  const count = units > 3 ? 4 : 1;
  let step = depth < 2048 ? count : 1;
  for (let row = 0; row < rows; row += step) {
    if (rows - row < 4) step = 1;
    for (let unit = 0; unit < units; unit += count) {
      // the last four once more, where units are no multiple of four
      if (units - unit < count) unit = units - count;
      let i = row * depth;
      const end = i + depth;
      let p = unit * depth;
      // of each row two pairs of units
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
      let q = p + depth;
      let r = q + depth;
      let t = r + depth;
      let i1 = end;
      let i2 = end + depth;
      let i3 = i2 + depth;
      if (step > 1) {
        while (i < end) {
          const k = w[p++] + w[q++] * 134217728;
          const l = w[r++] + w[t++] * 134217728;
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
        if (count > 1) {
          while (i < end - 3) {
            const v = x[i++];
            const v1 = x[i++];
            const v2 = x[i++];
            const v3 = x[i++];
            a = (a + v * w[p++] + v1 * w[p++] + v2 * w[p++] + v3 * w[p++]) | 0;
            b = (b + v * w[q++] + v1 * w[q++] + v2 * w[q++] + v3 * w[q++]) | 0;
            c = (c + v * w[r++] + v1 * w[r++] + v2 * w[r++] + v3 * w[r++]) | 0;
            d = (d + v * w[t++] + v1 * w[t++] + v2 * w[t++] + v3 * w[t++]) | 0;
          }
        } else {
          while (i < end - 3)
            a = (a + x[i++] * w[p++] + x[i++] * w[p++] + x[i++] * w[p++] + x[i++] * w[p++]) | 0;
        }
        while (i < end) {
          const v = x[i++];
          a += v * w[p++];
          if (count > 1) {
            b += v * w[q++];
            c += v * w[r++];
            d += v * w[t++];
          }
        }
      }
      let to = row * units + unit;
      for (let n = 0; n < step; n++) {
        for (let k = unit; k < unit + count; k++) {
          if (step > 1 && !((k ^ unit) & 1)) {
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
            v > span ? requantize(s, multipliers[k], shifts[k], zeroPoint, min, max) : (v & -+(v > 0)) + min;
          a = b;
          b = c;
          c = d;
        }
        to += units - count;
      }
    }
  }
}

/** Kernel: what the input's zero point adds to every dot product with the weights goes into the bias: b − zero · Σ w. */
export function foldBias(
  w: Int8Array,
  b: Int32Array,
  folded: Int32Array,
  units: number,
  depth: number,
  zero: number,
): void {
  let at = 0;
  for (let unit = 0; unit < units; unit++) {
    let sum = 0;
    for (const end = at + depth; at < end; at++) sum += w[at];
    folded[unit] = b[unit] - zero * sum;
  }
}

/** Whether weights and bias are constant. */
export function constantOperands(c: Correlation): boolean {
  return c.w.constant && (!c.b || c.b.constant);
}

/** Prepares `rows` times all units over rows of x of c.depth elements; also for convolutions that come to that. */
export function prepareDense(
  c: Correlation,
  rows: number,
  product: 'float32' | 'double',
  p: Preparation,
): void {
  const bias = biasOf(c);
  if (c.x.type === 'FLOAT32') {
    const range = rangeOf(c);
    return p.step(fullyConnectedFloat32, [c.x, c.w, bias, c.y, rows, c.depth, c.units, range.min, range.max]);
  }
  const w = weightsAsInt8(c.w, p);
  const scaling = multipliersOf(c, product, p);
  let folded: Int32Array | Tensor;
  if (constantOperands(c)) {
    folded = new Int32Array(c.units);
    const values = (c.w.type === 'INT4' ? w : c.w.data) as Int8Array;
    foldBias(values, c.b ? (c.b.data as Int32Array) : folded, folded, c.units, c.depth, c.x.zeroPoint);
  } else {
    folded = p.scratch('INT32', c.units);
    p.step(foldBias, [w, bias, folded, c.units, c.depth, c.x.zeroPoint]);
  }
  const args: Argument[] = [c.x, w, folded, c.y];
  const end = int8End(c, scaling[1]);
  p.step(fullyConnectedInt8, args.concat(scaling, [rows, c.depth, c.units], end.slice(3), end.slice(0, 2)));
}

/** Per tensor, the bias must have the scale of the accumulator, or nearly so. */
function checkBiasScale(c: Correlation, p: Preparation): void {
  const product = c.x.scale * c.w.scale;
  if (c.b && !(Math.abs(product - c.b.scale) / c.y.scale <= 0.02)) {
    p.fail(
      'the bias must have scale ' +
        product +
        ' (input times weights), but ' +
        describe(c.b) +
        ' has ' +
        c.b.scale,
    );
  }
}

function prepareFullyConnected(node: Node, p: Preparation, others: OtherTypes[]): void {
  const options = p.options(FULLY_CONNECTED_OPTIONS);
  const x = input(node, 0, p);
  const w = input(node, 1, p);
  const y = output(node, 0, p);
  const rank = w.shape.length;
  const depth = w.shape[rank - 1];
  const units = w.shape[rank - 2];
  const rows = x.length / depth;
  if (
    rank < 2 ||
    w.length !== units * depth ||
    y.length !== rows * units ||
    y.shape[y.shape.length - 1] !== units
  ) {
    misfit([x, w, y], 'rows of depth, [units, depth], rows of units', p);
  }
  const c = denseCorrelation(node, 2, x, w, y, units, depth, p);
  c.activation = options.fused_activation_function as number;
  c.biasType = options.quantized_bias_type as number;
  c.asymmetric = !!options.asymmetric_quantize_inputs;
  const float = typesAre(c, 'FLOAT32', 'FLOAT32', 'FLOAT32');
  const perTensor = !float && !!w.scales && w.scales.length === 1;
  if (perTensor && x.type !== 'FLOAT32') checkBiasScale(c, p);
  if (!float && !typesAre(c, 'INT8', 'INT8 INT4', 'INT8')) return prepareOthers(c, others, p);
  checkBias(c, float ? 'FLOAT32' : 'INT32', p);
  if (w.type === 'INT4' && !perTensor)
    p.fail('INT4 weights must have one scale for all, but ' + describe(w) + ' has others');
  // weights whose sum is not known or not enough; per channel, computed ones are summed up in each step
  const general = perTensor && (w.zeroPoint || !constantOperands(c));
  if (!general) return prepareDense(c, rows, perTensor ? 'float32' : 'double', p);
  const scaling = multipliersOf(c, 'float32', p);
  const range = rangeOf(c);
  const start = new Int32Array(1);
  const doubles = doubleScaling([scaling[1][0]], y.zeroPoint, range.min, 8);
  p.step(batchMatmulInt8, [
    x,
    weightsAsInt8(w, p),
    biasOf(c),
    y,
    start,
    start,
    1,
    rows,
    units,
    depth,
    depth,
    1,
    depth,
    1,
    x.zeroPoint,
    w.zeroPoint,
    scaling[0][0],
    scaling[1][0],
    y.zeroPoint,
    range.min,
    range.max,
    doubles[0],
    doubles[1],
  ]);
}

/** FULLY_CONNECTED, with further combinations of types. */
export function fullyConnectedOperators(others: OtherTypes[]): Operators {
  return {
    FULLY_CONNECTED: function (node: Node, p: Preparation): void {
      prepareFullyConnected(node, p, others);
    },
  };
}
