/** engram statify, unstatify, strip: models rewritten, and shown to answer as before. */
import { Command } from 'commander';
import { findLoops } from '../../author/find_loops';
import { readModel } from '../../author/options';
import { type Loop, statify, unstatify } from '../../author/statify';
import { strip } from '../../author/strip';
import { writeModel } from '../../author/writer';
import { load } from '../../lib/index';
import { readBytes, writeWhole } from '../files';
import { firstDifference } from '../same_outputs';
import { table } from '../table';

const STEPS = 50;

function parseLoop(text: string): Loop {
  const at = text.lastIndexOf('=');
  if (at < 1 || at === text.length - 1) throw new Error(`--loop must be output=input, but it is "${text}"`);
  return { out: text.slice(0, at), in: text.slice(at + 1), initial: null };
}

/** Compares a model with loops outside (fed back) and one with variables inside. */
function compare(outside: Uint8Array, inside: Uint8Array, loops: Loop[]): void {
  const fed = load(outside, { feedback: loops.map((loop) => ({ from: loop.out, to: loop.in })) });
  for (const loop of loops) if (loop.initial) fed.variables.get(loop.in).data.set(loop.initial);
  // what is fed back is not an output of the other model
  const names = new Set(loops.map((loop) => loop.out));
  fed.outputs = fed.outputs.filter((output) => !names.has(output.name));
  const found = firstDifference(fed, load(inside), STEPS);
  if (found) throw new Error(`the rewritten model answers differently (${found}); nothing was written`);
}

function loopTable(loops: Loop[]): string {
  const rows = loops.map((loop) => [
    loop.out,
    loop.in,
    loop.initial ? Array.from(loop.initial).slice(0, 6).join(' ') : 'zero',
  ]);
  return table(['output', 'input', 'initial value'], rows) + '\n';
}

export function statifyCommand(): Command {
  return new Command('statify')
    .description('Rewrite a model so that outputs fed back to inputs become variables inside of it.')
    .argument('<model>', 'a .tflite file')
    .option(
      '--loop <output=input>',
      'an output whose value is an input of the next step; may be repeated',
      (text, list: Loop[]) => [...list, parseLoop(text)],
      [],
    )
    .option('--auto', 'find loops by names such as state_in and state_out')
    .requiredOption('-o, --output <file>', 'where the new model goes')
    .action((file: string, options: { loop: Loop[]; auto?: boolean; output: string }) => {
      const bytes = readBytes(file);
      const graph = readModel(bytes);
      const loops = options.auto ? [...options.loop, ...findLoops(graph)] : options.loop;
      const written = writeModel(statify(graph, loops));
      compare(bytes, written, loops);
      writeWhole(options.output, written);
      process.stdout.write(
        `${loopTable(loops)}\n${options.output}: ${written.length} bytes, same answers over ${STEPS} random steps.\n`,
      );
    });
}

export function unstatifyCommand(): Command {
  return new Command('unstatify')
    .description(
      'Rewrite a model so that its variables become inputs and outputs, for runtimes that have no variables.',
    )
    .argument('<model>', 'a .tflite file')
    .requiredOption('-o, --output <file>', 'where the new model goes')
    .action((file: string, options: { output: string }) => {
      const bytes = readBytes(file);
      const { graph, loops } = unstatify(readModel(bytes));
      const written = writeModel(graph);
      compare(written, bytes, loops);
      writeWhole(options.output, written);
      process.stdout.write(
        `${loopTable(loops)}\nFeed each output to its input in the next step; the first step starts with the initial value.\n` +
          `${options.output}: ${written.length} bytes, same answers over ${STEPS} random steps.\n`,
      );
    });
}

export function stripCommand(): Command {
  return new Command('strip')
    .description('Drop names, metadata and descriptions that a chip need not carry.')
    .argument('<model>', 'a .tflite file')
    .requiredOption('-o, --output <file>', 'where the new model goes')
    .action((file: string, options: { output: string }) => {
      const bytes = readBytes(file);
      const written = writeModel(strip(readModel(bytes)));
      const found = firstDifference(load(bytes), load(written), STEPS);
      if (found) throw new Error(`the stripped model answers differently (${found}); nothing was written`);
      writeWhole(options.output, written);
      const saved = Math.round((100 * (bytes.length - written.length)) / bytes.length);
      process.stdout.write(
        `${options.output}: ${written.length} bytes instead of ${bytes.length} (${saved}% less), same answers over ${STEPS} random steps.\n`,
      );
    });
}
