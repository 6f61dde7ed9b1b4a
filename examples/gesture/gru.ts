/**
 * A GRU over whole recordings and its gradient, in plain typed arrays. TensorFlow.js's pure JavaScript backend spends
 * most of its time between operators when each works on one reading of some twenty units; as one operator of its own
 * (network.ts) the recurrence trains many times as fast.
 *
 *     z = σ(x·Wz + bz + s·Uz + cz)    r = σ(x·Wr + br + s·Ur + cr)
 *     n = tanh(x·Wn + bn + r ⊙ (s·Un + cn))
 *     h ← n + z ⊙ (h − n)             s = m ⊙ h before the step, with the dropout mask m
 *
 * Arrays are row-major; gates come one after the other, z, r, n. Recordings lie one after the other, without padding.
 * Sums are kept in double precision: conversions would take longer than the arithmetic.
 */

/** W [inputs, 3·units], b [3·units], U [units, 3·units], c [3·units]. */
export interface GruParameters {
  w: Float32Array;
  b: Float32Array;
  u: Float32Array;
  c: Float32Array;
}

/** Readings of several recordings. */
export interface Sequences {
  /** [readings, inputs]. */
  x: Float32Array;
  /** First reading of each recording, then the number of all. */
  starts: number[];
  /** Dropout mask [recordings, units], null for none. */
  mask: Float32Array | null;
}

/** What the backward pass needs: all [readings, units]. */
export interface GruTrace {
  h: Float32Array;
  z: Float32Array;
  r: Float32Array;
  n: Float32Array;
  /** s·Un + cn. */
  inner: Float32Array;
  /** State that the recurrence saw. */
  s: Float32Array;
}

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

/** result = matrix · vector. */
function multiply(matrix: Float64Array, vector: Float64Array, result: Float64Array): void {
  const columns = vector.length;
  const part = result.length / 3;
  const second = part * columns;
  const third = 2 * second;
  for (let j = 0; j < part; j++) {
    let a = 0;
    let b = 0;
    let c = 0;
    for (let i = 0, at = j * columns; i < columns; i++, at++) {
      const value = vector[i];
      a += value * matrix[at];
      b += value * matrix[second + at];
      c += value * matrix[third + at];
    }
    result[j] = a;
    result[part + j] = b;
    result[2 * part + j] = c;
  }
}

/** Every reading's state, from the state 0 at the start of each recording. */
export function gruForward(parameters: GruParameters, sequences: Sequences, units: number): GruTrace {
  const { w, b, u, c } = parameters;
  const { x, starts, mask } = sequences;
  const gates = 3 * units;
  const inputs = w.length / gates;
  const make = (): Float32Array => new Float32Array(starts[starts.length - 1] * units);
  const trace: GruTrace = { h: make(), z: make(), r: make(), n: make(), inner: make(), s: make() };
  // [3·units, units], so that each sum runs along a row
  const rows = new Float64Array(u.length);
  for (let i = 0; i < units; i++) for (let k = 0; k < gates; k++) rows[k * units + i] = u[i * gates + k];
  const a = new Float64Array(gates);
  const g = new Float64Array(gates);
  const state = new Float64Array(units);
  for (let m = 0; m + 1 < starts.length; m++) {
    for (let t = starts[m]; t < starts[m + 1]; t++) {
      const at = t * units;
      const first = t === starts[m];
      for (let i = 0; i < units; i++) {
        const old = first ? 0 : trace.h[at - units + i];
        state[i] = trace.s[at + i] = mask ? old * mask[m * units + i] : old;
      }
      for (let k = 0; k < gates; k++) a[k] = b[k];
      for (let i = 0; i < inputs; i++) {
        const value = x[t * inputs + i];
        for (let k = 0, from = i * gates; k < gates; k++, from++) a[k] += value * w[from];
      }
      multiply(rows, state, g);
      for (let j = 0; j < units; j++) {
        const inner = g[2 * units + j] + c[2 * units + j];
        const z = sigmoid(a[j] + g[j] + c[j]);
        const r = sigmoid(a[units + j] + g[units + j] + c[units + j]);
        // tanh
        const n = 2 * sigmoid(2 * (a[2 * units + j] + r * inner)) - 1;
        trace.z[at + j] = z;
        trace.r[at + j] = r;
        trace.n[at + j] = n;
        trace.inner[at + j] = inner;
        trace.h[at + j] = n + z * ((first ? 0 : trace.h[at - units + j]) - n);
      }
    }
  }
  return trace;
}

/** sums [columns, width] += Σ over readings of left [readings, columns] ⊗ right [readings, width]. */
function addProducts(left: Float32Array, right: Float64Array, width: number, sums: Float64Array): void {
  const columns = sums.length / width;
  const readings = right.length / width;
  let t = 0;
  // four readings at a time: a fourth of the sums' loads and stores
  for (; t + 4 <= readings; t += 4) {
    const r0 = t * width;
    const r1 = r0 + width;
    const r2 = r1 + width;
    const r3 = r2 + width;
    for (let i = 0; i < columns; i++) {
      const at = t * columns + i;
      const v0 = left[at];
      const v1 = left[at + columns];
      const v2 = left[at + 2 * columns];
      const v3 = left[at + 3 * columns];
      for (let k = 0, to = i * width; k < width; k++, to++)
        sums[to] += v0 * right[r0 + k] + v1 * right[r1 + k] + v2 * right[r2 + k] + v3 * right[r3 + k];
    }
  }
  for (; t < readings; t++)
    for (let i = 0; i < columns; i++)
      for (let k = 0; k < width; k++) sums[i * width + k] += left[t * columns + i] * right[t * width + k];
}

/**
 * Gradients of the parameters.
 * @param dh gradient of every reading's state by what follows the GRU, [readings, units]
 */
export function gruBackward(
  parameters: GruParameters,
  sequences: Sequences,
  units: number,
  trace: GruTrace,
  dh: Float32Array,
): GruParameters {
  const { x, starts, mask } = sequences;
  const gates = 3 * units;
  const readings = starts[starts.length - 1];
  const u = Float64Array.from(parameters.u);
  const later = new Float64Array(units);
  // by the gates' sums over the inputs, and over the state: they differ in n alone
  const da = new Float64Array(readings * gates);
  const dg = new Float64Array(readings * gates);
  for (let m = 0; m + 1 < starts.length; m++) {
    later.fill(0);
    for (let t = starts[m + 1] - 1; t >= starts[m]; t--) {
      const first = t === starts[m];
      const forZ = t * gates;
      const forR = forZ + units;
      const forN = forR + units;
      for (let i = 0, at = t * units; i < units; i++, at++) {
        const z = trace.z[at];
        const r = trace.r[at];
        const n = trace.n[at];
        const d = dh[at] + later[i];
        const old = first ? 0 : trace.h[at - units];
        const dn = d * (1 - z) * (1 - n * n);
        da[forZ + i] = dg[forZ + i] = d * (old - n) * z * (1 - z);
        da[forR + i] = dg[forR + i] = dn * trace.inner[at] * r * (1 - r);
        da[forN + i] = dn;
        dg[forN + i] = dn * r;
        later[i] = d * z;
      }
      for (let i = 0; !first && i < units; i++) {
        let z = 0;
        let r = 0;
        let n = 0;
        for (let k = 0, at = i * gates; k < units; k++, at++) {
          z += u[at] * dg[forZ + k];
          r += u[at + units] * dg[forR + k];
          n += u[at + 2 * units] * dg[forN + k];
        }
        later[i] += (z + r + n) * (mask ? mask[m * units + i] : 1);
      }
    }
  }
  const inputs = parameters.w.length / gates;
  const sums = [inputs, 1, units, 1].map((columns) => new Float64Array(columns * gates));
  const ones = new Float32Array(readings).fill(1);
  addProducts(x, da, gates, sums[0]);
  addProducts(ones, da, gates, sums[1]);
  addProducts(trace.s, dg, gates, sums[2]);
  addProducts(ones, dg, gates, sums[3]);
  const [w, b, du, c] = sums.map((sum) => Float32Array.from(sum));
  return { w, b, u: du, c };
}
