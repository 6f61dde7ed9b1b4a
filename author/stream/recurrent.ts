/** Recurrent layers: gated recurrent unit, long short-term memory, simple recurrent layer. */
import type { Tensor } from '../../lib/graph';
import { type Activation, activate } from './activations';
import { checkValues, type Layer, type Stream, type Values } from './layer';
import { affine, Sequence } from './sequence';
import type { StreamGraph } from './stream_graph';

/** Weights as Keras and TensorFlow.js have them; `gates` is 3 for a GRU, 4 for an LSTM, 1 for a simple layer. */
export interface RecurrentWeights {
  /** [inputs, gates · units]. Gates: z, r, n (GRU); i, f, g, o (LSTM). */
  kernel: Values;
  /** [units, gates · units]. */
  recurrentKernel: Values;
  /** [gates · units]; for a GRU with reset_after [2, 3 · units]: of the inputs, of the state. null: none. */
  bias: Values | null;
}

/** What the recurrent layers have in common. */
abstract class Recurrent implements Layer {
  readonly inputs: Stream[];
  protected readonly units: number;

  constructor(
    readonly output: Stream,
    protected readonly x: Stream,
    protected readonly weights: RecurrentWeights,
    protected readonly gates: number,
    biases: number,
  ) {
    this.inputs = [x];
    this.units = output.size;
    checkValues(output.name, 'the kernel', weights.kernel, [x.size, gates * this.units]);
    checkValues(output.name, 'the recurrent kernel', weights.recurrentKernel, [
      this.units,
      gates * this.units,
    ]);
    if (weights.bias) checkValues(output.name, 'the bias', weights.bias, [biases * gates * this.units]);
  }

  abstract emit(graph: StreamGraph, inputs: Tensor[]): Tensor;
  abstract run(inputs: Sequence[]): Sequence;

  /** Columns of gates `from` up to `to` of a kernel. */
  protected columns(kernel: Values, from: number, to: number): Float64Array {
    const { units, gates } = this;
    const width = (to - from) * units;
    return Float64Array.from({ length: (kernel.length / gates) * (to - from) }, (_, i) => {
      const row = Math.floor(i / width);
      return kernel[row * gates * units + from * units + (i % width)];
    });
  }

  /** The next state, or the initial one as long as the inputs do not count. */
  protected settle(graph: StreamGraph, next: Tensor, initial: Values, suffix: string): Tensor {
    const ready = graph.ready(this.x.warmup);
    if (!ready) return next;
    const last = suffix ? `${suffix}/` : '';
    if (Array.from(initial).every((value) => value === 0)) return graph.binary('MUL', next, ready, suffix);
    const start = graph.constant(`${last}start`, next.shape, initial);
    const moved = graph.binary(
      'MUL',
      graph.binary('SUB', next, start, `${last}moved`),
      ready,
      `${last}gated`,
    );
    return graph.binary('ADD', moved, start, suffix);
  }

  /** Suffix of the last operator before `settle`, which takes the layer's own name if it does anything. */
  protected last(suffix = ''): string {
    return this.x.warmup ? `${suffix ? `${suffix}/` : ''}new` : suffix;
  }
}

export interface GruSettings {
  resetAfter: boolean;
  activation: Activation;
  recurrentActivation: Activation;
  initial: Values;
}

/**
 * Gated recurrent unit (Cho et al. 2014). With σ the recurrent activation, a = x·W + b, and z, r, n the three gates:
 *
 *     z = σ(a_z + h·U_z)   r = σ(a_r + h·U_r)   h ← n + z ⊙ (h − n)
 *     reset after:   n = tanh(a_n + r ⊙ (h·U_n + c_n)), and z and r have biases c too
 *     reset before:  n = tanh(a_n + (r ⊙ h)·U_n)
 */
export class Gru extends Recurrent {
  constructor(
    output: Stream,
    x: Stream,
    weights: RecurrentWeights,
    private readonly settings: GruSettings,
  ) {
    super(output, x, weights, 3, settings.resetAfter ? 2 : 1);
    checkValues(output.name, 'the initial state', settings.initial, [output.size]);
  }

  private biases(): [Values | null, Values | null] {
    const { bias } = this.weights;
    if (!bias || !this.settings.resetAfter) return [bias, null];
    const half = bias.length / 2;
    return [Array.from(bias).slice(0, half), Array.from(bias).slice(half)];
  }

  emit(graph: StreamGraph, [x]: Tensor[]): Tensor {
    const { units, weights, settings } = this;
    const [b, c] = this.biases();
    const state = graph.variable('h', settings.initial);
    const h = state.value;
    const [xz, xr, xn] = graph.split(graph.dense(x, weights.kernel, b, 3 * units, 'x/gates'), [
      'x/z',
      'x/r',
      'x/n',
    ]);
    const { recurrentKernel } = weights;
    const gate = (name: string, a: Tensor, u: Tensor): Tensor =>
      graph.activation(graph.binary('ADD', a, u, `${name}/sum`), settings.recurrentActivation, name);
    let hn: Tensor;
    let z: Tensor;
    if (settings.resetAfter) {
      const gates = graph.dense(h, recurrentKernel, c, 3 * units, 'h/gates');
      const [hz, hr, candidate] = graph.split(gates, ['h/z', 'h/r', 'h/n']);
      z = gate('z', xz, hz);
      hn = graph.binary('MUL', gate('r', xr, hr), candidate, 'n/reset');
    } else {
      const gates = graph.dense(h, this.columns(recurrentKernel, 0, 2), null, 2 * units, 'h/gates');
      const [hz, hr] = graph.split(gates, ['h/z', 'h/r']);
      z = gate('z', xz, hz);
      const reset = graph.binary('MUL', gate('r', xr, hr), h, 'h/reset');
      hn = graph.dense(reset, this.columns(recurrentKernel, 2, 3), null, units, 'h/n');
    }
    const n = graph.activation(graph.binary('ADD', xn, hn, 'n/sum'), settings.activation, 'n');
    const kept = graph.binary('MUL', z, graph.binary('SUB', h, n, 'difference'), 'kept');
    const next = this.settle(graph, graph.binary('ADD', n, kept, this.last()), settings.initial, '');
    graph.assign(state, next);
    return next;
  }

  run([x]: Sequence[]): Sequence {
    const { units, weights, settings } = this;
    const [b, c] = this.biases();
    const candidateKernel = this.columns(weights.recurrentKernel, 2, 3);
    const sigma = (value: number): number =>
      activate(Float64Array.of(value), settings.recurrentActivation, 1)[0];
    let h: Float64Array = Float64Array.from(settings.initial);
    return x.map(units, (row, t) => {
      if (t < this.x.warmup) return h;
      const a = affine(row, weights.kernel, 3 * units, b);
      const u = affine(h, weights.recurrentKernel, 3 * units, c);
      const r = h.map((_, i) => sigma(a[units + i] + u[units + i]));
      const reset = settings.resetAfter
        ? r.map((value, i) => value * u[2 * units + i])
        : affine(
            r.map((value, i) => value * h[i]),
            candidateKernel,
            units,
            null,
          );
      const n = activate(
        reset.map((value, i) => a[2 * units + i] + value),
        settings.activation,
        units,
      );
      h = h.map((value, i) => {
        const z = sigma(a[i] + u[i]);
        return z * value + (1 - z) * n[i];
      });
      return h;
    });
  }
}

export interface LstmSettings {
  activation: Activation;
  recurrentActivation: Activation;
  initialH: Values;
  initialC: Values;
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997, with forget gate). With a = x·W + h·U + b:
 *
 *     i = σ(a_i)   f = σ(a_f)   g = tanh(a_g)   o = σ(a_o)   c ← f ⊙ c + i ⊙ g   h ← o ⊙ tanh(c)
 */
export class Lstm extends Recurrent {
  constructor(
    output: Stream,
    x: Stream,
    weights: RecurrentWeights,
    private readonly settings: LstmSettings,
  ) {
    super(output, x, weights, 4, 1);
    checkValues(output.name, 'the initial state h', settings.initialH, [output.size]);
    checkValues(output.name, 'the initial state c', settings.initialC, [output.size]);
  }

  emit(graph: StreamGraph, [x]: Tensor[]): Tensor {
    const { units, weights, settings } = this;
    const h = graph.variable('h', settings.initialH);
    const c = graph.variable('c', settings.initialC);
    const fromX = graph.dense(x, weights.kernel, weights.bias, 4 * units, 'x/gates');
    const fromH = graph.dense(h.value, weights.recurrentKernel, null, 4 * units, 'h/gates');
    const sums = graph.split(
      graph.binary('ADD', fromX, fromH, 'gates'),
      ['i', 'f', 'g', 'o'].map((gate) => `${gate}/sum`),
    );
    const [i, f, g, o] = ['i', 'f', 'g', 'o'].map((gate, k) =>
      graph.activation(sums[k], gate === 'g' ? settings.activation : settings.recurrentActivation, gate),
    );
    const kept = graph.binary('MUL', f, c.value, 'c/kept');
    const added = graph.binary('MUL', i, g, 'c/added');
    const cell = graph.binary('ADD', kept, added, this.last('c/next'));
    const nextC = this.settle(graph, cell, settings.initialC, 'c/next');
    graph.assign(c, nextC);
    const squashed = graph.activation(nextC, settings.activation, 'c/activation');
    const nextH = this.settle(graph, graph.binary('MUL', o, squashed, this.last()), settings.initialH, '');
    graph.assign(h, nextH);
    return nextH;
  }

  run([x]: Sequence[]): Sequence {
    const { units, weights, settings } = this;
    let h: Float64Array = Float64Array.from(settings.initialH);
    let c: Float64Array = Float64Array.from(settings.initialC);
    return x.map(units, (row, t) => {
      if (t < this.x.warmup) return h;
      const a = affine(row, weights.kernel, 4 * units, weights.bias);
      const u = affine(h, weights.recurrentKernel, 4 * units, null);
      const sums = a.map((value, k) => value + u[k]);
      const gate = (k: number): Float64Array =>
        activate(
          sums.subarray(k * units, (k + 1) * units),
          k === 2 ? settings.activation : settings.recurrentActivation,
          units,
        );
      const [i, f, g, o] = [0, 1, 2, 3].map(gate);
      c = c.map((value, k) => f[k] * value + i[k] * g[k]);
      h = activate(c, settings.activation, units).map((value, k) => o[k] * value);
      return h;
    });
  }
}

/** h ← act(x·W + h·U + b). */
export class SimpleRnn extends Recurrent {
  constructor(
    output: Stream,
    x: Stream,
    weights: RecurrentWeights,
    private readonly settings: { activation: Activation; initial: Values },
  ) {
    super(output, x, weights, 1, 1);
    checkValues(output.name, 'the initial state', settings.initial, [output.size]);
  }

  emit(graph: StreamGraph, [x]: Tensor[]): Tensor {
    const { units, weights, settings } = this;
    const h = graph.variable('h', settings.initial);
    const fromX = graph.dense(x, weights.kernel, weights.bias, units, 'x/sum');
    const fromH = graph.dense(h.value, weights.recurrentKernel, null, units, 'h/sum');
    const linear = settings.activation === 'linear';
    const sum = graph.binary('ADD', fromX, fromH, linear ? this.last() : 'sum');
    const next = this.settle(
      graph,
      graph.activation(sum, settings.activation, this.last()),
      settings.initial,
      '',
    );
    graph.assign(h, next);
    return next;
  }

  run([x]: Sequence[]): Sequence {
    const { units, weights, settings } = this;
    let h: Float64Array = Float64Array.from(settings.initial);
    return x.map(units, (row, t) => {
      if (t < this.x.warmup) return h;
      const a = affine(row, weights.kernel, units, weights.bias);
      const u = affine(h, weights.recurrentKernel, units, null);
      h = activate(
        a.map((value, k) => value + u[k]),
        settings.activation,
        units,
      );
      return h;
    });
  }
}
