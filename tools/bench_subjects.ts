/** Models that the benchmarks measure: the project's own, and public ones where they lie beside the project. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { packageRoot } from './bundle';
import type { Loops } from './bench_counts';

/** What TFLM takes for a model, bytes. */
export interface TflmMemory {
  /** The planned arena. */
  head: number;
  /** The same with all tensors preserved; null where it is not known. */
  headPreserved: number | null;
}

export interface BenchModel {
  name: string;
  bytes: Uint8Array;
  /** Null for the project's own models. */
  tflm: TflmMemory | null;
  /** Outputs that are state, to be fed back. */
  loops: Loops;
}

/** Loops that the public models' names do not tell. */
const LOOPS: Record<string, Loops> = {
  dtln_model_1_float: [{ from: 'Identity_1', to: 'input_3' }],
};

/** Folder of the public models, or null. */
function publicFolder(): string | null {
  const folder = path.join(packageRoot(), '..', 'shared', 'models');
  return fs.existsSync(folder) ? folder : null;
}

/** Why there are no public models; null when there are. */
export function publicMissing(): string | null {
  return publicFolder() === null ? '../shared/models is not there' : null;
}

/** A GRU of 3 inputs and 24 units, with seeded weights, in float and in int8. */
export function ownModels(): BenchModel[] {
  return (['FLOAT32', 'INT8'] as const).map((type) => ({
    name: `gru_24_${type === 'INT8' ? 'int8' : 'float'}`,
    bytes: writeModel(gruModel({ inputs: 3, units: 24, type })),
    tflm: null,
    loops: [],
  }));
}

interface Info {
  tflm_memory: Record<string, { arena_head_bytes: number } | undefined>;
}

/** The public models in order of their names; [] when they are absent. */
export function publicModels(): BenchModel[] {
  const folder = publicFolder();
  if (folder === null) return [];
  const names = fs
    .readdirSync(folder)
    .filter((name) => fs.existsSync(path.join(folder, name, 'model.tflite')));
  return names.sort().map((name) => {
    const info = JSON.parse(fs.readFileSync(path.join(folder, name, 'info.json'), 'utf8')) as Info;
    return {
      name,
      bytes: new Uint8Array(fs.readFileSync(path.join(folder, name, 'model.tflite'))),
      tflm: {
        head: info.tflm_memory['32bit']!.arena_head_bytes,
        headPreserved: info.tflm_memory['64bit_preserve_all']?.arena_head_bytes ?? null,
      },
      loops: LOOPS[name] ?? [],
    };
  });
}

/** Public models of these names. */
export function publicModelsNamed(names: string[]): BenchModel[] {
  return publicModels().filter(({ name }) => names.includes(name));
}
