/**
 * A GRU over whole recordings and its gradient, in plain typed arrays. TensorFlow.js's pure JavaScript backend spends
 * most of its time between operators when each works on one reading of some twenty units; as one operator of its own
 * (network.ts) the recurrence trains several times as fast.
 *
 *     z = σ(x·Wz + bz + s·Uz + cz)    r = σ(x·Wr + br + s·Ur + cr)
 *     n = tanh(x·Wn + bn + r ⊙ (s·Un + cn))
 *     h ← n + z ⊙ (h − n)             s = m ⊙ h before the step, with the dropout mask m
 *
 * Arrays are row-major; gates come one after the other, z, r, n. Recordings lie one after the other, without padding.
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
}

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

/** Every reading's state, from the state 0 at the start of each recording. */
export function gruForward(parameters: GruParameters, sequences: Sequences, units: number): GruTrace {
  const { w, b, u, c } = parameters;
  const { x, starts, mask } = sequences;
  const gates = 3 * units;
  const inputs = w.length / gates;
  const readings = starts[starts.length - 1];
  const make = (): Float32Array => new Float32Array(readings * units);
  const trace: GruTrace = { h: make(), z: make(), r: make(), n: make(), inner: make() };
  const a = new Float32Array(gates);
  const g = new Float32Array(gates);
  for (let s = 0; s + 1 < starts.length; s++) {
    for (let t = starts[s]; t < starts[s + 1]; t++) {
      const before = t > starts[s] ? (t - 1) * units : -1;
      for (let k = 0; k < gates; k++) {
        a[k] = b[k];
        g[k] = c[k];
      }
      for (let i = 0; i < inputs; i++) {
        const value = x[t * inputs + i];
        for (let k = 0, at = i * gates; k < gates; k++) a[k] += value * w[at + k];
      }
      for (let i = 0; before >= 0 && i < units; i++) {
        const value = trace.h[before + i] * (mask ? mask[s * units + i] : 1);
        if (value) for (let k = 0, at = i * gates; k < gates; k++) g[k] += value * u[at + k];
      }
      for (let i = 0, at = t * units; i < units; i++, at++) {
        const z = sigmoid(a[i] + g[i]);
        const r = sigmoid(a[units + i] + g[units + i]);
        const n = Math.tanh(a[2 * units + i] + r * g[2 * units + i]);
        trace.z[at] = z;
        trace.r[at] = r;
        trace.n[at] = n;
        trace.inner[at] = g[2 * units + i];
        trace.h[at] = n + z * ((before >= 0 ? trace.h[before + i] : 0) - n);
      }
    }
  }
  return trace;
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
  const { u } = parameters;
  const { x, starts, mask } = sequences;
  const gates = 3 * units;
  const inputs = parameters.w.length / gates;
  const zero = (like: Float32Array): Float32Array => new Float32Array(like.length);
  const grads = { w: zero(parameters.w), b: zero(parameters.b), u: zero(u), c: zero(parameters.c) };
  const later = new Float32Array(units);
  const da = new Float32Array(gates);
  const dg = new Float32Array(gates);
  for (let s = 0; s + 1 < starts.length; s++) {
    later.fill(0);
    for (let t = starts[s + 1] - 1; t >= starts[s]; t--) {
      const before = t > starts[s] ? (t - 1) * units : -1;
      for (let i = 0, at = t * units; i < units; i++, at++) {
        const z = trace.z[at];
        const r = trace.r[at];
        const n = trace.n[at];
        const d = dh[at] + later[i];
        const old = before >= 0 ? trace.h[before + i] : 0;
        const dn = d * (1 - z) * (1 - n * n);
        const dr = dn * trace.inner[at] * r * (1 - r);
        const dz = d * (old - n) * z * (1 - z);
        da[i] = dg[i] = dz;
        da[units + i] = dg[units + i] = dr;
        da[2 * units + i] = dn;
        dg[2 * units + i] = dn * r;
        later[i] = d * z;
      }
      for (let k = 0; k < gates; k++) {
        grads.b[k] += da[k];
        grads.c[k] += dg[k];
      }
      for (let i = 0; i < inputs; i++) {
        const value = x[t * inputs + i];
        for (let k = 0, at = i * gates; k < gates; k++) grads.w[at + k] += value * da[k];
      }
      for (let i = 0; before >= 0 && i < units; i++) {
        const kept = mask ? mask[s * units + i] : 1;
        if (!kept) continue;
        const value = trace.h[before + i] * kept;
        let sum = 0;
        for (let k = 0, at = i * gates; k < gates; k++) {
          sum += u[at + k] * dg[k];
          grads.u[at + k] += value * dg[k];
        }
        later[i] += sum * kept;
      }
    }
  }
  return grads;
}
