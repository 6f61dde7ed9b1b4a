/** Operators that move, scatter and search: against real TensorFlow Lite, and what they refuse. */
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../author/graph_builder';
import { random, type Random } from '../../author/random';
import { writeModel } from '../../author/writer';
import { load } from '../../lib/index';
import { ints } from '../helpers/movement';
import {
  lengthOf,
  modelOf,
  type OneOperator,
  type Operand,
  randomValues,
  run,
} from '../helpers/one_operator';
import { openTflite, tfliteMissing } from '../helpers/tflite';

const shapeOf = (next: Random, rank: number, most = 4): number[] =>
  Array.from({ length: rank }, () => next.integer(1, most));

function data(next: Random, type: string, shape: number[], limit?: number): Operand {
  return {
    type,
    shape,
    values: randomValues(next, type, shape, limit ?? (type === 'INT64' ? 1e9 : undefined)),
  };
}

/** The binding of TensorFlow Lite has no 64-bit numbers: inputs of them become constants, outputs are cast. */
async function same(one: OneOperator): Promise<void> {
  const builder = new GraphBuilder();
  const main = builder.subgraph('main');
  const given: Operand[] = [];
  const inputs = one.inputs.map((x, i) => {
    if (x.constant || x.type === 'INT64') return main.constant(`in${i}`, x.type, x.shape, x.values);
    given.push(x);
    return main.input(`in${i}`, x.type, x.shape);
  });
  const outputs = one.outputs.map((y, i) => main.tensor(`out${i}`, y.type, y.shape));
  main.op(one.op, inputs, outputs, one.options);
  const readable = outputs.map((y) => {
    if (y.type !== 'INT64') return y;
    const cast = main.tensor(`cast ${y.name}`, 'INT32', y.shape);
    main.op('CAST', [y], [cast], { in_data_type: 4, out_data_type: 2 });
    return cast;
  });
  main.output(...readable);
  const tflite = await openTflite(writeModel(builder.build()));
  given.forEach((x, i) => tflite.setInput(i, Array.from(x.values as ArrayLike<number>, Number)));
  tflite.invoke();
  const got = run(one);
  one.outputs.forEach((_, i) => {
    assert.deepEqual(got[i], Array.from(tflite.output(i)), `output ${i} of ${JSON.stringify(one)}`);
  });
}

/** Different index tuples into `shape`. */
function places(next: Random, shape: number[], count: number): number[][] {
  const all = Array.from({ length: lengthOf(shape) }, (_, at) =>
    shape.map((n, d) => Math.floor(at / lengthOf(shape.slice(d + 1))) % n),
  );
  return all.sort(() => next() - 0.5).slice(0, count);
}

/** Random cases of operators and options that TensorFlow Lite has and TFLM has not. */
const CASES: Record<string, (next: Random) => OneOperator> = {
  TILE(next) {
    const type = ['FLOAT32', 'INT32', 'INT64', 'UINT8', 'INT8', 'BOOL'][next.integer(0, 5)];
    const shape = shapeOf(next, next.integer(1, 4), 3);
    const times = shapeOf(next, shape.length, 3);
    return {
      op: 'TILE',
      inputs: [data(next, type, shape), ints(times)],
      outputs: [{ type, shape: shape.map((n, d) => n * times[d]) }],
    };
  },
  RANK(next) {
    const shape = shapeOf(next, next.integer(1, 5));
    return { op: 'RANK', inputs: [data(next, 'FLOAT32', shape)], outputs: [{ type: 'INT32', shape: [] }] };
  },
  SHAPE(next) {
    const shape = shapeOf(next, next.integer(1, 5));
    const type = next() < 0.5 ? 'INT32' : 'INT64';
    return {
      op: 'SHAPE',
      inputs: [data(next, 'INT8', shape)],
      outputs: [{ type, shape: [shape.length] }],
      options: { out_type: type === 'INT32' ? 2 : 4 },
    };
  },
  WHERE(next) {
    const type = ['BOOL', 'FLOAT32', 'INT32', 'INT8', 'UINT8', 'UINT32'][next.integer(0, 5)];
    const shape = shapeOf(next, next.integer(1, 4));
    const x: Operand = {
      type,
      shape,
      values: Array.from({ length: lengthOf(shape) }, () => [0, 0, 1, 1][next.integer(0, 3)]),
    };
    if (type === 'FLOAT32') (x.values as number[])[0] = -0;
    const count = Array.from(x.values as number[]).filter((v) => v).length;
    return { op: 'WHERE', inputs: [x], outputs: [{ type: 'INT64', shape: [count, shape.length] }] };
  },
  UNIQUE(next) {
    const type = ['FLOAT32', 'INT32', 'INT64', 'INT8', 'UINT8'][next.integer(0, 4)];
    const x = data(next, type, [next.integer(1, 20)], 6);
    x.values = (x.values as number[]).map(Math.floor);
    const numbers = next() < 0.5 ? 'INT32' : 'INT64';
    return {
      op: 'UNIQUE',
      inputs: [x],
      outputs: [
        { type, shape: [new Set(Array.from(x.values as number[], (v) => v + 0)).size] },
        { type: numbers, shape: x.shape },
      ],
      options: { idx_out_type: numbers === 'INT32' ? 2 : 4 },
    };
  },
  TOPK_V2(next) {
    const type = ['FLOAT32', 'INT32', 'INT8', 'UINT8'][next.integer(0, 3)];
    const shape = [...shapeOf(next, next.integer(0, 2)), next.integer(1, 12)];
    const k = next.integer(1, shape[shape.length - 1]);
    const result = [...shape.slice(0, -1), k];
    const x = data(next, type, shape, 5);
    x.values = (x.values as number[]).map(Math.round);
    return {
      op: 'TOPK_V2',
      inputs: [x, ints([k], [])],
      outputs: [
        { type, shape: result },
        { type: 'INT32', shape: result },
      ],
    };
  },
  SCATTER_ND(next) {
    const type = ['FLOAT32', 'INT32', 'INT8', 'UINT8'][next.integer(0, 3)];
    const shape = shapeOf(next, next.integer(1, 4));
    const nd = next.integer(1, shape.length);
    const count = next.integer(1, 6);
    const indices = Array.from({ length: count }, () =>
      shape.slice(0, nd).map((n) => next.integer(0, n - 1)),
    );
    return {
      op: 'SCATTER_ND',
      inputs: [
        { type: 'INT32', shape: [count, nd], values: indices.flat() },
        data(next, type, [count, ...shape.slice(nd)], 100),
        ints(shape),
      ],
      outputs: [{ type, shape }],
    };
  },
  SPARSE_TO_DENSE(next) {
    const type = ['FLOAT32', 'INT32', 'INT64', 'INT8', 'UINT8'][next.integer(0, 4)];
    const shape = shapeOf(next, next.integer(1, 4));
    const indices = places(next, shape, next.integer(1, 5));
    const flat = shape.length === 1 && next() < 0.5;
    return {
      op: 'SPARSE_TO_DENSE',
      inputs: [
        {
          type: 'INT32',
          shape: flat ? [indices.length] : [indices.length, shape.length],
          values: indices.flat(),
        },
        ints(shape),
        data(next, type, [indices.length]),
        data(next, type, []),
      ],
      outputs: [{ type, shape }],
    };
  },
  ONE_HOT(next) {
    const type = ['FLOAT32', 'INT32', 'INT64', 'INT8', 'UINT8', 'BOOL'][next.integer(0, 5)];
    const shape = shapeOf(next, next.integer(0, 3));
    const depth = next.integer(1, 5);
    const axis = next.integer(0, shape.length);
    const wide = next() < 0.5 ? 'INT64' : 'INT32';
    return {
      op: 'ONE_HOT',
      inputs: [
        { type: wide, shape, values: Array.from({ length: lengthOf(shape) }, () => next.integer(-1, depth)) },
        ints([depth], []),
        data(next, type, []),
        data(next, type, []),
      ],
      outputs: [{ type, shape: [...shape.slice(0, axis), depth, ...shape.slice(axis)] }],
      options: { axis: axis === shape.length && next() < 0.5 ? -1 : axis },
    };
  },
  'GATHER with INT64 indices and other types'(next) {
    const type = ['FLOAT32', 'INT32', 'INT64', 'UINT8', 'BOOL'][next.integer(0, 4)];
    const shape = shapeOf(next, next.integer(1, 4));
    const axis = next.integer(0, shape.length - 1);
    const batch = next.integer(0, axis);
    const indices = [...shape.slice(0, batch), ...shapeOf(next, next.integer(0, 2))];
    return {
      op: 'GATHER',
      inputs: [
        data(next, type, shape),
        {
          type: 'INT64',
          shape: indices,
          values: Array.from({ length: lengthOf(indices) }, () => next.integer(0, shape[axis] - 1)),
        },
      ],
      outputs: [
        { type, shape: [...shape.slice(0, axis), ...indices.slice(batch), ...shape.slice(axis + 1)] },
      ],
      options: { axis, batch_dims: batch },
    };
  },
  'STRIDED_SLICE with new axes and an ellipsis'(next) {
    // TensorFlow Lite lets an ellipsis stand for one dimension at least; NumPy and TensorFlow, also for none
    const shape = shapeOf(next, next.integer(3, 4));
    const before = next.integer(0, 1);
    const after = next.integer(0, 1);
    const entries = [...Array(before).fill('take'), 'ellipsis', 'new', ...Array(after).fill('take')];
    const taken = (n: number): number => Math.min(n, 2);
    const middle = shape.slice(before, shape.length - after);
    return {
      op: 'STRIDED_SLICE',
      inputs: [
        data(next, 'FLOAT32', shape),
        ints(entries.map(() => 0)),
        ints(entries.map(() => 2)),
        ints(entries.map(() => 1)),
      ],
      outputs: [
        {
          type: 'FLOAT32',
          shape: [
            ...shape.slice(0, before).map(taken),
            ...middle,
            1,
            ...shape.slice(shape.length - after).map(taken),
          ],
        },
      ],
      options: { ellipsis_mask: 1 << before, new_axis_mask: 1 << (before + 1) },
    };
  },
  'FILL of other types'(next) {
    const type = ['INT64', 'BOOL', 'INT16'][next.integer(0, 2)];
    const shape = shapeOf(next, next.integer(1, 4));
    return { op: 'FILL', inputs: [ints(shape), data(next, type, [])], outputs: [{ type, shape }] };
  },
};

describe('movement of data and TensorFlow Lite', function () {
  this.timeout(120000);
  const missing = tfliteMissing();
  for (const [name, draw] of Object.entries(CASES)) {
    if (missing) {
      it(`${name}: pending, ${missing}`);
      continue;
    }
    it(`${name} gives the same`, async () => {
      const next = random(name.length * 100 + 7);
      for (let i = 0; i < 25; i++) await same(draw(next));
    });
  }

  it('a count that differs from the static shape is an error', () => {
    const where: OneOperator = {
      op: 'WHERE',
      inputs: [{ type: 'BOOL', shape: [4], values: [1, 1, 0, 1] }],
      outputs: [{ type: 'INT64', shape: [2, 1] }],
    };
    assert.throws(() => run(where), /operator 0 WHERE: found 3 where the static shape of the output says 2/);
    where.outputs[0].shape = [4, 1];
    assert.throws(() => run(where), /found 3 .* says 4/);
    const unique: OneOperator = {
      op: 'UNIQUE',
      inputs: [{ type: 'INT32', shape: [4], values: [5, 6, 5, 7] }],
      outputs: [
        { type: 'INT32', shape: [2] },
        { type: 'INT32', shape: [4] },
      ],
    };
    assert.throws(() => run(unique), /operator 0 UNIQUE: found 3 .* says 2/);
  });

  it('SPARSE_TO_DENSE puts one value everywhere, ONE_HOT takes INT16', () => {
    const sparse: OneOperator = {
      op: 'SPARSE_TO_DENSE',
      inputs: [
        ints([0, 1, 1, 0], [2, 2]),
        ints([2, 2]),
        { type: 'INT16', shape: [], values: [7] },
        { type: 'INT16', shape: [], values: [-1] },
      ],
      outputs: [{ type: 'INT16', shape: [2, 2] }],
    };
    assert.deepEqual(run(sparse), [[-1, 7, 7, -1]]);
    const hot: OneOperator = {
      op: 'ONE_HOT',
      inputs: [
        ints([1, 5, 0]),
        ints([2], []),
        { type: 'INT16', shape: [], values: [300] },
        { type: 'INT16', shape: [], values: [-2] },
      ],
      outputs: [{ type: 'INT16', shape: [3, 2] }],
      options: { axis: -1 },
    };
    assert.deepEqual(run(hot), [[-2, 300, -2, -2, 300, -2]]);
    sparse.inputs[0] = ints([0, 2, 1, 0], [2, 2]);
    assert.throws(() => run(sparse), /SPARSE_TO_DENSE: index 2 is outside of a dimension of 2/);
  });

  it('computed operands are checked in each step', () => {
    const slice = (begin: number, size: number): OneOperator => ({
      op: 'SLICE',
      inputs: [
        { type: 'FLOAT32', shape: [5], values: [1, 2, 3, 4, 5] },
        { type: 'INT64', shape: [1], values: [begin] },
        { type: 'INT64', shape: [1], values: [size] },
      ],
      outputs: [{ type: 'FLOAT32', shape: [2] }],
    });
    assert.deepEqual(run(slice(1, 2)), [[2, 3]]);
    assert.deepEqual(run(slice(3, -1)), [[4, 5]]);
    for (const [begin, size] of [
      [4, 2],
      [-1, 2],
      [1, 3],
      [2, -1],
      [2 ** 32 + 1, 2],
    ]) {
      assert.throws(() => run(slice(begin, size)), /SLICE: expected 2 of 5 in dimension 0, but got begin/);
    }
    const fill = (dims: number[]): OneOperator => ({
      op: 'FILL',
      inputs: [
        { type: 'INT32', shape: [2], values: dims },
        { type: 'INT8', shape: [], values: [3] },
      ],
      outputs: [{ type: 'INT8', shape: [1, 2] }],
    });
    assert.deepEqual(run(fill([1, 2])), [[3, 3]]);
    assert.throws(() => run(fill([2, 2])), /FILL: expected 1 in an operand.* but got 2/);
  });

  it('refuses what does not fit', () => {
    const f = (shape: number[]): Operand => ({ type: 'FLOAT32', shape, values: [] });
    const y = (shape: number[], type = 'FLOAT32'): { type: string; shape: number[] } => ({ type, shape });
    const cases: [RegExp, OneOperator][] = [
      [
        /expected a permutation, not \[0,0\]/,
        { op: 'TRANSPOSE', inputs: [f([2, 2]), ints([0, 0])], outputs: [y([2, 2])] },
      ],
      [
        /operands of one type .* but got .* FLOAT32 \[2\] and .* INT32 \[2\]/,
        { op: 'TRANSPOSE', inputs: [f([2]), ints([0])], outputs: [y([2], 'INT32')] },
      ],
      [
        /each axis once, but got \[1,-1\]/,
        { op: 'REVERSE_V2', inputs: [f([2, 2]), ints([1, -1])], outputs: [y([2, 2])] },
      ],
      [
        /an index within dimension 0/,
        {
          op: 'STRIDED_SLICE',
          inputs: [f([3]), ints([4]), ints([5]), ints([1])],
          outputs: [y([])],
          options: { shrink_axis_mask: 1 },
        },
      ],
      [
        /at most 1 entries in begin/,
        {
          op: 'STRIDED_SLICE',
          inputs: [f([3]), ints([0, 0, 0]), ints([1, 1, 1]), ints([1, 1, 1])],
          outputs: [y([1])],
        },
      ],
      [/an output that is a multiple/, { op: 'TILE', inputs: [f([2]), ints([2])], outputs: [y([3])] }],
      [/expected 2 in an operand.*but got 3/, { op: 'TILE', inputs: [f([2]), ints([3])], outputs: [y([4])] }],
      [
        /one scale and zero point 0/,
        {
          op: 'EMBEDDING_LOOKUP',
          inputs: [
            { type: 'INT32', shape: [1], values: [0] },
            {
              type: 'INT8',
              shape: [2, 2],
              values: [1, 2, 3, 4],
              constant: true,
              quantization: { scale: 1, zeroPoint: 3 },
            },
          ],
          outputs: [y([1, 2])],
        },
      ],
      [
        /an update that fits/,
        { op: 'DYNAMIC_UPDATE_SLICE', inputs: [f([2]), f([3]), ints([0])], outputs: [y([2])] },
      ],
      [
        /k must be at most 2/,
        { op: 'TOPK_V2', inputs: [f([2]), ints([3], [])], outputs: [y([3]), y([3], 'INT32')] },
      ],
      [
        /no padding wider than/,
        { op: 'MIRROR_PAD', inputs: [f([2]), ints([2, 0], [1, 2])], outputs: [y([4])], options: { mode: 0 } },
      ],
      [
        /expected 1 pairs of paddings/,
        { op: 'PAD', inputs: [f([2]), ints([1, 1, 1, 1], [2, 2])], outputs: [y([4])] },
      ],
      [
        /expected zero point 0/,
        {
          op: 'CONCATENATION',
          inputs: [{ type: 'INT16', shape: [1], values: [], quantization: { scale: 1, zeroPoint: 2 } }],
          outputs: [y([1], 'INT16')],
          options: { axis: 0 },
        },
      ],
      [
        /blocks of \[2\] with \[0,0\] around/,
        {
          op: 'SPACE_TO_BATCH_ND',
          inputs: [f([1, 3, 1]), ints([2]), ints([0, 0], [1, 2])],
          outputs: [y([2, 2, 1])],
        },
      ],
      [
        /whole bytes/,
        {
          op: 'REVERSE_V2',
          inputs: [{ type: 'INT4', shape: [4], values: [] }, ints([0])],
          outputs: [y([4], 'INT4')],
        },
      ],
    ];
    for (const [message, one] of cases) {
      assert.throws(
        () => load(modelOf(one)),
        (error: Error) => {
          assert.match(error.message, message);
          assert.match(error.message, new RegExp(`^subgraph 0, operator 0 ${one.op}: `));
          return true;
        },
      );
    }
  });
});
