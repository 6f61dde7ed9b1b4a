/** Makes float constants of weights that the file keeps in half precision or in integers. */
import type { Graph, Tensor } from '../../lib/graph';
import { newTensor } from '../../lib/tensor';
import { tidy } from '../rewrite';

/** A half-precision number: sign, 5 bits of exponent, 10 of fraction. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

function valuesOf(tensor: Tensor): Float32Array | null {
  const { data, type, scale, zeroPoint, scales } = tensor;
  if (!tensor.constant || !data) return null;
  if (type === 'FLOAT16') return Float32Array.from(data, half);
  if (type !== 'INT8' || scales?.length !== 1) return null;
  return Float32Array.from(data, (value) => scale * (value - zeroPoint));
}

/** Replaces DEQUANTIZE of constants by float constants. The graph is changed, and returned. */
export function foldConstants(graph: Graph): Graph {
  for (const subgraph of graph.subgraphs) {
    subgraph.nodes = subgraph.nodes.filter((node) => {
      const [from] = node.inputs;
      const [to] = node.outputs;
      const values = node.op === 'DEQUANTIZE' && !node.custom && from ? valuesOf(from) : null;
      if (!values || to.type !== 'FLOAT32' || subgraph.outputs.includes(to)) return true;
      Object.assign(to, newTensor(to.name, 'FLOAT32', to.shape), { constant: true, data: values });
      return false;
    });
  }
  return tidy(graph);
}
