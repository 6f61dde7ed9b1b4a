/** Trains several networks, in as many processes as there are processors. */
import { type ChildProcess, fork } from 'node:child_process';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Recording } from './data';
import { fromValues, type Network } from './network';
import type { Settings } from './training';

/** What one network is trained on, and how. */
export interface Job {
  recordings: Recording[];
  settings: Settings;
}

/** What a process says: after an epoch how many are done, at last the network's variables. */
export type Answer = { epoch: number } | { variables: Float32Array[] };

/**
 * Networks in the order of their jobs. What they learn does not depend on how many processes there are.
 * @param done is told after each epoch how many epochs of all jobs are done
 */
export async function trainEach(jobs: Job[], done: (epochs: number) => void): Promise<Network[]> {
  const networks: Network[] = [];
  const epochs = jobs.map(() => 0);
  const children = new Set<ChildProcess>();
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < jobs.length) {
      const index = next++;
      const variables = await trainApart(jobs[index], children, (epoch) => {
        epochs[index] = epoch;
        done(epochs.reduce((sum, value) => sum + value, 0));
      });
      networks[index] = fromValues(variables);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(jobs.length, os.availableParallelism()) }, work));
  } finally {
    for (const child of children) child.kill();
  }
  return networks;
}

/** The variables that a process of its own trains. */
function trainApart(
  job: Job,
  children: Set<ChildProcess>,
  done: (epoch: number) => void,
): Promise<Float32Array[]> {
  return new Promise((resolve, reject) => {
    const child = fork(path.join(__dirname, 'worker.ts'), {
      execArgv: ['--require', require.resolve('tsx/cjs')],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    // shown if it fails: TensorFlow.js recommends its native build there
    let errors = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text));
    children.add(child);
    child.on('message', (answer: Answer) => {
      if ('epoch' in answer) return done(answer.epoch);
      resolve(answer.variables);
      child.disconnect();
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      children.delete(child);
      // after the answer this changes nothing
      reject(
        new Error(`training seed ${job.settings.seed} ended early: ${signal ?? `status ${code}`}\n${errors}`),
      );
    });
    child.send(job);
  });
}
