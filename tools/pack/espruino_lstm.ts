/** LSTMs over many rows on Espruino. */
import type { TypedArray } from '../../lib/graph';
import { DENSE } from './espruino_dense';
import { DENSE_FLOAT } from './espruino_float';
import { X, Y, type IsConstant } from './espruino_places';
import {
  call,
  made,
  nudge,
  reachable,
  trailingZeros,
  type Args,
  type Argument,
  type Inner,
  type Parameter,
  type Replacement,
} from './replacement';

const LSTM = 'engines/espruino/lstm';

/**
 * M, and 65536½ ∓ nudge; null where the form is not exact: with z zero bits at the end of the multiplier, it is while
 * |s| < 2^(22+z), and beyond that the result is cut off to int16.
 */
function scaledInt16(multiplier: number, shift: number): number[] | null {
  const e = -shift;
  if (e < 0 || e > 5 + trailingZeros(multiplier)) return null;
  return [multiplier * 2 ** (-31 - e), 65536.5 - nudge(e), 65536.5 + nudge(e)];
}

/** Sums of products of what a parameter stands for with the rows of weights. */
function products(x: Parameter, w: Int8Array, depth: number, units: number): Inner {
  return { inner: 'rowSums', args: [x, made(w, (name) => `int8Rows(${name}, ${depth}, ${units})`)] };
}

export function lstmInt8(args: Args, isConstant: IsConstant): Replacement | null {
  const [x, h, c, y, s, g] = args as TypedArray[];
  const weights = args.slice(6, 14) as Int8Array[];
  const [bias, scales, table] = args.slice(14) as Int32Array[];
  const sizes = args.slice(17) as number[];
  const [inputs, n] = sizes.slice(5);
  if (![...weights, bias, scales].every(isConstant) || !reachable(x) || !reachable(h)) return null;
  const bound =
    bias.reduce((most, value) => Math.max(most, Math.abs(value)), 0) + Math.max(inputs, n) * 2 ** 14;
  if (weights.some((w) => w.byteLength > 65535) || bound >= 2 ** 30) return null;
  const gates: Argument[] = [];
  for (let gate = 0; gate < 4; gate++) {
    const forX = scaledInt16(scales[4 * gate], scales[4 * gate + 1]);
    const forH = scaledInt16(scales[4 * gate + 2], scales[4 * gate + 3]);
    if (!forX || !forH) return null;
    const sums = [products(X, weights[gate], inputs, n), products(Y, weights[4 + gate], n, n)];
    const both = bias.slice(2 * gate * n, 2 * (gate + 1) * n);
    const to: Argument[] = gate === 2 ? [g, 0, n] : [s, gate === 1 ? n : 0, n];
    const row = call(LSTM, 'gateInt16', [n, 0, 0, ...sums, both, ...forX, ...forH, ...to]);
    const dense = ['rowSums', 'int8Rows'].map((name) => ({ module: DENSE, name }));
    gates.push({ row: { ...row, imports: dense } });
  }
  return call(LSTM, 'lstmInt8', [x, h, c, y, s, g, ...gates, scales, table, ...sizes]);
}

export function lstmFloat32(args: Args, isConstant: IsConstant): Replacement | null {
  const [x, aux, h, c, y, s] = args as Float32Array[];
  const w = args.slice(6, 10) as Float32Array[];
  const r = args.slice(14, 18) as Float32Array[];
  const peephole = args.slice(18, 21) as Float32Array[];
  const biases = args.slice(22, 26) as Float32Array[];
  const norm = args.slice(26, 30) as Float32Array[];
  const projection = args[30] as Float32Array;
  const [batches, steps, first, batchStride, timeStride, inputs, , n, outputs, depth, offset] = args.slice(
    32,
  ) as number[];
  const [clip, outputClip, activation] = args.slice(43) as number[];
  if ([aux, ...peephole, ...norm, projection].some((array) => array.length) || outputs !== n) return null;
  if (![...w, ...r, ...biases].every((array) => array.length && isConstant(array))) return null;
  const size = inputs + n + 1;
  if (4 * n * size * 4 > 65535 || !reachable(x) || !reachable(h) || !reachable(s)) return null;
  const rows = new Float32Array(4 * n * size);
  for (let gate = 0; gate < 4; gate++)
    for (let unit = 0; unit < n; unit++) {
      const at = (gate * n + unit) * size;
      rows.set(w[gate].subarray(unit * inputs, (unit + 1) * inputs), at);
      rows.set(r[gate].subarray(unit * n, (unit + 1) * n), at + inputs);
      rows[at + size - 1] = biases[gate][unit];
    }
  const joined = made(null, () => `withOne(${size - 1})`);
  const views = made(rows, (name) => `floatRows(${name}, ${size}, ${4 * n})`);
  const none = new Float32Array(0);
  const walk = [batches, steps, first, batchStride, timeStride, inputs, n, depth, offset];
  const operands: Argument[] = [x, h, c, y, s, joined, views, none, ...walk, clip, outputClip, activation];
  const imports = ['withOne', 'floatRows'].map((name) => ({ module: DENSE_FLOAT, name }));
  return { ...call(LSTM, 'lstmFloat32', operands), imports };
}
