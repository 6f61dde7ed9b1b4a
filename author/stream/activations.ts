/** Activations: as operators, and in double precision. */

/**
 * - `linear` x; `relu` max(x, 0); `relu6` min(max(x, 0), 6); `tanh`; `sigmoid` 1 / (1 + e⁻ˣ);
 * - `hard_sigmoid` min(max(x / 5 + ½, 0), 1), the form of Keras 2 and TensorFlow.js;
 * - `elu` x for x > 0, else eˣ − 1; `swish` x · sigmoid(x);
 * - `softmax` over the last dimension.
 */
export type Activation = (typeof ACTIVATIONS)[number];

export const ACTIVATIONS = [
  'linear',
  'relu',
  'relu6',
  'tanh',
  'sigmoid',
  'hard_sigmoid',
  'elu',
  'swish',
  'softmax',
] as const;

/** Activations that dense and convolution operators apply themselves, as the schema numbers them. */
export const FUSED: Partial<Record<Activation, number>> = { linear: 0, relu: 1, relu6: 3 };

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

const SCALAR: Record<Exclude<Activation, 'softmax'>, (x: number) => number> = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  tanh: Math.tanh,
  sigmoid: logistic,
  hard_sigmoid: (x) => Math.min(Math.max(x / 5 + 0.5, 0), 1),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  swish: (x) => x * logistic(x),
};

/** Applies an activation to values whose last dimension is `last`. */
export function activate(x: Float64Array, activation: Activation, last: number): Float64Array {
  if (activation !== 'softmax') return x.map(SCALAR[activation]);
  const y = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += last) {
    const group = x.subarray(start, start + last);
    const greatest = group.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = group.map((value) => Math.exp(value - greatest));
    const sum = powers.reduce((a, b) => a + b, 0);
    y.set(
      powers.map((power) => power / sum),
      start,
    );
  }
  return y;
}

/** @throws Error when the name is no activation; it lists those that are */
export function checkActivation(activation: string, layer: string): Activation {
  if ((ACTIVATIONS as readonly string[]).includes(activation)) return activation as Activation;
  throw new Error(
    `layer "${layer}": activation "${activation}" cannot be converted; those that can are ${ACTIVATIONS.join(', ')}`,
  );
}
