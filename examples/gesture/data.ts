/** The recordings of ../shared/data/gestures, and how they are varied for training. */
import * as fs from 'node:fs';
import { parse } from 'csv-parse/sync';
import type { Random } from '../../author/random';

/** Gestures in the order of the model's outputs. */
export const LABELS = ['swiperight', 'swipeleft', 'upup', 'waggle', 'clap2', 'random'];

/** One gesture: readings of x, y, z in raw units (64 ≈ 1 g), ten a second. */
export interface Recording {
  label: number;
  subset: string;
  readings: number[][];
}

/** Reads gestures.csv: subset, label, person, id, time, x, y, z. */
export function readRecordings(file: string): Recording[] {
  const rows = parse(fs.readFileSync(file, 'utf8'), { columns: true }) as Record<string, string>[];
  const recordings = new Map<string, Recording>();
  for (const row of rows) {
    const key = `${row.subset} ${row.label} ${row.person} ${row.id}`;
    const label = LABELS.indexOf(row.label);
    if (label < 0) throw new Error(`unknown label ${row.label}`);
    if (!recordings.has(key)) recordings.set(key, { label, subset: row.subset, readings: [] });
    recordings.get(key)!.readings.push([Number(row.x), Number(row.y), Number(row.z)]);
  }
  return [...recordings.values()];
}

/** The reading at a fractional time, between its neighbours. */
function at(readings: number[][], time: number): number[] {
  const clamped = Math.min(Math.max(time, 0), readings.length - 1);
  const before = Math.floor(clamped);
  const share = clamped - before;
  const after = Math.min(before + 1, readings.length - 1);
  return readings[before].map((value, axis) => value + share * (readings[after][axis] - value));
}

/**
 * A variation of a recording as another wrist could have made it: faster or slower, stronger or weaker, the watch a
 * little turned, some readings earlier or later, and noise. Values stay within the sensor's range.
 */
export function vary(recording: Recording, next: Random): number[][] {
  const { readings } = recording;
  const speed = Math.exp(next.uniform(-0.18, 0.18));
  const gain = Math.exp(next.uniform(-0.15, 0.15));
  const shift = next.uniform(-1, 1);
  const [a, b, c] = [next.uniform(-0.22, 0.22), next.uniform(-0.22, 0.22), next.uniform(-0.22, 0.22)];
  const length = Math.max(8, Math.round(readings.length / speed));
  const result: number[][] = [];
  for (let i = 0; i < length; i++) {
    const [x, y, z] = at(readings, i * speed + shift);
    // a small rotation, to first order
    const turned = [x - c * y + b * z, y + c * x - a * z, z - b * x + a * y];
    result.push(turned.map((value) => Math.min(127, Math.max(-128, value * gain + next.uniform(-3, 3)))));
  }
  return result;
}
