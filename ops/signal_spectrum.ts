/**
 * SignalFftAutoScale, SignalEnergy, SignalFilterBank, SignalFilterBankSquareRoot: from samples before the transform to
 * amplitudes in the channels of a filter bank. All operands are one-dimensional or scalars.
 *
 * SignalFftAutoScale (x INT16) → x · 2^bits INT16, bits INT32 []: as far up as the largest |x| allows.
 * SignalEnergy (INT16 complex) → UINT32: squares of the bins from start_index to end_index; the others, which TFLM
 *   leaves as they are, become 0.
 * SignalFilterBank (energies UINT32, weights, unweights, frequency starts, weight starts, widths INT16) → UINT64: sums
 *   over bands that overlap: a bin counts with its weight for its own channel, and with its unweight for the next.
 *   Channel 0, which only passes on, is left out of the output. Operands need not be constant.
 * SignalFilterBankSquareRoot (UINT64, bits INT32 []) → UINT32: rounded roots >> bits.
 */
import { clz } from '../lib/fixedpoint';
import { Node, Operators, Preparation } from '../lib/graph';
import { describe } from '../lib/tensor';
import { expectShape, input, output } from './checks';
import { expectOperands, scalar, vector } from './custom';
import { customOptions, integerOption } from './flexbuffer';
import { squareRoot } from './uint64';

/** Kernel: scales up as far as int16 allows. */
export function autoScale(x: Int16Array, y: Int16Array, bits: Int32Array, n: number): void {
  let max = 0;
  for (let i = 0; i < n; i++) {
    // −(−32768) is −32768 in int16, and then whatever follows is larger, as in TFLM
    if (x[i] > max) max = x[i];
    else if (-x[i] > max) max = (-x[i] << 16) >> 16;
  }
  const scale = max > 0 ? clz(max) - 17 : 0;
  for (let i = 0; i < n; i++) y[i] = x[i] << scale;
  bits[0] = scale;
}

/** Kernel: squared magnitudes of the complex numbers from `start` to `end`, 0 for the others. */
export function energy(x: Int16Array, y: Uint32Array, n: number, start: number, end: number): void {
  for (let i = 0; i < n; i++) {
    const r = x[2 * i];
    const s = x[2 * i + 1];
    y[i] = i < start || i >= end ? 0 : r * r + s * s;
  }
}

/**
 * Kernel: sums of weighted energies, as low and high words.
 * @param channels number of channels in y; one more is computed before them, and passed on
 */
export function filterBank(
  x: Uint32Array,
  weights: Int16Array,
  unweights: Int16Array,
  starts: Int16Array,
  weightStarts: Int16Array,
  widths: Int16Array,
  y: Int32Array,
  channels: number,
): void {
  let high = 0;
  let low = 0;
  for (let channel = 0; channel <= channels; channel++) {
    let nextHigh = 0;
    let nextLow = 0;
    let i = starts[channel];
    let k = weightStarts[channel];
    for (let left = widths[channel]; left > 0;) {
      // 32 products of 47 bits fit the 53 bits of a number
      for (let n = left < 32 ? left : 32; n > 0; n--) {
        low += weights[k] * x[i];
        nextLow += unweights[k++] * x[i++];
      }
      left -= 32;
      const carry = Math.floor(low / 4294967296);
      const nextCarry = Math.floor(nextLow / 4294967296);
      low -= carry * 4294967296;
      nextLow -= nextCarry * 4294967296;
      high += carry;
      nextHigh += nextCarry;
    }
    if (channel) {
      y[2 * channel - 2] = low;
      y[2 * channel - 1] = high;
    }
    high = nextHigh;
    low = nextLow;
  }
}

/** Kernel: fails when a band of `filterBank` has no energies or no weights. */
export function checkBands(
  starts: Int16Array,
  weightStarts: Int16Array,
  widths: Int16Array,
  channels: number,
  energies: number,
  weights: number,
): void {
  for (let i = 0; i <= channels; i++) {
    const width = widths[i];
    if (
      width > 0 &&
      (starts[i] < 0 ||
        starts[i] + width > energies ||
        weightStarts[i] < 0 ||
        weightStarts[i] + width > weights)
    )
      throw new Error(
        'channel ' +
          i +
          ' takes ' +
          width +
          ' energies from ' +
          starts[i] +
          ' on and weights from ' +
          weightStarts[i] +
          ' on, but there are ' +
          energies +
          ' energies and ' +
          weights +
          ' weights',
      );
  }
}

/** Kernel: square roots of uint64, given as low and high words, shifted down. */
export function filterBankSquareRoot(x: Int32Array, bits: Int32Array, y: Uint32Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = squareRoot(x[2 * i + 1] >>> 0, x[2 * i] >>> 0) >>> bits[0];
}

function prepareAutoScale(node: Node, p: Preparation): void {
  expectOperands(node, 1, 2, p);
  const x = vector(input(node, 0, p), 'INT16', 'the input', p);
  const y = vector(output(node, 0, p), 'INT16', 'the output', p);
  const bits = scalar(output(node, 1, p), 'INT32', 'output 1', p);
  expectShape(y, x.shape, 'the output', p);
  p.inPlace(x, y);
  p.step(autoScale, [x, y, bits, x.length]);
}

function prepareEnergy(node: Node, p: Preparation): void {
  expectOperands(node, 1, 1, p);
  const options = customOptions(node, 'start_index end_index', p);
  const x = vector(input(node, 0, p), 'INT16', 'the input', p);
  const y = vector(output(node, 0, p), 'UINT32', 'the output', p);
  const end = integerOption(options, 'end_index', 0, Math.min(y.length, x.length >> 1), p);
  const start = integerOption(options, 'start_index', 0, end, p);
  p.step(energy, [x, y, y.length, start, end]);
}

function prepareFilterBank(node: Node, p: Preparation): void {
  expectOperands(node, 6, 1, p);
  const options = customOptions(node, 'num_channels', p);
  const x = vector(input(node, 0, p), 'UINT32', 'the input', p);
  const weights = vector(input(node, 1, p), 'INT16', 'the weights', p);
  const unweights = vector(input(node, 2, p), 'INT16', 'the unweights', p);
  const starts = vector(input(node, 3, p), 'INT16', 'the frequency starts', p);
  const weightStarts = vector(input(node, 4, p), 'INT16', 'the weight starts', p);
  const widths = vector(input(node, 5, p), 'INT16', 'the widths', p);
  const y = vector(output(node, 0, p), 'UINT64', 'the output', p);
  const most = Math.min(starts.length, Math.min(weightStarts.length, widths.length)) - 1;
  const channels = integerOption(options, 'num_channels', 0, most, p);
  if (y.length > channels) p.fail('there are ' + channels + ' channels, but the output is ' + describe(y));
  const weighted = Math.min(weights.length, unweights.length);
  if (starts.constant && weightStarts.constant && widths.constant) {
    try {
      checkBands(
        starts.data as Int16Array,
        weightStarts.data as Int16Array,
        widths.data as Int16Array,
        y.length,
        x.length,
        weighted,
      );
    } catch (error) {
      p.fail((error as Error).message);
    }
  } else p.step(checkBands, [starts, weightStarts, widths, y.length, x.length, weighted]);
  p.step(filterBank, [x, weights, unweights, starts, weightStarts, widths, y, y.length]);
}

function prepareSquareRoot(node: Node, p: Preparation): void {
  expectOperands(node, 2, 1, p);
  const x = vector(input(node, 0, p), 'UINT64', 'the input', p);
  const bits = scalar(input(node, 1, p), 'INT32', 'input 1', p);
  const y = vector(output(node, 0, p), 'UINT32', 'the output', p);
  expectShape(y, x.shape, 'the output', p);
  p.step(filterBankSquareRoot, [x, bits, y, x.length]);
}

export const signalSpectrumOperators: Operators = {
  SignalFftAutoScale: prepareAutoScale,
  SignalEnergy: prepareEnergy,
  SignalFilterBank: prepareFilterBank,
  SignalFilterBankSquareRoot: prepareSquareRoot,
};
