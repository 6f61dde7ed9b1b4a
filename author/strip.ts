/** Drops what a chip need not carry: names, metadata, descriptions. */
import type { Graph } from '../lib/graph';

/**
 * Empties names of inner tensors and subgraphs, metadata and description. Names of inputs, outputs and state stay,
 * since users and snapshots refer to them. The graph is changed.
 */
export function strip(graph: Graph): Graph {
  const [main] = graph.subgraphs;
  for (const subgraph of graph.subgraphs) {
    subgraph.name = '';
    for (const tensor of subgraph.tensors) {
      if (main.inputs.includes(tensor) || main.outputs.includes(tensor) || tensor.isVariable) continue;
      tensor.name = '';
    }
  }
  graph.description = '';
  graph.metadata = [];
  return graph;
}
