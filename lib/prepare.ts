/**
 * Graph to steps: walks the subgraphs in the order in which they run, lets each operator check itself and emit its
 * kernels, and records what the planner needs: lifetimes, moves, in-place operators, accesses to variables.
 */
import {
  Argument,
  Graph,
  Kernel,
  Label,
  Node,
  Operators,
  Options,
  Preparation,
  Subgraph,
  Tensor,
  TensorType,
  TypedArray,
  Variable,
} from './graph';
import { Access, InPlace, Move } from './planner';
import { readOptions } from './reader';
import { describe, newTensor } from './tensor';

/** An output whose value an input starts the next step with. */
export interface Feedback {
  from: Tensor;
  to: Tensor;
}

/** A step before the memory is planned. */
export interface EmittedStep {
  kernel: Kernel;
  args: Argument[];
  node: Node;
  /** For a copy that may fall away. */
  move: Move | null;
}

/** Everything that preparing a graph gives. */
export interface Prepared {
  /** Steps of subgraph 0, then those of the subgraphs that it calls. Labels are positions in this list. */
  steps: EmittedStep[];
  /** Number of steps of subgraph 0: reaching this position ends a run. */
  end: number;
  /** Position of the steps that give computed initial values to variables; they end at the end of the list. */
  initial: number;
  tensors: Tensor[];
  moves: Move[];
  inPlace: InPlace[];
  variables: Variable[];
  accesses: Access[];
}

/** What control operators need beyond what others do. */
export interface ControlPreparation extends Preparation {
  /** A subgraph of the model that this operator may call; throws when there is none of that index. */
  subgraph(index: number): Subgraph;
  /**
   * Copies `inputs` into the subgraph's inputs, runs the subgraph, and copies its outputs into `outputs` (null:
   * leaves them where they are, to be read by the next step).
   * Throws when subgraphs call each other in a circle.
   */
  call(subgraph: Subgraph, inputs: Tensor[], outputs: Tensor[] | null): void;
  /** A copy that is always carried out. */
  copy(from: Tensor, to: Tensor): void;
  label(): Label;
  /** Puts a label before the next step. */
  place(label: Label): void;
  /**
   * The end of the run: a step that goes there leaves out the rest of it, in all subgraphs; not for use in `initially`.
   * The model's outputs then keep their values.
   */
  end(): Label;
  /** Runs a subgraph once, when a state is made, instead of in a step. */
  initially(subgraph: Subgraph): void;
  /** The nodes of subgraph 0. */
  mainNodes: Node[];
  /** Most iterations that a WHILE may take. */
  iterationLimit: number;
}

/** Kernel: copies bytes. */
export function copyBytes(from: Uint8Array, to: Uint8Array): void {
  to.set(from);
}

/** Kernel: goes on at another step. */
export function jump(position: number): number {
  return position;
}

/** Kernel: stands where a run ends, and is never reached. */
export function stop(): void {}

/** Kernel: leaves for a subgraph's steps; `back` is where to go on afterwards. */
export function enter(returns: Int32Array, subgraph: number, back: number, start: number): number {
  returns[subgraph] = back;
  return start;
}

/** Kernel: the end of a called subgraph. */
export function leave(returns: Int32Array, subgraph: number): number {
  return returns[subgraph];
}

/** Where in a model an operator stands, for error messages. */
export function placeOf(node: Node): string {
  return 'subgraph ' + node.subgraph + ', operator ' + node.index + ' ' + node.op;
}

/** Subgraphs that call subgraphs: an engine's own stack is small. */
const MAX_DEPTH = 32;

interface Routine {
  steps: EmittedStep[];
  labels: Label[];
  start: Label;
  /** Tensors with a lifetime, and those of subgraphs that it calls. */
  tensors: Tensor[];
  accesses: Access[];
  callees: Routine[];
  active: boolean;
}

function newRoutine(): Routine {
  return {
    steps: [],
    labels: [],
    start: { position: 0 },
    tensors: [],
    accesses: [],
    callees: [],
    active: true,
  };
}

/**
 * Prepares subgraph 0 and all that it calls.
 * @param kept tensors whose value stays until after the last step
 * @throws Error naming all operators that are not in `operators`, or the first operator that refuses its operands
 */
export function prepareGraph(
  graph: Graph,
  operators: Operators,
  variables: Variable[],
  kept: (tensor: Tensor) => boolean,
  iterationLimit: number,
  feedback: Feedback[],
): Prepared {
  const missing = missingOperators(graph, operators);
  if (missing.length) throw new Error('this build has no operator ' + missing.join(', '));
  const prepared: Prepared = {
    steps: [],
    end: 0,
    initial: 0,
    tensors: [],
    moves: [],
    inPlace: [],
    variables: variables,
    accesses: [],
  };
  const routines: (Routine | null)[] = [];
  const returns = new Int32Array(graph.subgraphs.length);
  const initial = newRoutine();
  let routine = newRoutine();
  let node: Node = graph.subgraphs[0].nodes[0];
  let scratch: Tensor[] = [];
  let time = -1;
  let end: Label | null = null;
  let depth = 0;

  function fail(message: string): never {
    throw new Error(placeOf(node) + ': ' + message);
  }

  function live(tensor: Tensor, at: number): void {
    if (tensor.constant || tensor.isVariable || tensor.variable) return;
    if (!tensor.lifetime) {
      tensor.lifetime = { from: at, to: kept(tensor) ? Infinity : at };
      prepared.tensors.push(tensor);
      routine.tensors.push(tensor);
    }
    if (at > tensor.lifetime.to) tensor.lifetime.to = at;
    if (at < tensor.lifetime.from) tensor.lifetime.from = at;
  }

  function emit(kernel: Kernel, args: Argument[], move: Move | null): void {
    routine.steps.push({ kernel: kernel, args: args, node: node, move: move });
  }

  function addMove(
    from: Tensor,
    fromOffset: number,
    to: Tensor,
    toOffset: number,
    bytes: number,
    fixed: boolean,
  ): void {
    if (fromOffset + bytes > from.bytes || toOffset + bytes > to.bytes) {
      fail(describe(from) + ' cannot be copied to ' + describe(to));
    }
    if (!bytes) return;
    const move: Move = {
      from: from,
      fromOffset: fromOffset,
      to: to,
      toOffset: toOffset,
      bytes: bytes,
      fixed: fixed,
      time: time,
      alone: false,
      elided: false,
    };
    prepared.moves.push(move);
    const source = variableOf(from);
    const target = variableOf(to);
    if (source) access(source, false, move);
    if (target) access(target, true, move);
    emit(
      copyBytes,
      [
        { of: from, type: 'UINT8', offset: fromOffset, length: bytes },
        { of: to, type: 'UINT8', offset: toOffset, length: bytes },
      ],
      move,
    );
  }

  function variableOf(tensor: Tensor): Variable | null {
    for (let i = 0; i < variables.length; i++) if (variables[i].tensor === tensor) return variables[i];
    return null;
  }

  function access(variable: Variable, write: boolean, move: Move | null): void {
    const entry = { variable: variable, time: time, write: write, move: move };
    prepared.accesses.push(entry);
    routine.accesses.push(entry);
  }

  const preparation: ControlPreparation = {
    iterationLimit: iterationLimit,
    step: function (kernel: Kernel, args: Argument[]): void {
      emit(kernel, args, null);
    },
    move: function (from: Tensor, fromOffset: number, to: Tensor, toOffset: number, bytes: number): void {
      addMove(from, fromOffset, to, toOffset, bytes, false);
    },
    inPlace: function (input: Tensor, output: Tensor): void {
      if (input.bytes === output.bytes)
        prepared.inPlace.push({ input: input, output: output, node: node, time: time });
    },
    scratch: function (type: TensorType, length: number): Tensor {
      const tensor = newTensor('scratch of ' + node.op, type, [length]);
      scratch.push(tensor);
      live(tensor, time);
      return tensor;
    },
    state: function (name: string, type: TensorType, shape: number[], initial: TypedArray | null): Tensor {
      const tensor = newTensor(name, type, shape);
      tensor.isVariable = true;
      variables.push({ container: '', name: name, tensor: tensor, initial: initial, resource: false });
      return tensor;
    },
    options: function (table: string): Options {
      try {
        return readOptions(graph.bytes, node, table);
      } catch (error) {
        return fail((error as Error).message);
      }
    },
    fail: fail,
    subgraph: function (index: number): Subgraph {
      const subgraph = graph.subgraphs[index];
      if (!subgraph || index < 1)
        fail('subgraph ' + index + ' cannot be called: expected 1 to ' + (graph.subgraphs.length - 1));
      return subgraph;
    },
    copy: function (from: Tensor, to: Tensor): void {
      if (from.type !== to.type) fail(describe(from) + ' cannot be copied to ' + describe(to));
      addMove(from, 0, to, 0, from.bytes, true);
    },
    call: function (subgraph: Subgraph, inputs: Tensor[], outputs: Tensor[] | null): void {
      time++;
      const caller = routine;
      const callNode = node;
      let callee = routines[subgraph.index];
      if (callee && callee.active) fail('subgraph ' + subgraph.index + ' calls itself');
      if (!callee && ++depth > MAX_DEPTH) fail('subgraphs are nested more than ' + MAX_DEPTH + ' deep');
      matchOperands(inputs, subgraph.inputs, 'input');
      for (let i = 0; i < inputs.length; i++) {
        if (inputs[i].variable) subgraph.inputs[i].variable = inputs[i].variable;
        else {
          addMove(inputs[i], 0, subgraph.inputs[i], 0, inputs[i].bytes, true);
          live(subgraph.inputs[i], time);
        }
      }
      const first = !callee;
      if (!callee) {
        callee = newRoutine();
        routines[subgraph.index] = callee;
      }
      caller.callees.push(callee);
      const back: Label = { position: 0 };
      emit(enter, [returns, subgraph.index, back, callee.start], null);
      preparation.place(back);
      if (first) {
        routine = callee;
        for (let i = 0; i < inputs.length; i++) live(subgraph.inputs[i], time);
        walk(subgraph);
        node = callNode;
        emit(leave, [returns, subgraph.index], null);
        callee.active = false;
        depth--;
        routine = caller;
      } else revisit(callee);
      time++;
      for (let i = 0; i < subgraph.outputs.length; i++) live(subgraph.outputs[i], time);
      if (!outputs) return;
      matchOperands(outputs, subgraph.outputs, 'output');
      for (let i = 0; i < outputs.length; i++) {
        addMove(subgraph.outputs[i], 0, outputs[i], 0, outputs[i].bytes, true);
      }
    },
    initially: function (subgraph: Subgraph): void {
      const main = routine;
      routine = initial;
      preparation.call(subgraph, [], []);
      routine = main;
    },
    mainNodes: graph.subgraphs[0].nodes,
    label: function (): Label {
      return { position: 0 };
    },
    place: function (label: Label): void {
      label.position = routine.steps.length;
      routine.labels.push(label);
    },
    end: function (): Label {
      if (!end) end = { position: 0 };
      return end;
    },
  };

  function matchOperands(given: Tensor[], taken: Tensor[], side: string): void {
    if (given.length !== taken.length) {
      fail('it passes ' + given.length + ' ' + side + 's to a subgraph that has ' + taken.length);
    }
    for (let i = 0; i < given.length; i++) {
      if (given[i].type !== taken[i].type || given[i].bytes !== taken[i].bytes) {
        fail(
          side +
            ' ' +
            i +
            ' of the called subgraph is ' +
            describe(taken[i]) +
            ', but the operator has ' +
            describe(given[i]),
        );
      }
    }
  }

  /** A further call of a subgraph: everything in it is used again, now. */
  function revisit(callee: Routine): void {
    for (let i = 0; i < callee.tensors.length; i++) live(callee.tensors[i], time);
    for (let i = 0; i < callee.accesses.length; i++) {
      const again = callee.accesses[i];
      prepared.accesses.push({ variable: again.variable, time: time, write: again.write, move: null });
    }
    for (let i = 0; i < callee.callees.length; i++) revisit(callee.callees[i]);
  }

  /** A tensor marked is_variable is state that its operator keeps; it gets a name of its own in the table. */
  function adopt(tensor: Tensor, operand: number): void {
    const base = tensor.name || node.op + ' ' + node.index + ' input ' + operand;
    let name = base;
    for (let i = 0, n = 1; i < variables.length; i++) {
      if (variables[i].name !== name) continue;
      name = base + ' ' + ++n;
      i = -1;
    }
    variables.push({ container: '', name: name, tensor: tensor, initial: null, resource: false });
  }

  /** An input that is fed back is read from a variable of its name at the start of a step. */
  function feedInput(tensor: Tensor): Tensor {
    const state = newTensor(tensor.name, tensor.type, tensor.shape);
    state.scale = tensor.scale;
    state.zeroPoint = tensor.zeroPoint;
    state.scales = tensor.scales;
    state.zeroPoints = tensor.zeroPoints;
    state.isVariable = true;
    variables.push({ container: '', name: tensor.name, tensor: state, initial: null, resource: false });
    live(tensor, time);
    addMove(state, 0, tensor, 0, tensor.bytes, false);
    return state;
  }

  function walk(subgraph: Subgraph): void {
    const start = time;
    for (let i = 0; i < subgraph.inputs.length; i++) live(subgraph.inputs[i], start);
    for (let i = 0; i < subgraph.nodes.length; i++) {
      node = subgraph.nodes[i];
      time++;
      const begin = time;
      for (let k = 0; k < node.outputs.length; k++) live(node.outputs[k], begin);
      for (let k = 0; k < node.inputs.length; k++) {
        const tensor = node.inputs[k];
        if (tensor && tensor.isVariable && !variableOf(tensor)) adopt(tensor, k);
        if (tensor) live(tensor, begin);
      }
      const outer = scratch;
      scratch = [];
      const before = routine.steps.length;
      operators[node.op](node, preparation);
      node = subgraph.nodes[i];
      const only = routine.steps[before];
      if (routine.steps.length === before + 1 && only.move) only.move.alone = true;
      for (let k = 0; k < scratch.length; k++) live(scratch[k], time);
      scratch = outer;
      for (let k = 0; k < node.outputs.length; k++) live(node.outputs[k], time);
      for (let k = 0; k < node.inputs.length; k++) {
        const tensor = node.inputs[k];
        if (tensor) live(tensor, time);
      }
    }
    for (let i = 0; i < subgraph.outputs.length; i++) live(subgraph.outputs[i], time);
  }

  const main = graph.subgraphs[0];
  routines[0] = routine;
  for (let i = 1; i < graph.subgraphs.length; i++) routines.push(null);
  const fed: Tensor[] = [];
  for (let i = 0; i < feedback.length; i++) fed.push(feedInput(feedback[i].to));
  walk(main);
  for (let i = 0; i < main.outputs.length; i++) {
    live(main.outputs[i], Infinity);
    if (end) live(main.outputs[i], -1);
  }
  time++;
  for (let i = 0; i < feedback.length; i++) addMove(feedback[i].from, 0, fed[i], 0, fed[i].bytes, false);
  routines.push(initial);
  for (let i = 0; i < routines.length; i++) {
    const part = routines[i];
    if (!part) continue;
    prepared.initial = prepared.steps.length;
    const offset = prepared.steps.length;
    part.start.position = offset;
    for (let k = 0; k < part.labels.length; k++) part.labels[k].position += offset;
    for (let k = 0; k < part.steps.length; k++) prepared.steps.push(part.steps[k]);
    if (!i) {
      prepared.end = prepared.steps.length;
      if (end) (end as Label).position = prepared.end;
      // so that the end is not where a subgraph starts
      prepared.steps.push({ kernel: stop, args: [], node: node, move: null });
    }
  }
  return prepared;
}

/** Names of the operators that the graph uses and `operators` has not. */
export function missingOperators(graph: Graph, operators: Operators): string[] {
  const missing: string[] = [];
  for (let i = 0; i < graph.subgraphs.length; i++) {
    const nodes = graph.subgraphs[i].nodes;
    for (let k = 0; k < nodes.length; k++) {
      if (!operators[nodes[k].op] && missing.indexOf(nodes[k].op) < 0) missing.push(nodes[k].op);
    }
  }
  return missing;
}
