/**
 * Real TensorFlow Lite in WebAssembly (`@tensorflow/tfjs-tflite`), as a second opinion in tests and a peer in
 * benchmarks. The package expects a browser; in Node its module factory is handed the WebAssembly bytes.
 */
import { readFileSync } from 'node:fs';

/** What TensorFlow Lite tells of an input or output. */
export interface TfliteTensor {
  name: string;
  /** As in the schema: "FLOAT32", "INT8", … */
  type: string;
  shape: number[];
}

export type TfliteData =
  Int8Array | Uint8Array | Int16Array | Int32Array | Uint32Array | Float32Array | Float64Array;

/** A model loaded into TensorFlow Lite. Variables keep their values from one `invoke` to the next. */
export interface Tflite {
  inputs: TfliteTensor[];
  outputs: TfliteTensor[];
  /** Copies values (not bytes) into input `index`. */
  setInput(index: number, values: ArrayLike<number>): void;
  /** Runs one step; throws with TensorFlow Lite's own message when it fails. */
  invoke(): void;
  /** A copy of output `index`. BOOL comes as Uint8Array. */
  output(index: number): TfliteData;
}

interface TensorInfo {
  dataType: string;
  name: string;
  shape: string;
  data(): TfliteData;
}

interface CppVector {
  size(): number;
  get(index: number): TensorInfo;
  delete(): void;
}

interface Runner {
  GetInputs(): CppVector;
  GetOutputs(): CppVector;
  Infer(): boolean;
}

interface TfliteModule {
  HEAPU8: Uint8Array;
  _malloc(size: number): number;
  TFLiteWebModelRunner: {
    CreateFromBufferAndOptions(address: number, size: number, options: object): StatusOrRunner;
  };
}

interface StatusOrRunner {
  ok(): boolean;
  errorMessage(): string;
  value(): Runner;
}

type Factory = (options: object) => Promise<TfliteModule>;

const WASM = '@tensorflow/tfjs-tflite/wasm/tflite_web_api_cc_simd';

/** The part of the global that is used here: the compiler's library for Node does not declare it. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<object>;
};

/** Compiled once for all instances. */
let compiled: Promise<object> | undefined;

/**
 * Why TensorFlow Lite cannot be used here, or undefined when it can: tests that need it show as pending with this
 * reason.
 */
export function tfliteMissing(): string | undefined {
  try {
    require.resolve(`${WASM}.js`);
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    return '@tensorflow/tfjs-tflite is not installed';
  }
}

function loadModule(log: string[]): Promise<TfliteModule> {
  const factory = require(`${WASM}.js`) as Factory;
  const code = (compiled ??= WebAssembly.compile(readFileSync(require.resolve(`${WASM}.wasm`))));
  const note = (line: string): void => void log.push(line);
  return new Promise((resolve, reject) => {
    factory({
      instantiateWasm(imports: object, done: (instance: object) => void) {
        code.then((module) => WebAssembly.instantiate(module, imports)).then(done, reject);
        return {};
      },
      print: note,
      printErr: note,
    }).then(resolve, reject);
  });
}

/**
 * Loads a model into TensorFlow Lite, each into an instance of its own: they do not survive each other's faults.
 * @throws Error with TensorFlow Lite's own messages when it refuses the model
 */
export async function openTflite(model: Uint8Array): Promise<Tflite> {
  const log: string[] = [];
  const wasm = await loadModule(log);
  const address = wasm._malloc(model.length);
  wasm.HEAPU8.set(model, address);
  // all three options have to be given: the binding converts each of them
  const status = wasm.TFLiteWebModelRunner.CreateFromBufferAndOptions(address, model.length, {
    numThreads: 1,
    enableProfiling: false,
    maxProfilingBufferEntries: 1,
  });
  if (!status.ok()) {
    throw new Error(`TensorFlow Lite refuses the model: ${[status.errorMessage(), ...log].join('\n')}`);
  }
  const runner = status.value();
  // Tensors are asked for anew each time: reading a variable moves those that are planned after it.
  const input = (index: number): TensorInfo => list(runner.GetInputs())[index];
  const output = (index: number): TensorInfo => list(runner.GetOutputs())[index];
  return {
    inputs: list(runner.GetInputs()).map(describe),
    outputs: list(runner.GetOutputs()).map(describe),
    setInput(index, values) {
      const data = input(index).data();
      if (values.length !== data.length) {
        throw new Error(`input ${index} takes ${data.length} values, not ${values.length}`);
      }
      data.set(values);
    },
    invoke() {
      log.length = 0;
      if (!runner.Infer()) throw new Error(`TensorFlow Lite fails: ${log.join('\n')}`);
    },
    output: (index) => output(index).data().slice(),
  };
}

function list(vector: CppVector): TensorInfo[] {
  const items = Array.from({ length: vector.size() }, (_, i) => vector.get(i));
  vector.delete();
  return items;
}

function describe(info: TensorInfo): TfliteTensor {
  const shape = info.shape === '' ? [] : info.shape.split(',').map(Number);
  return { name: info.name, type: info.dataType.toUpperCase(), shape };
}
