/** FULLY_CONNECTED of FLOAT32 with INT8 weights on Espruino, for one row. */
import type { TypedArray } from '../../lib/graph';
import { DENSE, sumsOf } from './espruino_dense';
import { call, made, unbounded, type Args, type Replacement } from './replacement';

const HYBRID = 'engines/espruino/hybrid';
/** Elements that Espruino's `apply` takes. */
const MOST = 256;

/** Quantizes the input. */
export function quantizeRows(args: Args): Replacement | null {
  const [x, q, scales, zeros, rows, n, asymmetric] = args as [TypedArray, ...Args];
  if (rows !== 1 || x.length > MOST) return null;
  const room = made(null, () => 'new Float32Array(1)');
  return call(HYBRID, 'quantizeRow', [n as number, 0, x, room, q, 0, 0, 0, scales, zeros, asymmetric]);
}

/** Sums, and scales them. */
export function correlateHybrid(
  args: Args,
  isConstant: (array: TypedArray) => boolean,
  together: number,
): Replacement | null {
  const [q, w, bias, y, scales, zeros, unitScales] = args as TypedArray[];
  const [batches, height, width, depth, outHeight, outWidth, units] = args.slice(7) as number[];
  const [min, max] = args.slice(-2) as number[];
  const row = batches === 1 && height === 1 && width === 1 && outHeight === 1 && outWidth === 1;
  if (!row || w.length !== units * depth || q.length !== depth) return null;
  if (!unbounded(min, max) || !isConstant(w) || w.byteLength > 65535) return null;
  const totals = Int32Array.from({ length: units }, (_, unit) =>
    (w as Int8Array).subarray(unit * depth, (unit + 1) * depth).reduce((sum, value) => sum + value, 0),
  );
  const { sums, imports } = sumsOf({ x: q as Int8Array, w: w as Int8Array, depth, units }, together);
  const operands = [totals, unitScales, bias, y, 0, 0, scales, zeros];
  const scaled = call(HYBRID, 'scaleSums', [units, sums, ...operands]);
  return { ...scaled, imports: imports.map((name) => ({ module: DENSE, name })) };
}
