/** FULLY_CONNECTED, CONV_2D and DEPTHWISE_CONV_2D in int8 on Espruino, with any number of rows or places. */
import type { TypedArray } from '../../lib/graph';
import { DENSE, denseRow, perUnit, type Dense } from './espruino_dense';
import { arrayName } from './print';
import {
  call,
  clamping,
  column,
  made,
  reachable,
  through,
  type Args,
  type Argument,
  type Replacement,
} from './replacement';

export const PLACES = 'engines/espruino/places';

export type IsConstant = (array: TypedArray) => boolean;
type Operands = [Int8Array, Int8Array, Int32Array, Int8Array, Int32Array, Int8Array];

/** What a row's function is given. */
export const X = { parameter: 'x' } as const;
export const Y = { parameter: 'y' } as const;

/** The type of a kernel's views, and the bytes of its elements. */
export function viewsOf(array: TypedArray): Argument[] {
  const name = arrayName(array);
  return [made(null, () => name), array.BYTES_PER_ELEMENT];
}

/** FULLY_CONNECTED. */
export function fullyConnected(args: Args, isConstant: IsConstant, together: number): Replacement | null {
  const [x, w, bias, y, multipliers, shifts] = args as Operands;
  const [rows, depth, units, zero, min, max] = args.slice(6) as number[];
  if (!isConstant(w) || !isConstant(bias)) return null;
  const wide = (y as TypedArray) instanceof Int16Array;
  const dense = { w, bias, multipliers, shifts, depth, units, zero, min, max, wide };
  if (rows === 1) return denseRow({ ...dense, x, y }, together);
  const row = wide || !reachable(x) || !reachable(y) ? null : denseRow({ ...dense, x: X, y: Y }, together);
  return row && call(PLACES, 'eachRow', [rows, x, y, depth, units, { row }, ...viewsOf(y)]);
}

/** Geometry of a convolution, as its kernels take it. */
export interface Geometry {
  batches: number;
  height: number;
  width: number;
  depth: number;
  outHeight: number;
  outWidth: number;
  units: number;
  unitsPerGroup: number;
  filterHeight: number;
  filterWidth: number;
  filterDepth: number;
  strideY: number;
  strideX: number;
  padY: number;
  padX: number;
  dilationY: number;
  dilationX: number;
}

/** The geometry from argument `from` on. */
export function geometryOf(args: Args, from: number): Geometry {
  const sizes = args.slice(from) as number[];
  const [batches, height, width, depth, outHeight, outWidth, units, unitsPerGroup] = sizes;
  const [filterHeight, filterWidth, filterDepth, strideY, strideX, padY, padX, dilationY, dilationX] =
    sizes.slice(8);
  return {
    batches,
    height,
    width,
    depth,
    outHeight,
    outWidth,
    units,
    unitsPerGroup,
    filterHeight,
    filterWidth,
    filterDepth,
    strideY,
    strideX,
    padY,
    padX,
    dilationY,
    dilationX,
  };
}

/** Whether the only window is the whole image, so that x is the patch. */
export function isWhole(g: Geometry): boolean {
  const one =
    g.outHeight === 1 &&
    g.outWidth === 1 &&
    g.padY === 0 &&
    g.padX === 0 &&
    g.dilationY === 1 &&
    g.dilationX === 1;
  return one && g.height === g.filterHeight && g.width === g.filterWidth;
}

/** The replacement of one place for all places; `patch` makes what a window is copied to. */
export function everywhere(
  row: Replacement,
  x: TypedArray,
  y: TypedArray,
  g: Geometry,
  zero: number,
  patch = made(null, () => `new ${arrayName(x)}(${g.filterHeight * g.filterWidth * g.depth})`),
): Replacement {
  const sizes = [g.height, g.width, g.depth, g.outHeight, g.outWidth, g.units, g.filterHeight, g.filterWidth];
  const steps = [g.strideY, g.strideX, g.padY, g.padX, g.dilationY, g.dilationX];
  const args: Argument[] = [x, y, patch, { row }, ...sizes, ...steps, zero, ...viewsOf(x)];
  return call(PLACES, 'eachPlace', args);
}

/** The bias with the input's zero point in it: padding then adds nothing. `sums` are those of each unit's weights. */
function foldedBias(bias: Int32Array, sums: number[], xZero: number): Int32Array {
  return bias.map((value, unit) => value - xZero * sums[unit]);
}

function total(array: Int8Array): number {
  return array.reduce((sum, value) => sum + value, 0);
}

/** CONV_2D without groups. */
export function convolution(args: Args, isConstant: IsConstant, together: number): Replacement | null {
  const [x, w, bias, y, multipliers, shifts] = args as Operands;
  const g = geometryOf(args, 6);
  const [xZero, zero, min, max] = args.slice(-4) as number[];
  if (g.batches !== 1 || g.unitsPerGroup !== g.units) return null;
  if (!isConstant(w) || !isConstant(bias)) return null;
  const depth = g.filterHeight * g.filterWidth * g.depth;
  const sums = Array.from({ length: g.units }, (_, unit) =>
    total(w.subarray(unit * depth, (unit + 1) * depth)),
  );
  const folded = foldedBias(bias, sums, xZero);
  const dense = { w, bias: folded, multipliers, shifts, depth, units: g.units, zero, min, max };
  if (isWhole(g)) return denseRow({ ...dense, x, y }, together);
  if (!reachable(x) || !reachable(y)) return null;
  const row = denseRow({ ...dense, x: X, y: Y }, together);
  return row && everywhere(row, x, y, g, xZero);
}

/** The geometry of a DEPTHWISE_CONV_2D, which may have been prepared with its axes exchanged. */
export function depthwiseGeometry(args: Args, from: number): Geometry {
  const g = geometryOf(args, from);
  const [alongY, alongX] = args.slice(from + 17) as number[];
  if (alongX === g.depth || alongY !== g.depth) return g;
  return {
    ...g,
    height: g.width,
    width: g.height,
    outHeight: g.outWidth,
    outWidth: g.outHeight,
    filterHeight: g.filterWidth,
    filterWidth: g.filterHeight,
    strideY: g.strideX,
    strideX: g.strideY,
    padY: g.padX,
    padX: g.padY,
    dilationY: g.dilationX,
    dilationX: g.dilationY,
  };
}

/** DEPTHWISE_CONV_2D with one unit a channel, or with one channel: the latter is a CONV_2D. */
export function depthwise(args: Args, isConstant: IsConstant, together: number): Replacement | null {
  const [x, w, bias, y, multipliers, shifts] = args as Operands;
  const g = depthwiseGeometry(args, 6);
  const [xZero, zero, min, max] = args.slice(-4) as number[];
  if (g.batches !== 1 || !isConstant(w) || !isConstant(bias)) return null;
  const taps = g.filterHeight * g.filterWidth;
  const { units } = g;
  if (w.length !== taps * units || x.length !== g.height * g.width * g.depth) return null;
  if (!reachable(x) || !reachable(y)) return null;
  // taps of a unit side by side
  const columns = new Int8Array(w.length);
  for (let i = 0; i < w.length; i++) columns[(i % units) * taps + Math.floor(i / units)] = w[i];
  const sums = Array.from({ length: units }, (_, unit) =>
    total(columns.subarray(unit * taps, (unit + 1) * taps)),
  );
  const folded = foldedBias(bias, sums, xZero);
  const dense = { w: columns, bias: folded, multipliers, shifts, depth: taps, units, zero, min, max };
  const place = (operands: Pick<Dense, 'x' | 'y'>): Replacement | null =>
    g.depth === 1
      ? denseRow({ ...dense, ...operands }, together)
      : onePlace({ ...dense, ...operands }, together);
  if (g.depth !== 1 && g.depth !== units) return null;
  if (isWhole(g)) return place({ x, y });
  const row = place({ x: X, y: Y });
  return row && everywhere(row, x, y, g, xZero);
}

/** A depthwise convolution to one place; `w` has the taps of a unit side by side. */
function onePlace(dense: Dense, together: number): Replacement | null {
  const { x, w, bias, shifts, depth: taps, units } = dense;
  if (w.length > 65535) return null;
  let bound = 0;
  for (let unit = 0; unit < units; unit++) {
    const row = w.subarray(unit * taps, (unit + 1) * taps);
    bound = Math.max(
      bound,
      row.reduce((sum, value) => sum + 128 * Math.abs(value), Math.abs(bias[unit])),
    );
  }
  if (shifts.some((shift) => shift > 0)) return null;
  const scaling = perUnit(dense, bound);
  if (!scaling) return null;
  // as many as a dense layer behind it has rows to a view, which then are the same numbers
  const starts = Uint16Array.from({ length: Math.max(taps, together) }, (_, i) => i * units);
  const u = clamping(units);
  const operands = [units, 0, column('Int8Array', taps), x, starts, w, taps, u, ...scaling.terms];
  return through(call(DENSE, 'columnsInt8PerUnit', operands), u, dense.y, scaling.table);
}
