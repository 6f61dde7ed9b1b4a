/** A GRU in double precision, straight from its formulas (author/recurrent.ts): what models of it are held against. */
import type { GruWeights } from '../../author/recurrent';

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** A row-major matrix times a vector, plus a bias. */
function affine(kernel: ArrayLike<number>, bias: ArrayLike<number>, x: ArrayLike<number>): number[] {
  return Array.from(bias, (sum, row) => {
    for (let i = 0; i < x.length; i++) sum += kernel[row * x.length + i] * x[i];
    return sum;
  });
}

/** Carries the state from step to step. */
export class GruReference {
  state: number[];

  constructor(
    private readonly weights: GruWeights,
    initial: ArrayLike<number>,
  ) {
    this.state = Array.from(initial);
  }

  /** One step: takes the inputs, moves the state, returns the outputs. */
  step(x: ArrayLike<number>): number[] {
    const units = this.state.length;
    const a = affine(this.weights.inputKernel, this.weights.inputBias, x);
    const b = affine(this.weights.recurrentKernel, this.weights.recurrentBias, this.state);
    this.state = this.state.map((h, i) => {
      const z = logistic(a[i] + b[i]);
      const r = logistic(a[units + i] + b[units + i]);
      const n = Math.tanh(a[2 * units + i] + r * b[2 * units + i]);
      return n + z * (h - n);
    });
    return affine(this.weights.outputKernel, this.weights.outputBias, this.state);
  }
}
