/** Shows that two models give the same answers, on random streams. */
import { random } from '../author/random';
import type { Model, ModelTensor } from '../lib/model';

function bytesOf(tensor: ModelTensor): Uint8Array {
  return new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
}

/** Fills inputs with reproducible values: small reals for floats, any bytes for integers. */
export function randomInputs(
  inputs: ModelTensor[],
  next: { uniform(from: number, to: number): number },
): void {
  for (const input of inputs) {
    if (input.type === 'FLOAT32')
      for (let i = 0; i < input.data.length; i++) input.data[i] = next.uniform(-2, 2);
    else if (input.type === 'INT8' || input.type === 'UINT8' || input.type === 'INT16') {
      const bytes = bytesOf(input);
      for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(next.uniform(0, 256));
    } else {
      const bytes = bytesOf(input).fill(0);
      const stride =
        bytes.length /
        Math.max(
          1,
          input.shape.reduce((product, d) => product * d, 1),
        );
      for (let i = 0; i < bytes.length; i += stride) bytes[i] = Math.floor(next.uniform(0, 2));
    }
  }
}

/**
 * Runs both models on the same random stream; `a` and `b` must have the same inputs and outputs.
 * @returns the first difference in words, or null
 */
export function firstDifference(a: Model, b: Model, steps: number, seed = 1): string | null {
  const next = random(seed);
  for (let step = 0; step < steps; step++) {
    randomInputs(a.inputs, next);
    a.inputs.forEach((input, i) => bytesOf(b.inputs[i]).set(bytesOf(input)));
    a.invoke();
    b.invoke();
    for (const [i, output] of a.outputs.entries()) {
      const other = bytesOf(b.outputs[i]);
      const at = bytesOf(output).findIndex((byte, k) => byte !== other[k]);
      if (at >= 0) return `step ${step}, output ${i} "${output.name}", byte ${at}`;
    }
  }
  return null;
}
