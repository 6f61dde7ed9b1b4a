/** Streaming convolutions: over time with frames kept in a variable, over bands within a reading. */
import type { Tensor } from '../../lib/graph';
import { type Activation, activate, FUSED } from './activations';
import { checkCount, checkValues, lastOf, type Layer, type Stream, type Values } from './layer';
import { scaleBias, scaleLast } from './pointwise';
import { Sequence } from './sequence';
import type { StreamGraph } from './stream_graph';
import { Window, type WindowSettings } from './windows';

/** How a kernel moves over the bands of one reading; a stream of rank 1 has one band. */
export interface BandSettings {
  /** Bands that the kernel covers. */
  size: number;
  stride: number;
  dilation: number;
  /** Whether bands beyond the edges count as 0, so that with stride 1 as many come out as went in. */
  same: boolean;
}

export const ONE_BAND: BandSettings = { size: 1, stride: 1, dilation: 1, same: false };

export interface ConvolutionWeights {
  /** [time, bands, channels, filters]; depthwise [time, bands, channels, multiplier]. */
  kernel: Values;
  /** [filters] or null; depthwise [channels · multiplier]. */
  bias: Values | null;
  activation: Activation;
}

export interface ConvolutionSettings extends ConvolutionWeights {
  window: WindowSettings;
  bands: BandSettings;
  depthwise: boolean;
}

/** Bands that come out, and bands of padding before the first, as TensorFlow counts them. */
export function bandsOut(
  layer: string,
  bands: number,
  settings: BandSettings,
): { count: number; before: number } {
  checkCount(layer, 'the kernel over bands', settings.size);
  checkCount(layer, 'the stride over bands', settings.stride);
  checkCount(layer, 'the dilation over bands', settings.dilation);
  const span = (settings.size - 1) * settings.dilation + 1;
  if (settings.same) {
    const count = Math.ceil(bands / settings.stride);
    const padding = Math.max(0, (count - 1) * settings.stride + span - bands);
    return { count, before: Math.floor(padding / 2) };
  }
  if (span > bands)
    throw new Error(`layer "${layer}": a kernel over ${span} bands, but there are only ${bands}`);
  return { count: Math.floor((bands - span) / settings.stride) + 1, before: 0 };
}

export class Convolution implements Layer {
  readonly inputs: Stream[];
  private readonly window: Window;
  /** Bands and channels that go in. */
  private readonly bands: number;
  private readonly channels: number;
  private readonly filters: number;

  constructor(
    readonly output: Stream,
    private readonly x: Stream,
    private readonly settings: ConvolutionSettings,
  ) {
    this.inputs = [x];
    const { window, bands, kernel, bias } = settings;
    this.channels = lastOf(x);
    this.bands = x.size / this.channels;
    this.filters = lastOf(output);
    this.window = new Window(output.name, x, window);
    const each = settings.depthwise ? this.filters / this.channels : this.filters;
    checkValues(output.name, 'the kernel', kernel, [window.taps, bands.size, this.channels, each]);
    if (bias) checkValues(output.name, 'the bias', bias, [this.filters]);
  }

  emit(graph: StreamGraph, [x]: Tensor[]): Tensor {
    const { window: settings, bands, activation, kernel, bias, depthwise } = this.settings;
    const frames = this.window.emit(graph, x);
    const fused = FUSED[activation];
    const name = fused === undefined ? 'sum' : '';
    // over one band without gaps, a convolution is a dense layer of the whole window
    if (!depthwise && this.bands === 1 && bands.size === 1 && settings.dilation === 1) {
      const y = graph.dense(frames, kernel, bias, this.filters, name, fused);
      return fused === undefined ? graph.activation(y, activation, '') : y;
    }
    const count = this.output.size / this.filters;
    const image = graph.reshape(frames, [1, this.window.span, this.bands, this.channels], 'image');
    const operands = [image, this.weights(graph)];
    // depthwise convolutions must have a bias in TensorFlow Lite Micro's optimized kernels
    operands.push(graph.constant('bias', [this.filters], bias ?? new Float32Array(this.filters)));
    const y = graph.op(
      depthwise ? 'DEPTHWISE_CONV_2D' : 'CONV_2D',
      operands,
      'conv',
      [1, 1, count, this.filters],
      {
        padding: bands.same ? 0 : 1,
        // a stride as high as the window: one row comes out, and "same" pads none over time
        stride_h: bands.same ? this.window.span : 1,
        stride_w: bands.stride,
        dilation_h_factor: settings.dilation,
        dilation_w_factor: bands.dilation,
        fused_activation_function: fused ?? 0,
        ...(depthwise ? { depth_multiplier: this.filters / this.channels } : {}),
      },
    );
    const acted = fused === undefined ? graph.activation(y, activation, 'activation') : y;
    return graph.reshape(acted, [1, this.output.size], '');
  }

  /** The kernel as TensorFlow Lite has it: [filters, time, bands, channels], or [1, time, bands, filters]. */
  private weights(graph: StreamGraph): Tensor {
    const { window, bands, kernel, depthwise } = this.settings;
    const { filters, channels } = this;
    if (depthwise) return graph.constant('kernel', [1, window.taps, bands.size, filters], kernel);
    const columns = window.taps * bands.size * channels;
    const rows = Float32Array.from({ length: columns * filters }, (_, i) => {
      const filter = Math.floor(i / columns);
      return kernel[(i % columns) * filters + filter];
    });
    return graph.constant('kernel', [filters, window.taps, bands.size, channels], rows);
  }

  run([x]: Sequence[]): Sequence {
    const { window, bands, activation, kernel, bias, depthwise } = this.settings;
    const { filters, channels } = this;
    const { before } = bandsOut(this.output.name, this.bands, bands);
    const count = this.output.size / filters;
    const multiplier = filters / channels;
    return x.map(this.output.size, (_, t) => {
      const y = new Float64Array(this.output.size);
      for (let out = 0; out < count; out++) {
        if (bias) for (let f = 0; f < filters; f++) y[out * filters + f] = bias[f];
        for (let tap = 0; tap < window.taps; tap++) {
          const frame = this.window.at(x, t, tap);
          for (let k = 0; k < bands.size; k++) {
            const band = out * bands.stride - before + k * bands.dilation;
            if (band < 0 || band >= this.bands) continue;
            for (let c = 0; c < channels; c++) {
              const value = frame[band * channels + c];
              const row = (tap * bands.size + k) * channels + c;
              if (depthwise) {
                for (let m = 0; m < multiplier; m++) {
                  y[out * filters + c * multiplier + m] += value * kernel[row * multiplier + m];
                }
              } else {
                for (let f = 0; f < filters; f++) y[out * filters + f] += value * kernel[row * filters + f];
              }
            }
          }
        }
      }
      return activate(y, activation, filters);
    });
  }

  scaled(scale: Values, offset: Values, output: Stream): Layer | null {
    const { settings } = this;
    if (settings.activation !== 'linear') return null;
    // the last two dimensions of a depthwise kernel are [channels, multiplier]: together they are the filters
    const kernel = scaleLast(settings.kernel, scale);
    return new Convolution(output, this.x, {
      ...settings,
      kernel,
      bias: scaleBias(settings.bias, scale, offset),
    });
  }
}

/** The mean or the greatest value over bands of each reading: [bands, channels] → [fewer bands, channels]. */
export class BandPool implements Layer {
  readonly inputs: Stream[];

  constructor(
    readonly output: Stream,
    private readonly x: Stream,
    private readonly settings: BandSettings,
    private readonly average: boolean,
  ) {
    this.inputs = [x];
  }

  emit(graph: StreamGraph, [x]: Tensor[]): Tensor {
    const channels = lastOf(this.x);
    const image = graph.reshape(x, [1, 1, this.x.size / channels, channels], 'image');
    const shape = [1, 1, this.output.size / channels, channels];
    const pooled = graph.op(this.average ? 'AVERAGE_POOL_2D' : 'MAX_POOL_2D', [image], 'pool', shape, {
      padding: this.settings.same ? 0 : 1,
      stride_h: 1,
      stride_w: this.settings.stride,
      filter_height: 1,
      filter_width: this.settings.size,
    });
    return graph.reshape(pooled, [1, this.output.size], '');
  }

  run([x]: Sequence[]): Sequence {
    const channels = lastOf(this.x);
    const bands = this.x.size / channels;
    const { before } = bandsOut(this.output.name, bands, this.settings);
    return x.map(this.output.size, (row) =>
      Float64Array.from({ length: this.output.size }, (_, i) => {
        const start = Math.floor(i / channels) * this.settings.stride - before;
        const seen: number[] = [];
        for (let band = Math.max(0, start); band < Math.min(bands, start + this.settings.size); band++) {
          seen.push(row[band * channels + (i % channels)]);
        }
        return this.average ? seen.reduce((a, b) => a + b, 0) / seen.length : Math.max(...seen);
      }),
    );
  }
}
