/** What determines the meaning of a state, as two numbers. */
import { crc32, crc32OfText } from '../lib/crc32';
import { Graph, Tensor, TensorInfo } from '../lib/graph';
import { Fingerprint, Program, ProgramVariable } from '../lib/program';

/** Bytes of each constant that go into the fingerprint, evenly spread: a trained model differs in nearly all. */
const SAMPLES = 32;

const scale = new Float32Array(1);
const scaleBytes = new Uint8Array(scale.buffer as ArrayBuffer);

/** The scale counts by its bits: engines print fractions in different ways. */
function mixInfo(tensor: TensorInfo, seed: number): number {
  scale[0] = tensor.scale;
  seed = crc32OfText(tensor.type + tensor.shape.join() + '+' + tensor.zeroPoint, seed);
  return crc32(scaleBytes, 0, 4, seed);
}

/** The program's fingerprint. Names of tensors do not count, so that a stripped model keeps it. */
export function fingerprintOf(program: Program): Fingerprint {
  if (!program.fingerprint) program.fingerprint = compute(program.graph as Graph, program.variables);
  return program.fingerprint;
}

function compute(graph: Graph, variables: ProgramVariable[]): Fingerprint {
  let v = 0;
  let p = 0;
  for (let i = 0; i < variables.length; i++) {
    const variable = variables[i];
    v = mixInfo(variable.tensor, crc32OfText(variable.container + '/' + variable.name + ':', v));
  }
  for (let i = 0; i < graph.subgraphs.length; i++) {
    const nodes = graph.subgraphs[i].nodes;
    for (let k = 0; k < nodes.length; k++) {
      p = crc32OfText(nodes[k].op, p);
      for (let n = 0; n < nodes[k].inputs.length; n++) p = mix(nodes[k].inputs[n], p);
      for (let n = 0; n < nodes[k].outputs.length; n++) p = mix(nodes[k].outputs[n], p);
    }
  }
  return { variables: v, program: p };
}

function mix(tensor: Tensor | null, seed: number): number {
  if (!tensor) return crc32OfText('-', seed);
  seed = mixInfo(tensor, seed);
  if (!tensor.constant || !tensor.data) return seed;
  const data = tensor.data;
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  const stride = Math.max(1, Math.floor(bytes.length / SAMPLES));
  for (let i = 0; i < bytes.length; i += stride) seed = crc32(bytes, i, 1, seed);
  return seed;
}
