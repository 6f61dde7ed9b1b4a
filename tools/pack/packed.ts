/** Prints a prepared program as the source of a packed module; PackedModel in lib/packed.ts is what it must make. */
import type { TypedArray } from '../../lib/graph';
import type { Model, ModelTensor } from '../../lib/model';
import type { Fingerprint, Program } from '../../lib/program';
import { Definitions } from './definitions';
import type { acceleration } from './espruino';
import type { Part, Target } from './index';
import { arrayName, numberText } from './print';
import { countersOf, printSteps } from './steps';

export interface PrintPackedOptions {
  target: Target;
  name: string;
  inline: boolean;
  parts: Part[];
  fingerprint: Fingerprint;
  accelerate: typeof acceleration | null;
}

/** Espruino's views begin at 65,535 at the latest. */
const LARGEST_OFFSET = 65535;
/** Stands in the source for the number of variables that the module takes, known once it is bundled. */
export const VARIABLES = 987654321;

export interface PrintedModule {
  /** An ES module below the compiled chip side. */
  source: string;
  weights: Uint8Array;
  /** Rows of matrices, or groups of them, that are views of their own. */
  rows: number;
  /** Bytes of the arrays that the module allocates. */
  arrayBytes: number;
  /** Whether the module takes its weights from a file in Storage. */
  mapped: boolean;
  /** Whether inputs or outputs are part of the state. */
  portsInState: boolean;
}

function tensorText(
  { name, type, shape, scale, zeroPoint }: Omit<ModelTensor, 'data'>,
  last: string,
): string {
  return `{ name: ${JSON.stringify(name)}, type: '${type}', shape: ${JSON.stringify(shape)}, scale: ${numberText(scale)}, zeroPoint: ${zeroPoint}, ${last} }`;
}

/** The view on which an array ends: that of a BigInt64Array port as Int32Array. */
function plainView(array: TypedArray): TypedArray {
  return /^Big/.test(arrayName(array))
    ? new Int32Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength / 4)
    : array;
}

/** Imports of the module, and what is done with them. */
class Imports {
  private readonly lines: string[] = [];

  /** Imports names from a module of the chip side, without extension. */
  from(module: string, ...names: string[]): void {
    this.lines.push(`import { ${names.join(', ')} } from './${module}';`);
  }

  toString(): string {
    return this.lines.join('\n');
  }
}

/** The variables: their list, and statements that write their initial values to `given`. */
function printVariables(
  program: Program,
  definitions: Definitions,
  espruino: boolean,
): { list: string[]; clearing: string[]; fills: boolean } {
  const clearing: string[] = [];
  let fills = false;
  const list = program.variables.map((variable, index) => {
    const { tensor } = variable;
    // what reset() does without an array needs none
    const zero = tensor.scale ? tensor.zeroPoint : 0;
    const usual = !variable.initial || Array.from(variable.initial).every((value) => Object.is(value, zero));
    const initial = usual ? 'null' : definitions.nameOf(variable.initial!);
    if (!usual) clearing.push(`given[${index}].set(${initial});`);
    else if (espruino) clearing.push(`given[${index}].fill(${zero});`);
    else clearing.push(`filled(given[${index}], ${zero});`);
    fills ||= usual;
    const rest = `container: ${JSON.stringify(variable.container)}, initial: ${initial}`;
    return tensorText({ ...tensor, name: variable.name }, rest);
  });
  return { list, clearing, fills };
}

/**
 * The source of a packed module, and its weights.
 * @throws Error when a kernel is not exported by any module, or weights are too large to be inside of the module
 */
export function printPacked(model: Model, options: PrintPackedOptions): PrintedModule {
  const { program } = model;
  const { target, parts, name, fingerprint } = options;
  const espruino = target === 'espruino';
  const definitions = new Definitions(program, countersOf(program), target);
  const steps = printSteps(program, definitions, options.accelerate, parts.includes('slices'));
  const ports = [...model.inputs, ...model.outputs].map((tensor) => {
    const data = definitions.nameOf(plainView(tensor.data));
    const place = data.startsWith('s') ? Number(data.slice(1)) : -1;
    return { text: tensorText(tensor, `data: ${data}`), place };
  });
  const portsInState = ports.some(({ place }) => place >= 0);
  const variables = printVariables(program, definitions, espruino);
  const stateful = program.stateBytes > 0;
  const streams = stateful && parts.includes('state');
  const snapshots = stateful && parts.includes('snapshots');

  // a step's views may be others than those of the program that is printed
  const used = [steps.text, ...ports.map((port) => port.text)].join('\n');
  const kept = program.state.views
    .map((view, index) => ({ view, index }))
    .filter(({ index }) => index < program.variables.length || new RegExp(`\\bs${index}\\b`).test(used));
  const viewsOn = (buffer: string): string[] =>
    kept.map(({ view }) => `new ${arrayName(view)}(${buffer}, ${view.byteOffset}, ${view.length})`);

  const weights = definitions.weights.build(fingerprint.program);
  const words = new Int32Array(weights.buffer, 0, 4);
  if (espruino && options.inline && weights.length > LARGEST_OFFSET)
    throw new Error(
      `${name}.bin has ${weights.length} bytes: more than 64 KB cannot be inside of a module for Espruino`,
    );
  let parted = false;
  const viewOf = (array: TypedArray, index: number): string => {
    const offset = definitions.weights.offset(index);
    if (espruino && offset + array.byteLength > LARGEST_OFFSET) {
      parted = true;
      return `new ${arrayName(array)}(partOf('${name}.bin', ${offset}, ${array.byteLength}), 0, ${array.length})`;
    }
    return espruino
      ? `new ${arrayName(array)}(weights, ${offset}, ${array.length})`
      : `new ${arrayName(array)}(weights.buffer, weights.byteOffset + ${offset}, ${array.length})`;
  };
  const constantLines: string[] = [];
  const elsewhere = [used, ...variables.list, ...variables.clearing].join('\n');
  let made = definitions.made.join('\n');
  for (const { name: constant, array, index } of definitions.constants) {
    const view = viewOf(array, index);
    const use = new RegExp(`\\b${constant}\\b`, 'g');
    // a view that only makes something else need not stay
    if (!use.test(elsewhere) && made.match(use)?.length === 1) made = made.replace(use, view);
    else constantLines.push(`var ${constant} = ${view};`);
  }

  const imports = new Imports();
  for (const kernel of steps.imports) imports.from(kernel.module, kernel.name);
  imports.from('lib/packed', 'step', 'invoke', 'reset', 'describe');
  if (!espruino && (definitions.usesFilled || variables.fills)) imports.from('lib/packed', 'filled');
  const some = definitions.constants.length > 0;
  const mapped = some && espruino && !options.inline;
  const key = `'${name}.bin', ${weights.length}, ${words[2]}, ${words[3]}`;
  const base64 = (): string => Buffer.from(weights).toString('base64').replace(/=+$/, '');
  let opening = '';
  if (espruino) imports.from('engines/espruino/weights', 'checkMemory');
  if (parted) imports.from('engines/espruino/weights', 'partOf');
  if (some && espruino) {
    imports.from('engines/espruino/weights', options.inline ? 'fromText' : 'fromStorage');
    opening = options.inline ? `fromText('${base64()}', ${key})` : `fromStorage(${key})`;
  } else if (some) {
    imports.from('lib/packed_weights', 'openWeights', ...(options.inline ? ['fromBase64'] : []));
    opening = `openWeights(${options.inline ? `fromBase64('${base64()}', ${weights.length})` : 'given'}, ${key})`;
  }

  // rounding to float32 needs an array of one as well
  const lengths = model.outputs.map((tensor) => plainView(tensor.data).length);
  const shares = lengths.length === 1 && model.inputs.some(({ type }) => type !== 'FLOAT32');
  if (shares && lengths[0] === 1) imports.from('lib/packed', 'float');
  const members = [
    `name: '${name}'`,
    `inputs: [${ports
      .slice(0, model.inputs.length)
      .map((port) => port.text)
      .join(',\n')}]`,
    `outputs: [${ports
      .slice(model.inputs.length)
      .map((port) => port.text)
      .join(',\n')}]`,
    stateful
      ? `state: { buffer: buffer, views: [${kept.map(({ index }) => `s${index}`).join(', ')}], steps: 0 }`
      : 'state: { steps: 0 }',
    `results: [${lengths.map((length) => (shares && length === 1 ? 'float' : `new Float32Array(${length})`)).join(', ')}]`,
    'run: run, step: step, invoke: invoke, reset: reset, toString: describe',
  ];
  if (mapped) {
    members.push('weights: weights');
  }
  const { arena, variables: variableBytes, constants, preserved, tables } = model.memory;
  const memory = `{ arena: ${arena}, variables: ${variableBytes}, constants: ${constants}, preserved: ${preserved}, tables: ${tables} }`;
  const finish: string[] = stateful || steps.sliced ? ['packed.current = packed.state;'] : [];
  // its REPL calls toString() only of objects that have a constructor
  if (espruino) finish.push('packed.__proto__ = { constructor: packed.step };');
  // an object of five numbers takes more variables than a function that makes it; so does the class Object, if nothing
  // else needs it
  if (espruino && streams)
    finish.push(`Object.defineProperty(packed, 'memory', { get: function () { return ${memory}; } });`);
  else members.push(`memory: ${memory}`);
  if (stateful) {
    members.push(`about: function (what, given) {
if (what === 0) return [${variables.list.join(',\n')}];
if (what === 1) { ${variables.clearing.join('\n')} }
if (what === 2) { ${kept.map(({ index }, i) => `s${index} = given[${i}];`).join(' ')} ${ports
      .map(({ place }, i) => {
        const side = i < model.inputs.length ? `inputs[${i}]` : `outputs[${i - model.inputs.length}]`;
        return place < 0 ? '' : `packed.${side}.data = s${place};`;
      })
      .join(' ')} }
${streams ? `if (what === 3) return [${viewsOn('given').join(', ')}];` : ''}
${snapshots ? `if (what === 4) return headerOf(packed, given, ${fingerprint.variables}, ${fingerprint.program});` : ''}
}`);
    finish.push('packed.reset();');
  }
  if (streams) {
    imports.from('lib/packed_state', 'newState', 'variablesOf');
    members.push('newState: newState');
    finish.push("Object.defineProperty(packed, 'variables', { get: variablesOf });");
    if (portsInState) {
      imports.from('lib/packed_state', 'watchState');
      finish.push('watchState(packed);');
    }
  } else members.push('variables: { length: 0, names: Array }');
  if (snapshots) {
    imports.from('lib/packed_snapshots', 'save', 'restore', 'headerOf');
    members.push('save: save, restore: restore');
  }
  if (steps.sliced) {
    imports.from('lib/packed_slices', 'enableSlices');
    finish.push(`enableSlices(packed, slice, ${program.end});`);
  }
  if (parts.includes('tensorflow')) {
    imports.from('lib/packed_tensorflow', 'enableTensorflow');
    finish.push('enableTensorflow(packed);');
  }

  // what loading functions make comes first: later definitions then take over their names
  const { room } = definitions;
  const lines = [...definitions.lines, ...room.lines, ...constantLines];
  const needed = (line: string): boolean => new RegExp(`\\b${/^var (\w+)/.exec(line)![1]}\\b`).test(made);
  const ordered = [...lines.filter(needed), made, ...lines.filter((line) => !needed(line))];
  const making = `${espruino ? `checkMemory(${VARIABLES}, '${name}');` : ''}
${opening ? `var weights = ${opening};` : ''}
var arena = new ArrayBuffer(${room.arenaBytes});
${stateful ? `var buffer = new ArrayBuffer(${program.stateBytes});` : ''}
${viewsOn('buffer')
  .map((view, i) => `var s${kept[i].index} = ${view};`)
  .join('\n')}
${ordered.join('\n')}
${steps.text}
var packed = {
${members.join(',\n')}
};
${finish.join('\n')}`;
  const source = espruino
    ? `${imports}\n${making}\n${options.inline ? 'export default packed;' : 'module.exports = packed;'}\n`
    : `${imports}\nvar make = function (given) {\n${making}\nreturn packed;\n};
export default ${options.inline || !some ? 'make()' : 'make'};\n`;

  const arrays = [...definitions.lines, made].join(' ');
  let arrayBytes = room.arenaBytes + program.stateBytes;
  for (const [, bits, length] of arrays.matchAll(/new [A-Z][a-z]+(\d+)(?:Clamped)?Array\((\d+)\)/g))
    arrayBytes += (Number(bits) / 8) * Number(length);
  let rows = 0;
  // a list holds a view in about as much as a row
  for (const [, units, together] of arrays.matchAll(/Rows\(.*?, \d+, (\d+)(?:, (\d+))?\);/g))
    rows += Number(units) / Number(together ?? 1);
  return { source, weights, rows, arrayBytes, mapped, portsInState };
}
