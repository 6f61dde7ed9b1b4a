/**
 * Imports TensorFlow.js layers models, in memory or saved, as models over streams that do one step for each reading.
 * TensorFlow.js itself is not needed for it.
 *
 * The second dimension (after the batch) is time. The step model gives at reading t what the whole model gives there:
 *
 * - sequences in, sequences out: the output at t. Where convolutions without padding drop readings, the first
 *   `warmup` outputs do not count, and layers with state wait for them.
 * - one output for a sequence (a recurrent layer without return_sequences): what the model says of the readings so far.
 * - one output for a window of fixed length (Flatten, global pooling): what it says of the last readings, with every
 *   reading; until the window is full (`warmup` readings) the outputs do not count.
 */
import { OVER_TIME } from './import_time';
import { type Conversion, type Converter, POINTWISE, type Value } from './import_layers';
import {
  type Config,
  inputShape,
  isModel,
  type LayerNode,
  type Topology,
  topologyOf,
} from './import_topology';
import {
  decodeWeights,
  type ManifestGroup,
  type NamedWeight,
  readManifest,
  WeightSet,
  type WeightSpec,
} from './import_weights';
import { StreamModel } from './stream/model';

export interface ImportOptions {
  /** Readings in the window of a model that takes sequences of any length, but looks at all of them at once. */
  window?: number;
  /** Goes into the file. */
  description?: string;
}

/** The part of a tf.LayersModel that is used. */
export interface LayersModel {
  toJSON(unused?: unknown, returnString?: boolean): unknown;
  layers: ModelLayer[];
}

export interface ModelLayer {
  name: string;
  weights: {
    originalName: string;
    shape: (number | null)[];
    read(): { dataSync(): ArrayLike<number> };
  }[];
  /** Of a model within a model. */
  layers?: ModelLayer[];
}

/** The part of tf.io.ModelArtifacts that is used: what a save handler is given. */
export interface ModelArtifacts {
  modelTopology?: unknown;
  weightSpecs?: WeightSpec[];
  weightData?: ArrayBuffer | ArrayBuffer[];
}

const CONVERTERS: Record<string, Converter> = { ...POINTWISE, ...OVER_TIME };

/** Why some layers cannot be converted at all. */
const REFUSED: Record<string, string> = {
  Bidirectional:
    'reads the sequence backwards too, so it would need future readings; use a layer that reads forwards',
  RepeatVector: 'makes a sequence of one vector; a step has one reading only',
  Masking: 'skips readings; leave them out of the stream instead',
  Embedding: 'takes indices, but inputs here are real numbers',
  RNN: 'has cells of its own; GRU, LSTM and SimpleRNN can be converted',
  UpSampling1D: 'gives several outputs for each reading',
  ZeroPadding1D: 'pads the time axis; use padding "causal" in the convolution after it',
};

/**
 * Imports a model in memory, such as one that has just been trained.
 * @throws Error that names the layer which cannot be converted
 */
export function importLayersModel(model: LayersModel, options: ImportOptions = {}): StreamModel {
  const weights: NamedWeight[] = [];
  const collect = (layers: ModelLayer[]): void => {
    for (const layer of layers) {
      if (layer.layers) collect(layer.layers);
      else {
        for (const { originalName, shape, read } of layer.weights.map(bound)) {
          const name = `${layer.name}/${originalName.split('/').pop()}`;
          weights.push({ name, shape: shape.map(Number), values: Float32Array.from(read().dataSync()) });
        }
      }
    }
  };
  collect(model.layers);
  return convert(model.toJSON(null, false), weights, options);
}

function bound(weight: ModelLayer['weights'][number]): ModelLayer['weights'][number] {
  return { originalName: weight.originalName, shape: weight.shape, read: () => weight.read() };
}

/** Imports what a save handler of TensorFlow.js (tf.io.withSaveHandler) is given. */
export function importArtifacts(artifacts: ModelArtifacts, options: ImportOptions = {}): StreamModel {
  const { modelTopology, weightSpecs, weightData } = artifacts;
  if (!modelTopology) throw new Error('there is no model topology');
  if (!weightSpecs || !weightData) throw new Error('there are no weights');
  const parts = (Array.isArray(weightData) ? weightData : [weightData]).map((part) => new Uint8Array(part));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return convert(modelTopology, decodeWeights(weightSpecs, bytes, 'the weight data'), options);
}

/**
 * Imports a saved model.
 * @param text content of model.json
 * @param readShard gives the bytes of a weights shard by its path, relative to model.json; throws when there is none
 * @throws Error when the file is none of a layers model, a shard is missing or of the wrong size, or a layer cannot be
 *   converted; it names the shard, weight or layer
 */
export function importSavedModel(
  text: string,
  readShard: (path: string) => Uint8Array,
  options: ImportOptions = {},
): StreamModel {
  let json: Config;
  try {
    json = JSON.parse(text) as Config;
  } catch (error) {
    throw new Error(`it is not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof json !== 'object' || json === null) throw new Error('it describes no model');
  const topology = json.modelTopology as Config | undefined;
  if (json.format === 'graph-model' || (topology && 'node' in topology)) {
    throw new Error('it is a graph model, whose layers are gone; save the layers model instead');
  }
  if (!topology) {
    if (json.class_name && json.config)
      throw new Error('it has layers but no weights: save the model with its weights');
    throw new Error('it has no modelTopology');
  }
  if (!Array.isArray(json.weightsManifest)) throw new Error('it has no weightsManifest');
  return convert(topology, readManifest(json.weightsManifest as ManifestGroup[], readShard), options);
}

function convert(given: unknown, weights: NamedWeight[], options: ImportOptions): StreamModel {
  const whole = given as Config;
  const topology = topologyOf(whole?.model_config ?? whole);
  const kerasVersion = String(whole.keras_version ?? '').replace(/^tfjs-layers /, 'tfjs ');
  const model = new StreamModel({ description: options.description ?? 'imported from TensorFlow.js' });
  const context: Context = { model, weights: new WeightSet(weights), kerasVersion, options };
  if (!topology.inputs.length) throw new Error('the first layer does not say what shape its input has');
  const outputs = run(context, topology, null);
  for (const { stream } of outputs) model.output(stream);
  return model;
}

type Context = Pick<Conversion, 'model' | 'weights' | 'kerasVersion'> & { options: ImportOptions };

/** Converts the layers of a model; `given` are its inputs when it is within another. */
function run(context: Context, topology: Topology, given: Value[] | null): Value[] {
  const values = new Map<string, Value>();
  const valueOf = (name: string, reader: string): Value => {
    const value = values.get(name);
    if (!value) throw new Error(`${reader} reads "${name}", which no layer before it gives`);
    return value;
  };
  if (given && topology.inputs.length && given.length !== topology.inputs.length) {
    throw new Error(`a model within takes ${topology.inputs.length} inputs, not ${given.length}`);
  }
  for (const layer of inOrder(topology.layers)) {
    const place = topology.inputs.indexOf(layer.name);
    const inputs = layer.inputs.map((name) => valueOf(name, `layer "${layer.name}"`));
    if (layer.kind === 'InputLayer') {
      values.set(layer.name, given ? given[place] : inputOf(context, layer));
    } else if (isModel(layer.kind)) {
      const within = topologyOf({ class_name: layer.kind, config: layer.config });
      const from = inputs.length ? inputs : given!;
      const [value, ...others] = run(context, within, from);
      if (others.length) throw new Error(`layer "${layer.name}": a model within may have one output only`);
      values.set(layer.name, value);
    } else {
      // the first layer of a sequential model within another reads what that is given
      values.set(layer.name, convertLayer(context, layer, inputs.length ? inputs : (given ?? [])));
    }
  }
  return topology.outputs.map((name) => valueOf(name, 'the output'));
}

/** Layers with those that each reads before it; Keras lists them in the order in which they were made. */
function inOrder(layers: LayerNode[]): LayerNode[] {
  const sorted: LayerNode[] = [];
  const visited = new Set<LayerNode>();
  const visit = (layer: LayerNode): void => {
    if (visited.has(layer)) return;
    visited.add(layer);
    for (const name of layer.inputs) {
      const before = layers.find((other) => other.name === name);
      if (before) visit(before);
    }
    sorted.push(layer);
  };
  layers.forEach(visit);
  return sorted;
}

function inputOf({ model, options }: Context, { name, config }: LayerNode): Value {
  const shape = inputShape(config);
  const where = `input "${name}"`;
  if (!shape) throw new Error(`${where} has no shape`);
  const [, ...sizes] = shape;
  if (sizes.length === 1) {
    if (!sizes[0])
      throw new Error(`${where}: the shape [${shape.join(', ')}] does not tell the number of features`);
    return { stream: model.input(name, sizes[0]), time: null };
  }
  const [length, ...reading] = sizes;
  if (!reading.length || reading.length > 2 || reading.some((size) => !size)) {
    throw new Error(
      `${where}: the shape is [${shape.map((size) => size ?? 'any').join(', ')}]; it must be [batch, time, features], ` +
        '[batch, time, bands, channels] or [batch, features]',
    );
  }
  if (length && options.window && length !== options.window) {
    throw new Error(`${where} has windows of ${length} readings, not ${options.window}`);
  }
  const time = { length: length ?? options.window ?? null, rate: 1, lag: 0 };
  return { stream: model.input(name, reading as number[]), time };
}

function convertLayer(context: Context, layer: LayerNode, inputs: Value[]): Value {
  const { name, kind, config } = layer;
  const { model, weights, kerasVersion } = context;
  const where = `layer "${name}" (${kind})`;
  if (Object.hasOwn(REFUSED, kind)) throw new Error(`${where}: ${REFUSED[kind]}`);
  const common = { model, weights, kerasVersion, name };
  if (kind === 'TimeDistributed') {
    const inner = config.layer as { class_name: string; config: Config } | undefined;
    const within = inner?.class_name ?? 'nothing';
    const [value] = inputs;
    const each: Converter | undefined = [
      'Dense',
      'Activation',
      'Dropout',
      'BatchNormalization',
      'Flatten',
    ].includes(within)
      ? CONVERTERS[within]
      : undefined;
    if (!each || !value?.time) {
      throw new Error(
        `${where}: around ${within} it cannot be converted; around Dense and other pointwise layers it can`,
      );
    }
    const aliases = [name, String(inner!.config.name)];
    // each reading on its own is a value without a time axis
    const { stream } = each({ ...common, kind: within, config: inner!.config, aliases }, [
      { ...value, time: null },
    ]);
    return { stream, time: value.time };
  }
  if (!Object.hasOwn(CONVERTERS, kind)) {
    throw new Error(
      `${where} cannot be converted; layers that can are ${Object.keys(CONVERTERS).join(', ')}`,
    );
  }
  return CONVERTERS[kind]({ ...common, kind, config, aliases: [name] }, inputs);
}
