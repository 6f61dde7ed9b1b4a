/** Converts layers of TensorFlow.js and Keras, each into the layers over streams that do the same. */
import type { Config } from './import_topology';
import type { WeightSet } from './import_weights';
import { ACTIVATIONS, type Activation } from './stream/activations';
import { lastOf, type Stream } from './stream/layer';
import type { StreamModel } from './stream/model';

/** The time axis of a value: readings in the order in which they come. */
export interface Time {
  /** How many there are in the window that the model looks at; null: a stream without end. */
  length: number | null;
  /** Readings from one of them to the next: the product of strides so far. */
  rate: number;
  /** How many readings ago the last one was: what strides leave over at the end of the window. */
  lag: number;
}

/** What a layer gives: a stream, and what is left of the time axis (null: one value for all readings). */
export interface Value {
  stream: Stream;
  time: Time | null;
}

/** A layer while it is converted. */
export interface Conversion {
  model: StreamModel;
  weights: WeightSet;
  name: string;
  kind: string;
  config: Config;
  /** Names under which weights may stand. */
  aliases: string[];
  /** Version of Keras that wrote the model, as far as it is known. */
  kerasVersion: string;
}

export type Converter = (c: Conversion, inputs: Value[]) => Value;

export function fail(c: Conversion, message: string): never {
  throw new Error(`layer "${c.name}" (${c.kind}): ${message}`);
}

/** A whole number of the configuration. */
export function count(c: Conversion, key: string, otherwise?: number): number {
  const value = c.config[key] ?? otherwise;
  if (typeof value !== 'number' || !Number.isInteger(value)) fail(c, `${key} is ${JSON.stringify(value)}`);
  return value;
}

export function flag(c: Conversion, key: string, otherwise: boolean): boolean {
  const value = c.config[key] ?? otherwise;
  if (typeof value !== 'boolean') fail(c, `${key} is ${JSON.stringify(value)}`);
  return value;
}

function real(c: Conversion, key: string, otherwise: number): number {
  const value = c.config[key] ?? otherwise;
  if (typeof value !== 'number') fail(c, `${key} is ${JSON.stringify(value)}`);
  return value;
}

/** The activation that a layer names. */
export function activation(c: Conversion, key = 'activation', otherwise: Activation = 'linear'): Activation {
  const given = c.config[key] ?? otherwise;
  const name = String((given as { class_name?: string }).class_name ?? given)
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
  const known = name === 'silu' ? 'swish' : name;
  if (!(ACTIVATIONS as readonly string[]).includes(known)) {
    fail(c, `the activation "${name}" cannot be converted; those that can are ${ACTIVATIONS.join(', ')}`);
  }
  if (known === 'hard_sigmoid' && c.kerasVersion.startsWith('3')) {
    fail(c, 'the hard_sigmoid of Keras 3 differs from that of TensorFlow.js; use sigmoid');
  }
  return known as Activation;
}

export function weight(c: Conversion, name: string, shape: number[]): Float32Array {
  return c.weights.get(c.aliases, name, shape);
}

/** The bias, or null where the layer has none. */
export function bias(c: Conversion, shape: number[]): Float32Array | null {
  return flag(c, 'use_bias', true) ? weight(c, 'bias', shape) : null;
}

/** The only input of a layer. */
export function only(c: Conversion, inputs: Value[]): Value {
  if (inputs.length !== 1) fail(c, `takes one input here, not ${inputs.length}`);
  return inputs[0];
}

/** The window over all that is left of the time axis: the layer at the end of it needs its length. */
export function wholeWindow(
  c: Conversion,
  value: Value,
): { stream: Stream; window: { size: number; dilation: number; padding: 'valid' } } {
  const time = value.time!;
  if (time.length === null) {
    fail(
      c,
      'takes a whole window, but the model takes streams of any length: say how long the window is (window)',
    );
  }
  const stream = time.lag
    ? c.model.delay(`${c.name}/lag`, value.stream, { readings: time.lag, padding: 'valid' })
    : value.stream;
  return { stream, window: { size: time.length, dilation: time.rate, padding: 'valid' } };
}

const dense: Converter = (c, inputs) => {
  const { stream, time } = only(c, inputs);
  const units = count(c, 'units');
  const kernel = weight(c, 'kernel', [lastOf(stream), units]);
  return {
    stream: c.model.dense(c.name, stream, {
      units,
      kernel,
      bias: bias(c, [units]),
      activation: activation(c),
    }),
    time,
  };
};

/** A layer that only matters in training. */
const ignored: Converter = (c, inputs) => only(c, inputs);

function activated(c: Conversion, value: Value, act: Activation): Value {
  return act === 'linear' ? value : { ...value, stream: c.model.activation(c.name, value.stream, act) };
}

const softmax: Converter = (c, inputs) => {
  const value = only(c, inputs);
  expectLastAxis(c, value, c.config.axis ?? -1);
  return activated(c, value, 'softmax');
};

const relu: Converter = (c, inputs) => {
  const value = only(c, inputs);
  const top = c.config.max_value ?? null;
  const slope = real(c, 'negative_slope', 0);
  if (real(c, 'threshold', 0) !== 0) fail(c, 'a threshold other than 0 cannot be converted');
  if (top !== null && (top !== 6 || slope)) fail(c, `max_value can be 6 or nothing, not ${String(top)}`);
  if (slope) return { ...value, stream: c.model.leakyRelu(c.name, value.stream, slope) };
  return activated(c, value, top === 6 ? 'relu6' : 'relu');
};

const leakyRelu: Converter = (c, inputs) => {
  const value = only(c, inputs);
  const alpha = real(c, 'alpha', real(c, 'negative_slope', 0.3));
  return { ...value, stream: c.model.leakyRelu(c.name, value.stream, alpha) };
};

const elu: Converter = (c, inputs) => {
  if (real(c, 'alpha', 1) !== 1) fail(c, 'an alpha other than 1 cannot be converted');
  return activated(c, only(c, inputs), 'elu');
};

/** @throws Error when an axis is not the last one; counted with the batch and the time */
export function expectLastAxis(c: Conversion, value: Value, given: unknown): void {
  const axis = Array.isArray(given) && given.length === 1 ? given[0] : given;
  const rank = value.stream.shape.length + (value.time ? 2 : 1);
  if (axis !== -1 && axis !== rank - 1)
    fail(c, `works along axis ${JSON.stringify(given)}; only the last one can be`);
}

const batchNormalization: Converter = (c, inputs) => {
  const value = only(c, inputs);
  expectLastAxis(c, value, c.config.axis ?? -1);
  const shape = [lastOf(value.stream)];
  return {
    ...value,
    stream: c.model.batchNormalization(c.name, value.stream, {
      gamma: flag(c, 'scale', true) ? weight(c, 'gamma', shape) : undefined,
      beta: flag(c, 'center', true) ? weight(c, 'beta', shape) : undefined,
      mean: weight(c, 'moving_mean', shape),
      variance: weight(c, 'moving_variance', shape),
      epsilon: real(c, 'epsilon', 1e-3),
    }),
  };
};

/** One number for each value of the last dimension, given as such or as one for all. */
function eachValue(c: Conversion, key: string, x: Stream, otherwise: number): number[] {
  const given = c.config[key] ?? otherwise;
  const list: unknown[] = Array.isArray(given) ? given : new Array<unknown>(lastOf(x)).fill(given);
  if (list.length !== lastOf(x) || !list.every((n) => typeof n === 'number')) {
    fail(c, `${key} is ${JSON.stringify(given)}`);
  }
  return list as number[];
}

const rescaling: Converter = (c, inputs) => {
  const { stream, time } = only(c, inputs);
  const factors = { scale: eachValue(c, 'scale', stream, 1), offset: eachValue(c, 'offset', stream, 0) };
  return { time, stream: c.model.scale(c.name, stream, factors) };
};

/** Keras's normalization of features: (x − mean) / max(√variance, 1e-7). */
const normalization: Converter = (c, inputs) => {
  const value = only(c, inputs);
  const { stream, time } = value;
  expectLastAxis(c, value, c.config.axis ?? -1);
  if (flag(c, 'invert', false)) fail(c, 'invert cannot be converted');
  const mean = weight(c, 'mean', [lastOf(stream)]);
  const scale = Float64Array.from(weight(c, 'variance', [lastOf(stream)]), (variance) =>
    variance >= 0 ? 1 / Math.max(Math.sqrt(variance), 1e-7) : fail(c, `has the variance ${variance}`),
  );
  const offset = scale.map((factor, i) => -mean[i] * factor);
  return { time, stream: c.model.scale(c.name, stream, { scale, offset }) };
};

/** All that is left of the time axis side by side, or only the values of one reading. */
const flatten: Converter = (c, inputs) => {
  const value = only(c, inputs);
  if (!value.time) return flat(c, value);
  const { stream, window } = wholeWindow(c, value);
  return { stream: c.model.window(c.name, stream, window), time: null };
};

function flat(c: Conversion, value: Value): Value {
  const { stream } = value;
  return stream.shape.length === 1
    ? value
    : { ...value, stream: c.model.reshape(c.name, stream, [stream.size]) };
}

const reshape: Converter = (c, inputs) => {
  const value = only(c, inputs);
  const target = c.config.target_shape;
  if (!Array.isArray(target) || !target.every(Number.isInteger)) fail(c, 'has no target_shape');
  const shape = target as number[];
  const { time, stream } = value;
  const rest = shape.slice(1);
  const values = rest.reduce((product, n) => product * n, 1);
  if (time && rest.length && values === stream.size && (shape[0] === time.length || shape[0] === -1)) {
    if (rest.length > 2) fail(c, `makes readings of ${rest.length} dimensions; they can have 1 or 2`);
    return { time, stream: c.model.reshape(c.name, stream, rest) };
  }
  if (shape.length === 1) {
    const size = stream.size * (time?.length ?? 1);
    if (shape[0] === -1 || shape[0] === size) return flatten(c, inputs);
  }
  return fail(c, `the target shape [${shape.join(', ')}] mixes the time axis with others`);
};

function merged(combine: (c: Conversion, streams: Stream[]) => Stream): Converter {
  return (c, inputs) => {
    const [first] = inputs;
    if (inputs.length < 2) fail(c, 'takes at least two inputs');
    for (const { time, stream } of inputs) {
      const same = JSON.stringify(time) === JSON.stringify(first.time);
      if (same && (!time || stream.warmup === first.stream.warmup)) continue;
      fail(c, `its inputs "${first.stream.name}" and "${stream.name}" do not stand for the same readings`);
    }
    // the same stream twice is two operands all the same
    return {
      time: first.time,
      stream: combine(
        c,
        inputs.map(({ stream }) => stream),
      ),
    };
  };
}

const concatenate: Converter = (c, inputs) => {
  if (inputs.length) expectLastAxis(c, inputs[0], c.config.axis ?? -1);
  return merged(({ model, name }, streams) => model.concat(name, streams))(c, inputs);
};

const average = merged(({ model, name }, streams) => {
  const sum = model.sum(`${name}/sum`, streams);
  const n = lastOf(sum);
  return model.scale(name, sum, {
    scale: new Array<number>(n).fill(1 / streams.length),
    offset: new Float32Array(n),
  });
});

export const POINTWISE: Record<string, Converter> = {
  Dense: dense,
  Activation: (c, inputs) => activated(c, only(c, inputs), activation(c)),
  ReLU: relu,
  LeakyReLU: leakyRelu,
  ELU: elu,
  Softmax: softmax,
  BatchNormalization: batchNormalization,
  Normalization: normalization,
  Rescaling: rescaling,
  Flatten: flatten,
  Reshape: reshape,
  Dropout: ignored,
  SpatialDropout1D: ignored,
  SpatialDropout2D: ignored,
  GaussianNoise: ignored,
  GaussianDropout: ignored,
  AlphaDropout: ignored,
  ActivityRegularization: ignored,
  Add: merged(({ model, name }, streams) => model.sum(name, streams)),
  Subtract: merged(({ model, name }, streams) => model.subtract(name, streams)),
  Multiply: merged(({ model, name }, streams) => model.multiply(name, streams)),
  Maximum: merged(({ model, name }, streams) => model.maximum(name, streams)),
  Minimum: merged(({ model, name }, streams) => model.minimum(name, streams)),
  Average: average,
  Concatenate: concatenate,
};
