/** Operators that sum products: every combination that no kernel takes is refused, with its place and what was expected. */
import assert from 'node:assert/strict';
import { load } from '../../lib/index';
import { lengthOf, modelOf } from '../helpers/one_operator';
import type { OneOperator, Operand } from '../helpers/one_operator';

describe('sums of products that are refused', () => {
  const float = (shape: number[], constant = false): Operand => ({
    type: 'FLOAT32',
    shape,
    values: new Array(lengthOf(shape)).fill(0),
    constant,
  });
  const typed = (type: string, shape: number[], quantization = {}): Operand => ({
    type,
    shape,
    values: new Array(lengthOf(shape)).fill(0),
    constant: true,
    quantization,
  });
  const q = { scale: 0.1, zeroPoint: 0 };
  const conv = { padding: 1, stride_w: 1, stride_h: 1 };
  const dense = (inputs: Operand[], output: OneOperator['outputs'][0]): OneOperator => ({
    op: 'FULLY_CONNECTED',
    inputs,
    outputs: [output],
    options: {},
  });
  const windowed = (op: string, inputs: Operand[], shape: number[], options: object): OneOperator => ({
    op,
    inputs,
    outputs: [{ type: 'FLOAT32', shape }],
    options: { ...conv, ...options },
  });
  const x = float([1, 4, 4, 2]);
  const CASES: [string, OneOperator, RegExp][] = [
    ['a stride of 0', windowed('CONV_2D', [x, float([3, 2, 2, 2])], [1, 3, 3, 3], { stride_w: 0 }), /stride/],
    [
      'a dilation of 0',
      windowed('CONV_2D', [x, float([3, 2, 2, 2])], [1, 3, 3, 3], { dilation_h_factor: 0 }),
      /dilation/,
    ],
    [
      'channels that do not fit',
      windowed('CONV_2D', [x, float([3, 2, 2, 3])], [1, 3, 3, 3], {}),
      /do not fit each other/,
    ],
    [
      'groups that do not divide',
      windowed('CONV_2D', [x, float([3, 2, 2, 1])], [1, 3, 3, 3], {}),
      /do not fit each other/,
    ],
    [
      'a wrong output shape',
      windowed('CONV_2D', [x, float([3, 2, 2, 2])], [1, 4, 4, 3], {}),
      /must have shape \[1,3,3,3\]/,
    ],
    [
      'a filter larger than the image',
      windowed('CONV_2D', [x, float([3, 6, 2, 2])], [1, 1, 3, 3], {}),
      /must have shape/,
    ],
    [
      'three dimensions',
      windowed('CONV_2D', [float([4, 4, 2]), float([3, 2, 2, 2])], [1, 3, 3, 3], {}),
      /4 dimensions/,
    ],
    [
      'a short bias',
      windowed('CONV_2D', [x, float([3, 2, 2, 2]), float([2])], [1, 3, 3, 3], {}),
      /bias must have 3 elements/,
    ],
    [
      'a bias of another type',
      windowed('CONV_2D', [x, float([3, 2, 2, 2]), typed('INT32', [3])], [1, 3, 3, 3], {}),
      /bias must be FLOAT32/,
    ],
    [
      'int16 weights',
      windowed('CONV_2D', [x, typed('INT16', [3, 2, 2, 2], q)], [1, 3, 3, 3], {}),
      /no kernel takes FLOAT32 input with INT16 weights/,
    ],
    [
      'four operands',
      windowed('CONV_2D', [x, float([3, 2, 2, 2]), float([3]), float([3])], [1, 3, 3, 3], {}),
      /expected up to 3 inputs/,
    ],
    [
      'channels that are no multiple',
      windowed('DEPTHWISE_CONV_2D', [x, float([1, 2, 2, 3])], [1, 3, 3, 3], {}),
      /do not fit each other/,
    ],
    [
      'two filters for a channel',
      windowed('DEPTHWISE_CONV_2D', [x, float([2, 2, 2, 2])], [1, 3, 3, 2], {}),
      /do not fit each other/,
    ],
    [
      'another output shape',
      windowed('TRANSPOSE_CONV', [typed('INT32', [4]), float([3, 2, 2, 2]), x], [1, 5, 5, 3], {}),
      /expected 1 in an operand/,
    ],
    [
      'weights in another order',
      windowed(
        'TRANSPOSE_CONV',
        [{ ...typed('INT32', [4]), values: [1, 5, 5, 3] }, float([2, 2, 2, 3]), x],
        [1, 5, 5, 3],
        {},
      ),
      /expected \[batches, \.\.\., depth\]/,
    ],
    [
      'rows that do not fit',
      dense([float([1, 5]), float([3, 4])], { type: 'FLOAT32', shape: [1, 3] }),
      /expected rows of depth/,
    ],
    [
      'a wide output',
      dense([float([1, 4]), float([3, 4])], { type: 'FLOAT32', shape: [1, 8] }),
      /expected rows of depth/,
    ],
    [
      'weights of one dimension',
      dense([float([1, 4]), float([4])], { type: 'FLOAT32', shape: [1, 1] }),
      /\[units, depth\]/,
    ],
    [
      'weights without a scale',
      dense([typed('INT8', [1, 4], q), typed('INT8', [3, 4])], {
        type: 'INT8',
        shape: [1, 3],
        quantization: q,
      }),
      /weights must be quantized/,
    ],
    [
      'an output without a scale',
      dense([typed('INT8', [1, 4], q), typed('INT8', [3, 4], q)], { type: 'INT8', shape: [1, 3] }),
      /output must be quantized/,
    ],
    [
      'a bias of another scale',
      dense(
        [typed('INT8', [1, 4], q), typed('INT8', [3, 4], q), typed('INT32', [3], { scale: 1, zeroPoint: 0 })],
        {
          type: 'INT8',
          shape: [1, 3],
          quantization: q,
        },
      ),
      /bias must have scale/,
    ],
    [
      'INT4 weights with many scales',
      dense(
        [typed('INT8', [1, 4], q), typed('INT4', [2, 4], { scales: [0.1, 0.2], quantizedDimension: 0 })],
        {
          type: 'INT8',
          shape: [1, 2],
          quantization: q,
        },
      ),
      /one scale for all/,
    ],
    [
      'computed INT4 weights',
      dense([typed('INT8', [1, 4], q), { ...typed('INT4', [2, 4], q), constant: false }], {
        type: 'INT8',
        shape: [1, 2],
        quantization: q,
      }),
      /INT4 weights must be constant/,
    ],
    [
      'inner sizes that differ',
      {
        op: 'BATCH_MATMUL',
        inputs: [float([2, 3]), float([4, 2])],
        outputs: [{ type: 'FLOAT32', shape: [2, 2] }],
        options: {},
      },
      /do not fit each other/,
    ],
    [
      'batches that do not broadcast',
      {
        op: 'BATCH_MATMUL',
        inputs: [float([2, 2, 3]), float([3, 3, 2])],
        outputs: [{ type: 'FLOAT32', shape: [3, 2, 2] }],
        options: {},
      },
      /do not fit each other/,
    ],
    [
      'vectors',
      {
        op: 'BATCH_MATMUL',
        inputs: [float([3]), float([3, 2])],
        outputs: [{ type: 'FLOAT32', shape: [1, 2] }],
        options: {},
      },
      /at least 2 dimensions/,
    ],
    [
      'INT16 with a zero point',
      {
        op: 'BATCH_MATMUL',
        inputs: [typed('INT16', [2, 3], { scale: 0.1, zeroPoint: 4 }), typed('INT16', [3, 2], q)],
        outputs: [{ type: 'INT16', shape: [2, 2], quantization: q }],
        options: {},
      },
      /zero points 0/,
    ],
  ];
  for (const [what, one, message] of CASES) {
    it(`${one.op}: ${what}`, () => {
      assert.throws(
        () => load(modelOf(one)),
        (error: Error) => {
          assert.match(error.message, message);
          assert.ok(error.message.startsWith(`subgraph 0, operator 0 ${one.op}: `), error.message);
          return true;
        },
      );
    });
  }
});
