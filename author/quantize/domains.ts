/** Decides for each operator whether it computes in int8, in int16 or in float. */
import type { Graph, Node, Subgraph, Tensor, Variable } from '../../lib/graph';
import { DENSE, type Domain, ruleOf } from './operators';
import { keepsState, withoutIntegers } from './stateful';

export interface DomainChoice {
  /** What operators compute in, as far as they can. */
  activations: Domain;
  /** What variables are kept in, and the operators of the loops that run through them. */
  state: Domain;
}

/** What was chosen for each operator that has float operands. */
export interface Choice {
  domains: Map<Node, Domain>;
  /** Operators of subgraph 0 that stay float for want of an integer kernel. */
  unfit: Node[];
}

/** Float tensors among a node's operands that are computed, not constant. */
function computed(tensors: readonly (Tensor | null)[]): Tensor[] {
  return tensors.filter(
    (tensor): tensor is Tensor => !!tensor && tensor.type === 'FLOAT32' && !tensor.constant,
  );
}

/** Whether a node has any float operand, and is no conversion that is there already. */
export function touchesReals(node: Node): boolean {
  if (!node.custom && (node.op === 'QUANTIZE' || node.op === 'DEQUANTIZE')) return false;
  return usesReals(node);
}

function usesReals(node: Node): boolean {
  return [...node.inputs, ...node.outputs].some((tensor) => tensor?.type === 'FLOAT32');
}

/** Whether a dense operator's weights and bias are float constants. */
export function hasConstantWeights(node: Node): boolean {
  const dense = DENSE[node.op];
  if (!dense) return false;
  const weights = node.inputs[dense.weights];
  const bias = node.inputs[dense.bias];
  return !!weights?.constant && weights.type === 'FLOAT32' && (!bias || bias.constant);
}

function takes(node: Node, domain: Domain): boolean {
  if (domain === 'FLOAT32') return true;
  const rule = node.custom ? undefined : ruleOf(node.op);
  if (!rule || (rule.kind === 'dense' && !hasConstantWeights(node))) return false;
  if (rule.kind === 'stateful' && withoutIntegers(node)) return false;
  return domain === 'INT8' || rule.int16;
}

/** Operators on a cycle that is closed by a variable: what they compute comes back to them in a later step. */
export function loopNodes(subgraph: Subgraph): Set<Node> {
  const successors = new Map<Node, Node[]>();
  const readers = new Map<Variable, Node[]>();
  const consumers = new Map<Tensor, Node[]>();
  const add = <K>(map: Map<K, Node[]>, key: K, node: Node): void => {
    const nodes = map.get(key);
    if (nodes) nodes.push(node);
    else map.set(key, [node]);
  };
  for (const node of subgraph.nodes) {
    const variable = node.inputs[0]?.variable;
    if (node.op === 'READ_VARIABLE' && variable) add(readers, variable, node);
    for (const tensor of node.inputs) if (tensor && tensor.type !== 'RESOURCE') add(consumers, tensor, node);
  }
  for (const node of subgraph.nodes) {
    const variable = node.inputs[0]?.variable;
    successors.set(
      node,
      node.op === 'ASSIGN_VARIABLE' && variable
        ? (readers.get(variable) ?? [])
        : node.outputs.flatMap((tensor) => consumers.get(tensor) ?? []),
    );
  }
  const reachable = (from: Node): Set<Node> => {
    const seen = new Set<Node>();
    const stack = [...(successors.get(from) ?? [])];
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (seen.has(node)) continue;
      seen.add(node);
      stack.push(...(successors.get(node) ?? []));
    }
    return seen;
  };
  // every such cycle passes an ASSIGN_VARIABLE
  const loop = new Set<Node>();
  const reached = new Map(subgraph.nodes.map((node) => [node, reachable(node)]));
  for (const assign of subgraph.nodes.filter(({ op }) => op === 'ASSIGN_VARIABLE')) {
    for (const node of reached.get(assign)!) if (reached.get(node)!.has(assign)) loop.add(node);
  }
  return loop;
}

/**
 * The domain of every operator that has float operands. Where the state is int16 and the rest int8, all that leads to
 * a loop is int16 too, since TensorFlow Lite cannot convert int8 to int16.
 */
export function chooseDomains(graph: Graph, choice: DomainChoice): Choice {
  const domains = new Map<Node, Domain>();
  const unfit: Node[] = [];
  const fitting = (node: Node, wanted: Domain): Domain => {
    const candidates: Domain[] = [wanted, choice.activations];
    // an SVDF has no int16 input, but its state is int16 beside int8
    if (keepsState(node)) candidates.push('INT8');
    const domain = candidates.find((candidate) => takes(node, candidate));
    if (domain === undefined) unfit.push(node);
    return domain ?? 'FLOAT32';
  };
  for (const subgraph of graph.subgraphs) {
    const loop = choice.activations === 'FLOAT32' ? new Set<Node>() : loopNodes(subgraph);
    for (const node of subgraph.nodes) {
      if (!usesReals(node)) continue;
      const variable = ruleOf(node.op)?.kind === 'variable';
      const stateful =
        variable || keepsState(node) || (loop.has(node) && !(choice.state === 'FLOAT32' && DENSE[node.op]));
      // initial values are constants or computed once: nothing is gained by computing them in integers
      if (subgraph.index > 0) domains.set(node, variable ? choice.state : 'FLOAT32');
      else domains.set(node, fitting(node, stateful ? choice.state : choice.activations));
    }
    if (choice.state === 'INT16' && choice.activations === 'INT8' && subgraph.index === 0) {
      leadInInt16(subgraph, domains);
    }
  }
  return { domains, unfit };
}

function leadInInt16(subgraph: Subgraph, domains: Map<Node, Domain>): void {
  const wide = new Set<Tensor>();
  for (const node of [...subgraph.nodes].reverse()) {
    if (node.outputs.some((tensor) => wide.has(tensor)) && takes(node, 'INT16')) domains.set(node, 'INT16');
    if (domains.get(node) === 'INT16') for (const tensor of computed(node.inputs)) wide.add(tensor);
  }
}
