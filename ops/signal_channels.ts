/**
 * SignalFilterBankSpectralSubtraction, SignalPCAN, SignalFilterBankLog: from amplitudes in the channels of a filter
 * bank to what a model hears. All operands are one-dimensional.
 *
 * SignalFilterBankSpectralSubtraction (UINT32) → UINT32 less the noise, noise UINT32: the noise is a running mean, in
 *   fixed point; channels with odd numbers use the alternate factors.
 * SignalPCAN (UINT32, noise UINT32, gains INT16) → UINT32: gain control by a piecewise polynomial of the noise.
 * SignalFilterBankLog (UINT32) → INT16: output_scale · ln(x << input_correction_bits), at most 32767.
 */
import { clz, powerOf2 } from '../lib/fixedpoint';
import { Node, Operators, Preparation, TypedArray } from '../lib/graph';
import { describe } from '../lib/tensor';
import { expectShape, input, output } from './checks';
import { expectOperands, stateName, vector } from './custom';
import { customOptions, flagOption, FlexMap, integerOption } from './flexbuffer';
import { multiplyShift } from './uint64';

/** Kernel: takes from each channel the running mean of its noise, but leaves `remaining` · 2^−bits of it. */
export function spectralSubtraction(
  x: Uint32Array,
  noise: Uint32Array,
  y: Uint32Array,
  n: number,
  smoothing: number,
  rest: number,
  oddSmoothing: number,
  oddRest: number,
  smoothingBits: number,
  bits: number,
  remaining: number,
  clamping: number,
): void {
  for (let i = 0; i < n; i++) {
    const scaled = (x[i] << smoothingBits) >>> 0;
    let estimate =
      i & 1
        ? multiplyShift(scaled, oddSmoothing, noise[i], oddRest, bits)
        : multiplyShift(scaled, smoothing, noise[i], rest, bits);
    const floor = multiplyShift(x[i], remaining, 0, 0, bits);
    noise[i] = estimate;
    if (estimate > scaled) {
      estimate = scaled;
      if (clamping) noise[i] = estimate;
    }
    const left = (scaled - estimate) >>> smoothingBits;
    y[i] = left > floor ? left : floor;
  }
}

/**
 * Kernel: multiplies each channel by a gain that depends on its noise, and flattens it: x² / 4 below 2, x − 1 from
 * there on, where products have 12 fractional bits and results 6.
 * @param gains for noise 0, 1 and 2; then, for noise of 2, 3, … 32 bits, three coefficients of a polynomial and a gap
 */
export function pcan(
  x: Uint32Array,
  noise: Uint32Array,
  gains: Int16Array,
  y: Uint32Array,
  n: number,
  shift: number,
): void {
  for (let i = 0; i < n; i++) {
    const level = noise[i];
    let gain: number;
    if (level > 2) {
      const size = 32 - clz(level);
      const at = 4 * size - 6;
      const part = (size < 11 ? level << (11 - size) : level >>> (size - 11)) & 1023;
      const slope = ((gains[at + 2] * part) >> 5) + gains[at + 1] * 32;
      gain = ((gains[at] + ((((slope * part) | 0) + 16384) >> 15)) << 16) >> 16;
    } else gain = gains[level];
    const snr = multiplyShift(x[i], gain >>> 0, 0, 0, shift);
    y[i] = snr < 8192 ? (snr * snr) >>> 20 : (snr >>> 6) - 64;
  }
}

/**
 * Kernel: natural logarithms in fixed point: the integer part of log2 from the highest bit, the rest from a table.
 * As TFLM, whose interpolation between entries is shifted down by 16 bits, where it would have to be by 9.
 * @param table log2(1 + i / 128) − i / 128, with 16 fractional bits
 */
export function filterBankLog(
  x: Uint32Array,
  table: Uint16Array,
  y: Int16Array,
  n: number,
  scale: number,
  bits: number,
): void {
  for (let i = 0; i < n; i++) {
    const value = (x[i] << bits) >>> 0;
    let log = 0;
    if (value > 1) {
      const integer = 31 - clz(value);
      const rest = value - powerOf2(integer);
      const part = integer < 16 ? rest << (16 - integer) : rest >>> (integer - 16);
      const k = part >> 9;
      const low = table[k];
      const log2 = integer * 65536 + part + low + (((table[k + 1] - low) * (part & 511)) >> 16);
      const natural = Math.floor((45426 * log2 + 32768) / 65536);
      log = ((scale * natural + 32768) >>> 0) >>> 16;
    }
    y[i] = log < 32767 ? log : 32767;
  }
}

/** A factor, which TFLM takes as uint32. */
function factorOption(options: FlexMap, name: string, p: Preparation): number {
  return integerOption(options, name, -2147483648, 4294967295, p) >>> 0;
}

function prepareSpectralSubtraction(node: Node, p: Preparation): void {
  expectOperands(node, 1, 2, p);
  const options = customOptions(
    node,
    'smoothing one_minus_smoothing alternate_smoothing alternate_one_minus_smoothing smoothing_bits ' +
      'spectral_subtraction_bits min_signal_remaining clamping num_channels',
    p,
  );
  const channels = integerOption(options, 'num_channels', 0, 0xffffff, p);
  const x = vector(input(node, 0, p), 'UINT32', 'the input', p);
  const y = vector(output(node, 0, p), 'UINT32', 'the output', p);
  const estimates = vector(output(node, 1, p), 'UINT32', 'output 1', p);
  expectShape(x, [channels], 'the input', p);
  expectShape(y, [channels], 'the output', p);
  expectShape(estimates, [channels], 'output 1', p);
  const noise = p.state(stateName(node, 'noise'), 'UINT32', [channels], null);
  p.inPlace(x, y);
  p.step(spectralSubtraction, [
    x,
    noise,
    y,
    channels,
    factorOption(options, 'smoothing', p),
    factorOption(options, 'one_minus_smoothing', p),
    factorOption(options, 'alternate_smoothing', p),
    factorOption(options, 'alternate_one_minus_smoothing', p),
    integerOption(options, 'smoothing_bits', 0, 31, p),
    integerOption(options, 'spectral_subtraction_bits', 0, 63, p),
    factorOption(options, 'min_signal_remaining', p),
    flagOption(options, 'clamping'),
  ]);
  p.move(noise, 0, estimates, 0, noise.bytes);
}

function preparePcan(node: Node, p: Preparation): void {
  expectOperands(node, 3, 1, p);
  const shift = integerOption(customOptions(node, 'snr_shift', p), 'snr_shift', 0, 63, p);
  const x = vector(input(node, 0, p), 'UINT32', 'the input', p);
  const noise = vector(input(node, 1, p), 'UINT32', 'the noise', p);
  const gains = vector(input(node, 2, p), 'INT16', 'the gains', p);
  const y = vector(output(node, 0, p), 'UINT32', 'the output', p);
  expectShape(noise, x.shape, 'the noise', p);
  expectShape(y, x.shape, 'the output', p);
  if (gains.length < 125)
    p.fail('the gains must be 125, for noise of up to 32 bits, but they are ' + describe(gains));
  p.inPlace(x, y);
  p.step(pcan, [x, noise, gains, y, x.length, shift]);
}

/** The table of filterBankLog; it has one entry more than segments, and log2(2) − 1 is 0. */
function logTable(): TypedArray {
  const table = new Uint16Array(129);
  for (let i = 1; i < 128; i++) {
    table[i] = Math.floor(65536 * (Math.log(1 + i / 128) / Math.LN2 - i / 128) + 0.5);
  }
  return table;
}

function prepareLog(node: Node, p: Preparation): void {
  expectOperands(node, 1, 1, p);
  const options = customOptions(node, 'input_correction_bits output_scale', p);
  const bits = integerOption(options, 'input_correction_bits', 0, 31, p);
  const scale = factorOption(options, 'output_scale', p);
  const x = vector(input(node, 0, p), 'UINT32', 'the input', p);
  const y = vector(output(node, 0, p), 'INT16', 'the output', p);
  expectShape(y, x.shape, 'the output', p);
  p.step(filterBankLog, [x, logTable(), y, x.length, scale, bits]);
}

export const signalChannelOperators: Operators = {
  SignalFilterBankSpectralSubtraction: prepareSpectralSubtraction,
  SignalPCAN: preparePcan,
  SignalFilterBankLog: prepareLog,
};
