/** Windows over the last readings: what layers that look back in time have in common, and the simple ones. */
import type { Tensor } from '../../lib/graph';
import { checkCount, checkValues, type Layer, type Stream, type Values } from './layer';
import { Sequence } from './sequence';
import type { StreamGraph } from './stream_graph';

export interface WindowSettings {
  /** Number of readings that are looked at. */
  taps: number;
  /** Readings from one of them to the next; 1: each. */
  dilation: number;
  /** Whether readings before the first one count as `initial`; otherwise outputs count only when the window is full. */
  causal: boolean;
  /** What the frames before the first reading are, oldest first, [(taps − 1) · dilation, ...shape]; null: 0. */
  initial: Values | null;
}

/** Frames kept of a stream: those before the current reading, in the variable `layer/frames`. */
export class Window {
  /** Readings from the oldest to the current one. */
  readonly span: number;
  private readonly initial: Values;

  constructor(
    layer: string,
    private readonly x: Stream,
    readonly settings: WindowSettings,
  ) {
    checkCount(layer, 'the window', settings.taps);
    checkCount(layer, 'the dilation', settings.dilation);
    this.span = (settings.taps - 1) * settings.dilation + 1;
    this.initial = settings.initial ?? new Float32Array((this.span - 1) * x.size);
    checkValues(layer, 'the initial value', this.initial, [this.span - 1, x.size]);
  }

  /** Frames of the window, oldest first, [1, span · size]. */
  emit(graph: StreamGraph, x: Tensor): Tensor {
    const { settings, span } = this;
    const counted = settings.causal && span > 1 ? graph.gated(x, this.x.warmup, 'counted') : x;
    return graph.window(counted, 'frames', this.initial, 'window');
  }

  /** The frames that are looked at, [1, taps, size]. */
  emitTaps(graph: StreamGraph, x: Tensor): Tensor {
    const { taps, dilation } = this.settings;
    const size = this.x.size;
    const frames = graph.reshape(this.emit(graph, x), [1, this.span, size], 'taps/all');
    if (dilation === 1 || taps === 1) return frames;
    const limits: [string, number[]][] = [
      ['taps/begin', [0, 0, 0]],
      ['taps/end', [1, this.span, size]],
      ['taps/strides', [1, dilation, 1]],
    ];
    const operands = limits.map(([name, values]) => graph.integers(name, values));
    return graph.op('STRIDED_SLICE', [frames, ...operands], 'taps', [1, taps, size], {});
  }

  /** The values that tap `tap` of the window sees at reading `t`; tap 0 is the oldest. */
  at(x: Sequence, t: number, tap: number): Float64Array {
    const { taps, dilation, causal } = this.settings;
    const from = t - (taps - 1 - tap) * dilation;
    if (from < 0) {
      const start = (this.span - 1 + from) * x.size;
      return Float64Array.from({ length: x.size }, (_, i) => this.initial[start + i]);
    }
    if (causal && from < this.x.warmup && this.span > 1) return new Float64Array(x.size);
    return x.row(from);
  }
}

/** Readings whose outputs of a window do not count. */
export function windowWarmup(x: Stream, settings: WindowSettings): number {
  return settings.causal ? x.warmup : x.warmup + (settings.taps - 1) * settings.dilation;
}

/** The mean, or the greatest value, of each feature over the last readings. */
export class Pooled implements Layer {
  readonly inputs: Stream[];
  private readonly window: Window;

  constructor(
    readonly output: Stream,
    x: Stream,
    settings: WindowSettings,
    private readonly reduction: 'MEAN' | 'REDUCE_MAX',
  ) {
    this.inputs = [x];
    this.window = new Window(output.name, x, settings);
  }

  emit(graph: StreamGraph, [x]: Tensor[]): Tensor {
    const taps = this.window.emitTaps(graph, x);
    const axis = graph.integers('axis', [1]);
    return graph.op(this.reduction, [taps, axis], '', [1, this.output.size], { keep_dims: false });
  }

  run([x]: Sequence[]): Sequence {
    const { taps } = this.window.settings;
    return x.map(x.size, (_, t) => {
      const rows = Array.from({ length: taps }, (_, tap) => this.window.at(x, t, tap));
      return this.reduction === 'MEAN'
        ? rows[0].map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / taps)
        : rows[0].map((_, i) => Math.max(...rows.map((row) => row[i])));
    });
  }
}

/** The last readings side by side, oldest first. */
export class Frames implements Layer {
  readonly inputs: Stream[];
  private readonly window: Window;

  constructor(
    readonly output: Stream,
    x: Stream,
    settings: WindowSettings,
  ) {
    this.inputs = [x];
    this.window = new Window(output.name, x, settings);
  }

  emit(graph: StreamGraph, [x]: Tensor[]): Tensor {
    return graph.reshape(this.window.emitTaps(graph, x), [1, this.output.size], '');
  }

  run([x]: Sequence[]): Sequence {
    return x.map(this.output.size, (_, t) => {
      const values = new Float64Array(this.output.size);
      for (let tap = 0; tap < this.window.settings.taps; tap++) {
        values.set(this.window.at(x, t, tap), tap * x.size);
      }
      return values;
    });
  }
}

/** x as it was some readings ago, or how much it has changed since then. */
export class Delayed implements Layer {
  readonly inputs: Stream[];
  private readonly window: Window;

  /** `settings` has two taps, `dilation` readings apart. */
  constructor(
    readonly output: Stream,
    private readonly x: Stream,
    settings: WindowSettings,
    private readonly difference: boolean,
  ) {
    this.inputs = [x];
    this.window = new Window(output.name, x, settings);
  }

  emit(graph: StreamGraph, [x]: Tensor[]): Tensor {
    const { settings } = this.window;
    const size = this.x.size;
    const now = settings.causal ? graph.gated(x, this.x.warmup, 'counted') : x;
    // only one old frame is looked at, so for one reading of delay nothing need be put together
    if (settings.dilation === 1) {
      const initial = settings.initial ?? new Float32Array(size);
      const state = graph.variable('frames', initial);
      const old = this.difference
        ? graph.binary('SUB', x, state.value, '')
        : graph.slice(state.value, 0, size, '');
      graph.assign(state, now);
      return old;
    }
    const window = this.window.emit(graph, x);
    const old = graph.slice(window, 0, size, this.difference ? 'old' : '');
    return this.difference ? graph.binary('SUB', x, old, '') : old;
  }

  run([x]: Sequence[]): Sequence {
    return x.map(x.size, (row, t) => {
      const old = this.window.at(x, t, 0);
      return this.difference ? row.map((value, i) => value - old[i]) : old;
    });
  }
}
