/**
 * LSTMs in float32 (`ops/lstm.ts` says what they compute): layer normalization, peephole weights, projection, coupled
 * gates, an auxiliary input, and any fused activation.
 */
import { Argument, Preparation, Tensor, TypedArray, View } from '../lib/graph';
import { Lstm } from './lstm';
import { expectTypes } from './recurrent_operands';
import { copyRow, rowProduct } from './recurrent_row';
import { addProductsFloat32, emitState, finishCell } from './recurrent';

/** The sums of one gate of `n` cells for one row of a sequence, into s from `at` on. */
export function gateFloat32(
  x: Float32Array,
  xAt: number,
  inputs: number,
  w: Float32Array,
  aux: Float32Array,
  auxAt: number,
  auxInputs: number,
  a: Float32Array,
  h: Float32Array,
  hAt: number,
  outputs: number,
  r: Float32Array,
  bias: Float32Array,
  s: Float32Array,
  at: number,
  n: number,
): void {
  s.set(bias, at);
  addProductsFloat32(x, xAt, w, inputs, s, at, n);
  if (auxInputs) addProductsFloat32(aux, auxAt, a, auxInputs, s, at, n);
  addProductsFloat32(h, hAt, r, outputs, s, at, n);
}

/**
 * Kernel: float32. Walks through the rows number first + batch · batchStride + step · timeStride of x, aux and y.
 * Arrays of what is absent are empty; biases are 0 where `norm` holds them.
 * @param s working memory, 4 · cells
 * @param depth elements of a row of y, of which this writes `outputs` from `offset` on
 */
export function lstmFloat32(
  x: Float32Array,
  aux: Float32Array,
  h: Float32Array,
  c: Float32Array,
  y: Float32Array,
  s: Float32Array,
  wi: Float32Array,
  wf: Float32Array,
  wg: Float32Array,
  wo: Float32Array,
  ai: Float32Array,
  af: Float32Array,
  ag: Float32Array,
  ao: Float32Array,
  ri: Float32Array,
  rf: Float32Array,
  rg: Float32Array,
  ro: Float32Array,
  pi: Float32Array,
  pf: Float32Array,
  po: Float32Array,
  none: Float32Array,
  bi: Float32Array,
  bf: Float32Array,
  bg: Float32Array,
  bo: Float32Array,
  ni: Float32Array,
  nf: Float32Array,
  ng: Float32Array,
  no: Float32Array,
  projection: Float32Array,
  projectionBias: Float32Array,
  batches: number,
  steps: number,
  first: number,
  batchStride: number,
  timeStride: number,
  inputs: number,
  auxInputs: number,
  cells: number,
  outputs: number,
  depth: number,
  offset: number,
  cellClip: number,
  projectionClip: number,
  activation: number,
): void {
  const coupled = wi.length ? 0 : 1;
  for (let step = 0; step < steps; step++) {
    for (let batch = 0; batch < batches; batch++) {
      const row = first + batch * batchStride + step * timeStride;
      const xAt = row * inputs;
      const auxAt = row * auxInputs;
      const hAt = batch * outputs;
      if (!coupled)
        gateFloat32(x, xAt, inputs, wi, aux, auxAt, auxInputs, ai, h, hAt, outputs, ri, bi, s, 0, cells);
      gateFloat32(x, xAt, inputs, wf, aux, auxAt, auxInputs, af, h, hAt, outputs, rf, bf, s, cells, cells);
      gateFloat32(
        x,
        xAt,
        inputs,
        wg,
        aux,
        auxAt,
        auxInputs,
        ag,
        h,
        hAt,
        outputs,
        rg,
        bg,
        s,
        2 * cells,
        cells,
      );
      gateFloat32(
        x,
        xAt,
        inputs,
        wo,
        aux,
        auxAt,
        auxInputs,
        ao,
        h,
        hAt,
        outputs,
        ro,
        bo,
        s,
        3 * cells,
        cells,
      );
      finishCell(s, c, pi, pf, po, none, ni, nf, ng, no, batch * cells, cells, coupled, cellClip, activation);
      if (projection.length) {
        h.set(projectionBias, hAt);
        addProductsFloat32(s, 0, projection, cells, h, hAt, outputs);
      } else for (let u = 0; u < cells; u++) h[hAt + u] = s[u];
      emitState(h, hAt, y, row * depth + offset, outputs, projectionClip);
    }
  }
}

/** Stands for what is absent. */
export const EMPTY = new Float32Array(0);

/** The tensors, with an empty array for each that is absent. */
export function orEmpty(tensors: (Tensor | null)[]): Argument[] {
  const list: Argument[] = [];
  for (let i = 0; i < tensors.length; i++) list.push(tensors[i] || EMPTY);
  return list;
}

/**
 * Checks the types of what is FLOAT32 even where weights are quantized, and gives the kernels' arguments for it: biases
 * of the sums (0 with normalization), four tables of normalization (coefficients, then biases; or empty).
 */
export function floatOperands(l: Lstm, p: Preparation): Argument[] {
  const biases: Argument[] = [];
  const tables: Argument[] = [];
  expectTypes([l.aux, l.h, l.c, l.y], 'FLOAT32', 'inputs, states and outputs', p);
  expectTypes(l.bias.concat([l.projectionBias]), 'FLOAT32', 'the bias', p);
  expectTypes(l.norm, 'FLOAT32', 'the normalization coefficients', p);
  for (let gate = 0; gate < 4; gate++) {
    const norm = l.norm[gate];
    const bias = l.bias[gate];
    const table = new Float32Array(norm ? 2 * l.cells : 0);
    if (norm && bias) {
      if (!norm.constant || !bias.constant)
        p.fail('with layer normalization, coefficients and biases must be constant');
      table.set(norm.data as TypedArray);
      table.set(bias.data as TypedArray, l.cells);
    }
    tables.push(table);
    biases.push(norm || !bias ? new Float32Array(bias ? l.cells : 0) : bias);
  }
  return biases.concat(tables);
}

/** `length` float values of a tensor. */
function part(tensor: Tensor, from: number, length: number): View {
  return { of: tensor, type: 'FLOAT32', offset: 4 * from, length: length };
}

/**
 * A single row: the products are steps of their own, which engines have faster kernels for than for anything else. They
 * add to what is already there, as bias.
 */
function prepareRow(
  l: Lstm,
  operands: Argument[],
  projectionBias: Argument,
  s: Tensor,
  p: Preparation,
): void {
  const n = l.cells;
  for (let gate = 0; gate < 4; gate++) {
    const w = l.w[gate];
    const a = l.a[gate];
    const sums = part(s, gate * n, n);
    if (!w) continue;
    rowProduct(l.x, w, operands[gate], sums, n, 0, p);
    if (a) rowProduct(l.aux as Tensor, a, sums, sums, n, 0, p);
    rowProduct(l.h, l.r[gate] as Tensor, sums, sums, n, 0, p);
  }
  const args: Argument[] = [s, l.c];
  p.step(
    finishCell,
    args.concat(orEmpty(l.peephole), [EMPTY], operands.slice(4), [
      0,
      n,
      l.w[0] ? 0 : 1,
      l.cellClip,
      l.activation,
    ]),
  );
  if (l.projection) rowProduct(s, l.projection, projectionBias, l.h, l.outputs, l.projectionClip, p);
  else copyRow(part(s, 0, n), part(l.h, 0, n), p);
  copyRow(part(l.h, 0, l.outputs), part(l.y, l.walk[10], l.outputs), p);
}

/** FLOAT32 throughout. */
export function floatLstm(l: Lstm, p: Preparation): boolean {
  if (l.x.type !== 'FLOAT32' || (l.w[1] as Tensor).type !== 'FLOAT32') return false;
  const operands = floatOperands(l, p);
  expectTypes(l.w.concat(l.a, l.r, l.peephole, [l.projection]), 'FLOAT32', 'the weights', p);
  const s = p.scratch('FLOAT32', 4 * l.cells);
  const projectionBias = l.projectionBias || new Float32Array(l.projection ? l.outputs : 0);
  if (l.walk[0] * l.walk[1] === 1) {
    prepareRow(l, operands, projectionBias, s, p);
    return true;
  }
  const args: Argument[] = [l.x, l.aux || EMPTY, l.h, l.c, l.y, s];
  p.step(
    lstmFloat32,
    args.concat(
      orEmpty(l.w),
      orEmpty(l.a),
      orEmpty(l.r),
      orEmpty(l.peephole),
      [EMPTY],
      operands,
      [l.projection || EMPTY, projectionBias],
      l.walk,
      [l.cellClip, l.projectionClip, l.activation],
    ),
  );
  return true;
}
