/**
 * The types that everything shares: the graph as read from a file, and the contract between operators and the program.
 *
 * An operator is a function `prepare(node, preparation)`. It checks types and shapes, computes multipliers and tables
 * once, and emits steps: a flat kernel and its arguments. Tensors stand in the arguments as themselves; once the
 * planner has given every tensor its place, each is replaced by a typed-array view. Kernels see typed arrays and
 * numbers only, allocate nothing, and know nothing of tensors.
 */

/** A typed array of a kind that tensors use. INT64 and UINT64 tensors are Int32Array, low word first. */
export type TypedArray =
  Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array;

/** Name of a tensor's element type, as in the schema: "INT8", "FLOAT32", … */
export type TensorType = string;

/** What the stored values of a tensor mean. */
export interface TensorInfo {
  name: string;
  type: TensorType;
  /** Dimensions, outermost first; [] is a scalar. */
  shape: number[];
  /** First scale, 0 when the tensor is not quantized. Real value = scale · (stored − zeroPoint). */
  scale: number;
  zeroPoint: number;
  /** Number of elements. */
  length: number;
}

/** A tensor of a subgraph, a scratch buffer of an operator, or a piece of state. */
export interface Tensor extends TensorInfo {
  /** All scales (per channel along `quantizedDimension`), or null when the tensor is not quantized. */
  scales: number[] | null;
  zeroPoints: number[] | null;
  quantizedDimension: number;
  /** Bytes of storage. */
  bytes: number;
  /** Whether the value lies in the model file. */
  constant: boolean;
  /** Whether the tensor is state that an operator keeps between steps (is_variable). */
  isVariable: boolean;
  /** A view on the value: for constants from the start, for others once the memory is planned. */
  data: TypedArray | null;
  /** Index of the subgraph, −1 for scratch and state. */
  subgraph: number;
  /** Index within the subgraph. */
  index: number;
  /** For RESOURCE tensors: the variable that the handle stands for. */
  variable: Variable | null;
  /** From the operator that writes the value to the last one that reads it; null for constants and unused tensors. */
  lifetime: Lifetime | null;
  /** Filled by the planner: where the tensor lives. */
  place: Place | null;
}

/**
 * Points in time at which a value must be in memory, both included. Operators are numbered in the order in which
 * they run, those of called subgraphs within their caller; −1 is before the first step, Infinity after the last.
 */
export interface Lifetime {
  from: number;
  to: number;
}

/** Bytes of a storage that hold one value for its lifetime. */
export interface Value extends Lifetime {
  low: number;
  high: number;
}

/** A piece of memory that one or more tensors share. */
export interface Storage {
  /** In the arena, in the variables' block, or in the model's own bytes. */
  block: 'arena' | 'state' | 'constant';
  /** Offset of the storage in its block, set last. */
  offset: number;
  size: number;
  values: Value[];
  tensors: Tensor[];
  /** Whether the user writes it (graph input), or reads it after the last step (graph output). */
  input: boolean;
  output: boolean;
}

/** Where a tensor lives: `offset` bytes into a storage, as part of one of its values. */
export interface Place {
  storage: Storage;
  offset: number;
  value: Value;
}

/** A resource variable, or any other state that survives from step to step. */
export interface Variable {
  container: string;
  name: string;
  /** The state's tensor: type, shape, quantization, place in the variables' block, and live data. */
  tensor: Tensor;
  /** The declared initial value where it is a constant of the model; null means every element is the zero point. */
  initial: TypedArray | null;
  /** Whether a graph reads and writes it by VAR_HANDLE, or one operator keeps it for itself. */
  resource: boolean;
}

/** An operator in a subgraph. */
export interface Node {
  /** Operator name: "CONV_2D", or the custom code. */
  op: string;
  custom: boolean;
  version: number;
  index: number;
  subgraph: number;
  /** null where an optional operand is absent. */
  inputs: (Tensor | null)[];
  outputs: Tensor[];
  intermediates: (Tensor | null)[];
  /** Builtin options: their union tag and values, read when `options()` first asks. */
  optionsTag: number;
  options: Options | null;
  /** Position of the options table in the file, 0 when there is none. */
  optionsTable: number;
  /** Bytes of a custom operator's options. */
  customOptions: Uint8Array | null;
}

export interface Options {
  [field: string]: number | boolean | string | number[];
}

export interface Subgraph {
  name: string;
  index: number;
  tensors: Tensor[];
  inputs: Tensor[];
  outputs: Tensor[];
  nodes: Node[];
}

export interface Graph {
  version: number;
  description: string;
  subgraphs: Subgraph[];
  /** The file's bytes (constants are views on them); empty for a graph that was built in memory. */
  bytes: Uint8Array;
  metadata: { name: string; data: Uint8Array }[];
}

/**
 * A flat function of typed arrays and numbers. Only control kernels (ops/control.ts) return something:
 * the position of the step to go to, or −1 for the next one.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Kernel = (...args: any[]) => number | void;

/** Part of a tensor, or a tensor seen as another type: `length` elements of `type` from `offset` bytes on. */
export interface View {
  of: Tensor;
  type: TensorType;
  offset: number;
  length: number;
}

/** A position in the program that is known only when all steps are emitted. */
export interface Label {
  position: number;
}

/** What may stand in a step's arguments until the memory is planned. */
export type Argument = number | TypedArray | Tensor | View | Label;

/** What an operator's `prepare` emits its work to. */
export interface Preparation {
  /** Appends a step. */
  step(kernel: Kernel, args: Argument[]): void;
  /**
   * Appends a copy of `bytes` bytes, which the planner leaves out where both can be the same memory.
   * RESHAPE, CONCATENATION, SPLIT, contiguous slices, READ_VARIABLE and ASSIGN_VARIABLE are made of these.
   */
  move(from: Tensor, fromOffset: number, to: Tensor, toOffset: number, bytes: number): void;
  /** Says that the step's kernel is right even when `output` is the very memory of `input`: element i of the output is written after the last read of element i of the input. Both must have the same bytes. */
  inPlace(input: Tensor, output: Tensor): void;
  /** Working memory for this operator's kernels, undefined before and after. */
  scratch(type: TensorType, length: number): Tensor;
  /** State of this operator that no tensor of the model stands for; starts at `initial` (0 if null). */
  state(name: string, type: TensorType, shape: number[], initial: TypedArray | null): Tensor;
  /**
   * The node's builtin options by a table of schema.ts; fields that the file leaves out have their defaults.
   * Throws when the node carries another operator's options.
   */
  options(table: string): Options;
  /** Throws an Error that names the subgraph, the operator and what is wrong. */
  fail(message: string): never;
}

/** Checks a node and emits its steps. */
export type Prepare = (node: Node, preparation: Preparation) => void;

/** Operators by name, builtin or custom. */
export interface Operators {
  [name: string]: Prepare;
}
