/**
 * The Model of a packed program: what `engram pack` decided on the host is not decided again, so this holds no reader,
 * planner or preparation. Its interface is that of lib/model.ts; parts that cost flash and RAM are added only where the
 * program has a use for them: lib/packed_state.ts, lib/packed_slices.ts.
 */
import { Reals } from './convert';
import { TypedArray } from './graph';
import { Memory } from './memory';
import { ModelTensor } from './model';
import { Fingerprint, State } from './program';

/** A variable of a packed program, as variables/table.ts and resets see it. */
export interface PackedVariable {
  container: string;
  name: string;
  tensor: { name: string; type: string; shape: number[]; scale: number; zeroPoint: number; length: number };
  initial: TypedArray | null;
}

/** What a packed module hands over. Names are those of `Program` where both have the part. */
export interface PackedProgram {
  name: string;
  inputs: ModelTensor[];
  outputs: ModelTensor[];
  /** Carries out a whole step. */
  run(): void;
  /** Throws when the weights are no longer what they were; null where that cannot be. */
  check: (() => void) | null;
  /** Positions of a step that has control flow or is carried out in slices: goes on for `budget` of them. */
  slice?(position: number, budget: number): number;
  end?: number;
  /** Numbers of the views on the state that inputs and outputs are, −1 for those in the arena. */
  places?: number[];
  /** Makes the list of variables, which would take memory if it were kept. */
  variables(): PackedVariable[];
  /** Writes the initial values of all variables. */
  clear(views: TypedArray[]): void;
  stateBytes: number;
  state: State;
  fingerprint: Fingerprint | null;
  memory: Memory;
  /** Makes the views on a state's block, in order. */
  viewsOf?(buffer: ArrayBuffer): TypedArray[];
  /** Lets the steps work on other views. */
  use?(views: TypedArray[]): void;
}

const float = new Float32Array(1);

/** Writes real numbers to a tensor, as lib/convert.ts does for types of at most 32 bits. */
export function put(values: Reals | undefined, tensor: ModelTensor, what: string): void {
  const data = tensor.data;
  const scale = tensor.scale;
  const real = tensor.type === 'FLOAT32';
  const list = (typeof values === 'number' ? [values] : values) as ArrayLike<number>;
  let right = list && typeof list === 'object' && list.length === data.length;
  for (let i = 0; right && i < data.length; i++)
    right = typeof list[i] === 'number' && (real || list[i] === list[i]);
  if (!right) throw new Error(what + ' "' + tensor.name + '" must be given ' + data.length + ' numbers');
  const bytes = data.byteLength / data.length;
  const half = bytes === 1 ? 128 : bytes === 2 ? 32768 : 2147483648;
  const low = tensor.type.charAt(0) === 'U' ? 0 : -half;
  const high = low + 2 * half - 1;
  for (let i = 0; i < data.length; i++) {
    let x = list[i];
    if (tensor.type === 'BOOL') x = x ? 1 : 0;
    else if (!real) {
      if (scale) {
        float[0] = x;
        float[0] /= scale;
        x = float[0];
      }
      x = x < 0 ? -Math.floor(0.5 - x) : Math.floor(x + 0.5);
      if (scale) x += tensor.zeroPoint;
      x = x < low ? low : x > high ? high : x;
    }
    data[i] = x;
  }
}

/** Sets all elements; engines without `fill` take longer. */
export function filled(array: TypedArray, value: number): TypedArray {
  const filling = array as TypedArray & { fill?(value: number): void };
  if (filling.fill) filling.fill(value);
  else for (let i = 0; i < array.length; i++) array[i] = value;
  return array;
}

/** Reads a tensor's real numbers. */
export function take(tensor: ModelTensor, into: Float32Array): Float32Array {
  const data = tensor.data;
  const scale = tensor.scale;
  for (let i = 0; i < into.length; i++) into[i] = scale ? scale * (data[i] - tensor.zeroPoint) : data[i];
  return into;
}

/** A packed model; see Model in lib/model.ts for what its members do. */
export class PackedModel {
  inputs: ModelTensor[];
  outputs: ModelTensor[];
  program: PackedProgram;
  memory: Memory;
  private results: Float32Array[];

  constructor(program: PackedProgram) {
    this.program = program;
    this.inputs = program.inputs;
    this.outputs = program.outputs;
    this.memory = program.memory;
    this.results = [];
    for (let i = 0; i < this.outputs.length; i++)
      this.results.push(new Float32Array(this.outputs[i].data.length));
  }

  /** One step on the data of `inputs`; the answer is in the data of `outputs`. */
  invoke(state?: State): void {
    const program = this.program;
    if (state) (this as unknown as { state: State }).state = state;
    if (program.check) program.check();
    program.run();
    program.state.steps++;
  }

  /** What a REPL shows of the model. */
  toString(): string {
    const sides = [this.inputs, this.outputs];
    let text = this.program.name + ':';
    for (let side = 0; side < 2; side++) {
      for (let i = 0; i < sides[side].length; i++) {
        const tensor = sides[side][i];
        text += (i ? ', ' : ' ') + tensor.name + ' ' + tensor.type + ' [' + tensor.shape.join() + ']';
      }
      if (!side) text += ' ->';
    }
    return text + ', ' + this.program.variables().length + ' variables';
  }

  /** Returns all state to its declared initial values. */
  reset(): void {
    const program = this.program;
    program.clear(program.state.views);
    program.state.steps = 0;
  }
}

export interface PackedModel {
  /** One step on real numbers: an array (or a number) for each input, then perhaps a state. */
  step(...inputs: (Reals | State)[]): Float32Array | Float32Array[];
}

// Espruino counts declared parameters as given: only a function without any knows how many it got
PackedModel.prototype.step = function (this: PackedModel): Float32Array | Float32Array[] {
  const self = this as unknown as { results: Float32Array[]; state: State };
  const inputs = this.inputs;
  const results = self.results;
  const state = arguments[inputs.length] as State;
  for (let i = 0; i < inputs.length; i++) put(arguments[i] as Reals, inputs[i], 'input ' + i);
  if (state) self.state = state;
  this.invoke();
  for (let i = 0; i < results.length; i++) take(this.outputs[i], results[i]);
  return results.length === 1 ? results[0] : results;
};
