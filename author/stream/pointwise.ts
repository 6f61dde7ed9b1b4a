/** Layers without state: dense, activations, arithmetic, scaling. */
import type { Tensor } from '../../lib/graph';
import { type Activation, activate, FUSED } from './activations';
import { checkValues, lastOf, type Layer, type Stream, type Values } from './layer';
import { affine, Sequence } from './sequence';
import type { StreamGraph } from './stream_graph';

/** `act(x · kernel + bias)` along the last dimension. kernel: [last, units]; bias: [units] or null. */
export class Dense implements Layer {
  readonly inputs: Stream[];

  constructor(
    readonly output: Stream,
    private readonly x: Stream,
    private readonly kernel: Values,
    private readonly bias: Values | null,
    private readonly activation: Activation,
  ) {
    this.inputs = [x];
    const units = lastOf(output);
    checkValues(output.name, 'the kernel', kernel, [lastOf(x), units]);
    if (bias) checkValues(output.name, 'the bias', bias, [units]);
  }

  emit(graph: StreamGraph, [x]: Tensor[]): Tensor {
    const { output, x: from } = this;
    const units = lastOf(output);
    const fused = FUSED[this.activation];
    const flat = from.shape.length === 1;
    const rows = flat ? x : graph.reshape(x, [from.size / lastOf(from), lastOf(from)], 'rows');
    const sum = fused === undefined ? 'sum' : flat ? '' : 'dense';
    const y = graph.dense(rows, this.kernel, this.bias, units, sum, fused);
    const acted = fused === undefined ? graph.activation(y, this.activation, flat ? '' : 'activation') : y;
    return graph.reshape(acted, [1, output.size], '');
  }

  run([x]: Sequence[]): Sequence {
    const inputs = lastOf(this.x);
    const units = lastOf(this.output);
    return x.map(this.output.size, (row) => {
      const y = new Float64Array(this.output.size);
      for (let i = 0; i * inputs < row.length; i++) {
        y.set(affine(row.subarray(i * inputs, (i + 1) * inputs), this.kernel, units, this.bias), i * units);
      }
      return activate(y, this.activation, units);
    });
  }

  scaled(scale: Values, offset: Values, output: Stream): Layer | null {
    if (this.activation !== 'linear') return null;
    const bias = scaleBias(this.bias, scale, offset);
    return new Dense(output, this.x, scaleLast(this.kernel, scale), bias, 'linear');
  }
}

/** Multiplies the last dimension by `scale`. */
export function scaleLast(values: Values, scale: Values): Float64Array {
  return Float64Array.from(values, (value, i) => value * scale[i % scale.length]);
}

/** bias ⊙ scale + offset. */
export function scaleBias(bias: Values | null, scale: Values, offset: Values): Float64Array {
  return Float64Array.from(offset, (value, i) => (bias ? bias[i] * scale[i] : 0) + value);
}

/** An activation on its own. */
export class Activated implements Layer {
  readonly inputs: Stream[];

  constructor(
    readonly output: Stream,
    private readonly x: Stream,
    private readonly activation: Activation,
  ) {
    this.inputs = [x];
    if (activation === 'linear') throw new Error(`layer "${output.name}": a linear activation does nothing`);
  }

  emit(graph: StreamGraph, [x]: Tensor[]): Tensor {
    return graph.activation(x, this.activation, '', lastOf(this.x));
  }

  run([x]: Sequence[]): Sequence {
    return x.map(x.size, (row) => activate(row, this.activation, lastOf(this.x)));
  }
}

/** x for x > 0, else alpha · x. */
export class LeakyRelu implements Layer {
  readonly inputs: Stream[];

  constructor(
    readonly output: Stream,
    x: Stream,
    private readonly alpha: number,
  ) {
    this.inputs = [x];
    checkValues(output.name, 'alpha', [alpha], [1]);
  }

  emit(graph: StreamGraph, [x]: Tensor[]): Tensor {
    return graph.unary('LEAKY_RELU', x, '', { alpha: this.alpha });
  }

  run([x]: Sequence[]): Sequence {
    return x.map(x.size, (row) => row.map((value) => (value > 0 ? value : this.alpha * value)));
  }
}

/** scale ⊙ x + offset along the last dimension. */
export class Affine implements Layer {
  readonly inputs: Stream[];

  constructor(
    readonly output: Stream,
    x: Stream,
    private readonly scale: Values,
    private readonly offset: Values,
  ) {
    this.inputs = [x];
    checkValues(output.name, 'the scale', scale, [lastOf(x)]);
    checkValues(output.name, 'the offset', offset, [lastOf(x)]);
  }

  emit(graph: StreamGraph, [x]: Tensor[]): Tensor {
    // repeated for each band, so that no operator need broadcast beyond one dimension
    const whole = (values: Values): Float64Array =>
      Float64Array.from({ length: x.length }, (_, i) => values[i % values.length]);
    const scaled = graph.binary('MUL', x, graph.constant('scale', x.shape, whole(this.scale)), 'scaled');
    return graph.binary('ADD', scaled, graph.constant('offset', x.shape, whole(this.offset)), '');
  }

  run([x]: Sequence[]): Sequence {
    const n = this.scale.length;
    return x.map(x.size, (row) => row.map((value, i) => value * this.scale[i % n] + this.offset[i % n]));
  }
}

/** The same values in another shape. */
export class Reshaped implements Layer {
  readonly inputs: Stream[];

  constructor(
    readonly output: Stream,
    x: Stream,
  ) {
    this.inputs = [x];
    if (x.size !== output.size) {
      throw new Error(
        `layer "${output.name}": ${x.size} values (${x.shape.join(' × ')}) cannot become ${output.shape.join(' × ')}`,
      );
    }
  }

  emit(_graph: StreamGraph, [x]: Tensor[]): Tensor {
    return x;
  }

  run([x]: Sequence[]): Sequence {
    return x;
  }
}

/** Values of several streams one after the other, along the last dimension. */
export class Concat implements Layer {
  constructor(
    readonly output: Stream,
    readonly inputs: Stream[],
  ) {}

  emit(graph: StreamGraph, inputs: Tensor[]): Tensor {
    const bands = this.output.size / lastOf(this.output);
    if (bands === 1) return graph.concat(inputs, '');
    const shaped = inputs.map((x, i) => graph.reshape(x, [bands, lastOf(this.inputs[i])], `${i}`));
    const joined = graph.op('CONCATENATION', shaped, 'bands', [bands, lastOf(this.output)], { axis: 1 });
    return graph.reshape(joined, [1, this.output.size], '');
  }

  run(inputs: Sequence[]): Sequence {
    const bands = this.output.size / lastOf(this.output);
    return inputs[0].map(this.output.size, (_, t) => {
      const values: number[] = [];
      for (let band = 0; band < bands; band++) {
        inputs.forEach((x, i) => {
          const n = lastOf(this.inputs[i]);
          values.push(...x.row(t).subarray(band * n, (band + 1) * n));
        });
      }
      return values;
    });
  }
}

const ARITHMETIC = {
  ADD: (a: number, b: number) => a + b,
  SUB: (a: number, b: number) => a - b,
  MUL: (a: number, b: number) => a * b,
  MAXIMUM: Math.max,
  MINIMUM: Math.min,
};

export type ArithmeticOp = keyof typeof ARITHMETIC;

/** Two or more streams of the same size, or of size 1 from the second on, taken together one by one. */
export class Arithmetic implements Layer {
  constructor(
    readonly output: Stream,
    readonly inputs: Stream[],
    private readonly operation: ArithmeticOp,
  ) {
    if (inputs.length < 2) throw new Error(`layer "${output.name}" needs at least two streams`);
    for (const x of inputs) {
      if (x.size !== output.size && x.size !== 1) {
        throw new Error(
          `layer "${output.name}": "${x.name}" has ${x.size} values, "${inputs[0].name}" ${output.size}`,
        );
      }
    }
  }

  emit(graph: StreamGraph, [first, ...others]: Tensor[]): Tensor {
    return others.reduce(
      (sum, x, i) => graph.binary(this.operation, sum, x, i === others.length - 1 ? '' : `${i + 2}`),
      first,
    );
  }

  run([first, ...others]: Sequence[]): Sequence {
    const combine = ARITHMETIC[this.operation];
    return first.map(first.size, (row, t) =>
      others.reduce((sum, x) => {
        const other = x.row(t);
        return sum.map((value, i) => combine(value, other[i % other.length]));
      }, row),
    );
  }
}
