/**
 * Rewrites models so that their state is inside, in resource variables, and back.
 *
 * A converter often leaves recurrent state as an ordinary output that the caller must feed to an input of the next
 * step. `statify` puts it into a variable: VAR_HANDLE and READ_VARIABLE in place of the input, ASSIGN_VARIABLE of the
 * output at the end, and the initial value in a subgraph that CALL_ONCE runs. `unstatify` undoes it, for runtimes that
 * have no variables.
 */
import type { Graph, Subgraph, Tensor, TypedArray } from '../lib/graph';
import { describe, fillZero, newArray } from '../lib/tensor';
import { collectVariables } from '../variables/operators';
import { addSubgraph, addTensor, addTensorLike, newNode, replaceReaders, tidy } from './rewrite';

/** An output that is meant for an input of the next step. */
export interface Loop {
  out: string;
  in: string;
  /** Stored values that the input has in the first step; null means the real value 0. */
  initial: TypedArray | null;
}

/** Name of the metadata entry in which `unstatify` keeps the loops, so that `statify --auto` finds them again. */
export const LOOPS_METADATA = 'engram.loops';

interface Ends {
  from: Tensor;
  to: Tensor;
  initial: TypedArray;
}

function find(tensors: Tensor[], name: string, side: string): Tensor {
  const found = tensors.filter((tensor) => tensor.name === name);
  if (found.length === 1) return found[0];
  const names = tensors.map((tensor) => `"${tensor.name}"`).join(', ') || 'none';
  throw new Error(
    `${found.length ? 'more than one' : 'no'} ${side} "${name}": the model's ${side}s are ${names}`,
  );
}

function check(main: Subgraph, loop: Loop, others: Ends[]): Ends {
  const from = find(main.outputs, loop.out, 'output');
  const to = find(main.inputs, loop.in, 'input');
  const what = `loop ${loop.out}=${loop.in}: `;
  if (from.type !== to.type || from.bytes !== to.bytes) {
    throw new Error(`${what}output ${describe(from)} does not fit input ${describe(to)}`);
  }
  if (from.scale !== to.scale || from.zeroPoint !== to.zeroPoint) {
    throw new Error(
      `${what}the output has scale ${from.scale} and zero point ${from.zeroPoint}, the input ${to.scale} and ${to.zeroPoint}`,
    );
  }
  for (const other of others) {
    if (other.to === to) throw new Error(`${what}the input is fed twice`);
    if (other.from === from) throw new Error(`${what}the output is used twice`);
  }
  const initial = newArray(to.type, to.length);
  if (!loop.initial) fillZero(initial, to);
  else if (loop.initial.length !== initial.length) {
    throw new Error(`${what}${loop.initial.length} initial values, but ${initial.length} are expected`);
  } else initial.set(loop.initial);
  return { from, to, initial };
}

/**
 * Puts loops into variables, named as the inputs were. Inputs and outputs of loops are gone from the interface.
 * The graph is changed.
 * @throws Error when a name is unknown or types, sizes or quantizations differ
 */
export function statify(graph: Graph, loops: Loop[]): Graph {
  const [main] = graph.subgraphs;
  const ends: Ends[] = [];
  for (const loop of loops) ends.push(check(main, loop, ends));
  if (!ends.length) throw new Error('no loops were given: say which output feeds which input, --loop out=in');
  const taken = new Set(
    graph.subgraphs.flatMap((subgraph) => subgraph.nodes).map((node) => node.options?.shared_name),
  );
  const init = addSubgraph(graph, 'initial values');
  const before = [newNode('CALL_ONCE', [], [], { init_subgraph_index: init.index })];
  const after = [];
  for (const { from, to, initial } of ends) {
    if (taken.has(to.name)) throw new Error(`the model already has a variable "${to.name}"`);
    const options = (): { container: string; shared_name: string } => ({
      container: '',
      shared_name: to.name,
    });
    const handle = addTensor(main, `${to.name}/handle`, 'RESOURCE', []);
    before.push(newNode('VAR_HANDLE', [], [handle], options()), newNode('READ_VARIABLE', [handle], [to], {}));
    after.push(newNode('ASSIGN_VARIABLE', [handle, from], [], {}));
    const initHandle = addTensor(init, `${to.name}/handle`, 'RESOURCE', []);
    const value = addTensorLike(init, `${to.name}/initial`, to);
    value.constant = true;
    value.data = initial;
    init.nodes.push(newNode('VAR_HANDLE', [], [initHandle], options()));
    init.nodes.push(newNode('ASSIGN_VARIABLE', [initHandle, value], [], {}));
  }
  main.nodes = [...before, ...main.nodes, ...after];
  main.inputs = main.inputs.filter((tensor) => !ends.some((end) => end.to === tensor));
  main.outputs = main.outputs.filter((tensor) => !ends.some((end) => end.from === tensor));
  graph.metadata = graph.metadata.filter((entry) => entry.name !== LOOPS_METADATA);
  return tidy(graph);
}

/** Variables that subgraphs other than the first and those of CALL_ONCE touch. */
function touchedElsewhere(graph: Graph): string[] {
  const initial = new Set<number>();
  for (const node of graph.subgraphs[0].nodes) {
    if (node.op === 'CALL_ONCE') initial.add(node.options!.init_subgraph_index as number);
  }
  return graph.subgraphs
    .filter((subgraph) => subgraph.index > 0 && !initial.has(subgraph.index))
    .flatMap((subgraph) => subgraph.nodes)
    .filter((node) => node.op === 'READ_VARIABLE' || node.op === 'ASSIGN_VARIABLE')
    .map((node) => node.inputs[0]?.variable?.name ?? '');
}

/** The constant that CALL_ONCE assigns to each variable. */
function initialValues(graph: Graph): Map<string, TypedArray> {
  const values = new Map<string, TypedArray>();
  for (const once of graph.subgraphs[0].nodes.filter((node) => node.op === 'CALL_ONCE')) {
    const subgraph = graph.subgraphs[once.options!.init_subgraph_index as number];
    for (const node of subgraph.nodes) {
      if (node.op === 'VAR_HANDLE') continue;
      const [handle, value] = node.inputs;
      if (node.op !== 'ASSIGN_VARIABLE' || !handle?.variable || !value?.constant || !value.data) {
        throw new Error(
          `subgraph ${subgraph.index} computes initial values with ${node.op}; only constants can be taken out`,
        );
      }
      values.set(handle.variable.name, value.data);
    }
  }
  return values;
}

/** What `unstatify` gives. */
export interface Unstatified {
  graph: Graph;
  loops: Loop[];
}

/**
 * Turns variables into inputs and outputs: NAME and NAME/next. The loops, with their initial values, are returned and
 * kept in the metadata. The graph is changed.
 * @throws Error when there are no variables, or some cannot be taken out: touched within IF or WHILE, or computed
 * initial values
 */
export function unstatify(graph: Graph): Unstatified {
  const [main] = graph.subgraphs;
  const variables = collectVariables(graph);
  if (!variables.length) throw new Error('the model has no resource variables');
  const elsewhere = touchedElsewhere(graph);
  if (elsewhere.length) {
    throw new Error(
      `variable "${elsewhere[0]}" is used within a subgraph of IF or WHILE; it cannot become an input`,
    );
  }
  const initial = initialValues(graph);
  const loops: Loop[] = [];
  for (const variable of variables) {
    const { name } = variable;
    if (main.tensors.some((tensor) => tensor.name === name && main.inputs.includes(tensor))) {
      throw new Error(`the model already has an input "${name}"`);
    }
    const input = addTensorLike(main, name, variable.tensor);
    let current = input;
    for (const node of main.nodes) {
      if (node.inputs[0]?.variable !== variable) continue;
      if (node.op === 'READ_VARIABLE') replaceReads(main, node.outputs[0], current);
      else if (node.op === 'ASSIGN_VARIABLE') current = node.inputs[1]!;
    }
    const output = addTensorLike(main, `${name}/next`, current);
    const shape = addTensor(main, `${name}/shape`, 'INT32', [output.shape.length]);
    shape.constant = true;
    shape.data = Int32Array.from(output.shape);
    // a copy, so that the output has a name of its own and is no input, constant or other output
    main.nodes.push(newNode('RESHAPE', [current, shape], [output], { new_shape: output.shape }));
    main.inputs.push(input);
    main.outputs.push(output);
    loops.push({ out: output.name, in: input.name, initial: initial.get(name) ?? null });
  }
  const gone = new Set(['VAR_HANDLE', 'READ_VARIABLE', 'ASSIGN_VARIABLE', 'CALL_ONCE']);
  const dropped = new Set(
    main.nodes
      .filter((node) => node.op === 'CALL_ONCE')
      .map((node) => node.options!.init_subgraph_index as number),
  );
  main.nodes = main.nodes.filter((node) => !gone.has(node.op));
  dropSubgraphs(graph, dropped);
  graph.metadata = graph.metadata.filter((entry) => entry.name !== LOOPS_METADATA);
  graph.metadata.push({ name: LOOPS_METADATA, data: encodeLoops(loops) });
  return { graph: tidy(graph), loops };
}

/** What READ_VARIABLE gave is the current value from here on, also where it is an output. */
function replaceReads(main: Subgraph, read: Tensor, current: Tensor): void {
  replaceReaders(main, read, current);
  main.outputs.forEach((output, index) => {
    if (output !== read) return;
    main.nodes.push(newNode('RESHAPE', [current], [read], { new_shape: read.shape }));
    main.outputs[index] = read;
  });
}

function dropSubgraphs(graph: Graph, dropped: Set<number>): void {
  const kept = graph.subgraphs.filter((subgraph) => !dropped.has(subgraph.index));
  const moved = new Map(kept.map((subgraph, index) => [subgraph.index, index]));
  for (const node of kept.flatMap((subgraph) => subgraph.nodes)) {
    for (const field of Object.keys(node.options ?? {})) {
      if (!field.endsWith('_subgraph_index')) continue;
      node.options![field] = moved.get(node.options![field] as number) ?? node.options![field];
    }
  }
  kept.forEach((subgraph, index) => (subgraph.index = index));
  graph.subgraphs = kept;
}

function encodeLoops(loops: Loop[]): Uint8Array {
  const entries = loops.map((loop) => ({ ...loop, initial: loop.initial && Array.from(loop.initial) }));
  return new Uint8Array(Buffer.from(JSON.stringify(entries)));
}
