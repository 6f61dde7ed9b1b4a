/**
 * Fourier transforms of INT16 and INT32, in fixed point as KISS FFT: factors have 15 or 31 fractional bits, products
 * are rounded to the nearest, and each stage divides by its radix, by multiplying with (largest value) / radix.
 */
import { srdhm } from '../lib/fixedpoint';
import { Argument, TypedArray } from '../lib/graph';
import { FftType } from './signal_fft';

/**
 * Kernel: combines three times m points in each block.
 * @param factor imaginary part of the third root of unity, 31 fractional bits
 * @param spare bits of an int32 that the type of y has not: 16 or 0
 */
export function radix3Integer<T extends Int16Array | Int32Array>(
  y: T,
  m: number,
  blocks: number,
  factor: number,
  spare: number,
): void {
  const m2 = 2 * m;
  for (let block = 0, i = 0; block < blocks; block++, i += 2 * m2) {
    for (const end = i + m2; i < end; i += 2) {
      const b = i + m2;
      const c = b + m2;
      const sumR = ((y[b] + y[c]) << spare) >> spare;
      const sumI = ((y[b + 1] + y[c + 1]) << spare) >> spare;
      const turnedR = srdhm(((y[b] - y[c]) << spare) >> spare, factor);
      const turnedI = srdhm(((y[b + 1] - y[c + 1]) << spare) >> spare, factor);
      const restR = y[i] - (sumR >> 1);
      const restI = y[i + 1] - (sumI >> 1);
      y[i] += sumR;
      y[i + 1] += sumI;
      y[b] = restR - turnedI;
      y[b + 1] = restI + turnedR;
      y[c] = restR + turnedI;
      y[c + 1] = restI - turnedR;
    }
  }
}

/**
 * Kernel: combines five times m points in each block.
 * @param aR first fifth root of unity, 31 fractional bits; bR: the second
 */
export function radix5Integer<T extends Int16Array | Int32Array>(
  y: T,
  m: number,
  blocks: number,
  aR: number,
  aI: number,
  bR: number,
  bI: number,
  spare: number,
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
      const outerR = ((y[b] + y[e]) << spare) >> spare;
      const outerI = ((y[b + 1] + y[e + 1]) << spare) >> spare;
      const innerR = ((y[c] + y[d]) << spare) >> spare;
      const innerI = ((y[c + 1] + y[d + 1]) << spare) >> spare;
      const outerDR = ((y[b] - y[e]) << spare) >> spare;
      const outerDI = ((y[b + 1] - y[e + 1]) << spare) >> spare;
      const innerDR = ((y[c] - y[d]) << spare) >> spare;
      const innerDI = ((y[c + 1] - y[d + 1]) << spare) >> spare;
      y[i] = r + outerR + innerR;
      y[i + 1] = s + outerI + innerI;
      const sumR = r + srdhm(outerR, aR) + srdhm(innerR, bR);
      const sumI = s + srdhm(outerI, aR) + srdhm(innerI, bR);
      const turnedR = srdhm(outerDI, aI) + srdhm(innerDI, bI);
      const turnedI = srdhm(outerDR, aI) + srdhm(innerDR, bI);
      y[b] = sumR - turnedR;
      y[b + 1] = sumI + turnedI;
      y[e] = sumR + turnedR;
      y[e + 1] = sumI - turnedI;
      const sum2R = r + srdhm(outerR, bR) + srdhm(innerR, aR);
      const sum2I = s + srdhm(outerI, bR) + srdhm(innerI, aR);
      const turned2R = srdhm(innerDI, aI) - srdhm(outerDI, bI);
      const turned2I = srdhm(outerDR, bI) - srdhm(innerDR, aI);
      y[c] = sum2R + turned2R;
      y[c + 1] = sum2I + turned2I;
      y[d] = sum2R - turned2R;
      y[d + 1] = sum2I - turned2I;
    }
  }
}

/** Kernel: int16. Divides by the radix, and multiplies all but the first m points of each block by twiddle factors. */
export function twiddleInt16(
  y: Int16Array,
  factors: Int16Array,
  radix: number,
  m: number,
  blocks: number,
  stride: number,
  scale: number,
): void {
  for (let block = 0, i = 0; block < blocks; block++) {
    for (const end = i + 2 * m; i < end; i++) y[i] = (y[i] * scale + 16384) >> 15;
    for (let q = 1; q < radix; q++) {
      for (let k = 0, f = 0; k < m; k++, f += 2 * q * stride, i += 2) {
        const r = (y[i] * scale + 16384) >> 15;
        const s = (y[i + 1] * scale + 16384) >> 15;
        y[i] = (r * factors[f] - s * factors[f + 1] + 16384) >> 15;
        y[i + 1] = (r * factors[f + 1] + s * factors[f] + 16384) >> 15;
      }
    }
  }
}

/** Kernel: int16. The spectrum of the real signal whose even and odd samples were transformed as complex points. */
export function toSpectrumInt16(y: Int16Array, factors: Int16Array, points: number): void {
  const last = 2 * points;
  const even = (y[0] * 16383 + 16384) >> 15;
  const odd = (y[1] * 16383 + 16384) >> 15;
  y[0] = even + odd;
  y[1] = 0;
  y[last] = even - odd;
  y[last + 1] = 0;
  for (let i = 2, j = last - 2; i <= j; i += 2, j -= 2) {
    const r = (y[i] * 16383 + 16384) >> 15;
    const s = (y[i + 1] * 16383 + 16384) >> 15;
    const r2 = (y[j] * 16383 + 16384) >> 15;
    const s2 = (((-y[j + 1] << 16) >> 16) * 16383 + 16384) >> 15;
    const dr = r - r2;
    const ds = s - s2;
    const tr = (((dr * factors[i - 2] - ds * factors[i - 1] + 16384) >> 15) << 16) >> 16;
    const ts = (((dr * factors[i - 1] + ds * factors[i - 2] + 16384) >> 15) << 16) >> 16;
    y[i] = (r + r2 + tr) >> 1;
    y[i + 1] = (s + s2 + ts) >> 1;
    y[j] = (r + r2 - tr) >> 1;
    y[j + 1] = (ts - s - s2) >> 1;
  }
}

/** Kernel: int16. The opposite of toSpectrumInt16; point k goes to places[k]. */
export function fromSpectrumInt16(
  x: Int16Array,
  y: Int16Array,
  factors: Int16Array,
  places: Uint16Array,
  points: number,
): void {
  const last = 2 * points;
  y[0] = ((((x[0] + x[last]) << 16) >> 16) * 16383 + 16384) >> 15;
  y[1] = ((((x[0] - x[last]) << 16) >> 16) * 16383 + 16384) >> 15;
  for (let k = 1; k <= points / 2; k++) {
    const i = 2 * k;
    const j = last - i;
    const r = (x[i] * 16383 + 16384) >> 15;
    const s = (x[i + 1] * 16383 + 16384) >> 15;
    const r2 = (x[j] * 16383 + 16384) >> 15;
    const s2 = (((-x[j + 1] << 16) >> 16) * 16383 + 16384) >> 15;
    const dr = r - r2;
    const ds = s - s2;
    const tr = (dr * factors[i - 2] - ds * factors[i - 1] + 16384) >> 15;
    const ts = (dr * factors[i - 1] + ds * factors[i - 2] + 16384) >> 15;
    const a = 2 * places[k];
    const b = 2 * places[points - k];
    y[a] = r + r2 + tr;
    y[a + 1] = s + s2 + ts;
    y[b] = r + r2 - tr;
    y[b + 1] = ts - s - s2;
  }
}

/** (a·b + c·d + 2³⁰) >> 31 for int32, wrapped to int32. */
export function productSum(a: number, b: number, c: number, d: number): number {
  const low = a * (b & 65535) + c * (d & 65535) + 1073741824;
  return Math.floor((a * (b >> 16) + c * (d >> 16) + Math.floor(low / 65536)) / 32768) | 0;
}

/** Kernel: int32, as twiddleInt16. */
export function twiddleInt32(
  y: Int32Array,
  factors: Int32Array,
  radix: number,
  m: number,
  blocks: number,
  stride: number,
  scale: number,
): void {
  for (let block = 0, i = 0; block < blocks; block++) {
    for (const end = i + 2 * m; i < end; i++) y[i] = srdhm(y[i], scale);
    for (let q = 1; q < radix; q++) {
      for (let k = 0, f = 0; k < m; k++, f += 2 * q * stride, i += 2) {
        const r = srdhm(y[i], scale);
        const s = srdhm(y[i + 1], scale);
        y[i] = productSum(r, factors[f], -s, factors[f + 1]);
        y[i + 1] = productSum(r, factors[f + 1], s, factors[f]);
      }
    }
  }
}

/** Kernel: int32, as toSpectrumInt16. */
export function toSpectrumInt32(y: Int32Array, factors: Int32Array, points: number): void {
  const last = 2 * points;
  const even = srdhm(y[0], 1073741823);
  const odd = srdhm(y[1], 1073741823);
  y[0] = even + odd;
  y[1] = 0;
  y[last] = even - odd;
  y[last + 1] = 0;
  for (let i = 2, j = last - 2; i <= j; i += 2, j -= 2) {
    const r = srdhm(y[i], 1073741823);
    const s = srdhm(y[i + 1], 1073741823);
    const r2 = srdhm(y[j], 1073741823);
    const s2 = srdhm(-y[j + 1] | 0, 1073741823);
    const tr = productSum(r - r2, factors[i - 2], s2 - s, factors[i - 1]);
    const ts = productSum(r - r2, factors[i - 1], s - s2, factors[i - 2]);
    y[i] = (r + r2 + tr) >> 1;
    y[i + 1] = (s + s2 + ts) >> 1;
    y[j] = (r + r2 - tr) >> 1;
    y[j + 1] = (ts - s - s2) >> 1;
  }
}

/** Kernel: int32, as fromSpectrumInt16. */
export function fromSpectrumInt32(
  x: Int32Array,
  y: Int32Array,
  factors: Int32Array,
  places: Uint16Array,
  points: number,
): void {
  const last = 2 * points;
  y[0] = srdhm((x[0] + x[last]) | 0, 1073741823);
  y[1] = srdhm((x[0] - x[last]) | 0, 1073741823);
  for (let k = 1; k <= points / 2; k++) {
    const i = 2 * k;
    const j = last - i;
    const r = srdhm(x[i], 1073741823);
    const s = srdhm(x[i + 1], 1073741823);
    const r2 = srdhm(x[j], 1073741823);
    const s2 = srdhm(-x[j + 1] | 0, 1073741823);
    const tr = productSum(r - r2, factors[i - 2], s2 - s, factors[i - 1]);
    const ts = productSum(r - r2, factors[i - 1], s - s2, factors[i - 2]);
    const a = 2 * places[k];
    const b = 2 * places[points - k];
    y[a] = r + r2 + tr;
    y[a + 1] = s + s2 + ts;
    y[b] = r + r2 - tr;
    y[b + 1] = ts - s - s2;
  }
}

/** Cosines and sines in turn, as multiples of 1 / largest. */
function fillFactors<T extends Int16Array | Int32Array>(table: T, phases: number[], largest: number): T {
  for (let i = 0; i < phases.length; i++) {
    table[2 * i] = Math.floor(0.5 + largest * Math.cos(phases[i]));
    table[2 * i + 1] = Math.floor(0.5 + largest * Math.sin(phases[i]));
  }
  return table;
}

function addRoots(args: Argument[], table: TypedArray, index: number, radix: number, spare: number): void {
  const unit = spare ? 65536 : 1;
  if (radix === 3) args.push(table[index + 1] * unit, spare);
  else {
    for (let i = index; i <= 2 * index; i += index) args.push(table[i] * unit, table[i + 1] * unit);
    args.push(spare);
  }
}

export const fftInt16: FftType = {
  type: 'INT16',
  factors: function (phases: number[]): TypedArray {
    return fillFactors(new Int16Array(2 * phases.length), phases, 32767);
  },
  scale: function (radix: number): number {
    return Math.floor(32767 / radix);
  },
  twiddle: twiddleInt16,
  radix3: radix3Integer,
  radix5: radix5Integer,
  addFactors: function (args: Argument[], twiddles: TypedArray, index: number, radix: number): void {
    addRoots(args, twiddles, index, radix, 16);
  },
  toSpectrum: toSpectrumInt16,
  fromSpectrum: fromSpectrumInt16,
};

export const fftInt32: FftType = {
  type: 'INT32',
  factors: function (phases: number[]): TypedArray {
    return fillFactors(new Int32Array(2 * phases.length), phases, 2147483647);
  },
  scale: function (radix: number): number {
    return Math.floor(2147483647 / radix);
  },
  twiddle: twiddleInt32,
  radix3: radix3Integer,
  radix5: radix5Integer,
  addFactors: function (args: Argument[], twiddles: TypedArray, index: number, radix: number): void {
    addRoots(args, twiddles, index, radix, 0);
  },
  toSpectrum: toSpectrumInt32,
  fromSpectrum: fromSpectrumInt32,
};
