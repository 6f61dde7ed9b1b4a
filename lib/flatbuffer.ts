/**
 * Reads FlatBuffers tables in place. Every position is checked against the end of the bytes before it is used.
 * Format: https://flatbuffers.dev/internals. Bytes are read one by one, since Espruino's DataView costs 23,000
 * instructions an access and MicroQuickJS has none.
 */

const word = /* @__PURE__ */ new Int32Array(1);
const wordAsFloat = /* @__PURE__ */ new Float32Array(word.buffer);

/** Espruino's views begin at this byte of a buffer at the latest. */
const REACH = 65535;

type Parts = (offset: number, length: number) => ArrayBuffer;
let parts: Parts | null = null;

/** Sets what gives bytes of the file that views on it do not reach, as a buffer of their own; null: they reach all. */
export function readParts(read: Parts | null): void {
  parts = read;
}

/** A view on some bytes of the file. */
export function bytesAt(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  return parts && offset + length > REACH
    ? new Uint8Array(parts(offset, length))
    : bytes.subarray(offset, offset + length);
}

function check(bytes: Uint8Array, position: number, size: number, what: string): void {
  if (!(position >= 0 && position + size <= bytes.length)) {
    throw new Error(
      what +
        ' lies outside of the file: ' +
        size +
        ' bytes at ' +
        position +
        ', but the file has ' +
        bytes.length,
    );
  }
}

export function readUint16(bytes: Uint8Array, position: number): number {
  return bytes[position] | (bytes[position + 1] << 8);
}

export function readInt32(bytes: Uint8Array, position: number): number {
  return (
    bytes[position] | (bytes[position + 1] << 8) | (bytes[position + 2] << 16) | (bytes[position + 3] << 24)
  );
}

export function readFloat32(bytes: Uint8Array, position: number): number {
  word[0] = readInt32(bytes, position);
  return wordAsFloat[0];
}

/** An int64 as a number; throws when it has more than 53 bits. */
export function readInt64(bytes: Uint8Array, position: number): number {
  const value = readInt32(bytes, position + 4) * 4294967296 + (readInt32(bytes, position) >>> 0);
  if (value > 9007199254740991 || value < -9007199254740991)
    throw new Error('an int64 beyond 53 bits: ' + value);
  return value;
}

/** Follows the offset stored at `position`; checks that it leads forward and into the file. */
export function follow(bytes: Uint8Array, position: number, what: string): number {
  check(bytes, position, 4, what);
  const offset = readInt32(bytes, position);
  check(bytes, offset > 0 ? position + offset : -1, 4, what);
  return position + offset;
}

/** Checks that a table starts at `position`: its vtable and its own extent. Returns the position. */
export function openTable(bytes: Uint8Array, position: number, what: string): number {
  check(bytes, position, 4, what);
  const vtable = position - readInt32(bytes, position);
  check(bytes, vtable, 4, 'the vtable of ' + what);
  const size = readUint16(bytes, vtable);
  check(bytes, vtable, size < 4 ? bytes.length + 1 : size, 'the vtable of ' + what);
  check(bytes, position, readUint16(bytes, vtable + 2), what);
  return position;
}

/** Position of a field of `size` bytes in an opened table, 0 when the field is absent. */
export function field(bytes: Uint8Array, table: number, slot: number, size: number, what: string): number {
  const vtable = table - readInt32(bytes, table);
  const entry = 4 + 2 * slot;
  if (entry + 2 > readUint16(bytes, vtable)) return 0;
  const offset = readUint16(bytes, vtable + entry);
  if (!offset) return 0;
  if (offset + size > readUint16(bytes, vtable + 2)) {
    throw new Error('a field of ' + what + ' lies outside of its table: slot ' + slot);
  }
  return table + offset;
}

export function fieldInt32(
  bytes: Uint8Array,
  table: number,
  slot: number,
  otherwise: number,
  what: string,
): number {
  const position = field(bytes, table, slot, 4, what);
  return position ? readInt32(bytes, position) : otherwise;
}

export function fieldByte(
  bytes: Uint8Array,
  table: number,
  slot: number,
  otherwise: number,
  what: string,
): number {
  const position = field(bytes, table, slot, 1, what);
  return position ? bytes[position] : otherwise;
}

/** Position of the table that a field refers to, 0 when absent. */
export function fieldTable(bytes: Uint8Array, table: number, slot: number, what: string): number {
  const position = field(bytes, table, slot, 4, what);
  return position ? openTable(bytes, follow(bytes, position, what), what) : 0;
}

/**
 * Position of the length word of the vector that a field refers to, 0 when absent. All `elementSize` · length bytes
 * are inside the file.
 */
export function fieldVector(
  bytes: Uint8Array,
  table: number,
  slot: number,
  elementSize: number,
  what: string,
): number {
  const position = field(bytes, table, slot, 4, what);
  if (!position) return 0;
  const vector = follow(bytes, position, what);
  check(bytes, vector + 4, (readInt32(bytes, vector) >>> 0) * elementSize, what);
  return vector;
}

/** Number of elements of a vector found by `fieldVector`. */
export function vectorLength(bytes: Uint8Array, vector: number): number {
  return vector ? readInt32(bytes, vector) : 0;
}

/** Table number `index` of a vector of tables. */
export function vectorTable(bytes: Uint8Array, vector: number, index: number, what: string): number {
  return openTable(bytes, follow(bytes, vector + 4 + 4 * index, what), what);
}

/** A vector of int32 as an array; [] when absent. */
export function fieldInts(bytes: Uint8Array, table: number, slot: number, what: string): number[] {
  const vector = fieldVector(bytes, table, slot, 4, what);
  const values: number[] = [];
  for (let i = 0; i < vectorLength(bytes, vector); i++) values.push(readInt32(bytes, vector + 4 + 4 * i));
  return values;
}

/** A string, '' when absent. Bytes beyond ASCII are decoded as UTF-8. */
export function fieldString(bytes: Uint8Array, table: number, slot: number, what: string): string {
  const vector = fieldVector(bytes, table, slot, 1, what);
  return vector ? decodeUtf8(bytes, vector + 4, readInt32(bytes, vector)) : '';
}

/** Decodes UTF-8; a byte that does not fit becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array, from: number, length: number): string {
  let text = '';
  const end = from + length;
  while (from < end) {
    let code = bytes[from++];
    if (code > 127) {
      let more = code > 239 ? 3 : code > 223 ? 2 : code > 191 ? 1 : 0;
      if (!more || code > 247) code = 65533;
      else {
        code &= 63 >> more;
        while (more && from < end && (bytes[from] & 192) === 128) {
          code = (code << 6) | (bytes[from++] & 63);
          more--;
        }
        if (more) code = 65533;
      }
    }
    if (code > 65535) {
      code -= 65536;
      text += String.fromCharCode(55296 + (code >> 10), 56320 + (code & 1023));
    } else text += String.fromCharCode(code);
  }
  return text;
}
