/** Engram: TensorFlow Lite models that remember, for JavaScript engines on chips. */
import { LoadOptions, loadWith } from './load';
import { Graph, TypedArray } from './graph';
import { Model } from './model';
import { readGraph as readGraphWith } from './reader';
import { BUILTIN_OPERATORS } from './schema';
import { allOperators } from '../ops/index';
import { widen } from '../ops/wide';
import { enableSnapshots } from '../variables/snapshot';

export { loadWith, modelOf } from './load';
export { Model } from './model';
export { joinOperators, operatorNames } from '../ops/join';
export { keep } from '../variables/keeper';
export { espruinoBackend, memoryBackend, openStore } from '../variables/store';

enableSnapshots();

/**
 * Loads a model.
 * @param model the bytes of a .tflite file; they must not change while the model is in use, since constants are
 * views on them
 * @throws Error when the file is broken, an operator is missing, or one refuses its operands; the message names the
 * place and what was expected
 */
export function load(model: ArrayBuffer | Uint8Array, options?: LoadOptions): Model {
  if (typeof model === 'string')
    throw new Error(
      'load expects the bytes of a .tflite model, but got the name "' +
        model +
        '": read the file; only engram.min.js on Espruino opens files by name',
    );
  const loaded = loadWith(allOperators, BUILTIN_OPERATORS, model, options);
  if (options && options.wide) {
    const program = loaded.program;
    widen(program.steps, function (array: TypedArray): boolean {
      return array.buffer !== program.arena && array.buffer !== program.state.buffer;
    });
  }
  return loaded;
}

/** Reads a model without preparing it, for tools. */
export function readGraph(bytes: Uint8Array): Graph {
  return readGraphWith(bytes, BUILTIN_OPERATORS);
}
