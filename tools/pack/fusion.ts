/**
 * Elementwise float32 operators in a row as one loop on Espruino, which pays for each word of source text. Each operator
 * still writes its result down, and so rounds it to float32 as its portable kernel does.
 */
import type { TypedArray } from '../../lib/graph';
import type { Step } from '../../lib/program';
import { kernelName } from './kernels';
import { numberText } from './print';
import { unbounded, type Args } from './replacement';

/** An operand that is walked over, or a number. */
type Operand = Float32Array | number;

/** y[i] = a[i] ∘ b[i], or a function of a[i]; perhaps cut off at bounds. */
export interface Statement {
  y: Float32Array;
  operator: '+' | '-' | '*' | 'sigmoid' | 'tanh';
  operands: Operand[];
  min: number;
  max: number;
}

/** Arrays of one loop at most: names are looked up one after the other. */
const MOST_ARRAYS = 8;

type IsConstant = (array: TypedArray) => boolean;

/** An operand of a binary operator that is walked over in steps of `step`: itself, or a constant number. */
function operandOf(array: TypedArray, step: number, isConstant: IsConstant): Operand | null {
  if (step === 1) return array as Float32Array;
  return step === 0 && array.length === 1 && isConstant(array) ? (array[0] as number) : null;
}

function binary(operator: '+' | '-' | '*', args: Args, isConstant: IsConstant): Statement | null {
  const [a, b, y] = args as TypedArray[];
  const [n, inner, ai, bi] = args.slice(3) as number[];
  const [min, max] = args.slice(-2) as number[];
  if (!(y instanceof Float32Array) || n === 0 || inner !== n) return null;
  const left = operandOf(a, ai, isConstant);
  const right = operandOf(b, bi, isConstant);
  return left === null || right === null ? null : { y, operator, operands: [left, right], min, max };
}

/** An operator as a statement; null where it is none. */
export function statementOf(
  { kernel, args }: Pick<Step, 'kernel' | 'args'>,
  isConstant: IsConstant,
): Statement | null {
  const { module, name } = kernelName(kernel);
  switch (`${module} ${name}`) {
    case 'ops/arithmetic add':
      return binary((args[11] as number) < 0 ? '-' : '+', args, isConstant);
    case 'ops/arithmetic mulFloat32':
      return binary('*', args, isConstant);
    case 'ops/gates sigmoidFloat32':
    case 'ops/gates tanhFloat32': {
      const [x, y] = args as Float32Array[];
      const operator = name === 'tanhFloat32' ? 'tanh' : 'sigmoid';
      return { y, operator, operands: [x.subarray(0, y.length)], min: -Infinity, max: Infinity };
    }
  }
  return null;
}

export function isSame(a: TypedArray, b: TypedArray): boolean {
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.byteLength === b.byteLength;
}

function overlap(a: TypedArray, b: TypedArray): boolean {
  return (
    a.buffer === b.buffer &&
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength
  );
}

/** All arrays of a loop, each once, in the order of their first use. */
function arraysOf(loop: Statement[]): Float32Array[] {
  const arrays: Float32Array[] = [];
  for (const { y, operands } of loop)
    for (const array of [...operands, y])
      if (typeof array !== 'number' && !arrays.some((other) => isSame(other, array))) arrays.push(array);
  return arrays;
}

/** Whether element i of all arrays of a loop depends on elements i only. */
function isAligned(loop: Statement[]): boolean {
  const arrays = arraysOf(loop);
  return (
    arrays.length <= MOST_ARRAYS &&
    arrays.every((a, i) => arrays.slice(0, i).every((b) => !overlap(a, b))) &&
    loop.every(({ y }) => y.length === loop[0].y.length)
  );
}

/** A step, and, where it is elementwise, the loop that it begins. */
export interface Item {
  step: Step;
  loop: Statement[] | null;
}

/** The steps of a straight line, with elementwise operators in a row as one loop. */
export function fused(steps: Step[], isConstant: IsConstant): Item[] {
  const items: Item[] = [];
  for (const step of steps) {
    const statement = statementOf(step, isConstant);
    const loop = items[items.length - 1]?.loop;
    if (statement && loop && isAligned([...loop, statement])) loop.push(statement);
    else items.push({ step, loop: statement && isAligned([statement]) ? [statement] : null });
  }
  return items;
}

/**
 * A loop as the text of a function, and the arrays that it is called with after the count and working variables. Names
 * that are used most come first.
 */
export function loopText(loop: Statement[]): { text: string; working: string[]; arrays: Float32Array[] } {
  const uses = (array: Float32Array): number =>
    loop
      .flatMap(({ y, operands }) => [y, ...operands])
      .filter((one) => typeof one !== 'number' && isSame(one, array)).length;
  const arrays = arraysOf(loop).sort((a, b) => uses(b) - uses(a));
  const working = new Set<string>();
  const textOf = (operand: Operand): string =>
    typeof operand === 'number'
      ? numberText(operand)
      : `a${arrays.findIndex((array) => isSame(array, operand))}[n]`;
  const lines = loop.map(({ y, operator, operands, min, max }) => {
    const [a, b] = operands.map(textOf);
    let value: string;
    if (operator === 'sigmoid') value = `(v = ${a}) < -9 ? exp(v) : 1 / (1 + exp(-v))`;
    // from where it is itself to where it is 1
    else if (operator === 'tanh')
      value = `(v = ${a}) * v < 1e-9 ? v : v > 20 ? 1 : ((e = exp(v + v)) - 1) / (e + 1)`;
    else value = `${a} ${operator} ${b.startsWith('-') ? `(${b})` : b}`;
    if (!unbounded(min, max))
      value = `(v = ${value}) < ${numberText(min)} ? ${numberText(min)} : v > ${numberText(max)} ? ${numberText(max)} : v`;
    for (const [, name] of value.matchAll(/\b(v|exp|e)\b/g)) working.add(name);
    return `${textOf(y)} = ${value};`;
  });
  const parameters = ['n', ...working, ...arrays.map((_, i) => `a${i}`)];
  const text = `function (${parameters.join(', ')}) {
${working.has('exp') ? 'exp = Math.exp;\n' : ''}while (n--) {
${lines.join('\n')}
}
}`;
  return { text, working: [...working], arrays };
}
