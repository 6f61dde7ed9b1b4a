/**
 * Which options table each builtin operator carries, and options of a graph as plain objects.
 */
import { Graph, Node, Options } from '../lib/graph';
import { readGraph } from '../lib/index';
import { readOptions } from '../lib/reader';
import * as schema from '../lib/schema';

/** A field of an options table: its slot is its place in the table. */
export interface OptionsField {
  /** As in the schema, or '-' for a slot that nothing reads or writes any more. */
  name: string;
  /** See lib/schema.ts. */
  kind: string;
  /** Default of a number or (as 0 or 1) of a bool. */
  otherwise: number;
}

/** An options table, taken apart. */
export interface OptionsTable {
  /** Number in the union BuiltinOptions. */
  tag: number;
  fields: OptionsField[];
}

/** Operators whose table is not called like them; all others have `NAME_OPTIONS` in lib/schema.ts, or none. */
const SHARED: Record<string, string> = {
  AVERAGE_POOL_2D: schema.POOL_2D_OPTIONS,
  MAX_POOL_2D: schema.POOL_2D_OPTIONS,
  L2_POOL_2D: schema.POOL_2D_OPTIONS,
  L2_NORMALIZATION: schema.L2_NORM_OPTIONS,
  UNIDIRECTIONAL_SEQUENCE_RNN: schema.SEQUENCE_RNN_OPTIONS,
  MEAN: schema.REDUCER_OPTIONS,
  SUM: schema.REDUCER_OPTIONS,
  REDUCE_PROD: schema.REDUCER_OPTIONS,
  REDUCE_MAX: schema.REDUCER_OPTIONS,
  REDUCE_MIN: schema.REDUCER_OPTIONS,
  REDUCE_ANY: schema.REDUCER_OPTIONS,
  REDUCE_ALL: schema.REDUCER_OPTIONS,
  MAXIMUM: schema.MAXIMUM_MINIMUM_OPTIONS,
  MINIMUM: schema.MAXIMUM_MINIMUM_OPTIONS,
  CONV_3D_TRANSPOSE: schema.CONV_3D_OPTIONS,
  RANDOM_STANDARD_NORMAL: schema.RANDOM_OPTIONS,
  RANDOM_UNIFORM: schema.RANDOM_OPTIONS,
  MULTINOMIAL: schema.RANDOM_OPTIONS,
};

/** The options table (as in lib/schema.ts) of every builtin operator that has one. */
export const OPTIONS_OF: Readonly<Record<string, string>> = collect();

function collect(): Record<string, string> {
  const named = schema as unknown as Record<string, string | undefined>;
  const tables: Record<string, string> = {};
  for (const op of schema.BUILTIN_OPERATORS) {
    const table = SHARED[op] ?? named[`${op}_OPTIONS`];
    if (table !== undefined) tables[op] = table;
  }
  return tables;
}

const BY_TAG = new Map(Object.values(OPTIONS_OF).map((table) => [parseTable(table).tag, table]));

/** Takes a table of lib/schema.ts apart. */
export function parseTable(table: string): OptionsTable {
  const [tag, fields] = table.split('|');
  return {
    tag: Number(tag),
    fields: fields
      .split(',')
      .filter((field) => field !== '')
      .map((field) => {
        const [name, rest] = field.split(':');
        const [kind, otherwise] = rest.split('=');
        return { name, kind, otherwise: Number(otherwise ?? 0) };
      }),
  };
}

/**
 * The table that a node's options follow: the one that the file names, else the operator's own; undefined when the
 * operator has none.
 */
export function tableOf(node: Node): string | undefined {
  if (node.optionsTag) {
    const table = BY_TAG.get(node.optionsTag);
    if (!table) throw new Error(`${place(node)}: unknown options table ${node.optionsTag}`);
    return table;
  }
  return node.custom ? undefined : OPTIONS_OF[node.op];
}

/**
 * Options of a node as an object with all fields, read from the graph's file when they have not been read before.
 * null for a node that has none.
 */
export function optionsOf(graph: Graph, node: Node): Options | null {
  if (node.options) return node.options;
  const table = node.optionsTag ? tableOf(node) : undefined;
  if (table === undefined) return null;
  // the reader on the chip does without float vectors, which only BUCKETIZE has: read their bits instead
  const options = readOptions(graph.bytes, node, table.replaceAll(':F', ':I'));
  for (const { name, kind } of parseTable(table).fields) {
    if (name === '-') delete options[name];
    if (kind === 'F')
      options[name] = [...new Float32Array(Int32Array.from(options[name] as number[]).buffer)];
  }
  return options;
}

/**
 * Fills in `options` of every node, so that the graph no longer depends on the file's bytes for them: nodes can then
 * be changed, or moved to another graph. Returns the same graph.
 */
export function decodeOptions(graph: Graph): Graph {
  for (const subgraph of graph.subgraphs) {
    for (const node of subgraph.nodes) {
      node.options = optionsOf(graph, node);
      node.optionsTable = 0;
    }
  }
  return graph;
}

/** Reads a model for changing it: the graph of `readGraph` with all options decoded. */
export function readModel(bytes: Uint8Array): Graph {
  return decodeOptions(readGraph(bytes));
}

/** How errors name a node. */
export function place(node: Node): string {
  return `subgraph ${node.subgraph}, operator ${node.index} ${node.op}`;
}
