/** Random graphs of a few simple operators with variables, copies, parts and control flow, to try the planner on. */
import type { Graph, Node, Operators, Preparation, Subgraph, Tensor } from '../../lib/graph';
import { newTensor } from '../../lib/tensor';
import { controlOperators } from '../../ops/control';
import { variableOperators } from '../../variables/operators';

/** Draws whole numbers from 0 to n − 1. */
export type Draw = (n: number) => number;

function affine(x: Int32Array, y: Int32Array, a: number, b: number): void {
  for (let i = 0; i < y.length; i++) y[i] = (x[i] * a + b) | 0;
}

function combine(x: Int32Array, z: Int32Array, y: Int32Array): void {
  for (let i = 0; i < y.length; i++) y[i] = (x[i] * 3 - z[i]) | 0;
}

/** Not in place: reads the input backwards, through a scratch buffer. */
function reverse(x: Int32Array, y: Int32Array, scratch: Int32Array): void {
  for (let i = 0; i < x.length; i++) scratch[i] = x[i];
  for (let i = 0; i < x.length; i++) y[i] = scratch[x.length - 1 - i] ^ 5;
  for (let i = 0; i < x.length; i++) scratch[i] = -1;
}

function positive(x: Int32Array, y: Uint8Array): void {
  y[0] = x[0] > 0 ? 1 : 0;
}

/** The operators that random graphs are made of. */
export const testOperators: Operators = {
  ...variableOperators,
  ...controlOperators,
  AFFINE: (node: Node, p: Preparation) => {
    p.inPlace(node.inputs[0]!, node.outputs[0]);
    p.step(affine, [
      node.inputs[0]!,
      node.outputs[0],
      (node.options!.a as number) | 0,
      (node.options!.b as number) | 0,
    ]);
  },
  COMBINE: (node: Node, p: Preparation) => {
    p.inPlace(node.inputs[0]!, node.outputs[0]);
    p.inPlace(node.inputs[1]!, node.outputs[0]);
    p.step(combine, [node.inputs[0]!, node.inputs[1]!, node.outputs[0]]);
  },
  REVERSE: (node: Node, p: Preparation) => {
    p.step(reverse, [node.inputs[0]!, node.outputs[0], p.scratch('INT32', node.inputs[0]!.length)]);
  },
  POSITIVE: (node: Node, p: Preparation) => p.step(positive, [node.inputs[0]!, node.outputs[0]]),
  SAME: (node: Node, p: Preparation) => p.move(node.inputs[0]!, 0, node.outputs[0], 0, node.outputs[0].bytes),
  JOIN: (node: Node, p: Preparation) => {
    let at = 0;
    for (const part of node.inputs) {
      p.move(part!, 0, node.outputs[0], at, part!.bytes);
      at += part!.bytes;
    }
  },
  PART: (node: Node, p: Preparation) => {
    p.move(node.inputs[0]!, (node.options!.at as number) * 4, node.outputs[0], 0, node.outputs[0].bytes);
  },
};

const VARIABLES = [2, 3, 3];

class Maker {
  readonly graph: Graph = {
    version: 3,
    description: '',
    subgraphs: [],
    bytes: new Uint8Array(0),
    metadata: [],
  };
  constructor(private readonly draw: Draw) {}

  private tensor(subgraph: Subgraph, type: string, length: number): Tensor {
    const tensor = newTensor(`s${subgraph.index}t${subgraph.tensors.length}`, type, [length]);
    tensor.subgraph = subgraph.index;
    tensor.index = subgraph.tensors.length;
    subgraph.tensors.push(tensor);
    return tensor;
  }

  private node(
    subgraph: Subgraph,
    op: string,
    inputs: Tensor[],
    outputs: Tensor[],
    options: Node['options'] = {},
  ): void {
    subgraph.nodes.push({
      op,
      inputs,
      outputs,
      options,
      custom: false,
      version: 1,
      index: subgraph.nodes.length,
      subgraph: subgraph.index,
      intermediates: [],
      optionsTag: 0,
      optionsTable: 0,
      customOptions: null,
    });
  }

  private empty(): Subgraph {
    const subgraph: Subgraph = {
      name: '',
      index: this.graph.subgraphs.length,
      tensors: [],
      inputs: [],
      outputs: [],
      nodes: [],
    };
    this.graph.subgraphs.push(subgraph);
    return subgraph;
  }

  private handle(subgraph: Subgraph, variable: number): Tensor {
    const handle = this.tensor(subgraph, 'RESOURCE', 1);
    this.node(subgraph, 'VAR_HANDLE', [], [handle], { container: '', shared_name: `v${variable}` });
    return handle;
  }

  /** A subgraph with inputs and outputs of the given lengths. */
  make(inputs: number[], outputs: number[], depth: number, size: number): Subgraph {
    const draw = this.draw;
    const subgraph = this.empty();
    subgraph.inputs = inputs.map((length) => this.tensor(subgraph, 'INT32', length));
    const pool: Tensor[] = [...subgraph.inputs];
    const constant = this.tensor(subgraph, 'INT32', 3);
    constant.constant = true;
    constant.data = new Int32Array([draw(9) - 4, draw(9), 7]);
    pool.push(constant);
    const pick = (length?: number): Tensor | undefined => {
      const fitting = length === undefined ? pool : pool.filter((tensor) => tensor.length === length);
      // recent values more often, so that chains form
      return fitting.length
        ? fitting[fitting.length - 1 - Math.min(draw(fitting.length), draw(fitting.length))]
        : undefined;
    };
    const emit = (op: string, from: Tensor[], length: number, options?: Node['options']): Tensor => {
      const output = this.tensor(subgraph, 'INT32', length);
      this.node(subgraph, op, from, [output], options);
      pool.push(output);
      return output;
    };
    const ofLength = (length: number): Tensor => {
      const found = pick(length);
      if (found && draw(4)) return found;
      const wide = pool.filter((tensor) => tensor.length >= length);
      if (wide.length) {
        const source = wide[draw(wide.length)];
        return emit('PART', [source], length, { at: draw(source.length - length + 1) });
      }
      let joined = pick()!;
      while (joined.length < length) {
        const part = pick()!;
        joined = emit('JOIN', [joined, part], joined.length + part.length);
      }
      return joined.length === length ? joined : emit('PART', [joined], length, { at: 0 });
    };
    for (let i = 0; i < size; i++) {
      const x = pick()!;
      switch (draw(depth ? 10 : 8)) {
        case 0:
          emit('AFFINE', [x], x.length, { a: 3, b: draw(5) });
          break;
        case 1:
          emit('COMBINE', [x, ofLength(x.length)], x.length);
          break;
        case 2:
          emit('REVERSE', [x], x.length);
          break;
        case 3:
          emit('SAME', [x], x.length);
          break;
        case 4: {
          const parts = [x, pick()!].slice(0, 1 + draw(2));
          const length = parts.reduce((sum, part) => sum + part.length, 0);
          if (length < 20) emit('JOIN', parts, length);
          break;
        }
        case 5: {
          const length = 1 + draw(x.length);
          emit('PART', [x], length, { at: draw(x.length - length + 1) });
          break;
        }
        case 6: {
          const variable = draw(VARIABLES.length);
          const handle = this.handle(subgraph, variable);
          const output = this.tensor(subgraph, 'INT32', VARIABLES[variable]);
          this.node(subgraph, 'READ_VARIABLE', [handle], [output]);
          pool.push(output);
          break;
        }
        case 7: {
          const variable = draw(VARIABLES.length);
          const value = ofLength(VARIABLES[variable]);
          this.node(subgraph, 'ASSIGN_VARIABLE', [this.handle(subgraph, variable), value], []);
          break;
        }
        default:
          this.branch(subgraph, pool, pick, depth);
      }
    }
    subgraph.outputs = outputs.map((length) => ofLength(length));
    return subgraph;
  }

  private branch(subgraph: Subgraph, pool: Tensor[], pick: () => Tensor | undefined, depth: number): void {
    const condition = this.tensor(subgraph, 'BOOL', 1);
    this.node(subgraph, 'POSITIVE', [pick()!], [condition]);
    const operands = [pick()!, pick()!];
    const lengths = operands.map((tensor) => tensor.length);
    const result = 1 + this.draw(4);
    const then = this.make(lengths, [result], depth - 1, 4);
    // now and then both branches are the same subgraph, called twice
    const otherwise = this.draw(3) ? this.make(lengths, [result], depth - 1, 4) : then;
    const output = this.tensor(subgraph, 'INT32', result);
    this.node(subgraph, 'IF', [condition, ...operands], [output], {
      then_subgraph_index: then.index,
      else_subgraph_index: otherwise.index,
    });
    pool.push(output);
  }
}

/** A graph with two inputs, two outputs and three variables. Every variable is assigned somewhere. */
export function randomGraph(draw: Draw): Graph {
  const maker = new Maker(draw);
  const main = maker.make([3, 4], [3, 2], 2, 4 + draw(12));
  for (let i = 0; i < VARIABLES.length; i++) {
    const value = newTensor(`last${i}`, 'INT32', [VARIABLES[i]]);
    value.subgraph = 0;
    value.index = main.tensors.length;
    main.tensors.push(value);
    const handle = newTensor(`handle${i}`, 'RESOURCE', [1]);
    handle.subgraph = 0;
    handle.index = main.tensors.length;
    main.tensors.push(handle);
    const node = (op: string, inputs: Tensor[], outputs: Tensor[], options: Node['options']): void => {
      main.nodes.push({
        op,
        inputs,
        outputs,
        options,
        custom: false,
        version: 1,
        index: main.nodes.length,
        subgraph: 0,
        intermediates: [],
        optionsTag: 0,
        optionsTable: 0,
        customOptions: null,
      });
    };
    node('VAR_HANDLE', [], [handle], { container: '', shared_name: `v${i}` });
    node('PART', [main.inputs[1]], [value], { at: i % 2 });
    if (draw(2)) node('ASSIGN_VARIABLE', [handle, value], [], {});
    else {
      const old = newTensor(`old${i}`, 'INT32', [VARIABLES[i]]);
      const sum = newTensor(`sum${i}`, 'INT32', [VARIABLES[i]]);
      for (const tensor of [old, sum]) {
        tensor.subgraph = 0;
        tensor.index = main.tensors.length;
        main.tensors.push(tensor);
      }
      node('READ_VARIABLE', [handle], [old], {});
      node('COMBINE', [old, value], [sum], {});
      node('ASSIGN_VARIABLE', [handle, sum], [], {});
    }
  }
  return maker.graph;
}
