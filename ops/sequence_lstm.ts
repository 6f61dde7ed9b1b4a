/**
 * UNIDIRECTIONAL_SEQUENCE_LSTM; `ops/lstm.ts` says what it computes and what its inputs are.
 * As TFLM, which has it for FLOAT32, INT8 and INT16 without peephole weights, projection, layer normalization and coupled
 * gates; for those as TFLite.
 */
import { Node, Operators, Preparation } from '../lib/graph';
import { UNIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS } from '../lib/schema';
import { expectRank, expectShape, input, output } from './checks';
import { LstmTypes, prepareLstm, readLstm } from './lstm';
import { floatLstm } from './lstm_float';
import { integerLstm } from './lstm_integer';
import { rowsOf } from './recurrent_operands';

function prepareSequence(node: Node, types: LstmTypes[], p: Preparation): void {
  const options = p.options(UNIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS);
  if (node.inputs.length !== 24) p.fail('it must have 24 inputs, but it has ' + node.inputs.length);
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  expectRank(x, 3, 'the input', p);
  const l = readLstm(
    node,
    {
      x: x,
      y: y,
      aux: null,
      weights: 1,
      h: 18,
      c: 19,
      norm: 20,
      a: -1,
      rows: rowsOf(x.shape, !!options.time_major, false),
      depth: y.shape[2],
      offset: 0,
    },
    options,
    p,
  );
  expectShape(y, [x.shape[0], x.shape[1], l.outputs], 'the output', p);
  prepareLstm(l, types, p);
}

/** UNIDIRECTIONAL_SEQUENCE_LSTM, with further combinations of types. */
export function sequenceLstmOperators(others: LstmTypes[]): Operators {
  const types = [floatLstm, integerLstm].concat(others);
  return {
    UNIDIRECTIONAL_SEQUENCE_LSTM: function (node: Node, p: Preparation): void {
      prepareSequence(node, types, p);
    },
  };
}
