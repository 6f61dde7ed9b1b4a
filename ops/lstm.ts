/**
 * What UNIDIRECTIONAL_SEQUENCE_LSTM, BIDIRECTIONAL_SEQUENCE_LSTM and the full kernel of LSTM compute, and their operands.
 *
 *     i = σ(W x + R h + p ⊙ c + b)    f, o likewise (o with the new c)    g = φ(W x + R h + b)
 *     c ← clip(f ⊙ c + i ⊙ g)         h ← o ⊙ φ(c), or clip(P (o ⊙ φ(c)) + b)
 *
 * Inputs by number: 0 x; 1–4 W [cells, inputs] and 5–8 R [cells, outputs] of the gates i, f, g, o; 9–11 peephole weights p
 * of i, f, o [cells]; 12–15 b [cells]; 16, 17 projection P [outputs, cells] and its bias; 18 state h
 * [batches, outputs], 19 state c [batches, cells], both variable; 20–23 coefficients of layer normalization [cells].
 * BIDIRECTIONAL_SEQUENCE_LSTM has 1–17 a second time for the way back as 18–34, then h and c of both ways, an
 * auxiliary input (39) and its weights (40–47), and no layer normalization.
 * x is [batches, inputs] for LSTM, else [batches, steps, inputs], or [steps, batches, inputs] with time_major.
 *
 * Without W and R of gate i, i is 1 − f (coupled gates). Peephole weights, projection and layer normalization may be
 * absent. φ is the fused activation, for float any; integers take TANH alone.
 * Types: FLOAT32; for UNIDIRECTIONAL_SEQUENCE_LSTM also INT8 and INT16 with INT8 weights; others through `LstmTypes`.
 * Layer normalization takes the bias after it. Cell and projection are clipped only where the option is above 0.
 * BIDIRECTIONAL_SEQUENCE_LSTM: where there is an auxiliary input without weights, it is the input of the way back.
 */
import { Node, Options, Preparation, Tensor } from '../lib/graph';
import { describe } from '../lib/tensor';
import { expectRank, expectShape, input, optional } from './checks';
import { activationOf, stateInput } from './recurrent_operands';

/** One way through a sequence: the operands and sizes, checked except for types. */
export interface Lstm {
  x: Tensor;
  /** Auxiliary input, or null. */
  aux: Tensor | null;
  h: Tensor;
  c: Tensor;
  y: Tensor;
  /** Of the gates i, f, g, o; null where absent. */
  w: (Tensor | null)[];
  /** Weights of the auxiliary input. */
  a: (Tensor | null)[];
  r: (Tensor | null)[];
  /** Peephole weights of i, f, o. */
  peephole: (Tensor | null)[];
  bias: (Tensor | null)[];
  /** Coefficients of layer normalization. */
  norm: (Tensor | null)[];
  projection: Tensor | null;
  projectionBias: Tensor | null;
  cells: number;
  outputs: number;
  /** Numbers that the kernels take as they are: from batches to offset. */
  walk: number[];
  cellClip: number;
  projectionClip: number;
  activation: number;
  asymmetric: boolean;
}

/** Prepares an LSTM of some types; false when these are not its types. */
export type LstmTypes = (l: Lstm, p: Preparation) => boolean;

const GATES = ['input', 'forget', 'cell', 'output'];

/** Operands of the given gates: all that are not null in `shapes` must be there and have this shape. */
function gateOperands(
  node: Node,
  first: number,
  gates: number[],
  present: boolean[],
  shape: number[],
  what: string,
  p: Preparation,
): (Tensor | null)[] {
  const found: (Tensor | null)[] = [];
  for (let i = 0; i < gates.length; i++) {
    const tensor = optional(node, first + i);
    const name = 'the ' + what + ' of the ' + GATES[gates[i]] + ' gate';
    if (!tensor !== !present[gates[i]]) {
      p.fail(
        name +
          (tensor
            ? ' must be absent, but it is ' + describe(tensor)
            : ' must be there, but input ' + (first + i) + ' is missing'),
      );
    }
    if (tensor) expectShape(tensor, shape, name, p);
    found.push(tensor);
  }
  return found;
}

/** Where the operands of one way stand, and what its rows are. */
export interface LstmPlaces {
  x: Tensor;
  y: Tensor;
  aux: Tensor | null;
  /** Number of the input that is the first of W. */
  weights: number;
  /** Numbers of the inputs that are the states. */
  h: number;
  c: number;
  /** Number of the first coefficient of layer normalization, or of the first weight of the auxiliary input; or −1. */
  norm: number;
  a: number;
  /** Batches, steps, and the rows in the order of the way: first, batchStride, timeStride. */
  rows: number[];
  /** Part of y's rows. */
  depth: number;
  offset: number;
}

/** Reads and checks the operands of one way through the sequence; `options` are the operator's. */
export function readLstm(node: Node, at: LstmPlaces, options: Options, p: Preparation): Lstm {
  const first = at.weights;
  const inputs = at.x.shape[at.x.shape.length - 1];
  const auxInputs = at.aux ? at.aux.shape[2] : 0;
  const wo = input(node, first + 3, p);
  const ro = input(node, first + 7, p);
  expectRank(wo, 2, 'the input weights of the output gate', p);
  expectRank(ro, 2, 'the recurrent weights of the output gate', p);
  const cells = wo.shape[0];
  const outputs = ro.shape[1];
  const own = !!node.inputs[first];
  const all = [own, true, true, true];
  const peepholes = !!node.inputs[first + 10];
  const norms = at.norm > 0 && !!node.inputs[at.norm + 3];
  const projection = optional(node, first + 15);
  const projectionBias = optional(node, first + 16);
  if (projection) expectShape(projection, [outputs, cells], 'the projection weights', p);
  else if (outputs !== cells || projectionBias)
    p.fail(
      'without projection weights there are as many outputs as cells and no projection bias, but it has ' +
        outputs +
        ' outputs, ' +
        cells +
        ' cells and ' +
        describe(projectionBias),
    );
  if (projectionBias) expectShape(projectionBias, [outputs], 'the projection bias', p);
  const four = [0, 1, 2, 3];
  const none = [null, null, null, null];
  const auxWeights = at.aux
    ? gateOperands(node, at.a, four, all, [cells, auxInputs], 'auxiliary input weights', p)
    : none;
  const normal = [own && norms, norms, norms, norms];
  const batches = at.rows[0];
  return {
    x: at.x,
    aux: at.aux,
    h: stateInput(node, at.h, batches * outputs, 'output state', p),
    c: stateInput(node, at.c, batches * cells, 'cell state', p),
    y: at.y,
    w: gateOperands(node, first, four, all, [cells, inputs], 'input weights', p),
    a: auxWeights,
    r: gateOperands(node, first + 4, four, all, [cells, outputs], 'recurrent weights', p),
    peephole: gateOperands(
      node,
      first + 8,
      [0, 1, 3],
      [own && peepholes, peepholes, false, peepholes],
      [cells],
      'peephole weights',
      p,
    ),
    bias: gateOperands(node, first + 11, four, all, [cells], 'bias', p),
    norm:
      at.norm > 0
        ? gateOperands(node, at.norm, four, normal, [cells], 'normalization coefficients', p)
        : none,
    projection: projection,
    projectionBias: projectionBias,
    cells: cells,
    outputs: outputs,
    walk: at.rows.concat([inputs, auxInputs, cells, outputs, at.depth, at.offset]),
    cellClip: options.cell_clip as number,
    projectionClip: projection ? (options.proj_clip as number) : 0,
    activation: activationOf(options, p),
    asymmetric: !!options.asymmetric_quantize_inputs,
  };
}

/** Lets the first of several types that takes an LSTM have it, and fails if none does. */
export function prepareLstm(l: Lstm, types: LstmTypes[], p: Preparation): void {
  for (let i = 0; i < types.length; i++) if (types[i](l, p)) return;
  p.fail(
    'no kernel takes ' +
      l.x.type +
      ' input with ' +
      (l.w[1] as Tensor).type +
      ' weights: expected FLOAT32 with FLOAT32 or INT8, INT8 with INT8, or INT16 with INT8',
  );
}
