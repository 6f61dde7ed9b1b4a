/**
 * Writes a Graph as a .tflite file. Format: tensorflow/lite/schema/schema.fbs, version 3; what it says of tables,
 * slots and options is in lib/schema.ts, from which the reader works as well.
 *
 * The same graph always gives the same bytes.
 */
import { Builder } from 'flatbuffers';
import type { Graph, Node, Subgraph, Tensor } from '../lib/graph';
import {
  BUFFER,
  BUILTIN_OPERATORS,
  FILE_IDENTIFIER,
  METADATA,
  MODEL,
  OPERATOR,
  OPERATOR_CODE,
  QUANTIZATION,
  SCHEMA_VERSION,
  SUBGRAPH,
  TENSOR,
  TENSOR_TYPES,
} from '../lib/schema';
import { describe } from '../lib/tensor';
import { optionsOf, parseTable, place, tableOf } from './options';
import { writeOptions } from './options_writer';
import { alignedBytes, int32s, int64s, float32s, offsets } from './vectors';
import type { Offset } from './vectors';

/** The number that stands for all operators beyond the reach of the old byte-sized code. */
const PLACEHOLDER = 127;

export interface WriteOptions {
  /** Replaces the graph's own description. */
  description?: string;
}

/**
 * Writes a graph. Constants of equal bytes share one buffer; operator codes are listed once for each operator and
 * version. Options that a graph has not decoded yet are read from its own `bytes`.
 * @throws Error when the graph refers to a tensor that its subgraph does not list, when a constant has no data or
 *   data of another size, when a type or an operator is unknown, or when options do not fit the operator
 */
export function writeModel(graph: Graph, options: WriteOptions = {}): Uint8Array {
  const buffers = new BufferList();
  const codes = new CodeList();
  const builder = new Builder(1024);

  // The first to be written comes last in the file. Constants go first: their places are the farthest from the root.
  const constants = new Map<Tensor, number>();
  for (const subgraph of graph.subgraphs) {
    for (const tensor of subgraph.tensors) {
      if (tensor.constant) constants.set(tensor, buffers.shared(constantBytes(subgraph, tensor)));
    }
  }
  const metadataBuffers = graph.metadata.map((entry) => buffers.add(entry.data));
  const bufferVector = buffers.write(builder);

  const metadata = graph.metadata.map((entry, i) => {
    const name = builder.createString(entry.name);
    builder.startObject(2);
    builder.addFieldOffset(METADATA.name, name, 0);
    builder.addFieldInt32(METADATA.buffer, metadataBuffers[i], 0);
    return builder.endObject();
  });
  const metadataVector = metadata.length ? offsets(builder, metadata) : 0;

  const subgraphs = graph.subgraphs.map((subgraph) =>
    writeSubgraph(builder, graph, subgraph, constants, codes),
  );
  const subgraphVector = offsets(builder, subgraphs);
  const codeVector = codes.write(builder);
  const description = builder.createString(options.description ?? graph.description);

  builder.startObject(8);
  builder.addFieldInt32(MODEL.version, SCHEMA_VERSION, 0);
  builder.addFieldOffset(MODEL.operatorCodes, codeVector, 0);
  builder.addFieldOffset(MODEL.subgraphs, subgraphVector, 0);
  builder.addFieldOffset(MODEL.description, description, 0);
  builder.addFieldOffset(MODEL.buffers, bufferVector, 0);
  builder.addFieldOffset(MODEL.metadata, metadataVector, 0);
  builder.finish(builder.endObject(), FILE_IDENTIFIER);
  return builder.asUint8Array().slice();
}

/** The buffers of the file: number 0 is empty by convention, and equal bytes are stored once. */
class BufferList {
  private readonly list: Uint8Array[] = [new Uint8Array(0)];
  private readonly byHash = new Map<number, number[]>();

  /** Index of a buffer with these bytes that other tensors may use too. */
  shared(bytes: Uint8Array): number {
    if (!bytes.length) return 0;
    const hash = fnv1a(bytes);
    const candidates = this.byHash.get(hash) ?? [];
    const found = candidates.find((index) => equalBytes(this.list[index], bytes));
    if (found !== undefined) return found;
    const index = this.add(bytes);
    this.byHash.set(hash, [...candidates, index]);
    return index;
  }

  /** Index of a buffer of its own, which tools may rewrite in place. */
  add(bytes: Uint8Array): number {
    this.list.push(bytes);
    return this.list.length - 1;
  }

  write(builder: Builder): Offset {
    const written: Offset[] = [];
    // backwards, so that the constants lie in the file in the order of their indices
    for (let i = this.list.length - 1; i >= 0; i--) {
      const data = this.list[i].length ? alignedBytes(builder, this.list[i]) : 0;
      builder.startObject(1);
      builder.addFieldOffset(BUFFER.data, data, 0);
      written[i] = builder.endObject();
    }
    return offsets(builder, written);
  }
}

/** The operator codes of the file, each combination of operator, custom code and version once. */
class CodeList {
  private readonly list: { code: number; custom: string; version: number }[] = [];
  private readonly indices = new Map<string, number>();

  indexOf(node: Node): number {
    const code = BUILTIN_OPERATORS.indexOf(node.custom ? 'CUSTOM' : node.op);
    if (code < 0) {
      throw new Error(`${place(node)}: no builtin operator has this name; a custom one needs custom: true`);
    }
    const key = `${code} ${node.version} ${node.custom ? node.op : ''}`;
    let index = this.indices.get(key);
    if (index === undefined) {
      index = this.list.length;
      this.indices.set(key, index);
      this.list.push({ code, custom: node.custom ? node.op : '', version: node.version });
    }
    return index;
  }

  write(builder: Builder): Offset {
    return offsets(
      builder,
      this.list.map((entry) => {
        const custom = entry.custom ? builder.createString(entry.custom) : 0;
        builder.startObject(4);
        builder.addFieldOffset(OPERATOR_CODE.customCode, custom, 0);
        builder.addFieldInt32(OPERATOR_CODE.version, entry.version, 1);
        builder.addFieldInt32(OPERATOR_CODE.builtinCode, entry.code, 0);
        builder.addFieldInt8(OPERATOR_CODE.deprecatedBuiltinCode, Math.min(entry.code, PLACEHOLDER), 0);
        return builder.endObject();
      }),
    );
  }
}

function writeSubgraph(
  builder: Builder,
  graph: Graph,
  subgraph: Subgraph,
  constants: Map<Tensor, number>,
  codes: CodeList,
): Offset {
  const indices = new Map(subgraph.tensors.map((tensor, i) => [tensor, i]));
  const indexOf = (tensor: Tensor | null, what: string): number => {
    if (!tensor) return -1;
    const index = indices.get(tensor);
    if (index === undefined) {
      throw new Error(
        `${what} ${describe(tensor)} is not in the list of tensors of subgraph ${subgraph.index}`,
      );
    }
    return index;
  };
  const tensors = subgraph.tensors.map((tensor) =>
    writeTensor(builder, subgraph, tensor, constants.get(tensor) ?? 0),
  );
  const tensorVector = offsets(builder, tensors);
  const operators = subgraph.nodes.map((node) =>
    writeNode(builder, graph, node, codes.indexOf(node), indexOf),
  );
  const operatorVector = offsets(builder, operators);
  const own = (list: Tensor[], what: string): Offset => {
    const where = `subgraph ${subgraph.index}: ${what}`;
    return int32s(
      builder,
      list.map((tensor) => indexOf(tensor, where)),
    );
  };
  const inputs = own(subgraph.inputs, 'its input');
  const outputs = own(subgraph.outputs, 'its output');
  const name = subgraph.name ? builder.createString(subgraph.name) : 0;
  builder.startObject(5);
  builder.addFieldOffset(SUBGRAPH.tensors, tensorVector, 0);
  builder.addFieldOffset(SUBGRAPH.inputs, inputs, 0);
  builder.addFieldOffset(SUBGRAPH.outputs, outputs, 0);
  builder.addFieldOffset(SUBGRAPH.operators, operatorVector, 0);
  builder.addFieldOffset(SUBGRAPH.name, name, 0);
  return builder.endObject();
}

function writeTensor(builder: Builder, subgraph: Subgraph, tensor: Tensor, buffer: number): Offset {
  const type = TENSOR_TYPES.indexOf(tensor.type);
  if (type < 0) throw new Error(`subgraph ${subgraph.index}, tensor ${describe(tensor)}: unknown type`);
  const quantization = tensor.scales?.length ? writeQuantization(builder, tensor, tensor.scales) : 0;
  const name = tensor.name ? builder.createString(tensor.name) : 0;
  const shape = int32s(builder, tensor.shape);
  builder.startObject(9);
  builder.addFieldOffset(TENSOR.shape, shape, 0);
  builder.addFieldInt32(TENSOR.buffer, buffer, 0);
  builder.addFieldOffset(TENSOR.name, name, 0);
  builder.addFieldOffset(TENSOR.quantization, quantization, 0);
  builder.addFieldInt8(TENSOR.type, type, 0);
  builder.addFieldInt8(TENSOR.isVariable, Number(tensor.isVariable), 0);
  // an empty shape without it means an unknown rank, not a scalar
  builder.addFieldInt8(TENSOR.hasRank, Number(!tensor.shape.length), 0);
  return builder.endObject();
}

function writeQuantization(builder: Builder, tensor: Tensor, scales: number[]): Offset {
  const zeroPoints = int64s(builder, tensor.zeroPoints ?? scales.map(() => 0));
  const scale = float32s(builder, scales);
  builder.startObject(7);
  builder.addFieldOffset(QUANTIZATION.scale, scale, 0);
  builder.addFieldOffset(QUANTIZATION.zeroPoint, zeroPoints, 0);
  builder.addFieldInt32(QUANTIZATION.quantizedDimension, tensor.quantizedDimension, 0);
  return builder.endObject();
}

function writeNode(
  builder: Builder,
  graph: Graph,
  node: Node,
  code: number,
  indexOf: (tensor: Tensor | null, what: string) => number,
): Offset {
  const list = (tensors: (Tensor | null)[], what: string): Offset => {
    const where = `${place(node)}: its ${what}`;
    return int32s(
      builder,
      tensors.map((tensor) => indexOf(tensor, where)),
    );
  };
  if (node.op === 'DILATE' || node.op.startsWith('STABLEHLO_')) {
    throw new Error(`${place(node)}: the options of this operator (BuiltinOptions2) cannot be written`);
  }
  const options = optionsOf(graph, node);
  const tableText = options ? tableOf(node) : undefined;
  const table = tableText === undefined ? null : parseTable(tableText);
  if (options && !table && Object.keys(options).length) {
    throw new Error(`${place(node)}: this operator has no builtin options`);
  }
  const optionsOffset = options && table ? writeOptions(builder, node, table, options) : 0;
  const custom = node.customOptions ? builder.createByteVector(node.customOptions) : 0;
  const inputs = list(node.inputs, 'input');
  const outputs = list(node.outputs, 'output');
  const intermediates = node.intermediates.length ? list(node.intermediates, 'intermediate tensor') : 0;
  const mutating = node.inputs.map((tensor) => Number(tensor?.isVariable ?? false));
  const mutatingVector = mutating.includes(1) ? builder.createByteVector(Uint8Array.from(mutating)) : 0;
  builder.startObject(13);
  builder.addFieldInt32(OPERATOR.opcodeIndex, code, 0);
  builder.addFieldOffset(OPERATOR.inputs, inputs, 0);
  builder.addFieldOffset(OPERATOR.outputs, outputs, 0);
  builder.addFieldOffset(OPERATOR.options, optionsOffset, 0);
  builder.addFieldOffset(OPERATOR.customOptions, custom, 0);
  builder.addFieldOffset(OPERATOR.mutatingVariableInputs, mutatingVector, 0);
  builder.addFieldOffset(OPERATOR.intermediates, intermediates, 0);
  builder.addFieldInt8(OPERATOR.optionsType, optionsOffset && table ? table.tag : 0, 0);
  return builder.endObject();
}

/** Bytes of a constant as the file stores them: packed, little-endian. */
function constantBytes(subgraph: Subgraph, tensor: Tensor): Uint8Array {
  const data = tensor.data;
  const where = `subgraph ${subgraph.index}, constant ${describe(tensor)}`;
  if (!data) throw new Error(`${where} has no data`);
  if (data.byteLength !== tensor.bytes) {
    throw new Error(`${where} needs ${tensor.bytes} bytes, but its data has ${data.byteLength}`);
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** 32-bit FNV-1a, to find equal constants quickly. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
