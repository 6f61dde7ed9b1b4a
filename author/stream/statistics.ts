/** Statistics that move with the stream: exponential moving average, running normalization. */
import type { Tensor } from '../../lib/graph';
import { checkShare, checkValues, type Layer, type Stream, type Values } from './layer';
import { Sequence } from './sequence';
import type { StreamGraph } from './stream_graph';

/** The share of a new reading, or 0 while readings do not count. */
function share(graph: StreamGraph, value: number, warmup: number): Tensor {
  const rate = graph.constant('rate', [1, 1], [value]);
  const ready = graph.ready(warmup);
  return ready ? graph.binary('MUL', rate, ready, 'rate/ready') : rate;
}

/** y ← y + rate · (x − y), with y in `layer/average`. */
export class MovingAverage implements Layer {
  readonly inputs: Stream[];

  constructor(
    readonly output: Stream,
    private readonly x: Stream,
    private readonly rate: number,
    private readonly initial: Values,
  ) {
    this.inputs = [x];
    checkShare(output.name, 'the rate', rate);
    checkValues(output.name, 'the initial average', initial, [x.size]);
  }

  emit(graph: StreamGraph, [x]: Tensor[]): Tensor {
    const state = graph.variable('average', this.initial);
    const rate = share(graph, this.rate, this.x.warmup);
    const moved = graph.binary('MUL', graph.binary('SUB', x, state.value, 'difference'), rate, 'moved');
    const next = graph.binary('ADD', state.value, moved, '');
    graph.assign(state, next);
    return next;
  }

  run([x]: Sequence[]): Sequence {
    let y = Float64Array.from(this.initial);
    return x.map(x.size, (row, t) => {
      if (t >= this.x.warmup) y = y.map((value, i) => value + this.rate * (row[i] - value));
      return y;
    });
  }
}

export interface NormalizationSettings {
  rate: number;
  epsilon: number;
  mean: Values;
  variance: Values;
}

/**
 * (x − mean) / √(variance + epsilon), with exponentially weighted mean and variance of all readings up to this one
 * (T. Finch, "Incremental calculation of weighted mean and variance", 2009), in `layer/mean` and `layer/variance`:
 *
 *     d = x − mean   mean ← mean + rate · d   variance ← variance + rate · ((1 − rate) · d² − variance)
 */
export class RunningNormalization implements Layer {
  readonly inputs: Stream[];

  constructor(
    readonly output: Stream,
    private readonly x: Stream,
    private readonly settings: NormalizationSettings,
  ) {
    this.inputs = [x];
    checkShare(output.name, 'the rate', settings.rate);
    if (!(settings.epsilon > 0)) {
      throw new Error(`layer "${output.name}": epsilon must be above 0, not ${settings.epsilon}`);
    }
    checkValues(output.name, 'the initial mean', settings.mean, [x.size]);
    checkValues(output.name, 'the initial variance', settings.variance, [x.size]);
  }

  emit(graph: StreamGraph, [x]: Tensor[]): Tensor {
    const { settings } = this;
    const mean = graph.variable('mean', settings.mean);
    const variance = graph.variable('variance', settings.variance);
    const rate = share(graph, settings.rate, this.x.warmup);
    const d = graph.binary('SUB', x, mean.value, 'difference');
    const nextMean = graph.binary('ADD', mean.value, graph.binary('MUL', d, rate, 'mean/moved'), 'mean/next');
    const rest = graph.constant('rest', [1], [1 - settings.rate]);
    const weighted = graph.binary('MUL', graph.binary('MUL', d, d, 'square'), rest, 'square/weighted');
    const change = graph.binary('SUB', weighted, variance.value, 'variance/difference');
    const moved = graph.binary('MUL', change, rate, 'variance/moved');
    const nextVariance = graph.binary('ADD', variance.value, moved, 'variance/next');
    const safe = graph.binary(
      'ADD',
      nextVariance,
      graph.constant('epsilon', [1], [settings.epsilon]),
      'variance/safe',
    );
    const centred = graph.binary('SUB', x, nextMean, 'centred');
    graph.assign(mean, nextMean);
    graph.assign(variance, nextVariance);
    return graph.binary('MUL', centred, graph.unary('RSQRT', safe, 'deviation'), '');
  }

  run([x]: Sequence[]): Sequence {
    const { rate, epsilon } = this.settings;
    let mean = Float64Array.from(this.settings.mean);
    let variance = Float64Array.from(this.settings.variance);
    return x.map(x.size, (row, t) => {
      if (t >= this.x.warmup) {
        const d = row.map((value, i) => value - mean[i]);
        mean = mean.map((value, i) => value + rate * d[i]);
        variance = variance.map((value, i) => value + rate * ((1 - rate) * d[i] ** 2 - value));
      }
      return row.map((value, i) => (value - mean[i]) / Math.sqrt(variance[i] + epsilon));
    });
  }
}
