/**
 * Options of custom operators: a FlexBuffers map of numbers, as in { frame_size: 400, prefill: true }.
 *
 * A FlexBuffer is read from its end: the last byte is the width of the root, the byte before it the root's type, and
 * the root before that. A map is a vector of values, each `width` bytes, followed by a byte of type for each; before
 * the values stand the offset of the vector of keys, the width of that vector's offsets, and the number of values.
 * Offsets lead backwards. Format: https://flatbuffers.dev/internals/#flexbuffers.
 *
 * The bytes come from a file that may be anything: every position is checked before it is read.
 */
import { powerOf2 } from '../lib/fixedpoint';
import { readFloat32, readInt32 } from '../lib/flatbuffer';
import { Node, Preparation } from '../lib/graph';

/** Numbers by name; booleans are 0 and 1. */
export interface FlexMap {
  [key: string]: number;
}

const INT = 1,
  UINT = 2,
  FLOAT = 3,
  INDIRECT_INT = 6,
  INDIRECT_FLOAT = 8,
  MAP = 9,
  BOOL = 26;

const eight = new Uint8Array(8);
const eightAsFloat = new Float64Array(eight.buffer);

/** Throws unless `size` bytes at `position` are there. */
function check(bytes: Uint8Array, position: number, size: number): number {
  if (!(position >= 0 && position + size <= bytes.length))
    throw new Error(
      'they refer to ' + size + ' bytes at ' + position + ', but there are ' + bytes.length + ' in all',
    );
  return position;
}

function readUint(bytes: Uint8Array, position: number, width: number): number {
  check(bytes, position, width);
  if (width === 1) return bytes[position];
  if (width === 2) return bytes[position] | (bytes[position + 1] << 8);
  const low = readInt32(bytes, position) >>> 0;
  return width === 4 ? low : low + (readInt32(bytes, position + 4) >>> 0) * 4294967296;
}

function readInt(bytes: Uint8Array, position: number, width: number): number {
  const value = readUint(bytes, position, width);
  if (width === 8) return readInt32(bytes, position + 4) * 4294967296 + (readInt32(bytes, position) >>> 0);
  const range = powerOf2(8 * width);
  return value < range / 2 ? value : value - range;
}

function readFloat(bytes: Uint8Array, position: number, width: number): number {
  check(bytes, position, width);
  if (width === 4) return readFloat32(bytes, position);
  if (width !== 8) throw new Error('a float of ' + width + ' bytes is none');
  for (let i = 0; i < 8; i++) eight[i] = bytes[position + i];
  return eightAsFloat[0];
}

/** Follows the offset at `position`, which leads backwards. */
function follow(bytes: Uint8Array, position: number, width: number): number {
  return check(bytes, position - readUint(bytes, position, width), 1);
}

function widthOf(type: number): number {
  return 1 << (type & 3);
}

/** The text that ends with a byte of 0. No option has a name of 64 characters; without a limit, a file could make many. */
function readKey(bytes: Uint8Array, position: number): string {
  let key = '';
  while (bytes[check(bytes, position, 1)]) {
    if (key.length === 64) throw new Error('a key has more than 64 characters');
    key += String.fromCharCode(bytes[position++]);
  }
  return key;
}

/**
 * The numbers of a FlexBuffer whose root is a map; values of other kinds (strings, vectors, null) are left out.
 * @throws Error when the root is no map, or something lies outside of the bytes
 */
export function readFlexMap(bytes: Uint8Array): FlexMap {
  const end = check(bytes, bytes.length - 3, 3);
  const rootWidth = bytes[end + 2];
  const rootType = bytes[end + 1];
  if (rootType >> 2 !== MAP || (rootWidth !== 1 && rootWidth !== 2 && rootWidth !== 4 && rootWidth !== 8))
    throw new Error('their root must be a map, but it has type ' + (rootType >> 2));
  const values = follow(bytes, end + 1 - rootWidth, rootWidth);
  const width = widthOf(rootType);
  const count = readUint(bytes, values - width, width);
  const types = values + count * width;
  check(bytes, values, count * (width + 1));
  const keys = follow(bytes, values - 3 * width, width);
  const keyWidth = readUint(bytes, values - 2 * width, width);
  if (keyWidth !== 1 && keyWidth !== 2 && keyWidth !== 4 && keyWidth !== 8)
    throw new Error('the offsets of their keys have ' + keyWidth + ' bytes');
  const map: FlexMap = {};
  for (let i = 0; i < count; i++) {
    const type = bytes[types + i] >> 2;
    const indirect = type >= INDIRECT_INT && type <= INDIRECT_FLOAT;
    const kind = indirect ? type - INDIRECT_INT + INT : type;
    if (kind !== INT && kind !== UINT && kind !== FLOAT && kind !== BOOL) continue;
    const at = indirect ? follow(bytes, values + i * width, width) : values + i * width;
    const size = indirect ? widthOf(bytes[types + i]) : width;
    const key = readKey(bytes, follow(bytes, keys + i * keyWidth, keyWidth));
    const value =
      kind === FLOAT
        ? readFloat(bytes, at, size)
        : kind === INT
          ? readInt(bytes, at, size)
          : readUint(bytes, at, size);
    map[key] = kind === BOOL && value ? 1 : value;
  }
  return map;
}

/**
 * The options of a custom operator.
 * @param names those that must be there, separated by spaces
 */
export function customOptions(node: Node, names: string, p: Preparation): FlexMap {
  const bytes = node.customOptions;
  if (!bytes || !bytes.length)
    return p.fail('it needs the options ' + names.split(' ').join(', ') + ', but has none');
  let map: FlexMap;
  try {
    map = readFlexMap(bytes);
  } catch (error) {
    return p.fail('its options are not a FlexBuffer that can be read: ' + (error as Error).message);
  }
  const wanted = names.split(' ');
  const missing: string[] = [];
  for (let i = 0; i < wanted.length; i++) if (map[wanted[i]] === undefined) missing.push(wanted[i]);
  if (missing.length) p.fail('its options lack ' + missing.join(', '));
  return map;
}

/** Option `name`, which must be an integer from `low` to `high`. */
export function integerOption(
  options: FlexMap,
  name: string,
  low: number,
  high: number,
  p: Preparation,
): number {
  const value = options[name];
  if (!(value >= low && value <= high && value === Math.floor(value)))
    p.fail('its option ' + name + ' must be an integer from ' + low + ' to ' + high + ', but it is ' + value);
  return value;
}

/** Option `name` as 0 or 1; 0 when it is missing. */
export function flagOption(options: FlexMap, name: string): number {
  return options[name] ? 1 : 0;
}
