/** Operators that move data: against naive references on random shapes and types, with and without shared memory. */
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../author/graph_builder';
import { type Random, random } from '../../author/random';
import { load } from '../../lib/index';
import { modelOf as planned } from '../../lib/load';
import type { Model } from '../../lib/model';
import { elementBytes } from '../../lib/tensor';
import { allOperators } from '../../ops/index';
import { type Case, CASES, flat, unflat } from '../helpers/movement';
import { lengthOf, modelOf, type OneOperator, type Operand } from '../helpers/one_operator';
import { bytesOf } from '../helpers/suite';

const TYPES = [
  'INT8',
  'UINT8',
  'BOOL',
  'INT16',
  'FLOAT16',
  'FLOAT32',
  'INT32',
  'UINT32',
  'INT64',
  'COMPLEX64',
  'COMPLEX128',
];

function operatorOf(given: Case, type: string, zeroPoint: number): OneOperator {
  const quantization = type === 'INT8' || type === 'UINT8' ? { scale: 0.5, zeroPoint } : undefined;
  const data = given.shapes.map((shape): Operand => ({ type, shape, values: [], quantization }));
  const constants = given.constants ?? [];
  return {
    op: given.op,
    inputs: given.constantsFirst ? [...constants, ...data] : [...data, ...constants],
    outputs: given.outputs.map((shape) => ({ type, shape, quantization })),
    options: given.options,
  };
}

/** Runs with random bytes and compares each byte of the outputs with the byte that it should be. */
function check(model: Model, given: Case, type: string, zeroPoint: number, next: Random): void {
  const size = elementBytes(type);
  const inputs = given.shapes.map((shape) =>
    Uint8Array.from({ length: lengthOf(shape) * size }, () => next.integer(0, 255)),
  );
  inputs.forEach((bytes, i) => bytesOf(model.inputs[i]).set(bytes));
  model.invoke();
  given.outputs.forEach((shape, k) => {
    const wanted = Array.from({ length: lengthOf(shape) }, (_, at) => {
      const source = given.source(k, unflat(at, shape));
      if (!source)
        return Array.from({ length: size }, () =>
          type === 'INT8' || type === 'UINT8' ? zeroPoint & 255 : 0,
        );
      const from = flat(source.index, given.shapes[source.input]) * size;
      return [...inputs[source.input].subarray(from, from + size)];
    });
    assert.deepEqual([...bytesOf(model.outputs[k])], wanted.flat(), JSON.stringify({ ...given, type }));
  });
}

describe('movement of data', () => {
  for (const [op, draw] of Object.entries(CASES)) {
    it(`${op}: every byte comes from where it should, in all types`, () => {
      const next = random(op.length * 1000 + op.charCodeAt(0));
      for (let n = 0; n < 40 * TYPES.length; n++) {
        const given = draw(next);
        const type = TYPES[n % TYPES.length];
        const zeroPoint = next.integer(type === 'UINT8' ? 0 : -128, 127);
        const model = load(modelOf(operatorOf(given, type, zeroPoint)));
        check(model, given, type, zeroPoint, next);
        check(model, given, type, zeroPoint, next);
      }
    });
  }

  it('chains of these operators answer alike with and without shared memory', () => {
    for (let seed = 0; seed < 400; seed++) {
      const answers = [true, false].map((share) => {
        const next = random(seed);
        const builder = new GraphBuilder();
        const main = builder.subgraph('main');
        let values = [main.input('x', 'FLOAT32', [2, 3, 2]), main.input('z', 'FLOAT32', [2, 3, 2])];
        for (let i = 0; i < 8; i++) values = extend(main, values, next, i);
        main.output(...values.slice(-3));
        const model = planned(builder.build(), allOperators, { share });
        return [1, 2].map((step) => {
          model.inputs.forEach((input, k) =>
            input.data.set(Array.from({ length: input.data.length }, (_, i) => step * 100 + k * 20 + i)),
          );
          model.invoke();
          return model.outputs.map((output) => Array.from(output.data));
        });
      });
      assert.deepEqual(answers[0], answers[1], `seed ${seed}`);
    }
  });

  it('what can be the same memory is not copied', () => {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const order = main.constant('order', 'INT32', [2], [1, 0]);
    const turn = (a: Tensor): Tensor => {
      const y = main.tensor(`turned ${a.name}`, 'FLOAT32', [...a.shape].reverse());
      main.op('TRANSPOSE', [a, order], [y]);
      return y;
    };
    const x = main.input('x', 'FLOAT32', [4, 6]);
    const axis = main.constant('axis', 'INT32', [], [0]);
    const halves = [0, 1].map((i) => main.tensor(`half${i}`, 'FLOAT32', [2, 6]));
    main.op('SPLIT', [axis, x], halves, { num_splits: 2 });
    const joined = main.tensor('joined', 'FLOAT32', [12, 2]);
    main.op('CONCATENATION', halves.map(turn), [joined], { axis: 0 });
    const padded = main.tensor('padded', 'FLOAT32', [14, 2]);
    main.op('PAD', [joined, main.constant('paddings', 'INT32', [2, 2], [1, 1, 0, 0])], [padded]);
    const shaped = main.tensor('shaped', 'FLOAT32', [4, 7]);
    main.op('RESHAPE', [padded], [shaped], { new_shape: [4, 7] });
    main.output(turn(shaped));
    const steps = planned(builder.build(), allOperators, {}).program.steps;
    // PAD moves nothing but its two borders
    assert.deepEqual(
      steps.filter((step) => step.kernel.name.startsWith('copy')).map((step) => step.node.op),
      ['TRANSPOSE', 'TRANSPOSE', 'PAD', 'PAD', 'TRANSPOSE'],
    );
  });
});

type Main = ReturnType<GraphBuilder['subgraph']>;
type Tensor = ReturnType<Main['input']>;

/** Adds one random operator to a graph of FLOAT32 tensors. */
function extend(main: Main, values: Tensor[], next: Random, i: number): Tensor[] {
  const pick = (): Tensor => values[next.integer(Math.max(0, values.length - 5), values.length - 1)];
  const make = (shape: number[]): Tensor => main.tensor(`t${i}_${values.length}`, 'FLOAT32', shape);
  const x = pick();
  switch (next.integer(0, 5)) {
    case 0: {
      const y = make([lengthOf(x.shape)]);
      main.op('RESHAPE', [x], [y]);
      return [...values, y];
    }
    case 1: {
      const axis = next.integer(0, x.shape.length - 1);
      const parts = Array.from({ length: next.integer(1, 3) }, () => (next() < 0.4 ? x : pick())).filter(
        (part) =>
          part.shape.length === x.shape.length && part.shape.every((n, d) => d === axis || n === x.shape[d]),
      );
      if (!parts.length) return values;
      const y = make(
        x.shape.map((n, d) => (d === axis ? parts.reduce((sum, part) => sum + part.shape[d], 0) : n)),
      );
      main.op('CONCATENATION', parts, [y], { axis });
      return [...values, y];
    }
    case 2: {
      const axis = next.integer(0, x.shape.length - 1);
      const first = next.integer(1, x.shape[axis]);
      const sizes = [first, x.shape[axis] - first].filter((n) => n > 0);
      const parts = sizes.map((n, k) =>
        main.tensor(
          `t${i}_${k}`,
          'FLOAT32',
          x.shape.map((m, d) => (d === axis ? n : m)),
        ),
      );
      main.op(
        'SPLIT_V',
        [
          x,
          main.constant(`n${i}`, 'INT32', [sizes.length], sizes),
          main.constant(`a${i}`, 'INT32', [], [axis]),
        ],
        parts,
        { num_splits: sizes.length },
      );
      return [...values, ...parts];
    }
    case 3: {
      const paddings = x.shape.flatMap((_, d) => (d ? [0, 0] : [next.integer(0, 1), 1]));
      const y = make(x.shape.map((n, d) => n + paddings[2 * d] + paddings[2 * d + 1]));
      main.op('PAD', [x, main.constant(`p${i}`, 'INT32', [x.shape.length, 2], paddings)], [y]);
      return [...values, y];
    }
    case 4: {
      const y = make(x.shape);
      const update = make(x.shape.map((n) => next.integer(1, n)));
      const fill = main.constant(`f${i}`, 'FLOAT32', [], [i + 0.5]);
      main.op('FILL', [main.constant(`d${i}`, 'INT32', [update.shape.length], update.shape), fill], [update]);
      const start = main.constant(
        `s${i}`,
        'INT32',
        [x.shape.length],
        x.shape.map(() => next.integer(0, 2)),
      );
      main.op('DYNAMIC_UPDATE_SLICE', [x, update, start], [y]);
      return [...values, update, y];
    }
    default: {
      const y = make(x.shape);
      main.op('ADD', [x, x], [y]);
      return [...values, y];
    }
  }
}
