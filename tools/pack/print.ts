/**
 * Prints a prepared program as ES5 text: one straight line of kernel calls, with their arguments as literals, views on
 * the arena and the state, or constants.
 */
import type { TypedArray } from '../../lib/graph';
import type { Program, Step } from '../../lib/program';
import { kernelName, type KernelName } from './kernels';

/** How the text of a program refers to what is outside of it. */
export interface PrintOptions {
  /** Expression for a constant or a table, defined once; default: a literal array. */
  constant?: (array: TypedArray, index: number) => string;
  /** Another kernel with the same signature, and what to put for single arguments. */
  accelerate?: (kernel: KernelName, step: Step) => Acceleration | null;
}

export interface Acceleration {
  kernel: KernelName;
  /** Replaces the expression of argument number `index`; null keeps it. */
  argument?: (index: number, expression: string, value: number | TypedArray) => string | null;
}

export interface PrintedProgram {
  /** Kernels to import, each once. */
  imports: KernelName[];
  /** Statements that define the views and constants: `var v0 = new Int8Array(arena, 0, 16), …;` */
  definitions: string;
  /** Statements of one step; `arena` and `state` are ArrayBuffers in scope. */
  step: string;
}

/** The name of an array's constructor: "Int8Array". */
export function arrayName(array: TypedArray): string {
  return Object.prototype.toString.call(array).slice(8, -1);
}

/** A number as ES5 text that gives the same double. */
export function numberText(value: number): string {
  if (Object.is(value, -0)) return '-0';
  if (value === Infinity) return '1/0';
  if (value === -Infinity) return '-1/0';
  return Number.isNaN(value) ? '0/0' : String(value);
}

/** A typed array as ES5 text. */
export function literalArray(array: TypedArray): string {
  return `new ${arrayName(array)}([${Array.from(array, numberText).join(',')}])`;
}

/**
 * Prints the steps of one run.
 * @throws Error when the program has control flow, or a kernel that no module exports
 */
export function printProgram(program: Program, options: PrintOptions = {}): PrintedProgram {
  const imports = new Map<string, KernelName>();
  const names = new Map<TypedArray, string>();
  const byPlace = new Map<string, string>();
  const definitions: string[] = [];
  const lines: string[] = [];
  const constant = options.constant ?? literalArray;

  const define = (array: TypedArray): string => {
    const known = names.get(array);
    if (known) return known;
    const block =
      array.buffer === program.arena ? 'arena' : array.buffer === program.state.buffer ? 'state' : null;
    const expression = block
      ? `new ${arrayName(array)}(${array.length ? `${block},${array.byteOffset},${array.length}` : '0'})`
      : constant(array, definitions.length);
    const place = block ? expression : `${arrayName(array)} ${expression}`;
    let name = byPlace.get(place);
    if (!name) {
      name = `v${definitions.length}`;
      definitions.push(`${name}=${expression}`);
      byPlace.set(place, name);
    }
    names.set(array, name);
    return name;
  };

  for (const step of program.steps.slice(0, program.end)) {
    const original = kernelName(step.kernel);
    const faster = options.accelerate?.(original, step) ?? null;
    const kernel = faster?.kernel ?? original;
    if (kernel.module === 'ops/control' || kernel.name === 'enter') {
      throw new Error(`${step.node.op}: control flow cannot be printed as a straight line`);
    }
    const args = step.args.map((value, index) => {
      const expression = typeof value === 'number' ? numberText(value) : define(value);
      return faster?.argument?.(index, expression, value) ?? expression;
    });
    imports.set(`${kernel.module} ${kernel.name}`, kernel);
    lines.push(`${kernel.name}(${args.join(',')});`);
  }
  return {
    imports: [...imports.values()],
    definitions: definitions.length ? `var ${definitions.join(',\n')};` : '',
    step: lines.join('\n'),
  };
}

/** The printed program as the text of an ES module that exports `arena`, `state` and `step`, ready to be bundled. */
export function programModule(program: Program, options: PrintOptions = {}): string {
  const printed = printProgram(program, options);
  const imports = printed.imports.map(({ module, name }) => `import { ${name} } from './${module}';`);
  return `${imports.join('\n')}
export var arena = new ArrayBuffer(${program.arena.byteLength});
export var state = new ArrayBuffer(${program.stateBytes});
${printed.definitions}
export function step() {
${printed.step}
}
`;
}
