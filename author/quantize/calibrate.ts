/** Runs recorded streams through a float model, and watches the range of every tensor. */
import { load } from '../../lib/index';
import type { Graph, Tensor } from '../../lib/graph';
import type { Model } from '../../lib/model';
import { describe } from '../../lib/tensor';
import { collectVariables } from '../../variables/operators';
import { writeModel } from '../writer';

/**
 * A recorded stream: a row of real numbers per reading, all inputs in order. The model's state carries over from row to
 * row, and starts at its initial values.
 */
export type Stream = readonly (readonly number[])[];

/** Least and greatest value that a tensor had, real. */
export interface Range {
  low: number;
  high: number;
}

/**
 * Runs streams through one or several models of the same inputs, each stream from the initial state; `each` sees every
 * step.
 * @throws Error when a row does not have as many numbers as the inputs take
 */
export function runStreams(
  models: readonly Model[],
  streams: readonly Stream[],
  each: (stream: number, step: number) => void,
): void {
  const lengths = models[0].inputs.map(({ shape }) => shape.reduce((product, n) => product * n, 1));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  streams.forEach((stream, index) => {
    for (const model of models) model.reset();
    stream.forEach((row, step) => {
      if (row.length !== total) {
        throw new Error(
          `stream ${index + 1}, reading ${step + 1}: ${row.length} numbers, but the inputs take ${total}`,
        );
      }
      let at = 0;
      const inputs = lengths.map((length) => row.slice(at, (at += length)));
      for (const model of models) model.step(...inputs);
      each(index, step);
    });
  });
}

/** Float tensors of subgraph 0 that operators compute, and inputs. */
export function realTensors(graph: Graph): Tensor[] {
  return graph.subgraphs[0].tensors.filter((tensor) => tensor.type === 'FLOAT32' && !tensor.constant);
}

/**
 * Ranges of all float tensors of subgraph 0 over warm streams: the state starts at its initial values once in each
 * stream, and all ranges are those of the values that follow.
 * @param onStep called after each reading with how many are done
 * @throws Error when an input or a variable never moves, naming it; when a value is not finite
 */
export function calibrate(
  graph: Graph,
  streams: readonly Stream[],
  given: ReadonlyMap<string, Range>,
  onStep: (done: number) => void,
): Map<Tensor, Range> {
  const model = load(writeModel(graph), { preserve: true, share: false });
  const watched = realTensors(graph)
    .filter(
      (tensor) => graph.subgraphs[0].nodes.some((node) => uses(node, tensor)) || isOutput(graph, tensor),
    )
    .map((tensor) => ({ tensor, data: model.tensor(tensor.index).data, low: Infinity, high: -Infinity }));
  let done = 0;
  runStreams([model], streams, (stream, step) => {
    for (const watch of watched) {
      const { data } = watch;
      for (let i = 0; i < data.length; i++) {
        const value = data[i];
        if (value < watch.low) watch.low = value;
        if (value > watch.high) watch.high = value;
        if (!Number.isFinite(value)) {
          throw new Error(
            `calibration, stream ${stream + 1}, reading ${step + 1}: ${describe(watch.tensor)} becomes ${value}`,
          );
        }
      }
    }
    onStep(++done);
  });
  if (!done) throw new Error('calibration needs at least one reading');
  const ranges = new Map<Tensor, Range>();
  for (const { tensor, low, high } of watched) ranges.set(tensor, given.get(tensor.name) ?? { low, high });
  expectMotion(graph, ranges, given, done);
  return ranges;
}

function uses(node: Graph['subgraphs'][0]['nodes'][0], tensor: Tensor): boolean {
  return node.inputs.includes(tensor) || node.outputs.includes(tensor);
}

function isOutput(graph: Graph, tensor: Tensor): boolean {
  return graph.subgraphs[0].outputs.includes(tensor);
}

/** Inputs and variables that stand still say nothing about their range. */
function expectMotion(
  graph: Graph,
  ranges: ReadonlyMap<Tensor, Range>,
  given: ReadonlyMap<string, Range>,
  steps: number,
): void {
  const [main] = graph.subgraphs;
  for (const input of main.inputs) {
    const range = ranges.get(input);
    if (range && range.low === range.high) {
      throw new Error(
        `the calibration data never moves: input ${describe(input)} is ${range.low} in all ${steps} readings`,
      );
    }
  }
  for (const variable of collectVariables(graph)) {
    if (given.has(variable.name)) continue;
    const values = main.nodes
      .filter((node) => node.inputs[0]?.variable === variable)
      .flatMap((node) => (node.op === 'READ_VARIABLE' ? node.outputs : node.inputs.slice(1)))
      .map((tensor) => tensor && ranges.get(tensor))
      .filter((range) => !!range);
    if (!values.length) continue;
    const low = Math.min(...values.map((range) => range.low));
    const high = Math.max(...values.map((range) => range.high));
    if (low === high) {
      throw new Error(
        `variable "${variable.name}" never moves: it is ${low} in all ${steps} readings of the calibration data; ` +
          `record data that move it, or say its range (ranges, --range ${variable.name}=LOW:HIGH)`,
      );
    }
  }
}
