/** A GRU with an output layer, as TensorFlow.js trains it: the formula of author/recurrent.ts, over whole recordings. */
import * as tf from '@tensorflow/tfjs';
import type { GruWeights } from '../../author/recurrent';
import type { Random } from '../../author/random';

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
    tf.tensor2d(Array.from({ length: rows * columns }, () => next.uniform(-scale, scale)), [rows, columns]);
  const bias = tf.tensor1d(Array.from({ length: 3 * units }, (_, i) => (i < units ? 1 : 0)));
  const tensors = [
    make(inputs, 3 * units, 2 * bound),
    bias,
    make(units, 3 * units, bound),
    tf.zeros([3 * units]),
    make(units, outputs, bound),
    tf.zeros([outputs]),
  ];
  return { units, outputs, variables: tensors.map((tensor) => tf.variable(tensor)) };
}

/**
 * Logits at every time step: x [batch, time, inputs] → one [batch, outputs] per step.
 * @param keep multiplies the state that the output layer and the recurrence see: dropout in training, 1 otherwise
 */
export function forward(network: Network, x: tf.Tensor3D, keep: tf.Tensor2D | null): tf.Tensor2D[] {
  const [w, b, u, c, v, d] = network.variables;
  const [batch, time, inputs] = x.shape;
  const { units } = network;
  const projected = tf.add(tf.matMul(x.reshape([batch * time, inputs]), w as tf.Tensor2D), b).reshape([batch, time, 3 * units]);
  const steps = tf.unstack(projected, 1) as tf.Tensor2D[];
  let h = tf.zeros([batch, units]) as tf.Tensor2D;
  return steps.map((step) => {
    const seen = keep ? (tf.mul(h, keep) as tf.Tensor2D) : h;
    const recurrent = tf.add(tf.matMul(seen, u as tf.Tensor2D), c) as tf.Tensor2D;
    const [xz, xr, xn] = tf.split(step, 3, 1);
    const [hz, hr, hn] = tf.split(recurrent, 3, 1);
    const z = tf.sigmoid(tf.add(xz, hz));
    const r = tf.sigmoid(tf.add(xr, hr));
    const n = tf.tanh(tf.add(xn, tf.mul(r, hn)));
    h = tf.add(n, tf.mul(z, tf.sub(h, n))) as tf.Tensor2D;
    return tf.add(tf.matMul(keep ? (tf.mul(h, keep) as tf.Tensor2D) : h, v as tf.Tensor2D), d) as tf.Tensor2D;
  });
}

function transposed(values: Float32Array, rows: number, columns: number, factor = 1): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) for (let k = 0; k < columns; k++) result[k * rows + i] = values[i * columns + k] * factor;
  return result;
}

/** The weights in the order of author/recurrent.ts, with the scale of the readings folded in. */
export function weightsOf(network: Network, values: Float32Array[]): GruWeights {
  const { units, outputs } = network;
  const [w, b, u, c, v, d] = values;
  const inputs = w.length / (3 * units);
  return {
    inputKernel: transposed(w, inputs, 3 * units, 1 / INPUT_SCALE),
    inputBias: b,
    recurrentKernel: transposed(u, units, 3 * units),
    recurrentBias: c,
    outputKernel: transposed(v, units, outputs),
    outputBias: d,
  };
}
