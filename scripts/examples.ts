/** Makes the small models and recordings under examples/. Reproducible: `npx tsx scripts/examples.ts`. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { random } from '../author/random';
import { leakyIntegratorModel } from '../author/recurrent';
import { unstatify } from '../author/statify';
import { writeModel } from '../author/writer';
import type { Graph } from '../lib/graph';

const examples = path.join(__dirname, '..', 'examples');

/** A room's temperature: a slow drift, a window opened for a while, and the noise of a cheap sensor. */
function temperatures(): string {
  const next = random(20261124);
  const rows = ['temperature'];
  let air = 21;
  for (let i = 0; i < 60; i++) {
    const target = i >= 20 && i < 38 ? 14 : 21.5;
    air += (target - air) * 0.12;
    rows.push((air + next.uniform(-1.2, 1.2)).toFixed(2));
  }
  return rows.join('\n') + '\n';
}

/** The same smoothing with its state outside, as converters often leave it: inputs x and state_in, outputs y and state_out. */
function loopModel(): Uint8Array {
  const { graph } = unstatify(smoothing());
  const [main] = graph.subgraphs;
  main.inputs[1].name = 'state_in';
  main.outputs[1].name = 'state_out';
  graph.metadata = [];
  return writeModel(graph);
}

function smoothing(): Graph {
  return leakyIntegratorModel({ size: 1, decay: 0.8, initial: [20] });
}

function put(folder: string, name: string, content: string | Uint8Array): void {
  fs.mkdirSync(path.join(examples, folder), { recursive: true });
  fs.writeFileSync(path.join(examples, folder, name), content);
}

put('smoothing', 'stream.csv', temperatures());
put('smoothing', 'smoothing.tflite', writeModel(smoothing()));
put('loop', 'loop.tflite', loopModel());
