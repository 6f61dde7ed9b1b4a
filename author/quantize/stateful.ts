/**
 * Quantizes operators that keep their state themselves: UNIDIRECTIONAL_SEQUENCE_LSTM and SVDF. Their kernels prescribe
 * more than one scale, so that they are no matter of slots alone.
 */
import type { Node, Tensor } from '../../lib/graph';
import { place } from '../options';
import type { Range } from './calibrate';
import type { IntegerType, Parameters } from './operators';

/** What the converter does for this file. */
export interface Weights {
  /** A constant in a symmetric integer type: ±`limit` stored stands for its greatest value. */
  symmetric(tensor: Tensor, type: IntegerType, limit: number): Tensor;
  /** A bias in the scale of the products that it is added to: int32, or int64 beside int16. */
  bias(node: Node, bias: Tensor, inputScale: number, weightScale: number, domain: IntegerType): Tensor;
  /** Gives a computed or variable tensor an integer type. */
  setType(tensor: Tensor, type: IntegerType, at: Parameters): void;
  /** An empty tensor that tells a scale to TensorFlow Lite; without parameters, a place holder. */
  intermediate(at: Parameters | null): Tensor;
}

/** Room above what calibration saw, as for other values in int16. */
const HEADROOM = 1.25;
/** Steps within one invocation: the cell is seen at the end only, and may have been larger before. */
const UNSEEN = 4;

/** Operands that are weights of float activations. */
export const HYBRID_WEIGHTS: Readonly<Record<string, readonly number[]>> = {
  UNIDIRECTIONAL_SEQUENCE_LSTM: [1, 2, 3, 4, 5, 6, 7, 8],
  SVDF: [1, 2],
};

/** Whether a node is an operator that keeps its state in variable tensors. */
export function keepsState(node: Node): boolean {
  return node.inputs.some((tensor) => tensor?.isVariable);
}

/** Why an operator that keeps its state has no integer form, or null. */
export function withoutIntegers(node: Node): string | null {
  if (node.custom || !HYBRID_WEIGHTS[node.op]) return 'keeps its state itself';
  const [x, ...others] = node.inputs;
  const constants = others.filter((tensor) => tensor && !tensor.isVariable);
  if (x?.type !== 'FLOAT32' || constants.some((tensor) => !tensor!.constant || tensor!.type !== 'FLOAT32'))
    return 'has weights that are not constants of type FLOAT32';
  const activation = Number(node.options?.fused_activation_function ?? 0);
  if (node.op === 'SVDF') return activation > 1 ? 'has a fused activation other than RELU' : null;
  const absent = (from: number, to: number): boolean =>
    node.inputs.slice(from, to).every((tensor) => tensor === null);
  if (!node.inputs[1]) return 'couples its input and forget gates';
  if (!absent(9, 12)) return 'has peephole weights';
  if (!absent(16, 18)) return 'has a projection';
  if (!absent(20, 24)) return 'has layer normalization';
  return activation === 4 ? null : 'has a fused activation other than TANH';
}

/** A range around 0 that gives int8 the zero point 0: an LSTM's state. */
export function symmetricRange({ low, high }: Range): Range {
  const most = Math.max(-low, high);
  return { low: -most, high: (most * 127) / 128 };
}

/** Operands of an integer LSTM: int8 weights, the output state as the output, the cell in int16. */
export function lstmOperands(
  node: Node,
  x: Tensor,
  domain: IntegerType,
  output: Parameters,
  cellRange: Range,
  weights: Weights,
): (Tensor | null)[] {
  const inputs = [...node.inputs];
  inputs[0] = x;
  for (let i = 1; i <= 8; i++) inputs[i] = weights.symmetric(inputs[i]!, 'INT8', 127);
  for (let gate = 0; gate < 4; gate++) {
    const bias = inputs[12 + gate];
    if (bias) inputs[12 + gate] = weights.bias(node, bias, x.scale, inputs[1 + gate]!.scale, domain);
  }
  const [state, cell] = [inputs[18]!, inputs[19]!];
  const steps = x.shape.length > 2 ? x.shape[node.options?.time_major ? 0 : 1] : 1;
  const seen = Math.max(-cellRange.low, cellRange.high) * HEADROOM;
  // the cell grows by one at most in each step
  const most = steps > 1 ? Math.min(Math.max(UNSEEN * seen, 8), seen + steps) : seen;
  const clip = Number(node.options?.cell_clip ?? 0);
  const limit = clip > 0 ? Math.min(clip, most) : most;
  if (!(limit > 0)) throw new Error(`${place(node)}: its cell is 0 in the whole of the calibration data`);
  weights.setType(state, domain, output);
  // the kernels want a power of two
  weights.setType(cell, 'INT16', { scale: 2 ** (Math.ceil(Math.log2(limit)) - 15), zeroPoint: 0 });
  node.intermediates = [0, 1, 2, 3].map(() => weights.intermediate(null));
  node.intermediates.push(weights.intermediate(output));
  return inputs;
}

/**
 * Operands of an integer SVDF: int8 feature weights, state and time weights in int16. Time weights have as many bits
 * as the sum of their products with the state leaves room for in int32.
 */
export function svdfOperands(
  node: Node,
  x: Tensor,
  output: Parameters,
  stateRange: Range,
  weights: Weights,
): (Tensor | null)[] {
  const [, feature, time, bias, state] = node.inputs as Tensor[];
  if (Number(node.options?.fused_activation_function ?? 0) === 1 && output.zeroPoint !== -128)
    throw new Error(
      `${place(node)}: its RELU cannot be kept, since its output shares a scale with values below 0`,
    );
  const most = Math.max(-stateRange.low, stateRange.high) * HEADROOM;
  if (!(most > 0)) throw new Error(`${place(node)}: its state is 0 in the whole of the calibration data`);
  const stateScale = Math.fround(most / 32767);
  weights.setType(state, 'INT16', { scale: stateScale, zeroPoint: 0 });
  const timeWeights = weights.symmetric(time, 'INT16', timeLimit(time, Number(node.options?.rank ?? 1)));
  return [
    x,
    weights.symmetric(feature, 'INT8', 127),
    timeWeights,
    bias && weights.bias(node, bias, stateScale, timeWeights.scale, 'INT8'),
    state,
  ];
}

/** Stored value of the greatest time weight: no unit's weights sum up to more than 2¹⁵, half of what int32 takes. */
function timeLimit(time: Tensor, rank: number): number {
  const values = time.data as Float32Array;
  const perUnit = time.shape[1] * rank;
  let greatest = 0;
  let largestSum = 0;
  for (let at = 0; at < values.length; at += perUnit) {
    let sum = 0;
    for (let i = at; i < at + perUnit; i++) {
      sum += Math.abs(values[i]);
      greatest = Math.max(greatest, Math.abs(values[i]));
    }
    largestSum = Math.max(largestSum, sum);
  }
  return largestSum ? Math.max(1, Math.floor((32767 * greatest) / largestSum)) : 32767;
}
