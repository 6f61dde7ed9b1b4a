/**
 * Operators with several places or rows, on Espruino: what has one place (dense.ts) is called for each, on views of its
 * input and output. A convolution's window is copied to a patch, which is then a row.
 */

type Elements = Int8Array | Float32Array;
/** What makes a view: `type` and the bytes of its elements make one kernel do for int8 and float32. */
type View = { new (buffer: ArrayBuffer, offset: number, length: number): Elements };
/** One row: from x to y. */
type Row = (x: Elements, y: Elements) => void;

function fillRow(patch: Elements, i: number, end: number, value: number): void {
  for (; i < end; i++) patch[i] = value;
}

/** Kernel: for each of `r` rows of `depth` inputs and `units` outputs. */
export function eachRow(
  r: number,
  x: Elements,
  y: Elements,
  depth: number,
  units: number,
  one: Row,
  type: View,
  bytes: number,
): void {
  const from = x.buffer as ArrayBuffer;
  const to = y.buffer as ArrayBuffer;
  const start = x.byteOffset;
  const end = y.byteOffset;
  while (r--)
    one(new type(from, start + r * depth * bytes, depth), new type(to, end + r * units * bytes, units));
}

/**
 * Kernel: for each place of an image [height, width, depth], with the window of the filter as a patch, in which taps outside
 * of the image are `zero`.
 */
export function eachPlace(
  x: Elements,
  y: Elements,
  patch: Elements,
  one: Row,
  height: number,
  width: number,
  depth: number,
  outHeight: number,
  outWidth: number,
  units: number,
  filterHeight: number,
  filterWidth: number,
  strideY: number,
  strideX: number,
  padY: number,
  padX: number,
  dilationY: number,
  dilationX: number,
  zero: number,
  type: View,
  bytes: number,
): void {
  const from = x.buffer as ArrayBuffer;
  const to = y.buffer as ArrayBuffer;
  let at = y.byteOffset;
  // columns that lie side by side in x as well, and how often there are so many in a row of the filter
  const run = dilationX === 1 ? filterWidth : 1;
  const size = run * depth;
  for (let oy = 0; oy < outHeight; oy++) {
    for (let ox = 0; ox < outWidth; ox++) {
      let row = 0;
      for (let ky = 0; ky < filterHeight; ky++) {
        const iy = oy * strideY - padY + ky * dilationY;
        for (let kx = 0; kx < filterWidth; kx += run) {
          const left = ox * strideX - padX + kx * dilationX;
          const first = left < 0 ? -left : 0;
          const count = (left + run > width ? width - left : run) - first;
          const inside = iy >= 0 && iy < height && count > 0;
          if (!inside || count < run) fillRow(patch, row, row + size, zero);
          if (inside)
            patch.set(
              new type(from, x.byteOffset + (iy * width + left + first) * depth * bytes, count * depth),
              row + first * depth,
            );
          row += size;
        }
      }
      one(patch, new type(to, at, units));
      at += units * bytes;
    }
  }
}
