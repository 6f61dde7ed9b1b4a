/**
 * UNIDIRECTIONAL_SEQUENCE_LSTM in integers, without peephole weights, projection, layer normalization and coupled gates.
 *
 * INT8 or INT16 input, output and state h; INT8 weights with one scale; INT32 or INT64 bias; INT16 cell whose scale is
 * taken for the nearest power of two where tanh needs it. As TFLM: the products with input and state are brought to
 * 12 fractional bits one by one, each limited to int16, and added with saturation; gates have 15 fractional bits; the
 * output has the scale and zero point of the state h, whatever its own are; the fused activation must be TANH.
 */
import { fround, mbqm, mbqm64, quantizeMultiplier } from '../lib/fixedpoint';
import { Argument, Preparation, Tensor, TypedArray } from '../lib/graph';
import { describe } from '../lib/tensor';
import { expectQuantized, expectType } from './checks';
import { gateScaleOfPower, sigmoidInt16, sigmoidTable, tanhInt16 } from './gates';
import { intAt } from './ints';
import { Lstm } from './lstm';
import { expectTypes } from './recurrent_operands';

/** Limits to int16. */
function clamp16(v: number): number {
  return v < -32768 ? -32768 : v > 32767 ? 32767 : v;
}

/**
 * One gate of `n` units before its activation, into s from `at` on. `scales` has the multiplier and the shift for the
 * products with x, then for those with h, from `scaleAt` on; `bias` the folded biases for x, then for h, from `biasAt`.
 */
export function gateInt8(
  x: Int8Array,
  xAt: number,
  inputs: number,
  w: Int8Array,
  h: Int8Array,
  hAt: number,
  r: Int8Array,
  bias: Int32Array,
  biasAt: number,
  scales: Int32Array,
  scaleAt: number,
  s: Int16Array,
  at: number,
  n: number,
): void {
  const end = xAt + inputs;
  const hEnd = hAt + n;
  let p = 0;
  let q = 0;
  for (let u = 0; u < n; u++) {
    let sum = bias[biasAt + u];
    let i = xAt;
    for (; i < end - 3; i += 4) {
      sum += x[i] * w[p] + x[i + 1] * w[p + 1] + x[i + 2] * w[p + 2] + x[i + 3] * w[p + 3];
      p += 4;
    }
    for (; i < end; i++) sum += x[i] * w[p++];
    let own = bias[biasAt + n + u];
    for (i = hAt; i < hEnd - 3; i += 4) {
      own += h[i] * r[q] + h[i + 1] * r[q + 1] + h[i + 2] * r[q + 2] + h[i + 3] * r[q + 3];
      q += 4;
    }
    for (; i < hEnd; i++) own += h[i] * r[q++];
    s[at + u] = clamp16(
      clamp16(mbqm(sum | 0, scales[scaleAt], scales[scaleAt + 1])) +
        clamp16(mbqm(own | 0, scales[scaleAt + 2], scales[scaleAt + 3])),
    );
  }
}

/** The same for int16 x and h; `bias` holds int64 numbers, low word first. */
export function gateInt16(
  x: Int16Array,
  xAt: number,
  inputs: number,
  w: Int8Array,
  h: Int16Array,
  hAt: number,
  r: Int8Array,
  bias: Int32Array,
  biasAt: number,
  scales: Int32Array,
  scaleAt: number,
  s: Int16Array,
  at: number,
  n: number,
): void {
  const end = xAt + inputs;
  const hEnd = hAt + n;
  let p = 0;
  let q = 0;
  for (let u = 0; u < n; u++) {
    let sum = intAt(bias, biasAt + u, 2);
    for (let i = xAt; i < end; i++) sum += x[i] * w[p++];
    let own = intAt(bias, biasAt + n + u, 2);
    for (let i = hAt; i < hEnd; i++) own += h[i] * r[q++];
    s[at + u] = clamp16(
      clamp16(mbqm64(sum, scales[scaleAt], scales[scaleAt + 1])) +
        clamp16(mbqm64(own, scales[scaleAt + 2], scales[scaleAt + 3])),
    );
  }
}

/**
 * From the sums of the gates i, f, o (in s) and g (in t) to the new cell, and tanh of it in t.
 * `scales` has the multipliers and shifts for f · c and i · g from 16 on. A negative `clip` stands for none.
 */
export function updateCellInt16(
  s: Int16Array,
  t: Int16Array,
  c: Int16Array,
  cAt: number,
  n: number,
  table: Uint16Array,
  scales: Int32Array,
  clip: number,
  cellMultiplier: number,
  cellShift: number,
): void {
  sigmoidInt16(s, s, table, 3 * n, 3, 0);
  tanhInt16(t, t, table, n, 3, 0);
  for (let u = 0; u < n; u++) {
    let v = clamp16(
      clamp16(mbqm(s[n + u] * c[cAt + u], scales[16], scales[17])) +
        clamp16(mbqm(s[u] * t[u], scales[18], scales[19])),
    );
    if (clip >= 0) v = v < -clip ? -clip : v > clip ? clip : v;
    c[cAt + u] = v;
    t[u] = v;
  }
  tanhInt16(t, t, table, n, cellMultiplier, cellShift);
}

/**
 * Kernel: int8. Walks through the rows number first + batch · batchStride + step · timeStride.
 * @param s working memory, 3 · cells
 * @param t working memory, cells
 * @param bias folded biases of i, f, g, o: for each gate those for x, then those for h
 * @param scales multipliers and shifts: of the gates for x and h, then for f · c, i · g and o · tanh(c)
 * @param table see `sigmoidTable`
 */
export function lstmInt8(
  x: Int8Array,
  h: Int8Array,
  c: Int16Array,
  y: Int8Array,
  s: Int16Array,
  t: Int16Array,
  wi: Int8Array,
  wf: Int8Array,
  wg: Int8Array,
  wo: Int8Array,
  ri: Int8Array,
  rf: Int8Array,
  rg: Int8Array,
  ro: Int8Array,
  bias: Int32Array,
  scales: Int32Array,
  table: Uint16Array,
  batches: number,
  steps: number,
  first: number,
  batchStride: number,
  timeStride: number,
  inputs: number,
  n: number,
  clip: number,
  cellMultiplier: number,
  cellShift: number,
  zeroPoint: number,
): void {
  for (let step = 0; step < steps; step++) {
    for (let batch = 0; batch < batches; batch++) {
      const row = first + batch * batchStride + step * timeStride;
      const xAt = row * inputs;
      const at = batch * n;
      gateInt8(x, xAt, inputs, wi, h, at, ri, bias, 0, scales, 0, s, 0, n);
      gateInt8(x, xAt, inputs, wf, h, at, rf, bias, 2 * n, scales, 4, s, n, n);
      gateInt8(x, xAt, inputs, wg, h, at, rg, bias, 4 * n, scales, 8, t, 0, n);
      gateInt8(x, xAt, inputs, wo, h, at, ro, bias, 6 * n, scales, 12, s, 2 * n, n);
      updateCellInt16(s, t, c, at, n, table, scales, clip, cellMultiplier, cellShift);
      for (let u = 0; u < n; u++) {
        const v = mbqm(t[u] * s[2 * n + u], scales[20], scales[21]) + zeroPoint;
        h[at + u] = v < -128 ? -128 : v > 127 ? 127 : v;
        y[row * n + u] = h[at + u];
      }
    }
  }
}

/** Kernel: int16; as `lstmInt8`, with biases of two words each. */
export function lstmInt16(
  x: Int16Array,
  h: Int16Array,
  c: Int16Array,
  y: Int16Array,
  s: Int16Array,
  t: Int16Array,
  wi: Int8Array,
  wf: Int8Array,
  wg: Int8Array,
  wo: Int8Array,
  ri: Int8Array,
  rf: Int8Array,
  rg: Int8Array,
  ro: Int8Array,
  bias: Int32Array,
  scales: Int32Array,
  table: Uint16Array,
  batches: number,
  steps: number,
  first: number,
  batchStride: number,
  timeStride: number,
  inputs: number,
  n: number,
  clip: number,
  cellMultiplier: number,
  cellShift: number,
  zeroPoint: number,
): void {
  for (let step = 0; step < steps; step++) {
    for (let batch = 0; batch < batches; batch++) {
      const row = first + batch * batchStride + step * timeStride;
      const xAt = row * inputs;
      const at = batch * n;
      gateInt16(x, xAt, inputs, wi, h, at, ri, bias, 0, scales, 0, s, 0, n);
      gateInt16(x, xAt, inputs, wf, h, at, rf, bias, 2 * n, scales, 4, s, n, n);
      gateInt16(x, xAt, inputs, wg, h, at, rg, bias, 4 * n, scales, 8, t, 0, n);
      gateInt16(x, xAt, inputs, wo, h, at, ro, bias, 6 * n, scales, 12, s, 2 * n, n);
      updateCellInt16(s, t, c, at, n, table, scales, clip, cellMultiplier, cellShift);
      for (let u = 0; u < n; u++) {
        h[at + u] = clamp16(mbqm(t[u] * s[2 * n + u], scales[20], scales[21]) + zeroPoint);
        y[row * n + u] = h[at + u];
      }
    }
  }
}

/** Puts b − zero · Σ w of each of `n` rows of w into `folded` from `at` on, in 1 or 2 words each. */
function fold(
  w: Tensor,
  b: Tensor | null,
  zero: number,
  folded: Int32Array,
  at: number,
  words: number,
): void {
  const n = w.shape[0];
  const depth = w.shape[1];
  const weights = w.data as TypedArray;
  for (let u = 0; u < n; u++) {
    let sum = 0;
    for (let i = u * depth; i < (u + 1) * depth; i++) sum += weights[i];
    const value = (b ? intAt(b.data as Int32Array, u, words) : 0) - zero * sum;
    folded[(at + u) * words] = value;
    if (words > 1) folded[(at + u) * 2 + 1] = Math.floor(value / 4294967296);
  }
}

/** Fails unless the weights are constant, with one scale and zero point 0. */
function checkWeights(weights: (Tensor | null)[], what: string, p: Preparation): void {
  for (let gate = 0; gate < 4; gate++) {
    const w = weights[gate] as Tensor;
    if (!w.constant) p.fail('the ' + what + ' must be constant, but ' + describe(w) + ' is computed');
    if (what === 'bias') continue;
    expectQuantized(w, 'the ' + what, p);
    if ((w.scales as number[]).length > 1 || w.zeroPoint)
      p.fail('the ' + what + ' must have one scale and zero point 0, but ' + describe(w) + ' has others');
  }
}

/** INT8 or INT16 input with INT8 weights. */
export function integerLstm(l: Lstm, p: Preparation): boolean {
  const type = l.x.type;
  const wide = type === 'INT16';
  if (!wide && type !== 'INT8') return false;
  if (!l.w[0] || l.peephole[1] || l.norm[1] || l.projection)
    p.fail(
      'integer LSTMs have no coupled gates, peephole weights, projection or layer normalization: those need FLOAT32 input',
    );
  if (l.activation !== 4)
    p.fail('integer LSTMs need the fused activation TANH (4), but it is ' + l.activation);
  expectTypes([l.h, l.y], type, 'output and output state', p);
  expectType(l.c, 'INT16', 'the cell state', p);
  expectTypes(l.w.concat(l.r), 'INT8', 'the weights', p);
  expectTypes(l.bias, wide ? 'INT64' : 'INT32', 'the bias', p);
  expectQuantized(l.x, 'the input', p);
  expectQuantized(l.h, 'the output state', p);
  expectQuantized(l.c, 'the cell state', p);
  checkWeights(l.w, 'input weights', p);
  checkWeights(l.r, 'recurrent weights', p);
  checkWeights(l.bias, 'bias', p);
  const n = l.cells;
  const words = wide ? 2 : 1;
  const bias = new Int32Array(8 * n * words);
  const scales = new Int32Array(22);
  let count = 0;
  function add(scale: number): void {
    const q = quantizeMultiplier(scale);
    scales[count++] = q.multiplier;
    scales[count++] = q.shift;
  }
  for (let gate = 0; gate < 4; gate++) {
    const w = l.w[gate] as Tensor;
    const r = l.r[gate] as Tensor;
    fold(w, l.bias[gate], l.x.zeroPoint, bias, 2 * gate * n, words);
    fold(r, null, l.h.zeroPoint, bias, (2 * gate + 1) * n, words);
    add(fround(l.x.scale * w.scale) * 4096);
    add(fround(l.h.scale * r.scale) * 4096);
  }
  add(l.c.scale / 32768 / l.c.scale);
  add(1 / 1073741824 / l.c.scale);
  add(1 / 1073741824 / l.h.scale);
  const clip = l.cellClip > 0 ? Math.floor(Math.min(l.cellClip / l.c.scale, 32767)) : -1;
  const cell = gateScaleOfPower(Math.floor(Math.log(l.c.scale) / Math.LN2 + 0.5));
  const args: Argument[] = [l.x, l.h, l.c, l.y, p.scratch('INT16', 3 * n), p.scratch('INT16', n)];
  p.step(
    wide ? lstmInt16 : lstmInt8,
    args.concat(l.w as Tensor[], l.r as Tensor[], [bias, scales, sigmoidTable()], l.walk.slice(0, 6), [
      n,
      clip,
      cell.multiplier,
      cell.shift,
      l.h.zeroPoint,
    ]),
  );
  return true;
}
