/** LSTMs over many rows on Espruino: products of a row with all weights of a gate are one expression. */
import { outputOfCellInt16, updateCellInt16 } from '../../ops/lstm_integer_cell';
import { emitState, finishCell } from '../../ops/recurrent';

declare const E: { convolve(a: ArrayLike<number>, b: ArrayLike<number>, offset: number): number };

/**
 * One gate: sums p of products with x, and q of those with h, each brought to 12 fractional bits, limited to int16, and
 * added with saturation, as addProductsInt8 does it. `b` has the biases for x, then for h; m, minus and plus as in
 * denseInt16. Working variables are parameters.
 */
export function gateInt16(
  i: number,
  v: number,
  w: number,
  p: ArrayLike<number>,
  q: ArrayLike<number>,
  b: Int32Array,
  m: number,
  minus: number,
  plus: number,
  hM: number,
  hMinus: number,
  hPlus: number,
  s: Int16Array,
  at: number,
  n: number,
): void {
  while (i--) {
    v = p[i] + b[i];
    v = ((v * m + (v < 0 ? minus : plus)) | 0) - 65536;
    w = q[i] + b[n + i];
    w = ((w * hM + (w < 0 ? hMinus : hPlus)) | 0) - 65536;
    v = (v < -32768 ? -32768 : v > 32767 ? 32767 : v) + (w < -32768 ? -32768 : w > 32767 ? 32767 : w);
    s[at + i] = v < -32768 ? -32768 : v > 32767 ? 32767 : v;
  }
}

type Gate = (x: Int8Array, h: Int8Array) => void;

/** Kernel: int8; as lstmInt8 of ops/lstm_integer.ts, with functions for the gates i, f, g and o. */
export function lstmInt8(
  x: Int8Array,
  h: Int8Array,
  c: Int16Array,
  y: Int8Array,
  s: Int16Array,
  g: Int16Array,
  gateI: Gate,
  gateF: Gate,
  gateG: Gate,
  gateO: Gate,
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
      const at = batch * n;
      const xs = x.subarray(row * inputs, (row + 1) * inputs);
      const hs = h.subarray(at, at + n);
      gateI(xs, hs);
      gateF(xs, hs);
      gateG(xs, hs);
      updateCellInt16(s, g, c, table, scales, at, n, clip);
      gateO(xs, hs);
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

/**
 * Kernel: float32, all gates, no peephole weights, normalization, projection or auxiliary input: as lstmFloat32 of
 * ops/lstm_float.ts. Rows of weights are those for x, for h, and the bias; `joined` is room for x and h, and a 1.
 */
export function lstmFloat32(
  x: Float32Array,
  h: Float32Array,
  c: Float32Array,
  y: Float32Array,
  s: Float32Array,
  joined: Float32Array,
  rows: Float32Array[],
  none: Float32Array,
  batches: number,
  steps: number,
  first: number,
  batchStride: number,
  timeStride: number,
  inputs: number,
  n: number,
  depth: number,
  offset: number,
  clip: number,
  outputClip: number,
  activation: number,
): void {
  for (let step = 0; step < steps; step++) {
    for (let batch = 0; batch < batches; batch++) {
      const row = first + batch * batchStride + step * timeStride;
      const at = batch * n;
      joined.set(x.subarray(row * inputs, (row + 1) * inputs));
      joined.set(h.subarray(at, at + n), inputs);
      s.set((rows as unknown as ArrayLike<number>[]).map(E.convolve.bind(E, joined)) as unknown as number[]);
      finishCell(s, c, none, none, none, none, none, none, none, none, at, n, 0, clip, activation);
      h.set(s.subarray(0, n), at);
      emitState(h, at, y, row * depth + offset, n, outputClip);
    }
  }
}
