/** Models of one custom operator. */
import * as flexbuffers from 'flatbuffers/js/flexbuffers';
import { GraphBuilder } from '../../author/graph_builder';
import { writeModel } from '../../author/writer';
import { load } from '../../lib/index';
import type { LoadOptions } from '../../lib/load';
import type { Model } from '../../lib/model';
import type { Operand, Result } from './one_operator';

export type CustomValues = Record<string, number | boolean>;

/** Options as the FlexBuffers library writes them. */
export function flex(values: object): Uint8Array {
  return new Uint8Array(flexbuffers.encode(values as never));
}

export interface CustomOperator {
  op: string;
  inputs: (Omit<Operand, 'values'> & { values?: Operand['values'] })[];
  outputs: Result[];
  options?: CustomValues | Uint8Array | null;
}

/** The file of a model with just this operator; inputs with `constant` are constants. */
export function customFile(one: CustomOperator): Uint8Array {
  const builder = new GraphBuilder();
  const main = builder.subgraph('main');
  const inputs = one.inputs.map((x, i) =>
    x.constant
      ? main.constant(`in${i}`, x.type, x.shape, x.values ?? [], x.quantization)
      : main.input(`in${i}`, x.type, x.shape, x.quantization),
  );
  const outputs = one.outputs.map((y, i) => main.tensor(`out${i}`, y.type, y.shape, y.quantization));
  const options = one.options;
  const customOptions = options instanceof Uint8Array ? options : options ? flex(options) : undefined;
  main.op(one.op, inputs, outputs, undefined, { custom: true, customOptions });
  main.output(...outputs);
  return writeModel(builder.build());
}

/** The model, loaded. */
export function customModel(one: CustomOperator, options?: LoadOptions): Model {
  return load(customFile(one), options);
}

/** Runs a step, and gives all outputs as numbers. */
export function step(model: Model, ...inputs: ArrayLike<number>[]): number[][] {
  inputs.forEach((values, i) => (model.inputs[i].data as Int16Array).set(values));
  model.invoke();
  return model.outputs.map((output) => Array.from(output.data, Number));
}
