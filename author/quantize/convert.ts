/** Rewrites a float graph in integers, once domains and scales are chosen. */
import type { Graph, Node, Subgraph, Tensor, TypedArray } from '../../lib/graph';
import { roundAway } from '../../lib/fixedpoint';
import { describe, newArray, storageBytes } from '../../lib/tensor';
import { place } from '../options';
import { addTensor, newNode, tidy } from '../rewrite';
import { operatorVersion } from '../versions';
import {
  DENSE,
  type DenseOperands,
  type Domain,
  type IntegerType,
  type Parameters,
  ruleOf,
} from './operators';
import { realsOf, type Scales } from './scales';
import { HYBRID_WEIGHTS, lstmOperands, svdfOperands, type Weights, withoutIntegers } from './stateful';

const LIMIT: Record<IntegerType, number> = { INT8: 127, INT16: 32767 };

/** Gives a tensor an integer type with one scale. */
function setType(tensor: Tensor, type: IntegerType, { scale, zeroPoint }: Parameters): void {
  tensor.type = type;
  tensor.bytes = storageBytes(type, tensor.length);
  tensor.scale = Math.fround(scale);
  tensor.zeroPoint = zeroPoint;
  tensor.scales = [tensor.scale];
  tensor.zeroPoints = [zeroPoint];
}

/** Real numbers as stored. */
export function quantizeReals(values: ArrayLike<number>, type: IntegerType, at: Parameters): TypedArray {
  const stored = newArray(type, values.length);
  const scale = Math.fround(at.scale);
  for (let i = 0; i < values.length; i++) {
    const value = roundAway(values[i] / scale) + at.zeroPoint;
    stored[i] = Math.max(-LIMIT[type] - 1, Math.min(LIMIT[type], value));
  }
  return stored;
}

/** How weights are quantized. */
export interface WeightOptions {
  /** FULLY_CONNECTED with a scale for each unit, not one for all. */
  perUnit: boolean;
}

/** Rewrites one subgraph. */
class Converter {
  private readonly nodes: Node[] = [];
  private readonly real: ReadonlySet<Tensor>;
  /** What each computed float tensor has become. */
  private readonly home = new Map<Tensor, Domain>();
  /** Conversions that were added, by what they give. */
  private readonly converted = new Map<Tensor, Map<string, Tensor>>();

  constructor(
    private readonly subgraph: Subgraph,
    private readonly domains: ReadonlyMap<Node, Domain>,
    private readonly scales: Scales,
    private readonly weights: WeightOptions,
    private readonly onWeights: (tensor: Tensor) => void,
  ) {
    this.real = new Set(subgraph.tensors.filter(({ type }) => type === 'FLOAT32'));
  }

  run(io: 'quantized' | 'float'): void {
    const { subgraph } = this;
    for (const input of subgraph.inputs.filter((tensor) => this.real.has(tensor))) {
      const domain = io === 'float' ? 'FLOAT32' : this.inputDomain(input);
      this.home.set(input, domain);
      if (domain !== 'FLOAT32')
        setType(input, domain, this.scales.parameters(this.scales.slot(input, domain)));
    }
    for (const node of subgraph.nodes) this.convert(node);
    if (io === 'float') {
      subgraph.outputs = subgraph.outputs.map((output) => {
        if (!this.real.has(output) || output.type === 'FLOAT32') return output;
        const { name } = output;
        output.name += '/stored';
        return this.toFloat(output, name);
      });
    }
    subgraph.nodes = this.nodes;
  }

  /** The integer type that operators want an input in: the wider one if they differ. */
  private inputDomain(input: Tensor): Domain {
    const wanted = this.subgraph.nodes
      .filter((node) => node.inputs.includes(input))
      .map((n) => this.domains.get(n));
    return wanted.includes('INT16') ? 'INT16' : wanted.includes('INT8') ? 'INT8' : 'FLOAT32';
  }

  private convert(node: Node): void {
    const domain = this.domains.get(node);
    if (!domain) {
      this.nodes.push(node);
      return;
    }
    if (domain !== 'FLOAT32' && !node.custom && ruleOf(node.op)?.kind === 'stateful') {
      this.convertStateful(node, domain);
      return;
    }
    const dense: DenseOperands | undefined = DENSE[node.op];
    const inputs = node.inputs.map((tensor, index) => {
      if (!tensor || !this.real.has(tensor)) return tensor;
      if (dense && domain !== 'FLOAT32' && index !== dense.input) return tensor;
      if (domain === 'FLOAT32') return tensor.constant ? tensor : this.toFloat(tensor);
      const at = this.scales.parameters(this.scales.inputSlot(node, index));
      return tensor.constant ? this.constant(tensor, domain, at) : this.toInteger(tensor, domain, at);
    });
    if (dense && domain !== 'FLOAT32') this.denseConstants(node, inputs, dense, domain);
    if ((node.op === 'ADD' || node.op === 'SUB') && domain === 'INT16') node.options!.pot_scale_int16 = false;
    const after: Node[] = [];
    const outputs = node.outputs.map((output) => {
      if (!this.real.has(output)) return output;
      this.home.set(output, domain);
      if (domain === 'FLOAT32') return output;
      setType(output, domain, this.scales.parameters(this.scales.slot(output, domain)));
      const fixed = this.scales.prescribed(node, output);
      if (!fixed) return output;
      const raw = addTensor(this.subgraph, `${output.name}/${node.op.toLowerCase()}`, domain, output.shape);
      setType(raw, domain, fixed);
      after.push(this.finish(newNode('QUANTIZE', [raw], [output], null)));
      return raw;
    });
    node.inputs = inputs;
    node.outputs = outputs;
    this.nodes.push(this.finish(node), ...after);
  }

  /** An operator that keeps its state: weights, state and output have the types that its kernel prescribes. */
  private convertStateful(node: Node, domain: IntegerType): void {
    const { scales } = this;
    const x = this.toInteger(node.inputs[0]!, domain, scales.parameters(scales.inputSlot(node, 0)));
    const [y] = node.outputs;
    const at = scales.parameters(scales.slot(y, domain));
    setType(y, domain, at);
    this.home.set(y, domain);
    const weights: Weights = {
      symmetric: (tensor, type, limit) => this.symmetric(tensor, type, limit),
      bias: (of, bias, inputScale, weightScale, type) => this.bias(of, bias, inputScale, [weightScale], type),
      setType,
      intermediate: (parameters) => {
        const name = `${y.name}/hidden`;
        const tensor = addTensor(this.subgraph, name, parameters ? domain : 'FLOAT32', [0]);
        if (parameters) setType(tensor, domain, parameters);
        return tensor;
      },
    };
    node.inputs =
      node.op === 'SVDF'
        ? svdfOperands(node, x, at, scales.rangeOf(node.inputs[4]!), weights)
        : lstmOperands(node, x, domain, at, scales.rangeOf(node.inputs[19]!), weights);
    this.nodes.push(this.finish(node));
  }

  /** Only the weights of such an operator in int8. */
  runHybridStateful(node: Node): void {
    node.inputs = node.inputs.map((tensor, index) =>
      tensor && HYBRID_WEIGHTS[node.op].includes(index) ? this.symmetric(tensor, 'INT8', 127) : tensor,
    );
    this.finish(node);
  }

  /** A constant whose greatest value is stored as ±limit. */
  private symmetric(tensor: Tensor, type: IntegerType, limit: number): Tensor {
    return this.cached(tensor, `symmetric ${type} ${limit}`, () => {
      const reals = realsOf(tensor);
      const most = reals.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1;
      const at = { scale: Math.fround(most / limit), zeroPoint: 0 };
      const result = addTensor(this.subgraph, tensor.name, type, tensor.shape);
      setType(result, type, at);
      result.constant = true;
      result.data = quantizeReals(reals, type, at);
      this.onWeights(tensor);
      return result;
    });
  }

  private finish(node: Node): Node {
    node.version = operatorVersion(node);
    return node;
  }

  /** A computed value in the wanted form: itself, or what an added QUANTIZE or DEQUANTIZE gives. */
  private toInteger(tensor: Tensor, type: IntegerType, at: Parameters): Tensor {
    const home = this.home.get(tensor);
    if (home === type && tensor.scale === Math.fround(at.scale) && tensor.zeroPoint === at.zeroPoint)
      return tensor;
    return this.cached(tensor, `${type} ${at.scale} ${at.zeroPoint}`, () => {
      // TensorFlow Lite has no conversion from int8 to int16
      const from = home === 'INT8' && type === 'INT16' ? this.toFloat(tensor) : tensor;
      const result = addTensor(this.subgraph, `${tensor.name}/${type.toLowerCase()}`, type, tensor.shape);
      setType(result, type, at);
      this.nodes.push(this.finish(newNode('QUANTIZE', [from], [result], null)));
      return result;
    });
  }

  private toFloat(tensor: Tensor, name = `${tensor.name}/float`): Tensor {
    if (tensor.type === 'FLOAT32') return tensor;
    return this.cached(tensor, 'FLOAT32', () => {
      const result = addTensor(this.subgraph, name, 'FLOAT32', tensor.shape);
      this.nodes.push(this.finish(newNode('DEQUANTIZE', [tensor], [result], null)));
      return result;
    });
  }

  private cached(tensor: Tensor, key: string, make: () => Tensor): Tensor {
    const made = this.converted.get(tensor) ?? new Map<string, Tensor>();
    this.converted.set(tensor, made);
    const result = made.get(key) ?? make();
    made.set(key, result);
    return result;
  }

  private constant(tensor: Tensor, type: IntegerType, at: Parameters): Tensor {
    return this.cached(tensor, `${type} ${at.scale} ${at.zeroPoint}`, () => {
      const result = addTensor(this.subgraph, tensor.name, type, tensor.shape);
      setType(result, type, at);
      result.constant = true;
      result.data = quantizeReals(realsOf(tensor), type, at);
      return result;
    });
  }

  /** Replaces weights and bias by int8 and int32 (for int16 activations: int64) constants. */
  private denseConstants(
    node: Node,
    inputs: (Tensor | null)[],
    dense: DenseOperands,
    domain: IntegerType,
  ): void {
    const input = inputs[dense.input]!;
    const weights = this.int8Weights(node, dense);
    inputs[dense.weights] = weights;
    const bias = node.inputs[dense.bias];
    if (bias) inputs[dense.bias] = this.bias(node, bias, input.scale, weights.scales!, domain);
  }

  /** Symmetric int8 weights, with a scale for each channel where `perUnit` or the operator says so. */
  int8Weights(node: Node, dense: DenseOperands): Tensor {
    const weights = node.inputs[dense.weights]!;
    const perChannel = node.op !== 'FULLY_CONNECTED' || this.weights.perUnit;
    return this.cached(weights, `weights ${perChannel} ${dense.channels}`, () => {
      const result = addTensor(this.subgraph, weights.name, 'INT8', weights.shape);
      const scales = weightScales(weights, perChannel ? dense.channels : null);
      const channelOf = channelIndex(weights, dense.channels);
      const stored = new Int8Array(weights.length);
      const reals = realsOf(weights);
      for (let i = 0; i < stored.length; i++) {
        const scale = scales[perChannel ? channelOf(i) : 0];
        stored[i] = Math.max(-127, Math.min(127, roundAway(reals[i] / scale)));
      }
      setType(result, 'INT8', { scale: scales[0], zeroPoint: 0 });
      result.scales = scales;
      result.zeroPoints = scales.map(() => 0);
      result.quantizedDimension = perChannel ? dense.channels : 0;
      result.constant = true;
      result.data = stored;
      this.onWeights(weights);
      return result;
    });
  }

  private bias(
    node: Node,
    bias: Tensor,
    inputScale: number,
    weightScales: number[],
    domain: IntegerType,
  ): Tensor {
    const wide = domain === 'INT16';
    const type = wide ? 'INT64' : 'INT32';
    const scales = weightScales.map((scale) => Math.fround(inputScale * scale));
    return this.cached(bias, `bias ${type} ${scales.join()}`, () => {
      const result = addTensor(this.subgraph, bias.name, type, bias.shape);
      const stored = newArray(type, bias.length);
      realsOf(bias).forEach((value, i) => {
        // the scale of the accumulator is the product in double precision
        const q = roundAway(value / (inputScale * weightScales[weightScales.length > 1 ? i : 0]));
        if (!wide && Math.abs(q) > 2147483647) {
          throw new Error(
            `${place(node)}: bias ${i} of ${describe(bias)} is ${value}, too large beside weights of at most ` +
              `${weightScales[weightScales.length > 1 ? i : 0] * 127}`,
          );
        }
        if (wide) stored.set([q % 4294967296, Math.floor(q / 4294967296)], 2 * i);
        else stored[i] = q;
      });
      Object.assign(result, {
        scale: scales[0],
        scales,
        zeroPoints: scales.map(() => 0),
        constant: true,
        data: stored,
      });
      return result;
    });
  }

  /** Only the weights of dense operators in int8; everything else stays float (dynamic range). */
  runHybrid(node: Node, dense: DenseOperands): void {
    node.inputs[dense.weights] = this.int8Weights(node, dense);
    if (node.op === 'FULLY_CONNECTED') node.options!.asymmetric_quantize_inputs = true;
    this.finish(node);
  }
}

/** The channel that element `i` of weights belongs to. */
function channelIndex(weights: Tensor, dimension: number): (i: number) => number {
  const channels = weights.shape[dimension];
  const inner = weights.shape.slice(dimension + 1).reduce((product, n) => product * n, 1);
  return (i) => Math.floor(i / inner) % channels;
}

/** Largest magnitude / 127, for each channel along a dimension, or for all in one. */
function weightScales(weights: Tensor, dimension: number | null): number[] {
  const most = new Array<number>(dimension === null ? 1 : weights.shape[dimension]).fill(0);
  const channelOf = dimension === null ? () => 0 : channelIndex(weights, dimension);
  realsOf(weights).forEach((value, i) => {
    most[channelOf(i)] = Math.max(most[channelOf(i)], Math.abs(value));
  });
  const largest = Math.max(...most) || 1;
  // a channel without weights still has a bias, whose steps are as fine as the scale
  return most.map((value) => Math.fround((value || largest) / 127));
}

export interface ConvertOptions extends WeightOptions {
  io: 'quantized' | 'float';
  /** Whether only weights are quantized where operators stay float. */
  hybrid: boolean;
}

/** Rewrites all subgraphs in place; calls back with each float weight constant that became int8. */
export function convertGraph(
  graph: Graph,
  domains: ReadonlyMap<Node, Domain>,
  scales: Scales,
  options: ConvertOptions,
  onWeights: (tensor: Tensor) => void,
): Graph {
  for (const subgraph of graph.subgraphs) {
    const converter = new Converter(subgraph, domains, scales, options, onWeights);
    for (const node of subgraph.nodes) {
      if (!options.hybrid || domains.get(node) !== 'FLOAT32') continue;
      if (isHybrid(node)) converter.runHybrid(node, DENSE[node.op]);
      else if (HYBRID_WEIGHTS[node.op] && !withoutIntegers(node)) converter.runHybridStateful(node);
    }
    converter.run(subgraph.index === 0 ? options.io : 'quantized');
  }
  return tidy(graph);
}

/** Operators that take int8 weights on float inputs. */
function isHybrid(node: Node): boolean {
  if (node.op === 'TRANSPOSE_CONV' || !DENSE[node.op]) return false;
  const weights = node.inputs[1];
  const bias = node.inputs[2];
  return !!weights?.constant && weights.type === 'FLOAT32' && (!bias || bias.constant);
}
