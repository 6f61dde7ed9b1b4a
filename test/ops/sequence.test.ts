/** RANGE, SEGMENT_SUM, REVERSE_SEQUENCE, MATRIX_DIAG: against real TensorFlow Lite, and what they refuse. */
import assert from 'node:assert/strict';
import { random } from '../../author/random';
import { OneOperator, randomValues, run, sameAsTflite } from '../helpers/one_operator';
import { tfliteMissing } from '../helpers/tflite';

const next = random(37);

describe('sequences', () => {
  it('a range of another length, a segment out of order and a sequence that is too long are errors of the step', () => {
    const range = (limit: number): OneOperator => ({
      op: 'RANGE',
      inputs: [0, limit, 2].map((value) => ({ type: 'INT32', shape: [], values: [value] })),
      outputs: [{ type: 'INT32', shape: [3] }],
    });
    assert.deepEqual(run(range(5))[0], [0, 2, 4]);
    assert.throws(
      () => run(range(7)),
      /operator 0 RANGE: the range from 0 to 7 by 2 does not have 3 elements/,
    );
    const segments = (ids: number[]): OneOperator => ({
      op: 'SEGMENT_SUM',
      inputs: [
        { type: 'INT32', shape: [3], values: [1, 2, 3] },
        { type: 'INT32', shape: [3], values: ids },
      ],
      outputs: [{ type: 'INT32', shape: [2] }],
    });
    assert.throws(() => run(segments([0, 1, 0])), /SEGMENT_SUM: segment number 0 of row 2/);
    assert.throws(() => run(segments([0, 1, 2])), /SEGMENT_SUM: segment number 2 of row 2/);
    assert.throws(() => run(segments([-1, 1, 1])), /SEGMENT_SUM: segment number -1 of row 0/);
    const reverse: OneOperator = {
      op: 'REVERSE_SEQUENCE',
      inputs: [
        { type: 'INT8', shape: [2, 2], values: [1, 2, 3, 4] },
        { type: 'INT32', shape: [2], values: [1, 3] },
      ],
      outputs: [{ type: 'INT8', shape: [2, 2] }],
      options: { seq_dim: 1, batch_dim: 0 },
    };
    assert.throws(() => run(reverse), /REVERSE_SEQUENCE: a sequence length is 3, but there are 2 elements/);
  });
});

describe('sequences, as real TensorFlow Lite', function () {
  this.timeout(60000);
  const missing = tfliteMissing();
  if (missing) return void it(`pending: ${missing}`);

  it('RANGE', async () => {
    for (const [type, start, limit, delta, n] of [
      ['INT32', 3, 12, 4, 3],
      ['INT32', 9, 2, -3, 3],
      ['FLOAT32', 0, 1, 0.25, 4],
    ] as [string, number, number, number, number][]) {
      await sameAsTflite({
        op: 'RANGE',
        inputs: [start, limit, delta].map((value) => ({ type, shape: [], values: [value], constant: true })),
        outputs: [{ type, shape: [n] }],
      });
    }
  });

  it('SEGMENT_SUM', async () => {
    for (const type of ['FLOAT32', 'INT32']) {
      await sameAsTflite({
        op: 'SEGMENT_SUM',
        inputs: [
          { type, shape: [5, 2], values: randomValues(next, type, [5, 2], 99) },
          { type: 'INT32', shape: [5], values: [0, 0, 1, 1, 2], constant: true },
        ],
        outputs: [{ type, shape: [3, 2] }],
      });
    }
  });

  it('REVERSE_SEQUENCE', async () => {
    for (const [seq_dim, batch_dim, shape] of [
      [1, 0, [3, 4, 2]],
      [0, 2, [4, 2, 3]],
      [2, 1, [2, 3, 4]],
      [0, 1, [4, 3]],
    ] as [number, number, number[]][]) {
      for (const type of ['FLOAT32', 'INT32', 'UINT8']) {
        await sameAsTflite({
          op: 'REVERSE_SEQUENCE',
          inputs: [
            { type, shape, values: randomValues(next, type, shape) },
            { type: 'INT32', shape: [3], values: [1, 4, 3] },
          ],
          outputs: [{ type, shape }],
          options: { seq_dim, batch_dim },
        });
      }
    }
  });

  it('MATRIX_DIAG', async () => {
    for (const type of ['FLOAT32', 'INT32', 'INT8']) {
      await sameAsTflite({
        op: 'MATRIX_DIAG',
        inputs: [{ type, shape: [2, 3], values: randomValues(next, type, [2, 3]) }],
        outputs: [{ type, shape: [2, 3, 3] }],
      });
    }
  });
});
