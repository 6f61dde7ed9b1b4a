/**
 * LSTMs in float32 (`ops/lstm.ts` says what they compute): layer normalization, peephole weights, projection, coupled
 * gates, an auxiliary input, and any fused activation.
 */
import { Argument, Preparation, Tensor, TypedArray } from '../lib/graph';
import { Lstm } from './lstm';
import { expectTypes } from './recurrent_operands';
import { addProductsFloat32, emitState, finishGate, outputOfCell, SIGMOID, updateCell } from './recurrent';

/** One gate of `n` cells for one row of a sequence, from s[at] on. */
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
  c: Float32Array,
  cAt: number,
  peephole: Float32Array,
  bias: Float32Array,
  norm: Float32Array,
  s: Float32Array,
  at: number,
  n: number,
  activation: number,
): void {
  s.set(bias, at);
  addProductsFloat32(x, xAt, w, inputs, s, at, n);
  if (auxInputs) addProductsFloat32(aux, auxAt, a, auxInputs, s, at, n);
  addProductsFloat32(h, hAt, r, outputs, s, at, n);
  finishGate(s, at, n, c, cAt, peephole, norm, activation);
}

/**
 * Kernel: float32. Walks through the rows number first + batch · batchStride + step · timeStride of x, aux and y.
 * Arrays of what is absent are empty; biases are 0 where `norm` holds them.
 * @param s working memory, 3 · cells
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
      const cAt = batch * cells;
      if (!coupled)
        gateFloat32(
          x,
          xAt,
          inputs,
          wi,
          aux,
          auxAt,
          auxInputs,
          ai,
          h,
          hAt,
          outputs,
          ri,
          c,
          cAt,
          pi,
          bi,
          ni,
          s,
          0,
          cells,
          SIGMOID,
        );
      gateFloat32(
        x,
        xAt,
        inputs,
        wf,
        aux,
        auxAt,
        auxInputs,
        af,
        h,
        hAt,
        outputs,
        rf,
        c,
        cAt,
        pf,
        bf,
        nf,
        s,
        cells,
        cells,
        SIGMOID,
      );
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
        c,
        cAt,
        none,
        bg,
        ng,
        s,
        2 * cells,
        cells,
        activation,
      );
      updateCell(s, c, cAt, cells, coupled, cellClip);
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
        c,
        cAt,
        po,
        bo,
        no,
        s,
        0,
        cells,
        SIGMOID,
      );
      outputOfCell(s, c, cAt, cells, activation);
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

/** FLOAT32 throughout. */
export function floatLstm(l: Lstm, p: Preparation): boolean {
  if (l.x.type !== 'FLOAT32' || (l.w[1] as Tensor).type !== 'FLOAT32') return false;
  const operands = floatOperands(l, p);
  expectTypes(l.w.concat(l.a, l.r, l.peephole, [l.projection]), 'FLOAT32', 'the weights', p);
  const args: Argument[] = [l.x, l.aux || EMPTY, l.h, l.c, l.y, p.scratch('FLOAT32', 3 * l.cells)];
  p.step(
    lstmFloat32,
    args.concat(
      orEmpty(l.w),
      orEmpty(l.a),
      orEmpty(l.r),
      orEmpty(l.peephole),
      [EMPTY],
      operands,
      [l.projection || EMPTY, l.projectionBias || new Float32Array(l.projection ? l.outputs : 0)],
      l.walk,
      [l.cellClip, l.projectionClip, l.activation],
    ),
  );
  return true;
}
