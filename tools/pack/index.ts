/**
 * Packs a model: prepares it on the host, and prints what remains as an ES5 module with the kernels that it needs, and
 * a file of weights.
 */
import type { TypedArray } from '../../lib/graph';
import { load } from '../../lib/index';
import type { LoadOptions } from '../../lib/load';
import type { Model, ModelTensor } from '../../lib/model';
import { fingerprintOf } from '../../variables/fingerprint';
import { bundle } from '../bundle';
import { acceleration } from './espruino';
import { inRam } from './hot';
import { printPacked, VARIABLES, type PrintedModule } from './packed';
import { clearing, loadingNames, reusingNames } from './release';

export const TARGETS = ['espruino', 'es5'] as const;
export type Target = (typeof TARGETS)[number];

/** Parts of the Model interface that a packed module may have; see docs/engines.md. */
export const PARTS = ['state', 'snapshots', 'slices', 'tensorflow'] as const;
export type Part = (typeof PARTS)[number];

/** Bytes of an array in one of a board's variables. */
const PAYLOAD = 12;

/** Bytes of a function kept as tokens, to a character of its text. */
const TOKENS = 0.7;

/** Numbers in a step from which the loops that convert them are kept in RAM as well. */
const MANY_INPUTS = 32;

export interface PackOptions {
  /** espruino: a module for `require`, weights in Storage; es5: one script for any engine. */
  target: Target;
  /** Names the module, its global and the weights' file NAME.bin: letters, digits, `_`. */
  name: string;
  /** Whether the weights are in the module, as base64. Default: yes for es5, no for espruino. */
  inline?: boolean;
  /** Which kernels: 'portable' ones run everywhere. Default: those of the target. */
  kernels?: 'portable' | 'espruino';
  /** Parts to have. Default: state and snapshots where there are variables. */
  parts?: Part[];
  /** Default true. */
  minify?: boolean;
  /** Whether kernels' loops are kept in RAM, as tokens: 2 times as fast or more. For Espruino; default true. */
  ram?: boolean;
  /** How the model is loaded before it is packed. */
  load?: LoadOptions;
}

export interface Packed {
  /** Text of NAME.js. */
  module: string;
  /** Bytes of NAME.bin; also there when they are in the module as well. */
  weights: Uint8Array;
  /**
   * Variables of Espruino that the module takes, weights in the module not counted. An estimate, from a fit to 24 modules
   * on the build for Linux: per function that stays 7.5, per view 1.9, per row of a matrix 1.5, and 80 for all; arrays by
   * their bytes, of which a board's variables hold fewer.
   */
  variables: number;
  /** The model as loaded on the host. */
  model: Model;
  /** Names of files in Storage: a board's names have at most 28 bytes. */
  files: { module: string; weights: string };
  /** Variables are reset, so the answer of a packed model to `inputs` (real numbers) is this. */
  smoke: { inputs: number[][]; outputs: number[][] };
}

/** A port's values as real numbers. */
function reals(tensor: ModelTensor): number[] {
  return Array.from(tensor.data as TypedArray, (x) =>
    tensor.scale ? Math.fround(tensor.scale * (x - tensor.zeroPoint)) : Number(x),
  );
}

/** One step of a fresh model on inputs that anyone can make: a ramp through the middle of the range. */
function smokeStep(bytes: Uint8Array, options: LoadOptions | undefined): Packed['smoke'] {
  const model = load(bytes, options);
  const inputs = model.inputs.map((tensor) =>
    Array.from({ length: tensor.data.length }, (_, i) => {
      const unit = ((i * 37) % 64) - 32;
      return tensor.scale ? Math.fround(tensor.scale * unit) : tensor.type === 'FLOAT32' ? unit / 64 : i % 2;
    }),
  );
  model.step(...inputs);
  return { inputs, outputs: model.outputs.map(reals) };
}

/** What the packed runtime may leave out: see lib/packed.ts and lib/packed_state.ts. */
function constantsOf(
  { inputs, outputs, program }: Model,
  { mapped, portsInState }: PrintedModule,
): Record<string, boolean> {
  const { variables } = program;
  const tensors = [...inputs, ...outputs, ...variables.map(({ tensor }) => tensor)];
  const types = tensors.map(({ type }) => type);
  return {
    HAS_FLOATS: types.includes('FLOAT32'),
    HAS_INTEGERS: types.some((type) => type !== 'FLOAT32'),
    HAS_BOOLS: types.includes('BOOL'),
    HAS_WIDE: types.some((type) => type !== 'FLOAT32' && type !== 'INT8'),
    HAS_UNSCALED: tensors.some(({ type, scale }) => type !== 'FLOAT32' && !scale),
    IS_SINGLE: inputs.length === 1 && outputs.length === 1 && !portsInState,
    HAS_STATE: program.stateBytes > 0,
    HAS_FILE: mapped,
    HAS_CONTAINERS: variables.some(({ container }) => container !== ''),
  };
}

/**
 * Packs a model.
 * @throws Error when the model cannot be loaded, or the name is not an identifier of at most 24 letters
 */
export async function packModel(bytes: Uint8Array, options: PackOptions): Promise<Packed> {
  const { target, name } = options;
  if (!TARGETS.includes(target)) throw new Error(`no target "${target}": there are ${TARGETS.join(', ')}`);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || name.length > 24)
    throw new Error(`the name "${name}" must be letters, digits and _, at most 24 of them: give --name`);
  const model = load(bytes, options.load);
  const stateful = model.program.variables.length > 0;
  const inline = options.inline ?? target === 'es5';
  const parts = options.parts ?? (stateful ? ['state', 'snapshots'] : []);
  const kernels = options.kernels ?? (target === 'espruino' ? 'espruino' : 'portable');
  const printed = printPacked(model, {
    target,
    name,
    inline,
    parts,
    fingerprint: fingerprintOf(model.program),
    accelerate: kernels === 'espruino' ? acceleration : null,
  });
  // a module of Storage has a scope of its own; what is pasted into a sketch makes one
  const format = target === 'espruino' && !inline ? 'module' : 'value';
  const minify = options.minify !== false;
  const bundled = await bundle({
    entrySource: printed.source,
    name,
    minify,
    format,
    constants: constantsOf(model, printed),
    replaced: target === 'espruino' ? { 'lib/packed_crc': 'engines/espruino/crc' } : {},
  });
  const released = format === 'module' ? loadingNames(bundled) : [];
  const { text: reusing, left } =
    format === 'module' && minify ? reusingNames(bundled) : { text: bundled, left: released };
  const whole = clearing(reusing, left);
  const wanted = model.inputs.reduce((sum, { data }) => sum + data.length, 0);
  const { text, characters } =
    target === 'espruino' && options.ram !== false
      ? // with state, invoke has much to look at before each step
        inRam(whole, wanted < MANY_INPUTS ? ['run'] : ['run', 'step'], stateful ? ['invoke'] : [])
      : { text: whole, characters: 0 };
  const variables = Math.ceil(
    80 +
      7.5 * ((text.match(/\bfunction\b/g) ?? []).length - released.length) +
      1.9 * (text.match(/new (Int|Uint|Float)\w*Array\(/g) ?? []).length +
      1.5 * printed.rows +
      (printed.arrayBytes + TOKENS * characters) / PAYLOAD,
  );
  const module = text.replace(String(VARIABLES), String(variables));
  return {
    module,
    variables,
    weights: printed.weights,
    model,
    files: { module: name, weights: `${name}.bin` },
    smoke: smokeStep(bytes, options.load),
  };
}
