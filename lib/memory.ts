/** What a model takes in memory, counted from the memory itself. */
import { Graph, Storage, Tensor, TypedArray } from './graph';
import { Program } from './program';

/** Bytes that a model takes. */
export interface Memory {
  /** Working memory of the steps. */
  arena: number;
  /** State of one stream. */
  variables: number;
  /** Weights and other constants: views on the model's own bytes (flash on a chip). */
  constants: number;
  /** The part of the arena that is there only to keep preserved tensors: their bytes. */
  preserved: number;
  /** Multipliers, sums and lookup tables that preparation computed. */
  tables: number;
}

/** Counts a model's memory; `kept` are the tensors to be preserved. */
export function measure(graph: Graph, program: Program, kept: Tensor[]): Memory {
  const memory = {
    arena: program.arena.byteLength,
    variables: program.stateBytes,
    constants: 0,
    preserved: 0,
    tables: 0,
  };
  const seen: TypedArray[] = [];
  for (let i = 0; i < graph.subgraphs.length; i++) {
    const tensors = graph.subgraphs[i].tensors;
    for (let k = 0; k < tensors.length; k++) {
      const data = tensors[k].data;
      if (!tensors[k].constant || !data || has(seen, data)) continue;
      seen.push(data);
      memory.constants += tensors[k].bytes;
    }
  }
  const storages: Storage[] = [];
  for (let i = 0; i < kept.length; i++) {
    const place = kept[i].place;
    if (place && place.storage.block === 'arena' && storages.indexOf(place.storage) < 0) {
      storages.push(place.storage);
      memory.preserved += kept[i].bytes;
    }
  }
  const tables: TypedArray[] = [];
  for (let i = 0; i < program.steps.length; i++) {
    const args = program.steps[i].args;
    for (let k = 0; k < args.length; k++) {
      const table = args[k] as TypedArray;
      if (typeof args[k] === 'number' || tables.indexOf(table) >= 0) continue;
      const buffer = table.buffer;
      if (buffer === program.arena || buffer === program.state.buffer || has(seen, table)) continue;
      tables.push(table);
      memory.tables += table.byteLength;
    }
  }
  return memory;
}

/** Whether an array's first byte is already among those of others. */
function has(arrays: TypedArray[], array: TypedArray): boolean {
  for (let i = 0; i < arrays.length; i++) {
    const other = arrays[i];
    if (
      other.buffer === array.buffer &&
      array.byteOffset >= other.byteOffset &&
      array.byteOffset < other.byteOffset + other.byteLength
    )
      return true;
  }
  return false;
}
