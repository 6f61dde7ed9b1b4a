/**
 * Gated states in a form that int8 keeps. A gate in int8 reaches 0, but not 1: at most 255/256. So a GRU's
 *
 *     h ← n + z ⊙ (h − n)    or    h ← z ⊙ h + (1 − z) ⊙ n
 *
 * loses some of its state in every step, however firmly z says to keep it; and what is added to n is as large as the state
 * itself, and rounded as coarsely. The same with w = 1 − z = σ(−a), where z = σ(a),
 *
 *     h ← h + w ⊙ (n − h)
 *
 * keeps the state to the bit where w is 0, and rounds changes only. −a costs nothing: weights and biases change signs.
 * A change that is too large for its range would be missed, though, where n was right at once. So changes get room.
 */
import type { Graph, Node, Subgraph, Tensor } from '../../lib/graph';
import { addTensor, newNode, tidy } from '../rewrite';
import type { Range } from './calibrate';

/** Room for changes above what calibration saw. */
const ROOM = 1.25;

/** A state in the new form: h, n, and what changes it, n − h and w ⊙ (n − h). */
export interface GatedState {
  h: Tensor;
  n: Tensor;
  changes: [Tensor, Tensor];
}

/** What is to be done, if all of it can be. */
type Edit = () => void;

/** A gated update in an old form. */
interface Update extends GatedState {
  gate: Node;
  /** Operators that give way; two of their outputs are `changes` then. */
  old: Node[];
}

/** Rewrites the gated updates of one subgraph. */
class Gates {
  readonly states: GatedState[] = [];

  constructor(
    private readonly subgraph: Subgraph,
    private readonly given: ReadonlyMap<string, Range>,
  ) {}

  run(): void {
    for (const node of [...this.subgraph.nodes]) {
      const update = plain(node, 'ADD') && (this.difference(node) ?? this.mixture(node));
      if (!update) continue;
      const { h, n, gate } = update;
      const { length } = node.outputs[0];
      const edit = h.length === length && n.length === length && this.negation(gate.inputs[0]!);
      if (!edit) continue;
      edit();
      this.replace(node, update);
    }
  }

  private replace(next: Node, { h, n, changes, gate, old }: Update): void {
    const { subgraph } = this;
    const [w] = gate.outputs;
    if (w.name) w.name = `1-${w.name}`;
    const [moved, taken] = changes;
    const none = { fused_activation_function: 0 };
    next.inputs = [h, taken];
    subgraph.nodes = subgraph.nodes.filter((node) => !old.includes(node));
    subgraph.nodes.splice(
      subgraph.nodes.indexOf(next),
      0,
      newNode('SUB', [n, h], [moved], { ...none }),
      newNode('MUL', [w, moved], [taken], { ...none }),
    );
    this.states.push({ h, n, changes });
  }

  /** n + z ⊙ (h − n). */
  private difference(next: Node): Update | null {
    for (const [n, kept] of bothWays(next)) {
      const product = this.only(kept, 'MUL');
      if (!product) continue;
      for (const [z, d] of bothWays(product)) {
        const gate = this.only(z, 'LOGISTIC');
        const difference = this.only(d, 'SUB');
        const [h, other] = difference?.inputs ?? [];
        if (gate && difference && h && other === n && this.isState(h))
          return { h, n, changes: [d, kept], gate, old: [difference, product] };
      }
    }
    return null;
  }

  /** z ⊙ h + (1 − z) ⊙ n. */
  private mixture(next: Node): Update | null {
    for (const [kept, taken] of bothWays(next)) {
      const [keep, take] = [this.only(kept, 'MUL'), this.only(taken, 'MUL')];
      if (!keep || !take) continue;
      for (const [z, h] of bothWays(keep)) {
        for (const [u, n] of bothWays(take)) {
          const rest = this.only(u, 'SUB');
          const gate = this.only(z, 'LOGISTIC', 2);
          if (!rest || !gate || rest.inputs[1] !== z || !isOne(rest.inputs[0]) || !this.isState(h)) continue;
          return { h, n, changes: [kept, taken], gate, old: [rest, take, keep] };
        }
      }
    }
    return null;
  }

  /**
   * The operator of a kind that computes a tensor, if only so many operators read it and nobody else. A tensor with a
   * given range stays what it is.
   */
  private only(tensor: Tensor, op: string, readers = 1): Node | null {
    const { nodes, outputs } = this.subgraph;
    const node = nodes.find((one) => one.outputs.includes(tensor));
    if (!node || !plain(node, op) || outputs.includes(tensor) || this.given.has(tensor.name)) return null;
    return nodes.filter(({ inputs }) => inputs.includes(tensor)).length === readers ? node : null;
  }

  private isState(tensor: Tensor): boolean {
    return this.subgraph.nodes.some(({ op, outputs }) => op === 'READ_VARIABLE' && outputs[0] === tensor);
  }

  /** How to compute a tensor with the other sign, or null. */
  private negation(tensor: Tensor): Edit | null {
    const sum = this.only(tensor, 'ADD');
    if (sum) {
      const [a, b] = sum.inputs as Tensor[];
      if (a === b) return null;
      const edits = [a, b].map((input, i) =>
        isFloatConstant(input) ? () => this.negate(sum, i, 0, input.length) : this.negation(input),
      );
      return edits.every((edit) => !!edit) ? () => edits.forEach((edit) => edit!()) : null;
    }
    const split = this.only(tensor, 'SPLIT');
    if (!split) return this.negatedRows(tensor, 0, tensor.length);
    const [axis, whole] = split.inputs as Tensor[];
    const last = whole.shape.length - 1;
    if (!axis.constant || ![last, -1].includes(axis.data![0]) || whole.length !== whole.shape[last])
      return null;
    return this.negatedRows(whole, split.outputs.indexOf(tensor) * tensor.length, tensor.length);
  }

  /** Some of a dense layer's units with the other sign. */
  private negatedRows(tensor: Tensor, from: number, count: number): Edit | null {
    const dense = this.only(tensor, 'FULLY_CONNECTED');
    const [, weights, bias] = dense?.inputs ?? [];
    if (!dense || !isFloatConstant(weights) || (bias && !isFloatConstant(bias))) return null;
    if (weights.shape[0] !== tensor.length) return null;
    const columns = weights.shape[1];
    return () => {
      this.negate(dense, 1, from * columns, count * columns);
      if (bias) this.negate(dense, 2, from, count);
    };
  }

  /** Puts a changed copy in the place of a constant, which others may read too. */
  private negate(node: Node, index: number, from: number, count: number): void {
    const old = node.inputs[index]!;
    const data = Float32Array.from(old.data as Float32Array, (value, i) =>
      i >= from && i < from + count ? -value : value,
    );
    const copy = addTensor(this.subgraph, old.name, old.type, old.shape);
    node.inputs[index] = Object.assign(copy, { constant: true, data });
  }
}

/** Whether a node is a builtin operator of a kind, without a fused activation. */
function plain(node: Node, op: string): boolean {
  return node.op === op && !node.custom && !node.options?.fused_activation_function;
}

function bothWays({ inputs }: Node): [Tensor, Tensor][] {
  const [a, b] = inputs as Tensor[];
  return [
    [a, b],
    [b, a],
  ];
}

function isFloatConstant(tensor: Tensor | null | undefined): tensor is Tensor {
  return !!tensor?.constant && tensor.type === 'FLOAT32';
}

function isOne(tensor: Tensor | null): boolean {
  return isFloatConstant(tensor) && (tensor.data as Float32Array).every((value) => value === 1);
}

/**
 * Rewrites gated states of subgraph 0, where the gate's sums can be negated. The graph is changed.
 * @param given ranges of tensors by name, which are then not touched
 * @returns the states that are in the new form
 */
export function keepGatedStates(graph: Graph, given: ReadonlyMap<string, Range>): GatedState[] {
  const gates = new Gates(graph.subgraphs[0], given);
  gates.run();
  tidy(graph);
  return gates.states;
}

/** Widens the ranges of changes, to no more than h and n can differ by. */
export function leaveRoom(
  { h, n, changes }: GatedState,
  rangeOf: (tensor: Tensor) => Range | undefined,
): void {
  const [from, to] = [rangeOf(h), rangeOf(n)];
  for (const range of changes.map(rangeOf)) {
    if (!from || !to || !range) continue;
    range.low = Math.min(range.low, Math.max(ROOM * range.low, to.low - from.high));
    range.high = Math.max(range.high, Math.min(ROOM * range.high, to.high - from.low));
  }
}
