/**
 * LSTM: one step of an LSTM. TFLM has no such operator.
 *
 * The full kernel (kernel_type 0) has 20 or 24 inputs; `ops/lstm.ts` says what it computes.
 *
 * The basic kernel (kernel_type 1), FLOAT32: inputs x [batches, inputs], old output h and old cell c [batches, units] as
 * inputs 1 and 4, W [4 · units, inputs + units], b [4 · units]; gates in the order i, g, f, o. Outputs: new h, new c, and two
 * which hold what is in between: x and h side by side, and W (x, h) + b. Where the old h and c are variable tensors, they
 * become the new ones.
 */
import { Node, Operators, Preparation, Tensor, View } from '../lib/graph';
import { LSTM_OPTIONS } from '../lib/schema';
import { expectRank, expectShape, input, output } from './checks';
import { tanh } from './gates';
import { LstmTypes, prepareLstm, readLstm } from './lstm';
import { floatLstm } from './lstm_float';
import { addProductsFloat32 } from './recurrent';
import { expectTypes } from './recurrent_operands';
import { copyRow } from './recurrent_row';

/** Kernel: the basic kernel in float32. */
export function basicLstmFloat32(
  x: Float32Array,
  h: Float32Array,
  w: Float32Array,
  bias: Float32Array,
  c: Float32Array,
  y: Float32Array,
  newCell: Float32Array,
  both: Float32Array,
  sums: Float32Array,
  batches: number,
  inputs: number,
  n: number,
): void {
  const width = inputs + n;
  for (let batch = 0; batch < batches; batch++) {
    const at = batch * width;
    for (let i = 0; i < inputs; i++) both[at + i] = x[batch * inputs + i];
    for (let u = 0; u < n; u++) both[at + inputs + u] = h[batch * n + u];
    const s = batch * 4 * n;
    sums.set(bias, s);
    addProductsFloat32(both, at, w, width, sums, s, 4 * n);
    for (let u = 0; u < n; u++) {
      const k = batch * n + u;
      const v =
        tanh(sums[s + n + u]) / (1 + Math.exp(-sums[s + u])) + c[k] / (1 + Math.exp(-sums[s + 2 * n + u]));
      newCell[k] = v;
      y[k] = tanh(v) / (1 + Math.exp(-sums[s + 3 * n + u]));
    }
  }
}

function whole(tensor: Tensor): View {
  return { of: tensor, type: 'FLOAT32', offset: 0, length: tensor.length };
}

function prepareBasic(node: Node, p: Preparation): void {
  const x = input(node, 0, p);
  const h = input(node, 1, p);
  const w = input(node, 2, p);
  const bias = input(node, 3, p);
  const c = input(node, 4, p);
  if (node.outputs.length !== 4) p.fail('it must have 4 outputs, but it has ' + node.outputs.length);
  expectTypes(node.inputs.concat(node.outputs), 'FLOAT32', 'all inputs and outputs of the basic kernel', p);
  expectRank(x, 2, 'the input', p);
  expectRank(h, 2, 'the old output', p);
  const batches = x.shape[0];
  const width = x.shape[1] + h.shape[1];
  const shape = [batches, h.shape[1]];
  expectShape(h, shape, 'the old output', p);
  expectShape(c, shape, 'the old cell', p);
  expectShape(w, [4 * shape[1], width], 'the weights', p);
  expectShape(bias, [4 * shape[1]], 'the bias', p);
  const y = output(node, 0, p);
  const newCell = output(node, 1, p);
  const both = output(node, 2, p);
  const sums = output(node, 3, p);
  expectShape(y, shape, 'the new output', p);
  expectShape(newCell, shape, 'the new cell', p);
  expectShape(both, [batches, width], 'the third output', p);
  expectShape(sums, [batches, 4 * shape[1]], 'the fourth output', p);
  p.step(basicLstmFloat32, [x, h, w, bias, c, y, newCell, both, sums, batches, x.shape[1], shape[1]]);
  if (h.isVariable) copyRow(whole(y), whole(h), p);
  if (c.isVariable) copyRow(whole(newCell), whole(c), p);
}

function prepareFull(node: Node, types: LstmTypes[], p: Preparation): void {
  const count = node.inputs.length;
  if (count !== 20 && count !== 24) p.fail('the full kernel must have 20 or 24 inputs, but it has ' + count);
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  expectRank(x, 2, 'the input', p);
  const batches = x.shape[0];
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
      rows: [batches, 1, 0, 1, 0],
      depth: y.shape[1],
      offset: 0,
    },
    p.options(LSTM_OPTIONS),
    p,
  );
  expectShape(y, [batches, l.outputs], 'the output', p);
  prepareLstm(l, types, p);
}

/** LSTM: the basic kernel, and the full one, which takes further combinations of types. */
export function lstmCellOperators(others: LstmTypes[]): Operators {
  const types = [floatLstm].concat(others);
  return {
    LSTM: function (node: Node, p: Preparation): void {
      if (p.options(LSTM_OPTIONS).kernel_type === 1) prepareBasic(node, p);
      else prepareFull(node, types, p);
    },
  };
}
