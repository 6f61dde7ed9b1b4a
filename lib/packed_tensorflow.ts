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
 * Gives packed models `create`, `getInput` and `getOutput`: a sketch takes `require('NAME')` in place of
 * `require('tensorflow')`. Size and model are those of the packed program, whatever is given.
 */
export function enableTensorflow(): void {
  PackedModel.prototype.create = function (): PackedModel {
    this.reset();
    return this;
  };
  PackedModel.prototype.getInput = function (index?: number): TypedArray {
    return this.inputs[index || 0].data;
  };
  PackedModel.prototype.getOutput = function (index?: number): TypedArray {
    return this.outputs[index || 0].data;
  };
}
