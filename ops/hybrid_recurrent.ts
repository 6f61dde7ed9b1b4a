/**
 * Recurrent operators with FLOAT32 input, states and output and INT8 weights (dynamic-range quantization): SVDF, LSTMs
 * and RNNs, as TFLite (TFLM has no such kernels).
 *
 * Every row of the input and of the state is quantized to int8 by its own range in every step, symmetrically unless
 * asymmetric_quantize_inputs is set; dot products are exact, all else is float. So is the output of an LSTM's cells before
 * a projection. Peephole weights and the time weights of SVDF count with their real values. Weights have one scale and
 * zero point 0; biases and coefficients of layer normalization are FLOAT32.
 */
import { Argument, Preparation, Tensor, TypedArray } from '../lib/graph';
import { describe } from '../lib/tensor';
import { expectQuantized, expectType } from './checks';
import { quantizeRows } from './hybrid';
import { Lstm } from './lstm';
import { EMPTY, floatOperands } from './lstm_float';
import { activateFloat32, emitState, finishCell } from './recurrent';
import { expectTypes } from './recurrent_operands';
import { Rnn } from './rnn';
import { prepareSums, Svdf } from './svdf';

/**
 * y[yAt + u] += scale · Σ w[u · n + i] · (x[row · n + i] − zeros[row]), over i < n, for u < units. The scale is
 * scales[row] · weightScale.
 */
export function addProductsHybrid(
  x: Int8Array,
  scales: Float32Array,
  zeros: Int32Array,
  row: number,
  w: Int8Array,
  weightScale: number,
  n: number,
  y: Float32Array,
  yAt: number,
  units: number,
): void {
  const scale = scales[row] * weightScale;
  const zero = zeros[row];
  const start = row * n;
  const end = start + n;
  const last = yAt + units;
  let p = 0;
  for (; yAt < last - 3; yAt += 4) {
    let q = p + n;
    let r = q + n;
    let t = r + n;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let i = start; i < end; i++) {
      const v = x[i] - zero;
      s0 += v * w[p++];
      s1 += v * w[q++];
      s2 += v * w[r++];
      s3 += v * w[t++];
    }
    y[yAt] += s0 * scale;
    y[yAt + 1] += s1 * scale;
    y[yAt + 2] += s2 * scale;
    y[yAt + 3] += s3 * scale;
    p = t;
  }
  for (; yAt < last; yAt++) {
    let sum = 0;
    for (let i = start; i < end; i++) sum += (x[i] - zero) * w[p++];
    y[yAt] += sum * scale;
  }
}

/** The sums of one gate, into s from `at` on; `weightScales[gate]` is for w, [4 + gate] for a, [8 + gate] for r. */
export function gateHybrid(
  x: Int8Array,
  xScales: Float32Array,
  xZeros: Int32Array,
  row: number,
  inputs: number,
  w: Int8Array,
  aux: Int8Array,
  auxScales: Float32Array,
  auxZeros: Int32Array,
  auxInputs: number,
  a: Int8Array,
  h: Int8Array,
  hScales: Float32Array,
  hZeros: Int32Array,
  batch: number,
  outputs: number,
  r: Int8Array,
  weightScales: Float32Array,
  gate: number,
  bias: Float32Array,
  s: Float32Array,
  n: number,
): void {
  const at = gate * n;
  s.set(bias, at);
  addProductsHybrid(x, xScales, xZeros, row, w, weightScales[gate], inputs, s, at, n);
  if (auxInputs)
    addProductsHybrid(aux, auxScales, auxZeros, row, a, weightScales[4 + gate], auxInputs, s, at, n);
  addProductsHybrid(h, hScales, hZeros, batch, r, weightScales[8 + gate], outputs, s, at, n);
}

/**
 * Kernel: as `lstmFloat32`, with x and aux quantized by `quantizeRows` and working memory for h and for the output of
 * the cells, m, quantized likewise. `weightScales` has the scales of w, a and r of the gates i, f, g, o, then that of
 * the projection.
 */
export function lstmHybrid(
  x: Int8Array,
  xScales: Float32Array,
  xZeros: Int32Array,
  aux: Int8Array,
  auxScales: Float32Array,
  auxZeros: Int32Array,
  h: Float32Array,
  c: Float32Array,
  y: Float32Array,
  s: Float32Array,
  hq: Int8Array,
  hScales: Float32Array,
  hZeros: Int32Array,
  mq: Int8Array,
  mScale: Float32Array,
  mZero: Int32Array,
  wi: Int8Array,
  wf: Int8Array,
  wg: Int8Array,
  wo: Int8Array,
  ai: Int8Array,
  af: Int8Array,
  ag: Int8Array,
  ao: Int8Array,
  ri: Int8Array,
  rf: Int8Array,
  rg: Int8Array,
  ro: Int8Array,
  weightScales: Float32Array,
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
  projection: Int8Array,
  projectionBias: Float32Array,
  batches: number,
  steps: number,
  first: number,
  batchStride: number,
  timeStride: number,
  inputs: number,
  auxInputs: number,
  n: number,
  outputs: number,
  depth: number,
  offset: number,
  cellClip: number,
  projectionClip: number,
  activation: number,
  asymmetric: number,
): void {
  const coupled = wi.length ? 0 : 1;
  for (let step = 0; step < steps; step++) {
    quantizeRows(h, hq, hScales, hZeros, batches, outputs, asymmetric);
    for (let batch = 0; batch < batches; batch++) {
      const row = first + batch * batchStride + step * timeStride;
      const hAt = batch * outputs;
      if (!coupled)
        gateHybrid(
          x,
          xScales,
          xZeros,
          row,
          inputs,
          wi,
          aux,
          auxScales,
          auxZeros,
          auxInputs,
          ai,
          hq,
          hScales,
          hZeros,
          batch,
          outputs,
          ri,
          weightScales,
          0,
          bi,
          s,
          n,
        );
      gateHybrid(
        x,
        xScales,
        xZeros,
        row,
        inputs,
        wf,
        aux,
        auxScales,
        auxZeros,
        auxInputs,
        af,
        hq,
        hScales,
        hZeros,
        batch,
        outputs,
        rf,
        weightScales,
        1,
        bf,
        s,
        n,
      );
      gateHybrid(
        x,
        xScales,
        xZeros,
        row,
        inputs,
        wg,
        aux,
        auxScales,
        auxZeros,
        auxInputs,
        ag,
        hq,
        hScales,
        hZeros,
        batch,
        outputs,
        rg,
        weightScales,
        2,
        bg,
        s,
        n,
      );
      gateHybrid(
        x,
        xScales,
        xZeros,
        row,
        inputs,
        wo,
        aux,
        auxScales,
        auxZeros,
        auxInputs,
        ao,
        hq,
        hScales,
        hZeros,
        batch,
        outputs,
        ro,
        weightScales,
        3,
        bo,
        s,
        n,
      );
      finishCell(s, c, pi, pf, po, none, ni, nf, ng, no, batch * n, n, coupled, cellClip, activation);
      if (projection.length) {
        quantizeRows(s, mq, mScale, mZero, 1, n, asymmetric);
        h.set(projectionBias, hAt);
        addProductsHybrid(mq, mScale, mZero, 0, projection, weightScales[12], n, h, hAt, outputs);
      } else for (let u = 0; u < n; u++) h[hAt + u] = s[u];
      emitState(h, hAt, y, row * depth + offset, outputs, projectionClip);
    }
  }
}

/** Kernel: as `rnnFloat32`, with x and aux quantized by `quantizeRows` and working memory for h quantized likewise. */
export function rnnHybrid(
  x: Int8Array,
  xScales: Float32Array,
  xZeros: Int32Array,
  aux: Int8Array,
  auxScales: Float32Array,
  auxZeros: Int32Array,
  h: Float32Array,
  y: Float32Array,
  hq: Int8Array,
  hScales: Float32Array,
  hZeros: Int32Array,
  w: Int8Array,
  a: Int8Array,
  r: Int8Array,
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
  wScale: number,
  aScale: number,
  rScale: number,
  asymmetric: number,
): void {
  for (let step = 0; step < steps; step++) {
    quantizeRows(h, hq, hScales, hZeros, batches, units, asymmetric);
    for (let batch = 0; batch < batches; batch++) {
      const row = first + batch * batchStride + step * timeStride;
      const hAt = batch * units;
      h.set(bias, hAt);
      addProductsHybrid(x, xScales, xZeros, row, w, wScale, inputs, h, hAt, units);
      if (auxInputs) addProductsHybrid(aux, auxScales, auxZeros, row, a, aScale, auxInputs, h, hAt, units);
      addProductsHybrid(hq, hScales, hZeros, batch, r, rScale, units, h, hAt, units);
      activateFloat32(h, hAt, units, activation);
      emitState(h, hAt, y, row * depth + offset, units, 0);
    }
  }
}

/** Kernel: products of rows of x, quantized by `quantizeRows`, with weights: y [rows, units]. */
export function productsHybrid(
  x: Int8Array,
  scales: Float32Array,
  zeros: Int32Array,
  w: Int8Array,
  y: Float32Array,
  rows: number,
  n: number,
  units: number,
  weightScale: number,
): void {
  for (let i = 0; i < rows * units; i++) y[i] = 0;
  for (let row = 0; row < rows; row++)
    addProductsHybrid(x, scales, zeros, row, w, weightScale, n, y, row * units, units);
}

/** Emits the quantization of `rows` rows of x; returns int8 values, scales and zero points as the kernels take them. */
function quantized(x: Tensor, rows: number, asymmetric: boolean, p: Preparation): Tensor[] {
  const q = scratchFor(x.length, rows, p);
  p.step(quantizeRows, [x, q[0], q[1], q[2], rows, x.length / (rows || 1), asymmetric ? 1 : 0]);
  return q;
}

/** Working memory for `length` quantized elements in `rows` rows. */
function scratchFor(length: number, rows: number, p: Preparation): Tensor[] {
  return [p.scratch('INT8', length), p.scratch('FLOAT32', rows), p.scratch('INT32', rows)];
}

/** The weights' scale, 0 where they are absent; fails unless they are INT8 with one scale and zero point 0. */
function weightScale(w: Tensor | null, p: Preparation): number {
  if (!w) return 0;
  expectType(w, 'INT8', 'the weights', p);
  expectQuantized(w, 'the weights', p);
  if ((w.scales as number[]).length > 1 || w.zeroPoint)
    p.fail('the weights must have one scale and zero point 0, but ' + describe(w) + ' has others');
  return w.scale;
}

/** Real values of constant weights, empty where there are none. */
function realValues(w: Tensor | null, what: string, p: Preparation): Float32Array {
  const scale = weightScale(w, p);
  if (!w) return EMPTY;
  if (!w.constant) p.fail('the ' + what + ' must be constant, but ' + describe(w) + ' is computed');
  const values = new Float32Array(w.length);
  for (let i = 0; i < w.length; i++) values[i] = (w.data as TypedArray)[i] * scale;
  return values;
}

const NO_WEIGHTS = new Int8Array(0);
const NO_ZEROS = new Int32Array(0);

function weightsOrEmpty(tensors: (Tensor | null)[]): Argument[] {
  const list: Argument[] = [];
  for (let i = 0; i < tensors.length; i++) list.push(tensors[i] || NO_WEIGHTS);
  return list;
}

/** FLOAT32 input with INT8 weights, for LSTMs. */
export function hybridLstm(l: Lstm, p: Preparation): boolean {
  if (l.x.type !== 'FLOAT32' || (l.w[1] as Tensor).type !== 'INT8') return false;
  const operands = floatOperands(l, p);
  const weights = l.w.concat(l.a, l.r);
  const scales = new Float32Array(13);
  for (let i = 0; i < 12; i++) scales[i] = weightScale(weights[i], p);
  scales[12] = weightScale(l.projection, p);
  const peephole: Argument[] = [];
  for (let i = 0; i < 3; i++) peephole.push(realValues(l.peephole[i], 'peephole weights', p));
  const batches = l.walk[0];
  const rows = batches * l.walk[1];
  const args: Argument[] = quantized(l.x, rows, l.asymmetric, p);
  p.step(
    lstmHybrid,
    args.concat(
      l.aux ? quantized(l.aux, rows, l.asymmetric, p) : [NO_WEIGHTS, EMPTY, NO_ZEROS],
      [l.h, l.c, l.y, p.scratch('FLOAT32', 4 * l.cells)],
      scratchFor(batches * l.outputs, batches, p),
      l.projection ? scratchFor(l.cells, 1, p) : [NO_WEIGHTS, EMPTY, NO_ZEROS],
      weightsOrEmpty(weights),
      [scales],
      peephole,
      [EMPTY],
      operands,
      [l.projection || NO_WEIGHTS, l.projectionBias || new Float32Array(l.projection ? l.outputs : 0)],
      l.walk,
      [l.cellClip, l.projectionClip, l.activation, l.asymmetric ? 1 : 0],
    ),
  );
  return true;
}

/** FLOAT32 input with INT8 weights, for RNNs. */
export function hybridRnn(n: Rnn, p: Preparation): boolean {
  if (n.x.type !== 'FLOAT32' || n.w.type !== 'INT8') return false;
  expectTypes([n.aux, n.h, n.y, n.bias], 'FLOAT32', 'inputs, bias, state and output', p);
  const batches = n.walk[0];
  const rows = batches * n.walk[1];
  const args: Argument[] = quantized(n.x, rows, n.asymmetric, p);
  p.step(
    rnnHybrid,
    args.concat(
      n.aux ? quantized(n.aux, rows, n.asymmetric, p) : [NO_WEIGHTS, EMPTY, NO_ZEROS],
      [n.h, n.y],
      scratchFor(n.h.length, batches, p),
      [n.w, n.a || NO_WEIGHTS, n.r, n.bias],
      n.walk,
      [n.activation, weightScale(n.w, p), weightScale(n.a, p), weightScale(n.r, p), n.asymmetric ? 1 : 0],
    ),
  );
  return true;
}

/** FLOAT32 input with INT8 feature and time weights, for SVDF. */
export function hybridSvdf(s: Svdf, p: Preparation): boolean {
  if (s.x.type !== 'FLOAT32' || s.wFeature.type !== 'INT8') return false;
  const scale = weightScale(s.wFeature, p);
  prepareSums(s, realValues(s.wTime, 'time weights', p), p, function (features: Tensor): void {
    const args: Argument[] = quantized(s.x, s.batches, s.asymmetric, p);
    p.step(productsHybrid, args.concat([s.wFeature, features, s.batches, s.inputs, s.filters, scale]));
  });
  return true;
}
