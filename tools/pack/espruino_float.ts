/** FULLY_CONNECTED, CONV_2D and DEPTHWISE_CONV_2D in float32 on Espruino. Sums are added in another order than portable ones. */
import type { TypedArray } from '../../lib/graph';
import {
  depthwiseGeometry,
  everywhere,
  geometryOf,
  isWhole,
  PLACES,
  viewsOf,
  X,
  Y,
  type IsConstant,
} from './espruino_places';
import {
  call,
  column,
  made,
  reachable,
  unbounded,
  type Args,
  type Parameter,
  type Replacement,
} from './replacement';

type Operand = Float32Array | Parameter;

export const DENSE_FLOAT = 'engines/espruino/dense_float';

/** Elements to walk over on average to a row's beginning, which cost less than a view for each row. */
const WALK = 24;

/** How many short rows share a view, at least 8; 1 where rows are long. */
function shortRows(depth: number, units: number): number {
  for (let together = 16; together >= 8; together--)
    if (units % together === 0 && ((together - 1) / 2) * depth <= WALK) return together;
  return 1;
}

/** One row without an activation; the bias becomes a last column of the weights. `withOne`: x has a 1 behind it. */
function floatRow(
  x: Operand,
  y: Operand,
  w: Float32Array,
  bias: Float32Array,
  depth: number,
  units: number,
  withOne = false,
): Replacement {
  const joined = new Float32Array(units * (depth + 1));
  for (let unit = 0; unit < units; unit++) {
    joined.set(w.subarray(unit * depth, (unit + 1) * depth), unit * (depth + 1));
    joined[unit * (depth + 1) + depth] = bias[unit];
  }
  const together = shortRows(depth + 1, units);
  if (together > 1 && !withOne) {
    const views = made(
      joined,
      (name) => `sharedFloatRows(${name}, ${(depth + 1) * together}, ${units / together})`,
    );
    const starts = Uint16Array.from({ length: together }, (_, i) => i * (depth + 1));
    const room = made(null, () => `withOne(${depth})`);
    const args = [x, room, views, starts, y];
    return call(DENSE_FLOAT, 'denseFloat32Shared', args, 'sharedFloatRows', 'withOne');
  }
  const rows = made(joined, (name) => `floatRows(${name}, ${depth + 1}, ${units})`);
  if (withOne) return call(DENSE_FLOAT, 'denseFloat32One', [x, rows, y], 'floatRows');
  const one = made(null, () => `withOne(${depth})`);
  return {
    ...call(DENSE_FLOAT, 'denseFloat32', [x, rows, one, y], 'floatRows', 'withOne'),
    builtins: (from, matrix, room, to) =>
      `${room}.set(${from});\n${to}.set(${matrix}.map(E.convolve.bind(E, ${room})))`,
  };
}

/** A fused activation after what brings y. */
function clamped(work: Replacement, y: TypedArray, min: number, max: number): Replacement {
  if (unbounded(min, max)) return work;
  const { kernel, imports, args } = work;
  const clamp = call(DENSE_FLOAT, 'clampFloat32', [{ inner: kernel.name, args }, y.length, y, min, max]);
  return { ...clamp, imports: [kernel, ...imports] };
}

/** FULLY_CONNECTED. */
export function fullyConnectedFloat32(args: Args, isConstant: IsConstant): Replacement | null {
  const [x, w, bias, y] = args as Float32Array[];
  const [rows, depth, units, min, max] = args.slice(4) as number[];
  if (w.byteLength + 4 * units > 65535 || !isConstant(w)) return null;
  if (isConstant(bias)) {
    if (rows === 1) return clamped(floatRow(x, y, w, bias, depth, units), y, min, max);
    if (!reachable(x) || !reachable(y)) return null;
    const row = floatRow(X, Y, w, bias, depth, units);
    return clamped(call(PLACES, 'eachRow', [rows, x, y, depth, units, { row }, ...viewsOf(y)]), y, min, max);
  }
  if (rows !== 1) return null;
  const matrix = made(w, (name) => `floatRows(${name}, ${depth}, ${units})`);
  return call(DENSE_FLOAT, 'denseFloat32Clamped', [x, matrix, bias, y, min, max], 'floatRows');
}

/** CONV_2D without groups. */
export function convFloat32(args: Args, isConstant: IsConstant): Replacement | null {
  const [x, w, bias, y] = args as Float32Array[];
  const g = geometryOf(args, 4);
  const [min, max] = args.slice(-2) as number[];
  if (g.batches !== 1 || g.unitsPerGroup !== g.units) return null;
  if (!reachable(x) || !reachable(y)) return null;
  if (w.byteLength + 4 * g.units > 65535 || !isConstant(w) || !isConstant(bias)) return null;
  const depth = g.filterHeight * g.filterWidth * g.depth;
  if (isWhole(g)) return clamped(floatRow(x, y, w, bias, depth, g.units), y, min, max);
  const row = floatRow(X, Y, w, bias, depth, g.units, true);
  const patch = made(null, () => `withOne(${depth})`);
  const work = { ...everywhere(row, x, y, g, 0, patch), imports: [{ module: DENSE_FLOAT, name: 'withOne' }] };
  return clamped(work, y, min, max);
}

/** DEPTHWISE_CONV_2D with one unit a channel, or with one channel: the latter is a CONV_2D. */
export function depthwiseConvFloat32(args: Args, isConstant: IsConstant): Replacement | null {
  const [x, w, bias, y] = args as Float32Array[];
  const g = depthwiseGeometry(args, 4);
  const [min, max] = args.slice(-2) as number[];
  const taps = g.filterHeight * g.filterWidth;
  const { units } = g;
  if (g.batches !== 1 || !isConstant(w) || !isConstant(bias)) return null;
  if (g.depth !== 1 && g.depth !== units) return null;
  if (w.length !== taps * units || x.length !== g.height * g.width * g.depth) return null;
  if (w.byteLength + 4 * units > 65535 || !reachable(x) || !reachable(y)) return null;
  // taps of a unit side by side
  const columns = new Float32Array(w.length);
  for (let i = 0; i < w.length; i++) columns[(i % units) * taps + Math.floor(i / units)] = w[i];
  const place = (from: Operand, to: Operand): Replacement =>
    g.depth === 1 ? floatRow(from, to, columns, bias, taps, units) : onePlace(from, to, columns, bias, taps);
  const work = isWhole(g) ? place(x, y) : everywhere(place(X, Y), x, y, g, 0);
  return clamped(work, y, min, max);
}

/** A depthwise convolution to one place; `w` has the taps of a unit side by side. */
function onePlace(x: Operand, y: Operand, w: Float32Array, bias: Float32Array, taps: number): Replacement {
  const units = bias.length;
  const starts = Uint16Array.from({ length: taps }, (_, i) => i * units);
  const span = (taps - 1) * units + 1;
  return call(DENSE_FLOAT, 'columnsFloat32', [
    units,
    0,
    span,
    column('Float32Array', taps),
    w,
    taps,
    starts,
    y,
    bias,
    x,
  ]);
}
