/** State on the public models: nothing copied to read and write it, reset in any order, a stream that goes on elsewhere. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { load } from '../lib/index';
import type { Model } from '../lib/model';
import { countStep } from '../tools/bench_counts';
import { bundle } from '../tools/bundle';
import { entryOf, FAMILIES } from '../tools/families';
import { ABSENT, shared } from './helpers/shared';
import { bytesOf, feed } from './helpers/suite';

const STATEFUL = ['okay_nabu', 'okay_computer', 'vad', 'alexa_v1'];

function fileOf(name: string, file: string): Uint8Array {
  return new Uint8Array(fs.readFileSync(shared('models', name, file)!));
}

/** Outputs of `steps` steps of the recorded inputs. */
function run(model: Model, inputs: Uint8Array, steps: number): string {
  const seen: string[] = [];
  let at = 0;
  for (let step = 0; step < steps; step++) {
    at = feed(model, inputs, at);
    model.invoke();
    seen.push(...model.outputs.map((output) => Buffer.from(bytesOf(output)).toString('hex')));
  }
  return seen.join(' ');
}

describe('state of the public models', function () {
  this.timeout(60000);
  if (!shared('models')) it(ABSENT);
  for (const name of shared('models') ? STATEFUL : []) {
    it(`${name}: READ_VARIABLE and ASSIGN_VARIABLE copy nothing`, () => {
      const { engram, copyAlways } = countStep(
        fileOf(name, 'model.tflite'),
        1,
        () => undefined,
      ).stateBytesCopied;
      assert.ok(copyAlways > 1000, `TFLM copies ${copyAlways} bytes`);
      assert.equal(engram, 0);
    });
  }
  if (shared('models')) {
    it('okay_nabu: after a reset, whole or variable by variable in any order, the first answers come again', () => {
      const model = load(fileOf('okay_nabu', 'model.tflite'));
      const inputs = fileOf('okay_nabu', 'in_act.bin');
      const first = run(model, inputs, 30);
      const names = model.variables.names();
      assert.equal(names.length, 6);
      const orders = [
        names,
        [...names].reverse(),
        ...names.map((_, i) => [...names.slice(i), ...names.slice(0, i)]),
      ];
      for (const order of orders) {
        for (const variable of order) model.variables.reset(variable);
        assert.equal(run(model, inputs, 30), first, order.join());
      }
      model.reset();
      assert.equal(run(model, inputs, 30), first);
    });

    it('okay_nabu: preserving one tensor costs about that tensor', () => {
      const bytes = fileOf('okay_nabu', 'model.tflite');
      const plain = load(bytes).memory.arena;
      const everything = load(bytes, { preserve: true }).memory.arena;
      const graph = load(bytes).program.graph!;
      for (const tensor of graph.subgraphs[0].tensors) {
        if (tensor.constant || !tensor.place || tensor.place.storage.block !== 'arena' || !tensor.name)
          continue;
        const { arena } = load(bytes, { preserve: [tensor.index] }).memory;
        assert.ok(arena <= plain + tensor.bytes + 32, `${tensor.name}: ${arena} bytes instead of ${plain}`);
      }
      assert.ok(everything > 3 * plain, `${everything} against ${plain}`);
    });
  }

  it('snapshots, the store and the keeper take at most 6 KB, and nothing where they are left out', async () => {
    const families = FAMILIES.slice(0, 3);
    const build = (snapshots: boolean): Promise<string> =>
      bundle({ entrySource: entryOf(families, { snapshots, rareTypes: false }), minify: true });
    const [without, all] = [await build(false), await build(true)];
    assert.ok(all.length - without.length <= 6 * 1024, `${all.length - without.length} bytes`);
    assert.ok(!without.includes('snapshot') && all.includes('snapshot'));
  });
});
