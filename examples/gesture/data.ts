/** The recordings of ../shared/data/gestures, and how they are varied for training. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'csv-parse/sync';
import type { Random } from '../../author/random';

/** Gestures in the order of the model's outputs. */
export const LABELS = JSON.parse(fs.readFileSync(path.join(__dirname, 'labels.json'), 'utf8')) as string[];

/** Movements that are no gesture. */
export const RANDOM = LABELS.indexOf('random');

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
  /** Rotation about each axis in radians; of movements that are no gesture, which may be made anyhow. */
  turn: number;
  turnRandom: number;
  /** Constant offset, and noise of each reading, in raw units. */
  offset: number;
  noise: number;
  /** Most readings that are cut off or added at either end. */
  cut: number;
  added: number;
}

export const VARIATION: Variation = {
  speed: 0.18,
  bend: 0.12,
  gain: 0.15,
  axes: 0.08,
  turn: 0.22,
  turnRandom: 0.6,
  offset: 3,
  noise: 3,
  cut: 1,
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

/** A rotation about z, then y, then x, by angles drawn up to `most` radians. */
function rotation(about: (most: number) => number, most: number): number[][] {
  const [a, b, c] = [about(most), about(most), about(most)];
  const [sinA, sinB, sinC] = [Math.sin(a), Math.sin(b), Math.sin(c)];
  const [cosA, cosB, cosC] = [Math.cos(a), Math.cos(b), Math.cos(c)];
  return [
    [cosC * cosB, cosC * sinB * sinA - sinC * cosA, cosC * sinB * cosA + sinC * sinA],
    [sinC * cosB, sinC * sinB * sinA + cosC * cosA, sinC * sinB * cosA - cosC * sinA],
    [-sinB, cosB * sinA, cosB * cosA],
  ];
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
  const turn = rotation(about, recording.label === RANDOM ? variation.turnRandom : variation.turn);
  const first = next.uniform(-variation.added, variation.cut);
  const last = readings.length - 1 + next.uniform(-variation.cut, variation.added);
  const steps = Math.max(7, Math.round((last - first) / speed));
  const result: number[][] = [];
  for (let i = 0; i <= steps; i++) {
    const share = i / steps;
    const time = first + (last - first) * (share + bend * share * (1 - share));
    const [x, y, z] = at(readings, time);
    result.push(
      turn.map(([forX, forY, forZ], axis) => {
        const turned = forX * x + forY * y + forZ * z;
        return Math.min(127, Math.max(-128, turned * gains[axis] + offsets[axis] + about(variation.noise)));
      }),
    );
  }
  return result;
}
