/** A GRU with an output layer, as TensorFlow.js trains it: the formula of author/recurrent.ts, over whole recordings. */
import * as tf from '@tensorflow/tfjs';
import type { GruWeights } from '../../author/recurrent';
import type { Random } from '../../author/random';
import { gruBackward, gruForward, type GruParameters, type Sequences } from './gru';

/** Readings are divided by this: 1 g is 64 units. */
export const INPUT_SCALE = 64;

export interface Network {
  units: number;
  outputs: number;
  /** W [inputs, 3·units], b [3·units], U [units, 3·units], c [3·units], V [units, outputs], d [outputs]. */
  variables: tf.Variable[];
}

/** Uniform weights in ±1/√units; the update gate starts half open to the past. */
export function newNetwork(inputs: number, units: number, outputs: number, next: Random): Network {
  const bound = 1 / Math.sqrt(units);
  const make = (rows: number, columns: number, scale: number): tf.Tensor =>
    tf.tensor2d(
      Array.from({ length: rows * columns }, () => next.uniform(-scale, scale)),
      [rows, columns],
    );
  const tensors = [
    make(inputs, 3 * units, 2 * bound),
    tf.tensor1d(Array.from({ length: 3 * units }, (_, i) => (i < units ? 1 : 0))),
    make(units, 3 * units, bound),
    tf.zeros([3 * units]),
    make(units, outputs, bound),
    tf.zeros([outputs]),
  ];
  return { units, outputs, variables: tensors.map((tensor) => tf.variable(tensor)) };
}

/** The GRU as one operator with a gradient: states [readings, units]. */
function gru(network: Network, sequences: Sequences): tf.Tensor2D {
  const { units } = network;
  const [w, b, u, c] = network.variables;
  const readings = sequences.starts[sequences.starts.length - 1];
  const operator = tf.customGrad((...tensors: unknown[]) => {
    const parts = (tensors as tf.Tensor[]).slice(0, 4).map((part) => part.dataSync() as Float32Array);
    const parameters: GruParameters = { w: parts[0], b: parts[1], u: parts[2], c: parts[3] };
    const trace = gruForward(parameters, sequences, units);
    return {
      value: tf.tensor2d(trace.h, [readings, units]),
      gradFunc: (dy: tf.Tensor) => {
        const grads = gruBackward(parameters, sequences, units, trace, dy.dataSync() as Float32Array);
        return [grads.w, grads.b, grads.u, grads.c].map((grad, i) =>
          tf.tensor(grad, network.variables[i].shape),
        );
      },
    };
  });
  return operator(w, b, u, c) as tf.Tensor2D;
}

/**
 * Logits at every reading, [readings, outputs].
 * @param seen dropout mask of the output layer's view on the state, [readings, units], null for none
 */
export function forward(network: Network, sequences: Sequences, seen: tf.Tensor2D | null): tf.Tensor2D {
  const [, , , , v, d] = network.variables;
  const states = gru(network, sequences);
  const visible = seen ? tf.mul(states, seen) : states;
  return tf.add(tf.matMul(visible as tf.Tensor2D, v as tf.Tensor2D), d);
}

function transposed(values: Float32Array, rows: number, columns: number, factor = 1): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < columns; k++) result[k * rows + i] = values[i * columns + k] * factor;
  return result;
}

/** The weights in the order of author/recurrent.ts, with the scale of the readings folded in. */
export function weightsOf(network: Network): GruWeights {
  const { units, outputs } = network;
  const [w, b, u, c, v, d] = network.variables.map((variable) => variable.dataSync() as Float32Array);
  const inputs = w.length / (3 * units);
  return {
    inputKernel: transposed(w, inputs, 3 * units, 1 / INPUT_SCALE),
    inputBias: b.slice(),
    recurrentKernel: transposed(u, units, 3 * units),
    recurrentBias: c.slice(),
    outputKernel: transposed(v, units, outputs),
    outputBias: d.slice(),
  };
}
