/** What custom operators share. */
import { Node, Preparation, Tensor } from '../lib/graph';
import { expectRank, expectType } from './checks';

/** "SignalDelay 3 samples": the operator, its index, what it keeps; with the subgraph where that is not the first. */
export function stateName(node: Node, what: string): string {
  return (node.subgraph ? 'subgraph ' + node.subgraph + ' ' : '') + node.op + ' ' + node.index + ' ' + what;
}

/** Fails unless the operator has so many inputs and outputs. */
export function expectOperands(node: Node, inputs: number, outputs: number, p: Preparation): void {
  if (node.inputs.length !== inputs || node.outputs.length !== outputs)
    p.fail(
      'it must have ' +
        inputs +
        ' inputs and ' +
        outputs +
        ' outputs, but it has ' +
        node.inputs.length +
        ' and ' +
        node.outputs.length,
    );
}

/** Operand of one dimension. */
export function vector(tensor: Tensor, type: string, what: string, p: Preparation): Tensor {
  expectType(tensor, type, what, p);
  expectRank(tensor, 1, what, p);
  return tensor;
}

/** Operand without dimensions. */
export function scalar(tensor: Tensor, type: string, what: string, p: Preparation): Tensor {
  expectType(tensor, type, what, p);
  expectRank(tensor, 0, what, p);
  return tensor;
}
