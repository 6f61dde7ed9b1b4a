/**
 * What each operator asks of the quantization of its operands. Sources: TFLM's kernels, and the quantization
 * specification of TensorFlow Lite; an operator is listed for a type only if both runtimes, as far as they have the operator,
 * have a kernel for that type.
 */

/** Types that a quantized operator can compute in. */
export type IntegerType = 'INT8' | 'INT16';

/** Where an operator computes: in integers of a type, or in float as before. */
export type Domain = IntegerType | 'FLOAT32';

/** Scale and zero point of a tensor. */
export interface Parameters {
  scale: number;
  zeroPoint: number;
}

/**
 * - dense: sums of products of an input and weights, with a bias
 * - free: input and output may have any scales
 * - shared: all inputs and outputs must have one scale and zero point, since values are only moved or compared
 * - fixed: the output has the scale that the operator prescribes
 * - stateful: keeps its state itself, see stateful.ts
 * - variable: moves a value in or out of a variable
 * - any: does not look at values
 */
export type Kind = 'dense' | 'free' | 'shared' | 'fixed' | 'stateful' | 'variable' | 'any';

export interface Rule {
  kind: Kind;
  /** Whether there are int16 kernels as well as int8 ones. */
  int16: boolean;
  /** Output parameters of a fixed operator. */
  fixed?: Partial<Record<IntegerType, Parameters>>;
}

/** Which inputs of a dense operator are what, and along which dimension of the weights the channels lie. */
export interface DenseOperands {
  input: number;
  weights: number;
  bias: number;
  channels: number;
}

export const DENSE: Readonly<Record<string, DenseOperands>> = {
  FULLY_CONNECTED: { input: 0, weights: 1, bias: 2, channels: 0 },
  CONV_2D: { input: 0, weights: 1, bias: 2, channels: 0 },
  DEPTHWISE_CONV_2D: { input: 0, weights: 1, bias: 2, channels: 3 },
  TRANSPOSE_CONV: { input: 2, weights: 1, bias: 3, channels: 0 },
};

const UNIT16: Parameters = { scale: 1 / 32768, zeroPoint: 0 };
const PROBABILITY = { INT8: { scale: 1 / 256, zeroPoint: -128 }, INT16: UNIT16 };

function list(kind: Kind, int16: boolean, names: string): [string, Rule][] {
  return names.split(' ').map((name) => [name, { kind, int16 }]);
}

const RULES = new Map<string, Rule>([
  ...list('dense', true, Object.keys(DENSE).join(' ')),
  ...list('free', true, 'ADD SUB MUL RELU LEAKY_RELU ABS MEAN SUM'),
  ...list('free', false, 'SQUARED_DIFFERENCE PRELU HARD_SWISH ELU BATCH_MATMUL ARG_MAX ARG_MIN'),
  ...list('free', false, 'EQUAL NOT_EQUAL GREATER GREATER_EQUAL LESS LESS_EQUAL'),
  ...list('shared', true, 'RESHAPE SQUEEZE EXPAND_DIMS CONCATENATION PACK UNPACK SPLIT SPLIT_V SLICE'),
  ...list('shared', true, 'STRIDED_SLICE PAD PADV2 TRANSPOSE MAXIMUM MINIMUM SELECT_V2 RELU6'),
  ...list('shared', true, 'AVERAGE_POOL_2D MAX_POOL_2D RESIZE_NEAREST_NEIGHBOR'),
  ...list(
    'shared',
    false,
    'REDUCE_MAX REDUCE_MIN MIRROR_PAD SPACE_TO_BATCH_ND BATCH_TO_SPACE_ND SELECT TILE',
  ),
  ...list('shared', false, 'GATHER GATHER_ND SPACE_TO_DEPTH DEPTH_TO_SPACE REVERSE_V2 BROADCAST_TO'),
  ...list('shared', false, 'RESIZE_BILINEAR'),
  ...list('variable', true, 'READ_VARIABLE ASSIGN_VARIABLE'),
  ...list('stateful', true, 'UNIDIRECTIONAL_SEQUENCE_LSTM'),
  // its state is int16 in any case
  ...list('stateful', false, 'SVDF'),
  ...list('any', true, 'SHAPE RANK'),
  ['LOGISTIC', { kind: 'fixed', int16: true, fixed: PROBABILITY }],
  ['SOFTMAX', { kind: 'fixed', int16: true, fixed: PROBABILITY }],
  ['TANH', { kind: 'fixed', int16: true, fixed: { INT8: { scale: 1 / 128, zeroPoint: 0 }, INT16: UNIT16 } }],
  ['LOG_SOFTMAX', { kind: 'fixed', int16: false, fixed: { INT8: { scale: 1 / 16, zeroPoint: 127 } } }],
  ['L2_NORMALIZATION', { kind: 'fixed', int16: false, fixed: { INT8: { scale: 1 / 128, zeroPoint: 0 } } }],
]);

/** The rule of a builtin operator; undefined for those that stay float. */
export function ruleOf(op: string): Rule | undefined {
  return RULES.get(op);
}
