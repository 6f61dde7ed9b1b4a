/** What TensorFlow.js and Keras write about the layers of a model, brought into one form. */

export type Config = Record<string, unknown>;

/** A layer, and the layers whose outputs it reads. */
export interface LayerNode {
  name: string;
  /** "Dense", "GRU", … */
  kind: string;
  config: Config;
  /** Names of layers; for the first layer of a sequential model none. */
  inputs: string[];
}

export interface Topology {
  layers: LayerNode[];
  inputs: string[];
  outputs: string[];
}

const isObject = (value: unknown): value is Config =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Described {
  class_name: string;
  config: Config;
  name?: string;
  inbound_nodes?: unknown[];
}

/**
 * The layers of a model.
 * @param model `{ class_name, config }` of a Sequential or functional model
 * @throws Error when it is something else, or a layer is described in a way that cannot be understood
 */
export function topologyOf(model: unknown): Topology {
  if (!isObject(model) || typeof model.class_name !== 'string') {
    throw new Error('the topology has no class_name: it is no layers model of TensorFlow.js or Keras');
  }
  const { class_name: kind, config } = model;
  const list = Array.isArray(config) ? config : isObject(config) ? config.layers : undefined;
  if (!Array.isArray(list)) throw new Error(`the topology (${kind}) lists no layers`);
  const described = list.map((entry, index): Described => {
    if (!isObject(entry) || typeof entry.class_name !== 'string' || !isObject(entry.config)) {
      throw new Error(`layer ${index} of the topology has no class_name and config`);
    }
    return entry as unknown as Described;
  });
  if (kind === 'Sequential') return sequential(described);
  if (kind === 'Model' || kind === 'Functional') return functional(described, config as Config);
  throw new Error(`a model of class ${kind} cannot be converted; Sequential and functional models can`);
}

function nameOf({ name, config }: Described, index: number): string {
  const found = name ?? config.name;
  if (typeof found !== 'string' || !found) throw new Error(`layer ${index} of the topology has no name`);
  return found;
}

function sequential(described: Described[]): Topology {
  const layers: LayerNode[] = [];
  described.forEach((entry, index) => {
    const name = nameOf(entry, index);
    const { class_name: kind, config } = entry;
    // the first layer says what comes in, unless an InputLayer does
    const shape = index || kind === 'InputLayer' ? undefined : firstShape(entry);
    if (shape) {
      layers.push({
        name: `${name}_input`,
        kind: 'InputLayer',
        config: { batch_input_shape: shape },
        inputs: [],
      });
    }
    const before = layers[layers.length - 1];
    layers.push({ name, kind, config, inputs: before ? [before.name] : [] });
  });
  if (!layers.length) throw new Error('the model has no layers');
  const inputs = layers[0].kind === 'InputLayer' ? [layers[0].name] : [];
  return { layers, inputs, outputs: [layers[layers.length - 1].name] };
}

/** Shape of what goes into a layer, or into the first layer of a model within a model. */
function firstShape({ class_name: kind, config }: Described): (number | null)[] | undefined {
  const shape = inputShape(config);
  if (shape || !isModel(kind)) return shape;
  const list: unknown = Array.isArray(config) ? config : config.layers;
  const [first] = Array.isArray(list) ? (list as Described[]) : [];
  return first && isObject(first.config) ? firstShape(first) : undefined;
}

function functional(described: Described[], config: Config): Topology {
  const layers = described.map((entry, index): LayerNode => {
    const name = nameOf(entry, index);
    const nodes = entry.inbound_nodes ?? [];
    if (nodes.length > 1) {
      throw new Error(`layer "${name}" is used ${nodes.length} times: give each use a layer of its own`);
    }
    const inputs = nodes.length ? inboundOf(nodes[0], name) : [];
    return { name, kind: entry.class_name, config: entry.config, inputs };
  });
  return { layers, inputs: references(config.input_layers), outputs: references(config.output_layers) };
}

/** Names of the layers that a node reads, in the forms of Keras 2 and 3. */
function inboundOf(node: unknown, layer: string): string[] {
  if (Array.isArray(node)) {
    return node.map((input) => {
      const [name, , index, named] = input as [string, number, number, Config?];
      if (typeof name !== 'string') throw new Error(`layer "${layer}": its inputs cannot be understood`);
      if (index)
        throw new Error(`layer "${layer}" reads output ${index} of "${name}"; only first outputs can be`);
      if (named && Object.values(named).some(Array.isArray)) {
        throw new Error(`layer "${layer}" takes the further inputs ${Object.keys(named).join(', ')}`);
      }
      return name;
    });
  }
  if (!isObject(node) || !Array.isArray(node.args)) {
    throw new Error(`layer "${layer}": its inputs cannot be understood`);
  }
  return node.args.flat().map((tensor: unknown) => {
    const history = isObject(tensor) && isObject(tensor.config) ? tensor.config.keras_history : undefined;
    if (!Array.isArray(history)) throw new Error(`layer "${layer}": its inputs cannot be understood`);
    if (history[2]) {
      throw new Error(
        `layer "${layer}" reads output ${history[2]} of "${history[0]}"; only first outputs can be`,
      );
    }
    return String(history[0]);
  });
}

/** [["a", 0, 0], …], or ["a", 0, 0] alone. */
function references(list: unknown): string[] {
  if (!Array.isArray(list) || !list.length) throw new Error('the topology does not say what goes in and out');
  return (Array.isArray(list[0]) ? list : [list]).map((entry) => String((entry as unknown[])[0]));
}

/** Shape of what goes into a model, its batch first; undefined when the layer does not say. */
export function inputShape(config: Config): (number | null)[] | undefined {
  const shape = config.batch_input_shape ?? config.batch_shape;
  return Array.isArray(shape) ? (shape as (number | null)[]) : undefined;
}

/** Whether a layer is a model of its own. */
export function isModel(kind: string): boolean {
  return kind === 'Sequential' || kind === 'Model' || kind === 'Functional';
}
