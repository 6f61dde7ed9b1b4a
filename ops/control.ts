/**
 * IF, WHILE, CALL_ONCE: operators that run subgraphs.
 *
 * IF: inputs (condition BOOL [1], operands…) → outputs; both subgraphs take the operands and give the outputs.
 * WHILE: operands → as many outputs; the condition subgraph gives one BOOL, the body gives the next operands.
 * CALL_ONCE: no operands; its subgraph gives variables their initial values. It runs when a state is made or reset,
 * so that these values are there before the first step (TFLM runs it in the first step, and never again). Only where
 * something before it in the graph already touches those variables does it run in its place in the first step.
 */
import { Node, Operators, Preparation, Subgraph, Tensor, Variable } from '../lib/graph';
import { ControlPreparation, jump } from '../lib/prepare';
import { CALL_ONCE_OPTIONS, IF_OPTIONS, WHILE_OPTIONS } from '../lib/schema';
import { describe } from '../lib/tensor';
import { input } from './checks';

/** Kernel: goes on at `otherwise` unless the condition holds. */
export function branch(condition: Uint8Array, otherwise: number): number {
  return condition[0] ? -1 : otherwise;
}

/** Kernel: starts counting the iterations of a loop. */
export function startLoop(count: Int32Array): void {
  count[0] = 0;
}

/** Kernel: counts an iteration, and goes back to the start of the loop. */
export function repeat(count: Int32Array, limit: number, position: number): number {
  if (++count[0] > limit)
    throw new Error('more than ' + limit + ' iterations; raise iterationLimit if that is meant');
  return position;
}

/** Kernel: goes on at `position` if this was done before. */
export function once(done: Uint8Array, position: number): number {
  if (done[0]) return position;
  done[0] = 1;
  return -1;
}

function rest(node: Node, first: number, p: Preparation): Tensor[] {
  const operands: Tensor[] = [];
  for (let i = first; i < node.inputs.length; i++) operands.push(input(node, i, p));
  return operands;
}

function checkCondition(tensor: Tensor | null, what: string, p: Preparation): Tensor {
  if (!tensor || tensor.type !== 'BOOL' || tensor.length !== 1) {
    p.fail(what + ' must be one BOOL, but it is ' + describe(tensor));
  }
  return tensor as Tensor;
}

function prepareIf(node: Node, p: ControlPreparation): void {
  const options = p.options(IF_OPTIONS);
  const condition = checkCondition(node.inputs[0], 'the condition', p);
  const operands = rest(node, 1, p);
  const otherwise = p.label();
  const end = p.label();
  const thenSubgraph = p.subgraph(options.then_subgraph_index as number);
  const elseSubgraph = p.subgraph(options.else_subgraph_index as number);
  p.step(branch, [condition, otherwise]);
  p.call(thenSubgraph, operands, node.outputs);
  p.step(jump, [end]);
  p.place(otherwise);
  p.call(elseSubgraph, operands, node.outputs);
  p.place(end);
}

function prepareWhile(node: Node, p: ControlPreparation): void {
  const options = p.options(WHILE_OPTIONS);
  const operands = rest(node, 0, p);
  if (operands.length !== node.outputs.length) {
    p.fail('it has ' + operands.length + ' inputs, but ' + node.outputs.length + ' outputs');
  }
  const condition = p.subgraph(options.cond_subgraph_index as number);
  const body = p.subgraph(options.body_subgraph_index as number);
  const result = checkCondition(condition.outputs[0], 'the output of subgraph ' + condition.index, p);
  if (condition.outputs.length !== 1) p.fail('subgraph ' + condition.index + ' must have one output');
  const start = p.label();
  const end = p.label();
  const count = new Int32Array(1);
  for (let i = 0; i < operands.length; i++) {
    if (operands[i].variable) node.outputs[i].variable = operands[i].variable;
    else p.copy(operands[i], node.outputs[i]);
  }
  p.step(startLoop, [count]);
  p.place(start);
  p.call(condition, node.outputs, null);
  p.step(branch, [result, end]);
  p.call(body, node.outputs, node.outputs);
  p.step(repeat, [count, p.iterationLimit, start]);
  p.place(end);
}

/** Whether nothing in subgraph 0 before this operator can touch a variable. */
function comesFirst(node: Node, p: ControlPreparation): boolean {
  if (node.subgraph !== 0) return false;
  for (let i = 0; i < node.index; i++) {
    const op = p.mainNodes[i].op;
    if (op === 'READ_VARIABLE' || op === 'ASSIGN_VARIABLE' || op === 'IF' || op === 'WHILE') return false;
  }
  return true;
}

/** Takes a subgraph that only assigns constants for what it is: a list of initial values, which stay in the model. */
function assignsConstants(subgraph: Subgraph): boolean {
  for (let i = 0; i < subgraph.nodes.length; i++) {
    const node = subgraph.nodes[i];
    const value = node.inputs[1];
    if (node.op === 'VAR_HANDLE') continue;
    if (
      node.op !== 'ASSIGN_VARIABLE' ||
      !value ||
      !value.constant ||
      !node.inputs[0] ||
      !node.inputs[0].variable
    )
      return false;
  }
  for (let i = 0; i < subgraph.nodes.length; i++) {
    const node = subgraph.nodes[i];
    if (node.op === 'ASSIGN_VARIABLE') {
      ((node.inputs[0] as Tensor).variable as Variable).initial = (node.inputs[1] as Tensor).data;
    }
  }
  return true;
}

function prepareCallOnce(node: Node, p: ControlPreparation): void {
  const subgraph = p.subgraph(p.options(CALL_ONCE_OPTIONS).init_subgraph_index as number);
  if (subgraph.inputs.length || subgraph.outputs.length) {
    p.fail('subgraph ' + subgraph.index + ' must have no inputs and no outputs');
  }
  if (comesFirst(node, p)) {
    if (!assignsConstants(subgraph)) p.initially(subgraph);
  } else {
    const end = p.label();
    p.step(once, [p.state('CALL_ONCE ' + node.index, 'UINT8', [1], null), end]);
    p.call(subgraph, [], []);
    p.place(end);
  }
}

export const controlOperators = {
  IF: prepareIf,
  WHILE: prepareWhile,
  CALL_ONCE: prepareCallOnce,
} as unknown as Operators;
