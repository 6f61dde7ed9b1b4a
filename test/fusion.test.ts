/** Elementwise float32 operators as loops on Espruino: which belong together, and the bits of the portable kernels. */
import assert from 'node:assert/strict';
import type { Kernel, TypedArray } from '../lib/graph';
import type { Step } from '../lib/program';
import { add, mulFloat32 } from '../ops/arithmetic';
import { sigmoidFloat32, tanhFloat32 } from '../ops/gates';
import { fused, loopText } from '../tools/pack/fusion';
import { random } from '../author/random';

const N = 64;
const step = (kernel: Kernel, args: (number | TypedArray)[]): Step => ({ kernel, args }) as unknown as Step;
const outer = new Int32Array(0);
const flat = [N, N, 1, 1, 1, 0, 0, outer] as const;
const sum = (a: TypedArray, b: TypedArray, y: TypedArray, sign = 1, min = -Infinity, max = Infinity): Step =>
  step(add as Kernel, [a, b, y, ...flat, sign, min, max]);
const product = (a: TypedArray, b: TypedArray, y: TypedArray): Step =>
  step(mulFloat32 as Kernel, [a, b, y, ...flat, -Infinity, Infinity]);
const sigmoid = (x: TypedArray, y: TypedArray): Step => step(sigmoidFloat32 as Kernel, [x, y, N]);
const tanh = (x: TypedArray, y: TypedArray): Step => step(tanhFloat32 as Kernel, [x, y, N]);

const isConstant = (array: TypedArray): boolean => array.length === 1;

describe('loops of elementwise operators', () => {
  const arena = new Float32Array(8 * N);
  const part = (i: number, offset = 0): Float32Array => arena.subarray(i * N + offset, i * N + offset + N);
  const fill = (): void => {
    const next = random(3);
    for (let i = 0; i < arena.length; i++) arena[i] = (next() - 0.5) * 10 ** Math.floor(next() * 12 - 9);
  };
  /** Contents of the arena after the steps, and after loops in their place. */
  const both = (steps: Step[]): { loops: number; portable: Float32Array; looped: Float32Array } => {
    fill();
    for (const { kernel, args } of steps) (kernel as (...args: unknown[]) => void)(...args);
    const portable = arena.slice();
    fill();
    const items = fused(steps, isConstant);
    for (const { loop } of items) {
      const { text, working, arrays } = loopText(loop!);
      const run = new Function(`return ${text}`)() as (...args: unknown[]) => void;
      run(N, ...working.map(() => 0), ...arrays);
    }
    return { loops: items.length, portable, looped: arena.slice() };
  };

  it('are one for a gate, with the bits of one operator after the other', () => {
    const { loops, portable, looped } = both(
      [
        sum(part(0), part(1), part(0)),
        sigmoid(part(0), part(0)),
        product(part(0), part(2), part(3)),
        sum(part(3), part(4), part(3), -1, -0.5, 0.5),
        tanh(part(3), part(5)),
        sum(part(5), new Float32Array([0.3]), part(6)),
      ].map((one, i) =>
        i < 5 ? one : step(add as Kernel, [...one.args.slice(0, 5), 1, 0, ...one.args.slice(7)]),
      ),
    );
    assert.equal(loops, 1);
    assert.deepEqual([...looped], [...portable]);
  });

  it('end where elements would meet others than their own', () => {
    const { loops, portable, looped } = both([
      sum(part(0), part(1), part(2)),
      sigmoid(part(2, 1), part(4)),
      tanh(part(2), part(2)),
    ]);
    assert.equal(loops, 3);
    assert.deepEqual([...looped], [...portable]);
  });

  it('are none for operands that are broadcast, and for numbers that are no constants', () => {
    const rows = sum(part(0), part(1), part(2));
    rows.args[4] = N / 2;
    assert.equal(fused([rows], isConstant)[0].loop, null);
    const scalar = sum(part(0), arena.subarray(N, N + 1), part(2));
    scalar.args[6] = 0;
    assert.equal(fused([scalar], () => false)[0].loop, null);
  });

  it('stay within the bits of tanh and sigmoid from the smallest floats to the largest', () => {
    const values = Float32Array.from({ length: N }, (_, i) => (i % 2 ? -1 : 1) * 2 ** (i * 4 - 145));
    arena.set(values);
    arena.set([NaN, 0, -0, Infinity, -Infinity, 88, -88, -9, -9.5], 1);
    const x = arena.slice(0, N);
    for (const one of [tanh(x, part(2)), sigmoid(x, part(2))]) {
      (one.kernel as (...args: unknown[]) => void)(...one.args);
      const expected = part(2).slice();
      const { text, working, arrays } = loopText(fused([one], isConstant)[0].loop!);
      (new Function(`return ${text}`)() as (...args: unknown[]) => void)(
        N,
        ...working.map(() => 0),
        ...arrays,
      );
      assert.deepEqual([...part(2)], [...expected]);
    }
  });
});
