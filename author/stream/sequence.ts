/** A whole recorded stream in double precision: what the whole-sequence form of a model works on. */

/** Values of a stream at `steps` readings: row-major, [steps, size]. */
export class Sequence {
  constructor(
    /** Number of readings. */
    readonly steps: number,
    /** Values of one reading. */
    readonly size: number,
    readonly values = new Float64Array(steps * size),
  ) {
    if (values.length !== steps * size) {
      throw new Error(
        `a sequence of ${steps} readings of ${size} needs ${steps * size} values, not ${values.length}`,
      );
    }
  }

  /**
   * A sequence from one array for each reading.
   * @throws Error that names the first reading of another length
   */
  static of(readings: readonly ArrayLike<number>[], size: number): Sequence {
    const sequence = new Sequence(readings.length, size);
    readings.forEach((reading, t) => {
      if (reading.length !== size) throw new Error(`reading ${t} has ${reading.length} values, not ${size}`);
      sequence.row(t).set(reading);
    });
    return sequence;
  }

  /** The values at reading `t`: a view. */
  row(t: number): Float64Array {
    return this.values.subarray(t * this.size, (t + 1) * this.size);
  }

  /** A new sequence, reading by reading. */
  map(size: number, compute: (row: Float64Array, t: number) => ArrayLike<number>): Sequence {
    const result = new Sequence(this.steps, size);
    for (let t = 0; t < this.steps; t++) result.row(t).set(compute(this.row(t), t));
    return result;
  }
}

/** x · kernel + bias for a kernel [x.length, outputs] in row-major order. */
export function affine(
  x: ArrayLike<number>,
  kernel: ArrayLike<number>,
  outputs: number,
  bias: ArrayLike<number> | null,
): Float64Array {
  const y = new Float64Array(outputs);
  if (bias) y.set(bias);
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < outputs; j++) y[j] += x[i] * kernel[i * outputs + j];
  }
  return y;
}
