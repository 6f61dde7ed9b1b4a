/**
 * Operator versions: TensorFlow Lite registers each kernel for a range of versions, and a file says for every
 * operator which version knows what it uses. Source: tensorflow/lite/tools/versioning/op_version.cc.
 */
import type { Node, Tensor, TensorType } from '../lib/graph';

/** Version by type of the first input, for operators where nothing else matters. Types not named: 1. */
const BY_TYPE: Record<string, Partial<Record<TensorType, number>>> = {
  ABS: { INT8: 2, UINT8: 2, INT32: 5 },
  ADD: { INT8: 2, INT64: 4 },
  ARG_MAX: { INT8: 2, BOOL: 3 },
  ARG_MIN: { INT8: 2, BOOL: 3 },
  AVERAGE_POOL_2D: { INT8: 2, INT16: 3 },
  BATCH_MATMUL: { INT8: 2, INT16: 3 },
  BATCH_TO_SPACE_ND: { INT8: 2, INT16: 4 },
  BROADCAST_TO: { INT8: 3, INT16: 3 },
  CONCATENATION: { INT8: 2, INT16: 3, UINT32: 4 },
  DEPTH_TO_SPACE: { INT8: 2 },
  DEQUANTIZE: { INT8: 2, INT16: 3, FLOAT16: 3, INT4: 6 },
  EQUAL: { INT8: 2, STRING: 3, INT16: 4 },
  EXP: { INT8: 2, INT16: 2 },
  FLOOR_DIV: { FLOAT32: 2, INT8: 3, INT16: 3 },
  FLOOR_MOD: { INT8: 2, INT16: 2 },
  GATHER: { INT8: 2, BOOL: 3, INT16: 4, INT4: 7 },
  GATHER_ND: { STRING: 2, INT16: 3, BOOL: 5 },
  GELU: { INT8: 2, UINT8: 2 },
  GREATER: { INT8: 2 },
  GREATER_EQUAL: { INT8: 2, INT16: 3 },
  L2_NORMALIZATION: { INT8: 2 },
  LEAKY_RELU: { INT16: 2 },
  LESS: { INT8: 2, INT16: 3 },
  LESS_EQUAL: { INT8: 2 },
  LOG: { INT8: 2, INT16: 2 },
  LOGISTIC: { INT8: 2, INT16: 3 },
  LOG_SOFTMAX: { INT8: 2 },
  MAXIMUM: { INT8: 2, INT16: 4 },
  MAX_POOL_2D: { INT8: 2, INT16: 3 },
  MEAN: { INT8: 2, INT16: 3 },
  MINIMUM: { INT8: 2, INT16: 4 },
  MIRROR_PAD: { INT8: 2, INT16: 3 },
  MUL: { INT8: 2, INT16: 4, INT64: 5, COMPLEX64: 6, UINT32: 7 },
  NOT_EQUAL: { INT8: 2, STRING: 3 },
  PACK: { INT8: 2, INT16: 3, UINT32: 4 },
  PAD: { INT8: 2, INT16: 3 },
  PADV2: { INT8: 2, INT16: 3 },
  RANGE: { INT64: 2 },
  REDUCE_MAX: { INT8: 2, INT16: 3 },
  REDUCE_MIN: { INT8: 2, INT16: 3 },
  REDUCE_PROD: { INT8: 2, INT16: 2 },
  RELU: { INT8: 2, UINT8: 2, INT16: 3 },
  RELU6: { INT8: 2, INT16: 3 },
  RESIZE_BILINEAR: { INT8: 2, INT16: 4 },
  RESIZE_NEAREST_NEIGHBOR: { INT8: 2, INT16: 4 },
  REVERSE_V2: { BOOL: 2, INT8: 3 },
  RSQRT: { INT8: 2, INT16: 3 },
  SELECT: { INT8: 2, UINT32: 4 },
  SELECT_V2: { UINT32: 2 },
  SIGN: { INT32: 2 },
  SLICE: { INT8: 2, STRING: 3, INT16: 4, UINT32: 6 },
  SOFTMAX: { INT8: 2, INT16: 3 },
  SPACE_TO_BATCH_ND: { INT8: 2, INT16: 4 },
  SPACE_TO_DEPTH: { INT8: 2 },
  SPLIT_V: { INT8: 2 },
  SQUARED_DIFFERENCE: { INT8: 2 },
  SQUEEZE: { STRING: 2 },
  STRIDED_SLICE: { INT8: 2, BOOL: 3, STRING: 5, UINT32: 7 },
  SUB: { INT8: 2, INT64: 4 },
  SUM: { INT8: 2 },
  SVDF: { INT8: 3 },
  TANH: { INT8: 2, INT16: 3 },
  TILE: { STRING: 2, INT8: 3 },
  TOPK_V2: { INT8: 2, INT16: 3 },
  TRANSPOSE: { INT8: 2, BOOL: 3, INT16: 5 },
  UNPACK: { INT8: 2, UINT8: 2, BOOL: 3, INT16: 4 },
};

/** Versions that features other than the first input's type ask for: each entry is [applies, version]. */
type Features = (node: Node) => [boolean, number][];

const rank = (tensor: Tensor | null | undefined): number => tensor?.shape.length ?? 0;
const typeOf = (tensor: Tensor | null | undefined): TensorType | undefined => tensor?.type;
const quantized = (tensor: Tensor | null | undefined): boolean => !!tensor?.scales?.length;
const perChannel = (tensor: Tensor | null | undefined): boolean => (tensor?.scales?.length ?? 0) > 1;
const option = (node: Node, name: string): unknown => node.options?.[name];
const count = (node: Node, name: string, otherwise: number): number =>
  Number(option(node, name) ?? otherwise);

/** int8 weights that are applied to float activations. */
const hybrid = (node: Node, weights: number): boolean =>
  typeOf(node.inputs[0]) === 'FLOAT32' && typeOf(node.inputs[weights]) === 'INT8';

/** Operands of different shapes with more than four dimensions. */
const wideBroadcast = (node: Node): boolean =>
  Math.max(rank(node.inputs[0]), rank(node.inputs[1])) > 4 &&
  String(node.inputs[0]?.shape) !== String(node.inputs[1]?.shape);

const padded: Features = (node) => [[rank(node.inputs[0]) > 4, 4]];
const compared: Features = (node) => [[wideBroadcast(node), 3]];
const blocks: Features = (node) => [[rank(node.inputs[0]) !== 4, 3]];
const recurrent: Features = (node) => [
  [hybrid(node, 1), 2],
  [hybrid(node, 1) && option(node, 'asymmetric_quantize_inputs') === true, 3],
];

const FEATURES: Record<string, Features> = {
  ABS: (node) => [[typeOf(node.inputs[0]) === 'INT16', quantized(node.inputs[0]) ? 3 : 4]],
  ADD: (node) => [
    [typeOf(node.inputs[0]) === 'INT16' && option(node, 'pot_scale_int16') === false, 3],
    [typeOf(node.inputs[0]) === 'INT16' && !quantized(node.inputs[0]), 5],
  ],
  BATCH_MATMUL: (node) => [[hybrid(node, 1) && option(node, 'asymmetric_quantize_inputs') === true, 4]],
  BATCH_TO_SPACE_ND: blocks,
  BIDIRECTIONAL_SEQUENCE_LSTM: recurrent,
  BIDIRECTIONAL_SEQUENCE_RNN: recurrent,
  BROADCAST_TO: () => [[true, 2]],
  CAST: (node) => {
    const either = (type: TensorType): boolean =>
      typeOf(node.inputs[0]) === type || typeOf(node.outputs[0]) === type;
    return [
      [either('UINT32'), 2],
      [either('INT8'), 3],
      [either('UINT16'), 4],
      [either('FLOAT64') || either('FLOAT16'), 5],
      [typeOf(node.inputs[0]) === 'INT4', 6],
      [either('BFLOAT16'), 7],
    ];
  },
  CONV_2D: (node) => [
    [hybrid(node, 1), perChannel(node.inputs[1]) ? 5 : 2],
    [typeOf(node.inputs[0]) === 'INT8', 3],
    [typeOf(node.inputs[0]) === 'INT16', 4],
    [rank(node.inputs[1]) === 4 && node.inputs[0]?.shape[3] !== node.inputs[1]?.shape[3], 6],
    [typeOf(node.inputs[1]) === 'INT4', 7],
    [count(node, 'quantized_bias_type', 0) !== 0, 8],
  ],
  DEPTHWISE_CONV_2D: (node) => [
    [count(node, 'dilation_w_factor', 1) !== 1 || count(node, 'dilation_h_factor', 1) !== 1, 2],
    [typeOf(node.inputs[0]) === 'INT8', 3],
    [hybrid(node, 1), perChannel(node.inputs[1]) ? 6 : 4],
    [typeOf(node.inputs[0]) === 'INT16', 5],
    [typeOf(node.inputs[1]) === 'INT4', 7],
  ],
  DEQUANTIZE: (node) => [[perChannel(node.inputs[0]), 5]],
  DIV: (node) => [[wideBroadcast(node), 2]],
  FAKE_QUANT: (node) => [[option(node, 'narrow_range') === true, 2]],
  FILL: (node) => [
    [['BOOL', 'STRING'].includes(typeOf(node.inputs[1]) ?? ''), 2],
    [['INT8', 'INT16'].includes(typeOf(node.inputs[1]) ?? ''), 3],
    [typeOf(node.inputs[1]) === 'FLOAT16', 4],
  ],
  FULLY_CONNECTED: (node) => [
    [count(node, 'weights_format', 0) !== 0, 2],
    [hybrid(node, 1), 3],
    [typeOf(node.inputs[0]) === 'INT8', 4],
    [option(node, 'keep_num_dims') === true, 5],
    [node.inputs.length === 2, 6],
    [typeOf(node.inputs[0]) === 'INT16', 7],
    [hybrid(node, 1) && option(node, 'asymmetric_quantize_inputs') === true, 9],
    [typeOf(node.inputs[1]) === 'INT4', 10],
    [count(node, 'quantized_bias_type', 0) !== 0, 11],
    [hybrid(node, 1) && perChannel(node.inputs[1]), 12],
  ],
  GATHER: (node) => [
    [count(node, 'batch_dims', 0) !== 0, 5],
    [typeOf(node.inputs[1]) === 'INT16', 6],
  ],
  GATHER_ND: (node) => [[typeOf(node.inputs[1]) === 'INT16', 4]],
  LSTM: (node) => [
    [count(node, 'kernel_type', 0) === 1, 2],
    [hybrid(node, 2), option(node, 'asymmetric_quantize_inputs') === true ? 4 : 3],
    [typeOf(node.inputs[0]) === 'INT16', 5],
  ],
  MAXIMUM: compared,
  MINIMUM: compared,
  MUL: (node) => {
    const [a, b, out] = [node.inputs[0], node.inputs[1], node.outputs[0]];
    const ratio = a && b && out?.scale ? (a.scale * b.scale) / out.scale : 0;
    return [
      [ratio >= 1, 3],
      [typeOf(a) === 'INT16' && !quantized(a), 7],
    ];
  },
  PAD: padded,
  PADV2: padded,
  QUANTIZE: (node) => [
    [typeOf(node.outputs[0]) === 'INT16', 2],
    [perChannel(node.outputs[0]), 3],
    [typeOf(node.inputs[0]) === 'INT4' || typeOf(node.outputs[0]) === 'INT4', 4],
  ],
  RESIZE_BILINEAR: (node) => [[option(node, 'half_pixel_centers') === true, 3]],
  RESIZE_NEAREST_NEIGHBOR: (node) => [
    [option(node, 'half_pixel_centers') === true || option(node, 'align_corners') === true, 3],
  ],
  RNN: recurrent,
  SELECT: (node) => [[Math.max(...node.inputs.map(rank)) === 5, 3]],
  SLICE: (node) => [[rank(node.inputs[0]) > 4, 5]],
  SPACE_TO_BATCH_ND: blocks,
  SPARSE_TO_DENSE: (node) => [
    [typeOf(node.inputs[2]) === 'INT64', 2],
    [['INT8', 'UINT8'].includes(typeOf(node.inputs[2]) ?? ''), 3],
  ],
  // the axis comes first here
  SPLIT: (node) => [
    [typeOf(node.inputs[1]) === 'INT8', 2],
    [typeOf(node.inputs[1]) === 'INT32', 3],
    [typeOf(node.inputs[1]) === 'INT16', 4],
  ],
  STRIDED_SLICE: (node) => [
    [rank(node.inputs[0]) > 4, 4],
    [count(node, 'ellipsis_mask', 0) !== 0 || count(node, 'new_axis_mask', 0) !== 0, 6],
    [option(node, 'offset') === true, 8],
  ],
  SUB: (node) => [
    [wideBroadcast(node), 3],
    [typeOf(node.inputs[0]) === 'INT16' && option(node, 'pot_scale_int16') === false, 5],
  ],
  SVDF: (node) => [[hybrid(node, 1), option(node, 'asymmetric_quantize_inputs') === true ? 4 : 2]],
  TRANSPOSE: (node) => [
    [rank(node.inputs[0]) > 4, 4],
    [rank(node.inputs[0]) > 5, 6],
  ],
  TRANSPOSE_CONV: (node) => [
    [typeOf(node.inputs[1]) === 'INT8', 2],
    [node.inputs.length === 4 && node.inputs[3] !== null, 3],
    [count(node, 'fused_activation_function', 0) !== 0, 4],
    [count(node, 'quantized_bias_type', 0) !== 0, 5],
  ],
  UNIDIRECTIONAL_SEQUENCE_LSTM: (node) => [
    [hybrid(node, 2), option(node, 'asymmetric_quantize_inputs') === true ? 3 : 2],
    [option(node, 'diagonal_recurrent_tensors') === true, 4],
    [typeOf(node.inputs[0]) === 'INT16', 5],
  ],
  UNIDIRECTIONAL_SEQUENCE_RNN: recurrent,
  WHERE: (node) => [[typeOf(node.inputs[0]) !== 'BOOL', 2]],
};

/** The least version of a builtin operator that knows the types, shapes and options that the node uses. */
export function operatorVersion(node: Node): number {
  if (node.custom) return 1;
  const byType = BY_TYPE[node.op]?.[typeOf(node.inputs[0]) ?? ''] ?? 1;
  const features = FEATURES[node.op]?.(node) ?? [];
  return Math.max(byType, ...features.filter(([applies]) => applies).map(([, version]) => version));
}
