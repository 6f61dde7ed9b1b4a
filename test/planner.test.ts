/** The planner: what lives at the same time never overlaps, and no copy that falls away changes an answer. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Graph, Place, Tensor } from '../lib/graph';
import { type LoadOptions, modelOf } from '../lib/load';
import type { Model } from '../lib/model';
import { type Draw, randomGraph, testOperators } from './helpers/random_graph';

/** Draws from a list of random numbers that fast-check can shrink. */
function drawer(numbers: number[]): Draw {
  let at = 0;
  return (n) => (numbers.length ? numbers[at++ % numbers.length] % n : 0);
}

const numbers = fc.array(fc.nat(1000), { minLength: 20, maxLength: 200 });
const readings = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 7, maxLength: 70 });

function open(seed: number[], options: LoadOptions): Model & { graph: Graph } {
  const graph = randomGraph(drawer(seed));
  return Object.assign(modelOf(graph, testOperators, options), { graph });
}

/** Runs all readings; every output of every step, then all variables. */
function trace(model: Model, inputs: number[]): number[][] {
  const seen: number[][] = [];
  for (let at = 0; at + 7 <= inputs.length; at += 7) {
    model.inputs[0].data.set(inputs.slice(at, at + 3));
    model.inputs[1].data.set(inputs.slice(at + 3, at + 7));
    model.invoke();
    for (const output of model.outputs) seen.push(Array.from(output.data));
    for (const name of model.variables.names()) seen.push(Array.from(model.variables.get(name).data));
  }
  return seen;
}

function address(tensor: Tensor): [number, number] {
  const place = tensor.place as Place;
  const start = place.storage.offset + place.offset;
  return [start, start + tensor.bytes];
}

function overlapping(graph: Graph): string | null {
  const tensors = graph.subgraphs
    .flatMap((subgraph) => subgraph.tensors)
    .filter((t) => t.place && t.lifetime && t.bytes);
  for (const a of tensors) {
    for (const b of tensors) {
      if (a.index >= b.index && a.subgraph === b.subgraph) continue;
      if (a === b || a.place!.storage.block !== 'arena' || b.place!.storage.block !== 'arena') continue;
      // in one storage, the values decide: they may be the same one
      if (a.place!.storage === b.place!.storage) continue;
      if (a.lifetime!.to < b.lifetime!.from || b.lifetime!.to < a.lifetime!.from) continue;
      const [a0, a1] = address(a);
      const [b0, b1] = address(b);
      if (a0 < b1 && b0 < a1) return `${a.name} and ${b.name}`;
    }
  }
  return null;
}

describe('planner', function () {
  this.timeout(120000);

  it('tensors that live at the same time never overlap', () => {
    fc.assert(
      fc.property(numbers, fc.boolean(), (seed, share) => {
        assert.equal(overlapping(open(seed, { share }).graph), null);
      }),
      { numRuns: 500 },
    );
  });

  it('the program without copies answers as the one that copies always', () => {
    fc.assert(
      fc.property(numbers, readings, (seed, inputs) => {
        assert.deepEqual(trace(open(seed, {}), inputs), trace(open(seed, { share: false }), inputs));
      }),
      {
        numRuns: 3000,
        // a branch assigns the variable, and goes on with what it assigned
        examples: [
          [
            [31, 623, 931, 568, 325, 158, 4, 298, 21, 471, 87, 640, 0, 201, 0, 79, 2, 173, 70, 232, 764],
            [0, 0, 0, 1, 0, 0, 0],
          ],
        ],
      },
    );
  });

  it('every preserved tensor has the value that it has without sharing', () => {
    fc.assert(
      fc.property(numbers, readings, fc.nat(1000), (seed, inputs, which) => {
        const everything = open(seed, { share: false, preserve: true });
        const candidates = everything.graph.subgraphs[0].tensors.filter((t) => t.lifetime);
        const name = candidates[which % candidates.length].name;
        for (const preserve of [true, [name]]) {
          const model = open(seed, { preserve });
          assert.deepEqual(trace(model, inputs), trace(open(seed, { share: false }), inputs));
          everything.reset();
          trace(everything, inputs);
          assert.deepEqual(Array.from(model.tensor(name).data), Array.from(everything.tensor(name).data));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('sharing removes copies and never takes more memory', () => {
    let elided = 0;
    fc.assert(
      fc.property(numbers, (seed) => {
        const shared = open(seed, {});
        const copied = open(seed, { share: false });
        elided += copied.program.steps.length - shared.program.steps.length;
        assert.ok(shared.memory.arena <= copied.memory.arena);
      }),
      { numRuns: 300 },
    );
    assert.ok(elided > 300, `only ${elided} copies fell away`);
  });

  it('one step of many streams equals as many single streams', () => {
    fc.assert(
      fc.property(numbers, readings, (seed, inputs) => {
        const one = open(seed, {});
        const streams = [0, 1, 2].map(() => one.newState());
        const singles = [0, 1, 2].map(() => open(seed, {}));
        for (let at = 0; at + 7 <= inputs.length; at += 7) {
          for (let k = 0; k < 3; k++) {
            const reading = inputs.slice(at, at + 7).map((x) => x + k);
            one.state = streams[k];
            const got = trace(one, reading);
            assert.deepEqual(got, trace(singles[k], reading));
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
