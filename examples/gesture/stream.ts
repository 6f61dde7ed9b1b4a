/**
 * Makes stream.csv: gestures drawn from formulas, between times of rest. `npx tsx examples/gesture/stream.ts` writes
 * the same bytes every time.
 */
import * as path from 'node:path';
import { random, type Random } from '../../author/random';
import { writeWhole } from '../../tools/files';

/** A push of the hand: how far it moves x, y, z at its height, when (in readings), and how long it takes. */
interface Push {
  at: number;
  width: number;
  xyz: [number, number, number];
}

interface Gesture {
  label: string;
  /** How the watch is held. */
  rest: number[];
  readings: number;
  pushes: Push[];
}

const push = (at: number, width: number, x: number, y: number, z: number): Push => ({
  at,
  width,
  xyz: [x, y, z],
});

/** One of each, as an arm that moves makes them: turning the wrist takes gravity from one axis to another. */
export const GESTURES: Gesture[] = [
  {
    // the arm swings out slowly, and stops hard
    label: 'swiperight',
    rest: [-10, -14, -27],
    readings: 12,
    pushes: [push(3.5, 1.3, 4, -26, 22), push(6, 0.7, 6, 60, -4), push(7.2, 0.6, -8, 12, -12)],
  },
  {
    label: 'clap2',
    rest: [-12, -2, -30],
    readings: 12,
    pushes: [
      push(2, 0.5, -14, -2, 18),
      push(3, 0.5, 24, -10, -36),
      push(5, 0.5, -10, 0, 16),
      push(6, 0.5, 24, -4, -34),
    ],
  },
  {
    label: 'upup',
    rest: [-13, -29, 2],
    readings: 15,
    pushes: [
      push(3, 0.8, -4, -16, 14),
      push(4.6, 0.7, -8, 36, -12),
      push(6.3, 0.7, 2, -26, 18),
      push(8, 0.7, -9, 38, -12),
      push(9.6, 0.8, 2, -12, 6),
    ],
  },
  {
    // the wrist is thrown round and back
    label: 'swipeleft',
    rest: [-20, -10, -21],
    readings: 12,
    pushes: [push(1.8, 0.9, 4, 38, 4), push(3.2, 0.6, 12, 2, -10), push(4.3, 0.7, -6, -16, 8)],
  },
  {
    label: 'waggle',
    rest: [-15, -8, -28],
    readings: 15,
    pushes: [3, 5.9, 8.8].flatMap((at) => [push(at, 0.7, -2, -34, 24), push(at + 1.4, 0.6, -3, 10, 2)]),
  },
];

/** Readings of rest before each gesture and at the end. */
const PAUSE = 10;
const MOST_NOISE = 1.2;

function at(gesture: Gesture, time: number, next: Random): number[] {
  return gesture.rest.map((rest, axis) => {
    const moved = gesture.pushes.reduce(
      (sum, { at: when, width, xyz }) => sum + xyz[axis] * Math.exp(-(((time - when) / width) ** 2) / 2),
      rest,
    );
    return Math.max(-128, Math.min(127, Math.round(moved + next.uniform(-MOST_NOISE, MOST_NOISE))));
  });
}

/** stream.csv: x, y, z in raw units (64 ≈ 1 g), ten readings a second. */
export function stream(): string {
  const next = random(64);
  const rows = ['x,y,z'];
  GESTURES.forEach((gesture, index) => {
    // the hand comes to the next pose slowly
    const before = GESTURES[Math.max(0, index - 1)].rest;
    for (let i = 1; i <= PAUSE; i++) {
      const rest = gesture.rest.map((to, axis) => before[axis] + ((to - before[axis]) * i) / PAUSE);
      rows.push(at({ ...gesture, rest, pushes: [] }, 0, next).join());
    }
    for (let i = 0; i < gesture.readings; i++) rows.push(at(gesture, i, next).join());
  });
  const last = GESTURES[GESTURES.length - 1];
  for (let i = 0; i < PAUSE; i++) rows.push(at({ ...last, pushes: [] }, 0, next).join());
  return rows.join('\n') + '\n';
}

if (require.main === module) writeWhole(path.join(__dirname, 'stream.csv'), stream());
