/**
 * Makes stream.csv, a made-up machine to replay: a week of readings, one every five minutes, with an outage of one and a
 * half days. The same bytes every time: `npx tsx examples/machine-temperature/excerpt.ts`.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { random } from '../../author/random';
import { READINGS_PER_DAY } from './record';

const DAYS = 7;
const OUTAGE = { begin: 4, end: 5.5 };

export function excerpt(): string {
  const next = random(20131202);
  const rows = ['temperature'];
  let load = 0;
  let temperature = 86;
  for (let i = 0; i < DAYS * READINGS_PER_DAY; i++) {
    const day = i / READINGS_PER_DAY;
    // the load wanders within a day or so; the machine follows within an hour, and cools down when it stands still
    load += -load / READINGS_PER_DAY + next.normal(0.45);
    const running = day < OUTAGE.begin || day >= OUTAGE.end;
    const target = running ? 86 + load : 48;
    temperature += (target - temperature) / 12;
    rows.push((temperature + next.normal(0.7)).toFixed(2));
  }
  return `${rows.join('\n')}\n`;
}

if (require.main === module) fs.writeFileSync(path.join(__dirname, 'stream.csv'), excerpt());
