/** Emits operators of layers into a graph that does one step for each reading. Everything is FLOAT32. */
import type { Graph, Options, Tensor } from '../../lib/graph';
import { GraphBuilder } from '../graph_builder';
import type { SubgraphBuilder } from '../graph_builder';
import { type Activation, FUSED } from './activations';
import type { Values } from './layer';

const FLOAT = 'FLOAT32';

/** A variable while a layer is emitted. */
export interface State {
  handle: Tensor;
  /** Its value at the start of the step. */
  value: Tensor;
}

/** Collects the operators of one model. Tensors are named `layer/suffix`; without suffix, as the layer. */
export class StreamGraph {
  private readonly builder: GraphBuilder;
  private readonly main: SubgraphBuilder;
  private initialize: SubgraphBuilder | null = null;
  private readonly gates = new Map<number, Tensor>();
  /** Name of the layer that is emitted. */
  layer = '';

  constructor(description: string) {
    this.builder = new GraphBuilder(description);
    this.main = this.builder.subgraph('main');
  }

  input(name: string, size: number): Tensor {
    return this.main.input(name, FLOAT, [1, size]);
  }

  /** The same values in a tensor of this name. */
  named(x: Tensor, name: string): Tensor {
    this.layer = name;
    const target = this.integers('shape', x.shape);
    return this.op('RESHAPE', [x, target], '', x.shape, { new_shape: x.shape });
  }

  output(tensor: Tensor): void {
    this.main.output(tensor);
  }

  build(): Graph {
    return this.builder.build();
  }

  name(suffix: string): string {
    return suffix ? `${this.layer}/${suffix}` : this.layer;
  }

  constant(suffix: string, shape: readonly number[], values: Values): Tensor {
    return this.main.constant(this.name(suffix), FLOAT, shape, Float32Array.from(values));
  }

  integers(suffix: string, values: number[], shape: number[] = [values.length]): Tensor {
    return this.main.constant(this.name(suffix), 'INT32', shape, values);
  }

  op(op: string, inputs: Tensor[], suffix: string, shape: readonly number[], options?: Options): Tensor {
    const output = this.main.tensor(this.name(suffix), FLOAT, shape);
    this.main.op(op, inputs, [output], options);
    return output;
  }

  /** An operator on one tensor that keeps its shape. */
  unary(op: string, x: Tensor, suffix: string, options?: Options): Tensor {
    return this.op(op, [x], suffix, x.shape, options);
  }

  /** ADD, SUB, MUL …; the second operand may be broadcast to the shape of the first. */
  binary(op: string, a: Tensor, b: Tensor, suffix: string, options?: Options): Tensor {
    return this.op(op, [a, b], suffix, a.shape, options);
  }

  /** x · kernel + bias, for a kernel [columns, units] as Keras has it; FULLY_CONNECTED wants it the other way round. */
  dense(x: Tensor, kernel: Values, bias: Values | null, units: number, suffix: string, fused = 0): Tensor {
    const columns = kernel.length / units;
    const rows = new Float32Array(kernel.length);
    for (let i = 0; i < columns; i++) {
      for (let j = 0; j < units; j++) rows[j * columns + i] = kernel[i * units + j];
    }
    const part = suffix ? `${suffix}/` : '';
    const inputs = [x, this.constant(`${part}kernel`, [units, columns], rows)];
    if (bias) inputs.push(this.constant(`${part}bias`, [units], bias));
    return this.op('FULLY_CONNECTED', inputs, suffix, [x.length / columns, units], {
      fused_activation_function: fused,
    });
  }

  reshape(x: Tensor, shape: readonly number[], suffix: string): Tensor {
    if (String(x.shape) === String(shape)) return x;
    const target = this.integers(`${suffix ? `${suffix}/` : ''}shape`, [...shape]);
    return this.op('RESHAPE', [x, target], suffix, shape, { new_shape: [...shape] });
  }

  /** Values from `from` up to `to` of [1, n]. */
  slice(x: Tensor, from: number, to: number, suffix: string): Tensor {
    const limits = [
      [0, from],
      [1, to],
      [1, 1],
    ].map((values, i) =>
      this.integers(`${suffix ? `${suffix}/` : ''}${['begin', 'end', 'strides'][i]}`, values),
    );
    return this.op('STRIDED_SLICE', [x, ...limits], suffix, [1, to - from], {});
  }

  /** Takes [1, parts · n] apart. */
  split(x: Tensor, suffixes: string[]): Tensor[] {
    const axis = this.integers('axis', [1], []);
    const parts = suffixes.map((suffix) =>
      this.main.tensor(this.name(suffix), FLOAT, [1, x.shape[1] / suffixes.length]),
    );
    this.main.op('SPLIT', [axis, x], parts, { num_splits: parts.length });
    return parts;
  }

  concat(parts: Tensor[], suffix: string): Tensor {
    const size = parts.reduce((sum, part) => sum + part.shape[1], 0);
    return this.op('CONCATENATION', parts, suffix, [1, size], { axis: 1 });
  }

  /** The variable `layer/state`, [1, initial.length], with its initial value in the subgraph that CALL_ONCE runs. */
  variable(state: string, initial: Values): State {
    const name = this.name(state);
    const shape = [1, initial.length];
    if (!this.initialize) {
      this.initialize = this.builder.subgraph('initialize');
      this.main.callOnce(this.initialize);
    }
    this.initialize.assign(
      this.initialize.variable(name),
      this.initialize.constant(`${name}/initial`, FLOAT, shape, Float32Array.from(initial)),
    );
    const handle = this.main.variable(name);
    return { handle, value: this.main.read(handle, FLOAT, shape) };
  }

  assign(state: State, value: Tensor): void {
    this.main.assign(state.handle, value);
  }

  /**
   * The last values of x, oldest first, [1, initial.length + x.length]: earlier ones come from a variable, which then
   * moves on by one reading.
   */
  window(x: Tensor, state: string, initial: Values, suffix: string): Tensor {
    if (!initial.length) return x;
    const frames = this.variable(state, initial);
    const window = this.concat([frames.value, x], suffix);
    this.assign(frames, this.slice(window, x.length, window.length, `${state}/next`));
    return window;
  }

  /**
   * 0 in the first `warmup` readings, 1 from then on, [1, 1]; null when there is nothing to wait for. Ones move
   * through a variable: a counter would not stay exact when quantized.
   */
  ready(warmup: number): Tensor | null {
    if (!warmup) return null;
    const known = this.gates.get(warmup);
    if (known) return known;
    const layer = this.layer;
    this.layer = `ready_${warmup}`;
    const one = this.constant('one', [1, 1], [1]);
    const window = this.window(one, 'frames', new Float32Array(warmup), 'window');
    const ready = this.slice(window, 0, 1, '');
    this.layer = layer;
    this.gates.set(warmup, ready);
    return ready;
  }

  /** x, but 0 while it does not count. */
  gated(x: Tensor, warmup: number, suffix: string): Tensor {
    const ready = this.ready(warmup);
    return ready ? this.binary('MUL', x, ready, suffix) : x;
  }

  /** An activation as operators of its own; `last` is the last dimension, which softmax works along. */
  activation(x: Tensor, activation: Activation, suffix: string, last = x.shape[x.shape.length - 1]): Tensor {
    const part = suffix ? `${suffix}/` : '';
    switch (activation) {
      case 'linear':
        return x;
      case 'relu':
        return this.unary('RELU', x, suffix);
      case 'relu6':
        return this.unary('RELU6', x, suffix);
      case 'tanh':
        return this.unary('TANH', x, suffix);
      case 'sigmoid':
        return this.unary('LOGISTIC', x, suffix);
      case 'elu':
        return this.unary('ELU', x, suffix);
      case 'swish':
        return this.binary('MUL', x, this.unary('LOGISTIC', x, `${part}sigmoid`), suffix);
      case 'hard_sigmoid': {
        // relu6(1.2·x + 3) / 6: the clamp comes with ADD
        const scaled = this.binary('MUL', x, this.constant(`${part}slope`, [1], [1.2]), `${part}scaled`);
        const clamped = this.binary(
          'ADD',
          scaled,
          this.constant(`${part}three`, [1], [3]),
          `${part}clamped`,
          {
            fused_activation_function: FUSED.relu6!,
          },
        );
        return this.binary('MUL', clamped, this.constant(`${part}sixth`, [1], [1 / 6]), suffix);
      }
      case 'softmax': {
        const shape = x.shape;
        const rows = this.reshape(x, [x.length / last, last], `${part}rows`);
        if (rows === x) return this.unary('SOFTMAX', x, suffix, { beta: 1 });
        return this.reshape(this.unary('SOFTMAX', rows, `${part}softmax`, { beta: 1 }), shape, suffix);
      }
    }
  }
}
