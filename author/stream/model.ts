/**
 * Builds models over streams: one step for each reading, with state that stays in named resource variables.
 *
 *     const m = new StreamModel({ seed: 1 });
 *     const x = m.input('accelerometer', 3); // in g
 *     const h = m.gru('gru', x, { units: 16 });
 *     m.output(m.dense('gesture', h, { units: 4, activation: 'softmax' }));
 *     const file = writeModel(m.graph()); // one step
 *     const [y] = m.run([recording]); // the whole sequence, in double precision
 *
 * A stream has a shape: [features], or [bands, channels] for spectra. Weights are laid out as in Keras and
 * TensorFlow.js. Graphs are FLOAT32 and consist of operators that TensorFlow Lite and TensorFlow Lite Micro run.
 */
import { random } from '../random';
import { type Activation, checkActivation } from './activations';
import { bandsOut, type BandSettings, BandPool, Convolution, ONE_BAND } from './convolution';
import { checkCount, checkValues, lastOf, stream, type Stream, type Values } from './layer';
import type * as options from './options';
import { Activated, Arithmetic, type ArithmeticOp, Concat, Dense, LeakyRelu, Reshaped } from './pointwise';
import { Input, Network, Normalization } from './network';
import { Gru, Lstm, SimpleRnn } from './recurrent';
import { MovingAverage, RunningNormalization } from './statistics';
import { Delayed, Frames, Pooled, type WindowSettings, windowWarmup } from './windows';

/** A model over streams. Methods add layers, in an order in which each is given before it is used. */
export class StreamModel extends Network {
  private readonly next;

  constructor(settings: options.StreamModelOptions = {}) {
    super(settings.description);
    this.next = random(settings.seed ?? 1);
  }

  /** An input: `shape` values at each reading. */
  input(name: string, shape: number | readonly number[]): Stream {
    const sizes = typeof shape === 'number' ? [shape] : [...shape];
    if (sizes.length < 1 || sizes.length > 2) {
      throw new Error(
        `input "${name}": a reading is [features] or [bands, channels], not [${sizes.join(', ')}]`,
      );
    }
    sizes.forEach((size) => checkCount(name, 'a size', size));
    return this.add(new Input(stream(name, sizes)));
  }

  /** act(x · kernel + bias), along the last dimension. */
  dense(name: string, x: Stream, o: options.DenseOptions): Stream {
    checkCount(name, 'units', o.units);
    const output = stream(name, [...x.shape.slice(0, -1), o.units], x.warmup);
    const kernel = o.kernel ?? this.glorot(lastOf(x), o.units, lastOf(x) * o.units);
    return this.add(new Dense(output, x, kernel, biasOf(o.bias, o.units), activationOf(name, o)));
  }

  /** Gated recurrent unit: state `name/h`. Formulas: recurrent.ts. */
  gru(name: string, x: Stream, o: options.GruOptions): Stream {
    const resetAfter = o.resetAfter ?? true;
    const weights = this.recurrentWeights(name, x, 3, resetAfter ? 2 : 1, o);
    return this.add(
      new Gru(stream(name, [o.units], x.warmup), x, weights, {
        resetAfter,
        activation: activationOf(name, o, 'tanh'),
        recurrentActivation: checkActivation(o.recurrentActivation ?? 'sigmoid', name),
        initial: o.initial ?? new Float32Array(o.units),
      }),
    );
  }

  /** Long short-term memory: state `name/h` and `name/c`. Formulas: recurrent.ts. */
  lstm(name: string, x: Stream, o: options.LstmOptions): Stream {
    return this.add(
      new Lstm(stream(name, [o.units], x.warmup), x, this.recurrentWeights(name, x, 4, 1, o), {
        activation: activationOf(name, o, 'tanh'),
        recurrentActivation: checkActivation(o.recurrentActivation ?? 'sigmoid', name),
        initialH: o.initialH ?? new Float32Array(o.units),
        initialC: o.initialC ?? new Float32Array(o.units),
      }),
    );
  }

  /** h ← act(x · kernel + h · recurrentKernel + bias): state `name/h`. */
  simpleRnn(name: string, x: Stream, o: options.SimpleRnnOptions): Stream {
    return this.add(
      new SimpleRnn(stream(name, [o.units], x.warmup), x, this.recurrentWeights(name, x, 1, 1, o), {
        activation: activationOf(name, o, 'tanh'),
        initial: o.initial ?? new Float32Array(o.units),
      }),
    );
  }

  /** Convolution over the last readings of [features]: earlier ones are kept in `name/frames`. */
  conv1d(name: string, x: Stream, o: options.Conv1dOptions): Stream {
    expectFlat(name, x);
    return this.convolution(name, x, o, o.filters, ONE_BAND, false);
  }

  /** Convolution over the last readings of each feature on its own; output c · multiplier + m comes from feature c. */
  depthwiseConv1d(name: string, x: Stream, o: options.DepthwiseConv1dOptions): Stream {
    expectFlat(name, x);
    return this.convolution(name, x, o, lastOf(x) * (o.multiplier ?? 1), ONE_BAND, true);
  }

  /** Convolution over the last readings and over bands of [bands, channels]. */
  conv2d(name: string, x: Stream, o: options.Conv2dOptions): Stream {
    expectBands(name, x);
    return this.convolution(name, x, o, o.filters, bandSettings(o), false);
  }

  /** Convolution over the last readings and over bands, of each channel on its own. */
  depthwiseConv2d(name: string, x: Stream, o: options.DepthwiseConv2dOptions): Stream {
    expectBands(name, x);
    return this.convolution(name, x, o, lastOf(x) * (o.multiplier ?? 1), bandSettings(o), true);
  }

  /** Mean over the last readings. */
  average(name: string, x: Stream, o: options.WindowOptions): Stream {
    const settings = windowSettings(o);
    return this.add(new Pooled(stream(name, x.shape, windowWarmup(x, settings)), x, settings, 'MEAN'));
  }

  /** Maximum over the last readings. */
  max(name: string, x: Stream, o: options.WindowOptions): Stream {
    const settings = windowSettings(o);
    return this.add(new Pooled(stream(name, x.shape, windowWarmup(x, settings)), x, settings, 'REDUCE_MAX'));
  }

  /** The last readings side by side, oldest first: [size · values]. */
  window(name: string, x: Stream, o: options.WindowOptions): Stream {
    const settings = windowSettings(o);
    return this.add(new Frames(stream(name, [o.size * x.size], windowWarmup(x, settings)), x, settings));
  }

  /** x some readings ago. */
  delay(name: string, x: Stream, o: options.LagOptions = {}): Stream {
    return this.lagged(name, x, o, false);
  }

  /** How much x has changed since some readings ago. */
  difference(name: string, x: Stream, o: options.LagOptions = {}): Stream {
    return this.lagged(name, x, o, true);
  }

  /** Mean or maximum over bands of [bands, channels]. */
  bandPool(name: string, x: Stream, o: options.BandOptions & { kind: 'average' | 'max' }): Stream {
    expectBands(name, x);
    const settings = bandSettings(o);
    const { count } = bandsOut(name, x.shape[0], settings);
    const output = stream(name, [count, lastOf(x)], x.warmup);
    return this.add(new BandPool(output, x, settings, o.kind === 'average'));
  }

  /**
   * gamma · (x − mean) / √(variance + epsilon) + beta along the last dimension, with fixed statistics. It goes into the
   * weights of a dense layer or convolution before it that has no activation and no other reader.
   */
  batchNormalization(name: string, x: Stream, o: options.BatchNormalizationOptions): Stream {
    const n = lastOf(x);
    const { gamma, beta, mean, variance, epsilon = 1e-3 } = o;
    for (const [what, values] of Object.entries({ gamma, beta, mean, variance })) {
      if (values) checkValues(name, what, values, [n]);
    }
    const scale = Float64Array.from({ length: n }, (_, i) => {
      const deviation = Math.sqrt(variance[i] + epsilon);
      if (!(deviation > 0)) throw new Error(`layer "${name}": variance ${i} is ${variance[i]}`);
      return (gamma ? gamma[i] : 1) / deviation;
    });
    const offset = scale.map((value, i) => (beta ? beta[i] : 0) - mean[i] * value);
    return this.add(new Normalization(stream(name, x.shape, x.warmup), x, scale, offset));
  }

  /** scale ⊙ x + offset along the last dimension: units, calibration. */
  scale(name: string, x: Stream, o: { scale: Values; offset: Values }): Stream {
    return this.add(new Normalization(stream(name, x.shape, x.warmup), x, o.scale, o.offset));
  }

  /** (x − mean) / √(variance + epsilon) with statistics that follow the stream: state `name/mean`, `name/variance`. */
  runningNormalization(name: string, x: Stream, o: options.RunningNormalizationOptions = {}): Stream {
    return this.add(
      new RunningNormalization(stream(name, x.shape, x.warmup), x, {
        rate: o.rate ?? 0.01,
        epsilon: o.epsilon ?? 1e-3,
        mean: o.mean ?? new Float32Array(x.size),
        variance: o.variance ?? new Float32Array(x.size).fill(1),
      }),
    );
  }

  /** Exponential moving average y ← y + rate · (x − y): state `name/average`. */
  movingAverage(name: string, x: Stream, o: options.MovingAverageOptions): Stream {
    const initial = o.initial ?? new Float32Array(x.size);
    return this.add(new MovingAverage(stream(name, x.shape, x.warmup), x, o.rate, initial));
  }

  /** Streams one after the other, along the last dimension. */
  concat(name: string, streams: Stream[]): Stream {
    if (streams.length < 2) throw new Error(`layer "${name}" needs at least two streams`);
    const front = streams[0].shape.slice(0, -1);
    for (const x of streams) {
      if (String(x.shape.slice(0, -1)) === String(front)) continue;
      throw new Error(
        `layer "${name}": "${x.name}" is ${x.shape.join(' × ')}, "${streams[0].name}" ${streams[0].shape.join(' × ')}`,
      );
    }
    const last = streams.reduce((sum, x) => sum + lastOf(x), 0);
    return this.add(new Concat(stream(name, [...front, last], warmupOf(streams)), streams));
  }

  /** Sum of streams of equal size; from the second on they may have one value. */
  sum(name: string, streams: Stream[]): Stream {
    return this.arithmetic(name, streams, 'ADD');
  }

  /** Product of streams of equal size; from the second on they may have one value. */
  multiply(name: string, streams: Stream[]): Stream {
    return this.arithmetic(name, streams, 'MUL');
  }

  /** The first stream less the others. */
  subtract(name: string, streams: Stream[]): Stream {
    return this.arithmetic(name, streams, 'SUB');
  }

  /** The greatest, one by one. */
  maximum(name: string, streams: Stream[]): Stream {
    return this.arithmetic(name, streams, 'MAXIMUM');
  }

  /** The least, one by one. */
  minimum(name: string, streams: Stream[]): Stream {
    return this.arithmetic(name, streams, 'MINIMUM');
  }

  /** An activation; softmax works along the last dimension. */
  activation(name: string, x: Stream, activation: Activation): Stream {
    return this.add(new Activated(stream(name, x.shape, x.warmup), x, checkActivation(activation, name)));
  }

  /** 1 / (1 + e⁻ˣ). */
  sigmoid(name: string, x: Stream): Stream {
    return this.activation(name, x, 'sigmoid');
  }

  tanh(name: string, x: Stream): Stream {
    return this.activation(name, x, 'tanh');
  }

  /** max(x, 0). */
  relu(name: string, x: Stream): Stream {
    return this.activation(name, x, 'relu');
  }

  /** eˣ over the sum of eˣ along the last dimension. */
  softmax(name: string, x: Stream): Stream {
    return this.activation(name, x, 'softmax');
  }

  /** x for x > 0, else alpha · x. */
  leakyRelu(name: string, x: Stream, alpha: number): Stream {
    return this.add(new LeakyRelu(stream(name, x.shape, x.warmup), x, alpha));
  }

  /** The same values in another shape: [features] or [bands, channels]. */
  reshape(name: string, x: Stream, shape: readonly number[]): Stream {
    if (shape.length < 1 || shape.length > 2) {
      throw new Error(
        `layer "${name}": a reading is [features] or [bands, channels], not [${shape.join(', ')}]`,
      );
    }
    return this.add(new Reshaped(stream(name, [...shape], x.warmup), x));
  }

  private convolution(
    name: string,
    x: Stream,
    o: options.Conv1dOptions | options.DepthwiseConv1dOptions,
    filters: number,
    bands: BandSettings,
    depthwise: boolean,
  ): Stream {
    checkCount(name, depthwise ? 'the multiplier' : 'filters', filters);
    const window = windowSettings(o);
    const channels = lastOf(x);
    const { count } = bandsOut(name, x.size / channels, bands);
    const shape = x.shape.length === 1 ? [filters] : [count, filters];
    const taps = window.taps * bands.size;
    const kernel =
      o.kernel ??
      this.glorot(
        depthwise ? taps : taps * channels,
        depthwise ? taps * (filters / channels) : taps * filters,
        taps * (depthwise ? filters : channels * filters),
      );
    const output = stream(name, shape, windowWarmup(x, window));
    const bias = biasOf(o.bias, filters);
    const activation = activationOf(name, o);
    return this.add(new Convolution(output, x, { window, bands, depthwise, kernel, bias, activation }));
  }

  private lagged(name: string, x: Stream, o: options.LagOptions, difference: boolean): Stream {
    checkCount(name, 'readings', o.readings ?? 1);
    const settings = windowSettings({ ...o, size: 2, dilation: o.readings ?? 1 });
    const output = stream(name, x.shape, windowWarmup(x, settings));
    return this.add(new Delayed(output, x, settings, difference));
  }

  private arithmetic(name: string, streams: Stream[], operation: ArithmeticOp): Stream {
    if (!streams.length) throw new Error(`layer "${name}" needs at least two streams`);
    return this.add(new Arithmetic(stream(name, streams[0].shape, warmupOf(streams)), streams, operation));
  }

  private recurrentWeights(
    name: string,
    x: Stream,
    gates: number,
    biases: number,
    o: { units: number; kernel?: Values; recurrentKernel?: Values; bias?: Values | null },
  ): { kernel: Values; recurrentKernel: Values; bias: Values | null } {
    expectFlat(name, x);
    checkCount(name, 'units', o.units);
    const n = gates * o.units;
    return {
      kernel: o.kernel ?? this.glorot(x.size, n, x.size * n),
      recurrentKernel: o.recurrentKernel ?? this.uniform(1 / Math.sqrt(o.units), o.units * n),
      bias: biasOf(o.bias, biases * n),
    };
  }

  /** Uniform weights whose limit follows from the number of inputs and outputs (Glorot and Bengio 2010). */
  private glorot(inputs: number, outputs: number, length: number): Float32Array {
    return this.uniform(Math.sqrt(6 / (inputs + outputs)), length);
  }

  private uniform(limit: number, length: number): Float32Array {
    return Float32Array.from({ length }, () => this.next.uniform(-limit, limit));
  }
}

function activationOf(
  name: string,
  o: { activation?: Activation },
  otherwise: Activation = 'linear',
): Activation {
  return checkActivation(o.activation ?? otherwise, name);
}

function biasOf(bias: Values | null | undefined, length: number): Values | null {
  return bias === undefined ? new Float32Array(length) : bias;
}

function warmupOf(streams: Stream[]): number {
  return Math.max(...streams.map((x) => x.warmup));
}

function windowSettings(o: options.WindowOptions): WindowSettings {
  const { size, dilation = 1, padding = 'causal', initial = null } = o;
  return { taps: size, dilation, causal: padding === 'causal', initial };
}

function bandSettings(o: options.BandOptions): BandSettings {
  const { bands = 1, bandStride = 1, bandDilation = 1, bandPadding = 'valid' } = o;
  return { size: bands, stride: bandStride, dilation: bandDilation, same: bandPadding === 'same' };
}

function expectFlat(name: string, x: Stream): void {
  if (x.shape.length === 1) return;
  throw new Error(`layer "${name}" takes [features], but "${x.name}" is ${x.shape.join(' × ')}: reshape it`);
}

function expectBands(name: string, x: Stream): void {
  if (x.shape.length === 2) return;
  throw new Error(
    `layer "${name}" takes [bands, channels], but "${x.name}" has ${x.size} features: reshape it`,
  );
}
