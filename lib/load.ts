/** From the bytes of a .tflite file to a Model. */
import { Graph, Operators, Place, Tensor, TypedArray } from './graph';
import { measure } from './memory';
import { expose, Model, ModelTensor, Port } from './model';
import { plan } from './planner';
import { Feedback, prepareGraph } from './prepare';
import { bind, computeInitialValues, Program, stateViewNumber, viewAt } from './program';
import { MAX_BYTES, readGraph } from './reader';
import { describe } from './tensor';
import { collectVariables } from '../variables/operators';

/** How to load a model; see `load`. */
export interface LoadOptions {
  /** Tensors that keep their values after invoke: true for all, or names or indices (of subgraph 0). */
  preserve?: boolean | (string | number)[];
  /**
   * Outputs that are state: after a step, input `to` starts the next step with the value of output `from`. The input
   * is then a variable like others, and no longer among the model's `inputs`.
   */
  feedback?: { from: string | number; to: string | number }[];
  /** true: a step that throws or is abandoned leaves all variables as they were. Costs a copy of the state. */
  atomic?: boolean;
  /** Alignment of tensors in the arena in bytes, a power of two; default 16. */
  align?: number;
  /** Most iterations that a WHILE may take before it is an error; default 100,000. */
  iterationLimit?: number;
  /** false: carry out every copy, and let no two tensors share memory; to compare with. */
  share?: boolean;
  /**
   * true: dense int8 layers take about two thirds of the time where the engine compiles (V8), and their weights five
   * times the memory. Only in the complete build; the results are the same.
   */
  wide?: boolean;
}

function findTensor(graph: Graph, nameOrIndex: string | number, first: Tensor[]): Tensor {
  const tensors = graph.subgraphs[0].tensors;
  // names need not be unique: an input or output is meant rather than an inner tensor
  for (let i = 0; i < first.length; i++) if (first[i].name === nameOrIndex) return first[i];
  for (let i = 0; i < tensors.length; i++) {
    if (tensors[i].name === nameOrIndex || i === nameOrIndex) return tensors[i];
  }
  throw new Error(
    'no tensor ' +
      (typeof nameOrIndex === 'number' ? nameOrIndex : '"' + nameOrIndex + '"') +
      ' in subgraph 0, which has ' +
      tensors.length,
  );
}

/** Tensors to keep; null for all. */
function keptTensors(graph: Graph, preserve: LoadOptions['preserve']): Tensor[] | null {
  const kept: Tensor[] = [];
  if (preserve === true) return null;
  if (preserve) for (let i = 0; i < preserve.length; i++) kept.push(findTensor(graph, preserve[i], []));
  return kept;
}

/** The loops of the option `feedback`, checked. */
function feedbackLoops(graph: Graph, options: LoadOptions): Feedback[] {
  const main = graph.subgraphs[0];
  const loops: Feedback[] = [];
  const given = options.feedback || [];
  for (let i = 0; i < given.length; i++) {
    const from = findTensor(graph, given[i].from, main.outputs);
    const to = findTensor(graph, given[i].to, main.inputs);
    const what = 'feedback from ' + describe(from) + ' to ' + describe(to) + ': ';
    if (main.outputs.indexOf(from) < 0) throw new Error(what + 'the first is not an output');
    if (main.inputs.indexOf(to) < 0) throw new Error(what + 'the second is not an input');
    if (from.type !== to.type || from.bytes !== to.bytes) throw new Error(what + 'types or sizes differ');
    if (from.scale !== to.scale || from.zeroPoint !== to.zeroPoint)
      throw new Error(what + 'quantizations differ');
    for (let k = 0; k < i; k++) if (loops[k].to === to) throw new Error(what + 'the input is fed twice');
    loops.push({ from: from, to: to });
  }
  return loops;
}

function isFed(loops: Feedback[], side: 'from' | 'to', tensor: Tensor): boolean {
  for (let i = 0; i < loops.length; i++) if (loops[i][side] === tensor) return true;
  return false;
}

/** Plans and binds a graph: the last part of loading, for graphs that were built in memory as well. */
export function modelOf(graph: Graph, operators: Operators, given?: LoadOptions): Model {
  const options = given || {};
  const main = graph.subgraphs[0];
  const kept = keptTensors(graph, options.preserve);
  const loops = feedbackLoops(graph, options);
  const align = options.align || 16;
  if (align < 4 || align & (align - 1)) {
    throw new Error('align must be a power of two from 4 on, but it is ' + align);
  }
  const prepared = prepareGraph(
    graph,
    operators,
    collectVariables(graph),
    function (tensor: Tensor): boolean {
      return kept === null || kept.indexOf(tensor) >= 0;
    },
    options.iterationLimit || 100000,
    loops,
  );
  const inputs: Tensor[] = [];
  const outputs: Tensor[] = [];
  for (let i = 0; i < main.inputs.length; i++)
    if (!isFed(loops, 'to', main.inputs[i])) inputs.push(main.inputs[i]);
  for (let i = 0; i < main.outputs.length; i++) {
    if (!isFed(loops, 'from', main.outputs[i])) outputs.push(main.outputs[i]);
  }
  const layout = plan({
    tensors: prepared.tensors,
    inputs: inputs,
    outputs: outputs,
    moves: prepared.moves,
    inPlace: prepared.inPlace,
    variables: prepared.variables,
    accesses: prepared.accesses,
    align: align,
    share: options.share !== false,
  });
  // a broken shape must not ask for all memory
  if (layout.arenaBytes + layout.stateBytes > MAX_BYTES) {
    throw new Error(
      'the model needs ' +
        layout.arenaBytes +
        ' bytes of arena and ' +
        layout.stateBytes +
        ' of state; at most ' +
        MAX_BYTES +
        ' are possible',
    );
  }
  const program = bind(graph, prepared, layout);
  const inputPorts = portsOf(program, inputs);
  const outputPorts = portsOf(program, main.outputs);
  computeInitialValues(program);
  return new Model({
    program: program,
    inputs: inputPorts,
    outputs: outputPorts,
    atomic: !!options.atomic,
    tensor: function (nameOrIndex: string | number): ModelTensor {
      return keptTensor(graph, program, kept, findTensor(graph, nameOrIndex, []));
    },
    memory: function () {
      return measure(graph, program, kept || main.tensors);
    },
  });
}

function portsOf(program: Program, tensors: Tensor[]): Port[] {
  const ports: Port[] = [];
  for (let i = 0; i < tensors.length; i++) {
    const tensor = tensors[i];
    if (!tensor.place && !tensor.data) {
      throw new Error('input or output ' + describe(tensor) + ' is nothing that can be given or taken');
    }
    ports.push({ info: tensor, view: viewOrNumber(program, tensor) });
  }
  return ports;
}

function viewOrNumber(program: Program, tensor: Tensor): TypedArray | number {
  const view = { of: tensor, type: tensor.type, offset: 0, length: tensor.length };
  const state = tensor.place && tensor.place.storage.block === 'state';
  return state ? stateViewNumber(program, view) : viewAt(program, view);
}

function keptTensor(graph: Graph, program: Program, kept: Tensor[] | null, tensor: Tensor): ModelTensor {
  const main = graph.subgraphs[0];
  const visible = main.inputs.indexOf(tensor) >= 0 || main.outputs.indexOf(tensor) >= 0;
  if (!tensor.constant && !tensor.isVariable && !visible && kept && kept.indexOf(tensor) < 0) {
    const name = tensor.name ? '"' + tensor.name + '"' : tensor.index;
    throw new Error(
      'tensor ' +
        describe(tensor) +
        ' is not kept after invoke: load the model with { preserve: [' +
        name +
        '] }',
    );
  }
  if (!(tensor.place as Place) && !tensor.data) {
    throw new Error('tensor ' + describe(tensor) + ' has no value: no operator uses it');
  }
  const view = viewOrNumber(program, tensor);
  return expose(tensor, typeof view === 'number' ? program.state.views[view] : view);
}

/**
 * Loads a model with the given operators.
 * @param operatorNames names of builtin operators by number, as far as the build needs them
 * @throws Error when the file is broken, an operator is missing, or one refuses its operands
 */
export function loadWith(
  operators: Operators,
  operatorNames: string[],
  model: ArrayBuffer | Uint8Array,
  options?: LoadOptions,
): Model {
  if (!model || typeof model !== 'object' || typeof model.byteLength !== 'number') {
    throw new Error(
      'load expects the bytes of a .tflite model as an ArrayBuffer or a Uint8Array, but got ' + typeof model,
    );
  }
  const bytes = (model as Uint8Array).buffer ? (model as Uint8Array) : new Uint8Array(model as ArrayBuffer);
  return modelOf(readGraph(bytes, operatorNames), operators, options);
}
