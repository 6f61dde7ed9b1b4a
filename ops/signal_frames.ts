/**
 * SignalWindow, SignalFramer, SignalStacker, SignalDelay, SignalOverlapAdd: signals in frames.
 *
 * SignalWindow (x [.., n], weights [m]): x · weights >> shift, saturated; n samples are a multiple of m. INT16.
 * SignalFramer (x [.., n]) → frames [.., n / frame_step, frame_size], valid []: frames of the signal that overlap, a new
 *   one every frame_step samples. Until there were enough samples for a frame, its place in the output is left alone
 *   and `valid` is false; with the option prefill, frame_size − frame_step zeros come first. INT16.
 * SignalStacker (x [num_channels]) → stack, valid []: the last left + 1 + right inputs, every stacker_step inputs; the
 *   first input counts left + 1 times. Otherwise `valid` is false, and the stack is left alone. INT16.
 * SignalDelay (x [.., n]): x as it was delay_length samples ago, 0 at first. INT16.
 * SignalOverlapAdd (x [.., frames, frame_size]) → [.., frames · frame_step]: the sum of frames that start frame_step
 *   samples after each other; INT16 (saturated at each addition), FLOAT32.
 *
 * TFLM keeps samples in circular buffers; here the newest sample is always last, and a frame moves in with one copy.
 * Where TFLM would take samples that are not there (a stacker_step of more than a stack, a frame_step of more than a
 * frame with prefill), the operator refuses.
 */
import { Node, Operators, Preparation, Tensor, TypedArray, View } from '../lib/graph';
import { copyBytes } from '../lib/prepare';
import { describe, elementBytes } from '../lib/tensor';
import { expectRank, expectShape, expectType, input, output } from './checks';
import { expectOperands, stateName } from './custom';
import { customOptions, flagOption, integerOption } from './flexbuffer';
import { expectOptionT } from './signal_fft';

/** Kernel: x · weights >> shift, saturated to int16; the weights again and again. */
export function applyWindow(
  x: Int16Array,
  weights: Int16Array,
  y: Int16Array,
  n: number,
  size: number,
  shift: number,
): void {
  for (let i = 0, k = 0; i < n; i++) {
    const value = (x[i] * weights[k]) >> shift;
    y[i] = value < -32768 ? -32768 : value > 32767 ? 32767 : value;
    if (++k === size) k = 0;
  }
}

/** Kernel: copies when as many frames as `least` have come. */
export function copyWhen(received: Int32Array, least: number, from: Uint8Array, to: Uint8Array): void {
  if (received[0] >= least) to.set(from);
}

/** Kernel: counts `frames` more, up to `needed`; valid: whether the first of them was enough. */
export function countFrames(received: Int32Array, frames: number, needed: number, valid: Uint8Array): void {
  const n = received[0];
  valid[0] = n >= needed - 1 ? 1 : 0;
  received[0] = n + frames < needed ? n + frames : needed;
}

/**
 * Kernel: takes an input into a stack of `size` inputs.
 * @param rest the stack without its first input; `start` without its last
 * @param received how many inputs not yet given out the stack holds; −1 before the first
 */
export function stack(
  x: Int16Array,
  stacked: Int16Array,
  start: Int16Array,
  rest: Int16Array,
  received: Int32Array,
  y: Int16Array,
  valid: Uint8Array,
  channels: number,
  size: number,
  left: number,
  step: number,
): void {
  let n = received[0] + 1;
  if (n) start.set(rest);
  else {
    n = left + 1;
    for (let i = size - n; i < size - 1; i++) stacked.set(x, i * channels);
  }
  stacked.set(x, (size - 1) * channels);
  valid[0] = n < size ? 0 : 1;
  if (n >= size) {
    y.set(stacked);
    n -= step;
  }
  received[0] = n;
}

/** Kernel: adds each frame of `size` samples to what is left of earlier ones, and gives out `step` samples. */
export function overlapAdd<T extends TypedArray>(
  x: T,
  buffer: T,
  y: T,
  rows: number,
  frames: number,
  size: number,
  step: number,
  min: number,
  max: number,
): void {
  let from = 0;
  let to = 0;
  for (let row = 0; row < rows; row++) {
    const start = row * size;
    for (let frame = 0; frame < frames; frame++) {
      for (let i = 0; i < size; i++) {
        let sum = x[from++] + buffer[start + i];
        sum = sum < min ? min : sum > max ? max : sum;
        if (i < step) y[to++] = sum;
        else buffer[start + i - step] = sum;
      }
      for (let i = start + size - step; i < start + size; i++) buffer[i] = 0;
    }
  }
}

/** Samples `from` to `from + length` of a tensor, as bytes. */
function bytesOf(tensor: Tensor, from: number, length: number): View {
  const size = elementBytes(tensor.type);
  return { of: tensor, type: 'UINT8', offset: from * size, length: length * size };
}

function emitCopy(from: Tensor, at: number, to: Tensor, toAt: number, length: number, p: Preparation): void {
  if (length > 0) p.step(copyBytes, [bytesOf(from, at, length), bytesOf(to, toAt, length)]);
}

/** Moves `length` samples from `at` on down by `step`, and puts as many of x, from `from` on, behind them. */
function emitShift(
  state: Tensor,
  at: number,
  length: number,
  step: number,
  x: Tensor,
  from: number,
  p: Preparation,
): void {
  emitCopy(state, at + step, state, at, length - step, p);
  emitCopy(x, from, state, at + length - step, step, p);
}

function last(tensor: Tensor): number {
  return tensor.shape[tensor.shape.length - 1];
}

/** Input 0, at least one-dimensional and not empty. */
function signal(node: Node, types: string, p: Preparation): Tensor {
  const x = input(node, 0, p);
  expectType(x, types, 'the input', p);
  if (!x.shape.length || !x.length) p.fail('the input must have samples, but it is ' + describe(x));
  return x;
}

function prepareWindow(node: Node, p: Preparation): void {
  expectOperands(node, 2, 1, p);
  const x = signal(node, 'INT16', p);
  const weights = input(node, 1, p);
  const y = output(node, 0, p);
  const shift = integerOption(customOptions(node, 'shift', p), 'shift', 0, 31, p);
  expectType(weights, 'INT16', 'the weights', p);
  expectType(y, 'INT16', 'the output', p);
  expectRank(weights, 1, 'the weights', p);
  expectShape(y, x.shape, 'the output', p);
  if (x.length % weights.length !== 0)
    p.fail('the input must be a multiple of ' + describe(weights) + ', but it is ' + describe(x));
  p.inPlace(x, y);
  p.step(applyWindow, [x, weights, y, x.length, weights.length, shift]);
}

function prepareFramer(node: Node, p: Preparation): void {
  expectOperands(node, 1, 2, p);
  const options = customOptions(node, 'frame_size frame_step prefill', p);
  const size = integerOption(options, 'frame_size', 1, 0x3fffffff, p);
  const step = integerOption(options, 'frame_step', 1, 0x3fffffff, p);
  const prefill = flagOption(options, 'prefill');
  const x = signal(node, 'INT16', p);
  const y = output(node, 0, p);
  const valid = output(node, 1, p);
  const samples = last(x);
  const frames = samples / step;
  const rows = x.length / samples;
  expectType(y, 'INT16', 'the frames', p);
  expectType(valid, 'BOOL', 'output 1', p);
  expectRank(valid, 0, 'output 1', p);
  expectRank(y, x.shape.length + 1, 'the frames', p);
  if (samples % step || y.length !== rows * frames * size)
    p.fail(
      'frames of ' +
        size +
        ' samples, one every ' +
        step +
        ', cannot turn ' +
        describe(x) +
        ' into ' +
        describe(y),
    );
  if (prefill && size < step)
    p.fail(
      'with prefill its option frame_size must be frame_step or more, but they are ' + size + ' and ' + step,
    );
  const needed = prefill ? 1 : Math.ceil(size / step);
  const kept = prefill ? size : needed * step;
  if (rows * kept > 0x3fffffff) p.fail('frames of ' + size + ' samples take too much memory');
  const state = p.state(stateName(node, 'samples'), 'INT16', [rows, kept], null);
  const received = needed > 1 ? p.state(stateName(node, 'frames'), 'INT32', [1], null) : null;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < frames; i++) {
      const frame = row * frames + i;
      emitShift(state, row * kept, kept, step, x, frame * step, p);
      const from = bytesOf(state, row * kept, size);
      const to = bytesOf(y, frame * size, size);
      if (received) p.step(copyWhen, [received, needed - 1 - i, from, to]);
      else p.step(copyBytes, [from, to]);
    }
  }
  if (received) p.step(countFrames, [received, frames, needed, valid]);
  else p.step(copyBytes, [new Uint8Array([1]), valid]);
}

function prepareStacker(node: Node, p: Preparation): void {
  expectOperands(node, 1, 2, p);
  const options = customOptions(
    node,
    'num_channels stacker_left_context stacker_right_context stacker_step',
    p,
  );
  const channels = integerOption(options, 'num_channels', 1, 65535, p);
  const left = integerOption(options, 'stacker_left_context', 0, 65535, p);
  const size = left + 1 + integerOption(options, 'stacker_right_context', 0, 65535, p);
  const step = integerOption(options, 'stacker_step', 1, size, p);
  const x = signal(node, 'INT16', p);
  const y = output(node, 0, p);
  const valid = output(node, 1, p);
  expectRank(x, 1, 'the input', p);
  expectType(y, 'INT16', 'the stack', p);
  expectType(valid, 'BOOL', 'output 1', p);
  expectRank(valid, 0, 'output 1', p);
  if (x.length < channels) p.fail('the input must have ' + channels + ' elements, but it is ' + describe(x));
  expectShape(y, [channels * size], 'the stack', p);
  const state = p.state(stateName(node, 'stack'), 'INT16', [size, channels], null);
  const received = p.state(stateName(node, 'received'), 'INT32', [1], new Int32Array([-1]));
  const part = (size - 1) * channels;
  p.step(stack, [
    { of: x, type: 'INT16', offset: 0, length: channels },
    state,
    { of: state, type: 'INT16', offset: 0, length: part },
    { of: state, type: 'INT16', offset: 2 * channels, length: part },
    received,
    y,
    valid,
    channels,
    size,
    left,
    step,
  ]);
}

function prepareDelay(node: Node, p: Preparation): void {
  expectOperands(node, 1, 1, p);
  const delay = integerOption(customOptions(node, 'delay_length', p), 'delay_length', 0, 0xffffff, p);
  const x = signal(node, 'INT16', p);
  const y = output(node, 0, p);
  expectType(y, 'INT16', 'the output', p);
  expectShape(y, x.shape, 'the output', p);
  if (!delay) return p.move(x, 0, y, 0, x.bytes);
  const n = last(x);
  const rows = x.length / n;
  if (rows * delay > 0x3fffffff) p.fail('a delay of ' + delay + ' samples takes too much memory');
  const state = p.state(stateName(node, 'samples'), 'INT16', [rows, delay], null);
  const late = Math.min(n, delay);
  for (let row = 0; row < rows; row++) {
    emitCopy(state, row * delay, y, row * n, late, p);
    emitCopy(x, row * n, y, row * n + late, n - late, p);
    emitShift(state, row * delay, delay, late, x, (row + 1) * n - late, p);
  }
}

function prepareOverlapAdd(node: Node, p: Preparation): void {
  expectOperands(node, 1, 1, p);
  const options = customOptions(node, 'T frame_step', p);
  const x = signal(node, 'INT16 FLOAT32', p);
  const y = output(node, 0, p);
  expectOptionT(options, x, p);
  expectType(y, x.type, 'the output', p);
  const rank = x.shape.length;
  if (rank < 2) p.fail('the input must have 2 dimensions or more, but it is ' + describe(x));
  const size = last(x);
  const frames = x.shape[rank - 2];
  const step = integerOption(options, 'frame_step', 0, size, p);
  const rows = x.length / (size * frames);
  expectRank(y, rank - 1, 'the output', p);
  if (y.length !== rows * frames * step)
    p.fail(
      'frames that start every ' + step + ' samples cannot turn ' + describe(x) + ' into ' + describe(y),
    );
  const state = p.state(stateName(node, 'sums'), x.type, [rows, size], null);
  const bounds = x.type === 'INT16' ? [-32768, 32767] : [-Infinity, Infinity];
  p.step(overlapAdd, [x, state, y, rows, frames, size, step, bounds[0], bounds[1]]);
}

export const signalFrameOperators: Operators = {
  SignalWindow: prepareWindow,
  SignalFramer: prepareFramer,
  SignalStacker: prepareStacker,
  SignalDelay: prepareDelay,
  SignalOverlapAdd: prepareOverlapAdd,
};
