/** `invoke` allocates nothing: on an engine without a generational collector garbage is latency. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { GraphBuilder, type SubgraphBuilder } from '../author/graph_builder';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { engineNamed } from '../engines/index';
import type { Options, Tensor } from '../lib/graph';
import { load } from '../lib/index';
import { feedSource, inputFiles, randomStream } from '../tools/engine_inputs';
import { builtBundle } from './helpers/engine_stream';
import { ABSENT, shared } from './helpers/shared';

interface Growth {
  /** Bytes that the steps took, whether or not anything still refers to them. */
  garbage: number;
  collections: number;
}

/** Bytes that the measuring itself takes, and what V8 compiles meanwhile. */
const NOISE = 64 * 1024;

/** Runs steps in a process of its own, after as many to warm up; see helpers/allocation_child.ts. */
function grow(file: string, steps: number, mode: 'plain' | 'control'): Growth {
  const output = execFileSync(
    process.execPath,
    [
      '--expose-gc',
      '--min-semi-space-size=64',
      '--max-semi-space-size=64',
      '--require',
      'tsx/cjs',
      path.join(__dirname, 'helpers', 'allocation_child.ts'),
      file,
      String(steps),
      mode,
    ],
    { encoding: 'utf8', cwd: path.join(__dirname, '..'), timeout: 120000 },
  );
  return JSON.parse(output) as Growth;
}

/** One of each kind of float kernel that clamps its results, and activations. */
function floatNet(): Uint8Array {
  const builder = new GraphBuilder();
  const main = builder.subgraph('main');
  const value = (shape: number[]): Tensor =>
    main.constant(
      `c${shape.join('x')}`,
      'FLOAT32',
      shape,
      Array.from({ length: shape.reduce((product, n) => product * n, 1) }, (_, i) => Math.sin(i + 1) / 2),
    );
  const layer = (op: string, inputs: (Tensor | null)[], shape: number[], options?: Options): Tensor => {
    const y = main.tensor(op, 'FLOAT32', shape);
    main.op(op, inputs, [y], options);
    return y;
  };
  const conv = { stride_w: 1, stride_h: 1 };
  const pool = { stride_w: 2, stride_h: 2, filter_width: 2, filter_height: 2 };
  let x: Tensor = (main as SubgraphBuilder).input('x', 'FLOAT32', [1, 8, 8, 3]);
  x = layer('CONV_2D', [x, value([5, 3, 3, 3]), value([5])], [1, 8, 8, 5], conv);
  x = layer('DEPTHWISE_CONV_2D', [x, value([1, 3, 3, 5]), value([5])], [1, 8, 8, 5], {
    ...conv,
    depth_multiplier: 1,
  });
  x = layer('AVERAGE_POOL_2D', [x], [1, 4, 4, 5], pool);
  x = layer('MAX_POOL_2D', [x], [1, 2, 2, 5], pool);
  for (const op of ['ADD', 'MUL', 'SUB', 'DIV']) x = layer(op, [x, value([1, 2, 2, 5])], [1, 2, 2, 5]);
  for (const op of ['RELU6', 'LOGISTIC', 'TANH']) x = layer(op, [x], [1, 2, 2, 5]);
  x = layer('RESHAPE', [x, main.constant('shape', 'INT32', [2], [1, 20])], [1, 20], { new_shape: [1, 20] });
  x = layer('FULLY_CONNECTED', [x, value([6, 20]), value([6])], [1, 6]);
  main.output(layer('SOFTMAX', [x], [1, 6], { beta: 1 }));
  return writeModel(builder.build());
}

describe('allocation', function () {
  this.timeout(180000);
  let folder: string;
  before(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-test-'))));
  after(() => fs.rmSync(folder, { recursive: true }));

  /** The file of a model, which is written if it is one of the project's own. */
  function fileOf(name: string, bytes: Uint8Array): string {
    const file = path.join(folder, `${name}.tflite`);
    fs.writeFileSync(file, bytes);
    return file;
  }

  function expectNothing(file: string, steps: number): void {
    const { garbage, collections } = grow(file, steps, 'plain');
    // the collection that was asked for before comes late in the records
    assert.ok(collections <= 1, `${collections} collections while ${steps} steps ran`);
    assert.ok(garbage < NOISE, `${steps} steps made ${garbage} bytes of garbage: ${garbage / steps} each`);
  }

  it('an object in each step would be noticed', () => {
    const { garbage } = grow(
      fileOf('gru', writeModel(gruModel({ inputs: 3, units: 8, type: 'INT8' }))),
      10000,
      'control',
    );
    assert.ok(garbage > 10000 * 12 && garbage > 2 * NOISE, `${garbage} bytes`);
  });

  for (const type of ['INT8', 'INT16', 'FLOAT32'] as const)
    it(`10000 steps of a GRU in ${type} allocate nothing on Node`, () =>
      expectNothing(fileOf(`gru_${type}`, writeModel(gruModel({ inputs: 3, units: 24, type }))), 10000));

  it('10000 steps of a float network allocate nothing on Node', () =>
    expectNothing(fileOf('net', floatNet()), 10000));

  for (const [name, steps] of [
    ['okay_nabu', 10000],
    ['vad', 10000],
    ['keyword_svdf_int8state', 10000],
    ['mnist_lstm_int8', 3000],
    ['mnist_lstm_float', 3000],
  ] as const) {
    const file = shared('models', name, 'model.tflite');
    const title = `${steps} steps of ${name} allocate nothing on Node`;
    if (file) it(title, () => expectNothing(file, steps));
    else it(`${title} (${ABSENT})`);
  }

  // their heaps count exactly what is reachable: nothing may be left behind
  for (const [engineName, steps, slack] of [
    ['quickjs', 2000, 0],
    ['espruino', 100, 0],
  ] as const) {
    const engine = engineNamed(engineName);
    const bundle = builtBundle('engram.all.min.js');
    const reason =
      engine.find() === null
        ? `pending: ${engine.hint}`
        : bundle === null && 'pending: dist is not built, run "npm run build"';
    const title = `${steps} steps of an int8 GRU leave nothing behind on ${engine.title}`;
    if (reason) {
      it(`${title} (${reason})`);
      continue;
    }
    it(title, async () => {
      const model = writeModel(gruModel({ inputs: 3, units: 8, type: 'INT8' }));
      const stream = randomStream(load(model), 1, 1);
      const driver = `var model = engram.load(readBytes('model'));
${feedSource(stream[0].length)}
var before = 0, after = 0, i = 0;
feed(0);
for (i = 0; i < 5; i++) model.invoke();
before = memoryUsed();
before = memoryUsed();
for (i = 0; i < ${steps}; i++) model.invoke();
after = memoryUsed();
print(after - before);
`;
      const result = await engine.run(
        { bundle: bundle as string, driver, files: { model, ...inputFiles(stream) } },
        { timeoutSeconds: 120 },
      );
      assert.equal(result.error, null);
      const grown = Number(result.lines[0]);
      assert.ok(grown <= slack, `${steps} steps left ${grown} bytes`);
    });
  }
});
