/**
 * Pooling on Espruino: the taps of a channel are gathered side by side, for builtins that take a whole array. Working
 * variables are parameters, see dense.ts.
 */

declare const E: {
  mapInPlace(from: ArrayLike<number>, to: ArrayLike<number>, map: ArrayLike<number>): void;
  sum(array: ArrayLike<number>): number;
};

type Elements = Int8Array | Int16Array | Float32Array;
type View = { new (buffer: ArrayBuffer, offset: number, length: number): Elements };
type Row = (x: Elements, y: Elements) => void;

/** Where the taps of a window are, from its first one, in an image whose rows have `row` elements. */
export function windowStarts(height: number, width: number, row: number, channels: number): Uint16Array {
  const starts = new Uint16Array(height * width);
  for (let i = 0; i < starts.length; i++) starts[i] = Math.floor(i / width) * row + (i % width) * channels;
  return starts;
}

/**
 * Kernel: for each place of the output, with what the window of `span` elements views, all inside of the image; `down`
 * and `right` are from one window to the next, in bytes.
 */
export function eachWindow(
  x: Elements,
  y: Elements,
  one: Row,
  rows: number,
  columns: number,
  down: number,
  right: number,
  span: number,
  channels: number,
  type: View,
  bytes: number,
): void {
  const from = x.buffer as ArrayBuffer;
  const to = y.buffer as ArrayBuffer;
  let start = x.byteOffset;
  let end = y.byteOffset;
  while (rows--) {
    let at = start;
    let i = columns;
    while (i--) {
      one(new type(from, at, span), new type(to, end, channels));
      at += right;
      end += channels * bytes;
    }
    start += down;
  }
}

/**
 * Kernel: the average of each channel of a window; `span` elements from a channel's first tap to its last. That of
 * integers is rounded half away from zero.
 */
export function averageWhole(
  j: number,
  v: number,
  offset: number,
  x: Elements,
  y: Elements,
  column: Elements,
  starts: Uint16Array,
  span: number,
  count: number,
  half: number,
  min: number,
  max: number,
  type: View,
  bytes: number,
): void {
  const gather = E.mapInPlace;
  const sum = E.sum;
  const buffer = x.buffer as ArrayBuffer;
  offset = x.byteOffset;
  while (j--) {
    gather(starts, column, new type(buffer, offset + j * bytes, span));
    v = sum(column);
    v = ((v > 0 ? v + half : v - half) / count) | 0;
    y[j] = v < min ? min : v > max ? max : v;
  }
}

/** Kernel: the same for float32. */
export function averageFloat32(
  j: number,
  v: number,
  offset: number,
  x: Elements,
  y: Elements,
  column: Elements,
  starts: Uint16Array,
  span: number,
  count: number,
  min: number,
  max: number,
  type: View,
  bytes: number,
): void {
  const gather = E.mapInPlace;
  const sum = E.sum;
  const buffer = x.buffer as ArrayBuffer;
  offset = x.byteOffset;
  while (j--) {
    gather(starts, column, new type(buffer, offset + j * bytes, span));
    v = sum(column) / count;
    y[j] = v < min ? min : v > max ? max : v;
  }
}

/** Kernel: the largest of each channel of a window of up to 256 taps. A NaN among them is the result. */
export function largest(
  j: number,
  v: number,
  offset: number,
  x: Elements,
  y: Elements,
  column: Elements,
  starts: Uint16Array,
  span: number,
  min: number,
  max: number,
  type: View,
  bytes: number,
): void {
  const gather = E.mapInPlace;
  const most = Math.max;
  const buffer = x.buffer as ArrayBuffer;
  offset = x.byteOffset;
  while (j--) {
    gather(starts, column, new type(buffer, offset + j * bytes, span));
    v = most.apply(0, column as unknown as number[]);
    y[j] = v < min ? min : v > max ? max : v;
  }
}
