/**
 * Post-training quantization of float models together with their state.
 *
 * The float model runs whole recorded streams, so that the ranges of its state are those of a warm model; every
 * operator is then given a type (domains.ts), every value a scale (scales.ts), and the graph is rewritten (convert.ts).
 */
import type { Graph, Tensor } from '../../lib/graph';
import { collectVariables } from '../../variables/operators';
import { place, readModel } from '../options';
import { writeModel } from '../writer';
import { calibrate, type Range, type Stream } from './calibrate';
import { convertGraph } from './convert';
import { chooseDomains, touchesReals } from './domains';
import type { Domain } from './operators';
import { foldConstants } from './fold';
import { keepGatedStates, leaveRoom } from './gates';
import { Scales } from './scales';
import { keepsState, symmetricRange, withoutIntegers } from './stateful';

export type { Range, Stream } from './calibrate';

export interface QuantizeOptions {
  /** What variables are kept in: int8 when left out, float where activations are float. */
  state?: 'int8' | 'int16' | 'float';
  /** int8 is all there is so far. */
  weights?: 'int8';
  /** What operators compute in, int8 when left out; float quantizes the weights alone (hybrid). */
  activations?: 'int8' | 'int16' | 'float';
  /** Whether inputs and outputs are integers as the operators beside them (when left out), or float. */
  io?: 'quantized' | 'float';
  /** A scale for each unit of FULLY_CONNECTED. Convolutions always have one for each channel. */
  perUnit?: boolean;
  /** Ranges of tensors or variables, by name, that the streams do not show; real. */
  ranges?: Record<string, Range>;
  /** Called after each reading of calibration with how many are done. */
  onStep?: (done: number) => void;
}

/** A float tensor, and the one that stands for it in the quantized graph. */
export interface Pair {
  float: Tensor;
  quantized: Tensor;
}

export interface Quantized {
  /** The quantized model. */
  graph: Graph;
  /** The model that it was made from, in memory; with int8 state, gated states are in the form of gates.ts. */
  float: Graph;
  /** Computed tensors of subgraph 0 and what they have become, in the order of the operators. */
  pairs: Pair[];
  /** Operators that still compute in float, for want of an integer kernel. */
  keptFloat: string[];
}

const DOMAIN: Record<string, Domain> = { int8: 'INT8', int16: 'INT16', float: 'FLOAT32' };

function domainOf(choice: string, what: string): Domain {
  const domain = DOMAIN[choice];
  if (!domain) throw new Error(`${what} must be int8, int16 or float, not "${choice}"`);
  return domain;
}

/**
 * Quantizes a float model. The graph is not changed.
 * @param streams recordings that the model is run on, each from the initial state; see `Stream`
 * @throws Error when the model has nothing to quantize, an operator cannot be quantized, or the streams do not show
 * the range of an input, a variable or a layer; the message names it
 */
export function quantizeModel(
  graph: Graph,
  streams: readonly Stream[],
  options: QuantizeOptions = {},
): Quantized {
  const activations = domainOf(options.activations ?? 'int8', 'activations');
  const state = domainOf(
    options.state ?? (activations === 'FLOAT32' ? 'float' : (options.activations ?? 'int8')),
    'state',
  );
  if ((options.weights ?? 'int8') !== 'int8')
    throw new Error(`weights must be int8, not "${options.weights}"`);
  const folded = foldConstants(readModel(writeModel(graph)));
  const given = new Map(Object.entries(options.ranges ?? {}));
  const gated = state === 'INT8' ? keepGatedStates(folded, given) : [];
  const bytes = writeModel(folded);
  const float = readModel(bytes);
  const quantized = readModel(bytes);
  refuse(quantized, activations);
  const ranges = new Map<Tensor, Range>();
  collectVariables(quantized);
  const before = [...quantized.subgraphs[0].tensors];
  if (activations !== 'FLOAT32' || state !== 'FLOAT32') {
    const found = calibrate(float, streams, given, options.onStep ?? (() => undefined));
    for (const [tensor, range] of found) ranges.set(before[tensor.index], range);
    for (const { op, outputs } of quantized.subgraphs[0].nodes)
      if (op === 'UNIDIRECTIONAL_SEQUENCE_LSTM')
        ranges.set(outputs[0], symmetricRange(ranges.get(outputs[0])!));
    for (const one of gated) leaveRoom(one, ({ index }) => ranges.get(before[index]));
  }
  const { domains, unfit } = chooseDomains(quantized, { activations, state });
  const scales = new Scales(quantized, domains, ranges, given);
  scales.solve();
  const keptFloat = unfit.filter(touchesReals).map(place);
  let changed = 0;
  const io = options.io ?? 'quantized';
  convertGraph(
    quantized,
    domains,
    scales,
    { io, perUnit: options.perUnit ?? false, hybrid: activations === 'FLOAT32' },
    () => changed++,
  );
  if (!changed && !quantized.subgraphs[0].tensors.some((t) => t.scale && before.includes(t))) {
    throw new Error(
      activations === 'FLOAT32'
        ? 'with float activations only weights of dense layers and convolutions are quantized, and there are none'
        : state === 'FLOAT32' && !keptFloat.length
          ? 'nothing is left to quantize: with float state all operators of this model, which are in a loop, stay float'
          : `nothing in this model can be quantized: ${keptFloat.join('; ')} have no integer kernels`,
    );
  }
  quantized.description = graph.description;
  const pairs = float.subgraphs[0].tensors
    .map((tensor) => ({ float: tensor, quantized: before[tensor.index] }))
    .filter(
      ({ float: tensor, quantized: to }) =>
        tensor.type === 'FLOAT32' && !tensor.constant && isIn(quantized, to),
    );
  return { graph: quantized, float, pairs, keptFloat };
}

function isIn(graph: Graph, tensor: Tensor): boolean {
  return graph.subgraphs[0].tensors[tensor.index] === tensor;
}

/** Models that this quantizer cannot do right by. */
function refuse(graph: Graph, activations: Domain): void {
  const nodes = graph.subgraphs.flatMap((subgraph) => subgraph.nodes);
  if (!nodes.some(touchesReals)) {
    throw new Error('the model has no float operators: it is quantized already');
  }
  for (const node of nodes) {
    if (['IF', 'WHILE', 'CALL'].includes(node.op)) {
      throw new Error(`${place(node)}: models with control flow cannot be quantized`);
    }
    const reason = activations !== 'FLOAT32' && keepsState(node) ? withoutIntegers(node) : null;
    if (reason) {
      throw new Error(
        `${place(node)} ${reason}; it cannot be quantized together with its state. ` +
          'Build the layer of basic operators with a resource variable, or choose float activations',
      );
    }
  }
}
