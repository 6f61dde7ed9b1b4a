/**
 * Elementwise int8 kernels for an interpreter of source text: operands of one shape, fewest tokens per element, everything
 * that can be is computed when packing. They give the bits of ops/arithmetic.ts. Working variables are parameters, see
 * dense.ts. Those of float32 are written when packing, see tools/pack/fusion.ts.
 */

/**
 * Kernel, int8: the sum in units of y, without the roundings in between. y is a clamping array, for a table to follow, or
 * int8 where no sum goes beyond it: `c` then brings a multiple of 256, so that cutting off the fraction rounds down.
 * `engram pack` takes it where all pairs of operands give the bits of addQuantized. (y is no list, but written like one.)
 */
export function addInt8(
  n: number,
  y: number[],
  a: Int8Array,
  b: Int8Array,
  fa: number,
  fb: number,
  c: number,
): void {
  while (n--) y[n] = a[n] * fa + b[n] * fb + c;
}

/** Kernel, int8: the product, requantized; y as in addInt8. */
export function mulInt8(
  n: number,
  v: number,
  y: number[],
  a: Int8Array,
  b: Int8Array,
  za: number,
  zb: number,
  m: number,
  minus: number,
  plus: number,
): void {
  while (n--) y[n] = (v = (a[n] - za) * (b[n] - zb)) * m + (v < 0 ? minus : plus);
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

/** Kernel, int8: the product, requantized and cut off. */
export function mulInt8Cut(
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
