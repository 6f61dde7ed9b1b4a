/** Reads the conformance suite in ../shared/conformance (its README tells the format) and runs cases. */
import fs from 'node:fs';
import path from 'node:path';
import type { Model, ModelTensor } from '../../lib/model';
import { shared } from './shared';

interface Spec {
  name: string;
  type: string;
  shape: number[];
  bytes: number;
  compare: 'exact' | { atol: number; rtol: number };
  when_true?: number;
  from_step?: number;
}

export interface Case {
  name: string;
  ops: string[];
  types: string[];
  steps: number;
  note?: string;
  in: Spec[];
  out: Spec[];
  bytes: Uint8Array;
  inputs: Uint8Array;
  outputs: Uint8Array;
  arena: { p32: { planned: { head: number } } };
}

export interface NegativeCase {
  name: string;
  category: string;
  reason: string;
  expect: 'reject' | 'no_crash' | 'time_limit';
  bytes: Uint8Array;
}

function open(group: string): { index: { cases: Record<string, unknown>[] }; bin: Uint8Array } | null {
  const file = shared('conformance', group + '.json');
  if (!file) return null;
  return {
    index: JSON.parse(fs.readFileSync(file, 'utf8')),
    bin: new Uint8Array(fs.readFileSync(file.replace(/json$/, 'bin'))),
  };
}

/** Names of the groups of positive cases; [] when the suite is absent. */
export function groups(): string[] {
  const folder = shared('conformance');
  if (!folder) return [];
  const names = fs.readdirSync(folder).filter((file) => file.endsWith('.json'));
  return names.map((file) => path.basename(file, '.json')).filter((name) => name !== 'negative');
}

/** Cases of a group; the model's bytes are copied, so that each case has its own memory. */
export function cases(group: string): Case[] {
  const opened = open(group);
  if (!opened) return [];
  const cut = (place: unknown): Uint8Array => {
    const [offset, length] = place as [number, number];
    return opened.bin.slice(offset, offset + length);
  };
  return opened.index.cases.map((entry) => ({
    ...(entry as unknown as Case),
    bytes: cut(entry.model),
    inputs: cut(entry.inputs),
    outputs: cut(entry.outputs),
  }));
}

export function negativeCases(): NegativeCase[] {
  const opened = open('negative');
  if (!opened) return [];
  return opened.index.cases.map((entry) => {
    const [offset, length] = entry.model as [number, number];
    return { ...(entry as unknown as NegativeCase), bytes: opened.bin.slice(offset, offset + length) };
  });
}

/** The bytes of a tensor's data. */
export function bytesOf(tensor: ModelTensor): Uint8Array {
  return new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
}

/** Writes the inputs of one step from packed bytes; returns the position after them. */
export function feed(model: Model, packed: Uint8Array, at: number): number {
  for (const input of model.inputs) {
    const bytes = bytesOf(input);
    bytes.set(packed.subarray(at, at + bytes.length));
    at += bytes.length;
  }
  return at;
}

function numbers(type: string, bytes: Uint8Array): ArrayLike<number | bigint> {
  const copy = bytes.slice().buffer;
  switch (type) {
    case 'FLOAT32':
      return new Float32Array(copy);
    case 'INT32':
      return new Int32Array(copy);
    case 'UINT32':
      return new Uint32Array(copy);
    case 'INT64':
      return new BigInt64Array(copy);
    case 'UINT64':
      return new BigUint64Array(copy);
    case 'INT16':
      return new Int16Array(copy);
    case 'UINT16':
      return new Uint16Array(copy);
    case 'INT8':
      return new Int8Array(copy);
    default:
      return new Uint8Array(copy);
  }
}

/** Runs all steps of a case on a model; returns the first difference, or null. */
export function difference(test: Case, model: Model): string | null {
  let at = 0;
  let expectedAt = 0;
  for (let step = 0; step < test.steps; step++) {
    at = feed(model, test.inputs, at);
    model.invoke();
    const got = model.outputs.map((output) => bytesOf(output).slice());
    const wanted = test.out.map((spec) => test.outputs.subarray(expectedAt, (expectedAt += spec.bytes)));
    for (let i = 0; i < test.out.length; i++) {
      const spec = test.out[i];
      if (spec.from_step && step < spec.from_step) continue;
      if (spec.when_true !== undefined && !wanted[spec.when_true][0]) continue;
      if (got[i].length !== spec.bytes) return `output ${i}: ${got[i].length} bytes instead of ${spec.bytes}`;
      const a = numbers(spec.type, got[i]);
      const b = numbers(spec.type, wanted[i]);
      for (let k = 0; k < b.length; k++) {
        if (Object.is(a[k], b[k]) || a[k] === b[k]) continue;
        const x = Number(a[k]);
        const y = Number(b[k]);
        if (
          spec.compare !== 'exact' &&
          Math.abs(x - y) <= spec.compare.atol + spec.compare.rtol * Math.abs(y)
        )
          continue;
        return `step ${step}, output ${i}, element ${k}: got ${a[k]}, expected ${b[k]}`;
      }
    }
  }
  return null;
}
