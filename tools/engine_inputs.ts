/** Inputs for a model that runs on an engine: made here, handed over as files, written into the model by a driver. */
import { random } from '../author/random';
import type { Model, ModelTensor } from '../lib/model';
import { randomInputs } from './same_outputs';

/** The bytes of a tensor's values. */
export function bytesOf(tensor: ModelTensor): Uint8Array {
  return new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
}

/** The bytes of all inputs in order, for each of `steps` steps, reproducible from `seed`. */
export function randomStream(model: Model, steps: number, seed: number): Uint8Array[] {
  const next = random(seed);
  return Array.from({ length: steps }, () => {
    randomInputs(model.inputs, next);
    return new Uint8Array(Buffer.concat(model.inputs.map(bytesOf)));
  });
}

/** Writes the inputs of one step. */
export function feed(model: Model, bytes: Uint8Array): void {
  let at = 0;
  for (const input of model.inputs) {
    const target = bytesOf(input);
    target.set(bytes.subarray(at, (at += target.length)));
  }
}

/**
 * Bytes of inputs in one file: Espruino holds flat what is smaller, and takes no view from 64 KB on. A step larger
 * than that has a file of its own.
 */
const FILE_BYTES = 32 * 1024;

/** Steps of one file. */
export function stepsPerFile(stepBytes: number): number {
  return Math.max(1, Math.floor(FILE_BYTES / Math.max(1, stepBytes)));
}

/** A stream as files `in0`, `in1`, …, for FEED_SOURCE. */
export function inputFiles(stream: Uint8Array[]): Record<string, Uint8Array> {
  const count = stepsPerFile(stream[0]?.length ?? 0);
  const files: Record<string, Uint8Array> = {};
  for (let i = 0; i < stream.length; i += count) {
    files[`in${i / count}`] = new Uint8Array(Buffer.concat(stream.slice(i, i + count)));
  }
  return files;
}

/**
 * ES5 for every engine, after `var model = …`. It defines bytesOf(tensor), listed(bytes), a line of numbers, and
 * feed(step), which writes the inputs of a step.
 */
export function feedSource(stepBytes: number): string {
  return `var bytesOf = function (tensor) {
  var data = tensor.data;
  return data.byteLength ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : data;
};
var listed = function (bytes) {
  // Duktape's typed arrays cannot join, and a loop costs more elsewhere
  if (bytes.join) return bytes.join(' ');
  var list = [];
  for (var i = 0; i < bytes.length; i++) list.push(bytes[i]);
  return list.join(' ');
};
var fileIndex = -1, fileBytes = null;
var feed = function (step) {
  if (!${stepBytes}) return;
  var index = Math.floor(step / ${stepsPerFile(stepBytes)});
  if (index !== fileIndex) {
    fileIndex = index;
    fileBytes = readBytes('in' + index);
  }
  var at = (step - index * ${stepsPerFile(stepBytes)}) * ${stepBytes};
  for (var i = 0; i < model.inputs.length; i++) {
    var target = bytesOf(model.inputs[i]);
    target.set(fileBytes.subarray(at, at + target.length));
    at += target.length;
  }
};
`;
}
