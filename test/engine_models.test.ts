/**
 * Whole models on every engine that is at hand, in the shipped bundles: the bits of TFLM over all steps; and state
 * that moves from one process to another.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { Engine, engines } from '../engines/index';
import { load } from '../lib/index';
import { bytesOf, feed, randomStream } from '../tools/engine_inputs';
import { builtBundle, runStream } from './helpers/engine_stream';
import { ABSENT, shared } from './helpers/shared';

const BUNDLES = ['engram.all.min.js', 'engram.min.js'];

/** Interprets source text: it gets less to do. */
const isSlow = (engine: Engine): boolean => engine.name === 'espruino';

interface Recording {
  model: Uint8Array;
  stream: Uint8Array[];
  outputs: Uint8Array;
}

/** A public model with TFLM's answers, by the inputs that move its output where there are such. */
function recorded(name: string, steps = Infinity): Recording {
  const read = (file: string): Uint8Array =>
    new Uint8Array(fs.readFileSync(shared('models', name, file) as string));
  const suffix = shared('models', name, 'in_act.bin') ? '_act' : '';
  const model = read('model.tflite');
  const size = load(model).inputs.reduce((sum, input) => sum + bytesOf(input).length, 0);
  const input = read(`in${suffix}.bin`);
  const all = input.length / size;
  const count = Math.min(steps, all);
  const outputs = read(`out${suffix}.bin`);
  return {
    model,
    stream: Array.from({ length: count }, (_, i) => input.subarray(i * size, (i + 1) * size)),
    outputs: outputs.subarray(0, (outputs.length / all) * count),
  };
}

/** A model of the project's own, with Node's answers. */
function recordedHere(model: Uint8Array, steps: number): Recording {
  const loaded = load(model);
  const stream = randomStream(loaded, steps, 5);
  const outputs = stream.flatMap((inputs) => {
    feed(loaded, inputs);
    loaded.invoke();
    return loaded.outputs.map((output) => bytesOf(output).slice());
  });
  return { model, stream, outputs: new Uint8Array(Buffer.concat(outputs)) };
}

/** A stream of one byte of output in each step: vad's, or that of a model of the project's own. */
function streamOf(steps: number): Recording {
  if (shared('models')) return recorded('vad', steps);
  return recordedHere(writeModel(gruModel({ inputs: 3, units: 24, type: 'INT8' })), steps);
}

/** The snapshot that this process takes after a stream. */
function snapshotHere({ model, stream }: Recording): Uint8Array {
  const loaded = load(model);
  for (const inputs of stream) {
    feed(loaded, inputs);
    loaded.invoke();
  }
  return loaded.save();
}

/** Bytes are the same; tells the first place where they are not, rather than all of them. */
function same(got: Uint8Array, expected: Uint8Array, what: string): void {
  const at = expected.findIndex((byte, i) => byte !== got[i]);
  assert.equal(
    at < 0 ? 'equal' : `byte ${at}: ${got[at]} instead of ${expected[at]}`,
    'equal',
    `${what} differs`,
  );
  assert.equal(got.length, expected.length, `length of ${what}`);
}

/** Declares a test, or a pending one that says why. */
function test(title: string, pending: (string | null | false)[], body: () => Promise<void>): void {
  const reason = pending.find((entry) => entry);
  if (reason) it(`${title} (${reason})`);
  else it(title, body);
}

for (const engine of engines.filter(({ name }) => name !== 'node')) {
  describe(`models on ${engine.title}`, function () {
    this.timeout(300000);
    const absent = engine.find() === null && `pending: ${engine.hint}`;
    const noModels = !shared('models') && ABSENT;

    for (const bundleName of BUNDLES) {
      const bundle = builtBundle(bundleName);
      const unbuilt = bundle === null && `pending: dist/${bundleName} is not built, run "npm run build"`;
      const names = isSlow(engine)
        ? ['hello_world_int8']
        : ['hello_world_int8', 'vad', 'keyword_svdf_int8state', 'alexa_v1'];
      for (const name of names) {
        test(
          `${name} with ${bundleName}: TFLM's bits over all steps`,
          [absent, noModels, unbuilt],
          async () => {
            const { model, stream, outputs } = recorded(name);
            const result = await runStream(engine, { bundle: bundle as string, model, stream });
            same(result.outputs, outputs, 'the output');
          },
        );
      }

      test(`an int8 GRU with ${bundleName}: the bits of Node`, [absent, unbuilt], async () => {
        const recording = recordedHere(
          writeModel(gruModel({ inputs: 3, units: isSlow(engine) ? 8 : 24, type: 'INT8' })),
          20,
        );
        assert.ok(new Set(recording.outputs).size > 5, 'the answers move');
        const result = await runStream(engine, { bundle: bundle as string, ...recording });
        same(result.outputs, recording.outputs, 'the output');
        same(result.snapshot, snapshotHere(recording), 'the snapshot');
      });
    }

    const bundle = builtBundle('engram.all.min.js');
    const unbuilt = bundle === null && 'pending: dist/engram.all.min.js is not built, run "npm run build"';

    test('a stream goes on in a new process, and starts again after reset()', [absent, unbuilt], async () => {
      const whole = streamOf(isSlow(engine) ? 12 : 60);
      const { model, stream, outputs } = whole;
      const cut = stream.length / 2;
      const first = await runStream(engine, {
        bundle: bundle as string,
        model,
        stream: stream.slice(0, cut),
        again: 3,
      });
      same(first.outputs, outputs.subarray(0, cut), 'the output');
      same(first.again, outputs.subarray(0, 3), 'the output after reset()');
      same(first.snapshot, snapshotHere({ ...whole, stream: stream.slice(0, cut) }), 'the first snapshot');
      const second = await runStream(engine, {
        bundle: bundle as string,
        model,
        stream: stream.slice(cut),
        snapshot: first.snapshot,
      });
      same(second.outputs, outputs.subarray(cut), 'the output after restore()');
      // all of the state, whether or not the outputs show it
      same(second.snapshot, snapshotHere(whole), 'the last snapshot');
    });
  });
}

describe('a stream that moves from engine to engine', function () {
  this.timeout(120000);
  const bundle = builtBundle('engram.all.min.js');
  const present = engines.filter((engine) => engine.find() !== null);
  const title = `${shared('models') ? 'vad' : 'an int8 GRU'} on ${present.map((engine) => engine.title).join(', ')}, five steps each`;
  test(title, [bundle === null && 'pending: dist is not built, run "npm run build"'], async () => {
    const { model, stream, outputs } = streamOf(5 * present.length);
    let snapshot: Uint8Array | undefined;
    for (const [turn, engine] of present.entries()) {
      const part = {
        bundle: bundle as string,
        model,
        stream: stream.slice(5 * turn, 5 * turn + 5),
        snapshot,
      };
      const result = await runStream(engine, part);
      same(result.outputs, outputs.subarray(5 * turn, 5 * turn + 5), `the output on ${engine.title}`);
      snapshot = result.snapshot;
    }
    same(snapshot!, snapshotHere({ model, stream, outputs }), 'the last snapshot');
  });
});
