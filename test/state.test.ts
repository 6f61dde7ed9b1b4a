/** State as a thing of its own: streams, atomic and sliced steps, snapshots, feedback, preserved tensors. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { GraphBuilder } from '../author/graph_builder';
import type { Graph, Node, Operators, Preparation } from '../lib/graph';
import { enableSnapshots } from '../variables/snapshot';
import { modelOf } from '../lib/load';
import type { Model } from '../lib/model';
import { keep } from '../variables/keeper';
import { memoryBackend, openStore } from '../variables/store';
import { randomGraph, testOperators } from './helpers/random_graph';

enableSnapshots();

function fromSeed(seed: number, options = {}): Model {
  let state = seed * 2654435761 + 1;
  const draw = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * n);
  };
  return modelOf(randomGraph(draw), testOperators, options);
}

function feedRandom(model: Model, step: number): void {
  model.inputs.forEach((input, k) => {
    for (let i = 0; i < input.data.length; i++) input.data[i] = ((step * 31 + k * 17 + i * 7) % 41) - 20;
  });
}

function outputs(model: Model): number[][] {
  return model.outputs.map((output) => Array.from(output.data));
}

function variables(model: Model): number[][] {
  return model.variables.names().map((name) => Array.from(model.variables.get(name).data));
}

/** Counts up by the input, and fails after the assignment when the input is 13. */
function counter(): { graph: Graph; operators: Operators } {
  const builder = new GraphBuilder();
  const main = builder.subgraph('main');
  const x = main.input('x', 'INT32', [1]);
  const handle = main.variable('count');
  const sum = main.tensor('sum', 'INT32', [1]);
  const y = main.tensor('y', 'INT32', [1]);
  main.op('ADD', [main.read(handle, 'INT32', [1]), x], [sum]);
  main.assign(handle, sum);
  main.op('ADD', [sum, x], [y]);
  main.output(y);
  const operators: Operators = {
    ...testOperators,
    ADD: (node: Node, p: Preparation) =>
      p.step(
        (a: Int32Array, b: Int32Array, c: Int32Array, last: number) => {
          if (last && b[0] === 13) throw new Error('13 brings bad luck');
          c[0] = a[0] + b[0];
        },
        [node.inputs[0]!, node.inputs[1]!, node.outputs[0], node.outputs[0].name === 'y' ? 1 : 0],
      ),
  };
  return { graph: builder.build(), operators };
}

describe('streams', function () {
  this.timeout(60000);

  it('1,000 interleaved streams equal 1,000 models', () => {
    const one = fromSeed(7);
    const states = Array.from({ length: 1000 }, () => one.newState());
    const singles = Array.from({ length: 1000 }, () => fromSeed(7));
    for (let step = 0; step < 5; step++) {
      for (let k = 0; k < 1000; k++) {
        feedRandom(one, step + k);
        one.invoke(states[k]);
        feedRandom(singles[k], step + k);
        singles[k].invoke();
        assert.deepEqual(outputs(one), outputs(singles[k]), `stream ${k}, step ${step}`);
        assert.deepEqual(variables(one), variables(singles[k]), `stream ${k}, step ${step}`);
        assert.equal(states[k].steps, step + 1);
      }
    }
  });

  it('a state costs exactly the variables, and a foreign one is refused', () => {
    const model = fromSeed(7);
    const bytes = model.program.variables.reduce((sum, variable) => sum + variable.tensor.length * 4, 0);
    assert.equal(model.newState().buffer.byteLength, bytes);
    assert.equal(model.memory.variables, bytes);
    const { graph, operators } = counter();
    assert.throws(() => (model.state = modelOf(graph, operators).newState()), /not a state of this model/);
  });

  it('a state can be given to step', () => {
    const { graph, operators } = counter();
    const model = modelOf(graph, operators);
    const a = model.newState();
    const b = model.newState();
    assert.equal((model.step(5, a) as Float32Array)[0], 10);
    assert.equal((model.step(1, b) as Float32Array)[0], 2);
    assert.equal((model.step(5, a) as Float32Array)[0], 15);
    assert.throws(() => model.step(1, 2), /more were given/);
  });
});

describe('a step that does not come to its end', () => {
  it('atomic: leaves every variable as it was when it throws', () => {
    const { graph, operators } = counter();
    const model = modelOf(graph, operators, { atomic: true });
    model.step(4);
    assert.throws(() => model.step(13), /subgraph 0, operator 4 ADD: 13 brings bad luck/);
    assert.deepEqual(variables(model), [[4]]);
    assert.equal((model.step(1) as Float32Array)[0], 6);
  });

  it('not atomic: is an error that leaves a model that still works', () => {
    const { graph, operators } = counter();
    const model = modelOf(graph, operators);
    assert.throws(() => model.step(13), /bad luck/);
    assert.deepEqual(variables(model), [[13]]);
    model.reset();
    assert.equal((model.step(1) as Float32Array)[0], 2);
  });

  it('sliced: any budgets give the same answers', () => {
    fc.assert(
      fc.property(
        fc.nat(500),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (seed, budgets) => {
          const sliced = fromSeed(seed);
          const whole = fromSeed(seed);
          let turn = 0;
          for (let step = 0; step < 4; step++) {
            feedRandom(sliced, step);
            feedRandom(whole, step);
            sliced.start();
            while (!sliced.resume(budgets[turn++ % budgets.length]));
            whole.invoke();
            assert.deepEqual(outputs(sliced), outputs(whole));
            assert.deepEqual(variables(sliced), variables(whole));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('sliced: an abandoned step leaves an atomic model as it was, at every point', () => {
    for (let seed = 0; seed < 30; seed++) {
      const model = fromSeed(seed, { atomic: true });
      feedRandom(model, 1);
      model.invoke();
      const before = variables(model);
      for (let budget = 1; ; budget++) {
        feedRandom(model, 2);
        model.start();
        if (model.resume(budget)) break;
        model.abandon();
        assert.deepEqual(variables(model), before, `seed ${seed}, after ${budget}`);
      }
    }
  });

  it('sliced: everything that would disturb it is refused, and corrupts nothing', () => {
    const model = fromSeed(3);
    const other = fromSeed(3);
    const spare = model.newState();
    const snapshot = other.save();
    feedRandom(model, 1);
    feedRandom(other, 1);
    model.start();
    model.resume(2);
    for (const disturb of [
      () => model.invoke(),
      () => model.start(),
      () => model.step([1, 2, 3], [1, 2, 3, 4]),
      () => model.reset(),
      () => model.variables.reset('v0'),
      () => model.variables.get('v0').write([1, 2]),
      () => (model.state = spare),
      () => model.save(),
      () => model.restore(snapshot),
    ]) {
      assert.throws(disturb, /a step is under way/);
    }
    while (!model.resume(1));
    other.invoke();
    assert.deepEqual(outputs(model), outputs(other));
    assert.deepEqual(variables(model), variables(other));
    assert.throws(() => model.resume(1), /call start\(\) first/);
  });
});

describe('snapshots', () => {
  it('a stream goes on from a snapshot in another model as if nothing had happened', () => {
    fc.assert(
      fc.property(fc.nat(500), (seed) => {
        const first = fromSeed(seed);
        for (let step = 0; step < 3; step++) {
          feedRandom(first, step);
          first.invoke();
        }
        const second = fromSeed(seed);
        second.restore(first.save());
        assert.equal(second.state.steps, 3);
        for (let step = 3; step < 6; step++) {
          feedRandom(first, step);
          first.invoke();
          feedRandom(second, step);
          second.invoke();
          assert.deepEqual(outputs(second), outputs(first));
          assert.deepEqual(variables(second), variables(first));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('any damaged byte and any length but the right one is refused, and changes nothing', () => {
    const model = fromSeed(5);
    feedRandom(model, 1);
    model.invoke();
    const snapshot = model.save();
    model.reset();
    const before = variables(model);
    for (let i = 0; i < snapshot.length; i++) {
      const damaged = snapshot.slice();
      damaged[i] ^= 1 << (i % 8);
      assert.throws(() => model.restore(damaged), /snapshot/, `byte ${i}`);
      assert.throws(() => model.restore(snapshot.slice(0, i)), /snapshot/, `length ${i}`);
      assert.deepEqual(variables(model), before);
    }
    model.restore(snapshot);
    assert.deepEqual(model.save(), snapshot);
  });

  it('a snapshot of another model is refused, saying what differs', () => {
    const { graph, operators } = counter();
    const counting = modelOf(graph, operators);
    assert.throws(() => fromSeed(5).restore(counting.save()), /another model: its variables differ/);
    const changed = counter();
    changed.graph.subgraphs[0].nodes[0].op = 'VAR_HANDLE';
    changed.graph.subgraphs[0].nodes.pop();
    changed.graph.subgraphs[0].outputs = [changed.graph.subgraphs[0].tensors.find((t) => t.name === 'sum')!];
    assert.throws(
      () => modelOf(changed.graph, changed.operators).restore(counting.save()),
      /the variables are the same, but operators or weights differ/,
    );
  });

  it('saves into a given array, and refuses one of another size', () => {
    const model = fromSeed(5);
    const into = new Uint8Array(model.save().length);
    assert.equal(model.save(into), into);
    assert.deepEqual(into, model.save());
    assert.throws(() => model.save(new Uint8Array(3)), /takes \d+ bytes, but 3 were given/);
  });

  it('a keeper stores every N steps and every T seconds, and goes on where it was', () => {
    const { graph, operators } = counter();
    const backend = memoryBackend();
    let clock = 0;
    const model = modelOf(graph, operators);
    const keeper = keep(model, openStore(backend), { steps: 3, seconds: 60, now: () => clock });
    assert.equal(keeper.load(), false);
    const stored = [1, 2, 3, 4, 5].map((x) => {
      model.step(x);
      if (x === 5) clock = 61;
      return keeper.tick();
    });
    assert.deepEqual(stored, [false, false, true, false, true]);
    const fresh = counter();
    const later = modelOf(fresh.graph, fresh.operators);
    assert.equal(keep(later, openStore(backend), {}).load(), true);
    assert.deepEqual(variables(later), [[15]]);
  });
});

describe('feedback', () => {
  function loop(): Graph {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const x = main.input('x', 'INT32', [2]);
    const h = main.input('h', 'INT32', [2]);
    const y = main.tensor('y', 'INT32', [2]);
    const next = main.tensor('next', 'INT32', [2]);
    main.op('REVERSE', [h], [y], undefined, { custom: true });
    main.op('COMBINE', [h, x], [next], undefined, { custom: true });
    main.output(y);
    main.output(next);
    const graph = builder.build();
    return graph;
  }

  /** The same by hand. */
  function expected(readings: number[][]): number[][] {
    let h = [0, 0];
    return readings.map((x) => {
      const y = [h[1] ^ 5, h[0] ^ 5];
      h = h.map((value, i) => (value * 3 - x[i]) | 0);
      return y;
    });
  }

  const readings = [
    [1, 2],
    [3, 4],
    [-5, 6],
    [7, 0],
  ];

  for (const options of [{}, { share: false }, { preserve: true }]) {
    it(`feeds an output to an input of the next step (${JSON.stringify(options)})`, () => {
      const model = modelOf(loop(), testOperators, { ...options, feedback: [{ from: 'next', to: 'h' }] });
      assert.deepEqual(
        model.inputs.map((input) => input.name),
        ['x'],
      );
      assert.deepEqual(model.variables.names(), ['h']);
      const got = readings.map((x) => Array.from((model.step(x) as Float32Array[])[0]));
      assert.deepEqual(got, expected(readings));
      model.reset();
      assert.deepEqual(Array.from((model.step([1, 2]) as Float32Array[])[0]), [5, 5]);
    });
  }

  it('copies nothing where lifetimes allow, and the state swaps', () => {
    const model = modelOf(loop(), testOperators, { feedback: [{ from: 'next', to: 'h' }] });
    assert.equal(model.program.end, 2, 'only the two operators are left');
    const a = model.newState();
    const b = model.newState();
    const rows = readings.map((x) => {
      const y = Array.from((model.step(x, a) as Float32Array[])[0]);
      model.step([9, 9], b);
      return y;
    });
    assert.deepEqual(rows, expected(readings));
    model.state = a;
    const h = Array.from(model.outputs[1].data);
    assert.deepEqual(h, Array.from(model.variables.get('h').data));
  });

  it('refuses what does not fit, at load', () => {
    const make = (from: string, to: string) => () =>
      modelOf(loop(), testOperators, { feedback: [{ from, to }] });
    assert.throws(make('next', 'z'), /no tensor "z"/);
    assert.throws(make('x', 'h'), /the first is not an output/);
    assert.throws(make('next', 'y'), /the second is not an input/);
    const graph = loop();
    graph.subgraphs[0].outputs[1].scale = 0.5;
    assert.throws(
      () => modelOf(graph, testOperators, { feedback: [{ from: 'next', to: 'h' }] }),
      /quantizations differ/,
    );
  });
});

describe('in a REPL', () => {
  it('a model and its variables are short and say what they are', () => {
    const { graph, operators } = counter();
    const model = modelOf(graph, operators);
    model.step(3);
    assert.equal(String(model.variables), 'count INT32 [1]: 3');
    assert.equal(String(model), 'model\nin  "x" INT32 [1]\nout "y" INT32 [1]\ncount INT32 [1]: 3');
    require('../tools/node');
    assert.equal(inspect(model.variables), String(model.variables));
  });
});

describe('preserved tensors', () => {
  it('a tensor that is not kept says how to keep it', () => {
    const { graph, operators } = counter();
    const model = modelOf(graph, operators);
    assert.throws(
      () => model.tensor('sum'),
      /"sum" INT32 \[1\] is not kept after invoke: load the model with { preserve: \["sum"\] }/,
    );
    assert.throws(() => model.tensor('nothing'), /no tensor "nothing" in subgraph 0/);
    const again = counter();
    const kept = modelOf(again.graph, again.operators, { preserve: ['sum'] });
    kept.step(3);
    kept.step(4);
    assert.equal(kept.tensor('sum').data[0], 7);
    assert.equal(kept.memory.preserved, 4);
  });
});
