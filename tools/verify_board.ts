/** The same inputs on Node and on a board, over its console: where do the answers part? */
import { bytesOf, feed } from './engine_inputs';
import type { Packed } from './pack/index';
import { progress } from './progress';
import type { Board } from './upload/board';
import { readArray, writeArray } from './upload/tensors';
import { compare, type VerifyReport, watched } from './verify';

/**
 * Runs a stream on Node and on a packed module in a board's Storage, and compares outputs and variables after each step,
 * to the bit.
 * @param stream bytes of all inputs for each step
 * @param timeout milliseconds that a step on the board may take
 * @throws Error when the board cannot carry out a step; it names the step
 */
export async function verifyOnBoard(
  name: string,
  packed: Packed,
  board: Board,
  stream: Uint8Array[],
  timeout: number,
): Promise<VerifyReport> {
  const { model } = packed;
  const module = `require(${JSON.stringify(packed.files.module)})`;
  const tensors = watched(model).map((one) => ({
    ...one,
    array:
      one.kind === 'output'
        ? `${module}.outputs[${one.index}].data`
        : `${module}.variables.get(${JSON.stringify(one.name)}).data`,
  }));
  const report: VerifyReport = {
    model: name,
    engine: board.facts.board,
    steps: stream.length,
    equal: true,
    difference: null,
  };
  const bar = progress(stream.length, 'steps');
  let step = 0;
  try {
    model.reset();
    await board.ask(`(${module}.reset(),1)`, timeout);
    for (; step < stream.length; step++) {
      feed(model, stream[step]);
      for (const [index, input] of model.inputs.entries())
        await writeArray(board, `${module}.inputs[${index}].data`, bytesOf(input));
      model.invoke();
      await board.ask(`(${module}.invoke(),1)`, timeout);
      for (const { kind, name: tensorName, index, tensor, array } of tensors) {
        const { type, data } = tensor();
        const expected = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
        const found = compare(type, expected, await readArray(board, array, expected.length));
        if (!found) continue;
        return {
          ...report,
          equal: false,
          difference: { step, kind, name: tensorName, index, ...found, operator: null },
        };
      }
      bar.update(step + 1);
    }
    return report;
  } catch (error) {
    throw new Error(`step ${step} of ${packed.files.module} on the board: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    bar.stop();
  }
}
