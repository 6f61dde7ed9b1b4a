/**
 * RNN, UNIDIRECTIONAL_SEQUENCE_RNN and BIDIRECTIONAL_SEQUENCE_RNN: h ← activation(W x + R h + b), and h is the output.
 *
 * Inputs: x; W [units, inputs]; R [units, units]; b [units]; state h [batches, units], variable. x is
 * [batches, inputs] for RNN, else [batches, steps, inputs], or [steps, batches, inputs] with time_major.
 * BIDIRECTIONAL_SEQUENCE_RNN has W, R, b, h a second time for the way back, then an auxiliary input (9) and its weights for
 * both ways; an auxiliary input without weights is the input of the way back. With merge_outputs one output has the
 * units of both ways in each row, otherwise there are two outputs.
 * Types: FLOAT32; others through `RnnTypes`. Any fused activation. TFLM has none of these; as TFLite, except that there
 *  - with quantized weights and time_major the sequence is repeated as often as it has steps,
 *  - without time_major an auxiliary input without weights is not used, and
 *  - an auxiliary input of another size than the input is read in the wrong places.
 */
import { Argument, Node, Operators, Options, Preparation, Tensor, View } from '../lib/graph';
import { BIDIRECTIONAL_SEQUENCE_RNN_OPTIONS, RNN_OPTIONS, SEQUENCE_RNN_OPTIONS } from '../lib/schema';
import { expectRank, expectShape, input, optional, output } from './checks';
import { activateFloat32, addProductsFloat32 } from './recurrent';
import { copyRow, rowProduct } from './recurrent_row';
import {
  activationOf,
  auxiliaryInput,
  expectRows,
  expectTypes,
  outputOfWayBack,
  rowsOf,
  stateInput,
} from './recurrent_operands';

/**
 * Kernel: float32. Walks through the rows number first + batch · batchStride + step · timeStride of x, aux and y.
 * @param depth elements of a row of y, of which this writes `units` from `offset` on
 */
export function rnnFloat32(
  x: Float32Array,
  aux: Float32Array,
  h: Float32Array,
  y: Float32Array,
  w: Float32Array,
  a: Float32Array,
  r: Float32Array,
  bias: Float32Array,
  batches: number,
  steps: number,
  first: number,
  batchStride: number,
  timeStride: number,
  inputs: number,
  auxInputs: number,
  units: number,
  depth: number,
  offset: number,
  activation: number,
): void {
  for (let step = 0; step < steps; step++) {
    for (let batch = 0; batch < batches; batch++) {
      const row = first + batch * batchStride + step * timeStride;
      const hAt = batch * units;
      const at = row * depth + offset;
      y.set(bias, at);
      addProductsFloat32(x, row * inputs, w, inputs, y, at, units);
      if (auxInputs) addProductsFloat32(aux, row * auxInputs, a, auxInputs, y, at, units);
      addProductsFloat32(h, hAt, r, units, y, at, units);
      activateFloat32(y, at, units, activation);
      for (let u = 0; u < units; u++) h[hAt + u] = y[at + u];
    }
  }
}

/** One way through a sequence: the operands and sizes, checked except for types. */
export interface Rnn {
  x: Tensor;
  /** Auxiliary input and its weights, or null. */
  aux: Tensor | null;
  a: Tensor | null;
  w: Tensor;
  r: Tensor;
  bias: Tensor;
  h: Tensor;
  y: Tensor;
  units: number;
  /** Numbers that the kernels take as they are: from batches to offset. */
  walk: number[];
  activation: number;
  asymmetric: boolean;
}

/** Prepares an RNN of some types; false when these are not its types. */
export type RnnTypes = (n: Rnn, p: Preparation) => boolean;

/**
 * Reads and checks the operands of one way; W, R, b and h are inputs from number `first` on, the weights of the
 * auxiliary input are number `a`. The output's rows have `depth` elements, of which this way gives those from `offset` on.
 */
function readRnn(
  node: Node,
  x: Tensor,
  y: Tensor,
  aux: Tensor | null,
  first: number,
  a: number,
  rows: number[],
  depth: number,
  offset: number,
  options: Options,
  p: Preparation,
): Rnn {
  const inputs = x.shape[x.shape.length - 1];
  const auxInputs = aux ? aux.shape[2] : 0;
  const w = input(node, first, p);
  const r = input(node, first + 1, p);
  const bias = input(node, first + 2, p);
  const auxWeights = aux ? input(node, a, p) : null;
  const units = w.shape[0];
  expectShape(w, [units, inputs], 'the input weights', p);
  expectShape(r, [units, units], 'the recurrent weights', p);
  expectShape(bias, [units], 'the bias', p);
  if (auxWeights) expectShape(auxWeights, [units, auxInputs], 'the auxiliary input weights', p);
  return {
    x: x,
    aux: aux,
    a: auxWeights,
    w: w,
    r: r,
    bias: bias,
    h: stateInput(node, first + 3, rows[0] * units, 'state', p),
    y: y,
    units: units,
    walk: rows.concat([inputs, auxInputs, units, depth, offset]),
    activation: activationOf(options, p),
    asymmetric: !!options.asymmetric_quantize_inputs,
  };
}

/**
 * A single row: the products are steps of their own, which engines have faster kernels for than for anything else. They
 * add to what is already there, as bias.
 */
function prepareRow(n: Rnn, p: Preparation): void {
  const y: View = { of: n.y, type: 'FLOAT32', offset: 4 * n.walk[9], length: n.units };
  rowProduct(n.x, n.w, n.bias, y, n.units, 0, p);
  if (n.a) rowProduct(n.aux as Tensor, n.a, y, y, n.units, 0, p);
  rowProduct(n.h, n.r, y, y, n.units, 0, p);
  p.step(activateFloat32, [y, 0, n.units, n.activation]);
  copyRow(y, { of: n.h, type: 'FLOAT32', offset: 0, length: n.units }, p);
}

function prepareRnn(n: Rnn, types: RnnTypes[], p: Preparation): void {
  if (n.x.type === 'FLOAT32' && n.w.type === 'FLOAT32') {
    expectTypes([n.aux, n.a, n.r, n.bias, n.h, n.y], 'FLOAT32', 'weights, bias, state and output', p);
    const none = new Float32Array(0);
    if (n.walk[0] * n.walk[1] === 1) return prepareRow(n, p);
    const args: Argument[] = [n.x, n.aux || none, n.h, n.y, n.w, n.a || none, n.r, n.bias];
    return p.step(rnnFloat32, args.concat(n.walk, [n.activation]));
  }
  for (let i = 0; i < types.length; i++) if (types[i](n, p)) return;
  p.fail(
    'no kernel takes ' +
      n.x.type +
      ' input with ' +
      n.w.type +
      ' weights: expected FLOAT32 with FLOAT32 or INT8',
  );
}

/** RNN (x of 2 dimensions) and UNIDIRECTIONAL_SEQUENCE_RNN (of 3). */
function prepareOneWay(node: Node, options: Options, rank: number, types: RnnTypes[], p: Preparation): void {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  expectRank(x, rank, 'the input', p);
  const rows = rank < 3 ? [x.shape[0], 1, 0, 1, 0] : rowsOf(x.shape, !!options.time_major, false);
  const n = readRnn(node, x, y, null, 1, -1, rows, y.shape[rank - 1], 0, options, p);
  expectShape(y, x.shape.slice(0, rank - 1).concat([n.units]), 'the output', p);
  prepareRnn(n, types, p);
}

function prepareBothWays(node: Node, types: RnnTypes[], p: Preparation): void {
  const options = p.options(BIDIRECTIONAL_SEQUENCE_RNN_OPTIONS);
  const merged = !!options.merge_outputs;
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const back = outputOfWayBack(node, merged, p);
  expectRank(x, 3, 'the input', p);
  const aux = auxiliaryInput(node, 9, x, p);
  const linked = !!(optional(node, 10) || optional(node, 11));
  if (linked && !aux) p.fail('there are weights for an auxiliary input (input 9), but it is missing');
  const shared = linked ? aux : null;
  const major = !!options.time_major;
  const there = readRnn(node, x, y, shared, 1, 10, rowsOf(x.shape, major, false), y.shape[2], 0, options, p);
  const again = readRnn(
    node,
    linked || !aux ? x : aux,
    back,
    shared,
    5,
    11,
    rowsOf(x.shape, major, true),
    back.shape[2],
    merged ? there.units : 0,
    options,
    p,
  );
  expectRows(y, x, there.units + (merged ? again.units : 0), p);
  if (!merged) expectRows(back, x, again.units, p);
  prepareRnn(there, types, p);
  prepareRnn(again, types, p);
}

/** The RNN operators, with further combinations of types. */
export function rnnOperators(types: RnnTypes[]): Operators {
  return {
    RNN: function (node: Node, p: Preparation): void {
      prepareOneWay(node, p.options(RNN_OPTIONS), 2, types, p);
    },
    UNIDIRECTIONAL_SEQUENCE_RNN: function (node: Node, p: Preparation): void {
      prepareOneWay(node, p.options(SEQUENCE_RNN_OPTIONS), 3, types, p);
    },
    BIDIRECTIONAL_SEQUENCE_RNN: function (node: Node, p: Preparation): void {
      prepareBothWays(node, types, p);
    },
  };
}
