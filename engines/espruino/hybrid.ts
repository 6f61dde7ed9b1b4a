/** FLOAT32 input with INT8 weights on Espruino: ops/hybrid.ts for one row. */

/**
 * Kernel: quantizes a row of at most 256 elements, as quantizeRows; `f` is room for one float32, which rounds.
 * Working variables: v, low, high, zero.
 */
export function quantizeRow(
  i: number,
  v: number,
  x: Float32Array,
  f: Float32Array,
  q: Int8Array,
  zero: number,
  low: number,
  high: number,
  scales: Float32Array,
  zeros: Int32Array,
  asymmetric: number,
): void {
  low = Math.min(0, Math.min.apply(null, x as unknown as number[]));
  high = Math.max(0, Math.max.apply(null, x as unknown as number[]));
  f[0] = 0;
  scales[0] = 1;
  if (low !== high) {
    if (asymmetric) {
      v = (high - low) / 255;
      zero = 128 - low / v < 127 + high / v ? -128 - low / v : 127 - high / v;
      zero = zero <= -128 ? -128 : zero >= 127 ? 127 : zero < 0 ? -((0.5 - zero) | 0) : (zero + 0.5) | 0;
      scales[0] = v;
      f[0] = 1 / scales[0];
    } else {
      high = Math.max(high, -low);
      scales[0] = high / 127;
      f[0] = 127 / high;
    }
  }
  zeros[0] = zero;
  low = f[0];
  while (i--) {
    f[0] = x[i] * low;
    f[0] += zero;
    v = f[0];
    v = v < 0 ? -((0.5 - v) | 0) : (v + 0.5) | 0;
    q[i] = v > 127 ? 127 : v < -128 ? -128 : v;
  }
}

/** Kernel: y = (s − zero · sum of the unit's weights) · unit scale · scale + b. */
export function scaleSums(
  i: number,
  s: ArrayLike<number>,
  w: Int32Array,
  m: Float32Array,
  b: Float32Array,
  y: Float32Array,
  zero: number,
  scale: number,
  scales: Float32Array,
  zeros: Int32Array,
): void {
  zero = zeros[0];
  scale = scales[0];
  while (i--) y[i] = (s[i] - w[i] * zero) * m[i] * scale + b[i];
}
