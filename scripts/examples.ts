/** Makes the models and recordings of examples/smoothing, which `npm start` runs. Reproducible: `npx tsx scripts/examples.ts`. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { random } from '../author/random';
import { leakyIntegratorModel } from '../author/recurrent';
import { writeModel } from '../author/writer';

const folder = path.join(__dirname, '..', 'examples', 'smoothing');

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

fs.mkdirSync(folder, { recursive: true });
fs.writeFileSync(path.join(folder, 'stream.csv'), temperatures());
fs.writeFileSync(path.join(folder, 'smoothing.tflite'), writeModel(leakyIntegratorModel({ size: 1, decay: 0.8, initial: [20] })));
