/** Everything that keeps a model from running, not only the first thing. */
import type { Graph, Node, Operators, Preparation } from '../lib/graph';
import { placeOf, prepareGraph } from '../lib/prepare';
import { allOperators } from '../ops/index';
import { collectVariables } from '../variables/operators';

/** What `diagnose` finds. */
export interface Diagnosis {
  /** One line for each problem, naming its place. */
  problems: string[];
  /** Operators that the build lacks or that refuse their operands. */
  unsupported: Set<string>;
}

/** Lets every operator of a graph check itself, and collects what they say. */
export function diagnose(graph: Graph): Diagnosis {
  const problems: string[] = [];
  const unsupported = new Set<string>();
  const operators: Operators = {};
  for (const node of graph.subgraphs.flatMap((subgraph) => subgraph.nodes)) {
    const prepare = allOperators[node.op];
    operators[node.op] = (current: Node, preparation: Preparation): void => {
      if (!prepare) {
        if (!unsupported.has(current.op))
          problems.push(`${placeOf(current)}: there is no such operator in this build`);
        unsupported.add(current.op);
        return;
      }
      try {
        prepare(current, preparation);
      } catch (error) {
        unsupported.add(current.op);
        if (!problems.includes((error as Error).message)) problems.push((error as Error).message);
      }
    };
  }
  try {
    prepareGraph(graph, operators, collectVariables(graph), () => false, 1, []);
  } catch (error) {
    problems.push((error as Error).message);
  }
  return { problems, unsupported };
}
