/** The public face: load, inputs and outputs, step on real numbers, reset, memory; and files that are not models. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { GraphBuilder } from '../author/graph_builder';
import { gruModel, leakyIntegratorModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { load } from '../lib/index';
import { bytesOf } from './helpers/suite';

describe('load', () => {
  const bytes = writeModel(gruModel({ inputs: 3, units: 4, type: 'INT8' }));

  it('takes an ArrayBuffer, a Uint8Array, and one that starts at any byte of its buffer', () => {
    const expected = Array.from(load(bytes).step([1, 2, 3]) as Float32Array);
    for (let offset = 0; offset < 5; offset++) {
      const shifted = new Uint8Array(bytes.length + offset).subarray(offset);
      shifted.set(bytes);
      assert.deepEqual(
        Array.from(load(shifted).step([1, 2, 3]) as Float32Array),
        expected,
        `offset ${offset}`,
      );
    }
    assert.deepEqual(Array.from(load(bytes.slice().buffer).step([1, 2, 3]) as Float32Array), expected);
  });

  it('says what it expects when it gets something else', () => {
    for (const wrong of [undefined, null, 'model.tflite', 7, {}, []]) {
      assert.throws(() => load(wrong as never), /load expects the bytes of a \.tflite model/);
    }
    assert.throws(() => load(new Uint8Array(3)), /not a \.tflite model: 3 bytes are too few/);
    assert.throws(() => load(new Uint8Array(100)), /expected the identifier TFL3/);
    assert.throws(() => load(bytes, { align: 12 }), /align must be a power of two/);
    assert.throws(() => load(bytes, { preserve: ['nothing'] }), /no tensor "nothing"/);
  });

  it('aligns tensors in the arena as asked', () => {
    for (const align of [4, 16, 64]) {
      for (const tensor of load(bytes, { align, share: false }).inputs)
        assert.equal(tensor.data.byteOffset % align, 0);
    }
    assert.ok(load(bytes, { align: 4 }).memory.arena <= load(bytes, { align: 64 }).memory.arena);
  });

  it('reports memory exactly', () => {
    const { memory, program, variables } = load(bytes);
    assert.equal(memory.arena, program.arena.byteLength);
    assert.equal(memory.variables, variables.get('h').data.byteLength);
    assert.ok(memory.constants > 0 && memory.constants < bytes.length);
    assert.equal(memory.preserved, 0);
  });
});

describe('step', () => {
  const make = (): ReturnType<typeof load> =>
    load(writeModel(leakyIntegratorModel({ size: 2, decay: 0.5, type: 'INT8' })));

  it('quantizes inputs and gives real numbers, clamped to what the type holds', () => {
    const model = make();
    const y = model.step([1, -1]) as Float32Array;
    assert.ok(Math.abs(y[0] - 0.5) < model.outputs[0].scale && Math.abs(y[1] + 0.5) < model.outputs[0].scale);
    const clamped = model.step([1e9, -1e9]) as Float32Array;
    assert.ok(clamped[0] > 0 && clamped[1] < 0);
    assert.equal(model.step([0, 0]), y, 'the result array is reused');
  });

  it('refuses what is not the right numbers, and leaves the state unchanged', () => {
    const model = make();
    model.step([1, 1]);
    const before = Array.from(model.variables.get('y').data);
    const refused: [unknown[], RegExp][] = [
      [[], /input 0 "x" INT8 \[1,2\]: got nothing, but 2 numbers are expected/],
      [[1], /one number, but 2 are expected/],
      [[[1, 2, 3]], /got 3 values, but 2 are expected/],
      [[['1', 2]], /element 0 is "1", not a number/],
      [[[NaN, 2]], /element 0 is NaN/],
      [['ab'], /a string, but 2 numbers are expected/],
      [
        [
          [1, 2],
          [3, 4],
        ],
        /takes 1 inputs, but more were given/,
      ],
    ];
    for (const [args, message] of refused) {
      assert.throws(() => model.step(...(args as [number])), message);
      assert.deepEqual(Array.from(model.variables.get('y').data), before);
    }
    assert.throws(
      () => model.variables.get('y').write([1]),
      /variable "y": got 1 values, but 2 are expected/,
    );
    assert.throws(() => model.variables.get('z'), /no variable "z": there are y/);
  });

  it('reset gives declared initial values again, whatever happened before', () => {
    const model = load(writeModel(gruModel({ inputs: 2, units: 3, initial: [0.5, -0.5, 0.25] })));
    const first = Array.from(model.step([1, 2]) as Float32Array);
    for (let i = 0; i < 10; i++) model.step([i, -i]);
    model.reset();
    assert.deepEqual(Array.from(model.step([1, 2]) as Float32Array), first);
    model.variables.get('h').write([9, 9, 9]);
    model.variables.reset('h');
    assert.deepEqual(Array.from(model.variables.get('h').read()), [0.5, -0.5, 0.25]);
  });

  it('an error of a kernel names the operator', () => {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const at = main.input('at', 'INT32', [1]);
    const y = main.tensor('y', 'FLOAT32', [1]);
    main.op('GATHER', [main.constant('table', 'FLOAT32', [3], Float32Array.of(1, 2, 3)), at], [y], {
      axis: 0,
    });
    main.output(y);
    const model = load(writeModel(builder.build()));
    assert.equal((model.step(2) as Float32Array)[0], 3);
    assert.throws(() => model.step(7), /subgraph 0, operator 0 GATHER: /);
  });
});

describe('a damaged model', function () {
  this.timeout(120000);
  const models = [
    writeModel(gruModel({ inputs: 2, units: 3, type: 'INT8' })),
    writeModel(gruModel({ inputs: 2, units: 3 })),
    writeModel(leakyIntegratorModel({ size: 2, decay: 0.5, type: 'INT16' })),
    whileModel(),
  ];

  /** A loop that runs as often as the input says, over a variable. */
  function whileModel(): Uint8Array {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const condition = builder.subgraph('condition');
    const body = builder.subgraph('body');
    const n = condition.input('n', 'INT32', [1]);
    const more = condition.tensor('more', 'BOOL', [1]);
    condition.op('GREATER', [n, condition.constant('zero', 'INT32', [1], Int32Array.of(0))], [more]);
    condition.output(more);
    const m = body.input('m', 'INT32', [1]);
    const less = body.tensor('less', 'INT32', [1]);
    const one = body.constant('one', 'INT32', [1], Int32Array.of(1));
    body.op('SUB', [m, one], [less]);
    const handle = body.variable('count');
    const sum = body.tensor('sum', 'INT32', [1]);
    body.op('ADD', [body.read(handle, 'INT32', [1]), one], [sum]);
    body.assign(handle, sum);
    body.output(less);
    const x = main.input('x', 'INT32', [1]);
    const left = main.tensor('left', 'INT32', [1]);
    main.op('WHILE', [x], [left], { cond_subgraph_index: 1, body_subgraph_index: 2 });
    main.output(left);
    return writeModel(builder.build());
  }

  /** Loads and runs; whatever goes wrong is an Error of ours. */
  function survive(bytes: Uint8Array): boolean {
    try {
      const model = load(bytes, { iterationLimit: 100 });
      for (const input of model.inputs) bytesOf(input).fill(1);
      model.invoke();
      return true;
    } catch (error) {
      assert.equal((error as Error).constructor, Error, (error as Error).stack);
      assert.ok((error as Error).message.length > 10);
      return false;
    }
  }

  it('a loop over a variable runs, and stops at its limit', () => {
    const model = load(whileModel(), { iterationLimit: 50 });
    model.step(5);
    assert.equal(model.variables.get('count').data[0], 5);
    assert.throws(() => model.step(51), /operator 0 WHILE: more than 50 iterations/);
  });

  it('cut at any length is refused', () => {
    for (const bytes of models) {
      for (let length = 0; length < bytes.length; length += length < 100 ? 1 : 13)
        survive(bytes.slice(0, length));
      assert.equal(survive(bytes.slice(0, bytes.length >> 1)), false);
    }
  });

  it('with any bytes changed is refused or runs, and never crashes, hangs or takes all memory', () => {
    let refused = 0;
    const change = fc.record({
      at: fc.nat(),
      to: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 127, 128, 255)),
    });
    fc.assert(
      fc.property(
        fc.nat(models.length - 1),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (which, changes) => {
          const bytes = models[which].slice();
          for (const { at, to } of changes) bytes[at % bytes.length] = to;
          if (!survive(bytes)) refused++;
        },
      ),
      { numRuns: 20000 },
    );
    assert.ok(refused > 1000, `only ${refused} were refused`);
  });

  it('with any word changed, likewise', () => {
    const change = fc.record({
      at: fc.nat(),
      to: fc.oneof(fc.integer(), fc.constantFrom(0, -1, 0x7fffffff, -0x80000000, 0x10000, 65535, 4, 8)),
    });
    fc.assert(
      fc.property(
        fc.nat(models.length - 1),
        fc.array(change, { minLength: 1, maxLength: 2 }),
        (which, changes) => {
          const bytes = models[which].slice();
          const view = new DataView(bytes.buffer);
          for (const { at, to } of changes) view.setInt32((at % (bytes.length >> 2)) << 2, to, true);
          survive(bytes);
        },
      ),
      { numRuns: 20000 },
    );
  });
});
