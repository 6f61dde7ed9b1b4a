/** State in shared memory: a reader in another thread never sees half a step. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { GraphBuilder } from '../author/graph_builder';
import { writeModel } from '../author/writer';
import { load } from '../lib/index';
import { fileBackend } from '../tools/file_store';
import { readShared, shareState, type SharedHandle } from '../tools/shared_state';
import { openStore } from '../variables/store';

const SIZE = 20000;

/** All elements of "sum" are equal after a step; within one they are not, for a while. */
function wideModel(): Uint8Array {
  const builder = new GraphBuilder();
  const main = builder.subgraph('main');
  const x = main.input('x', 'FLOAT32', [1]);
  const handle = main.variable('sum');
  const sum = main.tensor('sum', 'FLOAT32', [SIZE]);
  main.op('ADD', [main.read(handle, 'FLOAT32', [SIZE]), x], [sum]);
  main.assign(handle, sum);
  const y = main.tensor('y', 'FLOAT32', [SIZE]);
  main.op('ADD', [sum, x], [y]);
  main.output(y);
  return writeModel(builder.build());
}

const WORKER = `
const { parentPort, workerData } = require('node:worker_threads');
const { load } = require(workerData.root + '/lib/index');
const { shareState } = require(workerData.root + '/tools/shared_state');
const model = shareState(load(workerData.bytes));
parentPort.postMessage(model.handle);
let stop = false;
parentPort.on('message', () => (stop = true));
(function work() {
  for (let i = 0; i < 5; i++) model.step(1);
  if (stop) process.exit(0);
  else setTimeout(work, 0);
})();
`;

describe('state in shared memory', function () {
  this.timeout(60000);

  it('is read whole by another thread while a worker steps', async () => {
    const worker = new Worker(WORKER, {
      eval: true,
      execArgv: ['--require', 'tsx/cjs'],
      workerData: { bytes: wideModel(), root: path.join(__dirname, '..') },
    });
    const handle = await new Promise<SharedHandle>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    let torn = 0;
    let changed = 0;
    let last = -1;
    const raw = new Float32Array(handle.state);
    const until = Date.now() + 2000;
    while (Date.now() < until) {
      // without the lock, half a step is there to be seen
      if (raw[0] !== raw[SIZE - 1]) torn++;
      const { steps, variables } = readShared(handle);
      const [first] = variables.sum;
      assert.ok(
        variables.sum.every((value) => value === first),
        `half a step after ${steps}`,
      );
      assert.equal(first, steps);
      if (steps !== last) changed++;
      last = steps;
    }
    worker.postMessage('stop');
    await new Promise((resolve) => worker.once('exit', resolve));
    assert.ok(changed > 20, `only ${changed} different states were seen`);
    assert.ok(torn > 0, 'the detector never saw half a step, so it shows nothing');
  });

  it('the model works on it as on its own', () => {
    const shared = shareState(load(wideModel()));
    const plain = load(wideModel());
    for (let i = 0; i < 5; i++) assert.deepEqual(shared.step(i), plain.step(i));
    assert.equal(readShared(shared.handle).steps, 5);
    shared.reset();
    assert.equal(readShared(shared.handle).variables.sum[7], 0);
  });

  it('a reader gives up when a step never ends', () => {
    const shared = shareState(load(wideModel()));
    Atomics.add(new Int32Array(shared.handle.lock), 0, 1);
    assert.throws(() => readShared(shared.handle, 20), /no pause between steps was long enough in 20 ms/);
  });
});

describe('slots in files', () => {
  it('keep the newest snapshot over reopening, and a torn file gives the one before', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-'));
    try {
      const name = path.join(folder, 'state');
      assert.equal(openStore(fileBackend(name)).get(), null);
      openStore(fileBackend(name)).put(Uint8Array.of(1, 2, 3));
      openStore(fileBackend(name)).put(Uint8Array.of(4, 5, 6));
      assert.deepEqual(openStore(fileBackend(name)).get(), Uint8Array.of(4, 5, 6));
      fs.truncateSync(`${name}.1`, 10);
      assert.deepEqual(openStore(fileBackend(name)).get(), Uint8Array.of(1, 2, 3));
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
