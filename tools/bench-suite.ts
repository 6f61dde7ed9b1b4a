/**
 * npm run bench: all that README.md and docs/benchmarks.md say in figures, measured again. Inputs are seeded. Times are
 * worth little alone; the ratios are of two things measured in the same run.
 */
import { Command } from 'commander';
import { loops } from './bench_loops';
import { arenas, copies } from './bench_memory';
import { section as packed } from './bench-pack';
import { split } from './bench_split';
import { publicMissing } from './bench_subjects';
import { againstTflite, peerMissing } from './bench_tflite';
import { models, onEngines } from './bench_timing';

interface Section {
  name: string;
  title: string;
  /** Why the section, or part of it, is left out; null when nothing is missing. */
  missing(): string | null;
  /** Whether there is something to measure all the same. */
  partly: boolean;
  run(print: (text: string) => void): void | Promise<void>;
}

const SECTIONS: Section[] = [
  {
    name: 'models',
    title: 'Models on Node: ns per multiply-accumulate (MAC), beside a bare loop over int8 in the same run',
    missing: publicMissing,
    partly: true,
    run: models,
  },
  {
    name: 'tflite',
    title: 'Beside TensorFlow Lite in WebAssembly (one thread, SIMD, XNNPACK), in the same run',
    missing: () => publicMissing() ?? peerMissing(),
    partly: false,
    run: againstTflite,
  },
  {
    name: 'arenas',
    title: 'Bytes of arena, beside the part that TFLM plans ("head")',
    missing: publicMissing,
    partly: true,
    run: arenas,
  },
  {
    name: 'copies',
    title: 'Bytes of state copied in a step by READ_VARIABLE, ASSIGN_VARIABLE and feedback',
    missing: publicMissing,
    partly: true,
    run: copies,
  },
  {
    name: 'engines',
    title: 'On every engine of this machine',
    missing: publicMissing,
    partly: true,
    run: onEngines,
  },
  {
    name: 'loops',
    title: 'Kernels of dot products beside the fastest bare loop of each engine',
    missing: () => null,
    partly: true,
    run: loops,
  },
  {
    name: 'packed',
    title: 'Packed programs',
    missing: publicMissing,
    partly: true,
    run: async (line) => line((await packed()).trimEnd()),
  },
  {
    name: 'split',
    title: 'What a step of a packed GRU takes on Espruino, by kind',
    missing: () => null,
    partly: true,
    run: split,
  },
];

function print(text: string): void {
  process.stdout.write(text + '\n\n');
}

async function runSections(names: string[]): Promise<void> {
  const unknown = names.find((name) => !SECTIONS.some((section) => section.name === name));
  if (unknown !== undefined)
    throw new Error(
      `there is no section ${unknown}: expected ${SECTIONS.map((section) => section.name).join(', ')}`,
    );
  for (const section of SECTIONS) {
    if (names.length && !names.includes(section.name)) continue;
    const missing = section.missing();
    print(`== ${section.name}: ${section.title}`);
    if (missing !== null && !section.partly) {
      print(`Left out: ${missing}.`);
      continue;
    }
    if (missing !== null) print(`Left out, but for the project's own models: ${missing}.`);
    await section.run(print);
  }
}

if (require.main === module) {
  new Command('bench')
    .description('Measure everything that the documentation says in figures.')
    .argument('[sections...]', SECTIONS.map((section) => section.name).join(', ') + '; default: all')
    .action(runSections)
    .parseAsync()
    .catch((error: Error) => {
      process.stderr.write(`bench: ${error.message}\n`);
      process.exitCode = 2;
    });
}
