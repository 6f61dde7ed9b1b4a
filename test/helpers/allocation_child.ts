/**
 * Runs in a process of its own, with --expose-gc and a young generation so large that nothing is collected meanwhile:
 * `node … allocation_child.ts MODEL STEPS MODE`. Prints JSON: bytes of heap that the steps took, garbage included, and how
 * often something was collected all the same.
 */
import fs from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';
import { load } from '../../lib/index';
import { feed, randomStream } from '../../tools/engine_inputs';

const [file, count, mode] = process.argv.slice(2);
const steps = Number(count);
const model = load(new Uint8Array(fs.readFileSync(file)));
feed(model, randomStream(model, 1, 1)[0]);

let collections = 0;
const observer = new PerformanceObserver((list) => {
  collections += list.getEntries().length;
});
observer.observe({ entryTypes: ['gc'] });

let kept: unknown = null;
function work(n: number): void {
  for (let i = 0; i < n; i++) {
    model.invoke();
    // what a step that makes one small object looks like
    if (mode === 'control') kept = { step: i };
  }
}

function used(): number {
  return process.memoryUsage().heapUsed;
}

// kernels are compiled while they warm up, which takes memory
work(steps);
work(steps);
setTimeout(() => {
  global.gc!();
  const before = used();
  collections = 0;
  work(steps);
  const garbage = used() - before;
  // records come with the next turn
  setTimeout(() => {
    console.log(JSON.stringify({ garbage, collections, kept: kept !== null }));
    observer.disconnect();
  }, 20);
}, 100);
