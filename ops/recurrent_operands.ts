/** Operands that the recurrent operators share: rows of a sequence, states, an auxiliary input, outputs of both ways. */
import { Node, Options, Preparation, Tensor } from '../lib/graph';
import { describe } from '../lib/tensor';
import { expectRank, expectType, input, optional, output } from './checks';

/**
 * Batches, steps, and which rows of [steps, batches, …] or [batches, steps, …] they are: the row number of batch b in step
 * t is first + b · batchStride + t · timeStride, with t counted in the order of the way.
 */
export function rowsOf(shape: number[], timeMajor: boolean, backwards: boolean): number[] {
  const steps = shape[timeMajor ? 0 : 1];
  const batches = shape[timeMajor ? 1 : 0];
  const stride = timeMajor ? batches : 1;
  return [
    batches,
    steps,
    backwards ? (steps - 1) * stride : 0,
    timeMajor ? 1 : steps,
    backwards ? -stride : stride,
  ];
}

/** The fused activation; fails if there is none of its number. */
export function activationOf(options: Options, p: Preparation): number {
  const activation = options.fused_activation_function as number;
  if (activation < 0 || activation > 5) p.fail('fused activations are 0 to 5, but it is ' + activation);
  return activation;
}

/** A state: a variable tensor of `length` elements. */
export function stateInput(node: Node, index: number, length: number, what: string, p: Preparation): Tensor {
  const state = input(node, index, p);
  if (!state.isVariable)
    p.fail('the ' + what + ' must be a variable tensor, but ' + describe(state) + ' is not');
  if (state.length !== length)
    p.fail('the ' + what + ' must have ' + length + ' elements, but it is ' + describe(state));
  return state;
}

/** Fails unless all that are there have this type. */
export function expectTypes(tensors: (Tensor | null)[], type: string, what: string, p: Preparation): void {
  for (let i = 0; i < tensors.length; i++) if (tensors[i]) expectType(tensors[i] as Tensor, type, what, p);
}

/** An auxiliary input, which has as many rows as x; null if absent. */
export function auxiliaryInput(node: Node, index: number, x: Tensor, p: Preparation): Tensor | null {
  const aux = optional(node, index);
  if (aux) {
    expectRank(aux, 3, 'the auxiliary input', p);
    if (aux.shape[0] !== x.shape[0] || aux.shape[1] !== x.shape[1])
      p.fail('the auxiliary input must have the rows of ' + describe(x) + ', but it is ' + describe(aux));
  }
  return aux;
}

/** The output of the way back: the first one too if both are merged. */
export function outputOfWayBack(node: Node, merged: boolean, p: Preparation): Tensor {
  const expected = merged ? 1 : 2;
  if (node.outputs.length !== expected)
    p.fail('it must have ' + expected + ' outputs, but it has ' + node.outputs.length);
  return output(node, expected - 1, p);
}

/** Fails unless y has `depth` elements for each row of x. */
export function expectRows(y: Tensor, x: Tensor, depth: number, p: Preparation): void {
  if (y.shape.length !== x.shape.length || y.length * x.shape[x.shape.length - 1] !== x.length * depth)
    p.fail(
      'the output must have a row of ' +
        depth +
        ' elements for each of ' +
        describe(x) +
        ', but it is ' +
        describe(y),
    );
}
