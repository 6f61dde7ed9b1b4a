/** What the kernels of integer LSTMs are made of: gates in 12 fractional bits, the cell, its output. */
import { mbqm, mbqm64, requantize } from '../lib/fixedpoint';
import { sigmoidInt16, tanhInt16 } from './gates';
import { intAt } from './ints';

/** Limits to int16. */
export function clamp16(v: number): number {
  return v < -32768 ? -32768 : v > 32767 ? 32767 : v;
}

/**
 * s[at + u] += Σ w[u · n + i] · x[xAt + i] + bias[biasAt + u] over i < n, scaled by `multiplier` and `shift`, for
 * u < units. Both what is added and the sum are limited to int16.
 */
export function addProductsInt8(
  x: Int8Array,
  xAt: number,
  n: number,
  w: Int8Array,
  bias: Int32Array,
  biasAt: number,
  multiplier: number,
  shift: number,
  s: Int16Array,
  at: number,
  units: number,
): void {
  const end = xAt + n;
  const last = at + units;
  let p = 0;
  let count = 4;
  // four units together: each element of x that is read serves them all
  while (at < last) {
    let s0 = bias[biasAt++];
    let i = xAt;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    if (last - at < 4) {
      count = 1;
      for (; i < end; i++) s0 += x[i] * w[p++];
    } else {
      let q = p + n;
      let r = q + n;
      let t = r + n;
      s1 = bias[biasAt++];
      s2 = bias[biasAt++];
      s3 = bias[biasAt++];
      for (; i < end - 3; i += 4) {
        const v = x[i];
        const v1 = x[i + 1];
        const v2 = x[i + 2];
        const v3 = x[i + 3];
        s0 += v * w[p] + v1 * w[p + 1] + v2 * w[p + 2] + v3 * w[p + 3];
        s1 += v * w[q] + v1 * w[q + 1] + v2 * w[q + 2] + v3 * w[q + 3];
        s2 += v * w[r] + v1 * w[r + 1] + v2 * w[r + 2] + v3 * w[r + 3];
        s3 += v * w[t] + v1 * w[t + 1] + v2 * w[t + 2] + v3 * w[t + 3];
        p += 4;
        q += 4;
        r += 4;
        t += 4;
      }
      for (; i < end; i++) {
        const v = x[i];
        s0 += v * w[p++];
        s1 += v * w[q++];
        s2 += v * w[r++];
        s3 += v * w[t++];
      }
      p = t;
    }
    for (const next = at + count; at < next; at++) {
      s[at] = clamp16(s[at] + clamp16(mbqm(s0 | 0, multiplier, shift)));
      s0 = s1;
      s1 = s2;
      s2 = s3;
    }
  }
}

/** The same for int16 x; `bias` holds int64 numbers, low word first. */
export function addProductsInt16(
  x: Int16Array,
  xAt: number,
  n: number,
  w: Int8Array,
  bias: Int32Array,
  biasAt: number,
  multiplier: number,
  shift: number,
  s: Int16Array,
  at: number,
  units: number,
): void {
  const end = xAt + n;
  let p = 0;
  for (const last = at + units; at < last; at++) {
    let sum = intAt(bias, biasAt++, 2);
    for (let i = xAt; i < end; i++) sum += x[i] * w[p++];
    s[at] = clamp16(s[at] + clamp16(mbqm64(sum, multiplier, shift)));
  }
}

/**
 * One gate of `n` units before its activation, into s from `at` on. `scales` has the multiplier and the shift for the
 * products with x, then for those with h, from 4 · gate on; `bias` the folded biases for x, then for h.
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
  scales: Int32Array,
  gate: number,
  s: Int16Array,
  at: number,
  n: number,
): void {
  const k = 4 * gate;
  for (let u = 0; u < n; u++) s[at + u] = 0;
  addProductsInt8(x, xAt, inputs, w, bias, 2 * gate * n, scales[k], scales[k + 1], s, at, n);
  addProductsInt8(h, hAt, n, r, bias, (2 * gate + 1) * n, scales[k + 2], scales[k + 3], s, at, n);
}

/** The same for int16 x and h. */
export function gateInt16(
  x: Int16Array,
  xAt: number,
  inputs: number,
  w: Int8Array,
  h: Int16Array,
  hAt: number,
  r: Int8Array,
  bias: Int32Array,
  scales: Int32Array,
  gate: number,
  s: Int16Array,
  at: number,
  n: number,
): void {
  const k = 4 * gate;
  for (let u = 0; u < n; u++) s[at + u] = 0;
  addProductsInt16(x, xAt, inputs, w, bias, 2 * gate * n, scales[k], scales[k + 1], s, at, n);
  addProductsInt16(h, hAt, n, r, bias, (2 * gate + 1) * n, scales[k + 2], scales[k + 3], s, at, n);
}

/** Kernel: s[i] += t[i], limited to int16, for i < n. */
export function addInt16(s: Int16Array, t: Int16Array, n: number): void {
  for (let i = 0; i < n; i++) s[i] = clamp16(s[i] + t[i]);
}

/**
 * From the sums of the gates i, f (in s) and g to the new cell. Also a kernel, for one row.
 * @param scales multipliers and shifts for f · c and i · g, from 16 on
 * @param clip negative: none
 */
export function updateCellInt16(
  s: Int16Array,
  g: Int16Array,
  c: Int16Array,
  table: Uint16Array,
  scales: Int32Array,
  cAt: number,
  n: number,
  clip: number,
): void {
  sigmoidInt16(s, s, table, 2 * n, 3, 0);
  tanhInt16(g, g, table, n, 3, 0);
  for (let u = 0; u < n; u++) {
    const v = clamp16(
      clamp16(mbqm(s[n + u] * c[cAt + u], scales[16], scales[17])) +
        clamp16(mbqm(s[u] * g[u], scales[18], scales[19])),
    );
    c[cAt + u] = clip < 0 ? v : v < -clip ? -clip : v > clip ? clip : v;
  }
}

/**
 * From the sums of gate o (in s) and the new cell to the new state h and the output: o · tanh(c), with its multiplier and
 * shift in `scales` from 20 on. g is working memory. Also a kernel, for one row. h and y are both int8 or both int16.
 */
export function outputOfCellInt16(
  s: Int16Array,
  g: Int16Array,
  c: Int16Array,
  h: Int8Array | Int16Array,
  y: Int8Array | Int16Array,
  table: Uint16Array,
  scales: Int32Array,
  at: number,
  yAt: number,
  n: number,
  cellMultiplier: number,
  cellShift: number,
  zeroPoint: number,
  min: number,
  max: number,
): void {
  sigmoidInt16(s, s, table, n, 3, 0);
  for (let u = 0; u < n; u++) g[u] = c[at + u];
  tanhInt16(g, g, table, n, cellMultiplier, cellShift);
  for (let u = 0; u < n; u++) {
    h[at + u] = requantize(s[u] * g[u], scales[20], scales[21], zeroPoint, min, max);
    y[yAt + u] = h[at + u];
  }
}
