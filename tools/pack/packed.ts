/** Prints a prepared program as the source of a packed module; lib/packed.ts says what it must hand over. */
import type { TypedArray } from '../../lib/graph';
import type { Model, ModelTensor } from '../../lib/model';
import type { Fingerprint, Program, Step } from '../../lib/program';
import type { Part, Target } from './index';
import { rowsTogether, type acceleration } from './espruino';
import { placeOf } from '../../lib/prepare';
import { kernelName, type KernelName } from './kernels';
import { arrayName, literalArray, numberText } from './print';
import type { Made } from './replacement';
import { WeightsBuilder } from './weights';

export interface PrintPackedOptions {
  target: Target;
  name: string;
  inline: boolean;
  parts: Part[];
  fingerprint: Fingerprint;
  accelerate: typeof acceleration | null;
}

/** Kernels that write to the array in their first argument, which is memory of the program and no constant. */
const COUNTERS = ['enter', 'startLoop', 'repeat'];
/** Espruino's views begin at 65,535 at the latest. */
const LARGEST_OFFSET = 65535;
/** Stands in the source for the number of variables that the module takes, known once it is bundled. */
export const VARIABLES = 987654321;
/** Types that copies may have in place of bytes. */
const ELEMENTS = [Int8Array, Int16Array, Int32Array, Float32Array];
/** Kernels that say where to go on. */
const JUMPS = ['jump', 'enter', 'leave', 'branch', 'repeat', 'once'];

/** Names of the module's constants and views, and the statements that define them. */
class Definitions {
  readonly lines: string[] = [];
  /** Values made of the others. */
  readonly made: string[] = [];
  /** Constants, whose place in the weights is known only at the end. */
  readonly constants: { name: string; array: TypedArray; index: number }[] = [];
  readonly weights = new WeightsBuilder();
  usesFilled = false;
  private readonly names = new Map<string, string>();

  constructor(
    private readonly program: Program,
    private readonly counters: Set<TypedArray>,
    private readonly target: Target,
  ) {}

  private named(key: string, make: (name: string) => string | null): string {
    let name = this.names.get(key);
    if (!name) {
      name = `v${this.names.size}`;
      this.names.set(key, name);
      const line = make(name);
      if (line) this.lines.push(`var ${name} = ${line};`);
    }
    return name;
  }

  /** Whether an array is neither computed in a step nor a counter of the program. */
  readonly isConstant = (array: TypedArray): boolean =>
    array.buffer !== this.program.arena &&
    array.buffer !== this.program.state.buffer &&
    !this.counters.has(array);

  /**
   * The arrays of a copy, as views that the program has for other reasons: bytes would take views of their own, and
   * Espruino copies element by element.
   */
  asElements(arrays: TypedArray[]): TypedArray[] {
    const { arena, state, steps } = this.program;
    const types = ELEMENTS.filter((type) =>
      steps.some(({ args }) => args.some((value) => value instanceof type)),
    );
    for (const type of types) {
      const fit = arrays.every(({ buffer, byteOffset, byteLength }) => {
        if (byteOffset % type.BYTES_PER_ELEMENT || byteLength % type.BYTES_PER_ELEMENT) return false;
        const twin = (view: TypedArray): boolean =>
          view instanceof type && view.byteOffset === byteOffset && view.byteLength === byteLength;
        return buffer === arena || (buffer === state.buffer && state.views.some(twin));
      });
      if (!fit) continue;
      return arrays.map(
        ({ buffer, byteOffset, byteLength }) =>
          new type(buffer as ArrayBuffer, byteOffset, byteLength / type.BYTES_PER_ELEMENT),
      );
    }
    return arrays;
  }

  /** The name of a value that the module makes from an array. */
  nameOfMade({ of, text }: Made): string {
    const expression = text(of ? this.nameOf(of) : '');
    return this.named(expression, (name) => {
      this.made.push(`var ${name} = ${expression};`);
      return null;
    });
  }

  /** The name of an array. `before`: bytes that must lie before a constant in the file. */
  nameOf(array: TypedArray, before = 0): string {
    const type = arrayName(array);
    const { program } = this;
    if (array.length === 0) return this.named(`${type} 0`, () => `new ${type}(0)`);
    if (array.buffer === program.arena) {
      return this.named(
        `arena ${type} ${array.byteOffset} ${array.length}`,
        () => `new ${type}(arena, ${array.byteOffset}, ${array.length})`,
      );
    }
    if (array.buffer === program.state.buffer) {
      const index = program.state.views.findIndex(
        (view) =>
          view.byteOffset === array.byteOffset &&
          view.length === array.length &&
          view.constructor === array.constructor,
      );
      if (index < 0) throw new Error('a step has a view on the state that the state has not');
      return `s${index}`;
    }
    if (this.counters.has(array)) {
      return this.named(`counter ${[...this.counters].indexOf(array)}`, () => `new ${type}(${array.length})`);
    }
    const values = Array.from(array);
    const same = values.every((value) => Object.is(value, values[0]));
    if (!before && same && array.length > 2 && array.byteLength <= 4096) {
      return this.named(`filled ${type} ${array.length} ${values[0]}`, () => {
        this.usesFilled = true;
        return this.target === 'espruino'
          ? `new ${type}(${array.length}).fill(${numberText(values[0])})`
          : `filled(new ${type}(${array.length}), ${numberText(values[0])})`;
      });
    }
    if (!before && array.length <= 2) {
      const text = literalArray(array);
      return this.named(text, () => text);
    }
    const index = this.weights.add(array, before);
    return this.named(`constant ${index}`, (name) => {
      this.constants.push({ name, array, index });
      return null;
    });
  }
}

function tensorText(tensor: ModelTensor, data: string): string {
  const { name, type, shape, scale, zeroPoint } = tensor;
  return `{ name: ${JSON.stringify(name)}, type: '${type}', shape: ${JSON.stringify(shape)}, scale: ${numberText(scale)}, zeroPoint: ${zeroPoint}, data: ${data} }`;
}

/** How the step's text is made, and which kernels it imports. */
function printStep(
  step: Step,
  definitions: Definitions,
  options: PrintPackedOptions,
  imports: Map<string, KernelName>,
  together: number,
): { call: string; jumps: boolean; throws: boolean } {
  const original = kernelName(step.kernel);
  const replacement = options.accelerate?.(original, step, definitions.isConstant, together) ?? null;
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
  const args = (replacement?.args ?? given).map((value) => {
    if (typeof value === 'number') return numberText(value);
    if ('text' in value) return definitions.nameOfMade(value);
    return definitions.nameOf(value);
  });
  return {
    call: `${local}(${args.join(', ')})`,
    jumps: JUMPS.includes(original.name),
    throws: step.kernel.toString().includes('throw '),
  };
}

/** The view on which an array ends: that of a BigInt64Array port as Int32Array. */
function plainView(array: TypedArray): TypedArray {
  return /^Big/.test(arrayName(array))
    ? new Int32Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength / 4)
    : array;
}

/**
 * The source of a packed module, an ES module below the compiled chip side, and its weights.
 * @throws Error when a kernel is not exported by any module
 */
export function printPacked(
  model: Model,
  options: PrintPackedOptions,
): { source: string; weights: Uint8Array; rows: number; arrayBytes: number } {
  const { program } = model;
  const { target, parts, name } = options;
  const espruino = target === 'espruino';
  const counters = new Set<TypedArray>();
  const steps = program.steps.slice(0, program.initial);
  for (const step of steps) {
    if (COUNTERS.includes(kernelName(step.kernel).name)) counters.add(step.args[0] as TypedArray);
  }
  const definitions = new Definitions(program, counters, target);
  const imports = new Map<string, KernelName>();
  const together = rowsTogether(steps.map((step) => ({ kernel: kernelName(step.kernel), step })));
  const printed = steps.map((step) => ({
    step,
    ...printStep(step, definitions, options, imports, together),
  }));
  const sliced = parts.includes('slices') || printed.some((step) => step.jumps);
  const throwing = printed.some((step) => step.throws);

  const body = printed.map(({ step, call, jumps, throws }) => {
    const place = throws ? `at = ${JSON.stringify(placeOf(step.node))};\n` : '';
    return place + (sliced && jumps ? `return ${call};` : `${call};`);
  });
  const straight = sliced
    ? `position = 0; while (position !== ${program.end} && budget-- > 0) { next = steps[position](); position = next >= 0 ? next : position + 1; }`
    : body.slice(0, program.end).join('\n');
  const guarded = (text: string): string =>
    throwing ? `try {\n${text}\n} catch (e) {\nthrow new Error(at + ': ' + e.message);\n}` : text;
  const runText = sliced
    ? `var steps = [${body.map((text) => `function () {\n${text}\n}`).join(',\n')}];
var slice = function (position, budget) {
var next = 0;
${guarded(straight.replace('position = 0; ', ''))}
return position;
};
var run = function () { slice(0, Infinity); };`
    : `var run = function () {\n${guarded(straight)}\n};`;

  const ports = [...model.inputs, ...model.outputs].map((tensor) => {
    const data = definitions.nameOf(plainView(tensor.data));
    return {
      text: tensorText(tensor, data),
      place: data.startsWith('s') ? Number(data.slice(1)) : -1,
    };
  });
  const clearing: string[] = [];
  const variables = program.variables.map((variable, index) => {
    const { name: title, type, shape, scale, zeroPoint, length } = variable.tensor;
    // what reset() does without an array needs none
    const zero = scale ? zeroPoint : 0;
    const usual = !variable.initial || Array.from(variable.initial).every((value) => Object.is(value, zero));
    const initial = usual ? 'null' : definitions.nameOf(variable.initial!);
    if (!usual) clearing.push(`views[${index}].set(${initial});`);
    else if (espruino) clearing.push(`views[${index}].fill(${zero});`);
    else clearing.push(`filled(views[${index}], ${zero});`);
    const tensor = `{ name: ${JSON.stringify(title)}, type: '${type}', shape: ${JSON.stringify(shape)}, scale: ${numberText(scale)}, zeroPoint: ${zeroPoint}, length: ${length} }`;
    return `{ container: ${JSON.stringify(variable.container)}, name: ${JSON.stringify(variable.name)}, tensor: ${tensor}, initial: ${initial} }`;
  });
  const stateful = program.stateBytes > 0;
  const streams = stateful && parts.includes('state');
  // a step's views may be others than those of the program that is printed
  const text = [runText, ...ports.map((port) => port.text)].join('\n');
  const kept = program.state.views
    .map((view, index) => ({ view, index }))
    .filter(({ index }) => index < program.variables.length || new RegExp(`\\bs${index}\\b`).test(text));
  const views = kept.map(({ view }) => `new ${arrayName(view)}(buffer, ${view.byteOffset}, ${view.length})`);

  const weights = definitions.weights.build(options.fingerprint.program);
  const words = new Int32Array(weights.buffer, 0, 4);
  if (espruino && options.inline && weights.length > LARGEST_OFFSET)
    throw new Error(
      `${name}.bin has ${weights.length} bytes: more than 64 KB cannot be inside of a module for Espruino`,
    );
  let parted = false;
  const viewOf = (array: TypedArray, index: number): string => {
    const offset = definitions.weights.offset(index);
    if (espruino && offset + array.byteLength > LARGEST_OFFSET && !options.inline) {
      parted = true;
      return `new ${arrayName(array)}(partOf('${name}.bin', ${offset}, ${array.byteLength}), 0, ${array.length})`;
    }
    return espruino
      ? `new ${arrayName(array)}(weights, ${offset}, ${array.length})`
      : `new ${arrayName(array)}(weights.buffer, weights.byteOffset + ${offset}, ${array.length})`;
  };
  const constantLines: string[] = [];
  const elsewhere = [runText, ...ports.map((port) => port.text), ...variables].join('\n');
  let made = definitions.made.join('\n');
  for (const { name: constant, array, index } of definitions.constants) {
    const view = viewOf(array, index);
    const use = new RegExp(`\\b${constant}\\b`, 'g');
    // a view that only makes something else need not stay
    if (!use.test(elsewhere) && made.match(use)?.length === 1) made = made.replace(use, view);
    else constantLines.push(`var ${constant} = ${view};`);
  }
  const base64 = Buffer.from(weights).toString('base64').replace(/=+$/, '');
  const some = definitions.constants.length > 0;

  const importLines = [...imports.values()].map((k) => `import { ${k.name} } from './${k.module}';`);
  const core = ['PackedModel'];
  if (!espruino && (definitions.usesFilled || clearing.some((line) => line.startsWith('filled'))))
    core.push('filled');
  importLines.push(`import { ${core.join(', ')} } from './lib/packed';`);
  const stateImports: string[] = [];
  if (streams) stateImports.push('PackedVariables', 'enableStreams');
  if (parts.includes('snapshots') && stateful) stateImports.push('enablePackedSnapshots');
  if (stateImports.length)
    importLines.push(`import { ${stateImports.join(', ')} } from './lib/packed_state';`);
  if (stateImports.includes('enablePackedSnapshots'))
    importLines.push(
      `import { crcOfBoth } from '${espruino ? './engines/espruino/weights' : './lib/packed_crc'}';`,
    );
  if (sliced) importLines.push(`import { enableSlices } from './lib/packed_slices';`);
  if (parts.includes('tensorflow'))
    importLines.push(`import { enableTensorflow } from './lib/packed_tensorflow';`);
  const enabling = [
    streams ? 'enableStreams();' : '',
    stateImports.includes('enablePackedSnapshots') ? 'enablePackedSnapshots(crcOfBoth);' : '',
    sliced ? 'enableSlices();' : '',
    parts.includes('tensorflow') ? 'enableTensorflow();' : '',
  ].filter(Boolean);

  const key = `'${name}.bin', ${weights.length}, ${words[2]}, ${words[3]}`;
  let opening = '';
  if (some && espruino) {
    importLines.push(
      options.inline
        ? `import { fromText } from './engines/espruino/weights';`
        : `import { fromStorage } from './engines/espruino/weights';`,
    );
    opening = options.inline
      ? `var weights = fromText('${base64}', ${key});`
      : `var weights = fromStorage(${key});`;
  } else if (some) {
    importLines.push(
      `import { openWeights${options.inline ? ', fromBase64' : ''} } from './lib/packed_weights';`,
    );
    opening = `var weights = openWeights(${options.inline ? `fromBase64('${base64}', ${weights.length})` : 'given'}, ${key});`;
  }
  const memory = { ...model.memory, packed: weights.length };
  const fields = [
    `name: '${name}'`,
    `inputs: [${ports
      .slice(0, model.inputs.length)
      .map((port) => port.text)
      .join(',\n')}]`,
    `outputs: [${ports
      .slice(model.inputs.length)
      .map((port) => port.text)
      .join(',\n')}]`,
    'run: run',
    sliced ? `slice: slice,\nend: ${program.end}` : '',
    some && espruino && !options.inline
      ? `check: function () { if (new Uint8Array(weights, 0, 1)[0] !== 78) throw new Error('${name}.bin was rewritten: require the module again'); }`
      : 'check: null',
    `variables: function () { return [${variables.join(',\n')}]; }`,
    `clear: function (views) {\n${clearing.join('\n')}\n}`,
    `stateBytes: ${program.stateBytes}`,
    `state: { buffer: buffer, views: [${kept.map(({ index }) => `s${index}`).join(', ')}], steps: 0 }`,
    `fingerprint: ${stateImports.includes('enablePackedSnapshots') ? `{ variables: ${options.fingerprint.variables}, program: ${options.fingerprint.program} }` : 'null'}`,
    `memory: { arena: ${memory.arena}, variables: ${memory.variables}, constants: ${memory.constants}, preserved: ${memory.preserved}, tables: ${memory.tables} }`,
    streams
      ? `places: [${ports.map((port) => kept.findIndex(({ index }) => index === port.place)).join(', ')}],
viewsOf: function (buffer) { return [${views.join(', ')}]; },
use: function (views) { ${kept.map(({ index }, i) => `s${index} = views[${i}];`).join(' ')} }`
      : '',
  ].filter(Boolean);

  if (parted) importLines.push(`import { partOf } from './engines/espruino/weights';`);
  if (espruino) importLines.push(`import { checkMemory } from './engines/espruino/weights';`);
  const make = `${espruino ? `checkMemory('${name}', ${VARIABLES});` : ''}
${opening}
var arena = new ArrayBuffer(${program.arena.byteLength});
var buffer = new ArrayBuffer(${program.stateBytes});
${views.map((view, i) => `var s${kept[i].index} = ${view};`).join('\n')}
${[...definitions.lines, ...constantLines, made].join('\n')}
${throwing ? "var at = '';" : ''}
${runText}
var packed = new PackedModel({
${fields.join(',\n')}
});
${streams ? 'packed.variables = new PackedVariables(packed);' : 'packed.variables = { length: 0, names: function () { return []; } };'}
packed.reset();`;

  const source = espruino
    ? `${importLines.join('\n')}\n${enabling.join('\n')}\n${make}\n${options.inline ? 'export default packed;' : 'module.exports = packed;'}\n`
    : `${importLines.join('\n')}\n${enabling.join('\n')}
var make = function (given) {\n${make}\nreturn packed;\n};
export default ${options.inline || !some ? 'make()' : 'make'};\n`;
  let arrayBytes = program.arena.byteLength + program.stateBytes;
  const arrays = [...definitions.lines, made].join(' ');
  for (const [, bits, length] of arrays.matchAll(/new [A-Z][a-z]+(\d+)(?:Clamped)?Array\((\d+)\)/g))
    arrayBytes += (Number(bits) / 8) * Number(length);
  let rows = 0;
  // a list holds a view in about as much as a row
  for (const [, units, together] of arrays.matchAll(/Rows\(.*?, \d+, (\d+)(?:, (\d+))?\);/g))
    rows += Number(units) / Number(together ?? 1);
  return { source, weights, rows, arrayBytes };
}
