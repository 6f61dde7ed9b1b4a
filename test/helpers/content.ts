/** Graphs compared by what they say. */
import type { Graph, Node, Tensor } from '../../lib/graph';

/** Everything that a graph says, without positions in a file. */
export function content(graph: Graph): unknown {
  const tensor = (t: Tensor): unknown => ({
    name: t.name,
    type: t.type,
    shape: t.shape,
    scales: t.scales,
    zeroPoints: t.zeroPoints,
    quantizedDimension: t.quantizedDimension,
    isVariable: t.isVariable,
    constant: t.constant,
    data: t.constant && t.data ? Array.from(t.data) : null,
  });
  const indices = (list: (Tensor | null)[]): (number | null)[] => list.map((t) => t && t.index);
  const node = (n: Node): unknown => ({
    op: n.op,
    custom: n.custom,
    version: n.version,
    inputs: indices(n.inputs),
    outputs: indices(n.outputs),
    intermediates: indices(n.intermediates),
    optionsTag: n.optionsTag,
    options: n.options,
    customOptions: n.customOptions && Array.from(n.customOptions),
  });
  return {
    version: graph.version,
    description: graph.description,
    metadata: graph.metadata.map((entry) => [entry.name, Array.from(entry.data)]),
    subgraphs: graph.subgraphs.map((s) => ({
      name: s.name,
      tensors: s.tensors.map(tensor),
      inputs: indices(s.inputs),
      outputs: indices(s.outputs),
      nodes: s.nodes.map(node),
    })),
  };
}
