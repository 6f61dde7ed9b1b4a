/** Memory to the byte: arenas beside those of TFLM, and what it costs to preserve a tensor. */
import assert from 'node:assert/strict';
import { GraphBuilder } from '../author/graph_builder';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { load } from '../lib/index';
import { preserveEach } from '../tools/bench_memory';
import { publicModels, publicModelsNamed, type BenchModel } from '../tools/bench_subjects';
import { ABSENT, shared } from './helpers/shared';
import { cases, groups } from './helpers/suite';

/**
 * Cases whose arena is larger than TFLM's planned one, by how many bytes at most, and why. Where a case is no longer
 * larger, it has to go from here.
 */
const LARGER: { name: RegExp; bytes: number; why: string }[] = [
  {
    name: /^slice\/(dynamic_update_slice|slice_f32_runtime_begin)/,
    bytes: 8,
    why: 'a start that is known only at run time lies in the arena (8 bytes), where TFLM has it on the C stack',
  },
  {
    name: /^binary\/add_n_i8/,
    bytes: 56,
    why: 'sums of many inputs are kept in 32 bits per element, since a kernel takes a fixed number of arrays',
  },
  {
    name: /^format\/activation_marked_variable$/,
    bytes: 12,
    why: 'an activation that is marked as a variable lies in the arena; TFLM has it outside of the planned part',
  },
];

function arenaOf(model: BenchModel, options = {}): number {
  return load(model.bytes, { feedback: model.loops, ...options }).memory.arena;
}

describe('arena beside TFLM’s', function () {
  this.timeout(60000);
  if (!shared('models')) it(ABSENT);
  for (const model of publicModels())
    it(`${model.name}: at most TFLM's planned arena`, () => {
      const arena = arenaOf(model);
      assert.ok(arena <= model.tflm!.head, `${arena} bytes, but TFLM plans ${model.tflm!.head}`);
      assert.ok(arena <= arenaOf(model, { share: false }), 'sharing makes it no larger');
    });

  if (!shared('conformance')) it(ABSENT);
  for (const group of groups())
    it(`${group}: no case takes more than TFLM plans, but for those listed`, () => {
      const larger: string[] = [];
      const seen = new Set<RegExp>();
      for (const { name, bytes, arena } of cases(group)) {
        // a few cases come without figures
        const head = (arena as Partial<typeof arena> | undefined)?.p32?.planned?.head;
        if (head === undefined) continue;
        const excess = load(bytes).memory.arena - head;
        const listed = LARGER.find((entry) => entry.name.test(`${group}/${name}`));
        if (excess > (listed?.bytes ?? 0))
          larger.push(`${name}: TFLM plans ${head}, and this is ${excess} more`);
        else if (listed && excess > 0) seen.add(listed.name);
      }
      assert.deepEqual(larger, []);
      const own = LARGER.filter((entry) => entry.name.source.startsWith(`^${group}\\/`));
      assert.deepEqual(
        own.filter((entry) => !seen.has(entry.name)).map((entry) => entry.name),
        [],
        'listed, but not larger any more',
      );
    });
});

describe('preserving tensors', () => {
  const name = 'okay_nabu: preserving one tensor costs at most that tensor';
  if (!shared('models')) it(`${name} (${ABSENT})`);
  else
    it(name, () => {
      const [model] = publicModelsNamed(['okay_nabu']);
      const each = preserveEach(model);
      assert.ok(each.length > 30);
      const align = 16;
      for (const { name: tensor, bytes, growth } of each)
        assert.ok(
          growth <= Math.ceil(bytes / align) * align,
          `${tensor}: ${bytes} bytes, but the arena grows by ${growth}`,
        );
      const all = arenaOf(model, { preserve: true }) - arenaOf(model);
      assert.ok(each.filter(({ growth }) => growth < all / 10).length > each.length / 2, 'most cost little');
    });

  it('a GRU: preserving one tensor costs at most that tensor, whichever', () => {
    const bytes = writeModel(gruModel({ inputs: 3, units: 24 }));
    const each = preserveEach({ name: 'gru', bytes, tflm: null, loops: [] });
    assert.ok(each.length > 10);
    for (const { name: tensor, bytes: own, growth } of each)
      assert.ok(
        growth <= Math.ceil(own / 16) * 16,
        `${tensor}: ${own} bytes, but the arena grows by ${growth}`,
      );
  });

  it('memory.preserved counts the bytes of what is preserved', () => {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const x = main.input('x', 'FLOAT32', [1, 5]);
    const a = main.tensor('a', 'FLOAT32', [1, 5]);
    const b = main.tensor('b', 'FLOAT32', [1, 5]);
    const y = main.tensor('y', 'FLOAT32', [1, 5]);
    main.op('EXP', [x], [a]);
    main.op('EXP', [a], [b]);
    main.op('EXP', [b], [y]);
    main.output(y);
    const bytes = writeModel(builder.build());
    assert.equal(load(bytes).memory.preserved, 0);
    const model = load(bytes, { preserve: ['a'] });
    assert.equal(model.memory.preserved, 20);
    model.inputs[0].data.set([0, 0.5, 1, -1, -2]);
    model.invoke();
    assert.deepEqual(
      Array.from(model.tensor('a').data),
      [0, 0.5, 1, -1, -2].map((v) => Math.fround(Math.exp(v))),
    );
  });
});
