/** Builds models of one recurrent operator with random weights, for tests. */
import { GraphBuilder } from '../../author/graph_builder';
import type { SubgraphBuilder } from '../../author/graph_builder';
import { random } from '../../author/random';
import type { Random } from '../../author/random';
import type { Graph, Options, Tensor } from '../../lib/graph';

/** How weights are stored. */
export type Weights = 'float' | 'int8' | 'int8, asymmetric inputs';

export interface RecurrentCase {
  op: string;
  weights: Weights;
  batches: number;
  steps: number;
  inputs: number;
  /** Cells of an LSTM, units of an RNN. */
  cells: number;
  activation: number;
  seed: number;
  timeMajor?: boolean;
  /** Outputs of an LSTM with projection. */
  projection?: number;
  projectionBias?: boolean;
  coupled?: boolean;
  peephole?: boolean;
  norm?: boolean;
  cellClip?: number;
  projectionClip?: number;
  /** Both ways. */
  merged?: boolean;
  /** Size of an auxiliary input, and whether it has weights of its own. */
  aux?: number;
  linked?: boolean;
}

/** Draws the constants of a model. */
class Weaver {
  constructor(
    readonly main: SubgraphBuilder,
    readonly next: Random,
    private readonly int8: boolean,
  ) {}

  /** Weights of the case's type. */
  weights(name: string, shape: number[]): Tensor {
    const length = shape.reduce((a, b) => a * b, 1);
    if (!this.int8) return this.float(name, shape, 0.6);
    const data = Array.from({ length }, () => this.next.integer(-127, 127));
    return this.main.constant(name, 'INT8', shape, data, { scale: this.next.uniform(0.002, 0.008) });
  }

  float(name: string, shape: number[], range: number): Tensor {
    const length = shape.reduce((a, b) => a * b, 1);
    const data = Array.from({ length }, () => this.next.uniform(-range, range));
    return this.main.constant(name, 'FLOAT32', shape, data);
  }
}

/** Inputs 1–17 of an LSTM, or 18–34 for the way back. */
function lstmWeights(weaver: Weaver, way: string, c: RecurrentCase): (Tensor | null)[] {
  const outputs = c.projection ?? c.cells;
  const gates = ['i', 'f', 'g', 'o'];
  const own = (gate: string): boolean => gate !== 'i' || !c.coupled;
  const list: (Tensor | null)[] = [];
  for (const gate of gates) {
    list.push(own(gate) ? weaver.weights(`${way}w${gate}`, [c.cells, c.inputs]) : null);
  }
  for (const gate of gates) {
    list.push(own(gate) ? weaver.weights(`${way}r${gate}`, [c.cells, outputs]) : null);
  }
  for (const gate of ['i', 'f', 'o']) {
    list.push(c.peephole && own(gate) ? weaver.weights(`${way}p${gate}`, [c.cells]) : null);
  }
  for (const gate of gates) list.push(own(gate) ? weaver.float(`${way}b${gate}`, [c.cells], 0.5) : null);
  list.push(c.projection ? weaver.weights(`${way}projection`, [outputs, c.cells]) : null);
  list.push(c.projectionBias ? weaver.float(`${way}projection bias`, [outputs], 0.3) : null);
  return list;
}

function lstmStates(main: SubgraphBuilder, way: string, c: RecurrentCase): Tensor[] {
  return [
    main.state(`${way}h`, 'FLOAT32', [c.batches, c.projection ?? c.cells]),
    main.state(`${way}c`, 'FLOAT32', [c.batches, c.cells]),
  ];
}

function rnnOperands(weaver: Weaver, way: string, c: RecurrentCase): Tensor[] {
  return [
    weaver.weights(`${way}w`, [c.cells, c.inputs]),
    weaver.weights(`${way}r`, [c.cells, c.cells]),
    weaver.float(`${way}b`, [c.cells], 0.5),
    weaver.main.state(`${way}h`, 'FLOAT32', [c.batches, c.cells]),
  ];
}

/** A model of one operator: inputs "x" and perhaps "aux", one or two outputs, states of its own. */
export function recurrentModel(c: RecurrentCase): Graph {
  const builder = new GraphBuilder(c.op);
  const main = builder.subgraph('main');
  const weaver = new Weaver(main, random(c.seed), c.weights !== 'float');
  const twoWays = c.op.startsWith('BIDIRECTIONAL');
  const lstm = c.op.endsWith('LSTM');
  const flat = c.op === 'LSTM' || c.op === 'RNN';
  const rows = flat ? [c.batches] : c.timeMajor ? [c.steps, c.batches] : [c.batches, c.steps];
  const outputs = c.projection ?? c.cells;
  const x = main.input('x', 'FLOAT32', [...rows, c.inputs]);
  const aux = c.aux === undefined ? null : main.input('aux', 'FLOAT32', [...rows, c.aux]);
  const auxWeights = (way: string, gates: string[]): (Tensor | null)[] =>
    gates.map((gate) =>
      c.linked && (gate !== 'i' || !c.coupled)
        ? weaver.weights(`${way}a${gate}`, [c.cells, c.aux as number])
        : null,
    );
  const options: Options = { fused_activation_function: c.activation };
  if (c.weights === 'int8, asymmetric inputs') options.asymmetric_quantize_inputs = true;
  if (!flat) options.time_major = c.timeMajor ?? false;
  if (lstm) Object.assign(options, { cell_clip: c.cellClip ?? 0, proj_clip: c.projectionClip ?? 0 });
  if (twoWays) options.merge_outputs = c.merged ?? false;
  const operands: (Tensor | null)[] = [x];
  if (lstm && twoWays) {
    operands.push(...lstmWeights(weaver, '', c), ...lstmWeights(weaver, 'back/', c));
    operands.push(...lstmStates(main, '', c), ...lstmStates(main, 'back/', c), aux);
    for (const way of ['', 'back/']) operands.push(...auxWeights(way, ['i', 'f', 'g', 'o']));
  } else if (lstm) {
    operands.push(...lstmWeights(weaver, '', c), ...lstmStates(main, '', c));
    for (const gate of ['i', 'f', 'g', 'o']) {
      operands.push(c.norm && (gate !== 'i' || !c.coupled) ? weaver.float(`n${gate}`, [c.cells], 0.8) : null);
    }
  } else {
    operands.push(...rnnOperands(weaver, '', c));
    if (twoWays)
      operands.push(
        ...rnnOperands(weaver, 'back/', c),
        aux,
        ...auxWeights('', ['w']),
        ...auxWeights('back/', ['w']),
      );
  }
  const results = [main.tensor('y', 'FLOAT32', [...rows, twoWays && c.merged ? 2 * outputs : outputs])];
  if (twoWays && !c.merged) results.push(main.tensor('back/y', 'FLOAT32', [...rows, outputs]));
  main.op(c.op, operands, results, options);
  main.output(...results);
  return builder.build();
}

export interface SvdfCase {
  weights: Weights;
  batches: number;
  inputs: number;
  units: number;
  rank: number;
  memory: number;
  activation: number;
  bias: boolean;
  seed: number;
}

/** A model of one float or hybrid SVDF. */
export function svdfModel(c: SvdfCase): Graph {
  const builder = new GraphBuilder('SVDF');
  const main = builder.subgraph('main');
  const weaver = new Weaver(main, random(c.seed), c.weights !== 'float');
  const filters = c.units * c.rank;
  const y = main.tensor('y', 'FLOAT32', [c.batches, c.units]);
  const operands = [
    main.input('x', 'FLOAT32', [c.batches, c.inputs]),
    weaver.weights('feature', [filters, c.inputs]),
    weaver.weights('time', [filters, c.memory]),
    c.bias ? weaver.float('bias', [c.units], 0.5) : null,
    main.state('state', 'FLOAT32', [c.batches, c.memory * filters]),
  ];
  const options: Options = { rank: c.rank, fused_activation_function: c.activation };
  if (c.weights === 'int8, asymmetric inputs') options.asymmetric_quantize_inputs = true;
  main.op('SVDF', operands, [y], options);
  main.output(y);
  return builder.build();
}

/** A model of one LSTM of the basic kernel, with its states in variable tensors or as inputs "h" and "c". */
export function basicLstmModel(
  batches: number,
  inputs: number,
  units: number,
  variable: boolean,
  seed: number,
): Graph {
  const builder = new GraphBuilder('basic LSTM');
  const main = builder.subgraph('main');
  const weaver = new Weaver(main, random(seed), false);
  const x = main.input('x', 'FLOAT32', [batches, inputs]);
  const old = ['h', 'c'].map((name) =>
    variable ? main.state(name, 'FLOAT32', [batches, units]) : main.input(name, 'FLOAT32', [batches, units]),
  );
  const results = [
    main.tensor('y', 'FLOAT32', [batches, units]),
    main.tensor('new cell', 'FLOAT32', [batches, units]),
    main.tensor('both', 'FLOAT32', [batches, inputs + units]),
    main.tensor('sums', 'FLOAT32', [batches, 4 * units]),
  ];
  const w = weaver.weights('w', [4 * units, inputs + units]);
  const bias = weaver.float('bias', [4 * units], 0.5);
  main.op('LSTM', [x, old[0], w, bias, old[1]], results, { fused_activation_function: 4, kernel_type: 1 });
  main.output(results[0], results[1]);
  return builder.build();
}
