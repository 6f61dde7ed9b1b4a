/** Integers that come as operands: indices, shapes, sizes. INT64 ones are read as pairs of words. */
import { Argument, Kernel, Preparation, Tensor } from '../lib/graph';
import { expectType } from './checks';

/** Integer number `i` of `data`, in elements of `words` 32-bit words. */
export function intAt(data: Int32Array, i: number, words: number): number {
  return words > 1 ? data[2 * i + 1] * 4294967296 + (data[2 * i] >>> 0) : data[i];
}

/** Words of one element of an INT32 or INT64 tensor. */
export function wordsPerInt(tensor: Tensor): number {
  return tensor.type === 'INT64' ? 2 : 1;
}

/** Runs a kernel at once if all that it reads is constant, else in each step. */
export function stepOrNow(constant: boolean, kernel: Kernel, args: Argument[], p: Preparation): void {
  if (!constant) return p.step(kernel, args);
  const values: unknown[] = [];
  for (let i = 0; i < args.length; i++)
    values.push((args[i] as Tensor).shape ? (args[i] as Tensor).data : args[i]);
  try {
    kernel.apply(null, values);
  } catch (error) {
    p.fail((error as Error).message);
  }
}

/** Kernel: fails unless the first `n` integers are the expected ones. */
export function checkInts(data: Int32Array, words: number, expected: Int32Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const got = intAt(data, i, words);
    if (got !== expected[i])
      throw new Error('expected ' + expected[i] + ' in an operand, as the static shape says, but got ' + got);
  }
}

/** Fails unless an operand holds exactly these numbers: now if it is constant, otherwise in each step. */
export function expectInts(tensor: Tensor, expected: number[], what: string, p: Preparation): void {
  expectType(tensor, tensor.constant ? 'INT32 INT64 INT16 INT8' : 'INT32 INT64', what, p);
  if (tensor.length !== expected.length)
    p.fail(what + ' must be ' + expected.length + ' numbers, but there are ' + tensor.length);
  // a constant of no elements is not marked as one
  stepOrNow(
    tensor.constant || !tensor.length,
    checkInts,
    [tensor, wordsPerInt(tensor), new Int32Array(expected), expected.length],
    p,
  );
}
