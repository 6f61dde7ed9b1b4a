/**
 * Operators with several places or rows, on Espruino: what has one place (dense.ts) is called for each, on views of its
 * input and output. A convolution's window is copied to a patch, which is then a row.
 */

/** One row: from x to y. */
type Row = (x: Int8Array, y: Int8Array) => void;

function fillRow(patch: Int8Array, i: number, end: number, value: number): void {
  for (; i < end; i++) patch[i] = value;
}

/** Kernel: for each of `r` rows of `depth` inputs and `units` outputs. */
export function eachRow(r: number, x: Int8Array, y: Int8Array, depth: number, units: number, one: Row): void {
  const from = x.buffer as ArrayBuffer;
  const to = y.buffer as ArrayBuffer;
  const start = x.byteOffset;
  const end = y.byteOffset;
  while (r--) one(new Int8Array(from, start + r * depth, depth), new Int8Array(to, end + r * units, units));
}

/**
 * Kernel: for each place of an image [height, width, depth], with the window of the filter as a patch, in which taps outside
 * of the image are `zero`.
 */
export function eachPlace(
  x: Int8Array,
  y: Int8Array,
  patch: Int8Array,
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
              new Int8Array(from, x.byteOffset + (iy * width + left + first) * depth, count * depth),
              row + first * depth,
            );
          row += size;
        }
      }
      one(patch, new Int8Array(to, at, units));
      at += units;
    }
  }
}
