/**
 * Multiply-accumulates of a model: how often a weight, or an element of a matrix that takes its place, is multiplied
 * with a value and added up. Taps in the padding are counted as if they were carried out, as is usual, so the figure
 * depends on shapes alone. Elementwise products (MUL, the gates of an LSTM among each other) are not counted.
 */
import type { Graph, Node, Tensor } from '../lib/graph';

function lengthOf(tensor: Tensor | null | undefined): number {
  return tensor ? tensor.length : 0;
}

function dimension(tensor: Tensor | null | undefined, index: number): number {
  const shape = tensor ? tensor.shape : [];
  return shape[index < 0 ? shape.length + index : index] ?? 1;
}

/** Elements of a filter that go into one output of a channel: all dimensions but `channels`. */
function taps(filter: Tensor | null, channels: number): number {
  return lengthOf(filter) / Math.max(1, dimension(filter, channels));
}

/** Sum of the lengths of operands `from` to `to`, both included: weights that are used once for each step of a sequence. */
function weights(node: Node, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i <= to; i++) sum += lengthOf(node.inputs[i]);
  return sum;
}

/** Steps of a sequence times batches; the operand is [batch, input], or [time, batch, input] in some order. */
function sequence(node: Node): number {
  return lengthOf(node.inputs[0]) / Math.max(1, dimension(node.inputs[0], -1));
}

/** Input, recurrent and peephole weights and the projection of an LSTM. */
function lstm(node: Node): number {
  return sequence(node) * (weights(node, 1, 11) + lengthOf(node.inputs[16]));
}

const COUNTS: Record<string, (node: Node) => number> = {
  // a filter is [out, height, width, in / groups]
  CONV_2D: (node) => lengthOf(node.outputs[0]) * taps(node.inputs[1], 0),
  // [1, height, width, out]
  DEPTHWISE_CONV_2D: (node) => lengthOf(node.outputs[0]) * taps(node.inputs[1], 3),
  // [out, height, width, in]: each input is spread over the whole filter
  TRANSPOSE_CONV: (node) => lengthOf(node.inputs[2]) * taps(node.inputs[1], 3),
  // [depth, height, width, in, out]
  CONV_3D: (node) => lengthOf(node.outputs[0]) * taps(node.inputs[1], 4),
  // [depth, height, width, out, in]
  CONV_3D_TRANSPOSE: (node) => lengthOf(node.inputs[2]) * taps(node.inputs[1], 4),
  // [out, in]
  FULLY_CONNECTED: (node) => lengthOf(node.outputs[0]) * dimension(node.inputs[1], -1),
  // [rows, inner] or, adjoint, [inner, rows]; rows are those of the output
  BATCH_MATMUL: (node) =>
    (lengthOf(node.outputs[0]) * dimension(node.inputs[0], -1) * dimension(node.inputs[0], -2)) /
    Math.max(1, dimension(node.outputs[0], -2)),
  // filters of features [filters, in], then of time [filters, memory]
  SVDF: (node) => dimension(node.inputs[0], 0) * weights(node, 1, 2),
  RNN: (node) => dimension(node.inputs[0], 0) * weights(node, 1, 2),
  UNIDIRECTIONAL_SEQUENCE_RNN: (node) => sequence(node) * weights(node, 1, 2),
  BIDIRECTIONAL_SEQUENCE_RNN: (node) =>
    sequence(node) * (weights(node, 1, 2) + weights(node, 5, 6) + weights(node, 10, 11)),
  // the full kernel has the operands of a sequence; the basic one [input, activation, weights, bias, state]
  LSTM: (node) => (node.inputs.length === 5 ? sequence(node) * lengthOf(node.inputs[2]) : lstm(node)),
  UNIDIRECTIONAL_SEQUENCE_LSTM: lstm,
  // weights, peepholes and projection forward, then backward; weights for an auxiliary input of either direction
  BIDIRECTIONAL_SEQUENCE_LSTM: (node) =>
    sequence(node) *
    (weights(node, 1, 11) +
      lengthOf(node.inputs[16]) +
      weights(node, 18, 28) +
      lengthOf(node.inputs[33]) +
      weights(node, 40, 47)),
};

/** Multiply-accumulates of one run of an operator; 0 for those that have none. */
export function nodeMacs(node: Node): number {
  return !node.custom && Object.hasOwn(COUNTS, node.op) ? COUNTS[node.op](node) : 0;
}

/** Multiply-accumulates by operator. */
export interface MacCount {
  total: number;
  /** Operators that have any, in the order of their first appearance. */
  operators: { name: string; count: number; macs: number }[];
}

/**
 * Multiply-accumulates of a step.
 * @param runs how often a step runs the operator; left out: once each in subgraph 0, and none in others, which is right
 * unless there is control flow (`countRuns` in bench_counts.ts counts for real)
 */
export function graphMacs(
  graph: Graph,
  runs: (node: Node) => number = (node) => (node.subgraph === 0 ? 1 : 0),
): MacCount {
  const count: MacCount = { total: 0, operators: [] };
  for (const node of graph.subgraphs.flatMap((subgraph) => subgraph.nodes)) {
    const times = runs(node);
    const macs = times * nodeMacs(node);
    if (!macs) continue;
    let entry = count.operators.find(({ name }) => name === node.op);
    if (!entry) count.operators.push((entry = { name: node.op, count: 0, macs: 0 }));
    entry.count += times;
    entry.macs += macs;
    count.total += macs;
  }
  return count;
}
