/** Models of one custom operator. */
import { GraphBuilder } from '../../author/graph_builder';
import { writeModel } from '../../author/writer';
import { load } from '../../lib/index';
import type { LoadOptions } from '../../lib/load';
import type { Model } from '../../lib/model';
import type { Operand, Result } from './one_operator';

export type CustomValues = Record<string, number | boolean>;

/**
 * Options as a FlexBuffer: a map whose values all have `width` bytes. (The FlexBuffers package writes wrong numbers where
 * a float that fits 32 bits stands beside values of 64.)
 */
export function flex(values: CustomValues, width: 4 | 8 = 8): Uint8Array {
  const [BOOL, INT, FLOAT, MAP] = [26, 1, 3, 9];
  const keys = Object.keys(values).sort((a, b) => (a < b ? -1 : 1));
  const text = keys.map((key) => key + '\0').join('');
  const start = Math.ceil(text.length / width) * width;
  const count = keys.length;
  const keysAt = start + width;
  const valuesAt = keysAt + (count + 3) * width;
  const typesAt = valuesAt + count * width;
  const bytes = new Uint8Array(typesAt + count + 3);
  const view = new DataView(bytes.buffer);
  const put = (at: number, value: number): void =>
    width === 8 ? view.setBigInt64(at, BigInt(value), true) : view.setInt32(at, value, true);
  bytes.set(Buffer.from(text));
  put(start, count);
  put(valuesAt - 3 * width, valuesAt - 3 * width - keysAt);
  put(valuesAt - 2 * width, width);
  put(valuesAt - width, count);
  let textAt = 0;
  keys.forEach((key, i) => {
    put(keysAt + i * width, keysAt + i * width - textAt);
    textAt += key.length + 1;
    const value = values[key];
    const at = valuesAt + i * width;
    const whole = Number.isInteger(value) && !Object.is(value, -0);
    if (typeof value === 'boolean' || whole) put(at, Number(value));
    else if (width === 8) view.setFloat64(at, value, true);
    else view.setFloat32(at, value, true);
    const type = typeof value === 'boolean' ? BOOL : whole ? INT : FLOAT;
    bytes[typesAt + i] = (type << 2) | (width === 8 ? 3 : 2);
  });
  const root = typesAt + count;
  bytes.set([root - valuesAt, (MAP << 2) | (width === 8 ? 3 : 2), 1], root);
  return bytes;
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
