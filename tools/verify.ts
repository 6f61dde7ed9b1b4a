/** The same inputs on Node and on another engine: where do the answers part? */
import type { Engine } from '../engines/index';
import type { Node, TypedArray } from '../lib/graph';
import { load } from '../lib/index';
import type { Model, ModelTensor } from '../lib/model';
import { elementBytes, viewOf } from '../lib/tensor';
import { bytesOf, feed, feedSource, inputFiles } from './engine_inputs';

/** Where two runs part. Names of fields are part of the interface (`engram verify --json`). */
export interface Difference {
  /** From 0. */
  step: number;
  kind: 'output' | 'variable';
  name: string;
  /** Index of the output, or of the variable in the table. */
  index: number;
  element: number;
  /** Stored values on Node and on the engine. */
  expected: number;
  got: number;
  /** Elements of the tensor that differ, and the greatest distance between stored values. */
  elements: number;
  largest: number;
  /**
   * The first operator whose result differs in that step; null when it cannot be told: all tensors have to be kept
   * for that, and then there may be no difference, or not enough memory.
   */
  operator: {
    index: number;
    op: string;
    tensor: string;
    element: number;
    expected: number;
    got: number;
  } | null;
}

/** What `engram verify --json` prints. Names of fields are part of the interface. */
export interface VerifyReport {
  model: string;
  engine: string;
  steps: number;
  equal: boolean;
  difference: Difference | null;
}

/** A tensor that is compared after each step. */
export interface Watched {
  kind: Difference['kind'];
  name: string;
  index: number;
  tensor(): { type: string; data: TypedArray };
}

function variableKeys(model: Model): string[] {
  return model.program.variables.map(({ container, name }) => (container ? `${container}/${name}` : name));
}

/** What is compared: all outputs, then all variables. */
export function watched(model: Model): Watched[] {
  return [
    ...model.outputs.map((output, index) => ({
      kind: 'output' as const,
      name: output.name,
      index,
      tensor: () => model.outputs[index],
    })),
    ...variableKeys(model).map((name, index) => ({
      kind: 'variable' as const,
      name,
      index,
      tensor: () => model.variables.get(name),
    })),
  ];
}

/** ES5 for every engine: prints the bytes of all outputs and variables after each step, a line each. */
function traceDriver(model: Model, steps: number, stepBytes: number): string {
  return `var model = engram.load(readBytes('model'));
${feedSource(stepBytes)}
var keys = ${JSON.stringify(variableKeys(model))};
for (var step = 0; step < ${steps}; step++) {
  feed(step);
  model.invoke();
  for (var k = 0; k < model.outputs.length; k++) print(listed(bytesOf(model.outputs[k])));
  for (k = 0; k < keys.length; k++) print(listed(bytesOf(model.variables.get(keys[k]))));
}
`;
}

/** ES5 for every engine: keeps all tensors, and prints those of some indices after step `last`. */
function tensorsDriver(indices: number[], last: number, stepBytes: number): string {
  return `var model = engram.load(readBytes('model'), { preserve: true });
${feedSource(stepBytes)}
for (var step = 0; step <= ${last}; step++) {
  feed(step);
  model.invoke();
}
var indices = ${JSON.stringify(indices)};
for (var k = 0; k < indices.length; k++) print(listed(bytesOf(model.tensor(indices[k]))));
`;
}

/** Bytes of a line that a driver printed. */
function parse(line: string): Uint8Array {
  return Uint8Array.from(line === '' ? [] : line.split(' '), Number);
}

interface Parting {
  element: number;
  expected: number;
  got: number;
  elements: number;
  largest: number;
}

/** Compares stored values bit by bit; NaN is NaN whatever its bits. */
export function compare(type: string, expected: Uint8Array, got: Uint8Array): Parting | null {
  if (expected.length !== got.length)
    throw new Error(`the engine printed ${got.length} bytes of a tensor that has ${expected.length}`);
  if (expected.every((byte, i) => byte === got[i])) return null;
  const length = expected.length / (elementBytes(type) || 1);
  const a = viewOf(type, expected.slice().buffer, 0, length);
  const b = viewOf(type, got.slice().buffer, 0, length);
  const found: Parting = { element: -1, expected: 0, got: 0, elements: 0, largest: 0 };
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i])) continue;
    found.elements++;
    found.largest = Math.max(found.largest, Math.abs(a[i] - b[i]));
    if (found.element >= 0) continue;
    Object.assign(found, { element: i, expected: a[i], got: b[i] });
  }
  return found.element < 0 ? null : found;
}

function run(
  engine: Engine,
  bundle: string,
  bytes: Uint8Array,
  stream: Uint8Array[],
  driver: string,
  timeoutSeconds: number,
) {
  return engine.run({ bundle, driver, files: { model: bytes, ...inputFiles(stream) } }, { timeoutSeconds });
}

/** The first operator of subgraph 0 whose result differs after step `last`, when all tensors are kept. */
async function findOperator(
  engine: Engine,
  bundle: string,
  bytes: Uint8Array,
  stream: Uint8Array[],
  last: number,
  timeoutSeconds: number,
): Promise<Difference['operator']> {
  const model = load(bytes, { preserve: true });
  for (let step = 0; step <= last; step++) {
    feed(model, stream[step]);
    model.invoke();
  }
  const results: { node: Node; tensor: ModelTensor; index: number }[] = [];
  for (const node of model.program.graph!.subgraphs[0].nodes) {
    for (const output of node.outputs) {
      if (output.place) results.push({ node, tensor: model.tensor(output.index), index: output.index });
    }
  }
  const result = await run(
    engine,
    bundle,
    bytes,
    stream.slice(0, last + 1),
    tensorsDriver(
      results.map(({ index }) => index),
      last,
      stream[0].length,
    ),
    timeoutSeconds,
  );
  if (result.error !== null) return null;
  for (const [i, { node, tensor }] of results.entries()) {
    const found = compare(tensor.type, bytesOf(tensor), parse(result.lines[i]));
    if (!found) continue;
    const { element, expected, got } = found;
    return { index: node.index, op: node.op, tensor: tensor.name, element, expected, got };
  }
  return null;
}

/**
 * Runs a stream on Node (this process, from the sources) and a bundle on an engine, and compares outputs and variables
 * after each step, to the bit.
 * @param stream bytes of all inputs for each step
 * @throws Error when either cannot run the model to the end
 */
export async function verify(
  name: string,
  bytes: Uint8Array,
  engine: Engine,
  bundle: string,
  stream: Uint8Array[],
  timeoutSeconds: number,
): Promise<VerifyReport> {
  const model = load(bytes);
  const report: VerifyReport = {
    model: name,
    engine: engine.name,
    steps: stream.length,
    equal: true,
    difference: null,
  };
  const driver = traceDriver(model, stream.length, stream[0].length);
  const result = await run(engine, bundle, bytes, stream, driver, timeoutSeconds);
  if (result.error !== null) throw new Error(`${engine.title}: ${result.error.split('\n')[0]}`);
  const tensors = watched(model);
  for (const [step, inputs] of stream.entries()) {
    feed(model, inputs);
    model.invoke();
    for (const [k, { kind, name: tensorName, index, tensor }] of tensors.entries()) {
      const { type, data } = tensor();
      const expected = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      const found = compare(type, expected, parse(result.lines[step * tensors.length + k]));
      if (!found) continue;
      const operator = await findOperator(engine, bundle, bytes, stream, step, timeoutSeconds);
      return {
        ...report,
        equal: false,
        difference: { step, kind, name: tensorName, index, ...found, operator },
      };
    }
  }
  return report;
}
