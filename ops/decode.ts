/**
 * TFLM_DECODE: weights that are stored compressed. Pairs of constant inputs (codes, ancillary data) → tensors, in each
 * step, so that their memory is free for others once they are used.
 *
 * Ancillary data starts with 16 bytes: the kind of compression (0 lookup table, 1 Huffman, 2 pruning), version 1, two
 * bytes unused, version 1 of the kind, two bytes of its parameters. What follows depends on the kind. Bits of the codes
 * are read from the most significant one on.
 *
 * Lookup table: byte 5 has the width of an index in bits, 1 to 7, byte 6 the entries in the table of a channel. A table
 * for each channel, if the output is quantized per channel along its first or last dimension. INT8, INT16, INT32,
 * INT64, FLOAT32, BOOL.
 * Pruning: a bit for each element; where it is 1 the next value, else the zero point of its channel, which only INT8
 * may have. The same types.
 * Huffman: byte 5 tells whether entries of the decoding tables have 32 bits or 16 (bit 0), and the size of the first
 * table (bits 4 to 7: log2 less 1). An entry has a flag (a symbol is found), 4 bits of count, and a symbol or the
 * distance to a further table, which is entered with count + 1 bits. INT8, and INT16 with 32 bits.
 */
import { powerOf2 } from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation, Tensor, TypedArray, View } from '../lib/graph';
import { describe, elementBytes, newArray } from '../lib/tensor';
import { expectType, input, output } from './checks';

const HEADER = 16;

/**
 * Kernel: y[at + i · step] from the table of its channel; outer × channels × inner elements.
 * @param width bits of an index
 * @param stride elements from one channel's table to the next
 */
export function decodeLookup<T extends TypedArray>(
  codes: Uint8Array,
  width: number,
  table: T,
  stride: number,
  y: T,
  at: number,
  step: number,
  outer: number,
  channels: number,
  inner: number,
): void {
  const mask = (1 << width) - 1;
  let bit = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0, base = 0; c < channels; c++, base += stride) {
      for (let i = 0; i < inner; i++) {
        const byte = bit >> 3;
        const pair = (codes[byte] << 8) | codes[byte + 1];
        y[at] = table[base + ((pair >> (16 - width - (bit & 7))) & mask)];
        at += step;
        bit += width;
      }
    }
  }
}

/** Kernel: the next value where a bit is 1, the channel's zero point where it is 0. */
export function decodePruned<T extends TypedArray>(
  bits: Uint8Array,
  values: T,
  zeros: Int8Array,
  y: T,
  words: number,
  outer: number,
  channels: number,
  inner: number,
): void {
  let from = 0;
  let to = 0;
  let bit = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < inner; i++, bit++) {
        const kept = (bits[bit >> 3] << (bit & 7)) & 128;
        for (let k = 0; k < words; k++) y[to++] = kept ? values[from++] : zeros[c];
      }
    }
  }
}

/** Kernel: n symbols by tables whose entries have `valueBits` bits of value below 4 bits of count and a flag. */
export function decodeHuffman<T extends Int8Array | Int16Array>(
  codes: Uint8Array,
  table: Uint16Array | Uint32Array,
  firstBits: number,
  valueBits: number,
  y: T,
  n: number,
): void {
  const unit = powerOf2(valueBits);
  const end = 8 * codes.length;
  let bit = 0;
  for (let i = 0; i < n; i++) {
    let at = 0;
    let count = firstBits;
    let entry: number;
    for (;;) {
      const byte = bit >> 3;
      const three = (codes[byte] << 16) | (codes[byte + 1] << 8) | codes[byte + 2];
      at += (three >> (24 - count - (bit & 7))) & ((1 << count) - 1);
      bit += count;
      // a lookup may go beyond the last code, by less than it takes
      if (at >= table.length || bit > end + 15)
        throw new Error('the code of element ' + i + ' is not in the decoding tables');
      entry = table[at];
      const high = Math.floor(entry / unit);
      if (high > 15) {
        // bits beyond the symbol's go back
        if (count > high - 16) bit += high - 16 - count;
        break;
      }
      count = high + 1;
      at += entry % unit;
    }
    if (bit > end) throw new Error('the codes end before element ' + i + ' of ' + n);
    y[i] = entry;
  }
}

/** How an output is divided into channels. */
interface Channels {
  outer: number;
  count: number;
  inner: number;
}

function channelsOf(y: Tensor, p: Preparation): Channels {
  const count = y.scales ? y.scales.length : 1;
  const axis = y.scales ? y.quantizedDimension : 0;
  const alternate = count > 1 && axis === y.shape.length - 1;
  if (axis && !alternate)
    p.fail(
      'the output must be quantized along its first or last dimension, but ' +
        describe(y) +
        ' is along ' +
        axis,
    );
  if (!count || y.length % count) p.fail(describe(y) + ' cannot have ' + count + ' channels');
  return alternate
    ? { outer: y.length / count, count: count, inner: 1 }
    : { outer: 1, count: count, inner: y.length / count };
}

/** The bytes of a constant. */
function bytesOf(tensor: Tensor): Uint8Array {
  const data = tensor.data as TypedArray;
  return data.length ? new Uint8Array(data.buffer, data.byteOffset, tensor.bytes) : new Uint8Array(0);
}

function codesView(codes: Tensor): View {
  return { of: codes, type: 'UINT8', offset: 0, length: codes.bytes };
}

/** What follows the header, as elements of `type`: in place, or copied where that is misaligned. */
function tail(ancillary: Tensor, type: string): { argument: Argument; length: number } {
  const size = elementBytes(type);
  const length = Math.floor((ancillary.bytes - HEADER) / size);
  const data = ancillary.data as TypedArray;
  if ((data.byteOffset + HEADER) % size === 0)
    return { argument: { of: ancillary, type: type, offset: HEADER, length: length }, length: length };
  const copy = newArray(type, length);
  new Uint8Array(copy.buffer).set(bytesOf(ancillary).subarray(HEADER, HEADER + length * size));
  return { argument: copy, length: length };
}

/** Type of array that carries elements of y unchanged; INT64 ones as two words. */
function carrier(y: Tensor): string {
  return y.type === 'FLOAT32' || y.type === 'INT64' ? 'INT32' : y.type === 'BOOL' ? 'UINT8' : y.type;
}

function prepareLookup(
  codes: Tensor,
  ancillary: Tensor,
  y: Tensor,
  header: Uint8Array,
  p: Preparation,
): void {
  expectType(y, 'INT8 INT16 INT32 INT64 FLOAT32 BOOL', 'the output', p);
  const width = header[5] & 7;
  const channels = channelsOf(y, p);
  if (!width)
    p.fail('indices into the lookup table must have 1 to 7 bits, but ' + describe(ancillary) + ' says 0');
  if (codes.bytes * 8 < y.length * width)
    p.fail('the codes must be ' + y.length + ' of ' + width + ' bits, but they are ' + describe(codes));
  const words = y.type === 'INT64' ? 2 : 1;
  const type = carrier(y);
  const stride = header[6];
  const length = Math.floor((ancillary.bytes - HEADER) / elementBytes(y.type));
  expectIndices(bytesOf(codes), width, stride, channels, length, p);
  const view = { of: y, type: type, offset: 0, length: words * y.length };
  for (let word = 0; word < words; word++) {
    const table = words > 1 ? everyOther(ancillary, length, word) : tail(ancillary, type).argument;
    p.step(decodeLookup, [
      codesView(codes),
      width,
      table,
      stride,
      view,
      word,
      words,
      channels.outer,
      channels.count,
      channels.inner,
    ]);
  }
}

/** Low or high words of a table of INT64. */
function everyOther(ancillary: Tensor, length: number, word: number): Int32Array {
  const bytes = bytesOf(ancillary);
  const table = new Int32Array(length);
  const target = new Uint8Array(table.buffer);
  for (let i = 0; i < 4 * length; i++) target[i] = bytes[HEADER + 8 * (i >> 2) + 4 * word + (i & 3)];
  return table;
}

/** Fails unless all indices lie within the tables. */
function expectIndices(
  codes: Uint8Array,
  width: number,
  stride: number,
  channels: Channels,
  length: number,
  p: Preparation,
): void {
  const rows = channels.outer * channels.count;
  for (let row = 0; row < rows; row++) {
    const base = (row % channels.count) * stride;
    const first = row * channels.inner * width;
    if (base + (1 << width) <= length) continue;
    for (let i = 0; i < channels.inner; i++) {
      const bit = first + i * width;
      const pair = (codes[bit >> 3] << 8) | codes[(bit >> 3) + 1];
      const index = (pair >> (16 - width - (bit & 7))) & ((1 << width) - 1);
      if (base + index >= length)
        p.fail(
          'index ' + index + ' of channel ' + (row % channels.count) + ' is outside of its lookup table',
        );
    }
  }
}

function preparePruned(codes: Tensor, ancillary: Tensor, y: Tensor, p: Preparation): void {
  expectType(y, 'INT8 INT16 INT32 INT64 FLOAT32 BOOL', 'the output', p);
  const channels = channelsOf(y, p);
  const zeros = new Int8Array(channels.count);
  for (let i = 0; i < channels.count; i++) {
    zeros[i] = y.zeroPoints ? y.zeroPoints[i] : 0;
    if (y.type !== 'INT8' && y.zeroPoints && y.zeroPoints[i])
      p.fail('zero points other than 0 need INT8, but ' + describe(y) + ' has ' + y.zeroPoints[i]);
  }
  if (codes.bytes * 8 < y.length)
    p.fail('the codes must be ' + y.length + ' bits, but they are ' + describe(codes));
  const bytes = bytesOf(codes);
  let kept = 0;
  for (let i = 0; i < y.length; i++) if ((bytes[i >> 3] << (i & 7)) & 128) kept++;
  const words = y.type === 'INT64' ? 2 : 1;
  const type = carrier(y);
  const values = tail(ancillary, type);
  if (values.length < kept * words)
    p.fail(
      'the codes keep ' + kept + ' values, but ' + describe(ancillary) + ' has ' + values.length / words,
    );
  p.step(decodePruned, [
    codesView(codes),
    values.argument,
    zeros,
    { of: y, type: type, offset: 0, length: words * y.length },
    words,
    channels.outer,
    channels.count,
    channels.inner,
  ]);
}

function prepareHuffman(
  codes: Tensor,
  ancillary: Tensor,
  y: Tensor,
  header: Uint8Array,
  p: Preparation,
): void {
  const wide = header[5] & 1;
  expectType(y, wide ? 'INT8 INT16' : 'INT8', 'the output', p);
  p.step(decodeHuffman, [
    codesView(codes),
    tail(ancillary, wide ? 'UINT32' : 'UINT16').argument,
    (header[5] >> 4) + 1,
    wide ? 27 : 11,
    y,
    y.length,
  ]);
}

function prepareDecode(node: Node, p: Preparation): void {
  if (!node.outputs.length || node.inputs.length !== 2 * node.outputs.length)
    p.fail(
      'it must have two inputs for each output, but it has ' +
        node.inputs.length +
        ' for ' +
        node.outputs.length,
    );
  for (let i = 0; i < node.outputs.length; i++) {
    const codes = input(node, 2 * i, p);
    const ancillary = input(node, 2 * i + 1, p);
    const y = output(node, i, p);
    if (!codes.constant || !ancillary.constant)
      p.fail(
        'codes and ancillary data must be constant, but ' +
          describe(codes.constant ? ancillary : codes) +
          ' is computed',
      );
    if (ancillary.bytes < HEADER)
      p.fail('ancillary data must have ' + HEADER + ' bytes or more, but it is ' + describe(ancillary));
    const header = bytesOf(ancillary);
    if (header[1] !== 1 || header[4] !== 1)
      p.fail('versions ' + header[1] + ' and ' + header[4] + ' of compressed weights: expected 1 and 1');
    if (header[0] === 0) prepareLookup(codes, ancillary, y, header, p);
    else if (header[0] === 1) prepareHuffman(codes, ancillary, y, header, p);
    else if (header[0] === 2) preparePruned(codes, ancillary, y, p);
    else p.fail('compression ' + header[0] + ' of ' + describe(ancillary) + ': expected 0, 1 or 2');
  }
}

export const decodeOperators: Operators = { TFLM_DECODE: prepareDecode };
