/** The record of ../shared/data/machine_temperature, what its keepers marked in it, and how alarms are judged. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'csv-parse/sync';
import { load } from '../../lib/index';

/** One reading every five minutes. */
export const READINGS_PER_DAY = 288;
/** Share of the record that training may look at; false alarms count after it. */
export const TRAINING_SHARE = 0.15;

/**
 * Surprise beyond which an alarm is raised. The mean size of normally distributed errors is √(2/π) = 0.8 of their standard
 * deviation, which is what the surprise is while the machine behaves as it did in training.
 */
export const THRESHOLD = 1.1;

export interface MachineRecord {
  /** Temperatures as the sensor gave them. */
  readings: number[];
  /** First and last index of each stretch that was marked as an anomaly. */
  windows: [number, number][];
}

/** Reads machine_temperature.csv (timestamp, value) and anomaly_windows.json (pairs of timestamps) from a folder. */
export function readRecord(folder: string): MachineRecord {
  const rows = parse(fs.readFileSync(path.join(folder, 'machine_temperature.csv'), 'utf8'), {
    columns: true,
  }) as { timestamp: string; value: string }[];
  const marked = JSON.parse(fs.readFileSync(path.join(folder, 'anomaly_windows.json'), 'utf8')) as [
    string,
    string,
  ][];
  const windows = marked.map(([from, to]): [number, number] => {
    // timestamps of both files sort as text; those of the windows have microseconds
    const inside = rows.flatMap((row, i) => {
      const time = `${row.timestamp}.000000`;
      return time >= from && time <= to ? [i] : [];
    });
    return [inside[0], inside[inside.length - 1]];
  });
  return { readings: rows.map((row) => Number(row.value)), windows };
}

/** Readings that training may look at. */
export function trainingLength(record: MachineRecord): number {
  return Math.floor(TRAINING_SHARE * record.readings.length);
}

/** Half of an alarm is forgotten after a day: until then, surprise beyond the threshold belongs to it. */
export const STILL_RAISED = 0.5;

/**
 * Steps a model through readings as the sketch does: an alarm is raised when the surprise is beyond the threshold, and
 * was not within the last day. Returns the surprise after each reading, and the indices at which an alarm was raised.
 */
export function watch(
  bytes: Uint8Array,
  readings: number[],
  threshold: number,
): { surprise: number[]; raised: number[] } {
  const model = load(bytes);
  const alarm = model.variables.get('alarm');
  const raised: number[] = [];
  const surprise = readings.map((reading, i) => {
    const [surprise, before] = model.step([reading]) as Float32Array[];
    if (surprise[0] > threshold) {
      if (before[0] < STILL_RAISED) raised.push(i);
      alarm.write([1]);
    }
    return surprise[0];
  });
  return { surprise, raised };
}

export interface Judgement {
  /** For each marked window the index of the first alarm in it, or null. */
  found: (number | null)[];
  /** Alarms outside of all windows, after the training part. */
  falseAlarms: number[];
  /** Alarms outside of all windows, within the training part. */
  early: number[];
}

export function judge(record: MachineRecord, raised: number[]): Judgement {
  const within = (i: number, [from, to]: [number, number]): boolean => i >= from && i <= to;
  const outside = raised.filter((i) => !record.windows.some((window) => within(i, window)));
  const trained = trainingLength(record);
  return {
    found: record.windows.map((window) => raised.find((i) => within(i, window)) ?? null),
    falseAlarms: outside.filter((i) => i >= trained),
    early: outside.filter((i) => i < trained),
  };
}
