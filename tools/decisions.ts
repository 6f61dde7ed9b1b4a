/** What a model decides at each reading, held against labels and against another model. */
import type { Recording } from './recordings';

/** Outputs over the steps of a recording: a row of real numbers per reading. */
export type Outputs = readonly (readonly number[])[];

/**
 * The class that an output stands for: the greatest of several numbers; of a single one, whether it is at least 0.5.
 */
export function decide(output: readonly number[]): number {
  if (output.length === 1) return output[0] >= 0.5 ? 1 : 0;
  let best = 0;
  for (let i = 1; i < output.length; i++) if (output[i] > output[best]) best = i;
  return best;
}

/** Right answers and all of them. */
export interface Score {
  right: number;
  of: number;
}

export interface Judgement {
  classes: string[];
  /** At every reading that has a label. */
  readings: Score;
  /** At the last labelled reading of every recording. */
  last: Score;
  /** Last decisions: rows are labels, columns decisions. */
  confusion: number[][];
}

/** Names of the classes, and labels as their numbers. */
export interface Labels {
  classes: string[];
  /** For each recording and reading: the class, or null without a label. */
  values: (number | null)[][];
}

/**
 * Brings labels to numbers of classes.
 * @param outputs how many numbers the model's first output has
 * @param names names of the classes as the user gave them, separated by commas
 * @throws Error naming a label that stands for no output
 */
export function readLabels(recordings: readonly Recording[], outputs: number, names?: string): Labels | null {
  if (!recordings.some(({ labels }) => labels)) return null;
  const count = outputs === 1 ? 2 : outputs;
  const classes = names ? names.split(',').map((name) => name.trim()) : null;
  if (classes && classes.length !== count) {
    throw new Error(`--classes names ${classes.length}, but the model tells ${count} classes apart`);
  }
  const values = recordings.map(({ name, labels }) =>
    (labels ?? []).map((label, step) => {
      if (label === null) return null;
      const found = classes ? classes.indexOf(label) : -1;
      const value = found >= 0 ? found : Number(label);
      if (Number.isInteger(value) && value >= 0 && value < count) return value;
      const known = classes ? `one of ${classes.join(', ')}` : `a number from 0 to ${count - 1}`;
      throw new Error(
        `recording ${name}, reading ${step + 1}: label "${label}" must be ${known}` +
          (classes ? '' : ', unless --classes says what the outputs stand for'),
      );
    }),
  );
  return { classes: classes ?? Array.from({ length: count }, (_, i) => String(i)), values };
}

/** Holds decisions against labels. */
export function judge(labels: Labels, outputs: readonly Outputs[]): Judgement {
  const { classes, values } = labels;
  const readings = { right: 0, of: 0 };
  const last = { right: 0, of: 0 };
  const confusion = classes.map(() => classes.map(() => 0));
  values.forEach((row, recording) => {
    let end = -1;
    row.forEach((label, step) => {
      if (label === null) return;
      end = step;
      readings.of++;
      if (decide(outputs[recording][step]) === label) readings.right++;
    });
    if (end < 0) return;
    const decision = decide(outputs[recording][end]);
    last.of++;
    if (decision === row[end]) last.right++;
    confusion[row[end]!][decision]++;
  });
  return { classes, readings, last, confusion };
}

/** How two models differ on the same readings. */
export interface Agreement {
  /** The same decision, at every reading and at the last one of every recording. */
  readings: Score;
  last: Score;
  /** Differences of the outputs' real values, as shares of the range of the first model's outputs. */
  rms: number;
  max: number;
}

export function agreement(first: readonly Outputs[], second: readonly Outputs[]): Agreement {
  const readings = { right: 0, of: 0 };
  const last = { right: 0, of: 0 };
  let [low, high, squares, count, most] = [Infinity, -Infinity, 0, 0, 0];
  first.forEach((outputs, recording) => {
    outputs.forEach((output, step) => {
      const other = second[recording][step];
      const same = decide(output) === decide(other) ? 1 : 0;
      readings.of++;
      readings.right += same;
      if (step === outputs.length - 1) {
        last.of++;
        last.right += same;
      }
      output.forEach((value, i) => {
        const error = Math.abs(value - other[i]);
        low = Math.min(low, value);
        high = Math.max(high, value);
        squares += error * error;
        most = Math.max(most, error);
        count++;
      });
    });
  });
  const range = high - low || Math.abs(high) || 1;
  return { readings, last, rms: Math.sqrt(squares / count) / range, max: most / range };
}

/** "97.5% (195 of 200)"; of nothing, "none". */
export function percent({ right, of }: Score): string {
  if (!of) return 'none';
  return `${((100 * right) / of).toFixed(1)}% (${right} of ${of})`;
}
