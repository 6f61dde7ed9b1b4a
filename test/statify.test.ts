/** Models rewritten to hold their state, and back: same answers, also in real TensorFlow Lite. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { findLoops } from '../author/find_loops';
import { GraphBuilder } from '../author/graph_builder';
import { readModel } from '../author/options';
import { gruModel, leakyIntegratorModel, type RecurrentType } from '../author/recurrent';
import { statify, unstatify } from '../author/statify';
import { strip } from '../author/strip';
import { writeModel } from '../author/writer';
import { load } from '../lib/index';
import { firstDifference } from '../tools/same_outputs';
import { ABSENT, shared } from './helpers/shared';
import { openTflite } from './helpers/tflite';

/** y = h + x, h' = x + h − ½ x, with names that tell. */
function loopModel(names: { in: string; out: string }, quantized = false): Uint8Array {
  const builder = new GraphBuilder('loop');
  const main = builder.subgraph('main');
  const type = quantized ? 'INT8' : 'FLOAT32';
  const q = quantized ? { scale: 0.05, zeroPoint: 3 } : undefined;
  const x = main.input('x', type, [1, 3], q);
  const h = main.input(names.in, type, [1, 3], q);
  const y = main.tensor('y', type, [1, 3], q);
  const next = main.tensor(names.out, type, [1, 3], q);
  main.op('ADD', [h, x], [y]);
  main.op(
    'MUL',
    [y, main.constant('half', type, [1], quantized ? Int8Array.of(13) : Float32Array.of(0.5), q)],
    [next],
  );
  main.output(y);
  main.output(next);
  return writeModel(builder.build());
}

function outside(bytes: Uint8Array, out: string, input: string): ReturnType<typeof load> {
  const model = load(bytes, { feedback: [{ from: out, to: input }] });
  model.outputs = model.outputs.filter((output) => output.name !== out);
  return model;
}

describe('statify', function () {
  this.timeout(60000);

  for (const quantized of [false, true]) {
    it(`puts a loop into a variable (${quantized ? 'int8' : 'float'}), found by name`, () => {
      const bytes = loopModel({ in: 'state_in', out: 'state_out' }, quantized);
      const graph = readModel(bytes);
      const loops = findLoops(graph);
      assert.deepEqual(loops, [{ out: 'state_out', in: 'state_in', initial: null }]);
      const rewritten = writeModel(statify(graph, loops));
      const inside = load(rewritten);
      assert.deepEqual(
        inside.inputs.map((input) => input.name),
        ['x'],
      );
      const variable = inside.variables.get('state_in');
      assert.deepEqual(Array.from(variable.initial!), quantized ? [3, 3, 3] : [0, 0, 0]);
      assert.equal(variable.scale, quantized ? Math.fround(0.05) : 0);
      assert.equal(firstDifference(outside(bytes, 'state_out', 'state_in'), inside, 100), null);
      // and back, and in again
      const { graph: back, loops: found } = unstatify(readModel(rewritten));
      const backBytes = writeModel(back);
      const back1 = load(backBytes, { feedback: [{ from: found[0].out, to: found[0].in }] });
      back1.outputs = back1.outputs.filter((output) => output.name !== found[0].out);
      assert.equal(firstDifference(back1, load(rewritten), 100), null);
      const again = readModel(backBytes);
      assert.equal(
        firstDifference(load(writeModel(statify(again, findLoops(again)))), load(rewritten), 100),
        null,
      );
    });
  }

  it('finds loops by many names, and says what would fit when none tells', () => {
    for (const [out, input] of [
      ['h_next', 'h'],
      ['new_cell', 'prev_cell'],
      ['output_state', 'input_state'],
      ['StatefulPartitionedCall_state_out:0', 'serving_default_StatefulPartitionedCall_state_in:0'],
    ]) {
      assert.equal(findLoops(readModel(loopModel({ in: input, out })))[0]?.out, out);
    }
    assert.throws(() => findLoops(readModel(loopModel({ in: 'a', out: 'b' }))), /--loop "y=x".*--loop "b=a"/);
  });

  it('refuses what does not fit, and changes nothing', () => {
    const bytes = loopModel({ in: 'state_in', out: 'state_out' });
    const attempt = (out: string, input: string) => () =>
      statify(readModel(bytes), [{ out, in: input, initial: null }]);
    assert.throws(
      attempt('nothing', 'state_in'),
      /no output "nothing": the model's outputs are "y", "state_out"/,
    );
    assert.throws(attempt('y', 'nothing'), /no input "nothing"/);
    assert.throws(() => statify(readModel(bytes), []), /no loops were given/);
    const twice = [
      { out: 'state_out', in: 'state_in', initial: null },
      { out: 'y', in: 'state_in', initial: null },
    ];
    assert.throws(() => statify(readModel(bytes), twice), /the input is fed twice/);
  });

  it('runs in real TensorFlow Lite with the state carried', async function () {
    const bytes = writeModel(
      statify(readModel(loopModel({ in: 'state_in', out: 'state_out' })), [
        { out: 'state_out', in: 'state_in', initial: Float32Array.of(1, 2, 3) },
      ]),
    );
    const tflite = await openTflite(bytes);
    const model = load(bytes);
    for (let step = 0; step < 20; step++) {
      const x = Float32Array.of(step, -step, 0.5);
      tflite.setInput(0, x);
      tflite.invoke();
      assert.deepEqual(
        Array.from(tflite.output(0)),
        Array.from(model.step(x) as Float32Array),
        `step ${step}`,
      );
    }
  });

  it('dtln_model_1_float: its state goes inside, and comes out again', function () {
    const file = shared('models', 'dtln_model_1_float', 'model.tflite');
    if (!file) {
      this.test!.title += ` (${ABSENT})`;
      this.skip();
    }
    const bytes = new Uint8Array(fs.readFileSync(file));
    const rewritten = writeModel(
      statify(readModel(bytes), [{ out: 'Identity_1', in: 'input_3', initial: null }]),
    );
    assert.equal(firstDifference(outside(bytes, 'Identity_1', 'input_3'), load(rewritten), 20), null);
    const { graph, loops } = unstatify(readModel(rewritten));
    const model = load(writeModel(graph), {
      feedback: loops.map((loop) => ({ from: loop.out, to: loop.in })),
    });
    model.outputs = model.outputs.slice(0, 1);
    assert.equal(firstDifference(model, load(rewritten), 20), null);
  });
});

describe('unstatify and strip', function () {
  this.timeout(60000);

  for (const type of ['FLOAT32', 'INT8', 'INT16'] as RecurrentType[]) {
    const models = {
      GRU: () => gruModel({ inputs: 3, units: 4, type, initial: [0.1, -0.2, 0.3, 0.4] }),
      'leaky integrator': () => leakyIntegratorModel({ size: 2, decay: 0.7, type, initial: [1, -1] }),
    };
    for (const [title, make] of Object.entries(models)) {
      it(`${title} ${type}: the state outside gives the same answers, starting from the declared values`, () => {
        const bytes = writeModel(make());
        const { graph, loops } = unstatify(readModel(bytes));
        const model = load(writeModel(graph), {
          feedback: loops.map((loop) => ({ from: loop.out, to: loop.in })),
        });
        for (const loop of loops) model.variables.get(loop.in).data.set(loop.initial!);
        model.outputs = model.outputs.slice(0, 1);
        assert.equal(firstDifference(model, load(bytes), 100), null);
      });

      it(`${title} ${type}: stripped, it is smaller, the same, and takes the same snapshots`, () => {
        const bytes = writeModel(make());
        const stripped = writeModel(strip(readModel(bytes)));
        assert.ok(stripped.length < bytes.length);
        assert.equal(firstDifference(load(bytes), load(stripped), 50), null);
        const model = load(bytes);
        model.invoke();
        load(stripped).restore(model.save());
      });
    }
  }

  it('all public models: stripped, they answer the same', function () {
    const folder = shared('models');
    if (!folder) {
      this.test!.title += ` (${ABSENT})`;
      this.skip();
    }
    for (const name of fs.readdirSync(folder)) {
      const file = shared('models', name, 'model.tflite');
      if (!file) continue;
      const bytes = new Uint8Array(fs.readFileSync(file));
      const stripped = writeModel(strip(readModel(bytes)));
      assert.ok(stripped.length < bytes.length, name);
      assert.equal(firstDifference(load(bytes), load(stripped), 2), null, name);
    }
  });

  it('refuses variables within branches, and models without any', () => {
    assert.throws(() => unstatify(readModel(loopModel({ in: 'a', out: 'b' }))), /has no resource variables/);
  });
});
