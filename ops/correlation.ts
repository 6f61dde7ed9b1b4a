/** The geometry of operators that sum products of inputs and weights, and the choice between combinations of types. */
import { Argument, Node, Preparation, Tensor } from '../lib/graph';
import { describe } from '../lib/tensor';
import { expectRank, expectShape, input, optional, output } from './checks';
import { windows } from './window';

/**
 * A sum of products of inputs and weights for each output, in the most general form: CONV_2D with groups,
 * DEPTHWISE_CONV_2D (a group for each channel), TRANSPOSE_CONV and FULLY_CONNECTED (one place, one tap).
 *
 * Output (oy, ox, unit) sums over taps (ky, kx) and i < filterDepth
 *     x[iy, ix, ⌊unit / unitsPerGroup⌋ · filterDepth + i] · w[unit · wUnit + (ky · filterWidth + kx) · wTap + i]
 * with iy = (oy · strideY − padY + ky · dilationY) / divideY where that is a whole number within the image, ix likewise.
 */
export interface Correlation {
  x: Tensor;
  w: Tensor;
  b: Tensor | null;
  y: Tensor;
  /** Fused activation. */
  activation: number;
  batches: number;
  height: number;
  width: number;
  depth: number;
  outHeight: number;
  outWidth: number;
  units: number;
  unitsPerGroup: number;
  filterHeight: number;
  filterWidth: number;
  filterDepth: number;
  strideY: number;
  strideX: number;
  padY: number;
  padX: number;
  dilationY: number;
  dilationX: number;
  divideY: number;
  divideX: number;
  wUnit: number;
  wTap: number;
  /** The operator's name and version, and what only some of them have. */
  op: string;
  version: number;
  /** quantized_bias_type: the accumulator's type when there is no bias. */
  biasType: number;
  asymmetric: boolean;
}

/**
 * Prepares a correlation of types that an operator does not take itself; false when these are not its types either.
 * Families of operators are made with a list of these, so that a build may leave rare types out.
 */
export type OtherTypes = (c: Correlation, p: Preparation) => boolean;

/** Lets the other types have a correlation, and fails if none of them takes it. */
export function prepareOthers(c: Correlation, others: OtherTypes[], p: Preparation): void {
  for (let i = 0; i < others.length; i++) if (others[i](c, p)) return;
  p.fail(
    'no kernel takes ' +
      c.x.type +
      ' input with ' +
      c.w.type +
      ' weights and ' +
      c.y.type +
      ' output: expected all FLOAT32, or INT8 with INT8 or INT4 weights' +
      (others.length ? ', or INT16 or FLOAT32 with INT8 weights' : ''),
  );
}

/** The geometry as kernels take it; the first 17 numbers are enough for a convolution with its own layout of weights. */
export function geometryOf(c: Correlation): Argument[] {
  return [
    c.batches,
    c.height,
    c.width,
    c.depth,
    c.outHeight,
    c.outWidth,
    c.units,
    c.unitsPerGroup,
    c.filterHeight,
    c.filterWidth,
    c.filterDepth,
    c.strideY,
    c.strideX,
    c.padY,
    c.padX,
    c.dilationY,
    c.dilationX,
    c.divideY,
    c.divideX,
    c.wUnit,
    c.wTap,
  ];
}

/** Whether input, weights and output are of these types. */
export function typesAre(c: Correlation, x: string, w: string, y: string): boolean {
  return c.x.type === x && w.split(' ').indexOf(c.w.type) >= 0 && c.y.type === y;
}

/** Fails because the shapes of input, weights and output do not fit each other. */
export function misfit(operands: Tensor[], expected: string, p: Preparation): never {
  const names: string[] = [];
  for (let i = 0; i < operands.length; i++) names.push(describe(operands[i]));
  return p.fail(names.join(', ') + ' do not fit each other: expected ' + expected);
}

/**
 * One dot product over `depth` elements for each unit: what other geometries start from. Checks the number of operands.
 * @param bias the input that is the bias, the last one
 */
export function denseCorrelation(
  node: Node,
  bias: number,
  x: Tensor,
  w: Tensor,
  y: Tensor,
  units: number,
  depth: number,
  p: Preparation,
): Correlation {
  if (node.inputs.length > bias + 1 || node.outputs.length !== 1) {
    p.fail(
      'expected up to ' +
        (bias + 1) +
        ' inputs and one output, but it has ' +
        node.inputs.length +
        ' and ' +
        node.outputs.length,
    );
  }
  return {
    x: x,
    w: w,
    b: optional(node, bias),
    y: y,
    activation: 0,
    batches: x.length / depth,
    height: 1,
    width: 1,
    depth: depth,
    outHeight: 1,
    outWidth: 1,
    units: units,
    unitsPerGroup: units,
    filterHeight: 1,
    filterWidth: 1,
    filterDepth: depth,
    strideY: 1,
    strideX: 1,
    padY: 0,
    padX: 0,
    dilationY: 1,
    dilationX: 1,
    divideY: 1,
    divideX: 1,
    wUnit: depth,
    wTap: depth,
    op: node.op,
    version: node.version,
    biasType: 0,
    asymmetric: false,
  };
}

/**
 * The geometry of CONV_2D and DEPTHWISE_CONV_2D: checks ranks, channels and the output's shape.
 * @param table the operator's options
 * @param channel the dimension of the weights that holds the output's channels
 */
export function windowCorrelation(node: Node, table: string, channel: number, p: Preparation): Correlation {
  const options = p.options(table);
  const x = input(node, 0, p);
  const w = input(node, 1, p);
  const y = output(node, 0, p);
  expectRank(x, 4, 'the input', p);
  expectRank(w, 4, 'the weights', p);
  const units = w.shape[channel];
  const depth = x.shape[3];
  const filterDepth = channel ? 1 : w.shape[3];
  const groups = depth / filterDepth;
  if (!(groups >= 1 && depth % filterDepth === 0 && units % groups === 0 && (!channel || w.shape[0] === 1))) {
    misfit(
      [x, w, y],
      channel
        ? '[..., depth], [1, ..., units], units a multiple of depth'
        : '[..., depth], [units, ..., depth / groups]',
      p,
    );
  }
  const c = denseCorrelation(node, 2, x, w, y, units, depth, p);
  c.activation = options.fused_activation_function as number;
  c.biasType = options.quantized_bias_type as number;
  c.batches = x.shape[0];
  c.height = x.shape[1];
  c.width = x.shape[2];
  c.unitsPerGroup = units / groups;
  c.filterHeight = w.shape[1];
  c.filterWidth = w.shape[2];
  c.filterDepth = filterDepth;
  c.strideY = options.stride_h as number;
  c.strideX = options.stride_w as number;
  c.dilationY = options.dilation_h_factor as number;
  c.dilationX = options.dilation_w_factor as number;
  const padding = options.padding as number;
  const rows = windows(c.height, c.filterHeight, c.strideY, c.dilationY, padding, p);
  const columns = windows(c.width, c.filterWidth, c.strideX, c.dilationX, padding, p);
  c.outHeight = rows.count;
  c.outWidth = columns.count;
  c.padY = rows.before;
  c.padX = columns.before;
  c.wUnit = channel ? 1 : w.length / units;
  c.wTap = w.shape[3];
  expectShape(y, [c.batches, c.outHeight, c.outWidth, units], 'the output', p);
  return c;
}
