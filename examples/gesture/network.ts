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

/** What a batch is to learn. */
export interface Lesson {
  sequences: Sequences;
  /** Dropout mask of the output layer's view on the state, [readings, units], null for none. */
  seen: Float32Array | null;
  /** Probabilities that each reading should get, [readings, outputs]. */
  targets: Float32Array;
  /** How much each reading counts, [readings]. */
  weights: Float32Array;
}

/** Logits at every reading, [readings, outputs], from its state [readings, units]. */
function outputLayer(v: Float32Array, d: Float32Array, h: Float32Array, units: number): Float32Array {
  const outputs = d.length;
  const readings = h.length / units;
  const logits = new Float32Array(readings * outputs);
  for (let t = 0; t < readings; t++) {
    for (let o = 0; o < outputs; o++) {
      let sum = d[o];
      for (let i = 0; i < units; i++) sum += h[t * units + i] * v[i * outputs + o];
      logits[t * outputs + o] = sum;
    }
  }
  return logits;
}

/** Makes each row of logits the probabilities that softmax gives. */
function softmax(logits: Float32Array, outputs: number): Float32Array {
  for (let at = 0; at < logits.length; at += outputs) {
    let most = logits[at];
    for (let o = 1; o < outputs; o++) most = Math.max(most, logits[at + o]);
    let sum = 0;
    for (let o = 0; o < outputs; o++) sum += logits[at + o] = Math.exp(logits[at + o] - most);
    for (let o = 0; o < outputs; o++) logits[at + o] /= sum;
  }
  return logits;
}

/** The values of tensors, or of a network's variables. */
export function valuesOf(tensors: tf.Tensor[]): Float32Array[] {
  return tensors.map((tensor) => tensor.dataSync() as Float32Array);
}

/** The network that has these values, in the order of its variables. */
export function fromValues(values: Float32Array[]): Network {
  const [w, , u, , v, d] = values;
  const outputs = d.length;
  const units = v.length / outputs;
  const gates = 3 * units;
  const shapes = [
    [w.length / gates, gates],
    [gates],
    [u.length / gates, gates],
    [gates],
    [units, outputs],
    [outputs],
  ];
  return { units, outputs, variables: values.map((value, i) => tf.variable(tf.tensor(value, shapes[i]))) };
}

/** The weighted mean of cross entropies, and its gradients in the order of the network's variables. */
export function costOf(
  units: number,
  variables: Float32Array[],
  { sequences, seen, targets, weights }: Lesson,
): { cost: number; grads: Float32Array[] } {
  const [w, b, u, c, v, d] = variables;
  const parameters: GruParameters = { w, b, u, c };
  const outputs = d.length;
  const trace = gruForward(parameters, sequences, units);
  const visible = trace.h.slice();
  if (seen) for (let i = 0; i < visible.length; i++) visible[i] *= seen[i];
  const y = softmax(outputLayer(v, d, visible, units), outputs);
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const dv = new Float32Array(v.length);
  const dd = new Float32Array(d.length);
  const dh = new Float32Array(trace.h.length);
  const error = new Float64Array(outputs);
  let cost = 0;
  for (let t = 0; t < weights.length; t++) {
    const weight = weights[t] / all;
    if (!weight) continue;
    for (let o = 0, at = t * outputs; o < outputs; o++, at++) {
      if (targets[at]) cost -= weight * targets[at] * Math.log(Math.max(y[at], 1e-30));
      error[o] = weight * (y[at] - targets[at]);
      dd[o] += error[o];
    }
    for (let i = 0, from = t * units; i < units; i++, from++) {
      let sum = 0;
      for (let o = 0, at = i * outputs; o < outputs; o++, at++) {
        dv[at] += visible[from] * error[o];
        sum += v[at] * error[o];
      }
      dh[from] = seen ? sum * seen[from] : sum;
    }
  }
  const grads = gruBackward(parameters, sequences, units, trace, dh);
  return { cost, grads: [grads.w, grads.b, grads.u, grads.c, dv, dd] };
}

/** The cost of a lesson as one operator of TensorFlow.js, with its gradient. */
export function cost(network: Network, lesson: Lesson): tf.Scalar {
  const operator = tf.customGrad((...inputs: unknown[]) => {
    const tensors = (inputs as tf.Tensor[]).slice(0, network.variables.length);
    const result = costOf(network.units, valuesOf(tensors), lesson);
    return {
      value: tf.scalar(result.cost),
      gradFunc: (dy: tf.Tensor) =>
        result.grads.map((grad, i) => tf.mul(tf.tensor(grad, tensors[i].shape), dy)),
    };
  });
  return operator(...network.variables) as tf.Scalar;
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
  const [w, b, u, c, v, d] = valuesOf(network.variables);
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
