/** Finds scale and zero point of every value that is kept in integers: groups of values that must share them. */
import type { Graph, Node, Tensor } from '../../lib/graph';
import { describe } from '../../lib/tensor';
import { place } from '../options';
import type { Range } from './calibrate';
import { DENSE, type Domain, type IntegerType, type Parameters, ruleOf } from './operators';

/** A value in one integer type. Slots of one group have the same scale and zero point. */
export interface Slot {
  tensor: Tensor;
  type: IntegerType;
  /** The slot that stands for the group, or null for one that does. */
  parent: Slot | null;
}

/** What a group of slots has in common. */
interface Group {
  type: IntegerType;
  tensors: Tensor[];
  low: number;
  high: number;
  /** What operators prescribe for members. */
  fixed: Parameters[];
  parameters: Parameters | null;
}

/** Inputs beyond which a function is within half a unit of the last place of its limit. */
const SATURATION: Record<IntegerType, Record<string, number>> = {
  // 1 − σ(8) = 3.4·10⁻⁴, 1 − tanh(4) = 6.7·10⁻⁴, where a unit is 3.9·10⁻³ and 7.8·10⁻³
  INT8: { LOGISTIC: 8, TANH: 4 },
  // 1 − σ(11.5) = 1.0·10⁻⁵, 1 − tanh(6) = 1.2·10⁻⁵, where a unit is 3.1·10⁻⁵
  INT16: { LOGISTIC: 11.5, TANH: 6 },
};
const LIMIT: Record<IntegerType, number> = { INT8: 127, INT16: 32767 };
/** Room that int16 leaves above what calibration saw; a third of a bit of sixteen for streams that go further. */
const HEADROOM = 1.25;
/** A part is brought to the whole's scale by QUANTIZE when its own range is less than this share of the whole's. */
const NARROW = 0.5;

export function rootOf(slot: Slot): Slot {
  while (slot.parent) slot = slot.parent;
  return slot;
}

function unite(a: Slot, b: Slot): void {
  const from = rootOf(a);
  const to = rootOf(b);
  if (from !== to) from.parent = to;
}

/** Values of a float constant. */
export function realsOf(tensor: Tensor): Float32Array {
  return tensor.data as Float32Array;
}

/** The range of some numbers. */
export function rangeOf(values: ArrayLike<number>): Range {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  return { low, high };
}

/** Scale and zero point for a range: the real 0 is always a stored value; int16 is symmetric. */
export function parametersFor(type: IntegerType, { low, high }: Range): Parameters {
  if (type === 'INT16') {
    return { scale: Math.fround(Math.max(-low, high) / LIMIT.INT16), zeroPoint: 0 };
  }
  const bottom = Math.min(low, 0);
  const top = Math.max(high, 0);
  const scale = Math.fround((top - bottom) / 255);
  return { scale, zeroPoint: Math.max(-128, Math.min(127, Math.round(-128 - bottom / scale))) };
}

/** The same for a constant; one that has a single value is stored without an error of its own. */
function constantParameters(type: IntegerType, values: ArrayLike<number>): Parameters {
  const range = rangeOf(values);
  const size = Math.max(-range.low, range.high);
  if (size === 0) return { scale: 1 / LIMIT[type], zeroPoint: 0 };
  if (type === 'INT16' || range.low === range.high) {
    return { scale: Math.fround(size / LIMIT[type]), zeroPoint: 0 };
  }
  return parametersFor(type, range);
}

/** Slots of all values, and their parameters once `solve` has run. */
export class Scales {
  private readonly slots = new Map<string, Slot>();
  private readonly ids = new Map<Tensor, number>();
  private readonly groups = new Map<Slot, Group>();
  /** Slots of inputs that have a scale of their own in one operator: constants, and parts that are requantized. */
  private readonly own = new Map<Node, Map<number, Slot>>();
  private readonly fixed = new Map<Slot, Parameters>();

  constructor(
    private readonly graph: Graph,
    private readonly domains: ReadonlyMap<Node, Domain>,
    private readonly ranges: ReadonlyMap<Tensor, Range>,
    private readonly variableRanges: ReadonlyMap<string, Range>,
  ) {}

  /** The slot of a computed value in a type. */
  slot(tensor: Tensor, type: IntegerType): Slot {
    const id = this.ids.get(tensor) ?? this.ids.size;
    this.ids.set(tensor, id);
    const key = `${id} ${type}`;
    let slot = this.slots.get(key);
    if (!slot) this.slots.set(key, (slot = { tensor, type, parent: null }));
    return slot;
  }

  /** The slot of input `index` of a node that computes in integers. */
  inputSlot(node: Node, index: number): Slot {
    const own = this.own.get(node)?.get(index);
    return own ?? this.slot(node.inputs[index]!, this.domains.get(node) as IntegerType);
  }

  private setOwn(node: Node, index: number, slot: Slot): Slot {
    const slots = this.own.get(node) ?? new Map<number, Slot>();
    this.own.set(node, slots.set(index, slot));
    return slot;
  }

  /** What an operator prescribes for its output; null when the output's own parameters will do. */
  prescribed(node: Node, output: Tensor): Parameters | null {
    const type = this.domains.get(node) as IntegerType;
    const fixed = ruleOf(node.op)?.fixed?.[type];
    if (!fixed) return null;
    const actual = this.parameters(this.slot(output, type));
    return actual.scale === Math.fround(fixed.scale) && actual.zeroPoint === fixed.zeroPoint ? null : fixed;
  }

  /** Forms the groups. */
  solve(): void {
    const narrow: { node: Node; index: number; whole: Slot }[] = [];
    const variables = new Map<string, Slot>();
    for (const node of this.graph.subgraphs.flatMap((subgraph) => subgraph.nodes)) {
      const type = this.domains.get(node);
      const rule = ruleOf(node.op);
      if (!type || type === 'FLOAT32' || !rule) continue;
      node.inputs.forEach((tensor, index) => {
        if (tensor?.type !== 'FLOAT32' || !tensor.constant || DENSE[node.op]) return;
        this.setOwn(node, index, { tensor, type, parent: null });
      });
      const inputs = node.inputs.flatMap((tensor, index) => (tensor?.type === 'FLOAT32' ? [index] : []));
      const outputs = node.outputs.filter((tensor) => tensor.type === 'FLOAT32');
      if (rule.kind === 'shared') {
        const whole = this.slot(outputs[0], type);
        for (const output of outputs) unite(this.slot(output, type), whole);
        for (const index of inputs) {
          if (inputs.length > 1) narrow.push({ node, index, whole });
          else unite(this.inputSlot(node, index), whole);
        }
      } else if (rule.kind === 'variable') {
        const variable = node.inputs[0]!.variable!;
        const key = JSON.stringify([variable.container, variable.name]);
        for (const slot of [
          ...inputs.map((index) => this.inputSlot(node, index)),
          ...outputs.map((tensor) => this.slot(tensor, type)),
        ]) {
          const first = variables.get(key);
          if (first) unite(slot, first);
          else variables.set(key, slot);
        }
      } else if (rule.kind === 'fixed') {
        for (const output of outputs) this.fixed.set(this.slot(output, type), rule.fixed![type]!);
      }
    }
    for (const { node, index, whole } of narrow) {
      const slot = this.inputSlot(node, index);
      const part = this.rangeOfSlot(slot);
      const all = this.rangeOfSlot(whole);
      if (slot.tensor.constant || part.high - part.low >= NARROW * (all.high - all.low)) unite(slot, whole);
      else unite(this.setOwn(node, index, { tensor: slot.tensor, type: slot.type, parent: null }), whole);
    }
  }

  /** Range that calibration saw, or that was given. */
  rangeOf(tensor: Tensor): Range {
    const seen = this.ranges.get(tensor) ?? { low: 0, high: 0 };
    return this.variableRanges.get(tensor.name) ?? seen;
  }

  private rangeOfSlot(slot: Slot): Range {
    const { low, high } = this.ranges.get(slot.tensor) ?? { low: 0, high: 0 };
    return { low: Math.min(low, 0), high: Math.max(high, 0) };
  }

  /** Scale and zero point of a slot's group. */
  parameters(slot: Slot): Parameters {
    const root = rootOf(slot);
    if (!this.groups.size) this.collect();
    const group = this.groups.get(root) ?? this.startGroup(root);
    return (group.parameters ??= this.settle(group));
  }

  private collect(): void {
    for (const slots of this.own.values()) for (const slot of slots.values()) this.join(slot);
    for (const slot of this.slots.values()) this.join(slot);
  }

  private startGroup(root: Slot): Group {
    const group: Group = {
      type: root.type,
      tensors: [],
      low: Infinity,
      high: -Infinity,
      fixed: [],
      parameters: null,
    };
    this.groups.set(root, group);
    this.join(root);
    return group;
  }

  private join(slot: Slot): void {
    const root = rootOf(slot);
    const group = this.groups.get(root) ?? this.startGroup(root);
    if (group.tensors.includes(slot.tensor)) return;
    group.tensors.push(slot.tensor);
    const range = slot.tensor.constant ? rangeOf(realsOf(slot.tensor)) : this.ranges.get(slot.tensor);
    if (range) {
      group.low = Math.min(group.low, range.low);
      group.high = Math.max(group.high, range.high);
    }
    const given = this.givenRange(slot.tensor);
    if (given) {
      group.low = Math.min(group.low, given.low);
      group.high = Math.max(group.high, given.high);
    }
    const fixed = this.fixed.get(slot);
    if (fixed) group.fixed.push(fixed);
  }

  /** The range that the caller gave for the variable that a tensor is read from. */
  private givenRange(tensor: Tensor): Range | undefined {
    for (const node of this.graph.subgraphs[0].nodes) {
      const variable = node.op === 'READ_VARIABLE' && node.outputs[0] === tensor && node.inputs[0]?.variable;
      if (variable) return this.variableRanges.get(variable.name);
    }
    return undefined;
  }

  private settle(group: Group): Parameters {
    const { type, tensors } = group;
    const [first] = tensors;
    if (tensors.every((tensor) => tensor.constant)) return constantParameters(type, realsOf(first));
    const [fixed] = group.fixed;
    if (fixed && group.fixed.every((other) => other === fixed) && this.covers(type, fixed, group)) {
      return { scale: Math.fround(fixed.scale), zeroPoint: fixed.zeroPoint };
    }
    const range = this.clipped(group);
    if (!(range.high > 0 || range.low < 0)) {
      throw new Error(
        `${this.producer(first)} is ${range.high === 0 ? '0' : 'never computed'} in the whole of the calibration data: ` +
          'no scale can be found for it',
      );
    }
    return parametersFor(type, range);
  }

  private covers(type: IntegerType, fixed: Parameters, { low, high }: Range): boolean {
    const least = fixed.scale * (-LIMIT[type] - 1 - fixed.zeroPoint);
    const most = fixed.scale * (LIMIT[type] - fixed.zeroPoint);
    return low >= least - fixed.scale && high <= most + fixed.scale;
  }

  /** The range to be stored: room for int16; less for what a saturating function alone reads. */
  private clipped(group: Group): Range {
    const room = group.type === 'INT16' ? HEADROOM : 1;
    let low = Math.min(group.low, 0) * room;
    let high = Math.max(group.high, 0) * room;
    const [tensor] = group.tensors;
    const [main] = this.graph.subgraphs;
    if (group.tensors.length === 1 && !main.outputs.includes(tensor)) {
      const limits = main.nodes
        .filter((node) => node.inputs.includes(tensor))
        .map(({ op }) => SATURATION[group.type][op]);
      const limit = limits.length ? Math.max(...limits) : NaN;
      if (limit > 0) {
        low = Math.max(low, -limit);
        high = Math.min(high, limit);
      }
    }
    return { low, high };
  }

  private producer(tensor: Tensor): string {
    const node = this.graph.subgraphs[0].nodes.find(({ outputs }) => outputs.includes(tensor));
    return node ? `${place(node)}: ${describe(tensor)}` : describe(tensor);
  }
}
