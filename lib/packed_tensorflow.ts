/** Packed models for sketches that were written for Espruino's own `tensorflow` module. */
import { TypedArray } from './graph';
import { PackedModel } from './packed';

declare module './packed' {
  interface PackedModel {
    create(arenaSize?: number, model?: unknown): PackedModel;
    getInput(index?: number): TypedArray;
    getOutput(index?: number): TypedArray;
  }
}

/**
 * Gives a packed model `create`, `getInput` and `getOutput`: a sketch takes `require('NAME')` in place of
 * `require('tensorflow')`. Size and model are those of the packed program, whatever is given.
 */
export function enableTensorflow(model: PackedModel): void {
  model.create = function (): PackedModel {
    model.reset();
    return model;
  };
  model.getInput = function (index?: number): TypedArray {
    return model.inputs[index || 0].data;
  };
  model.getOutput = function (index?: number): TypedArray {
    return model.outputs[index || 0].data;
  };
}
