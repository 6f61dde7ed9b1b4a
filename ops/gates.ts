/**
 * Sigmoid and tanh as LOGISTIC, TANH and the gates of LSTMs compute them.
 *
 * int16 (tensorflow/lite/kernels/internal/reference/integer_ops/logistic.h and tanh.h): a table of sigmoid(i / 24)
 * with 16 fractional bits, interpolated linearly; tanh(x) is 2 · sigmoid(2x) − 1 on the same table. Outputs have 15
 * fractional bits.
 */

let shared: Uint16Array | null = null;

/**
 * The 256 entries of sigmoid(i / 24) · 2¹⁶ that the int16 kernels interpolate; one array, shared by all who ask.
 * TFLM's entries were rounded less well than round() does: 44 are one higher. Those before 255 are the bits below.
 */
export function sigmoidTable(): Uint16Array {
  if (shared) return shared;
  const higher = [-92548848, -1069122642, 541327365, 1114256, 128];
  const table = new Uint16Array(256);
  for (let i = 0; i < 256; i++) {
    const sigmoid = 65536 / (1 + Math.exp(-i / 24));
    table[i] = Math.floor(sigmoid + 0.5) + (i < 160 ? (higher[i >> 5] >>> (i & 31)) & 1 : 0);
  }
  table[255]++;
  shared = table;
  return table;
}

/**
 * Kernel: int16 sigmoid. x · multiplier · 2^−shift counts in units of 1/12288, that is 1/512 of a table entry:
 * multiplier 3 and shift 0 where x has 12 fractional bits (the gates of LSTMs).
 * x and y may be the same array.
 */
export function sigmoidInt16(
  x: Int16Array,
  y: Int16Array,
  table: Uint16Array,
  n: number,
  multiplier: number,
  shift: number,
): void {
  const round = shift ? 1 << (shift - 1) : 0;
  for (let i = 0; i < n; i++) {
    const value = (x[i] * multiplier + round) >> shift;
    const size = value < 0 ? -value : value;
    const at = size >>> 9;
    const sum = at < 255 ? table[at] * 512 + (size & 511) * (table[at + 1] - table[at]) : 33553408;
    y[i] = (value < 0 ? 33554943 - sum : sum + 512) >> 10;
  }
}

/** Kernel: int16 tanh; arguments as for `sigmoidInt16`. x and y may be the same array. */
export function tanhInt16(
  x: Int16Array,
  y: Int16Array,
  table: Uint16Array,
  n: number,
  multiplier: number,
  shift: number,
): void {
  const round = shift ? 1 << (shift - 1) : 0;
  for (let i = 0; i < n; i++) {
    const value = (x[i] * multiplier + round) >> shift;
    const size = value < 0 ? -value : value;
    const at = size >>> 8;
    const sum = at < 255 ? table[at] * 256 + (size & 255) * (table[at + 1] - table[at]) : 16776960;
    y[i] = (value < 0 ? 8388735 - sum : sum - 8388480) >> 8;
  }
}

/** What the int16 kernels need to bring an input of any scale to units of 1/12288. */
export interface GateScale {
  multiplier: number;
  shift: number;
}

/**
 * For an input whose scale is 2^power: as TFLM's LSTM scales its cell for tanh (power = log2 of the cell's scale).
 */
export function gateScaleOfPower(power: number): GateScale {
  const shift = 12 + power;
  return shift < 0 ? { multiplier: 3, shift: -shift } : { multiplier: 3 << shift, shift: 0 };
}

/** log₂ of a scale that is a power of two to within 0.1 %, as TFLM's CheckedLog2 sees it; else NaN. */
export function powerOf(scale: number): number {
  const log = Math.log(scale) / Math.LN2;
  const power = Math.floor(log + 0.5);
  return log - power < 0.001 && power - log < 0.001 ? power : NaN;
}

/**
 * For an input of any scale, as LOGISTIC and TANH prepare it. `maxShift` is the highest s for which a scale of
 * 2^(s − 12) is taken as a power of two: 0 for LOGISTIC, 1 for TANH.
 */
export function gateScale(scale: number, maxShift: number): GateScale {
  const power = powerOf(scale) + 12;
  if (power >= 0 && power <= maxShift) return { multiplier: 3 << power, shift: 0 };
  let multiplier = scale * 12288;
  let shift = 0;
  while (multiplier <= 16383.5 && shift <= 30) {
    shift++;
    multiplier *= 2;
  }
  return { multiplier: Math.floor(multiplier), shift: shift };
}

/** Kernel: float32 sigmoid; below −9 it is exp(x), as in TFLM. x and y may be the same array. */
export function sigmoidFloat32(x: Float32Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const value = x[i];
    y[i] = value < -9 ? Math.exp(value) : 1 / (1 + Math.exp(-value));
  }
}

/** tanh of a number, to float32's accuracy: Espruino has no Math.tanh. */
export function tanh(x: number): number {
  const size = x < 0 ? -x : x;
  if (size < 0.0001) return x;
  const e = Math.exp(-2 * size);
  return (x < 0 ? e - 1 : 1 - e) / (1 + e);
}

/** Kernel: float32 tanh. x and y may be the same array. */
export function tanhFloat32(x: Float32Array, y: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) y[i] = tanh(x[i]);
}
