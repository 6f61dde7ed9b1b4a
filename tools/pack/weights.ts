/**
 * The weights file: constants and tables of a program, in the order 4-byte, 2-byte, 1-byte elements, so that nothing
 * is lost to alignment. Layout of the header: lib/packed_weights.ts.
 */
import { crc32 } from '../../lib/crc32';
import type { TypedArray } from '../../lib/graph';

export const HEADER_BYTES = 16;
const MAGIC = 0x5752474e;
const VERSION = 1;

/** Collects arrays, each content once, and lays them out. */
export class WeightsBuilder {
  private readonly arrays: { array: TypedArray; before: number; key: string }[] = [];
  private readonly known = new Map<string, number>();
  private offsets: number[] = [];

  /**
   * Number of an array's content.
   * @param before bytes that must lie in front of it within the file, for views that start early
   */
  add(array: TypedArray, before = 0): number {
    const bytes = Buffer.from(array.buffer, array.byteOffset, array.byteLength);
    const key = `${array.constructor.name} ${bytes.toString('latin1')}`;
    const found = this.known.get(key);
    if (found !== undefined) {
      this.arrays[found].before = Math.max(this.arrays[found].before, before);
      return found;
    }
    this.known.set(key, this.arrays.length);
    this.arrays.push({ array, before, key });
    return this.arrays.length - 1;
  }

  /** Where array number `index` begins in the file; known after `build`. */
  offset(index: number): number {
    return this.offsets[index];
  }

  /** The file. Large arrays start at multiples of 16 bytes. */
  build(fingerprint: number): Uint8Array {
    const order = this.arrays.map((entry, index) => ({ ...entry, index }));
    const element = (array: TypedArray): number => array.byteLength / Math.max(1, array.length);
    // what must not lie near the start of the file goes to the end of its group
    order.sort((a, b) => element(b.array) - element(a.array) || a.before - b.before || a.index - b.index);
    let at = HEADER_BYTES;
    this.offsets = [];
    for (const { array, before, index } of order) {
      const align = array.byteLength >= 1024 ? 16 : element(array);
      at = Math.ceil(Math.max(at, before) / align) * align;
      this.offsets[index] = at;
      at += array.byteLength;
    }
    const bytes = new Uint8Array(at);
    for (const [index, { array }] of this.arrays.entries())
      bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), this.offsets[index]);
    const words = new Int32Array(bytes.buffer, 0, 4);
    words[0] = MAGIC;
    words[1] = VERSION | (at << 8);
    words[3] = fingerprint;
    words[2] = crc32(bytes, 12, at - 12, 0);
    return bytes;
  }
}
