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
import { fround, mbqm, quantizeMultiplier, typeRange } from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation, Tensor, TypedArray, View } from '../lib/graph';
import { SVDF_OPTIONS } from '../lib/schema';
import { describe, elementBytes } from '../lib/tensor';
import { expectQuantized, expectRank, expectShape, expectType, input, optional, output } from './checks';
import { foldBias } from './fully_connected';
import { activateFloat32 } from './recurrent';

/**
 * Kernel: float32. `next` is the state from its second element on: assigning it moves the state by one step.
 */
export function svdfFloat32(
  x: Float32Array,
  wFeature: Float32Array,
  wTime: Float32Array,
  bias: Float32Array,
  state: Float32Array,
  next: Float32Array,
  y: Float32Array,
  batches: number,
  inputs: number,
  units: number,
  rank: number,
  memory: number,
  activation: number,
): void {
  let at = 0;
  let to = 0;
  state.set(next);
  for (let batch = 0; batch < batches; batch++) {
    let p = 0;
    let q = 0;
    for (let unit = 0; unit < units; unit++) {
      let sum = bias[unit];
      for (let r = 0; r < rank; r++) {
        let dot = 0;
        for (let i = batch * inputs, end = i + inputs; i < end; i++) dot += x[i] * wFeature[p++];
        const last = at + memory;
        state[last - 1] = dot;
        for (; at < last; at++) sum += state[at] * wTime[q++];
      }
      y[to++] = sum;
    }
  }
  activateFloat32(y, 0, to, activation);
}

/**
 * Kernel: int8; state and time weights are both int8 or both int16.
 * @param fold −(zero point of x) · Σ of the feature weights, for each filter
 * @param bias for each unit the bias − (zero point of the state) · Σ of the time weights
 */
export function svdfInt8(
  x: Int8Array,
  wFeature: Int8Array,
  wTime: Int8Array | Int16Array,
  fold: Int32Array,
  bias: Int32Array,
  state: Int8Array | Int16Array,
  next: Int8Array | Int16Array,
  y: Int8Array,
  batches: number,
  inputs: number,
  units: number,
  rank: number,
  memory: number,
  multiplier: number,
  shift: number,
  min: number,
  max: number,
  stateZero: number,
  outMultiplier: number,
  outShift: number,
  zeroPoint: number,
): void {
  let at = 0;
  let to = 0;
  state.set(next);
  for (let batch = 0; batch < batches; batch++) {
    let filter = 0;
    let p = 0;
    let q = 0;
    for (let unit = 0; unit < units; unit++) {
      let sum = bias[unit];
      for (let r = 0; r < rank; r++) {
        let dot = fold[filter++];
        for (let i = batch * inputs, end = i + inputs; i < end; i++) dot += x[i] * wFeature[p++];
        dot = mbqm(dot | 0, multiplier, shift);
        const last = at + memory;
        state[last - 1] = stateZero + (dot < min ? min : dot > max ? max : dot);
        for (; at < last; at++) sum += state[at] * wTime[q++];
      }
      sum = mbqm(sum | 0, outMultiplier, outShift) + zeroPoint;
      y[to++] = sum < -128 ? -128 : sum > 127 ? 127 : sum;
    }
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
  /** Batches, inputs, units, rank, memory: as the kernels take them. */
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
    sizes: [batches, x.shape[1], units, rank, memory],
    activation: options.fused_activation_function as number,
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
  const units = s.sizes[2];
  const filters = s.wFeature.shape[0];
  const fold = new Int32Array(filters);
  const bias = new Int32Array(units);
  foldBias(s.wFeature.data as Int8Array, fold, fold, filters, s.sizes[1], s.x.zeroPoint);
  // the time weights of all filters of a unit lie one after the other
  foldBias(
    s.wTime.data as Int8Array,
    s.bias ? (s.bias.data as Int32Array) : bias,
    bias,
    units,
    s.sizes[3] * s.sizes[4],
    s.state.zeroPoint,
  );
  const first = quantizeMultiplier(fround(fround(s.x.scale * s.wFeature.scale) / s.state.scale));
  const second = quantizeMultiplier(fround(product / s.y.scale));
  const range = typeRange(s.state.type);
  const args: Argument[] = [s.x, s.wFeature, s.wTime, fold, bias, s.state, s.next, s.y];
  p.step(
    svdfInt8,
    args.concat(s.sizes, [
      first.multiplier,
      first.shift,
      range.min,
      range.max,
      s.state.zeroPoint,
      second.multiplier,
      second.shift,
      s.y.zeroPoint,
    ]),
  );
}

/** Bias of an SVDF whose sums are float, or zeros. */
export function floatBias(s: Svdf, p: Preparation): Tensor | TypedArray {
  expectType(s.state, 'FLOAT32', 'the state', p);
  expectType(s.y, 'FLOAT32', 'the output', p);
  if (!s.bias) return new Float32Array(s.sizes[2]);
  expectType(s.bias, 'FLOAT32', 'the bias', p);
  return s.bias;
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
      const args: Argument[] = [s.x, s.wFeature, s.wTime, floatBias(s, p), s.state, s.next, s.y];
      p.step(svdfFloat32, args.concat(s.sizes, [s.activation]));
    },
  };
}
