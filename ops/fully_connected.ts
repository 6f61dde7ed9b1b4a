/**
 * FULLY_CONNECTED: y = activation(x · Wᵀ + b).
 *
 * Inputs: x [..., depth], W [units, depth], b [units] or absent. Output: [..., units] (or [batches, units]).
 * Types: FLOAT32; INT8 × INT8 with INT32 bias, per tensor or per channel.
 * As TFLM: per tensor, the multiplier is float32(s_x · s_w) / s_y in double; per channel all in double.
 */
import { activationRange, floatActivationRange, fround, mbqm, quantizeMultiplier } from '../lib/fixedpoint';
import { Node, Operators, Preparation, Tensor } from '../lib/graph';
import { FULLY_CONNECTED_OPTIONS } from '../lib/schema';
import { describe } from '../lib/tensor';

/** Kernel: float32; `rows` times `units` dot products of `depth` elements. */
export function fullyConnectedFloat32(
  x: Float32Array, w: Float32Array, b: Float32Array, y: Float32Array,
  rows: number, depth: number, units: number, min: number, max: number,
): void {
  for (let row = 0; row < rows; row++) {
    for (let unit = 0; unit < units; unit++) {
      let at = unit * depth;
      let sum = 0;
      for (let i = row * depth, end = i + depth; i < end; i++) sum += x[i] * w[at++];
      sum += b[unit];
      y[row * units + unit] = sum < min ? min : sum > max ? max : sum;
    }
  }
}

/**
 * Kernel: int8; `bias` holds b − zero point of x · Σ w; `multipliers` and `shifts` have one entry for each unit.
 */
export function fullyConnectedInt8(
  x: Int8Array, w: Int8Array, bias: Int32Array, y: Int8Array, multipliers: Int32Array, shifts: Int8Array,
  rows: number, depth: number, units: number, zeroPoint: number, min: number, max: number,
): void {
  for (let row = 0; row < rows; row++) {
    for (let unit = 0; unit < units; unit++) {
      let at = unit * depth;
      let sum = bias[unit];
      for (let i = row * depth, end = i + depth; i < end; i++) sum += x[i] * w[at++];
      sum = mbqm(sum, multipliers[unit], shifts[unit]) + zeroPoint;
      y[row * units + unit] = sum < min ? min : sum > max ? max : sum;
    }
  }
}

function prepareFullyConnected(node: Node, p: Preparation): void {
  const options = p.options(FULLY_CONNECTED_OPTIONS);
  const x = node.inputs[0] as Tensor;
  const w = node.inputs[1] as Tensor;
  const b = node.inputs[2];
  const y = node.outputs[0];
  if (w.shape.length !== 2) p.fail('the weights must have 2 dimensions, but they are ' + describe(w));
  const units = w.shape[0];
  const depth = w.shape[1];
  const rows = x.length / depth;
  if (x.shape[x.shape.length - 1] !== depth || y.length !== rows * units) p.fail('shapes do not fit: ' + describe(x) + ', ' + describe(w) + ', ' + describe(y));
  if (x.type === 'FLOAT32') {
    const range = floatActivationRange(options.fused_activation_function as number);
    p.step(fullyConnectedFloat32, [x, w, b || new Float32Array(units), y, rows, depth, units, range.min, range.max]);
    return;
  }
  const bias = new Int32Array(units);
  const multipliers = new Int32Array(units);
  const shifts = new Int8Array(units);
  for (let unit = 0; unit < units; unit++) {
    let sum = 0;
    for (let i = 0; i < depth; i++) sum += (w.data as Int8Array)[unit * depth + i];
    bias[unit] = (b ? (b.data as Int32Array)[unit] : 0) - x.zeroPoint * sum;
    const scales = w.scales as number[];
    const d = scales.length > 1 ? (x.scale * scales[unit]) / y.scale : fround(x.scale * w.scale) / y.scale;
    const q = quantizeMultiplier(d);
    multipliers[unit] = q.multiplier;
    shifts[unit] = q.shift;
  }
  const range = activationRange(options.fused_activation_function as number, y);
  p.step(fullyConnectedInt8, [x, w, bias, y, multipliers, shifts, rows, depth, units, y.zeroPoint, range.min, range.max]);
}

export const fullyConnectedOperators: Operators = { FULLY_CONNECTED: prepareFullyConnected };
