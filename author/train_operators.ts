/** What operators compute, in TensorFlow.js, batched: the first dimension of every value is `batch` times as long. */
import type * as tfjs from '@tensorflow/tfjs';
import type { Node } from '../lib/graph';
import { place } from './options';

export interface Operands {
  tf: typeof tfjs;
  node: Node;
  batch: number;
  /** A constant operand as it is; null where it is left out. */
  weight(index: number): tfjs.Tensor | null;
  /** An operand with its batch. */
  value(index: number): tfjs.Tensor;
}

type Operator = (o: Operands) => tfjs.Tensor[];

function option(node: Node, name: string, otherwise: number): number {
  return Number(node.options?.[name] ?? otherwise);
}

/** Applies the activation that an operator has with it. */
function fused({ tf, node }: Operands, x: tfjs.Tensor): tfjs.Tensor {
  switch (option(node, 'fused_activation_function', 0)) {
    case 0:
      return x;
    case 1:
      return tf.relu(x);
    case 2:
      return tf.clipByValue(x, -1, 1);
    case 3:
      return tf.relu6(x);
    case 4:
      return tf.tanh(x);
    default:
      throw new Error(`${place(node)}: its fused activation cannot be trained`);
  }
}

/** Numbers of a constant operand. */
function integers(node: Node, index: number): number[] {
  const data = node.inputs[index]?.constant ? node.inputs[index].data : null;
  if (!data) throw new Error(`${place(node)}: input ${index} must be constant to be trained`);
  return Array.from(data as Int32Array);
}

/** The shape of the first output with its batch. */
function batched({ node, batch }: Operands, output = 0): number[] {
  const { shape } = node.outputs[output];
  return [batch * (shape[0] ?? 1), ...shape.slice(1)];
}

const unary =
  (apply: (tf: typeof tfjs, x: tfjs.Tensor) => tfjs.Tensor): Operator =>
  (o) => [apply(o.tf, o.value(0))];

const binary =
  (apply: (tf: typeof tfjs, a: tfjs.Tensor, b: tfjs.Tensor) => tfjs.Tensor): Operator =>
  (o) => {
    const operand = (index: number): tfjs.Tensor => {
      const tensor = o.node.inputs[index]!;
      // what is the same for all rows is broadcast
      const same =
        tensor.constant && (tensor.shape.length < o.node.outputs[0].shape.length || tensor.shape[0] === 1);
      return same ? o.weight(index)! : o.value(index);
    };
    return [fused(o, apply(o.tf, operand(0), operand(1)))];
  };

/** Indices along one dimension of what is seen by tap `tap` of a kernel. */
function seen(count: number, stride: number, tap: number, dilation: number): number[] {
  return Array.from({ length: count }, (_, i) => i * stride + tap * dilation);
}

/** Zeros before and after a dimension, as TensorFlow pads it. */
function paddingOf(
  same: boolean,
  size: number,
  count: number,
  stride: number,
  span: number,
): [number, number] {
  const total = same ? Math.max(0, (count - 1) * stride + span - size) : 0;
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** A window that moves over an image. */
interface Frame {
  rows: number;
  columns: number;
  dilations: [number, number];
}

/** What each tap of a window sees of an image, [batch, height, width, channels] each, padded with zeros. */
function taps(o: Operands, x: tfjs.Tensor, { rows, columns, dilations }: Frame): tfjs.Tensor[][] {
  const { tf, node } = o;
  const [, height, width] = node.outputs[0].shape;
  const [down, across] = [option(node, 'stride_h', 1), option(node, 'stride_w', 1)];
  const same = option(node, 'padding', 0) === 0;
  const padded = tf.pad(x, [
    [0, 0],
    paddingOf(same, x.shape[1]!, height, down, (rows - 1) * dilations[0] + 1),
    paddingOf(same, x.shape[2]!, width, across, (columns - 1) * dilations[1] + 1),
    [0, 0],
  ]);
  return Array.from({ length: rows }, (_, row) => {
    const line = tf.gather(padded, seen(height, down, row, dilations[0]), 1);
    return Array.from({ length: columns }, (_, column) =>
      tf.gather(line, seen(width, across, column, dilations[1]), 2),
    );
  });
}

/**
 * A convolution, tap by tap: TensorFlow.js has no gradient for one with dilation.
 * @param product of what a tap sees with its weights
 */
function convolution(
  o: Operands,
  product: (x: tfjs.Tensor, kernel: tfjs.Tensor, row: number, column: number) => tfjs.Tensor,
): tfjs.Tensor[] {
  const kernel = o.weight(1)!;
  const [, rows, columns] = kernel.shape;
  const dilations: [number, number] = [
    option(o.node, 'dilation_h_factor', 1),
    option(o.node, 'dilation_w_factor', 1),
  ];
  const products = taps(o, o.value(0), { rows, columns: columns!, dilations }).flatMap((line, row) =>
    line.map((x, column) => product(x, kernel, row, column)),
  );
  const sum = products.reduce((a, b) => a.add(b));
  const bias = o.weight(2);
  return [fused(o, bias ? sum.add(bias) : sum)];
}

function windowOf(node: Node): [number, number] {
  return [option(node, 'filter_height', 1), option(node, 'filter_width', 1)];
}

const maximumPool: Operator = (o) => {
  const strides: [number, number] = [option(o.node, 'stride_h', 1), option(o.node, 'stride_w', 1)];
  const x = o.value(0) as tfjs.Tensor4D;
  return [fused(o, o.tf.maxPool(x, windowOf(o.node), strides, padding(o.node)))];
};

/** The mean of what is not padding; the gradient of TensorFlow.js counts the padding. */
const averagePool: Operator = (o) => {
  const [rows, columns] = windowOf(o.node);
  const sumOf = (x: tfjs.Tensor): tfjs.Tensor =>
    taps(o, x, { rows, columns, dilations: [1, 1] })
      .flat()
      .reduce((a, b) => a.add(b));
  const x = o.value(0);
  return [fused(o, sumOf(x).div(sumOf(o.tf.ones([1, ...x.shape.slice(1, 3), 1]))))];
};

function padding(node: Node): 'same' | 'valid' {
  return option(node, 'padding', 0) === 0 ? 'same' : 'valid';
}

const reduction =
  (apply: (tf: typeof tfjs, x: tfjs.Tensor, axes: number[]) => tfjs.Tensor): Operator =>
  (o) => {
    const rank = o.node.inputs[0]!.shape.length;
    const axes = integers(o.node, 1).map((axis) => (axis < 0 ? axis + rank : axis));
    if (axes.includes(0))
      throw new Error(`${place(o.node)} goes over the first dimension, which is the batch`);
    return [apply(o.tf, o.value(0), axes).reshape(batched(o))];
  };

/** Part of every dimension but the first. */
const strided: Operator = (o) => {
  const { tf, node } = o;
  const { shape } = node.inputs[0]!;
  const [begin, end, strides] = [1, 2, 3].map((index) => integers(node, index));
  const masks = ['begin_mask', 'end_mask', 'ellipsis_mask', 'new_axis_mask', 'shrink_axis_mask'];
  if (
    masks.some((name) => option(node, name, 0)) ||
    begin[0] !== 0 ||
    end[0] !== shape[0] ||
    strides[0] !== 1
  )
    throw new Error(`${place(node)}: only plain ranges beyond the first dimension can be trained`);
  let x = o.value(0);
  for (let axis = 1; axis < shape.length; axis++) {
    const count = node.outputs[0].shape[axis];
    if (count === shape[axis]) continue;
    // TensorFlow.js has no gradient for its own
    x = tf.gather(
      x,
      Array.from({ length: count }, (_, i) => begin[axis] + i * strides[axis]),
      axis,
    );
  }
  return [x];
};

export const TRAINED: Record<string, Operator> = {
  FULLY_CONNECTED: (o) => {
    const kernel = o.weight(1) as tfjs.Tensor2D;
    const bias = o.weight(2);
    const y = o.tf.matMul(o.value(0).reshape([-1, kernel.shape[1]]), kernel, false, true);
    return [fused(o, bias ? y.add(bias) : y).reshape(batched(o))];
  },
  CONV_2D: (o) =>
    convolution(o, (x, kernel, row, column) => {
      const [filters, , , channels] = kernel.shape as [number, number, number, number];
      const weights = kernel
        .slice([0, row, column, 0], [filters, 1, 1, channels])
        .reshape([filters, channels]);
      const y = o.tf.matMul(x.reshape([-1, channels]), weights as tfjs.Tensor2D, false, true);
      return y.reshape([...x.shape.slice(0, 3), filters]);
    }),
  DEPTHWISE_CONV_2D: (o) =>
    convolution(o, (x, kernel, row, column) => {
      const filters = kernel.shape[3]!;
      const channels = x.shape[3]!;
      const weights = kernel
        .slice([0, row, column, 0], [1, 1, 1, filters])
        .reshape([channels, filters / channels]);
      return x
        .expandDims(4)
        .mul(weights)
        .reshape([...x.shape.slice(0, 3), filters]);
    }),
  ADD: binary((tf, a, b) => tf.add(a, b)),
  SUB: binary((tf, a, b) => tf.sub(a, b)),
  MUL: binary((tf, a, b) => tf.mul(a, b)),
  MAXIMUM: binary((tf, a, b) => tf.maximum(a, b)),
  MINIMUM: binary((tf, a, b) => tf.minimum(a, b)),
  LOGISTIC: unary((tf, x) => tf.sigmoid(x)),
  TANH: unary((tf, x) => tf.tanh(x)),
  RELU: unary((tf, x) => tf.relu(x)),
  RELU6: unary((tf, x) => tf.relu6(x)),
  ELU: unary((tf, x) => tf.elu(x)),
  ABS: unary((tf, x) => tf.abs(x)),
  RSQRT: unary((tf, x) => tf.rsqrt(x)),
  LEAKY_RELU: (o) => [o.tf.leakyRelu(o.value(0), option(o.node, 'alpha', 0))],
  SOFTMAX: (o) => [o.tf.softmax(o.value(0).mul(option(o.node, 'beta', 1)))],
  RESHAPE: (o) => [o.value(0).reshape(batched(o))],
  CONCATENATION: (o) => {
    const rank = o.node.outputs[0].shape.length;
    const given = option(o.node, 'axis', 0);
    const axis = given < 0 ? given + rank : given;
    if (axis === 0) throw new Error(`${place(o.node)} joins along the first dimension, which is the batch`);
    const parts = o.node.inputs.map((_, index) => o.value(index));
    return [fused(o, o.tf.concat(parts, axis))];
  },
  SPLIT: (o) => {
    const [given] = integers(o.node, 0);
    const axis = given < 0 ? given + o.node.inputs[1]!.shape.length : given;
    if (axis === 0) throw new Error(`${place(o.node)} splits the first dimension, which is the batch`);
    return o.tf.split(o.value(1), o.node.outputs.length, axis);
  },
  STRIDED_SLICE: strided,
  MEAN: reduction((tf, x, axes) => tf.mean(x, axes)),
  REDUCE_MAX: reduction((tf, x, axes) => tf.max(x, axes)),
  MAX_POOL_2D: maximumPool,
  AVERAGE_POOL_2D: averagePool,
};
