/**
 * Elementwise kernels for an interpreter of source text: operands of one shape, fewest tokens per element, everything
 * that can be is computed when packing. They give the bits of ops/arithmetic.ts and ops/gates.ts. Working variables are
 * parameters, see dense.ts.
 */

declare const E: {
  mapInPlace(from: ArrayLike<number>, to: ArrayLike<number>, map: ArrayLike<number>): void;
};

/** Kernel: y = a + b. */
export function addFloat32(n: number, a: Float32Array, b: Float32Array, y: Float32Array): void {
  while (n--) y[n] = a[n] + b[n];
}

/** Kernel: y = a − b. */
export function subFloat32(n: number, a: Float32Array, b: Float32Array, y: Float32Array): void {
  while (n--) y[n] = a[n] - b[n];
}

/** Kernel: y = a · b. */
export function mulFloat32(n: number, a: Float32Array, b: Float32Array, y: Float32Array): void {
  while (n--) y[n] = a[n] * b[n];
}

/** Kernel: σ(x). */
export function sigmoidFloat32(n: number, v: number, x: Float32Array, y: Float32Array): void {
  const exp = Math.exp;
  while (n--) y[n] = (v = x[n]) < -9 ? exp(v) : 1 / (1 + exp(-v));
}

/** Kernel: tanh(x). */
export function tanhFloat32(n: number, v: number, e: number, x: Float32Array, y: Float32Array): void {
  const exp = Math.exp;
  while (n--) {
    v = x[n];
    e = exp(v < 0 ? v + v : -v - v);
    y[n] = (v < 0 ? -v : v) < 0.0001 ? v : (v < 0 ? e - 1 : 1 - e) / (1 + e);
  }
}

/**
 * Kernel, int8: as addQuantized where b needs no second rounding; a difference where gb is negative. v is the sum in
 * units of the wider term.
 */
export function addInt8Linear(
  n: number,
  v: number,
  a: Int8Array,
  b: Int8Array,
  y: Int8Array,
  fa: number,
  fb: number,
  offset: number,
  m: number,
  plus: number,
  minus: number,
  min: number,
  max: number,
): void {
  while (n--) {
    v = a[n] * fa + b[n] * fb + offset;
    v = ((v * m + (v < 0 ? minus : plus)) | 0) - 4096;
    y[n] = v < min ? min : v > max ? max : v;
  }
}

/** Kernel, int8: as addQuantized; the second term is floor(b·fb + ob) after one rounding, and halved with another one. */
export function addInt8Rounded(
  n: number,
  v: number,
  a: Int8Array,
  b: Int8Array,
  y: Int8Array,
  fa: number,
  oa: number,
  fb: number,
  ob: number,
  shift: number,
  half: number,
  sign: number,
  m: number,
  plus: number,
  minus: number,
  min: number,
  max: number,
): void {
  while (n--) {
    v = Math.floor(b[n] * fb + ob);
    v = a[n] * fa + oa + sign * ((v + half - +(v < 0)) >> shift);
    v = ((v * m + (v < 0 ? minus : plus)) | 0) - 4096;
    y[n] = v < min ? min : v > max ? max : v;
  }
}

/** Kernel, int8: the product, requantized. */
export function mulInt8(
  n: number,
  v: number,
  a: Int8Array,
  b: Int8Array,
  y: Int8Array,
  za: number,
  zb: number,
  m: number,
  plus: number,
  minus: number,
  min: number,
  max: number,
): void {
  while (n--) {
    v = (a[n] - za) * (b[n] - zb);
    v = ((v * m + (v < 0 ? minus : plus)) | 0) - 4096;
    y[n] = v < min ? min : v > max ? max : v;
  }
}

/**
 * Kernel, int8: the sum in units of y, without the roundings in between, through a clamping array as in denseInt8Table.
 * `engram pack` takes it where all pairs of operands give the bits of addQuantized.
 */
export function addInt8Table(
  n: number,
  v: number,
  a: Int8Array,
  b: Int8Array,
  y: Int8Array,
  fa: number,
  fb: number,
  offset: number,
  plus: number,
  minus: number,
  u: Uint8ClampedArray,
  table: Uint8Array,
): void {
  while (n--) u[n] = (v = a[n] * fa + b[n] * fb + offset) + (v < 0 ? minus : plus);
  E.mapInPlace(u, y, table);
}

/** Kernel, int8: the product, requantized through a clamping array. */
export function mulInt8Table(
  n: number,
  v: number,
  a: Int8Array,
  b: Int8Array,
  y: Int8Array,
  za: number,
  zb: number,
  m: number,
  plus: number,
  minus: number,
  u: Uint8ClampedArray,
  table: Uint8Array,
): void {
  while (n--) u[n] = (v = (a[n] - za) * (b[n] - zb)) * m + (v < 0 ? minus : plus);
  E.mapInPlace(u, y, table);
}
