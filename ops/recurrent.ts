/**
 * What the recurrent operators' float kernels are made of: products with a row of the input or the state, layer
 * normalization, activations. All work on a part of an array, so that a kernel can walk through a sequence.
 */
import { tanh } from './gates';

/** An activation that is not among the fused ones, beside them: the sigmoid of a gate. */
export const SIGMOID = 6;

/** y[yAt + u] += Σ w[u · n + i] · x[xAt + i], over i < n, for u < units. */
export function addProductsFloat32(
  x: Float32Array,
  xAt: number,
  w: Float32Array,
  n: number,
  y: Float32Array,
  yAt: number,
  units: number,
): void {
  const end = xAt + n;
  const last = yAt + units;
  let p = 0;
  // four units together: each element of x that is read serves them all
  for (; yAt < last - 3; yAt += 4) {
    let q = p + n;
    let r = q + n;
    let t = r + n;
    let s0 = y[yAt];
    let s1 = y[yAt + 1];
    let s2 = y[yAt + 2];
    let s3 = y[yAt + 3];
    for (let i = xAt; i < end; i++) {
      const v = x[i];
      s0 += v * w[p++];
      s1 += v * w[q++];
      s2 += v * w[r++];
      s3 += v * w[t++];
    }
    y[yAt] = s0;
    y[yAt + 1] = s1;
    y[yAt + 2] = s2;
    y[yAt + 3] = s3;
    p = t;
  }
  for (; yAt < last; yAt++) {
    let sum = y[yAt];
    for (let i = xAt; i < end; i++) sum += x[i] * w[p++];
    y[yAt] = sum;
  }
}

/** y[yAt + i] = activation(y[yAt + i]) for i < n; `activation` is a fused one (TANH and SIGN_BIT too) or SIGMOID. */
export function activateFloat32(y: Float32Array, yAt: number, n: number, activation: number): void {
  const end = yAt + n;
  if (activation === SIGMOID) for (; yAt < end; yAt++) y[yAt] = 1 / (1 + Math.exp(-y[yAt]));
  else if (activation === 4) for (; yAt < end; yAt++) y[yAt] = tanh(y[yAt]);
  else if (activation === 5) for (; yAt < end; yAt++) y[yAt] = y[yAt] < 0 || 1 / y[yAt] < 0 ? 1 : 0;
  else if (activation) {
    const min = activation === 2 ? -1 : 0;
    const max = activation === 1 ? Infinity : activation === 2 ? 1 : 6;
    for (; yAt < end; yAt++) y[yAt] = y[yAt] < min ? min : y[yAt] > max ? max : y[yAt];
  }
}

/**
 * What follows the products of an LSTM's gate, on `n` sums in y: the cell through the peephole weights, layer
 * normalization, activation.
 * @param peephole n weights, or empty
 * @param norm n coefficients and n biases of the normalization, or empty
 */
export function finishGate(
  y: Float32Array,
  yAt: number,
  n: number,
  c: Float32Array,
  cAt: number,
  peephole: Float32Array,
  norm: Float32Array,
  activation: number,
): void {
  if (peephole.length) for (let i = 0; i < n; i++) y[yAt + i] += peephole[i] * c[cAt + i];
  if (norm.length) {
    let mean = 0;
    let variance = 0;
    for (let i = 0; i < n; i++) mean += y[yAt + i];
    mean /= n;
    for (let i = 0; i < n; i++) variance += (y[yAt + i] - mean) * (y[yAt + i] - mean);
    const inverse = 1 / Math.sqrt(variance / n + 1e-8);
    for (let i = 0; i < n; i++) y[yAt + i] = (y[yAt + i] - mean) * inverse * norm[i] + norm[n + i];
  }
  activateFloat32(y, yAt, n, activation);
}

/**
 * From the sums of an LSTM's gates to the output of its cells, for `n` cells:
 * c ← clip(f ⊙ c + i ⊙ g), and o ⊙ activation(c) into s[0..n).
 * Also a kernel, for one row.
 * @param s sums of the gates i, f, g, o; overwritten
 * @param none an empty array: g has no peephole weights
 * @param coupled not 0: 1 − f stands for i
 * @param clip 0: none
 */
export function finishCell(
  s: Float32Array,
  c: Float32Array,
  pi: Float32Array,
  pf: Float32Array,
  po: Float32Array,
  none: Float32Array,
  ni: Float32Array,
  nf: Float32Array,
  ng: Float32Array,
  no: Float32Array,
  cAt: number,
  n: number,
  coupled: number,
  clip: number,
  activation: number,
): void {
  // numbers for certain: else V8 boxes every result
  clip = +clip;
  if (!coupled) finishGate(s, 0, n, c, cAt, pi, ni, SIGMOID);
  finishGate(s, n, n, c, cAt, pf, nf, SIGMOID);
  finishGate(s, 2 * n, n, c, cAt, none, ng, activation);
  for (let u = 0; u < n; u++) {
    const f = s[n + u];
    let v = f * c[cAt + u] + (coupled ? 1 - f : s[u]) * s[2 * n + u];
    if (clip > 0) v = v < -clip ? -clip : v > clip ? clip : v;
    c[cAt + u] = v;
    s[u] = v;
  }
  finishGate(s, 3 * n, n, c, cAt, po, no, SIGMOID);
  activateFloat32(s, 0, n, activation);
  for (let u = 0; u < n; u++) s[u] *= s[3 * n + u];
}

/** Clips the new state h[hAt..hAt + n) to ±clip (0: not at all) and copies it to the output. */
export function emitState(
  h: Float32Array,
  hAt: number,
  y: Float32Array,
  yAt: number,
  n: number,
  clip: number,
): void {
  clip = +clip;
  for (const end = hAt + n; hAt < end; hAt++) {
    if (clip > 0) h[hAt] = h[hAt] < -clip ? -clip : h[hAt] > clip ? clip : h[hAt];
    y[yAt++] = h[hAt];
  }
}
