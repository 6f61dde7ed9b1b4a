/** Weights of TensorFlow.js layers models: as saved in shards, and found by layer and name. */

/** One weight of a layer. */
export interface NamedWeight {
  /** Path whose parts name the layer and, last, the weight: "gru_1/kernel", "model/gru/gru_cell/kernel". */
  name: string;
  shape: number[];
  values: Float32Array;
}

/** A weight as a manifest describes it. */
export interface WeightSpec {
  name: string;
  shape: number[];
  dtype: string;
  /** Stored with fewer bits: value = stored · scale + min, or half-precision floats. */
  quantization?: { dtype: string; scale?: number; min?: number };
}

/** Weights whose bytes lie one after the other in the shards of these paths. */
export interface ManifestGroup {
  paths: string[];
  weights: WeightSpec[];
}

/** Bytes of a stored value, and how to read it. */
const STORED: Record<string, [number, (view: DataView, at: number) => number]> = {
  float32: [4, (view, at) => view.getFloat32(at, true)],
  float16: [2, (view, at) => half(view.getUint16(at, true))],
  int32: [4, (view, at) => view.getInt32(at, true)],
  uint16: [2, (view, at) => view.getUint16(at, true)],
  uint8: [1, (view, at) => view.getUint8(at)],
  bool: [1, (view, at) => view.getUint8(at)],
};

/** IEEE 754 half precision. */
function half(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -14 * (fraction / 1024);
}

/**
 * Decodes weights that lie one after the other in `bytes`.
 * @param source what errors call the bytes
 * @throws Error when there are too few or too many bytes, or a type is unknown; it names the weight
 */
export function decodeWeights(specs: WeightSpec[], bytes: Uint8Array, source: string): NamedWeight[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const weights = specs.map((spec, index) => {
    const { name, shape, dtype, quantization } = spec ?? {};
    if (typeof name !== 'string') throw new Error(`${source}: weight ${index} has no name`);
    if (!Array.isArray(shape) || !shape.every((n) => Number.isInteger(n) && n >= 0)) {
      throw new Error(`weight "${name}" has no shape that can be understood`);
    }
    const stored = quantization?.dtype ?? dtype;
    if (!Object.hasOwn(STORED, stored)) throw new Error(`weight "${name}" has the unknown type ${stored}`);
    const [size, read] = STORED[stored];
    const length = shape.reduce((product, n) => product * n, 1);
    if (at + length * size > bytes.length) {
      throw new Error(
        `${source}: ${bytes.length} bytes, but weight "${name}" lies at bytes ${at} to ${at + length * size}`,
      );
    }
    const { scale = 1, min = 0 } = quantization ?? {};
    const values = Float32Array.from({ length }, (_, i) => read(view, at + i * size) * scale + min);
    at += length * size;
    return { name, shape: [...shape], values };
  });
  if (at !== bytes.length) throw new Error(`${source}: ${bytes.length} bytes, but the weights take ${at}`);
  return weights;
}

/**
 * Reads the shards of a manifest.
 * @param readShard gives the bytes of a shard by its path; throws when there is none
 */
export function readManifest(
  manifest: ManifestGroup[],
  readShard: (path: string) => Uint8Array,
): NamedWeight[] {
  return manifest.flatMap((group, index) => {
    const { paths, weights } = group ?? {};
    if (!Array.isArray(paths) || !Array.isArray(weights)) {
      throw new Error(`group ${index} of the weightsManifest has no paths and weights`);
    }
    const shards = paths.map((path) => {
      try {
        return readShard(path);
      } catch (error) {
        throw new Error(`weights shard ${path}: ${(error as Error).message}`, { cause: error });
      }
    });
    const bytes = new Uint8Array(shards.reduce((sum, shard) => sum + shard.length, 0));
    let at = 0;
    for (const shard of shards) {
      bytes.set(shard, at);
      at += shard.length;
    }
    return decodeWeights(weights, bytes, `weights shard${paths.length > 1 ? 's' : ''} ${paths.join(', ')}`);
  });
}

/** All weights of a model. */
export class WeightSet {
  private readonly entries: { parts: string[]; weight: NamedWeight }[];

  constructor(weights: NamedWeight[]) {
    this.entries = weights.map((weight) => ({ parts: weight.name.replace(/:\d+$/, '').split('/'), weight }));
  }

  /** Whether a layer has a weight `name`. */
  has(layers: string[], name: string): boolean {
    return this.of(layers).some(({ parts }) => parts[parts.length - 1] === name);
  }

  private of(layers: string[]): { parts: string[]; weight: NamedWeight }[] {
    return this.entries.filter(({ parts }) => parts.slice(0, -1).some((part) => layers.includes(part)));
  }

  /**
   * The weight `name` of a layer.
   * @param layers names under which the layer's weights may stand: its own, and that of a wrapper around it
   * @throws Error when there is none, or not one of the expected shape; it names the layer
   */
  get(layers: string[], name: string, shape: number[]): Float32Array {
    const of = this.of(layers);
    const found = of.filter(({ parts }) => parts[parts.length - 1] === name);
    const where = `layer "${layers[0]}"`;
    if (!found.length) {
      const others = of.map(({ weight }) => weight.name).join(', ');
      throw new Error(
        `${where}: its weight "${name}" is missing; ${others ? `there are ${others}` : 'it has none'}`,
      );
    }
    if (found.length > 1) {
      const names = found.map(({ weight }) => weight.name).join(', ');
      throw new Error(`${where}: several weights are called "${name}": ${names}`);
    }
    const { weight } = found[0];
    if (String(weight.shape) !== String(shape)) {
      throw new Error(
        `${where}: weight "${name}" has the shape [${weight.shape.join(', ')}], but [${shape.join(', ')}] is expected`,
      );
    }
    return weight.values;
  }
}
