/**
 * The prepared program: flat kernels with their arguments, in order; running it; and its state, which can be swapped.
 */
import {
  Argument,
  Graph,
  Kernel,
  Label,
  Node,
  Place,
  Tensor,
  TensorInfo,
  TensorType,
  TypedArray,
  View,
} from './graph';
import { Move, Plan } from './planner';
import { placeOf, Prepared } from './prepare';
import { fillZero, newArray, viewOf } from './tensor';

export interface Step {
  kernel: Kernel;
  /** Typed arrays and numbers only. */
  args: (number | TypedArray)[];
  node: Node;
}

/** One stream's state: all variables of a model in one block. Costs `program.stateBytes`. */
export interface State {
  buffer: ArrayBuffer;
  /** Views on the block, one for each of the program's `stateViews`; the first ones are the variables. */
  views: TypedArray[];
  /** Steps done since the state was made or reset. */
  steps: number;
}

/** A view on the state's block that some step needs. */
export interface StateView {
  type: TensorType;
  offset: number;
  length: number;
}

/** An argument that is a view on the state, to be exchanged when the state is. */
export interface StateArgument {
  args: (number | TypedArray)[];
  index: number;
  view: number;
}

/** What determines the meaning of a state; see variables/fingerprint.ts. */
export interface Fingerprint {
  /** Over the variables' names, types, shapes and quantization. */
  variables: number;
  /** Over operators, their operands and weights. */
  program: number;
}

/** A variable of a program; its view on a state has the same number. */
export interface ProgramVariable {
  container: string;
  name: string;
  tensor: TensorInfo;
  /** Declared initial value; null when every element starts at the zero point. */
  initial: TypedArray | null;
  /** Whether VAR_HANDLE made it, or an operator keeps it for itself. */
  resource: boolean;
}

/** What runs: made by `bind` from a graph, or printed by `engram pack`. */
export interface Program {
  steps: Step[];
  /** A run starts at position 0 and ends when it reaches this position. */
  end: number;
  /** Position of the steps that compute initial values. */
  initial: number;
  arena: ArrayBuffer;
  stateBytes: number;
  variables: ProgramVariable[];
  stateViews: StateView[];
  stateArguments: StateArgument[];
  state: State;
  /** What a snapshot must agree with; null until it is asked for. */
  fingerprint: Fingerprint | null;
  /** What the program was made from; null for a packed one. */
  graph: Graph | null;
}

/** Gives the prepared steps their memory: every tensor in the arguments becomes a view. */
export function bind(graph: Graph, prepared: Prepared, plan: Plan): Program {
  const program: Program = {
    steps: [],
    end: 0,
    initial: 0,
    arena: new ArrayBuffer(plan.arenaBytes),
    stateBytes: plan.stateBytes,
    variables: [],
    stateViews: [],
    stateArguments: [],
    state: { buffer: new ArrayBuffer(plan.stateBytes), views: [], steps: 0 },
    fingerprint: null,
    graph: graph,
  };
  // each variable's own view comes first, so that its number is the variable's
  for (let i = 0; i < prepared.variables.length; i++) {
    const variable = prepared.variables[i];
    const tensor = variable.tensor;
    program.variables.push(variable);
    stateViewNumber(program, { of: tensor, type: tensor.type, offset: 0, length: tensor.length });
  }
  const positions: number[] = [];
  let kept = 0;
  for (let i = 0; i < prepared.steps.length; i++) {
    positions.push(kept);
    if (!isNothing(prepared.steps[i].move)) kept++;
  }
  positions.push(kept);
  program.end = positions[prepared.end];
  program.initial = positions[prepared.initial];
  for (let i = 0; i < prepared.steps.length; i++) {
    const emitted = prepared.steps[i];
    if (isNothing(emitted.move)) continue;
    const step: Step = { kernel: emitted.kernel, args: [], node: emitted.node };
    for (let k = 0; k < emitted.args.length; k++)
      step.args.push(bindArgument(program, emitted.args[k], positions, step.args));
    program.steps.push(step);
  }
  return program;
}

/** Whether both sides of a move have come to be the same bytes. */
export function isNothing(move: Move | null): boolean {
  if (!move || move.elided) return !!move;
  const from = move.from.place;
  const to = move.to.place;
  return (
    !!from &&
    !!to &&
    from.storage === to.storage &&
    from.offset + move.fromOffset === to.offset + move.toOffset
  );
}

function bindArgument(
  program: Program,
  argument: Argument,
  positions: number[],
  args: (number | TypedArray)[],
): number | TypedArray {
  if (typeof argument === 'number') return argument;
  if ((argument as Label).position !== undefined) return positions[(argument as Label).position];
  if ((argument as View).of) return bindView(program, argument as View, args);
  if ((argument as Tensor).shape) {
    const tensor = argument as Tensor;
    return bindView(program, { of: tensor, type: tensor.type, offset: 0, length: tensor.length }, args);
  }
  return argument as TypedArray;
}

function bindView(program: Program, view: View, args: (number | TypedArray)[]): TypedArray {
  const place = view.of.place;
  if (place && place.storage.block === 'state') {
    const number = stateViewNumber(program, view);
    program.stateArguments.push({ args: args, index: args.length, view: number });
    return program.state.views[number];
  }
  return viewAt(program, view);
}

/** A view on a tensor in the arena or in the model. */
export function viewAt(program: Program, view: View): TypedArray {
  const tensor = view.of;
  const place = tensor.place as Place;
  if (!place || place.storage.block === 'constant') {
    const data = (place ? place.storage.tensors[0] : tensor).data as TypedArray;
    const offset = view.offset + (place ? place.offset : 0);
    if (!offset && tensor.data === data && view.type === tensor.type && view.length === tensor.length)
      return data;
    return viewOf(view.type, data.buffer as ArrayBuffer, data.byteOffset + offset, view.length);
  }
  return viewOf(view.type, program.arena, place.storage.offset + place.offset + view.offset, view.length);
}

/** Number of a view on the state; views on the same bytes are the same. */
export function stateViewNumber(program: Program, view: View): number {
  const place = view.of.place as Place;
  const offset = place.storage.offset + place.offset + view.offset;
  const views = program.stateViews;
  for (let i = 0; i < views.length; i++) {
    if (views[i].offset === offset && views[i].type === view.type && views[i].length === view.length)
      return i;
  }
  views.push({ type: view.type, offset: offset, length: view.length });
  program.state.views.push(viewOf(view.type, program.state.buffer, offset, view.length));
  return views.length - 1;
}

/**
 * A further state for the program, with all variables 0; see `resetState`.
 * @param buffer memory for it, of `stateBytes` bytes; default: new memory
 */
export function newState(program: Program, buffer?: ArrayBuffer): State {
  const state: State = { buffer: buffer || new ArrayBuffer(program.stateBytes), views: [], steps: 0 };
  for (let i = 0; i < program.stateViews.length; i++) {
    const view = program.stateViews[i];
    state.views.push(viewOf(view.type, state.buffer, view.offset, view.length));
  }
  return state;
}

/** Lets the program work on another state: as many assignments as steps touch variables, whatever their size. */
export function useState(program: Program, state: State): void {
  const places = program.stateArguments;
  program.state = state;
  for (let i = 0; i < places.length; i++) places[i].args[places[i].index] = state.views[places[i].view];
}

/** Gives variable number `index` of a state its declared initial value. */
export function resetVariable(program: Program, state: State, index: number): void {
  const variable = program.variables[index];
  if (variable.initial) state.views[index].set(variable.initial);
  else fillZero(state.views[index], variable.tensor);
}

/** Gives all variables of a state their declared initial values. */
export function resetState(program: Program, state: State): void {
  for (let i = 0; i < program.variables.length; i++) resetVariable(program, state, i);
  state.steps = 0;
}

/** Runs the steps that compute initial values, once, and keeps what they find as initial values. */
export function computeInitialValues(program: Program): void {
  resetState(program, program.state);
  if (program.initial === program.steps.length) return;
  run(program, program.initial, program.steps.length, Infinity);
  for (let i = 0; i < program.variables.length; i++) {
    const variable = program.variables[i];
    if (!variable.resource) continue;
    const initial = newArray(variable.tensor.type, variable.tensor.length);
    initial.set(program.state.views[i]);
    variable.initial = initial;
  }
}

/**
 * Runs steps from `position` until `end` is reached or `budget` steps are done; returns the position to go on from.
 * @throws Error of a kernel, with the operator's place
 */
export function run(program: Program, position: number, end: number, budget: number): number {
  const steps = program.steps;
  try {
    while (position !== end && budget-- > 0) {
      const step = steps[position];
      const next = step.kernel.apply(null, step.args) as number;
      position = next >= 0 ? next : position + 1;
    }
  } catch (error) {
    throw new Error(placeOf(steps[position].node) + ': ' + (error as Error).message);
  }
  return position;
}
