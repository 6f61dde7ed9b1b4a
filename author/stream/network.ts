/** Layers and how they hang together: what a StreamModel makes a graph of, and runs over whole sequences. */
import type { Graph, Tensor } from '../../lib/graph';
import type { Layer, Stream, Values } from './layer';
import { Affine } from './pointwise';
import { Sequence } from './sequence';
import { StreamGraph } from './stream_graph';

/** The input of a model: no operator, no computation. */
export class Input implements Layer {
  readonly inputs: Stream[] = [];
  constructor(readonly output: Stream) {}
  emit(): Tensor {
    throw new Error(`input "${this.output.name}" is emitted with the graph`);
  }
  run(): Sequence {
    throw new Error(`input "${this.output.name}" has no value of its own`);
  }
}

/** A batch normalization keeps what it multiplies with, so that it can go into the layer before it. */
export class Normalization extends Affine {
  constructor(
    output: Stream,
    readonly x: Stream,
    readonly factors: Values,
    readonly summands: Values,
  ) {
    super(output, x, factors, summands);
  }
}

/** Layers in an order in which each comes after those that it reads. */
export class Network {
  private readonly layers: Layer[] = [];
  private readonly known = new Map<Stream, Layer>();
  private readonly names = new Set<string>();
  private readonly outputs: Stream[] = [];

  constructor(private readonly description = 'one step of a model over streams') {}

  /** Makes streams outputs of the model. */
  output(...streams: Stream[]): this {
    for (const x of streams) {
      const layer = this.layerOf(x, 'output');
      if (layer instanceof Input) throw new Error(`output "${x.name}" is an input of the model`);
      if (this.outputs.includes(x)) throw new Error(`"${x.name}" already is an output`);
      this.outputs.push(x);
    }
    return this;
  }

  /** Number of readings at the start for which some output does not count, because a window is not full yet. */
  get warmup(): number {
    return Math.max(0, ...this.outputs.map((x) => x.warmup));
  }

  /** The model as a graph that does one step: inputs and outputs [1, size], state in variables `layer/state`. */
  graph(): Graph {
    const layers = this.needed(this.folded());
    const graph = new StreamGraph(this.description);
    const tensors = new Map<Stream, Tensor>();
    for (const layer of layers) {
      const { output } = layer;
      graph.layer = output.name;
      const tensor =
        layer instanceof Input
          ? graph.input(output.name, output.size)
          : layer.emit(
              graph,
              layer.inputs.map((x) => tensors.get(x)!),
            );
      tensors.set(output, tensor);
    }
    for (const x of this.outputs) {
      const tensor = tensors.get(x)!;
      // a stream of another shape only has no tensor of its own
      graph.output(tensor.name === x.name ? tensor : graph.named(tensor, x.name));
    }
    return graph.build();
  }

  /**
   * The whole-sequence form: all outputs at all readings, in double precision, from the initial state on.
   * @param inputs for each input one array for each reading
   * @returns for each output one array for each reading
   * @throws Error when the number of inputs, of readings or of values is wrong; it names the reading
   */
  run(inputs: readonly (readonly ArrayLike<number>[])[]): Float64Array[][] {
    const layers = this.needed(this.layers);
    const sources = layers.filter((layer) => layer instanceof Input);
    if (sources.length !== inputs.length) {
      throw new Error(`the model has ${sources.length} inputs, not ${inputs.length}`);
    }
    if (inputs.some((sequence) => sequence.length !== inputs[0].length)) {
      throw new Error(`inputs of ${inputs.map((sequence) => sequence.length).join(' and ')} readings`);
    }
    const values = new Map<Stream, Sequence>();
    sources.forEach(({ output }, i) => values.set(output, Sequence.of(inputs[i], output.size)));
    for (const layer of layers) {
      if (layer instanceof Input) continue;
      values.set(layer.output, layer.run(layer.inputs.map((x) => values.get(x)!)));
    }
    return this.outputs.map((x) => {
      const sequence = values.get(x)!;
      return Array.from({ length: sequence.steps }, (_, t) => sequence.row(t));
    });
  }

  protected add(layer: Layer): Stream {
    const { name } = layer.output;
    if (!name) throw new Error('a layer needs a name');
    if (this.names.has(name)) throw new Error(`there already is a layer "${name}"`);
    for (const x of layer.inputs) this.layerOf(x, `layer "${name}"`);
    this.names.add(name);
    this.known.set(layer.output, layer);
    this.layers.push(layer);
    return layer.output;
  }

  private layerOf(x: Stream, user: string): Layer {
    const layer = this.known.get(x);
    if (!layer) throw new Error(`${user}: stream "${x.name}" belongs to another model`);
    return layer;
  }

  /** Inputs, and the layers that outputs depend on. */
  private needed(layers: Layer[]): Layer[] {
    if (!this.outputs.length)
      throw new Error('the model has no outputs: say which streams they are with output()');
    const used = new Set<Stream>(this.outputs);
    for (const layer of layers.toReversed()) {
      if (used.has(layer.output)) layer.inputs.forEach((x) => used.add(x));
    }
    return layers.filter((layer) => layer instanceof Input || used.has(layer.output));
  }

  /** Layers with normalizations taken into the weights before them. */
  private folded(): Layer[] {
    const layers = [...this.layers];
    for (const layer of this.layers) {
      if (!(layer instanceof Normalization)) continue;
      const before = layers.find(({ output }) => output === layer.x);
      const readers = layers.filter(({ inputs }) => inputs.includes(layer.x)).length;
      if (!before || readers > 1 || this.outputs.includes(layer.x)) continue;
      const folded = before.scaled?.(layer.factors, layer.summands, layer.output);
      if (folded) layers.splice(layers.indexOf(layer), 1, folded);
    }
    return layers;
  }
}
