/**
 * SVDF: a dense layer over the last `memory` inputs, factored: each filter keeps the last `memory` products of its
 * feature weights with the input, weighs them with its time weights, and `rank` filters sum up to a unit.
 *
 * Inputs: x [batches, inputs]; feature weights [filters, inputs]; time weights [filters, memory]; bias [filters / rank]
 * or absent; state [batches, memory · filters], variable. Output: [batches, filters / rank].
 * Types: FLOAT32; INT8 with state and time weights INT8 or INT16 and bias INT32; others through `OtherSvdf`.
 * As TFLM: both scale ratios are computed in float32; FLOAT32 applies any fused activation, TANH and SIGN_BIT too, INT8
 * none at all; the whole state moves down by one element, so the first of each row is lost.
 */
import { fround, quantizeMultiplier, requantize } from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation, Tensor, TypedArray, View } from '../lib/graph';
import { SVDF_OPTIONS } from '../lib/schema';
import { describe, elementBytes } from '../lib/tensor';
import { expectQuantized, expectRank, expectShape, expectType, input, optional, output } from './checks';
import { foldBias, fullyConnectedFloat32, fullyConnectedInt8 } from './fully_connected';
import { activateFloat32 } from './recurrent';
import { activationOf } from './recurrent_operands';
import { doubleScaling } from './weights';

/**
 * Kernel: float32, from what the feature weights make of the input on.
 * @param features [batches, units · rank]
 * @param next the state from its second element on: assigning it moves the state by one step
 */
export function svdfFloat32(
  features: Float32Array,
  wTime: Float32Array,
  bias: Float32Array,
  state: Float32Array,
  next: Float32Array,
  y: Float32Array,
  batches: number,
  units: number,
  rank: number,
  memory: number,
  activation: number,
): void {
  let at = 0;
  let from = 0;
  let to = 0;
  state.set(next);
  for (let batch = 0; batch < batches; batch++) {
    let p = 0;
    for (let unit = 0; unit < units; unit++) {
      let sum = bias[unit];
      for (let r = 0; r < rank; r++) {
        const last = at + memory;
        state[last - 1] = features[from++];
        while (at < last) sum += state[at++] * wTime[p++];
      }
      y[to++] = sum;
    }
  }
  activateFloat32(y, 0, to, activation);
}

/**
 * Kernel: int8, from what the feature weights make of the input on. That, state and time weights are all int8 or all
 * int16.
 * @param wTime once for each batch, so that state and weights share an index
 * @param bias for each unit the bias − (zero point of the state) · Σ of the time weights
 */
export function svdfInt8(
  features: Int8Array | Int16Array,
  wTime: Int8Array | Int16Array,
  bias: Int32Array,
  state: Int8Array | Int16Array,
  next: Int8Array | Int16Array,
  y: Int8Array,
  batches: number,
  units: number,
  rank: number,
  memory: number,
  multiplier: number,
  shift: number,
  zeroPoint: number,
  powers: Float32Array,
  offsets: Float32Array,
): void {
  const scale = multiplier * powers[0];
  let at = 0;
  let from = 0;
  state.set(next);
  for (let unit = 0; unit < batches * units; unit++) {
    let s = bias[unit % units];
    for (let r = 0; r < rank; r++) {
      const last = at + memory;
      state[last - 1] = features[from++];
      while (at < last - 7) {
        s =
          (s +
            state[at] * wTime[at++] +
            state[at] * wTime[at++] +
            state[at] * wTime[at++] +
            state[at] * wTime[at++] +
            state[at] * wTime[at++] +
            state[at] * wTime[at++] +
            state[at] * wTime[at++] +
            state[at] * wTime[at++]) |
          0;
      }
      while (at < last) s += state[at] * wTime[at++];
    }
    s |= 0;
    const v = (s * scale + offsets[s >>> 31]) | 0;
    y[unit] = v > 255 ? requantize(s, multiplier, shift, zeroPoint, -128, 127) : (v & -+(v > 0)) - 128;
  }
}

/** The operands and sizes of a node, checked except for types. */
export interface Svdf {
  x: Tensor;
  wFeature: Tensor;
  wTime: Tensor;
  bias: Tensor | null;
  state: Tensor;
  /** The state from its second element on. */
  next: View;
  y: Tensor;
  batches: number;
  inputs: number;
  filters: number;
  units: number;
  /** Batches, units, rank, memory: as the kernels take them. */
  sizes: number[];
  activation: number;
  asymmetric: boolean;
}

/** Prepares an SVDF of types that are not prepared here; false when they are not its types either. */
export type OtherSvdf = (s: Svdf, p: Preparation) => boolean;

function readSvdf(node: Node, p: Preparation): Svdf {
  const options = p.options(SVDF_OPTIONS);
  if (node.inputs.length !== 5) p.fail('it must have 5 inputs, but it has ' + node.inputs.length);
  const x = input(node, 0, p);
  const wFeature = input(node, 1, p);
  const wTime = input(node, 2, p);
  const bias = optional(node, 3);
  const state = input(node, 4, p);
  const y = output(node, 0, p);
  const rank = options.rank as number;
  expectRank(x, 2, 'the input', p);
  expectRank(wFeature, 2, 'the feature weights', p);
  expectRank(wTime, 2, 'the time weights', p);
  const batches = x.shape[0];
  const filters = wFeature.shape[0];
  const memory = wTime.shape[1];
  const units = filters / rank;
  if (!(rank > 0) || filters % rank)
    p.fail('rank must divide the number of filters, ' + filters + ', but it is ' + rank);
  if (memory < 1) p.fail('the time weights must reach over at least 1 step, but they are ' + describe(wTime));
  expectShape(wFeature, [filters, x.shape[1]], 'the feature weights', p);
  expectShape(wTime, [filters, memory], 'the time weights', p);
  if (bias) expectShape(bias, [units], 'the bias', p);
  expectShape(state, [batches, memory * filters], 'the state', p);
  if (!state.isVariable) p.fail('the state must be a variable tensor, but ' + describe(state) + ' is not');
  expectShape(y, [batches, units], 'the output', p);
  return {
    x: x,
    wFeature: wFeature,
    wTime: wTime,
    bias: bias,
    state: state,
    next: {
      of: state,
      type: state.type,
      offset: state.length ? elementBytes(state.type) : 0,
      length: Math.max(0, state.length - 1),
    },
    y: y,
    batches: batches,
    inputs: x.shape[1],
    filters: filters,
    units: units,
    sizes: [batches, units, rank, memory],
    activation: activationOf(options, p),
    asymmetric: !!options.asymmetric_quantize_inputs,
  };
}

function prepareInt8(s: Svdf, p: Preparation): void {
  expectType(s.wFeature, 'INT8', 'the feature weights', p);
  expectType(s.wTime, 'INT8 INT16', 'the time weights', p);
  expectType(s.state, s.wTime.type, 'the state', p);
  expectType(s.y, 'INT8', 'the output', p);
  expectQuantized(s.x, 'the input', p);
  expectQuantized(s.wFeature, 'the feature weights', p);
  expectQuantized(s.wTime, 'the time weights', p);
  expectQuantized(s.state, 'the state', p);
  expectQuantized(s.y, 'the output', p);
  const product = fround(s.state.scale * s.wTime.scale);
  if (s.bias) {
    expectType(s.bias, 'INT32', 'the bias', p);
    if (!(Math.abs(s.bias.scale - product) < 1e-5))
      p.fail('the bias must have scale ' + product + ', but ' + describe(s.bias) + ' has ' + s.bias.scale);
  }
  if (!s.wFeature.constant || !s.wTime.constant || (s.bias && !s.bias.constant))
    p.fail('weights and bias must be constant');
  const fold = new Int32Array(s.filters);
  const bias = new Int32Array(s.units);
  foldBias(s.wFeature.data as Int8Array, fold, fold, s.filters, s.inputs, s.x.zeroPoint);
  // the time weights of all filters of a unit lie one after the other
  foldBias(
    s.wTime.data as Int8Array,
    s.bias ? (s.bias.data as Int32Array) : bias,
    bias,
    s.units,
    s.wTime.length / s.units,
    s.state.zeroPoint,
  );
  const first = quantizeMultiplier(fround(fround(s.x.scale * s.wFeature.scale) / s.state.scale));
  const second = quantizeMultiplier(fround(product / s.y.scale));
  const multipliers = new Int32Array(s.filters);
  const shifts = new Int8Array(s.filters);
  for (let i = 0; i < s.filters; i++) {
    multipliers[i] = first.multiplier;
    shifts[i] = first.shift;
  }
  const int8 = s.state.type === 'INT8';
  const zero = s.state.zeroPoint;
  const least = int8 ? -128 : -32768;
  const features = p.scratch(s.state.type, s.batches * s.filters);
  const doubles = doubleScaling(shifts, zero, zero + least, int8 ? 8 : 16);
  // limited before the zero point is added: what then goes beyond the type wraps
  p.step(fullyConnectedInt8, [
    s.x,
    s.wFeature,
    fold,
    features,
    multipliers,
    shifts,
    s.batches,
    s.inputs,
    s.filters,
    zero,
    zero + least,
    zero - least - 1,
    doubles[0],
    doubles[1],
  ]);
  let wTime: Tensor | TypedArray = s.wTime;
  if (s.batches > 1) {
    const all = s.state.length;
    wTime = int8 ? new Int8Array(all) : new Int16Array(all);
    for (let i = 0; i < all; i++) wTime[i] = (s.wTime.data as TypedArray)[i % s.wTime.length];
  }
  const args: Argument[] = [features, wTime, bias, s.state, s.next, s.y];
  const last = doubleScaling([second.shift], s.y.zeroPoint, -128, 8);
  p.step(svdfInt8, args.concat(s.sizes, [second.multiplier, second.shift, s.y.zeroPoint], last));
}

/** Emits the steps of an SVDF in float; `fill` emits those that bring the products with the feature weights. */
export function prepareSums(
  s: Svdf,
  wTime: Tensor | TypedArray,
  p: Preparation,
  fill: (features: Tensor) => void,
): void {
  expectType(s.state, 'FLOAT32', 'the state', p);
  expectType(s.y, 'FLOAT32', 'the output', p);
  if (s.bias) expectType(s.bias, 'FLOAT32', 'the bias', p);
  const features = p.scratch('FLOAT32', s.batches * s.filters);
  fill(features);
  const args: Argument[] = [features, wTime, s.bias || new Float32Array(s.units), s.state, s.next, s.y];
  p.step(svdfFloat32, args.concat(s.sizes, [s.activation]));
}

/** SVDF, with further combinations of types. */
export function svdfOperators(others: OtherSvdf[]): Operators {
  return {
    SVDF: function (node: Node, p: Preparation): void {
      const s = readSvdf(node, p);
      for (let i = 0; i < others.length; i++) if (others[i](s, p)) return;
      expectType(s.x, 'FLOAT32 INT8', 'the input', p);
      if (s.x.type === 'INT8') return prepareInt8(s, p);
      expectType(s.wFeature, 'FLOAT32', 'the feature weights', p);
      expectType(s.wTime, 'FLOAT32', 'the time weights', p);
      prepareSums(s, s.wTime, p, function (features: Tensor): void {
        const none = new Float32Array(s.filters);
        p.step(fullyConnectedFloat32, [
          s.x,
          s.wFeature,
          none,
          features,
          s.batches,
          s.inputs,
          s.filters,
          -Infinity,
          Infinity,
        ]);
      });
    },
  };
}
