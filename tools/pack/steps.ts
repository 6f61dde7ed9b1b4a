/** The steps of a prepared program as the text of functions. */
import type { TypedArray } from '../../lib/graph';
import { placeOf } from '../../lib/prepare';
import type { Program, Step } from '../../lib/program';
import { Definitions } from './definitions';
import { rowsTogether, type acceleration } from './espruino';
import { kernelName, type KernelName } from './kernels';
import { numberText } from './print';
import type { Argument } from './replacement';

type Accelerate = typeof acceleration | null;

/** Kernels that write to the array in their first argument, which is memory of the program and no constant. */
const COUNTERS = ['enter', 'startLoop', 'repeat'];
/** Kernels that say where to go on. */
const JUMPS = ['jump', 'enter', 'leave', 'branch', 'repeat', 'once'];

/** How the step's text is made, and which kernels it imports. */
function printStep(
  step: Step,
  definitions: Definitions,
  accelerate: Accelerate,
  imports: Map<string, KernelName>,
  together: number,
): { call: string; jumps: boolean; throws: boolean } {
  const original = kernelName(step.kernel);
  const replacement = accelerate?.(original, step, definitions.isConstant, together) ?? null;
  const kernel = replacement?.kernel ?? original;
  const use = (name: KernelName): void => void imports.set(`${name.module} ${name.name}`, name);
  // a portable kernel of the same name may be used beside it
  const local = kernel === original ? kernel.name : `${kernel.name}_fast`;
  imports.set(`${kernel.module} ${local}`, {
    ...kernel,
    name: local === kernel.name ? local : `${kernel.name} as ${local}`,
  });
  replacement?.imports.forEach(use);
  const given = original.name === 'copyBytes' ? definitions.asElements(step.args as TypedArray[]) : step.args;
  const textOf = (value: Argument): string => {
    if (typeof value === 'number') return numberText(value);
    if ('text' in value) return definitions.nameOfMade(value);
    if ('inner' in value) {
      const name = typeof value.inner === 'string' ? value.inner : definitions.nameOfMade(value.inner);
      return `${name}(${value.args.map(textOf).join(', ')})`;
    }
    return definitions.nameOf(value);
  };
  const args = (replacement?.args ?? given).map(textOf);
  return {
    call: `${local}(${args.join(', ')})`,
    jumps: JUMPS.includes(original.name),
    throws: step.kernel.toString().includes('throw '),
  };
}

/** Arrays of a program that its own steps count in. */
export function countersOf(program: Program): Set<TypedArray> {
  const counters = new Set<TypedArray>();
  for (const step of program.steps.slice(0, program.initial)) {
    if (COUNTERS.includes(kernelName(step.kernel).name)) counters.add(step.args[0] as TypedArray);
  }
  return counters;
}

export interface PrintedSteps {
  /** Defines `run`; where there is control flow, or with `slices`, `slice` as well. */
  text: string;
  sliced: boolean;
  imports: KernelName[];
}

/** Prints a run: straight lines, or a function a step where it can go on elsewhere. */
export function printSteps(
  program: Program,
  definitions: Definitions,
  accelerate: Accelerate,
  slices: boolean,
): PrintedSteps {
  const steps = program.steps.slice(0, program.initial);
  const imports = new Map<string, KernelName>();
  const together = rowsTogether(steps.map((step) => ({ kernel: kernelName(step.kernel), step })));
  const printed = steps.map((step) => ({
    step,
    ...printStep(step, definitions, accelerate, imports, together),
  }));
  const sliced = slices || printed.some((step) => step.jumps);
  const throwing = printed.some((step) => step.throws);
  const body = printed.map(({ step, call, jumps, throws }) => {
    const place = throws ? `at = ${JSON.stringify(placeOf(step.node))};\n` : '';
    return place + (sliced && jumps ? `return ${call};` : `${call};`);
  });
  const guarded = (text: string): string =>
    throwing ? `try {\n${text}\n} catch (e) {\nthrow new Error(at + ': ' + e.message);\n}` : text;
  const text = sliced
    ? `var steps = [${body.map((one) => `function () {\n${one}\n}`).join(',\n')}];
var slice = function (position, budget) {
var next = 0;
${guarded(`while (position !== ${program.end} && budget-- > 0) { next = steps[position](); position = next >= 0 ? next : position + 1; }`)}
return position;
};
var run = function () { slice(0, Infinity); };`
    : `var run = function () {\n${guarded(body.slice(0, program.end).join('\n'))}\n};`;
  return { text: (throwing ? "var at = '';\n" : '') + text, sliced, imports: [...imports.values()] };
}
