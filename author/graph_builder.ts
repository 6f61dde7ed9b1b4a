/**
 * Builds a Graph in memory, for tests, examples and authoring: `writeModel` makes a file of it.
 *
 *     const builder = new GraphBuilder('a moving average');
 *     const main = builder.subgraph('main');
 *     const x = main.input('x', 'FLOAT32', [1, 3]);
 *     const handle = main.variable('sum');
 *     const sum = main.tensor('sum', 'FLOAT32', [1, 3]);
 *     main.op('ADD', [main.read(handle, 'FLOAT32', [1, 3]), x], [sum]);
 *     main.assign(handle, sum);
 *     main.output(sum);
 *     const graph = builder.build();
 */
import type { Graph, Node, Options, Subgraph, Tensor, TensorType } from '../lib/graph';
import { BUILTIN_OPERATORS, SCHEMA_VERSION } from '../lib/schema';
import { describe, newTensor } from '../lib/tensor';
import { constantArray } from './constants';
import type { ConstantData } from './constants';
import { OPTIONS_OF, parseTable } from './options';
import { operatorVersion } from './versions';

/** How a tensor's integers stand for real numbers: real value = scale · (stored − zero point). */
export interface Quantization {
  /** One scale for the whole tensor. */
  scale?: number;
  zeroPoint?: number;
  /** One scale for each index along `quantizedDimension`. */
  scales?: readonly number[];
  /** Zero points that go with `scales`; 0 when left out. */
  zeroPoints?: readonly number[];
  quantizedDimension?: number;
}

/** What `op` may be told beyond operands and options. */
export interface OpSettings {
  /** Operator version; found from types, shapes and options when left out. */
  version?: number;
  /** A custom operator of this name, with `customOptions` as its options. */
  custom?: boolean;
  customOptions?: Uint8Array;
  intermediates?: (Tensor | null)[];
}

/** Collects subgraphs and metadata; the first subgraph is the one that runs. */
export class GraphBuilder {
  private readonly subgraphs: Subgraph[] = [];
  private readonly entries: Graph['metadata'] = [];

  constructor(private readonly description = '') {}

  /** Starts a subgraph. */
  subgraph(name: string): SubgraphBuilder {
    const subgraph: Subgraph = {
      name,
      index: this.subgraphs.length,
      tensors: [],
      inputs: [],
      outputs: [],
      nodes: [],
    };
    this.subgraphs.push(subgraph);
    return new SubgraphBuilder(subgraph);
  }

  /** Adds metadata. */
  metadata(name: string, data: Uint8Array): this {
    this.entries.push({ name, data });
    return this;
  }

  /** The graph. What is added afterwards is in it too. */
  build(): Graph {
    return {
      version: SCHEMA_VERSION,
      description: this.description,
      subgraphs: this.subgraphs,
      bytes: new Uint8Array(0),
      metadata: this.entries,
    };
  }
}

/** Adds tensors and operators to one subgraph. Operators run in the order in which they are added. */
export class SubgraphBuilder {
  /** Tensors that have a value by now. */
  private readonly known = new Set<Tensor>();

  constructor(private readonly subgraph: Subgraph) {}

  /** Number of the subgraph, as CALL_ONCE, IF and WHILE refer to it. */
  get index(): number {
    return this.subgraph.index;
  }

  /** A tensor that an operator will write. */
  tensor(name: string, type: TensorType, shape: readonly number[], quantization?: Quantization): Tensor {
    const tensor = newTensor(name, type, [...shape]);
    tensor.subgraph = this.subgraph.index;
    tensor.index = this.subgraph.tensors.length;
    if (quantization) quantize(tensor, quantization);
    this.subgraph.tensors.push(tensor);
    return tensor;
  }

  /** An input of the subgraph. */
  input(name: string, type: TensorType, shape: readonly number[], quantization?: Quantization): Tensor {
    const tensor = this.tensor(name, type, shape, quantization);
    this.subgraph.inputs.push(tensor);
    this.known.add(tensor);
    return tensor;
  }

  /** A constant; `data` holds its values as stored (quantized), one for each element. */
  constant(
    name: string,
    type: TensorType,
    shape: readonly number[],
    data: ConstantData,
    quantization?: Quantization,
  ): Tensor {
    const tensor = this.tensor(name, type, shape, quantization);
    tensor.constant = true;
    tensor.data = constantArray(tensor, data);
    this.known.add(tensor);
    return tensor;
  }

  /** State that one operator keeps for itself (is_variable), as SVDF and the LSTMs do. */
  state(name: string, type: TensorType, shape: readonly number[], quantization?: Quantization): Tensor {
    const tensor = this.tensor(name, type, shape, quantization);
    tensor.isVariable = true;
    this.known.add(tensor);
    return tensor;
  }

  /** Makes tensors the outputs of the subgraph, after those that it already has. */
  output(...tensors: Tensor[]): this {
    for (const tensor of tensors) {
      if (this.subgraph.tensors[tensor.index] !== tensor) {
        throw new Error(`output ${describe(tensor)} belongs to another subgraph`);
      }
      if (!this.known.has(tensor)) throw new Error(`output ${describe(tensor)} has no value yet`);
    }
    this.subgraph.outputs.push(...tensors);
    return this;
  }

  /**
   * Adds an operator. `inputs` may have null for operands that are left out. Options that are not given have the
   * schema's defaults, except that INT16 ADD and SUB get pot_scale_int16 = false: their scales need not be powers of two.
   * @throws Error for an unknown operator, an input without a value, or an output that already has one
   */
  op(
    op: string,
    inputs: (Tensor | null)[],
    outputs: Tensor[],
    options?: Options,
    settings: OpSettings = {},
  ): Node {
    const custom = settings.custom ?? false;
    const where = `subgraph ${this.subgraph.index}, operator ${this.subgraph.nodes.length} ${op}`;
    if (!custom && !BUILTIN_OPERATORS.includes(op))
      throw new Error(`${where}: no builtin operator has this name`);
    for (const tensor of inputs) {
      if (tensor && !this.known.has(tensor))
        throw new Error(`${where}: input ${describe(tensor)} has no value yet`);
    }
    for (const tensor of outputs) {
      if (this.known.has(tensor)) throw new Error(`${where}: output ${describe(tensor)} already has a value`);
      if (this.subgraph.tensors[tensor.index] !== tensor) {
        throw new Error(`${where}: output ${describe(tensor)} belongs to another subgraph`);
      }
      this.known.add(tensor);
    }
    const table = custom ? undefined : OPTIONS_OF[op];
    if (options && table === undefined) throw new Error(`${where}: this operator has no builtin options`);
    const int16 = (op === 'ADD' || op === 'SUB') && inputs[0]?.type === 'INT16';
    const node: Node = {
      op,
      custom,
      version: 1,
      index: this.subgraph.nodes.length,
      subgraph: this.subgraph.index,
      inputs: [...inputs],
      outputs: [...outputs],
      intermediates: [...(settings.intermediates ?? [])],
      optionsTag: table === undefined ? 0 : parseTable(table).tag,
      options: table === undefined ? null : { ...(int16 ? { pot_scale_int16: false } : {}), ...options },
      optionsTable: 0,
      customOptions: settings.customOptions ?? null,
    };
    node.version = settings.version ?? operatorVersion(node);
    this.subgraph.nodes.push(node);
    return node;
  }

  /** The handle of a resource variable. Variables of the same name and container are one, in all subgraphs. */
  variable(name: string, container = ''): Tensor {
    const handle = this.tensor(`${name}/handle`, 'RESOURCE', []);
    this.op('VAR_HANDLE', [], [handle], { container, shared_name: name });
    return handle;
  }

  /** Reads a variable into a new tensor. */
  read(
    handle: Tensor,
    type: TensorType,
    shape: readonly number[],
    quantization?: Quantization,
    name = handle.name.replace(/handle$/, 'value'),
  ): Tensor {
    const value = this.tensor(name, type, shape, quantization);
    this.op('READ_VARIABLE', [handle], [value]);
    return value;
  }

  /** Assigns a value to a variable. */
  assign(handle: Tensor, value: Tensor): Node {
    return this.op('ASSIGN_VARIABLE', [handle, value], []);
  }

  /** Runs another subgraph in the first step only: there variables get their initial values. */
  callOnce(initialization: SubgraphBuilder): Node {
    return this.op('CALL_ONCE', [], [], { init_subgraph_index: initialization.index });
  }
}

/** Sets a tensor's quantization. Scales are stored in single precision, so they are rounded here already. */
function quantize(tensor: Tensor, quantization: Quantization): void {
  const scales = quantization.scales ?? (quantization.scale === undefined ? [] : [quantization.scale]);
  if (!scales.length) return;
  const zeroPoints = quantization.zeroPoints ?? scales.map(() => quantization.zeroPoint ?? 0);
  const dimension = quantization.quantizedDimension ?? 0;
  if (scales.length > 1 && tensor.shape[dimension] !== scales.length) {
    throw new Error(`${describe(tensor)}: ${scales.length} scales along dimension ${dimension}`);
  }
  if (zeroPoints.length !== scales.length) {
    throw new Error(`${describe(tensor)}: ${scales.length} scales but ${zeroPoints.length} zero points`);
  }
  tensor.scales = scales.map(Math.fround);
  tensor.zeroPoints = [...zeroPoints];
  tensor.scale = tensor.scales[0];
  tensor.zeroPoint = tensor.zeroPoints[0];
  tensor.quantizedDimension = dimension;
}
