/** The steps of a prepared program as the text of functions. */
import type { TypedArray } from '../../lib/graph';
import { placeOf } from '../../lib/prepare';
import type { Program, Step } from '../../lib/program';
import { Definitions } from './definitions';
import { rowsTogether, type acceleration } from './espruino';
import { fused, isSame, loopText, statementOf, type Item, type Statement } from './fusion';
import { kernelName, type KernelName } from './kernels';
import { numberText } from './print';
import { lookup, made, type Argument, type Replacement } from './replacement';

type Accelerate = typeof acceleration | null;

/** Kernels that write to the array in their first argument, which is memory of the program and no constant. */
const COUNTERS = ['enter', 'startLoop', 'repeat'];
/** Kernels that say where to go on. */
const JUMPS = ['jump', 'enter', 'leave', 'branch', 'repeat', 'once'];

/** Texts of calls, and what they import. */
class Calls {
  readonly imports = new Map<string, KernelName>();

  constructor(private readonly definitions: Definitions) {}

  /** A call of a program's own kernel; a copy is a method of arrays. */
  plain(kernel: KernelName, args: Argument[]): string {
    if (kernel.name === 'copyBytes') return `${this.argument(args[1])}.set(${this.argument(args[0])})`;
    this.imports.set(`${kernel.module} ${kernel.name}`, kernel);
    return this.call(kernel.name, args);
  }

  /** A call of what takes its place: a portable kernel of the same name may be used beside it. */
  replaced({ kernel, imports, args, builtins, table }: Replacement): string {
    for (const more of imports) this.imports.set(`${more.module} ${more.name}`, more);
    if (builtins) return builtins(...args.map((value) => this.argument(value)));
    const name = `${kernel.name}_fast`;
    this.imports.set(`${kernel.module} ${name}`, { ...kernel, name: `${kernel.name} as ${name}` });
    const text = this.call(name, args);
    return table ? `${text};\n${this.replaced(lookup(table.from, table.to, table.map))}` : text;
  }

  /** A call of a loop, which is a function of the module. */
  loop(loop: Statement[]): string {
    const { text, working, arrays } = loopText(loop);
    const name = this.definitions.nameOfMade(made(null, () => text));
    return this.call(name, [loop[0].y.length, ...working.map(() => 0), ...arrays]);
  }

  private call(name: string, args: Argument[]): string {
    return `${name}(${args.map((value) => this.argument(value)).join(', ')})`;
  }

  private argument(value: Argument): string {
    if (typeof value === 'number') return numberText(value);
    if ('text' in value) return this.definitions.nameOfMade(value);
    if ('room' in value) return this.definitions.nameOfRoom(value);
    if ('inner' in value) return this.call(value.inner, value.args);
    if ('parameter' in value) return value.parameter;
    if ('row' in value) {
      const body = this.replaced(value.row);
      return this.definitions.nameOfMade(made(null, () => `function (x, y) { ${body}; }`));
    }
    return this.definitions.nameOf(value);
  }
}

/** How one step is carried out: by its own kernel, another one, or a loop of several steps. */
interface Planned {
  step: Step;
  kernel: KernelName;
  replacement: Replacement | null;
  loop: Statement[] | null;
}

/** Tables of bytes, one after the other, as one. */
function withoutMiddle(planned: Planned[]): Planned[] {
  const kept: Planned[] = [];
  for (const one of planned) {
    const earlier = kept[kept.length - 1]?.replacement;
    const [x, y, map] = one.step.args as [TypedArray, TypedArray, TypedArray];
    const inPlace = one.kernel.name === 'lookup' && one.replacement && isSame(x, y);
    const table = earlier?.table ?? (earlier?.kernel.name === 'lookup' ? tableOf(earlier) : null);
    if (inPlace && earlier && table && 'byteLength' in table.to && isSame(table.to, x)) {
      const through = {
        ...table,
        to: y,
        map: Int8Array.from(table.map, (value) => Number(map[value & 255])),
      };
      kept[kept.length - 1].replacement = earlier.table
        ? { ...earlier, table: through }
        : lookup(through.from, through.to, through.map);
    } else kept.push(one);
  }
  return kept;
}

function tableOf({ args }: Replacement): Required<Replacement>['table'] {
  const [from, to, map] = args as [Argument, TypedArray, Int8Array];
  return { from, to, map };
}

/** The calls of one step. */
function printStep(
  { step, kernel, replacement, loop }: Planned,
  definitions: Definitions,
  calls: Calls,
): { step: Step; call: string; jumps: boolean; throws: boolean } {
  const args = kernel.name === 'copyBytes' ? definitions.asElements(step.args as TypedArray[]) : step.args;
  return {
    step,
    call: loop ? calls.loop(loop) : replacement ? calls.replaced(replacement) : calls.plain(kernel, args),
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
  const sliced = slices || steps.some((step) => JUMPS.includes(kernelName(step.kernel).name));
  const line = sliced ? steps : steps.slice(0, program.end);
  const alone = (step: Step): Item => {
    const statement = accelerate && statementOf(step, definitions.isConstant);
    return { step, loop: statement && [statement] };
  };
  const items = accelerate && !sliced ? fused(line, definitions.isConstant) : line.map((step) => alone(step));
  const planned = items.map(({ step, loop }): Planned => {
    const kernel = kernelName(step.kernel);
    const replacement = loop ? null : accelerate?.(kernel, step, definitions.isConstant, together);
    return { step, kernel, replacement: replacement ?? null, loop };
  });
  const printed = (sliced ? planned : withoutMiddle(planned)).map((one) =>
    printStep(one, definitions, calls),
  );
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
    : `var run = function () {\n${guarded(body.join('\n'))}\n};`;
  return { text: (throwing ? "var at = '';\n" : '') + text, sliced, imports: [...calls.imports.values()] };
}
