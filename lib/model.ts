/** The public face of a loaded model. */
import { misfit, readReals, Reals, writeReals } from './convert';
import { TensorInfo, TypedArray } from './graph';
import { Memory } from './memory';
import { newState, Program, resetState, run, State, useState } from './program';
import { describe } from './tensor';
import { VariableTable } from '../variables/table';

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
   * A view on the stored values. INT64 and UINT64 are BigInt64Array and BigUint64Array where the engine has them,
   * otherwise Int32Array with two words an element, low word first.
   */
  data: TypedArray;
}

/** Where the values of an input or output are. */
export interface Port {
  info: TensorInfo;
  /** The view, or the number of a view on the state. */
  view: TypedArray | number;
}

/** What a Model is made of; `load` and packed modules provide it. */
export interface ModelParts {
  program: Program;
  inputs: Port[];
  outputs: Port[];
  /** Keep the state as it was when a step does not come to its end. */
  atomic: boolean;
  /** A preserved tensor; throws an Error that says how to preserve it. */
  tensor(nameOrIndex: string | number): ModelTensor;
  memory(): Memory;
}

declare const BigInt64Array:
  (new (buffer: ArrayBuffer, offset: number, length: number) => TypedArray) | undefined;
declare const BigUint64Array:
  (new (buffer: ArrayBuffer, offset: number, length: number) => TypedArray) | undefined;

/** A tensor as the user sees it. */
export function expose(info: TensorInfo, data: TypedArray): ModelTensor {
  if (typeof BigInt64Array !== 'undefined' && data.byteOffset % 8 === 0) {
    const wide = info.type === 'INT64' ? BigInt64Array : info.type === 'UINT64' ? BigUint64Array : null;
    if (wide) data = new wide(data.buffer as ArrayBuffer, data.byteOffset, info.length);
  }
  return {
    name: info.name,
    type: info.type,
    shape: info.shape,
    scale: info.scale,
    zeroPoint: info.zeroPoint,
    data: data,
  };
}

/** A loaded model. Made by `load`, or by a packed module. */
export class Model {
  /** What the user gives in each step, in the model's order; see the option `feedback` for those that he does not. */
  inputs: ModelTensor[];
  outputs: ModelTensor[];
  variables: VariableTable;
  /** The prepared steps. */
  program: Program;
  private parts: ModelParts;
  private results: Float32Array[];
  /** Position of a step under way, −1 when there is none. */
  private position: number;
  private running: boolean;
  private backup: Uint8Array | null;

  constructor(parts: ModelParts) {
    const self = this;
    this.parts = parts;
    this.program = parts.program;
    this.position = -1;
    this.running = false;
    this.inputs = [];
    this.outputs = [];
    this.results = [];
    this.backup = parts.atomic ? new Uint8Array(parts.program.stateBytes) : null;
    this.variables = new VariableTable(parts.program, function () {
      self.idle();
    });
    for (let i = 0; i < parts.inputs.length; i++) {
      this.inputs.push(expose(parts.inputs[i].info, this.view(parts.inputs[i])));
    }
    for (let i = 0; i < parts.outputs.length; i++) {
      this.outputs.push(expose(parts.outputs[i].info, this.view(parts.outputs[i])));
    }
  }

  /**
   * The state that the model works on. Assigning another one made by this model's `newState` swaps streams: it costs
   * a few assignments, however large the state is.
   * @throws Error when it is not a state of this model, or a step is under way
   */
  get state(): State {
    return this.program.state;
  }

  set state(state: State) {
    this.idle();
    const program = this.program;
    if (state === program.state) return;
    if (!state || !state.views || state.views.length !== program.stateViews.length) {
      throw new Error('not a state of this model: make one with newState()');
    }
    useState(program, state);
    for (let i = 0; i < this.inputs.length; i++) this.refresh(this.inputs[i], this.parts.inputs[i]);
    for (let i = 0; i < this.outputs.length; i++) this.refresh(this.outputs[i], this.parts.outputs[i]);
  }

  /** What the model takes in memory, exactly, in bytes. */
  get memory(): Memory {
    return this.parts.memory();
  }

  /**
   * One step on the data of `inputs`; the answer is in the data of `outputs`.
   * @param state work on this state from now on
   * @throws Error naming the operator, when one meets a value that it cannot take. The state may then be half
   * changed, unless the model was loaded with `atomic`.
   */
  invoke(state?: State): void {
    this.start(state);
    this.resume(Infinity);
  }

  /**
   * Begins a step that is carried out in slices by `resume`. Until it is done, everything else that would use or
   * change the state throws.
   */
  start(state?: State): void {
    this.idle();
    if (state) this.state = state;
    if (this.backup) this.backup.set(new Uint8Array(this.program.state.buffer));
    this.position = 0;
  }

  /**
   * Carries out up to `budget` operators' worth of steps of the step begun by `start`.
   * @returns whether the step is done: the outputs are there, and the state is that after the step
   */
  resume(budget: number): boolean {
    const program = this.program;
    if (this.position < 0) throw new Error('no step is under way: call start() first');
    if (this.running) throw new Error('resume() was called from within a step');
    this.running = true;
    try {
      this.position = run(program, this.position, program.end, budget);
    } catch (error) {
      this.running = false;
      this.abandon();
      throw error;
    }
    this.running = false;
    if (this.position !== program.end) return false;
    this.position = -1;
    program.state.steps++;
    return true;
  }

  /** Gives up a step begun by `start`. With `atomic` the state is as it was before it. */
  abandon(): void {
    if (this.running)
      throw new Error('abandon() was called from within a step; after an interrupted one, call reset()');
    if (this.position >= 0 && this.backup) new Uint8Array(this.program.state.buffer).set(this.backup);
    this.position = -1;
  }

  /**
   * A tensor of subgraph 0 by name or index: an input, an output, a constant, or one that is preserved.
   * @throws Error when its value is not kept after invoke; it says how to keep it
   */
  tensor(nameOrIndex: string | number): ModelTensor {
    for (let i = 0; i < this.inputs.length; i++)
      if (this.inputs[i].name === nameOrIndex) return this.inputs[i];
    for (let i = 0; i < this.outputs.length; i++)
      if (this.outputs[i].name === nameOrIndex) return this.outputs[i];
    return this.parts.tensor(nameOrIndex);
  }

  /** Returns all state to its declared initial values. Also after a step that was interrupted. */
  reset(): void {
    // Ctrl-C on Espruino runs no catch clause
    if (this.running) this.position = -1;
    this.running = false;
    this.idle();
    resetState(this.program, this.program.state);
  }

  /** A further state, at its initial values: for another stream through the same model. */
  newState(): State {
    const state = newState(this.program);
    resetState(this.program, state);
    return state;
  }

  /** A short description: inputs, outputs and variables. */
  toString(): string {
    let text = 'model';
    for (let i = 0; i < this.inputs.length; i++) text += '\nin  ' + describe(this.parts.inputs[i].info);
    for (let i = 0; i < this.outputs.length; i++) text += '\nout ' + describe(this.parts.outputs[i].info);
    return text + '\n' + this.variables.toString();
  }

  /** Throws when a step is under way. */
  idle(): void {
    if (this.position >= 0) {
      throw new Error('a step is under way: let resume() finish it, or call abandon() first');
    }
  }

  /** Quantizes the inputs, runs a step, and gives the outputs as real numbers; see `step`. */
  private stepReals(values: ArrayLike<Reals | State>): Float32Array | Float32Array[] {
    const inputs = this.parts.inputs;
    const outputs = this.parts.outputs;
    const state = values[inputs.length] as State | undefined;
    this.idle();
    for (let i = 0; i < inputs.length; i++) {
      const wrong = misfit(values[i] as Reals, inputs[i].info);
      if (wrong) throw new Error('input ' + i + ' ' + describe(inputs[i].info) + ': got ' + wrong);
    }
    if (state !== undefined) {
      if (!state || !state.views)
        throw new Error('the model takes ' + inputs.length + ' inputs, but more were given');
      this.state = state;
    }
    for (let i = 0; i < inputs.length; i++)
      writeReals(values[i] as Reals, inputs[i].info, this.view(inputs[i]));
    this.invoke();
    for (let i = 0; i < outputs.length; i++) {
      if (!this.results[i]) this.results.push(new Float32Array(outputs[i].info.length));
      readReals(outputs[i].info, this.view(outputs[i]), this.results[i]);
    }
    return outputs.length === 1 ? this.results[0] : this.results;
  }

  private view(port: Port): TypedArray {
    return typeof port.view === 'number' ? this.program.state.views[port.view] : port.view;
  }

  private refresh(tensor: ModelTensor, port: Port): void {
    if (typeof port.view === 'number') tensor.data = expose(port.info, this.view(port)).data;
  }
}

export interface Model {
  /**
   * One step on real numbers: an array (or a number) for each input, quantized for you; a state may follow. Returns a
   * Float32Array for the output, or an array of them when there are several; they are reused by the next step.
   * @throws Error when there are too few inputs, or one has the wrong length or is not numbers; the state is unchanged
   */
  step(...inputs: (Reals | State)[]): Float32Array | Float32Array[];
  /**
   * The state as a snapshot, to be stored and given to `restore` later, on this or another engine.
   * @param into where to write it, of the right size (`save().length`), so that nothing is allocated
   */
  save(into?: Uint8Array): Uint8Array;
  /**
   * Goes on from a snapshot.
   * @throws Error when it is damaged or belongs to another model; the state is unchanged then
   */
  restore(snapshot: Uint8Array): void;
}

interface StepReals {
  stepReals(values: ArrayLike<Reals | State>): Float32Array | Float32Array[];
}

Model.prototype.step = function (): Float32Array | Float32Array[] {
  return (this as unknown as StepReals).stepReals(arguments as unknown as ArrayLike<Reals | State>);
};
