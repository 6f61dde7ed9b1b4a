/** Recurrent operators on Espruino. Working variables are parameters, see dense.ts. */

declare const E: {
  convolve(a: ArrayLike<number>, b: ArrayLike<number>, offset: number): number;
  mapInPlace(from: ArrayLike<number>, to: ArrayLike<number>, map: ArrayLike<number>): void;
};

/**
 * Kernel: SVDF of rank 1 from its features on, int8 or int16: as svdfInt8 of ops/svdf.ts. A row of the state is a view
 * made for the moment: kept ones are 12% faster, and take two variables each. Sums wrap at 32 bits. `at` is the last element of the state;
 * `minus` and `plus` as in denseInt8Table.
 */
export function svdfInt8(
  j: number,
  v: number,
  at: number,
  memory: number,
  state: Int8Array | Int16Array,
  w: Int8Array | Int16Array,
  features: Int8Array | Int16Array,
  b: Int32Array,
  m: number,
  minus: number,
  plus: number,
  u: Uint8ClampedArray,
  next: Int8Array | Int16Array,
  y: Int8Array,
  table: Int8Array,
): void {
  const convolve = E.convolve;
  state.set(next);
  while (j--) {
    state[at] = features[j];
    v = at + 1;
    at -= memory;
    u[j] = (v = (convolve(state.subarray(at + 1, v), w, at + 1) + b[j]) | 0) * m + (v < 0 ? minus : plus);
  }
  E.mapInPlace(u, y, table);
}

/** Kernel: the same of any rank: `size` elements of the state to a unit, `f` features in all. */
export function svdfRanksInt8(
  j: number,
  v: number,
  at: number,
  size: number,
  state: Int8Array | Int16Array,
  w: Int8Array | Int16Array,
  f: number,
  features: Int8Array | Int16Array,
  b: Int32Array,
  m: number,
  minus: number,
  plus: number,
  memory: number,
  u: Uint8ClampedArray,
  next: Int8Array | Int16Array,
  y: Int8Array,
  table: Int8Array,
): void {
  const convolve = E.convolve;
  state.set(next);
  v = at;
  while (f--) {
    state[v] = features[f];
    v -= memory;
  }
  at++;
  while (j--) {
    at -= size;
    u[j] = (v = (convolve(state.subarray(at, at + size), w, at) + b[j]) | 0) * m + (v < 0 ? minus : plus);
  }
  E.mapInPlace(u, y, table);
}

/** Kernel: float32 SVDF of rank 1 without an activation, as svdfInt8. */
export function svdfFloat32(
  j: number,
  at: number,
  memory: number,
  state: Float32Array,
  w: Float32Array,
  features: Float32Array,
  y: Float32Array,
  b: Float32Array,
  next: Float32Array,
): void {
  const convolve = E.convolve;
  state.set(next);
  while (j--) {
    state[at] = features[j];
    at -= memory;
    y[j] = convolve(state.subarray(at + 1, at + 1 + memory), w, at + 1) + b[j];
  }
}
