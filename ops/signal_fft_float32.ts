/** Fourier transforms of FLOAT32: nothing is scaled but the inverse, by 1 / fft_length. */
import { Argument, TypedArray } from '../lib/graph';
import { FftType } from './signal_fft';

/** Kernel: multiplies all but the first m points of each block by twiddle factors. */
export function twiddleFloat32(
  y: Float32Array,
  factors: Float32Array,
  radix: number,
  m: number,
  blocks: number,
  stride: number,
): void {
  for (let block = 0, i = 0; block < blocks; block++) {
    i += 2 * m;
    for (let q = 1; q < radix; q++) {
      for (let k = 0, f = 0; k < m; k++, f += 2 * q * stride, i += 2) {
        const r = y[i];
        const s = y[i + 1];
        y[i] = r * factors[f] - s * factors[f + 1];
        y[i + 1] = r * factors[f + 1] + s * factors[f];
      }
    }
  }
}

/** Kernel: combines three times m points in each block; `factor`: imaginary part of the third root of unity. */
export function radix3Float32(y: Float32Array, m: number, blocks: number, factor: number): void {
  const m2 = 2 * m;
  for (let block = 0, i = 0; block < blocks; block++, i += 2 * m2) {
    for (const end = i + m2; i < end; i += 2) {
      const b = i + m2;
      const c = b + m2;
      const sumR = y[b] + y[c];
      const sumI = y[b + 1] + y[c + 1];
      const turnedR = (y[b] - y[c]) * factor;
      const turnedI = (y[b + 1] - y[c + 1]) * factor;
      const restR = y[i] - sumR / 2;
      const restI = y[i + 1] - sumI / 2;
      y[i] += sumR;
      y[i + 1] += sumI;
      y[b] = restR - turnedI;
      y[b + 1] = restI + turnedR;
      y[c] = restR + turnedI;
      y[c + 1] = restI - turnedR;
    }
  }
}

/** Kernel: combines five times m points in each block; a and b are the first two fifth roots of unity. */
export function radix5Float32(
  y: Float32Array,
  m: number,
  blocks: number,
  aR: number,
  aI: number,
  bR: number,
  bI: number,
): void {
  const m2 = 2 * m;
  for (let block = 0, i = 0; block < blocks; block++, i += 4 * m2) {
    for (const end = i + m2; i < end; i += 2) {
      const b = i + m2;
      const c = b + m2;
      const d = c + m2;
      const e = d + m2;
      const r = y[i];
      const s = y[i + 1];
      const outerR = y[b] + y[e];
      const outerI = y[b + 1] + y[e + 1];
      const innerR = y[c] + y[d];
      const innerI = y[c + 1] + y[d + 1];
      const outerDR = y[b] - y[e];
      const outerDI = y[b + 1] - y[e + 1];
      const innerDR = y[c] - y[d];
      const innerDI = y[c + 1] - y[d + 1];
      y[i] = r + outerR + innerR;
      y[i + 1] = s + outerI + innerI;
      const sumR = r + outerR * aR + innerR * bR;
      const sumI = s + outerI * aR + innerI * bR;
      const turnedR = outerDI * aI + innerDI * bI;
      const turnedI = outerDR * aI + innerDR * bI;
      y[b] = sumR - turnedR;
      y[b + 1] = sumI + turnedI;
      y[e] = sumR + turnedR;
      y[e + 1] = sumI - turnedI;
      const sum2R = r + outerR * bR + innerR * aR;
      const sum2I = s + outerI * bR + innerI * aR;
      const turned2R = innerDI * aI - outerDI * bI;
      const turned2I = outerDR * bI - innerDR * aI;
      y[c] = sum2R + turned2R;
      y[c + 1] = sum2I + turned2I;
      y[d] = sum2R - turned2R;
      y[d + 1] = sum2I - turned2I;
    }
  }
}

/** Kernel: the spectrum of the real signal whose even and odd samples were transformed as complex points. */
export function toSpectrumFloat32(y: Float32Array, factors: Float32Array, points: number): void {
  const last = 2 * points;
  const even = y[0];
  y[0] = even + y[1];
  y[last] = even - y[1];
  y[1] = 0;
  y[last + 1] = 0;
  for (let i = 2, j = last - 2; i <= j; i += 2, j -= 2) {
    const dr = y[i] - y[j];
    const ds = y[i + 1] + y[j + 1];
    const sr = y[i] + y[j];
    const ss = y[i + 1] - y[j + 1];
    const tr = dr * factors[i - 2] - ds * factors[i - 1];
    const ts = dr * factors[i - 1] + ds * factors[i - 2];
    y[i] = (sr + tr) / 2;
    y[i + 1] = (ss + ts) / 2;
    y[j] = (sr - tr) / 2;
    y[j + 1] = (ts - ss) / 2;
  }
}

/** Kernel: the opposite of toSpectrumFloat32, divided by the length of the signal; point k goes to places[k]. */
export function fromSpectrumFloat32(
  x: Float32Array,
  y: Float32Array,
  factors: Float32Array,
  places: Uint16Array,
  points: number,
): void {
  const last = 2 * points;
  y[0] = (x[0] + x[last]) / last;
  y[1] = (x[0] - x[last]) / last;
  for (let k = 1; k <= points / 2; k++) {
    const i = 2 * k;
    const j = last - i;
    const dr = x[i] - x[j];
    const ds = x[i + 1] + x[j + 1];
    const sr = x[i] + x[j];
    const ss = x[i + 1] - x[j + 1];
    const tr = dr * factors[i - 2] - ds * factors[i - 1];
    const ts = dr * factors[i - 1] + ds * factors[i - 2];
    const a = 2 * places[k];
    const b = 2 * places[points - k];
    y[a] = (sr + tr) / last;
    y[a + 1] = (ss + ts) / last;
    y[b] = (sr - tr) / last;
    y[b + 1] = (ts - ss) / last;
  }
}

export const fftFloat32: FftType = {
  type: 'FLOAT32',
  factors: function (phases: number[]): TypedArray {
    const table = new Float32Array(2 * phases.length);
    for (let i = 0; i < phases.length; i++) {
      table[2 * i] = Math.cos(phases[i]);
      table[2 * i + 1] = Math.sin(phases[i]);
    }
    return table;
  },
  scale: function (): number {
    return 0;
  },
  twiddle: twiddleFloat32,
  radix3: radix3Float32,
  radix5: radix5Float32,
  addFactors: function (args: Argument[], twiddles: TypedArray, index: number, radix: number): void {
    if (radix === 3) args.push(twiddles[index + 1]);
    else args.push(twiddles[index], twiddles[index + 1], twiddles[2 * index], twiddles[2 * index + 1]);
  },
  toSpectrum: toSpectrumFloat32,
  fromSpectrum: fromSpectrumFloat32,
};
