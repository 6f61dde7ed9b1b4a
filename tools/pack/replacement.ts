/** What takes the place of a kernel call, and how integer scaling is written for Espruino. */
import type { TypedArray } from '../../lib/graph';
import type { KernelName } from './kernels';

/** A kernel to call instead. */
export interface Replacement {
  kernel: KernelName;
  /** Further functions that the argument texts use. */
  imports: KernelName[];
  args: Argument[];
  /** What to print in place of a call where it is a step of its own: builtins need no function. */
  builtins?: (...names: string[]) => string;
  /** Bytes that then go through a table, by their bits. */
  table?: { from: Argument; to: TypedArray | Parameter; map: Int8Array };
}

/**
 * An argument: a number, an array, a value made when the module is loaded, room to work in, the result of another call, a
 * function made when the module is loaded, or one of its parameters.
 */
export type Argument = number | TypedArray | Made | Room | Inner | Row | Parameter;

/** A call whose result is an argument. */
export interface Inner {
  inner: string;
  args: Argument[];
}

/** A function of x and y that carries out a replacement. */
export interface Row {
  row: Replacement;
}

/** A parameter of such a function. */
export interface Parameter {
  parameter: 'x' | 'y';
}

/** A value that the module makes once: `text` gets the name of `of`. */
export interface Made {
  of: TypedArray | null;
  text: (name: string) => string;
}

/** Room to work in behind the arena: all steps share it. */
export interface Room {
  room: 'Uint8ClampedArray' | 'Int32Array' | 'Int8Array' | 'Float32Array';
  length: number;
  /** Whether the array must not be longer. */
  exact?: boolean;
}

export type Args = (number | TypedArray)[];
/** Replaces a kernel with these arguments; `isConstant` tells weights from what is computed in each step. */
export type Accelerator = (
  args: Args,
  isConstant: (array: TypedArray) => boolean,
  together: number,
) => Replacement | null;

export const FLOAT_MAX = 3.4028234663852886e38;

/** A value that is made once. */
export function made(of: TypedArray | null, text: (name: string) => string): Made {
  return { of, text };
}

export function call(
  module: string,
  name: string,
  args: Replacement['args'],
  ...imports: string[]
): Replacement {
  return { kernel: { module, name }, imports: imports.map((more) => ({ module, name: more })), args };
}

/** 2^(−e−1), what the second rounding adds; nothing where nothing is shifted. */
export function nudge(e: number): number {
  return e > 0 ? 2 ** (-e - 1) : 0;
}

/** Zero bits at the end of a multiplier. */
export function trailingZeros(multiplier: number): number {
  return multiplier ? 31 - Math.clz32(multiplier & -multiplier) : 31;
}

/** Bytes 0 to 255 as values from `base` on, within min and max; what is beyond int8 wraps. */
export function clampTable(min: number, max: number, base = -128): Int8Array {
  return Int8Array.from({ length: 256 }, (_, i) => Math.min(Math.max(i + base, min), max));
}

/** A clamping array. */
export function clamping(length: number): Room {
  return { room: 'Uint8ClampedArray', length };
}

/** Room for sums. */
export function sumsRoom(length: number): Room {
  return { room: 'Int32Array', length };
}

/** Room for exactly so many elements. */
export function column(room: 'Int8Array' | 'Float32Array', length: number): Room {
  return { room, length, exact: true };
}

/** Bytes as int8: a class of arrays that a module uses takes 8 variables, a view two. */
function signed<T extends Argument>(array: T): T | Int8Array {
  if (typeof array !== 'object' || !('buffer' in array) || array.BYTES_PER_ELEMENT > 1) return array;
  return new Int8Array(array.buffer, array.byteOffset, array.length);
}

/** to = map[from], by the bits of bytes: no kernel, but a builtin. */
export function lookup(from: Argument, to: TypedArray | Parameter, map: TypedArray): Replacement {
  const args = [signed(from), signed(to), signed(map)];
  return { ...call('', 'lookup', args), builtins: (...names) => `E.mapInPlace(${names.join(', ')})` };
}

/** What brings bytes to `from`, and then a table: `to` = map[from]. */
export function through(
  replacement: Replacement,
  from: Argument,
  to: TypedArray | Parameter,
  map: Int8Array,
): Replacement {
  return { ...replacement, table: { from, to, map } };
}

/** Whether any part of an array can have a view of its own: Espruino's have offsets up to 65535. */
export function reachable(array: TypedArray): boolean {
  return array.byteOffset + array.byteLength <= 65536;
}

export function unbounded(min: number, max: number): boolean {
  return min <= -FLOAT_MAX && max >= FLOAT_MAX;
}
