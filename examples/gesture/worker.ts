/** A process of workers.ts: trains the network of the one job that it is sent. */
import { valuesOf } from './network';
import { train } from './training';
import type { Answer, Job } from './workers';

process.once('message', (job: Job) => {
  const say = (answer: Answer): void => void process.send!(answer);
  const { recordings, settings } = job;
  const network = train(recordings, settings, (epoch) => say({ epoch }));
  say({ variables: valuesOf(network.variables) });
});
