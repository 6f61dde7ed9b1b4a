/** The recordings of ../shared/data/gestures, and how they are varied for training. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'csv-parse/sync';
import type { Random } from '../../author/random';

/** Gestures in the order of the model's outputs. */
export const LABELS = JSON.parse(fs.readFileSync(path.join(__dirname, 'labels.json'), 'utf8')) as string[];

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

/** How much recordings are varied: greatest changes, in both directions. */
export interface Variation {
  /** Logarithm of the speed, and of its change within a recording. */
  speed: number;
  bend: number;
  /** Logarithm of the strength, of all axes and of each. */
  gain: number;
  axes: number;
  /** Rotation about each axis in radians. */
  turn: number;
  /** Constant offset, and noise of each reading, in raw units. */
  offset: number;
  noise: number;
  /** Most readings that are cut off or added at either end. */
  cut: number;
  added: number;
}

export const VARIATION: Variation = {
  speed: 0.25,
  bend: 0.2,
  gain: 0.2,
  axes: 0.12,
  turn: 0.27,
  offset: 4,
  noise: 4,
  cut: 1.5,
  added: 2,
};

/** The reading at a fractional time, between its neighbours; beyond the ends the first and the last. */
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
export function vary(recording: Recording, variation: Variation, next: Random): number[][] {
  const { readings } = recording;
  const about = (most: number): number => next.uniform(-most, most);
  const speed = Math.exp(about(variation.speed));
  const bend = about(variation.bend);
  const gain = Math.exp(about(variation.gain));
  const gains = [0, 1, 2].map(() => gain * Math.exp(about(variation.axes)));
  const offsets = [0, 1, 2].map(() => about(variation.offset));
  const [a, b, c] = [about(variation.turn), about(variation.turn), about(variation.turn)];
  const first = next.uniform(-variation.added, variation.cut);
  const last = readings.length - 1 + next.uniform(-variation.cut, variation.added);
  const steps = Math.max(7, Math.round((last - first) / speed));
  const result: number[][] = [];
  for (let i = 0; i <= steps; i++) {
    const share = i / steps;
    const time = first + (last - first) * (share + bend * share * (1 - share));
    const [x, y, z] = at(readings, time);
    // a small rotation, to first order
    const turned = [x - c * y + b * z, y + c * x - a * z, z - b * x + a * y];
    result.push(
      turned.map((value, axis) =>
        Math.min(127, Math.max(-128, value * gains[axis] + offsets[axis] + about(variation.noise))),
      ),
    );
  }
  return result;
}
