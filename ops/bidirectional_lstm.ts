/** BIDIRECTIONAL_SEQUENCE_LSTM; `ops/lstm.ts` says what it computes and what its inputs are. TFLM has no such operator. */
import { Node, Operators, Preparation } from '../lib/graph';
import { BIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS } from '../lib/schema';
import { expectRank, input, optional, output } from './checks';
import { LstmTypes, prepareLstm, readLstm } from './lstm';
import { floatLstm } from './lstm_float';
import { auxiliaryInput, expectRows, outputOfWayBack, rowsOf } from './recurrent_operands';

function prepareBothWays(node: Node, types: LstmTypes[], p: Preparation): void {
  const options = p.options(BIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS);
  if (node.inputs.length !== 48) p.fail('it must have 48 inputs, but it has ' + node.inputs.length);
  const merged = !!options.merge_outputs;
  const major = !!options.time_major;
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const back = outputOfWayBack(node, merged, p);
  expectRank(x, 3, 'the input', p);
  const aux = auxiliaryInput(node, 39, x, p);
  const linked = !!(optional(node, 41) || optional(node, 45));
  if (linked && !aux) p.fail('there are weights for an auxiliary input (input 39), but it is missing');
  const there = readLstm(
    node,
    {
      x: x,
      y: y,
      aux: linked ? aux : null,
      weights: 1,
      h: 35,
      c: 36,
      norm: -1,
      a: 40,
      rows: rowsOf(x.shape, major, false),
      depth: y.shape[2],
      offset: 0,
    },
    options,
    p,
  );
  const again = readLstm(
    node,
    {
      x: linked || !aux ? x : aux,
      y: back,
      aux: linked ? aux : null,
      weights: 18,
      h: 37,
      c: 38,
      norm: -1,
      a: 44,
      rows: rowsOf(x.shape, major, true),
      depth: back.shape[2],
      offset: merged ? there.outputs : 0,
    },
    options,
    p,
  );
  expectRows(y, x, there.outputs + (merged ? again.outputs : 0), p);
  if (!merged) expectRows(back, x, again.outputs, p);
  prepareLstm(there, types, p);
  prepareLstm(again, types, p);
}

/** BIDIRECTIONAL_SEQUENCE_LSTM, with further combinations of types. */
export function bidirectionalLstmOperators(others: LstmTypes[]): Operators {
  const types = [floatLstm].concat(others);
  return {
    BIDIRECTIONAL_SEQUENCE_LSTM: function (node: Node, p: Preparation): void {
      prepareBothWays(node, types, p);
    },
  };
}
