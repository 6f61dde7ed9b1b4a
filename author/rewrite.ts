/** Small steps of rewriting a graph in memory. */
import type { Graph, Node, Options, Subgraph, Tensor } from '../lib/graph';
import { newTensor } from '../lib/tensor';

/** Appends a tensor to a subgraph. */
export function addTensor(subgraph: Subgraph, name: string, type: string, shape: number[]): Tensor {
  const tensor = newTensor(name, type, shape);
  tensor.subgraph = subgraph.index;
  tensor.index = subgraph.tensors.length;
  subgraph.tensors.push(tensor);
  return tensor;
}

/** A new tensor with the type, shape and quantization of another. */
export function addTensorLike(subgraph: Subgraph, name: string, like: Tensor): Tensor {
  const tensor = addTensor(subgraph, name, like.type, like.shape);
  const { scale, zeroPoint, scales, zeroPoints, quantizedDimension } = like;
  return Object.assign(tensor, { scale, zeroPoint, scales, zeroPoints, quantizedDimension });
}

/** A node of a builtin operator with decoded options. */
export function newNode(
  op: string,
  inputs: (Tensor | null)[],
  outputs: Tensor[],
  options: Options | null,
): Node {
  return {
    op,
    custom: false,
    version: 1,
    index: 0,
    subgraph: 0,
    inputs,
    outputs,
    intermediates: [],
    optionsTag: 0,
    options,
    optionsTable: 0,
    customOptions: null,
  };
}

/** Appends an empty subgraph. */
export function addSubgraph(graph: Graph, name: string): Subgraph {
  const subgraph: Subgraph = {
    name,
    index: graph.subgraphs.length,
    tensors: [],
    inputs: [],
    outputs: [],
    nodes: [],
  };
  graph.subgraphs.push(subgraph);
  return subgraph;
}

/** Puts one tensor in the place of another wherever nodes read it. */
export function replaceReaders(subgraph: Subgraph, from: Tensor, to: Tensor): void {
  for (const node of subgraph.nodes) {
    node.inputs = node.inputs.map((tensor) => (tensor === from ? to : tensor));
  }
}

/** Sets indices right, and drops tensors that nothing refers to any more. */
export function tidy(graph: Graph): Graph {
  for (const subgraph of graph.subgraphs) {
    const used = new Set<Tensor | null>([...subgraph.inputs, ...subgraph.outputs]);
    subgraph.nodes.forEach((node, index) => {
      node.index = index;
      node.subgraph = subgraph.index;
      for (const tensor of [...node.inputs, ...node.outputs, ...node.intermediates]) used.add(tensor);
    });
    subgraph.tensors = subgraph.tensors.filter((tensor) => used.has(tensor));
    subgraph.tensors.forEach((tensor, index) => {
      tensor.index = index;
      tensor.subgraph = subgraph.index;
    });
  }
  return graph;
}
