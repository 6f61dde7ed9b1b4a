/** The public face of a loaded model. */
import { misfit, readReals, Reals, writeReals } from './convert';
import { Graph, Operators, Place, Tensor, TypedArray } from './graph';
import { measure, Memory } from './memory';
import { plan } from './planner';
import { prepareGraph } from './prepare';
import {
  bind,
  computeInitialValues,
  newState,
  Program,
  resetState,
  run,
  State,
  useState,
  viewAt,
} from './program';
import { readGraph } from './reader';
import { describe } from './tensor';
import { collectVariables } from '../variables/operators';
import { VariableTable } from '../variables/table';

/** How to load a model; see `load`. */
export interface LoadOptions {
  /** Tensors that keep their values after invoke: true for all, or names or indices (of subgraph 0). */
  preserve?: boolean | (string | number)[];
  /** Alignment of tensors in the arena in bytes, a power of two; default 16. */
  align?: number;
  /** Most iterations that a WHILE may take before it is an error; default 100,000. */
  iterationLimit?: number;
  /** false: carry out every copy, and let no two tensors share memory; to compare with. */
  share?: boolean;
}

/** An input, an output or a preserved tensor of a model. */
export interface ModelTensor {
  name: string;
  /** Element type as in the schema: "INT8", "FLOAT32", … */
  type: string;
  shape: number[];
  /** Real value = scale · (stored − zeroPoint); scale is 0 when the tensor is not quantized. */
  scale: number;
  zeroPoint: number;
  /**
   * A view on the stored values, for good: the same array in every step. INT64 and UINT64 are BigInt64Array and
   * BigUint64Array where the engine has them, otherwise Int32Array with two words an element, low word first.
   */
  data: TypedArray;
}

declare const BigInt64Array:
  (new (buffer: ArrayBuffer, offset: number, length: number) => TypedArray) | undefined;
declare const BigUint64Array:
  (new (buffer: ArrayBuffer, offset: number, length: number) => TypedArray) | undefined;

function expose(tensor: Tensor, data: TypedArray): ModelTensor {
  const wide =
    typeof BigInt64Array === 'undefined'
      ? null
      : tensor.type === 'INT64'
        ? BigInt64Array
        : tensor.type === 'UINT64'
          ? BigUint64Array
          : null;
  return {
    name: tensor.name,
    type: tensor.type,
    shape: tensor.shape,
    scale: tensor.scale,
    zeroPoint: tensor.zeroPoint,
    data:
      wide && data.byteOffset % 8 === 0
        ? new wide(data.buffer as ArrayBuffer, data.byteOffset, tensor.length)
        : data,
  };
}

/** A loaded model. Made by `load`. */
export class Model {
  inputs: ModelTensor[];
  outputs: ModelTensor[];
  variables: VariableTable;
  /** The graph as read, with the place that the planner gave to every tensor. */
  graph: Graph;
  /** The prepared steps. */
  program: Program;
  private kept: Tensor[];
  private inputViews: TypedArray[];
  private outputViews: TypedArray[];
  private results: Float32Array[];
  private running: boolean;

  constructor(graph: Graph, operators: Operators, options: LoadOptions) {
    const kept = keptTensors(graph, options.preserve);
    const align = options.align || 16;
    if (align < 4 || align & (align - 1))
      throw new Error('align must be a power of two from 4 on, but it is ' + align);
    const prepared = prepareGraph(
      graph,
      operators,
      collectVariables(graph),
      function (tensor: Tensor): boolean {
        return kept === null ? true : kept.indexOf(tensor) >= 0;
      },
      options.iterationLimit || 100000,
    );
    const main = graph.subgraphs[0];
    const layout = plan({
      tensors: prepared.tensors,
      inputs: main.inputs,
      outputs: main.outputs,
      moves: prepared.moves,
      inPlace: prepared.inPlace,
      variables: prepared.variables,
      accesses: prepared.accesses,
      align: align,
      share: options.share !== false,
    });
    const self = this;
    const program = bind(prepared, layout);
    this.graph = graph;
    this.program = program;
    this.running = false;
    this.kept = kept || main.tensors;
    this.variables = new VariableTable(program, function () {
      self.guard();
    });
    this.inputs = [];
    this.outputs = [];
    this.inputViews = [];
    this.outputViews = [];
    this.results = [];
    for (let i = 0; i < main.inputs.length; i++) {
      this.inputViews.push(this.view(main.inputs[i]));
      this.inputs.push(expose(main.inputs[i], this.inputViews[i]));
    }
    for (let i = 0; i < main.outputs.length; i++) {
      this.outputViews.push(this.view(main.outputs[i]));
      this.outputs.push(expose(main.outputs[i], this.outputViews[i]));
    }
    computeInitialValues(program);
  }

  /** The state that the model works on. Assigning another one of this model's states swaps streams. */
  get state(): State {
    return this.program.state;
  }

  set state(state: State) {
    this.guard();
    if (
      !state ||
      !state.views ||
      state.views.length !== this.program.stateViews.length ||
      state.buffer.byteLength !== this.program.stateBytes
    ) {
      throw new Error('not a state of this model: make one with newState()');
    }
    useState(this.program, state);
  }

  /** What the model takes in memory, exactly, in bytes. */
  get memory(): Memory {
    return measure(this.graph, this.program, this.kept);
  }

  /**
   * One step on the data of `inputs`; the answer is in the data of `outputs`.
   * @throws Error naming the operator, when one meets a value it cannot take
   */
  invoke(): void {
    this.guard();
    this.running = true;
    try {
      run(this.program, 0, this.program.end);
    } finally {
      this.running = false;
    }
  }

  /**
   * A tensor of subgraph 0 by name or index: an input, an output, a constant, or one that is preserved.
   * @throws Error when its value is not kept after invoke
   */
  tensor(nameOrIndex: string | number): ModelTensor {
    const main = this.graph.subgraphs[0];
    const tensor = findTensor(this.graph, nameOrIndex);
    const input = main.inputs.indexOf(tensor);
    if (input >= 0) return this.inputs[input];
    const output = main.outputs.indexOf(tensor);
    if (output >= 0) return this.outputs[output];
    if (!tensor.constant && this.kept.indexOf(tensor) < 0) {
      throw new Error(
        'tensor ' +
          describe(tensor) +
          ' is not kept after invoke: load the model with { preserve: ["' +
          tensor.name +
          '"] }',
      );
    }
    if (!tensor.place && !tensor.data)
      throw new Error('tensor ' + describe(tensor) + ' has no value: no operator uses it');
    return expose(tensor, this.view(tensor));
  }

  /** Returns all state to its declared initial values. */
  reset(): void {
    this.guard();
    resetState(this.program, this.program.state);
  }

  /** A further state, at its initial values: for another stream through the same model. */
  newState(): State {
    const state = newState(this.program);
    resetState(this.program, state);
    return state;
  }

  private view(tensor: Tensor): TypedArray {
    const place = tensor.place;
    if (place && place.storage.block === 'state') {
      // only an operator's own state: what the user reads and writes never lies in a variable
      return this.program.state.views[this.stateIndex(tensor)];
    }
    return viewAt(this.program, { of: tensor, type: tensor.type, offset: 0, length: tensor.length });
  }

  private stateIndex(tensor: Tensor): number {
    const storage = (tensor.place as Place).storage;
    const variables = this.program.variables;
    for (let i = 0; i < variables.length; i++)
      if ((variables[i].tensor.place as Place).storage === storage) return i;
    return -1;
  }

  private guard(): void {
    if (this.running) throw new Error('the model is in the middle of a step: wait until it is done');
  }
}

export interface Model {
  /**
   * One step on real numbers: an array (or a number) for each input, quantized for you. Returns a Float32Array for
   * the output, or an array of them when there are several; they are reused by the next step.
   * @throws Error when there are too few inputs, or one has the wrong length or is not numbers; the state is unchanged
   */
  step(...inputs: Reals[]): Float32Array | Float32Array[];
}

Model.prototype.step = function (this: Model): Float32Array | Float32Array[] {
  return stepReals(this, arguments as unknown as ArrayLike<Reals>);
} as Model['step'];

interface Internals {
  inputViews: TypedArray[];
  outputViews: TypedArray[];
  results: Float32Array[];
}

function stepReals(model: Model, values: ArrayLike<Reals>): Float32Array | Float32Array[] {
  const main = model.graph.subgraphs[0];
  const internals = model as unknown as Internals;
  for (let i = 0; i < main.inputs.length; i++) {
    const wrong = misfit(values[i], main.inputs[i]);
    if (wrong) throw new Error('input ' + i + ' ' + describe(main.inputs[i]) + ': got ' + wrong);
  }
  if (values[main.inputs.length] !== undefined) {
    throw new Error('the model has ' + main.inputs.length + ' inputs, but more were given');
  }
  for (let i = 0; i < main.inputs.length; i++) writeReals(values[i], main.inputs[i], internals.inputViews[i]);
  model.invoke();
  const results = internals.results;
  for (let i = 0; i < main.outputs.length; i++) {
    if (!results[i]) results.push(new Float32Array(main.outputs[i].length));
    readReals(main.outputs[i], internals.outputViews[i], results[i]);
  }
  return results.length === 1 ? results[0] : results;
}

function findTensor(graph: Graph, nameOrIndex: string | number): Tensor {
  const tensors = graph.subgraphs[0].tensors;
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
  if (preserve) for (let i = 0; i < preserve.length; i++) kept.push(findTensor(graph, preserve[i]));
  return kept;
}

/**
 * Loads a model with the given operators.
 * @throws Error when the file is broken, an operator is missing, or one refuses its operands
 */
export function loadWith(
  operators: Operators,
  model: ArrayBuffer | Uint8Array,
  options?: LoadOptions,
): Model {
  if (!model || typeof model !== 'object' || typeof model.byteLength !== 'number') {
    throw new Error(
      'load expects the bytes of a .tflite model as an ArrayBuffer or a Uint8Array, but got ' + typeof model,
    );
  }
  const bytes = (model as Uint8Array).buffer ? (model as Uint8Array) : new Uint8Array(model as ArrayBuffer);
  return new Model(readGraph(bytes), operators, options || {});
}
