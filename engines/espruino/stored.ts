/** Models by name: files in Espruino's Storage, whose constants stay in flash. */
import {
  decodeUtf8,
  fieldVector,
  follow,
  openTable,
  readParts,
  vectorLength,
  vectorTable,
} from '../../lib/flatbuffer';
import { LoadOptions } from '../../lib/load';
import { Model } from '../../lib/model';
import { FILE_IDENTIFIER, MODEL, SUBGRAPH } from '../../lib/schema';

declare const E: { toArrayBuffer(text: string): ArrayBuffer };
interface Storage {
  readArrayBuffer(name: string): ArrayBuffer | undefined;
  read(name: string, offset: number, length: number): string;
}
declare const process: { memory(): { free: number; blocksize: number } };
declare function require(name: 'Storage'): Storage;
declare function require(name: string): { invoke?: unknown };

/** The first letter of the identifier; a file that was erased has a 0 there. */
const MARK_AT = 4;

/** Variables for each tensor and each operator, at the least: measured, with the memory that they work in. */
const EACH = 65;

/**
 * Throws if a model takes more variables than are free: Espruino cannot catch it later. Builds for computers, whose
 * variables are larger than 16 bytes, get more when they are full.
 */
function expectRoom(name: string, bytes: Uint8Array): void {
  const memory = process.memory();
  const model = openTable(bytes, follow(bytes, 0, name), name);
  const list = fieldVector(bytes, model, MODEL.subgraphs, 4, name);
  let needed = 0;
  for (let i = 0; i < vectorLength(bytes, list); i++) {
    const subgraph = vectorTable(bytes, list, i, name);
    needed += vectorLength(bytes, fieldVector(bytes, subgraph, SUBGRAPH.tensors, 4, name));
    needed += vectorLength(bytes, fieldVector(bytes, subgraph, SUBGRAPH.operators, 4, name));
  }
  needed *= EACH;
  if (memory.free < needed && memory.blocksize < 17)
    throw new Error(
      '"' +
        name +
        '" needs about ' +
        needed +
        ' variables, but ' +
        memory.free +
        ' are free: engram pack makes it smaller',
    );
}

type Method = (this: Model, argument?: unknown) => unknown;

/**
 * Loads the model in a file of Storage: a .tflite file, or a module that `engram pack` made, which is then `require`d.
 * A .tflite file takes no RAM where flash is mapped. Its views read zeros once the file is written anew, so each use of
 * the model looks at the file first.
 * @param load loads a model from its bytes
 * @throws Error when there is no Storage, no such file, or too little memory, and from the model when its file was written anew
 */
export function loadStored(
  name: string,
  options: LoadOptions | undefined,
  load: (bytes: Uint8Array, options?: LoadOptions) => Model,
): Model {
  let storage: Storage;
  try {
    storage = require('Storage');
  } catch (_e) {
    throw new Error(
      'load("' + name + '") needs Espruino\'s Storage: elsewhere, give the bytes as a Uint8Array',
    );
  }
  const file = storage.readArrayBuffer(name);
  const bytes = file ? new Uint8Array(file) : new Uint8Array(0);
  if (decodeUtf8(bytes, MARK_AT, bytes.length < 8 ? 0 : 4) !== FILE_IDENTIFIER) {
    let module: { invoke?: unknown } = {};
    let wrong = 'it has no invoke';
    try {
      module = require(name);
    } catch (e) {
      if (!file)
        throw new Error('Storage has no "' + name + '": send it, or see what require("Storage").list() has');
      wrong = (e as Error).message || '' + e;
    }
    if (!module || !module.invoke)
      throw new Error('"' + name + '" is no .tflite model, and no module of engram pack: ' + wrong);
    if (options) throw new Error('the module "' + name + '" was packed: load takes no options for it');
    return module as Model;
  }
  expectRoom(name, bytes);
  readParts(function (offset: number, length: number): ArrayBuffer {
    return E.toArrayBuffer(storage.read(name, offset, length));
  });
  let model: Model;
  try {
    model = load(bytes, options);
  } finally {
    readParts(null);
  }
  function guard(method: 'resume' | 'reset' | 'newState' | 'save' | 'restore'): void {
    const unguarded = model[method] as Method;
    if (!unguarded) return;
    (model as unknown as Record<string, Method>)[method] = function (argument) {
      if (bytes[MARK_AT] !== 84) {
        model.abandon();
        throw new Error('"' + name + '" in Storage was rewritten: load it again');
      }
      return unguarded.call(model, argument);
    };
  }
  guard('resume');
  guard('reset');
  guard('newState');
  guard('save');
  guard('restore');
  return model;
}
