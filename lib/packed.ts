/**
 * The Model of a packed program: what `engram pack` decided on the host is not decided again, so this holds no reader,
 * planner or preparation. Its interface is that of lib/model.ts; parts that cost flash and RAM are added only where the
 * program has a use for them: lib/packed_state.ts, lib/packed_snapshots.ts, lib/packed_slices.ts.
 *
 * On Espruino a function takes five variables and one for each parameter, and what it is defined in stays with it. So a
 * packed model has functions of the module for methods, no constructor, and one function for everything seldom needed.
 */
import { Reals } from './convert';
import { TypedArray } from './graph';
import { Memory } from './memory';
import { ModelTensor } from './model';
import { State } from './program';

/** What `about` of a packed model is asked for. */
export const LIST = 0;
export const CLEAR = 1;
export const USE = 2;
export const VIEWS = 3;
export const WORDS = 4;

/** A variable of a packed program, as variables/table.ts and resets see it; the table adds what it lacks. */
export interface PackedVariable {
  container: string;
  name: string;
  type: string;
  shape: number[];
  scale: number;
  zeroPoint: number;
  initial: TypedArray | null;
}

/** A packed model; see Model in lib/model.ts for what its members do. */
export interface PackedModel {
  name: string;
  inputs: ModelTensor[];
  outputs: ModelTensor[];
  memory: Memory;
  /** Another one is used from the next step on. */
  state: State;
  step(...inputs: (Reals | State)[]): Float32Array | Float32Array[];
  invoke(state?: State): void;
  reset(): void;
  toString(): string;
  /** Carries out a whole step. */
  run(): void;
  /** The state that the steps work on. */
  current: State;
  /** Outputs as real numbers. */
  results: Float32Array[];
  /** A file in Espruino's Storage, views on which read 0 once it is rewritten; missing where there is none. */
  weights?: ArrayBuffer;
  /**
   * What is seldom needed, where there is state. LIST: makes the list of variables; CLEAR: writes initial values to the
   * given views; USE: lets steps work on the given views; VIEWS: makes the views on a buffer; WORDS: the header of a
   * snapshot.
   */
  about?(what: number, given?: ArrayBuffer | TypedArray[] | Uint8Array): unknown;
}

/**
 * What inputs, outputs and variables of a program have; `engram pack` puts in true or false, and what is never reached is
 * left out: FLOAT32, other types, among them BOOL, and others than INT8; variables at all.
 */
declare const HAS_FLOATS: boolean;
declare const HAS_INTEGERS: boolean;
declare const HAS_BOOLS: boolean;
declare const HAS_WIDE: boolean;
declare const HAS_STATE: boolean;
/** Whether some of the integers have no scale. */
declare const HAS_UNSCALED: boolean;
/** Whether there is one input and one output, and neither is part of the state. */
declare const IS_SINGLE: boolean;
/** Whether weights are a file in Espruino's Storage. */
declare const HAS_FILE: boolean;
declare const Modules: { removeCached(name: string): void };

/** Rounds to float32. An output of one number may be written to it as well: what was there is read before. */
export const float = /* @__PURE__ */ new Float32Array(1);

/**
 * Writes real numbers to a tensor, as lib/convert.ts does for types of at most 32 bits. With `what` it checks them before,
 * and throws an Error that begins so; where there are several inputs, it does no more then, since all come before the first.
 */
export function put(values: Reals | undefined, tensor: ModelTensor, what: string): void {
  const data = tensor.data;
  const real = HAS_FLOATS && (!HAS_INTEGERS || tensor.type === 'FLOAT32');
  const list = (typeof values === 'number' ? [values] : values) as ArrayLike<number>;
  let i = 0;
  if (IS_SINGLE || what) {
    if (list && list.length === data.length)
      while (i < data.length && typeof list[i] === 'number' && (real || list[i] === list[i])) i++;
    if (i < data.length)
      throw new Error(
        (HAS_STATE || !IS_SINGLE ? what : 'input 0') +
          ' "' +
          tensor.name +
          '" must be given ' +
          data.length +
          ' numbers, got ' +
          (list && list.length !== data.length ? list.length : list),
      );
    if (!IS_SINGLE) return;
  }
  let low = -128;
  let high = 127;
  if (HAS_WIDE) {
    const bytes = data.byteLength / data.length;
    const half = bytes === 1 ? 128 : bytes === 2 ? 32768 : 2147483648;
    low = tensor.type.charAt(0) === 'U' ? 0 : -half;
    high = low + 2 * half - 1;
  }
  for (i = 0; i < data.length; i++) {
    let x = list[i];
    if (HAS_BOOLS && tensor.type === 'BOOL') x = x ? 1 : 0;
    else if (HAS_INTEGERS && !real) {
      if (!HAS_UNSCALED || tensor.scale) {
        float[0] = x;
        float[0] /= tensor.scale;
        x = float[0];
      }
      x = x < 0 ? -Math.floor(0.5 - x) : Math.floor(x + 0.5);
      if (!HAS_UNSCALED || tensor.scale) x += tensor.zeroPoint;
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
  const scale = HAS_INTEGERS ? tensor.scale : 0;
  const real = HAS_FLOATS || HAS_UNSCALED;
  for (let i = 0; i < into.length; i++)
    into[i] = real && !scale ? data[i] : scale * (data[i] - tensor.zeroPoint);
  return into;
}

/** Method `invoke`: one step on the data of `inputs`; the answer is in the data of `outputs`. */
export function invoke(this: PackedModel, state?: State): void {
  if (HAS_STATE && state) this.state = state;
  if (HAS_STATE && this.state !== this.current) {
    const views = this.state && this.state.views;
    if (!views || views.length !== this.current.views.length) {
      this.state = this.current;
      throw new Error('not a state of this model: use newState()');
    }
    this.about!(USE, views);
    this.current = this.state;
  }
  if (HAS_FILE && new Int8Array(this.weights!, 0, 1)[0] !== 78) {
    try {
      Modules.removeCached(this.name);
    } catch (_e) {
      // it came under another name, or this has been told before
    }
    throw new Error(this.name + '.bin was rewritten: require the module again');
  }
  this.run();
  this.state.steps++;
}

/** Method `step`: one step on real numbers, an array (or a number) for each input, then perhaps a state. */
// Espruino counts declared parameters as given: only a function without any knows how many it got
export function step(this: PackedModel): Float32Array | Float32Array[] {
  const inputs = this.inputs;
  const results = this.results;
  if (IS_SINGLE) {
    put(arguments[0] as Reals, inputs[0], 'input 0');
    if (HAS_STATE && arguments[1]) this.state = arguments[1] as State;
    this.invoke();
    return take(this.outputs[0], results[0]);
  }
  for (let i = 0; i < inputs.length; i++) put(arguments[i] as Reals, inputs[i], 'input ' + i);
  if (HAS_STATE && arguments[inputs.length]) this.state = arguments[inputs.length] as State;
  for (let i = 0; i < inputs.length; i++) put(arguments[i] as Reals, inputs[i], '');
  this.invoke();
  for (let i = 0; i < results.length; i++) take(this.outputs[i], results[i]);
  return results.length === 1 ? results[0] : results;
}

/** Method `reset`: returns all state to its declared initial values. */
export function reset(this: PackedModel): void {
  if (HAS_STATE) this.about!(CLEAR, this.state.views);
  this.state.steps = 0;
}

/** Method `toString`: what a REPL shows of the model. */
export function describe(this: PackedModel): string {
  function texts(tensors: ModelTensor[]): string {
    return tensors
      .map(function (tensor) {
        return tensor.name + ' ' + tensor.type + ' [' + tensor.shape.join() + ']';
      })
      .join(', ');
  }
  return (
    this.name +
    ': ' +
    texts(this.inputs) +
    ' -> ' +
    texts(this.outputs) +
    ', variables: ' +
    (HAS_STATE ? (this.about!(LIST) as PackedVariable[]).length : 0)
  );
}
