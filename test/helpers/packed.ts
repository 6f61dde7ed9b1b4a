/** Packed modules on Node and on the engines. */
import { randomInputs } from '../../tools/same_outputs';
import { random } from '../../author/random';
import type { Model } from '../../lib/model';
import type { Packed } from '../../tools/pack/index';
import { bytesOf } from './suite';

/** What a packed es5 module exports on Node. */
export function evaluate(text: string): unknown {
  const module = { exports: {} as unknown };
  new Function('module', text)(module);
  return module.exports;
}

/** A packed es5 module as a model on Node; its weights are not in the module. */
export function onNode(packed: Packed): Model {
  const exported = evaluate(packed.module);
  return typeof exported === 'function'
    ? (exported as (weights: Uint8Array) => Model)(packed.weights)
    : (exported as Model);
}

/** Inputs and outputs of a model over some steps, as bytes. */
export function record(model: Model, steps: number): { inputs: Uint8Array; outputs: number[][] } {
  const next = random(7);
  const inputs: Uint8Array[] = [];
  const outputs: number[][] = [];
  for (let step = 0; step < steps; step++) {
    randomInputs(model.inputs, next);
    inputs.push(...model.inputs.map((input) => bytesOf(input).slice()));
    model.invoke();
    outputs.push(model.outputs.flatMap((output) => Array.from(bytesOf(output))));
  }
  return { inputs: new Uint8Array(Buffer.concat(inputs)), outputs };
}

/** ES5 that feeds file `in` to `model` and prints each step's outputs as bytes. */
export function feeding(steps: number): string {
  return `
var at = 0, given = readBytes('in');
var bytesOf = function (tensor) { var d = tensor.data; return new Uint8Array(d.buffer, d.byteOffset, d.byteLength); };
for (var step = 0; step < ${steps}; step++) {
  for (var i = 0; i < model.inputs.length; i++) {
    var target = bytesOf(model.inputs[i]);
    target.set(given.subarray(at, at + target.length));
    at += target.length;
  }
  model.invoke();
  var line = [];
  for (var i = 0; i < model.outputs.length; i++) {
    var out = bytesOf(model.outputs[i]);
    for (var k = 0; k < out.length; k++) line.push(out[k]);
  }
  print(line.join());
}
`;
}

/** ES5 that puts a packed module and its weights into Espruino's Storage, from files `module` and `weights`. */
export function installing(name: string): string {
  return `
require('Storage').write('${name}', readBytes('module'));
require('Storage').write('${name}.bin', readBytes('weights'));
`;
}
