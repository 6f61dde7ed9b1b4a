/**
 * UNIDIRECTIONAL_SEQUENCE_LSTM in integers, without peephole weights, projection, layer normalization and coupled gates.
 *
 * INT8 or INT16 input, output and state h; INT8 weights with one scale; INT32 or INT64 bias; INT16 cell whose scale is
 * taken for the nearest power of two where tanh needs it. As TFLM: the products with input and state are brought to
 * 12 fractional bits one by one, each limited to int16, and added with saturation; gates have 15 fractional bits; the
 * output has the scale and zero point of the state h, whatever its own are; the fused activation must be TANH.
 */
import { fround, quantizeMultiplier, typeRange } from '../lib/fixedpoint';
import { Argument, Preparation, Tensor, TypedArray } from '../lib/graph';
import { describe } from '../lib/tensor';
import { expectQuantized, expectType } from './checks';
import { gateScaleOfPower, sigmoidTable } from './gates';
import { fullyConnectedInt8 } from './fully_connected';
import { doubleScaling } from './weights';
import { intAt } from './ints';
import { Lstm } from './lstm';
import { addInt16, gateInt16, gateInt8, outputOfCellInt16, updateCellInt16 } from './lstm_integer_cell';
import { expectTypes } from './recurrent_operands';

/**
 * Kernel: int8. Walks through the rows number first + batch · batchStride + step · timeStride.
 * @param s working memory, 2 · cells
 * @param g working memory, cells
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
  g: Int16Array,
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
  min: number,
  max: number,
): void {
  for (let step = 0; step < steps; step++) {
    for (let batch = 0; batch < batches; batch++) {
      const row = first + batch * batchStride + step * timeStride;
      const xAt = row * inputs;
      const at = batch * n;
      gateInt8(x, xAt, inputs, wi, h, at, ri, bias, scales, 0, s, 0, n);
      gateInt8(x, xAt, inputs, wf, h, at, rf, bias, scales, 1, s, n, n);
      gateInt8(x, xAt, inputs, wg, h, at, rg, bias, scales, 2, g, 0, n);
      updateCellInt16(s, g, c, table, scales, at, n, clip);
      gateInt8(x, xAt, inputs, wo, h, at, ro, bias, scales, 3, s, 0, n);
      outputOfCellInt16(
        s,
        g,
        c,
        h,
        y,
        table,
        scales,
        at,
        row * n,
        n,
        cellMultiplier,
        cellShift,
        zeroPoint,
        min,
        max,
      );
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
  g: Int16Array,
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
  min: number,
  max: number,
): void {
  for (let step = 0; step < steps; step++) {
    for (let batch = 0; batch < batches; batch++) {
      const row = first + batch * batchStride + step * timeStride;
      const xAt = row * inputs;
      const at = batch * n;
      gateInt16(x, xAt, inputs, wi, h, at, ri, bias, scales, 0, s, 0, n);
      gateInt16(x, xAt, inputs, wf, h, at, rf, bias, scales, 1, s, n, n);
      gateInt16(x, xAt, inputs, wg, h, at, rg, bias, scales, 2, g, 0, n);
      updateCellInt16(s, g, c, table, scales, at, n, clip);
      gateInt16(x, xAt, inputs, wo, h, at, ro, bias, scales, 3, s, 0, n);
      outputOfCellInt16(
        s,
        g,
        c,
        h,
        y,
        table,
        scales,
        at,
        row * n,
        n,
        cellMultiplier,
        cellShift,
        zeroPoint,
        min,
        max,
      );
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

/**
 * A single row of int8: the products are steps of their own, which engines have faster kernels for than for anything
 * else.
 */
function prepareRow(
  l: Lstm,
  s: Tensor,
  g: Tensor,
  bias: Int32Array,
  scales: Int32Array,
  clip: number,
  end: number[],
  p: Preparation,
): void {
  const n = l.cells;
  const table = sigmoidTable();
  const t = p.scratch('INT16', n);
  /** A product with one row, in 12 fractional bits, into y; `k` counts the products. */
  function product(x: Tensor, w: Tensor, k: number, y: Argument): void {
    const multipliers = new Int32Array(n);
    const shifts = new Int8Array(n);
    for (let u = 0; u < n; u++) {
      multipliers[u] = scales[2 * k];
      shifts[u] = scales[2 * k + 1];
    }
    const doubles = doubleScaling(shifts, 0, -32768, 16);
    p.step(fullyConnectedInt8, [
      x,
      w,
      bias.subarray(k * n, k * n + n),
      y,
      multipliers,
      shifts,
      1,
      w.shape[1],
      n,
      0,
      -32768,
      32767,
      doubles[0],
      doubles[1],
    ]);
  }
  for (let gate = 0; gate < 4; gate++) {
    const sums = gate === 2 ? g : { of: s, type: 'INT16', offset: gate === 1 ? 2 * n : 0, length: n };
    if (gate === 3) p.step(updateCellInt16, [s, g, l.c, table, scales, 0, n, clip]);
    product(l.x, l.w[gate] as Tensor, 2 * gate, sums);
    product(l.h, l.r[gate] as Tensor, 2 * gate + 1, t);
    p.step(addInt16, [sums, t, n]);
  }
  const args: Argument[] = [s, g, l.c, l.h, l.y, table, scales, 0, 0];
  p.step(outputOfCellInt16, args.concat(end));
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
  const range = typeRange(type);
  const end = [n, cell.multiplier, cell.shift, l.h.zeroPoint, range.min, range.max];
  const s = p.scratch('INT16', 2 * n);
  const g = p.scratch('INT16', n);
  if (!wide && l.walk[0] * l.walk[1] === 1) {
    prepareRow(l, s, g, bias, scales, clip, end, p);
    return true;
  }
  const args: Argument[] = [l.x, l.h, l.c, l.y, s, g];
  p.step(
    wide ? lstmInt16 : lstmInt8,
    args.concat(
      l.w as Tensor[],
      l.r as Tensor[],
      [bias, scales, sigmoidTable()],
      l.walk.slice(0, 6),
      [n, clip],
      end.slice(1),
    ),
  );
  return true;
}
