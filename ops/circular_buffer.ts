/**
 * CIRCULAR_BUFFER (x [1, 1, w, depth]) → [1, slots, w, depth]: the last `slots` inputs, oldest first. INT8.
 *
 * Its state starts at the zero point. With the option cycles_max the rest of the model runs only in every
 * cycles_max-th step: in others the run ends here, and the model's outputs keep their values. Without options (or
 * with 0) cycles_max is 2, but 1 for the shapes of the last buffer in two streaming models that TFLM was made for: 5,
 * 13 or 25 slots, or w 2 and depth 96 in the fifth buffer since the last of those.
 */
import { Node, Operators, Preparation, Tensor } from '../lib/graph';
import { ControlPreparation, copyBytes } from '../lib/prepare';
import { expectRank, expectShape, expectType, input, output } from './checks';
import { branch } from './control';
import { expectOperands, stateName } from './custom';
import { customOptions, integerOption } from './flexbuffer';

/** Kernel: counts down to the step in which the model runs. */
export function countCycle(left: Int32Array, period: number, runs: Uint8Array): void {
  runs[0] = 0;
  if (--left[0] > 0) return;
  runs[0] = 1;
  left[0] = period;
}

/** The option, or 0. */
function cyclesOption(node: Node, p: Preparation): number {
  if (!node.customOptions || !node.customOptions.length) return 0;
  const cycles = integerOption(
    customOptions(node, 'cycles_max', p),
    'cycles_max',
    -2147483648,
    2147483647,
    p,
  );
  return cycles > 0 ? cycles : 0;
}

/** cycles_max of a buffer that does not tell it: from its shape, and how many like it came before. */
function cyclesByShape(node: Node, p: ControlPreparation): number {
  let cycles = 2;
  let count = 0;
  const nodes = node.subgraph ? [node] : p.mainNodes.slice(0, node.index + 1);
  for (let i = 0; i < nodes.length; i++) {
    const y = nodes[i].outputs[0];
    if (nodes[i].op !== node.op || !y || cyclesOption(nodes[i], p)) continue;
    const slots = y.shape[1];
    count++;
    cycles =
      slots === 5 || slots === 13 || slots === 25 || (count === 5 && y.shape[2] === 2 && y.shape[3] === 96)
        ? 1
        : 2;
    if (cycles === 1) count = 0;
  }
  return cycles;
}

function prepareCircularBuffer(node: Node, p: Preparation): void {
  expectOperands(node, 1, 1, p);
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  expectType(x, 'INT8', 'the input', p);
  expectType(y, 'INT8', 'the output', p);
  expectRank(x, 4, 'the input', p);
  expectShape(x, [1, 1, x.shape[2], x.shape[3]], 'the input', p);
  expectRank(y, 4, 'the output', p);
  expectShape(y, [1, y.shape[1], x.shape[2], x.shape[3]], 'the output', p);
  if (!y.length) p.fail('the output must have slots');
  // TFLM keeps the state in the output, which models mark as variable
  y.isVariable = false;
  const state: Tensor = p.state(stateName(node, 'slots'), 'INT8', y.shape, null);
  state.scale = y.scale;
  state.zeroPoint = y.zeroPoint;
  state.scales = y.scales;
  state.zeroPoints = y.zeroPoints;
  const rest = y.length - x.length;
  if (rest)
    p.step(copyBytes, [
      { of: state, type: 'UINT8', offset: x.length, length: rest },
      { of: state, type: 'UINT8', offset: 0, length: rest },
    ]);
  p.step(copyBytes, [
    { of: x, type: 'UINT8', offset: 0, length: x.length },
    { of: state, type: 'UINT8', offset: rest, length: x.length },
  ]);
  p.move(state, 0, y, 0, y.bytes);
  const cycles = cyclesOption(node, p) || cyclesByShape(node, p as ControlPreparation);
  if (cycles === 1) return;
  if (node.subgraph)
    p.fail('with cycles_max ' + cycles + ' it ends the run, which is possible in subgraph 0 only');
  const left = p.state(stateName(node, 'cycles'), 'INT32', [1], new Int32Array([cycles]));
  const runs = p.scratch('UINT8', 1);
  p.step(countCycle, [left, cycles, runs]);
  p.step(branch, [runs, (p as ControlPreparation).end()]);
}

export const circularBufferOperators: Operators = { CIRCULAR_BUFFER: prepareCircularBuffer };
