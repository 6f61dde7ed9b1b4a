/**
 * Operators of one input and one output: their checks, and tables in place of 8-bit functions. A kernel of the form
 * (x, y, n, …) that computes such a function elementwise runs once in prepare, on all 256 inputs.
 */
import { fround, roundAway, typeRange } from '../lib/fixedpoint';
import { Argument, Kernel, Node, Prepare, Preparation, Tensor, TypedArray } from '../lib/graph';
import { elementBytes, newArray, viewOf } from '../lib/tensor';
import { expectQuantized, expectShape, expectType, input, output } from './checks';

/** Kernel: y = table[x], by the bits of x. */
export function lookup(x: Uint8Array, y: Uint8Array, table: Uint8Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = table[x[i]];
}

/** The operands of an operator with one input and one output. */
export interface Unary {
  x: Tensor;
  y: Tensor;
}

/** Checks that there is one input and one output, of the same shape. */
export function unaryOperands(node: Node, p: Preparation): Unary {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  if (node.inputs.length !== 1) p.fail('it takes 1 input, but there are ' + node.inputs.length);
  expectShape(y, x.shape, 'the output', p);
  return { x: x, y: y };
}

/** As unaryOperands; both must have the same of the given types, and integers must be quantized. */
export function sameTypeOperands(node: Node, types: string, p: Preparation): Unary {
  const o = unaryOperands(node, p);
  expectType(o.x, types, 'the input', p);
  expectType(o.y, o.x.type, 'the output', p);
  p.inPlace(o.x, o.y);
  if (o.x.type !== 'FLOAT32') {
    expectQuantized(o.x, 'the input', p);
    expectQuantized(o.y, 'the output', p);
  }
  return o;
}

/** The prepare function of an elementwise operator without parameters: a kernel of the form (x, y, n). */
export function elementwise(kernel: Kernel, types: string): Prepare {
  return function (node: Node, p: Preparation): void {
    const o = unaryOperands(node, p);
    expectType(o.x, types, 'the input', p);
    expectType(o.y, o.x.type, 'the output', p);
    p.inPlace(o.x, o.y);
    p.step(kernel, [o.x, o.y, o.x.length]);
  };
}

/** All values of an 8-bit type, in the order of their bits. */
function allValues(type: string): TypedArray {
  const bits = new Uint8Array(256);
  for (let i = 0; i < 256; i++) bits[i] = i;
  return viewOf(type, bits.buffer, 0, 256);
}

/** Emits `kernel(x, y, n, …parameters)`; from 8-bit to 8-bit types, a table of what it computes. */
export function emitUnary(kernel: Kernel, o: Unary, parameters: Argument[], p: Preparation): void {
  const n = o.x.length;
  if (elementBytes(o.x.type) !== 1 || elementBytes(o.y.type) !== 1) {
    p.step(kernel, ([o.x, o.y, n] as Argument[]).concat(parameters));
    return;
  }
  const table = newArray(o.y.type, 256);
  kernel.apply(null, ([allValues(o.x.type), table, 256] as Argument[]).concat(parameters));
  const bits = table.buffer as ArrayBuffer;
  p.step(lookup, [
    { of: o.x, type: 'UINT8', offset: 0, length: n },
    { of: o.y, type: 'UINT8', offset: 0, length: n },
    new Uint8Array(bits),
    n,
  ]);
}

/**
 * Emits the table of a float function for INT8 or UINT8 operands, computed in float32 as TFLite's LUTPopulate does.
 * `f` is given float32 numbers; its results are rounded to float32.
 */
export function emitFloatTable(f: (x: number) => number, o: Unary, p: Preparation): void {
  const range = typeRange(o.y.type);
  const inverse = fround(1 / o.y.scale);
  emitUnary(
    function (x: TypedArray, y: TypedArray, n: number): void {
      for (let i = 0; i < n; i++) {
        const real = fround(f(fround(o.x.scale * (x[i] - o.x.zeroPoint))));
        const stored = roundAway(fround(real * inverse)) + o.y.zeroPoint;
        y[i] = stored < range.min ? range.min : stored > range.max ? range.max : stored;
      }
    },
    o,
    [],
    p,
  );
}
