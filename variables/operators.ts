/**
 * VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE: resource variables.
 *
 * A variable is known by its container and shared name in all subgraphs. Its type, shape and quantization are those
 * of the first tensor that is assigned to it, in the order of subgraphs and operators, as in TFLM; unlike TFLM, a
 * tensor of another type or size is refused. Reading and assigning are moves: where nobody needs the old value any
 * more, the planner lets the tensor be the variable, and nothing is copied.
 */
import { Graph, Node, Operators, Preparation, Tensor, Variable } from '../lib/graph';
import { placeOf } from '../lib/prepare';
import { readOptions } from '../lib/reader';
import { VAR_HANDLE_OPTIONS } from '../lib/schema';
import { describe, newTensor } from '../lib/tensor';

/** The variable of this identity; an absent container stands for any. */
function find(variables: Variable[], container: string, name: string): Variable | null {
  for (let i = 0; i < variables.length; i++) {
    const variable = variables[i];
    if (variable.name !== name) continue;
    if (variable.container === container || !variable.container || !container) {
      if (!variable.container) variable.container = container;
      return variable;
    }
  }
  return null;
}

/**
 * Finds the resource variables of a graph, and ties every handle to its variable.
 * @throws Error when a variable is read but never assigned, or assigned tensors that do not fit each other
 */
export function collectVariables(graph: Graph): Variable[] {
  const found: Variable[] = [];
  const assigned: Variable[] = [];
  const readers: Node[] = [];
  for (let i = 0; i < graph.subgraphs.length; i++) {
    const nodes = graph.subgraphs[i].nodes;
    for (let k = 0; k < nodes.length; k++) {
      const node = nodes[k];
      const handle = node.op === 'VAR_HANDLE' ? node.outputs[0] : node.inputs[0];
      if (node.op === 'VAR_HANDLE' && handle) handle.variable = identify(graph, node, found);
      else if (node.op === 'READ_VARIABLE') readers.push(node);
      else if (node.op === 'ASSIGN_VARIABLE' && handle && handle.variable) {
        declare(node, handle.variable, assigned);
      }
    }
  }
  for (let i = 0; i < readers.length; i++) {
    const handle = readers[i].inputs[0];
    if (handle && handle.variable && assigned.indexOf(handle.variable) < 0) {
      throw new Error(
        placeOf(readers[i]) + ': variable "' + handle.variable.name + '" is read, but no operator assigns it',
      );
    }
  }
  return assigned;
}

function identify(graph: Graph, node: Node, found: Variable[]): Variable {
  const options = readOptions(graph.bytes, node, VAR_HANDLE_OPTIONS);
  const container = options.container as string;
  const name = options.shared_name as string;
  let variable = find(found, container, name);
  if (!variable) {
    variable = {
      container: container,
      name: name,
      tensor: newTensor(name, 'INT8', [0]),
      initial: null,
      resource: true,
    };
    variable.tensor.isVariable = true;
    found.push(variable);
  }
  return variable;
}

/** The first assignment decides what a variable is; the others must fit. */
function declare(node: Node, variable: Variable, assigned: Variable[]): void {
  const value = node.inputs[1];
  if (!value) throw new Error(placeOf(node) + ': no value to assign to "' + variable.name + '"');
  const tensor = variable.tensor;
  if (assigned.indexOf(variable) < 0) {
    tensor.type = value.type;
    tensor.shape = value.shape;
    tensor.length = value.length;
    tensor.bytes = value.bytes;
    tensor.scale = value.scale;
    tensor.zeroPoint = value.zeroPoint;
    tensor.scales = value.scales;
    tensor.zeroPoints = value.zeroPoints;
    tensor.quantizedDimension = value.quantizedDimension;
    assigned.push(variable);
  } else if (tensor.type !== value.type || tensor.bytes !== value.bytes) {
    throw new Error(placeOf(node) + ': variable ' + describe(tensor) + ' cannot take ' + describe(value));
  }
}

function variableOf(node: Node, p: Preparation): Variable {
  const handle = node.inputs[0];
  if (!handle || handle.type !== 'RESOURCE' || !handle.variable) {
    return p.fail(
      'input 0 must be a RESOURCE from VAR_HANDLE in the same subgraph, but it is ' + describe(handle),
    );
  }
  return handle.variable;
}

function prepareHandle(node: Node, p: Preparation): void {
  if (node.outputs.length !== 1 || node.outputs[0].type !== 'RESOURCE')
    p.fail('its output must be one RESOURCE');
}

function prepareRead(node: Node, p: Preparation): void {
  const tensor = variableOf(node, p).tensor;
  const output = node.outputs[0];
  if (!output) p.fail('it has no output');
  if (output.type !== tensor.type || output.bytes !== tensor.bytes) {
    p.fail('variable ' + describe(tensor) + ' cannot be read into ' + describe(output));
  }
  p.move(tensor, 0, output, 0, tensor.bytes);
}

function prepareAssign(node: Node, p: Preparation): void {
  const tensor = variableOf(node, p).tensor;
  const value = node.inputs[1] as Tensor;
  if (value.type !== tensor.type || value.bytes !== tensor.bytes) {
    p.fail('variable ' + describe(tensor) + ' cannot take ' + describe(value));
  }
  p.move(value, 0, tensor, 0, tensor.bytes);
}

export const variableOperators: Operators = {
  VAR_HANDLE: prepareHandle,
  READ_VARIABLE: prepareRead,
  ASSIGN_VARIABLE: prepareAssign,
};
