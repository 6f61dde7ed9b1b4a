/** One step of a model on the board, whose answer must be the host's to the bit. */
import { writeReals } from '../../lib/convert';
import { crc32 } from '../../lib/crc32';
import type { TypedArray } from '../../lib/graph';
import type { Model, ModelTensor } from '../../lib/model';
import type { Packed } from '../pack/index';
import type { Board } from './board';
import { readArray, writeArray } from './tensors';

function bytesOf(data: TypedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Inputs and outputs of a first step, as bytes. */
export interface Expected {
  inputs: Uint8Array[];
  outputs: Uint8Array[];
  /** The snapshot after the step, which holds all variables; null without any. */
  snapshot: Uint8Array | null;
}

/** A fresh step on the host. */
export function expectedStep(model: Model, smoke: Packed['smoke']): Expected {
  model.reset();
  model.inputs.forEach((input, i) =>
    writeReals(smoke.inputs[i], { ...input, length: smoke.inputs[i].length }, input.data),
  );
  // a copy: the step may use the memory of its inputs for what comes after them
  const inputs = model.inputs.map((input) => bytesOf(input.data).slice());
  model.invoke();
  const outputs = model.outputs.map((output) => bytesOf(output.data).slice());
  const snapshot = model.program.variables.length > 0 ? model.save() : null;
  model.reset();
  return { inputs, outputs, snapshot };
}

/** Where two byte arrays differ, as a tensor's element; −1: nowhere. */
function firstDifference(tensor: ModelTensor, expected: Uint8Array, found: Uint8Array): number {
  for (let i = 0; i < expected.length; i++)
    if (expected[i] !== found[i]) return Math.floor(i / tensor.data.BYTES_PER_ELEMENT);
  return -1;
}

/**
 * Carries out one step on the board and compares.
 * @param name of the module in Storage
 * @param timeout milliseconds that the step may take
 * @returns how long the step took on the board, in milliseconds
 * @throws Error when the module cannot be loaded or a bit of an output or of a variable differs
 */
export async function smokeStep(
  board: Board,
  name: string,
  model: Model,
  expected: Expected,
  timeout: number,
): Promise<number> {
  const module = `require(${JSON.stringify(name)})`;
  try {
    await board.ask(`(${module}.reset(),1)`, timeout);
    for (const [index, bytes] of expected.inputs.entries())
      await writeArray(board, `${module}.inputs[${index}].data`, bytes);
    const seconds = (await board.ask(
      `(function(m,t){m.invoke();return getTime()-t})(${module},getTime())`,
      timeout,
    )) as number;
    for (const [index, bytes] of expected.outputs.entries()) {
      const found = await readArray(board, `${module}.outputs[${index}].data`, bytes.length);
      const tensor = model.outputs[index];
      const element = firstDifference(tensor, bytes, found);
      if (element >= 0)
        throw new Error(
          `element ${element} of output ${index} "${tensor.name}" differs from the host's: ` +
            'do not use it, and report this with the model and the board',
        );
    }
    if (expected.snapshot) {
      const { snapshot } = expected;
      // a module that was packed without snapshots has none
      const sum = (await board.ask(`(function(m){return m.save?E.CRC32(m.save()):null})(${module})`)) as
        number | null;
      if (sum !== null && sum >>> 0 !== crc32(snapshot, 0, snapshot.length, 0) >>> 0)
        throw new Error(
          "the variables after it differ from the host's: do not use it, and report this with the model and the board",
        );
    }
    await board.ask(`(${module}.reset(),Modules.removeCached(${JSON.stringify(name)}),1)`, timeout);
    return seconds * 1000;
  } catch (error) {
    throw new Error(`the first step of ${name} on the board failed: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
