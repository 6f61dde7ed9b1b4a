/** Writes the builtin options of an operator. */
import type { Builder } from 'flatbuffers';
import type { Node, Options } from '../lib/graph';
import { place } from './options';
import type { OptionsField, OptionsTable } from './options';
import { float32s, int32s, int64s } from './vectors';
import type { Offset } from './vectors';

/** Least and greatest value of each kind of integer. */
const LIMITS: Record<string, [number, number]> = {
  b: [-128, 127],
  i: [-2147483648, 2147483647],
  u: [0, 4294967295],
  l: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/**
 * Writes an options table; fields at their defaults are left out, as every FlatBuffers writer does.
 * @throws Error on an option that the table does not have, or a value of the wrong kind
 */
export function writeOptions(builder: Builder, node: Node, table: OptionsTable, options: Options): Offset {
  const fields = table.fields;
  const names = fields.map((field) => field.name).filter((name) => name !== '-');
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw new Error(`${place(node)}: unknown option ${name}, expected ${names.join(', ') || 'none'}`);
    }
  }
  const values = fields.map((field) => optionValue(builder, node, field, options[field.name]));
  builder.startObject(fields.length);
  // wide fields first: that needs the least padding
  for (const size of [8, 4, 1]) {
    fields.forEach((field, slot) => {
      const value = values[slot];
      if (value === undefined || sizeOf(field.kind) !== size) return;
      if (size === 8) builder.addFieldInt64(slot, BigInt(value), BigInt(field.otherwise));
      else if (size === 1) builder.addFieldInt8(slot, value, field.otherwise);
      else if (field.kind === 'f') builder.addFieldFloat32(slot, value, field.otherwise);
      else if (field.kind === 'i' || field.kind === 'u') builder.addFieldInt32(slot, value, field.otherwise);
      else builder.addFieldOffset(slot, value, 0);
    });
  }
  return builder.endObject();
}

function sizeOf(kind: string): number {
  if (kind === 'b' || kind === 'o') return 1;
  return kind === 'l' ? 8 : 4;
}

/** The number of a plain field, or the offset of a string or vector; undefined where nothing is to be written. */
function optionValue(
  builder: Builder,
  node: Node,
  field: OptionsField,
  value: Options[string] | undefined,
): number | undefined {
  if (value === undefined || field.name === '-') return undefined;
  const wrong = (expected: string): Error =>
    new Error(`${place(node)}: option ${field.name} must be ${expected}, not ${JSON.stringify(value)}`);
  if (field.kind === 's') {
    if (typeof value !== 'string') throw wrong('a string');
    return value ? builder.createString(value) : undefined;
  }
  if (field.kind === 'I' || field.kind === 'L' || field.kind === 'F') {
    if (!Array.isArray(value)) throw wrong('an array of numbers');
    if (!value.length) return undefined;
    if (field.kind === 'F') return float32s(builder, value);
    return field.kind === 'I' ? int32s(builder, value) : int64s(builder, value);
  }
  if (field.kind === 'o') {
    if (typeof value !== 'boolean') throw wrong('true or false');
    return Number(value);
  }
  if (typeof value !== 'number') throw wrong('a number');
  if (field.kind === 'f') return value;
  const [low, high] = LIMITS[field.kind];
  if (!Number.isInteger(value) || value < low || value > high)
    throw wrong(`an integer from ${low} to ${high}`);
  return value;
}
