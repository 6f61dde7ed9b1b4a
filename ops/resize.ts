/**
 * RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR: an image scaled to another height and width.
 *
 * Inputs: [batches, height, width, channels]; the new size, constant INT32 [height', width'].
 * Types: bilinear FLOAT32, INT8, UINT8, INT16; nearest every one of 1, 2, 4 or 8 bytes an element: it moves bits.
 * As TFLM: positions are computed in float32; those of integer bilinear in 1/1024, whose results are rounded half away
 * from zero. Nearest takes the floor of the position, with align_corners it rounds it.
 */
import { fround, roundAway } from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation, Tensor, TypedArray } from '../lib/graph';
import { RESIZE_BILINEAR_OPTIONS, RESIZE_NEAREST_NEIGHBOR_OPTIONS } from '../lib/schema';
import { elementBytes } from '../lib/tensor';
import { constantInts, expectInputs, expectRank, expectShape, expectType, input, output } from './checks';

/**
 * Kernel: a weighted mean of four neighbours. `rows` and `columns` hold two indices each for every output row and
 * column, `down` and `right` how far it is from the first to the second. `whole` is 1 for integers.
 */
export function resizeBilinear(
  x: TypedArray,
  y: TypedArray,
  batches: number,
  height: number,
  width: number,
  depth: number,
  tall: number,
  wide: number,
  rows: Int32Array,
  down: Float32Array,
  columns: Int32Array,
  right: Float32Array,
  whole: number,
): void {
  let k = 0;
  for (let row = 0; row < batches * tall; row++) {
    const image = Math.floor(row / tall) * height;
    const at = row % tall;
    const top = (image + rows[2 * at]) * width;
    const bottom = (image + rows[2 * at + 1]) * width;
    for (let column = 0; column < wide; column++) {
      const v = down[at];
      const u = right[column];
      let a = (top + columns[2 * column]) * depth;
      let b = (top + columns[2 * column + 1]) * depth;
      let c = (bottom + columns[2 * column]) * depth;
      let d = (bottom + columns[2 * column + 1]) * depth;
      for (const end = k + depth; k < end; k++) {
        const mean =
          x[a++] * (1 - v) * (1 - u) + x[b++] * (1 - v) * u + x[c++] * v * (1 - u) + x[d++] * v * u;
        y[k] = whole ? (mean > 0 ? mean + 0.5 : mean - 0.5) | 0 : mean;
      }
    }
  }
}

/** Kernel: the nearest neighbour's channels; `rows` and `columns` say which. */
export function resizeNearest(
  x: TypedArray,
  y: TypedArray,
  batches: number,
  height: number,
  width: number,
  depth: number,
  tall: number,
  wide: number,
  rows: Int32Array,
  columns: Int32Array,
): void {
  let k = 0;
  for (let row = 0; row < batches * tall; row++) {
    const start = (Math.floor(row / tall) * height + rows[row % tall]) * width;
    for (let column = 0; column < wide; column++) {
      let i = (start + columns[column]) * depth;
      for (const end = k + depth; k < end; k++) y[k] = x[i++];
    }
  }
}

interface Resize {
  x: Tensor;
  y: Tensor;
  corners: boolean;
  centers: boolean;
}

function resize(node: Node, types: string, table: string, p: Preparation): Resize {
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const size = constantInts(input(node, 1, p), 'the size', p);
  const options = p.options(table);
  expectInputs(node, 2, p);
  expectType(input(node, 1, p), 'INT32', 'the size', p);
  expectType(x, types, 'the input', p);
  expectType(y, x.type, 'the output', p);
  expectRank(x, 4, 'the input', p);
  if (size.length !== 2 || size[0] < 1 || size[1] < 1)
    p.fail('the size must be two positive numbers, but it is [' + size.join() + ']');
  expectShape(y, [x.shape[0], size[0], size[1], x.shape[3]], 'the output', p);
  return {
    x: x,
    y: y,
    corners: options.align_corners as boolean,
    centers: options.half_pixel_centers as boolean,
  };
}

/** Float32 ratio of input to output elements. */
function ratio(from: number, to: number, corners: boolean): number {
  return corners && to > 1 ? fround((from - 1) / (to - 1)) : fround(from / to);
}

/** For every output element, the two input elements that it lies between, and how far it is from the first. */
function neighbours(
  from: number,
  to: number,
  r: Resize,
  whole: boolean,
): { indices: Int32Array; fractions: Float32Array } {
  const indices = new Int32Array(2 * to);
  const fractions = new Float32Array(to);
  const less = r.corners && to > 1 ? 1 : 0;
  const scale = whole
    ? Math.floor((1024 * (from - less) + Math.floor((to - less) / 2)) / (to - less))
    : ratio(from, to, r.corners);
  for (let i = 0; i < to; i++) {
    let at = i * scale;
    if (whole) at = (r.centers ? at + Math.floor(scale / 2) - 512 : at) / 1024;
    else at = r.centers ? fround(fround(fround(i + 0.5) * scale) - 0.5) : fround(at);
    const low = Math.max(Math.floor(at), 0);
    indices[2 * i] = Math.min(low, from - 1);
    indices[2 * i + 1] = Math.min(Math.max(Math.ceil(at), 0), from - 1);
    fractions[i] = at - low;
  }
  return { indices: indices, fractions: fractions };
}

function prepareBilinear(node: Node, p: Preparation): void {
  const r = resize(node, 'FLOAT32 INT8 UINT8 INT16', RESIZE_BILINEAR_OPTIONS, p);
  const from = r.x.shape;
  const to = r.y.shape;
  if (r.corners && r.centers) p.fail('align_corners and half_pixel_centers exclude each other');
  const whole = r.x.type !== 'FLOAT32';
  const rows = neighbours(from[1], to[1], r, whole);
  const columns = neighbours(from[2], to[2], r, whole);
  p.step(resizeBilinear, [
    r.x,
    r.y,
    from[0],
    from[1],
    from[2],
    from[3],
    to[1],
    to[2],
    rows.indices,
    rows.fractions,
    columns.indices,
    columns.fractions,
    whole ? 1 : 0,
  ]);
}

/** For every output element, the input element nearest to it. */
function nearest(from: number, to: number, r: Resize): Int32Array {
  const indices = new Int32Array(to);
  const scale = ratio(from, to, r.corners);
  for (let i = 0; i < to; i++) {
    const at = fround((r.centers ? i + 0.5 : i) * scale);
    indices[i] = Math.min(r.corners ? roundAway(at) : Math.floor(at), from - 1);
  }
  return indices;
}

function prepareNearest(node: Node, p: Preparation): void {
  const r = resize(node, 'FLOAT32 INT8 UINT8 BOOL INT16 INT32 INT64', RESIZE_NEAREST_NEIGHBOR_OPTIONS, p);
  const from = r.x.shape;
  const to = r.y.shape;
  const bytes = elementBytes(r.x.type);
  const type = bytes === 1 ? 'INT8' : bytes === 2 ? 'INT16' : 'INT32';
  const words = bytes > 4 ? 2 : 1;
  const args: Argument[] = [
    { of: r.x, type: type, offset: 0, length: words * r.x.length },
    { of: r.y, type: type, offset: 0, length: words * r.y.length },
  ];
  p.step(
    resizeNearest,
    args.concat([
      from[0],
      from[1],
      from[2],
      words * from[3],
      to[1],
      to[2],
      nearest(from[1], to[1], r),
      nearest(from[2], to[2], r),
    ]),
  );
}

export const resizeOperators: Operators = {
  RESIZE_BILINEAR: prepareBilinear,
  RESIZE_NEAREST_NEIGHBOR: prepareNearest,
};
