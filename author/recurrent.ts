/**
 * Models that remember, made of basic operators with their state in a resource variable: a gated recurrent unit with
 * an output layer, and a leaky integrator. Both get their initial state from a subgraph that CALL_ONCE runs.
 */
import type { Graph, Tensor, TensorType } from '../lib/graph';
import { GraphBuilder } from './graph_builder';
import type { Quantization, SubgraphBuilder } from './graph_builder';
import { random } from './random';

/** Types that a recurrent model computes in: float, int8, or int16 with int8 weights. */
export type RecurrentType = 'FLOAT32' | 'INT8' | 'INT16';

/**
 * Real weights of a GRU, in row-major order. Gates come one after the other: update z, reset r, candidate n.
 *
 *     z = σ(Wz·x + bz + Uz·h + cz)    r = σ(Wr·x + br + Ur·h + cr)
 *     n = tanh(Wn·x + bn + r ⊙ (Un·h + cn))
 *     h ← n + z ⊙ (h − n)             y = V·h + d
 *
 * This is the form of PyTorch, and of Keras with reset_after.
 */
export interface GruWeights {
  /** W, [3 · units, inputs]. */
  inputKernel: ArrayLike<number>;
  /** b, [3 · units]. */
  inputBias: ArrayLike<number>;
  /** U, [3 · units, units]. */
  recurrentKernel: ArrayLike<number>;
  /** c, [3 · units]. */
  recurrentBias: ArrayLike<number>;
  /** V, [outputs, units]. */
  outputKernel: ArrayLike<number>;
  /** d, [outputs]. */
  outputBias: ArrayLike<number>;
}

export interface GruOptions {
  inputs: number;
  units: number;
  /** Size of the output layer, 1 when left out. */
  outputs?: number;
  /** FLOAT32 when left out. */
  type?: RecurrentType;
  /** Random from `seed` when left out. */
  weights?: GruWeights;
  seed?: number;
  /** Real initial state, [units]; 0 when left out. */
  initial?: ArrayLike<number>;
  /** Greatest magnitude of the inputs, for quantized types; 4 when left out. */
  inputRange?: number;
}

/** Greatest magnitude of a gate before its activation: beyond it σ and tanh are within 4·10⁻⁴ of their limits. */
const GATE_RANGE = 8;

/** Weights uniform in ±1/√units, as PyTorch initializes them. */
export function randomGruWeights(inputs: number, units: number, outputs: number, seed: number): GruWeights {
  const next = random(seed);
  const draw = (length: number): Float32Array =>
    Float32Array.from({ length }, () => next.uniform(-1, 1) / Math.sqrt(units));
  return {
    inputKernel: draw(3 * units * inputs),
    inputBias: draw(3 * units),
    recurrentKernel: draw(3 * units * units),
    recurrentBias: draw(3 * units),
    outputKernel: draw(outputs * units),
    outputBias: draw(outputs),
  };
}

/**
 * A GRU with an output layer: input "x" [1, inputs], output "y" [1, outputs], variable "h" [1, units].
 * Quantized models have fixed scales: ±1 for the state; for the gates what the weights allow, at most ±8.
 */
export function gruModel(options: GruOptions): Graph {
  const { inputs, units, outputs = 1, type = 'FLOAT32', seed = 1, inputRange = 4 } = options;
  const weights = options.weights ?? randomGruWeights(inputs, units, outputs, seed);
  const builder = new GraphBuilder(`GRU, ${inputs} inputs, ${units} units, ${outputs} outputs, ${type}`);
  const main = builder.subgraph('main');
  const scheme = new Scheme(type);
  const xRange = Math.min(GATE_RANGE, rowBound(weights.inputKernel, weights.inputBias, inputs, inputRange));
  const hRange = Math.min(GATE_RANGE, rowBound(weights.recurrentKernel, weights.recurrentBias, units, 1));
  const xGates = scheme.symmetric(xRange);
  const hGates = scheme.symmetric(hRange);
  const gate = scheme.symmetric(Math.min(GATE_RANGE, xRange + hRange));
  const difference = scheme.symmetric(2);
  const state = scheme.symmetric(1);
  const shape = [1, units];

  const x = main.input('x', type, [1, inputs], scheme.symmetric(inputRange));
  const handle = initialized(
    builder,
    main,
    'h',
    type,
    shape,
    state,
    options.initial ?? new Float32Array(units),
  );
  const h = main.read(handle, type, shape, state);

  const dense = (
    name: string,
    input: Tensor,
    kernel: ArrayLike<number>,
    bias: ArrayLike<number>,
    to?: Quantization,
  ) => {
    const output = main.tensor(name, type, [1, bias.length], to);
    const [w, b] = scheme.weights(main, name, kernel, bias, input);
    main.op('FULLY_CONNECTED', [input, w, b], [output]);
    return output;
  };
  const unary = (op: string, name: string, input: Tensor, to?: Quantization) => {
    const output = main.tensor(name, type, shape, to);
    main.op(op, [input], [output]);
    return output;
  };
  const binary = (op: string, name: string, a: Tensor, b: Tensor, to?: Quantization) => {
    const output = main.tensor(name, type, shape, to);
    main.op(op, [a, b], [output]);
    return output;
  };
  const axis = main.constant('axis', 'INT32', [], [1]);
  const split = (name: string, input: Tensor, to?: Quantization) => {
    const parts = ['z', 'r', 'n'].map((part) => main.tensor(`${name}/${part}`, type, shape, to));
    main.op('SPLIT', [axis, input], parts, { num_splits: 3 });
    return parts;
  };

  const [xz, xr, xn] = split(
    'x',
    dense('x/gates', x, weights.inputKernel, weights.inputBias, xGates),
    xGates,
  );
  const [hz, hr, hn] = split(
    'h',
    dense('h/gates', h, weights.recurrentKernel, weights.recurrentBias, hGates),
    hGates,
  );
  const z = unary('LOGISTIC', 'z', binary('ADD', 'z/sum', xz, hz, gate), scheme.sigmoid);
  const r = unary('LOGISTIC', 'r', binary('ADD', 'r/sum', xr, hr, gate), scheme.sigmoid);
  const candidate = binary('ADD', 'n/sum', xn, binary('MUL', 'n/reset', r, hn, hGates), gate);
  const n = unary('TANH', 'n', candidate, state);
  const kept = binary('MUL', 'kept', z, binary('SUB', 'difference', h, n, difference), difference);
  const next = binary('ADD', 'h/next', n, kept, state);
  main.assign(handle, next);

  const bound = rowBound(weights.outputKernel, weights.outputBias, units, 1);
  main.output(dense('y', next, weights.outputKernel, weights.outputBias, scheme.symmetric(bound)));
  return builder.build();
}

export interface LeakyIntegratorOptions {
  /** Number of independent values, 1 when left out. */
  size?: number;
  /** Share a of the old value that is kept, 0 < a < 1. */
  decay: number;
  /** FLOAT32 when left out. */
  type?: RecurrentType;
  /** Real initial value, [size]; 0 when left out. */
  initial?: ArrayLike<number>;
  /** Greatest magnitude of the inputs, for quantized types; 4 when left out. */
  range?: number;
}

/** y ← a·y + (1 − a)·x: input "x" [1, size], output "y" [1, size], variable "y". */
export function leakyIntegratorModel(options: LeakyIntegratorOptions): Graph {
  const { size = 1, decay, type = 'FLOAT32', range = 4 } = options;
  if (!(decay > 0 && decay < 1)) throw new Error(`decay must lie between 0 and 1, not ${decay}`);
  const builder = new GraphBuilder(`leaky integrator, ${size} values, decay ${decay}, ${type}`);
  const main = builder.subgraph('main');
  const scheme = new Scheme(type);
  const shape = [1, size];
  const quantization = scheme.symmetric(range);

  const x = main.input('x', type, shape, quantization);
  const handle = initialized(
    builder,
    main,
    'y',
    type,
    shape,
    quantization,
    options.initial ?? new Float32Array(size),
  );
  const old = main.read(handle, type, shape, quantization);
  const share = (name: string, value: Tensor, factor: number): Tensor => {
    const output = main.tensor(name, type, shape, quantization);
    const scale = scheme.exact(factor);
    const constant = main.constant(`${name}/factor`, type, [1], scheme.stored([factor], scale), scale);
    main.op('MUL', [value, constant], [output]);
    return output;
  };
  const y = main.tensor('y', type, shape, quantization);
  main.op('ADD', [share('kept', old, decay), share('taken', x, 1 - decay)], [y]);
  main.assign(handle, y);
  main.output(y);
  return builder.build();
}

/** A variable whose initial value a second subgraph assigns, which `main` calls once. Returns its handle. */
function initialized(
  builder: GraphBuilder,
  main: SubgraphBuilder,
  name: string,
  type: RecurrentType,
  shape: number[],
  quantization: Quantization | undefined,
  initial: ArrayLike<number>,
): Tensor {
  const initialize = builder.subgraph('initialize');
  const data = new Scheme(type).stored(initial, quantization);
  initialize.assign(
    initialize.variable(name),
    initialize.constant(`${name}/initial`, type, shape, data, quantization),
  );
  main.callOnce(initialize);
  return main.variable(name);
}

/** How a type stands for real numbers; for FLOAT32 all quantizations are undefined. */
class Scheme {
  /** Greatest integer of the activations, 0 for FLOAT32. */
  private readonly limit: number;

  constructor(private readonly type: RecurrentType) {
    this.limit = { FLOAT32: 0, INT8: 127, INT16: 32767 }[type];
  }

  /** Values from −range to just below range, zero point 0: the form that TANH demands of its output for range 1. */
  symmetric(range: number): Quantization | undefined {
    return this.limit ? { scale: range / (this.limit + 1), zeroPoint: 0 } : undefined;
  }

  /** The form in which a positive number is stored without an error of its own: as the greatest integer. */
  exact(value: number): Quantization | undefined {
    return this.limit ? { scale: value / this.limit, zeroPoint: 0 } : undefined;
  }

  /** What LOGISTIC demands of its output. */
  get sigmoid(): Quantization | undefined {
    return this.type === 'INT8' ? { scale: 1 / 256, zeroPoint: -128 } : this.symmetric(1);
  }

  /** Real values as stored. */
  stored(values: ArrayLike<number>, quantization: Quantization | undefined): number[] {
    const scale = quantization?.scale;
    if (scale === undefined) return Array.from(values);
    return Array.from(values, (value) => {
      const integer = Math.round(value / Math.fround(scale));
      return Math.max(-this.limit - 1, Math.min(this.limit, integer));
    });
  }

  /** Constants for the weights and bias of a FULLY_CONNECTED with this input; quantized weights are int8. */
  weights(
    main: SubgraphBuilder,
    name: string,
    kernel: ArrayLike<number>,
    bias: ArrayLike<number>,
    input: Tensor,
  ): [Tensor, Tensor] {
    const rows = bias.length;
    const columns = input.length;
    const shape = [rows, columns];
    if (kernel.length !== rows * columns) {
      throw new Error(`the kernel of ${name} must have ${rows} · ${columns} values, not ${kernel.length}`);
    }
    if (!this.limit) {
      return [
        main.constant(`${name}/kernel`, 'FLOAT32', shape, Array.from(kernel)),
        main.constant(`${name}/bias`, 'FLOAT32', [rows], Array.from(bias)),
      ];
    }
    const largest = Array.from(kernel).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const scale = Math.fround((largest || 1) / 127);
    const biasType: TensorType = this.type === 'INT8' ? 'INT32' : 'INT64';
    const biasScale = input.scale * scale;
    return [
      main.constant(
        `${name}/kernel`,
        'INT8',
        shape,
        Array.from(kernel, (value) => Math.round(value / scale)),
        { scale },
      ),
      main.constant(
        `${name}/bias`,
        biasType,
        [rows],
        Array.from(bias, (value) => Math.round(value / biasScale)),
        { scale: biasScale },
      ),
    ];
  }
}

/** Greatest magnitude that a dense layer can give for inputs within ±range. */
function rowBound(
  kernel: ArrayLike<number>,
  bias: ArrayLike<number>,
  columns: number,
  range: number,
): number {
  let bound = 0;
  for (let row = 0; row < bias.length; row++) {
    let sum = Math.abs(bias[row]);
    for (let i = 0; i < columns; i++) sum += range * Math.abs(kernel[row * columns + i]);
    bound = Math.max(bound, sum);
  }
  return bound || 1;
}
