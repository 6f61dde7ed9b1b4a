/** Benchmarks of memory: arenas beside those that TFLM plans, and bytes of state that are copied. Counted, not timed. */
import { load, readGraph } from '../lib/index';
import type { LoadOptions } from '../lib/load';
import { countStep } from './bench_counts';
import { ownModels, publicModels, publicModelsNamed, type BenchModel } from './bench_subjects';
import { feed, randomStream } from './engine_inputs';
import { table } from './table';

function arena({ bytes, loops }: BenchModel, options: LoadOptions = {}): number {
  return load(bytes, { feedback: loops, ...options }).memory.arena;
}

/** What it costs to preserve one tensor: for each that the main subgraph computes. */
export interface PreservedTensor {
  name: string;
  op: string;
  bytes: number;
  /** By how many bytes the arena grows. */
  growth: number;
}

/** Arenas of a model with each computed tensor preserved in turn. */
export function preserveEach(model: BenchModel): PreservedTensor[] {
  const without = arena(model);
  const main = readGraph(model.bytes).subgraphs[0];
  return main.nodes.flatMap((node) =>
    node.outputs
      .filter((tensor) => tensor.type !== 'RESOURCE' && !main.outputs.includes(tensor))
      .map((tensor) => ({
        name: tensor.name,
        op: node.op,
        bytes: tensor.bytes,
        growth: arena(model, { preserve: [tensor.index] }) - without,
      })),
  );
}

/** Arenas in bytes: ours, TFLM's, without sharing, with everything preserved. */
export function arenaTable(models: BenchModel[]): string {
  const rows = models.map((model) => [
    model.name,
    arena(model),
    model.tflm ? model.tflm.head : '–',
    model.tflm ? `${((100 * arena(model)) / model.tflm.head).toFixed(0)}%` : '–',
    arena(model, { share: false }),
    arena(model, { preserve: true }),
    model.tflm?.headPreserved ?? '–',
  ]);
  return table(
    ['model', 'Engram', 'TFLM', 'of TFLM', 'no sharing', 'preserve all', 'TFLM, preserve all'],
    rows,
  );
}

/** The arenas section. */
export function arenas(print: (text: string) => void): void {
  print(arenaTable([...ownModels(), ...publicModels()]));
  for (const model of publicModelsNamed(['okay_nabu'])) {
    const each = preserveEach(model);
    const grown = each.map(({ growth }) => growth).sort((a, b) => a - b);
    const beyond = each.map(({ growth, bytes }) => growth - bytes);
    print(
      `${model.name}, arena ${arena(model)}; preserving one of its ${each.length} tensors adds ${grown[0]} to ` +
        `${grown[grown.length - 1]} bytes, ${grown[grown.length >> 1]} in the middle; beyond the tensor's own bytes ` +
        `${Math.max(...beyond)} at most. The largest ones:`,
    );
    const largest = [...each].sort((a, b) => b.bytes - a.bytes).slice(0, 5);
    print(
      table(
        ['preserved', 'operator', 'its bytes', 'arena grows by'],
        largest.map(({ name, op, bytes, growth }) => [name, op, bytes, growth]),
      ),
    );
  }
}

/** The copies section. */
export function copies(print: (text: string) => void): void {
  const rows: (string | number)[][] = [];
  for (const { name, bytes, loops } of [...ownModels(), ...publicModels()]) {
    const model = load(bytes, { feedback: loops });
    if (!model.memory.variables) continue;
    const stream = randomStream(model, 2, 1);
    const { stateBytesCopied } = countStep(bytes, 2, (counted, step) => feed(counted, stream[step]), loops);
    if (!stateBytesCopied.copyAlways) continue;
    rows.push([name, model.memory.variables, stateBytesCopied.engram, stateBytesCopied.copyAlways]);
  }
  print(table(['model', 'state', 'copied', 'copying always'], rows));
}
