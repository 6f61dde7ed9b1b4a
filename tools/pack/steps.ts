/** The steps of a prepared program as the text of functions. */
import type { TypedArray } from '../../lib/graph';
import { placeOf } from '../../lib/prepare';
import type { Program, Step } from '../../lib/program';
import { Definitions } from './definitions';
import { rowsTogether, type acceleration } from './espruino';
import { kernelName, type KernelName } from './kernels';
import { numberText } from './print';
import { made, type Argument, type Replacement } from './replacement';

type Accelerate = typeof acceleration | null;

/** Kernels that write to the array in their first argument, which is memory of the program and no constant. */
const COUNTERS = ['enter', 'startLoop', 'repeat'];
/** Kernels that say where to go on. */
const JUMPS = ['jump', 'enter', 'leave', 'branch', 'repeat', 'once'];

/** Texts of calls, and what they import. */
class Calls {
  readonly imports = new Map<string, KernelName>();

  constructor(private readonly definitions: Definitions) {}

  /** A call of a program's own kernel. */
  plain(kernel: KernelName, args: Argument[]): string {
    this.imports.set(`${kernel.module} ${kernel.name}`, kernel);
    return this.call(kernel.name, args);
  }

  /** A call of what takes its place: a portable kernel of the same name may be used beside it. */
  replaced({ kernel, imports, args }: Replacement): string {
    const name = `${kernel.name}_fast`;
    this.imports.set(`${kernel.module} ${name}`, { ...kernel, name: `${kernel.name} as ${name}` });
    for (const more of imports) this.imports.set(`${more.module} ${more.name}`, more);
    return this.call(name, args);
  }

  private call(name: string, args: Argument[]): string {
    return `${name}(${args.map((value) => this.argument(value)).join(', ')})`;
  }

  private argument(value: Argument): string {
    if (typeof value === 'number') return numberText(value);
    if ('text' in value) return this.definitions.nameOfMade(value);
    if ('inner' in value) return this.call(value.inner, value.args);
    if ('parameter' in value) return value.parameter;
    if ('row' in value) {
      const body = this.replaced(value.row);
      return this.definitions.nameOfMade(made(null, () => `function (x, y) { ${body}; }`));
    }
    return this.definitions.nameOf(value);
  }
}

/** The call of one step. */
function printStep(
  step: Step,
  definitions: Definitions,
  accelerate: Accelerate,
  calls: Calls,
  together: number,
): { call: string; jumps: boolean; throws: boolean } {
  const kernel = kernelName(step.kernel);
  const replacement = accelerate?.(kernel, step, definitions.isConstant, together) ?? null;
  const args = kernel.name === 'copyBytes' ? definitions.asElements(step.args as TypedArray[]) : step.args;
  return {
    call: replacement ? calls.replaced(replacement) : calls.plain(kernel, args),
    jumps: JUMPS.includes(kernel.name),
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
  const calls = new Calls(definitions);
  const together = rowsTogether(steps.map((step) => ({ kernel: kernelName(step.kernel), step })));
  const printed = steps.map((step) => ({
    step,
    ...printStep(step, definitions, accelerate, calls, together),
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
  return { text: (throwing ? "var at = '';\n" : '') + text, sliced, imports: [...calls.imports.values()] };
}
