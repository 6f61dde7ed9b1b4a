/** What a step does, counted rather than timed: runs of each operator, multiply-accumulates, bytes of state copied. */
import type { Graph, Node, Tensor } from '../lib/graph';
import { load, readGraph } from '../lib/index';
import type { LoadOptions } from '../lib/load';
import type { Model } from '../lib/model';
import { plan } from '../lib/planner';
import { prepareGraph, type Feedback } from '../lib/prepare';
import { isNothing } from '../lib/program';
import { allOperators } from '../ops/index';
import { collectVariables } from '../variables/operators';
import { graphMacs, type MacCount } from './macs';

/** Bytes of state that a step copies to read it and to write it. */
export interface StateCopies {
  /** READ_VARIABLE, ASSIGN_VARIABLE and feedback that the planner could not do without a copy. */
  engram: number;
  /** The rule of TFLM: READ and ASSIGN copy always, and who feeds an output back copies it by hand. */
  copyAlways: number;
}

export interface StepCounts {
  macs: MacCount;
  stateBytesCopied: StateCopies;
}

/** Outputs that are fed back, as in the option `feedback` of load. */
export type Loops = NonNullable<LoadOptions['feedback']>;

/** Runs of each operator in `steps` steps; `feed` writes the inputs of each. Every copy must be a step of its own. */
function countRuns(model: Model, steps: number, feed: (step: number) => void): Map<Node, number> {
  const { program } = model;
  const runs = new Map<Node, number>();
  // an operator may be several steps: its first one counts
  const first = new Map<Node, number>();
  program.steps.forEach((step, position) => {
    if (!first.has(step.node)) first.set(step.node, position);
  });
  for (let step = 0; step < steps; step++) {
    feed(step);
    for (let position = 0; position !== program.end;) {
      const { kernel, args, node } = program.steps[position];
      if (first.get(node) === position) runs.set(node, (runs.get(node) ?? 0) + 1);
      const next = kernel(...args) as number;
      position = next >= 0 ? next : position + 1;
    }
  }
  return runs;
}

function tensorNamed(graph: Graph, nameOrIndex: string | number): Tensor {
  return graph.subgraphs[0].tensors.find((tensor, i) => tensor.name === nameOrIndex || i === nameOrIndex)!;
}

/** Prepares and plans as `load` does, and adds up the copies to and from variables that remained. */
function copiesLeft(bytes: Uint8Array, loops: Loops, runs: (node: Node) => number): number {
  const graph = readGraph(bytes);
  const feedback: Feedback[] = loops.map(({ from, to }) => ({
    from: tensorNamed(graph, from),
    to: tensorNamed(graph, to),
  }));
  const fedFrom = feedback.map((loop) => loop.from);
  const fedTo = feedback.map((loop) => loop.to);
  const variables = collectVariables(graph);
  const prepared = prepareGraph(graph, allOperators, variables, () => false, 1, feedback);
  const main = graph.subgraphs[0];
  plan({
    ...prepared,
    inputs: main.inputs.filter((tensor) => !fedTo.includes(tensor)),
    outputs: main.outputs.filter((tensor) => !fedFrom.includes(tensor)),
    align: 16,
    share: true,
  });
  const states = new Map(prepared.variables.map((variable) => [variable.tensor, variable]));
  let sum = 0;
  for (const { move, node } of prepared.steps.slice(0, prepared.initial)) {
    if (!move || isNothing(move)) continue;
    const variable = states.get(move.from) ?? states.get(move.to);
    if (variable) sum += move.bytes * (variable.resource ? runs(node) : 1);
  }
  return sum;
}

/**
 * Counts what a step does, by running `steps` of them.
 * @param feed writes the inputs of a step into a model
 * @throws Error when the model cannot be loaded or run
 */
export function countStep(
  bytes: Uint8Array,
  steps: number,
  feed: (model: Model, step: number) => void,
  loops: Loops = [],
): StepCounts {
  const model = load(bytes, { share: false, feedback: loops });
  const counted = countRuns(model, steps, (step) => feed(model, step));
  const runs = (node: Node): number => (counted.get(node) ?? 0) / steps;
  const byPlace = new Map([...counted].map(([node, n]) => [`${node.subgraph}/${node.index}`, n / steps]));
  const graph = model.program.graph!;
  let copyAlways = 0;
  for (const [node] of counted) {
    if (node.op === 'READ_VARIABLE') copyAlways += node.outputs[0].bytes * runs(node);
    if (node.op === 'ASSIGN_VARIABLE') copyAlways += node.inputs[1]!.bytes * runs(node);
  }
  for (const { from } of loops) copyAlways += tensorNamed(graph, from).bytes;
  return {
    macs: graphMacs(graph, runs),
    stateBytesCopied: {
      engram: copiesLeft(bytes, loops, (node) => byPlace.get(`${node.subgraph}/${node.index}`) ?? 0),
      copyAlways,
    },
  };
}
