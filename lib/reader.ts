/**
 * Bytes of a .tflite file to a Graph. Everything that a hostile or broken file can do wrong with offsets, indices and
 * sizes ends here, in an Error that names the place.
 */
import {
  bytesAt,
  decodeUtf8,
  field,
  fieldByte,
  fieldInt32,
  fieldInts,
  fieldString,
  fieldTable,
  fieldVector,
  follow,
  openTable,
  readFloat32,
  readInt32,
  readInt64,
  vectorLength,
  vectorTable,
} from './flatbuffer';
import { Graph, Node, Options, Subgraph, Tensor } from './graph';
import {
  BUFFER,
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
} from './schema';
import { alignmentOf, describe, elementBytes, newTensor, storageBytes, viewOf } from './tensor';

/** Number of the operator code that stands for operators with a name of their own. */
const CUSTOM = 32;

/** Builtin operators have numbers below this one. */
const OPERATOR_LIMIT = 210;

/** Most dimensions a tensor may have: no operator of TFLite takes more. */
const MAX_RANK = 8;

/** A tensor may not take more bytes than this (2²⁸): a broken shape must not ask for all memory. */
export const MAX_BYTES = 268435456;

interface OperatorCode {
  name: string;
  custom: boolean;
  version: number;
}

/** Place and length of a buffer's data within the file. */
interface Extent {
  offset: number;
  length: number;
}

/**
 * Reads a model. Constants are views on `bytes`, not copies, unless they are misaligned for their type.
 * @param operatorNames names of builtin operators by number; those that are not listed are called by their number
 * @throws Error when the file is not a whole, consistent .tflite file of schema version 3
 */
export function readGraph(bytes: Uint8Array, operatorNames: string[]): Graph {
  if (bytes.length < 8) throw new Error('not a .tflite model: ' + bytes.length + ' bytes are too few');
  const identifier = decodeUtf8(bytes, 4, 4);
  if (identifier !== FILE_IDENTIFIER) {
    throw new Error(
      'not a .tflite model: expected the identifier ' + FILE_IDENTIFIER + ' but got "' + identifier + '"',
    );
  }
  const model = openTable(bytes, follow(bytes, 0, 'the model'), 'the model');
  const version = fieldInt32(bytes, model, MODEL.version, 0, 'the model');
  if (version !== SCHEMA_VERSION) {
    throw new Error('schema version ' + version + ': expected ' + SCHEMA_VERSION);
  }
  const codes = readOperatorCodes(bytes, model, operatorNames);
  const buffers = readBuffers(bytes, model);
  const graph: Graph = {
    version: version,
    description: fieldString(bytes, model, MODEL.description, 'the description'),
    subgraphs: [],
    bytes: bytes,
    metadata: readMetadata(bytes, model, buffers),
  };
  const list = fieldVector(bytes, model, MODEL.subgraphs, 4, 'the list of subgraphs');
  if (!vectorLength(bytes, list)) throw new Error('the model has no subgraph');
  for (let i = 0; i < vectorLength(bytes, list); i++) {
    graph.subgraphs.push(
      readSubgraph(bytes, vectorTable(bytes, list, i, 'subgraph ' + i), i, codes, buffers),
    );
  }
  return graph;
}

function readOperatorCodes(bytes: Uint8Array, model: number, names: string[]): OperatorCode[] {
  const codes: OperatorCode[] = [];
  const list = fieldVector(bytes, model, MODEL.operatorCodes, 4, 'the list of operator codes');
  for (let i = 0; i < vectorLength(bytes, list); i++) {
    const what = 'operator code ' + i;
    const table = vectorTable(bytes, list, i, what);
    const code = Math.max(
      (fieldByte(bytes, table, OPERATOR_CODE.deprecatedBuiltinCode, 0, what) << 24) >> 24,
      fieldInt32(bytes, table, OPERATOR_CODE.builtinCode, 0, what),
    );
    const custom = code === CUSTOM;
    let name = names[code] || (code >= 0 && code < OPERATOR_LIMIT ? 'builtin operator ' + code : '');
    if (custom) name = fieldString(bytes, table, OPERATOR_CODE.customCode, what);
    if (!name)
      throw new Error(what + (custom ? ': a custom operator without a name' : ': unknown operator ' + code));
    codes.push({
      name: name,
      custom: custom,
      version: fieldInt32(bytes, table, OPERATOR_CODE.version, 1, what),
    });
  }
  return codes;
}

function readBuffers(bytes: Uint8Array, model: number): Extent[] {
  const buffers: Extent[] = [];
  const list = fieldVector(bytes, model, MODEL.buffers, 4, 'the list of buffers');
  for (let i = 0; i < vectorLength(bytes, list); i++) {
    const what = 'buffer ' + i;
    const table = vectorTable(bytes, list, i, what);
    const data = fieldVector(bytes, table, BUFFER.data, 1, what);
    const offsetField = field(bytes, table, BUFFER.offset, 8, what);
    const offset = offsetField ? readInt64(bytes, offsetField) : 0;
    if (!data && offset > 1) {
      const sizeField = field(bytes, table, BUFFER.size, 8, what);
      const length = sizeField ? readInt64(bytes, sizeField) : 0;
      if (length < 0 || offset + length > bytes.length) throw new Error(what + ' lies outside of the file');
      buffers.push({ offset: offset, length: length });
    } else buffers.push({ offset: data + 4, length: vectorLength(bytes, data) });
  }
  return buffers;
}

function readMetadata(
  bytes: Uint8Array,
  model: number,
  buffers: Extent[],
): { name: string; data: Uint8Array }[] {
  const metadata: { name: string; data: Uint8Array }[] = [];
  const list = fieldVector(bytes, model, MODEL.metadata, 4, 'the metadata');
  for (let i = 0; i < vectorLength(bytes, list); i++) {
    const what = 'metadata ' + i;
    const table = vectorTable(bytes, list, i, what);
    const buffer = buffers[fieldInt32(bytes, table, METADATA.buffer, 0, what)];
    if (!buffer) throw new Error(what + ' refers to a buffer that does not exist');
    metadata.push({
      name: fieldString(bytes, table, METADATA.name, what),
      data: bytesAt(bytes, buffer.offset, buffer.length),
    });
  }
  return metadata;
}

function readSubgraph(
  bytes: Uint8Array,
  table: number,
  index: number,
  codes: OperatorCode[],
  buffers: Extent[],
): Subgraph {
  const what = 'subgraph ' + index;
  const tensors: Tensor[] = [];
  const list = fieldVector(bytes, table, SUBGRAPH.tensors, 4, what + ', its tensors');
  for (let i = 0; i < vectorLength(bytes, list); i++) {
    const place = what + ', tensor ' + i;
    tensors.push(readTensor(bytes, vectorTable(bytes, list, i, place), buffers, index, i, place));
  }
  const subgraph: Subgraph = {
    name: fieldString(bytes, table, SUBGRAPH.name, what),
    index: index,
    tensors: tensors,
    inputs: pick(
      tensors,
      fieldInts(bytes, table, SUBGRAPH.inputs, what + ', its inputs'),
      what + ', its inputs',
    ) as Tensor[],
    outputs: pick(
      tensors,
      fieldInts(bytes, table, SUBGRAPH.outputs, what + ', its outputs'),
      what + ', its outputs',
    ) as Tensor[],
    nodes: [],
  };
  const operators = fieldVector(bytes, table, SUBGRAPH.operators, 4, what + ', its operators');
  for (let i = 0; i < vectorLength(bytes, operators); i++) {
    const place = what + ', operator ' + i;
    subgraph.nodes.push(readNode(bytes, vectorTable(bytes, operators, i, place), codes, subgraph, i, place));
  }
  checkOrder(subgraph);
  return subgraph;
}

/** Tensors by index; −1 gives null where `optional`. */
function pick(tensors: Tensor[], indices: number[], what: string, optional?: boolean): (Tensor | null)[] {
  const picked: (Tensor | null)[] = [];
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (index === -1 && optional) picked.push(null);
    else if (!(index >= 0 && index < tensors.length)) {
      throw new Error(what + ': tensor ' + index + ' does not exist, there are ' + tensors.length);
    } else picked.push(tensors[index]);
  }
  return picked;
}

function readTensor(
  bytes: Uint8Array,
  table: number,
  buffers: Extent[],
  subgraph: number,
  index: number,
  place: string,
): Tensor {
  const name = fieldString(bytes, table, TENSOR.name, place);
  const what = place + ' "' + name + '"';
  const typeNumber = fieldByte(bytes, table, TENSOR.type, 0, what);
  const type = TENSOR_TYPES[typeNumber];
  if (!type) throw new Error(what + ': unknown type ' + typeNumber);
  const shape = fieldInts(bytes, table, TENSOR.shape, what + ', its shape');
  if (shape.length > MAX_RANK)
    throw new Error(what + ': ' + shape.length + ' dimensions, at most ' + MAX_RANK + ' are possible');
  let length = 1;
  for (let i = 0; i < shape.length; i++) {
    if (shape[i] < 0)
      throw new Error(
        what + ': shape [' + shape.join() + '] is not static; convert the model with fixed shapes',
      );
    length *= shape[i];
  }
  if (storageBytes(type, length) > MAX_BYTES || length > MAX_BYTES) {
    throw new Error(what + ': shape [' + shape.join() + '] takes more than ' + MAX_BYTES + ' bytes');
  }
  if (fieldTable(bytes, table, TENSOR.sparsity, what))
    throw new Error(what + ': sparse tensors are not supported; densify the model first');
  const tensor = newTensor(name, type, shape);
  tensor.subgraph = subgraph;
  tensor.index = index;
  tensor.isVariable = fieldByte(bytes, table, TENSOR.isVariable, 0, what) !== 0;
  readQuantization(bytes, table, tensor, what);
  const bufferIndex = fieldInt32(bytes, table, TENSOR.buffer, 0, what);
  const buffer = buffers[bufferIndex];
  if (!buffer && bufferIndex) {
    throw new Error(what + ': buffer ' + bufferIndex + ' does not exist, there are ' + buffers.length);
  }
  if (buffer && buffer.length && !tensor.isVariable) {
    if (buffer.length < tensor.bytes) {
      throw new Error(
        what +
          ': its buffer has ' +
          buffer.length +
          ' bytes, but ' +
          describe(tensor) +
          ' needs ' +
          tensor.bytes,
      );
    }
    tensor.constant = true;
    if (elementBytes(type)) {
      const raw = bytesAt(bytes, buffer.offset, tensor.bytes);
      const at = raw.byteOffset;
      tensor.data =
        at % alignmentOf(type)
          ? viewOf(type, copyOf(raw), 0, length)
          : viewOf(type, raw.buffer as ArrayBuffer, at, length);
    }
  }
  return tensor;
}

/** A constant that is misaligned for its type in the file has to be copied. */
function copyOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy.buffer as ArrayBuffer;
}

function readQuantization(bytes: Uint8Array, table: number, tensor: Tensor, what: string): void {
  const quantization = fieldTable(bytes, table, TENSOR.quantization, what + ', its quantization');
  if (!quantization) return;
  const scale = fieldVector(bytes, quantization, QUANTIZATION.scale, 4, what + ', its scales');
  const count = vectorLength(bytes, scale);
  if (!count) return;
  const zeroPoint = fieldVector(bytes, quantization, QUANTIZATION.zeroPoint, 8, what + ', its zero points');
  const zeroPoints = vectorLength(bytes, zeroPoint);
  if (zeroPoints && zeroPoints !== 1 && zeroPoints !== count) {
    throw new Error(what + ': ' + count + ' scales but ' + zeroPoints + ' zero points');
  }
  let dimension = fieldInt32(bytes, quantization, QUANTIZATION.quantizedDimension, 0, what);
  // some converters give a bias the dimension of its filter
  if (tensor.shape.length === 1) dimension = 0;
  if (count > 1 && !(dimension >= 0 && tensor.shape[dimension] === count)) {
    throw new Error(
      what +
        ': ' +
        count +
        ' scales along dimension ' +
        dimension +
        ' of shape [' +
        tensor.shape.join() +
        ']',
    );
  }
  tensor.scales = [];
  tensor.zeroPoints = [];
  for (let i = 0; i < count; i++) {
    tensor.scales.push(readFloat32(bytes, scale + 4 + 4 * i));
    tensor.zeroPoints.push(zeroPoints ? readInt64(bytes, zeroPoint + 4 + 8 * (i % zeroPoints)) : 0);
  }
  tensor.scale = tensor.scales[0];
  tensor.zeroPoint = tensor.zeroPoints[0];
  tensor.quantizedDimension = dimension;
}

function readNode(
  bytes: Uint8Array,
  table: number,
  codes: OperatorCode[],
  subgraph: Subgraph,
  index: number,
  place: string,
): Node {
  const opcodeIndex = fieldInt32(bytes, table, OPERATOR.opcodeIndex, 0, place);
  const code = codes[opcodeIndex];
  if (!code)
    throw new Error(place + ': operator code ' + opcodeIndex + ' does not exist, there are ' + codes.length);
  const what = place + ' ' + code.name;
  const tensors = subgraph.tensors;
  const custom = fieldVector(bytes, table, OPERATOR.customOptions, 1, what + ', its options');
  return {
    op: code.name,
    custom: code.custom,
    version: code.version,
    index: index,
    subgraph: subgraph.index,
    inputs: pick(tensors, fieldInts(bytes, table, OPERATOR.inputs, what), what + ', its inputs', true),
    outputs: pick(
      tensors,
      fieldInts(bytes, table, OPERATOR.outputs, what),
      what + ', its outputs',
    ) as Tensor[],
    intermediates: pick(
      tensors,
      fieldInts(bytes, table, OPERATOR.intermediates, what),
      what + ', its intermediates',
      true,
    ),
    optionsTag: fieldByte(bytes, table, OPERATOR.optionsType, 0, what),
    optionsTable: fieldTable(bytes, table, OPERATOR.options, what + ', its options'),
    options: null,
    customOptions: custom ? bytesAt(bytes, custom + 4, vectorLength(bytes, custom)) : null,
  };
}

/** Every operand must be there when its operator runs, and every value must come from one place. */
function checkOrder(subgraph: Subgraph): void {
  // 1: has a value; 2: is an input, a constant or a variable that no operator may write
  const known: number[] = [];
  for (let i = 0; i < subgraph.nodes.length; i++) {
    // a value that an operator computes is not state, whatever its flag says
    for (let k = 0; k < subgraph.nodes[i].outputs.length; k++)
      subgraph.nodes[i].outputs[k].isVariable = false;
  }
  for (let i = 0; i < subgraph.tensors.length; i++) {
    known.push(subgraph.tensors[i].constant || subgraph.tensors[i].isVariable ? 2 : 0);
  }
  for (let i = 0; i < subgraph.inputs.length; i++) known[subgraph.inputs[i].index] = 2;
  for (let i = 0; i < subgraph.nodes.length; i++) {
    const node = subgraph.nodes[i];
    const what = 'subgraph ' + subgraph.index + ', operator ' + i + ' ' + node.op + ': ';
    for (let k = 0; k < node.inputs.length; k++) {
      const tensor = node.inputs[k];
      if (tensor && !known[tensor.index] && tensor.bytes) {
        throw new Error(
          what + 'input ' + k + ' ' + describe(tensor) + ' is not computed by any operator before it',
        );
      }
    }
    for (let k = 0; k < node.outputs.length; k++) {
      const tensor = node.outputs[k];
      if (known[tensor.index]) {
        throw new Error(
          what +
            'output ' +
            k +
            ' ' +
            describe(tensor) +
            (known[tensor.index] === 2
              ? ' is an input, a constant or a variable'
              : ' is already computed by another operator'),
        );
      }
      known[tensor.index] = 1;
    }
  }
  for (let i = 0; i < subgraph.outputs.length; i++) {
    const tensor = subgraph.outputs[i];
    if (!known[tensor.index]) {
      throw new Error(
        'subgraph ' +
          subgraph.index +
          ', output ' +
          i +
          ' ' +
          describe(tensor) +
          ' is not computed by any operator',
      );
    }
  }
}

/**
 * The builtin options of a node by a table of schema.ts, with defaults for absent fields.
 * @throws Error when the node carries the options of another operator
 */
export function readOptions(bytes: Uint8Array, node: Node, schema: string): Options {
  const bar = schema.indexOf('|');
  const tag = +schema.substring(0, bar);
  const fields = schema.substring(bar + 1).split(',');
  const given = node.options;
  const table = given ? 0 : node.optionsTable;
  if (!given && node.optionsTag && node.optionsTag !== tag) {
    throw new Error(
      'it carries the options of another operator: expected tag ' + tag + ' but got ' + node.optionsTag,
    );
  }
  const options: Options = {};
  for (let slot = 0; slot < fields.length; slot++) {
    const description = fields[slot];
    const colon = description.indexOf(':');
    if (colon < 1 || description.charAt(0) === '-') continue;
    const name = description.substring(0, colon);
    const kind = description.charAt(colon + 1);
    const otherwise = +description.substring(colon + 3) || 0;
    if (given) options[name] = name in given ? given[name] : emptyOf(kind, otherwise);
    else options[name] = table ? readOption(bytes, table, slot, kind, otherwise) : emptyOf(kind, otherwise);
  }
  return options;
}

function emptyOf(kind: string, otherwise: number): number | boolean | string | number[] {
  return kind === 'I' || kind === 'L' ? [] : kind === 's' ? '' : kind === 'o' ? !!otherwise : otherwise;
}

function readOption(
  bytes: Uint8Array,
  table: number,
  slot: number,
  kind: string,
  otherwise: number,
): number | boolean | string | number[] {
  const what = 'the options';
  if (kind === 'I') return fieldInts(bytes, table, slot, what);
  if (kind === 's') return fieldString(bytes, table, slot, what);
  if (kind === 'L') {
    const vector = fieldVector(bytes, table, slot, 8, what);
    const values: number[] = [];
    for (let i = 0; i < vectorLength(bytes, vector); i++) values.push(readInt64(bytes, vector + 4 + 8 * i));
    return values;
  }
  const size = kind === 'b' || kind === 'o' ? 1 : kind === 'l' ? 8 : 4;
  const position = field(bytes, table, slot, size, what);
  if (!position) return kind === 'o' ? !!otherwise : otherwise;
  if (kind === 'o') return bytes[position] !== 0;
  if (kind === 'b') return (bytes[position] << 24) >> 24;
  if (kind === 'f') return readFloat32(bytes, position);
  if (kind === 'l') return readInt64(bytes, position);
  return kind === 'u' ? readInt32(bytes, position) >>> 0 : readInt32(bytes, position);
}
