/** Converts layers of TensorFlow.js and Keras that look back in time: recurrent ones, convolutions, pooling. */
import {
  activation,
  bias,
  type Conversion,
  type Converter,
  count,
  fail,
  flag,
  only,
  type Time,
  type Value,
  weight,
  wholeWindow,
} from './import_layers';
import { lastOf, type Stream } from './stream/layer';
import type { BandOptions } from './stream/options';

/** The input of a recurrent layer; what cannot be done step by step is refused. */
function recurrentInput(c: Conversion, inputs: Value[]): { stream: Stream; time: Time | null } {
  const value = only(c, inputs);
  if (!value.time) fail(c, 'its input has no time axis');
  if (flag(c, 'go_backwards', false)) fail(c, 'goes backwards: it would need future readings');
  if (flag(c, 'return_state', false))
    fail(c, 'gives its state as an output (return_state), which cannot be converted');
  if (flag(c, 'time_major', false))
    fail(c, 'has its time axis first (time_major); it must come after the batch');
  if (value.time.rate !== 1) {
    fail(
      c,
      `comes after strides of ${value.time.rate} readings: its state would have to wait for several readings`,
    );
  }
  return { stream: value.stream, time: flag(c, 'return_sequences', false) ? value.time : null };
}

function recurrentWeights(
  c: Conversion,
  x: Stream,
  gates: number,
  biases: number[],
): { units: number; kernel: Float32Array; recurrentKernel: Float32Array; bias: Float32Array | null } {
  const units = count(c, 'units');
  if (x.shape.length !== 1) fail(c, `takes [features], but "${x.name}" is ${x.shape.join(' × ')}`);
  return {
    units,
    kernel: weight(c, 'kernel', [x.size, gates * units]),
    recurrentKernel: weight(c, 'recurrent_kernel', [units, gates * units]),
    bias: bias(c, [...biases, gates * units]),
  };
}

const gru: Converter = (c, inputs) => {
  const { stream, time } = recurrentInput(c, inputs);
  const resetAfter = flag(c, 'reset_after', false);
  const gates = {
    ...recurrentWeights(c, stream, 3, resetAfter ? [2] : []),
    resetAfter,
    activation: activation(c, 'activation', 'tanh'),
    recurrentActivation: activation(c, 'recurrent_activation', 'sigmoid'),
  };
  return { time, stream: c.model.gru(c.name, stream, gates) };
};

const lstm: Converter = (c, inputs) => {
  const { stream, time } = recurrentInput(c, inputs);
  const gates = {
    ...recurrentWeights(c, stream, 4, []),
    activation: activation(c, 'activation', 'tanh'),
    recurrentActivation: activation(c, 'recurrent_activation', 'sigmoid'),
  };
  return { time, stream: c.model.lstm(c.name, stream, gates) };
};

const simpleRnn: Converter = (c, inputs) => {
  const { stream, time } = recurrentInput(c, inputs);
  const weights = recurrentWeights(c, stream, 1, []);
  return {
    time,
    stream: c.model.simpleRnn(c.name, stream, {
      ...weights,
      activation: activation(c, 'activation', 'tanh'),
    }),
  };
};

/** One number for each of `dimensions`, given as such or as one for all. */
function sizes(c: Conversion, key: string, dimensions: number, otherwise?: number[]): number[] {
  const given = c.config[key] ?? otherwise;
  const list = Array.isArray(given) ? (given as unknown[]) : new Array<unknown>(dimensions).fill(given);
  const whole = list.every((size) => Number.isInteger(size) && (size as number) > 0);
  if (list.length !== dimensions || !whole) fail(c, `${key} is ${JSON.stringify(given)}`);
  return list as number[];
}

interface Moved {
  /** How the layer moves over time, in readings of the stream. */
  window: { size: number; dilation: number; padding: 'causal' | 'valid' };
  bands: BandOptions;
  time: Time;
}

/** How a kernel of [time] or [time, bands] moves over a value. */
function moved(c: Conversion, value: Value, kernel: number[], strides: number[], dilations: number[]): Moved {
  const { time, stream } = value;
  if (!time) fail(c, 'its input has no time axis');
  if (stream.shape.length !== kernel.length) {
    fail(c, `takes readings of ${kernel.length} dimensions, but "${stream.name}" has ${stream.shape.length}`);
  }
  if ((c.config.data_format ?? 'channels_last') !== 'channels_last')
    fail(c, 'data_format must be channels_last');
  const padding = String(c.config.padding ?? 'valid').toLowerCase();
  if (!['valid', 'same', 'causal'].includes(padding)) fail(c, `padding is "${padding}"`);
  const [size] = kernel;
  const [stride] = strides;
  if (padding === 'same' && size > 1) {
    fail(c, 'padding "same" over time looks at future readings; train with "causal" or "valid"');
  }
  const span = (size - 1) * dilations[0];
  const { length, rate, lag } = time;
  let next: Time = time;
  if (length === null) {
    if (stride > 1) {
      fail(
        c,
        `a stride of ${stride} over time gives no output at some readings; say how long the window is (window), ` +
          'or use a stride of 1',
      );
    }
  } else {
    const padded = padding === 'causal' ? length + span : length;
    const out = Math.floor((padded - span - 1) / stride) + 1;
    if (out < 1) fail(c, `looks at ${span + 1} readings, but there are only ${length}`);
    // what strides leave over lies at the end of the window
    const left = padded - span - 1 - (out - 1) * stride;
    next = { length: out, rate: rate * stride, lag: lag + left * rate };
  }
  return {
    window: { size, dilation: dilations[0] * rate, padding: padding === 'causal' ? 'causal' : 'valid' },
    bands: {
      bands: kernel[1],
      bandStride: strides[1],
      bandDilation: dilations[1],
      bandPadding: padding === 'same' ? 'same' : 'valid',
    },
    time: next,
  };
}

/** Conv1D, Conv2D and their depthwise forms. */
function convolution(dimensions: number, depthwise: boolean): Converter {
  return (c, inputs) => {
    const value = only(c, inputs);
    const { stream } = value;
    const kernelSize = sizes(c, 'kernel_size', dimensions);
    const strides = sizes(c, 'strides', dimensions, [1, 1].slice(0, dimensions));
    const dilations = sizes(c, 'dilation_rate', dimensions, [1, 1].slice(0, dimensions));
    if (count(c, 'groups', 1) !== 1) fail(c, 'groups cannot be converted');
    const { window, bands, time } = moved(c, value, kernelSize, strides, dilations);
    const channels = lastOf(stream);
    const multiplier = depthwise ? count(c, 'depth_multiplier', 1) : 1;
    const filters = depthwise ? channels * multiplier : count(c, 'filters');
    const shape = [...kernelSize, channels, depthwise ? multiplier : filters];
    const common = { ...window, bias: bias(c, [filters]), activation: activation(c) };
    const { model, name } = c;
    if (depthwise) {
      // Keras 3 calls it kernel
      const kernel = weight(
        c,
        c.weights.has(c.aliases, 'depthwise_kernel') ? 'depthwise_kernel' : 'kernel',
        shape,
      );
      const options = { ...common, multiplier, kernel };
      return {
        time,
        stream:
          dimensions === 1
            ? model.depthwiseConv1d(name, stream, options)
            : model.depthwiseConv2d(name, stream, { ...options, ...bands }),
      };
    }
    const options = { ...common, filters, kernel: weight(c, 'kernel', shape) };
    return {
      time,
      stream:
        dimensions === 1
          ? model.conv1d(name, stream, options)
          : model.conv2d(name, stream, { ...options, ...bands }),
    };
  };
}

/** SeparableConv1D and SeparableConv2D: depthwise, then a dense layer at each place. */
function separable(dimensions: number): Converter {
  return (c, inputs) => {
    const value = only(c, inputs);
    const channels = lastOf(value.stream);
    const kernelSize = sizes(c, 'kernel_size', dimensions);
    const ones = [1, 1].slice(0, dimensions);
    const { window, bands, time } = moved(
      c,
      value,
      kernelSize,
      sizes(c, 'strides', dimensions, ones),
      sizes(c, 'dilation_rate', dimensions, ones),
    );
    const multiplier = count(c, 'depth_multiplier', 1);
    const filters = count(c, 'filters');
    const kernel = weight(c, 'depthwise_kernel', [...kernelSize, channels, multiplier]);
    const options = { ...window, multiplier, kernel, bias: null };
    const each =
      dimensions === 1
        ? c.model.depthwiseConv1d(`${c.name}/depthwise`, value.stream, options)
        : c.model.depthwiseConv2d(`${c.name}/depthwise`, value.stream, { ...options, ...bands });
    const pointwise = weight(c, 'pointwise_kernel', [...ones, channels * multiplier, filters]);
    return {
      time,
      stream: c.model.dense(c.name, each, {
        units: filters,
        kernel: pointwise,
        bias: bias(c, [filters]),
        activation: activation(c),
      }),
    };
  };
}

/** Pooling over time, and over bands where readings have them. */
function pooling(dimensions: number, kind: 'average' | 'max'): Converter {
  return (c, inputs) => {
    const value = only(c, inputs);
    const pool = sizes(c, 'pool_size', dimensions, [2, 2].slice(0, dimensions));
    const strides = sizes(c, 'strides', dimensions, pool);
    const { window, bands, time } = moved(c, value, pool, strides, [1, 1].slice(0, dimensions));
    const overBands = dimensions === 2 && (pool[1] > 1 || strides[1] > 1);
    let { stream } = value;
    if (window.size > 1) stream = c.model[kind](overBands ? `${c.name}/time` : c.name, stream, window);
    if (overBands) stream = c.model.bandPool(c.name, stream, { ...bands, kind });
    return { time, stream };
  };
}

/** The mean or the maximum over the whole window, and over all bands. */
function globalPooling(kind: 'average' | 'max'): Converter {
  return (c, inputs) => {
    const value = only(c, inputs);
    if (!value.time) fail(c, 'its input has no time axis');
    if (flag(c, 'keepdims', false)) fail(c, 'keepdims cannot be converted');
    const { stream, window } = wholeWindow(c, value);
    const [bands] = stream.shape;
    if (stream.shape.length === 1) return { time: null, stream: c.model[kind](c.name, stream, window) };
    const overTime = c.model[kind](`${c.name}/time`, stream, window);
    const overBands = c.model.bandPool(`${c.name}/bands`, overTime, { bands, kind });
    return { time: null, stream: c.model.reshape(c.name, overBands, [lastOf(stream)]) };
  };
}

export const OVER_TIME: Record<string, Converter> = {
  GRU: gru,
  LSTM: lstm,
  SimpleRNN: simpleRnn,
  Conv1D: convolution(1, false),
  Conv2D: convolution(2, false),
  DepthwiseConv1D: convolution(1, true),
  DepthwiseConv2D: convolution(2, true),
  SeparableConv1D: separable(1),
  SeparableConv2D: separable(2),
  MaxPooling1D: pooling(1, 'max'),
  MaxPooling2D: pooling(2, 'max'),
  AveragePooling1D: pooling(1, 'average'),
  AveragePooling2D: pooling(2, 'average'),
  GlobalMaxPooling1D: globalPooling('max'),
  GlobalMaxPooling2D: globalPooling('max'),
  GlobalAveragePooling1D: globalPooling('average'),
  GlobalAveragePooling2D: globalPooling('average'),
};
