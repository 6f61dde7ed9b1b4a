/** engram bundle: a build of the runtime with only the operators that some models need. */
import { Command } from 'commander';
import { readGraph } from '../../lib/index';
import { bundle } from '../bundle';
import { entryOf, FAMILIES, type Family, operatorsOf } from '../families';
import { readBytes, writeWhole } from '../files';

/** Families by name, with an error that lists them. */
function named(names: string): Family[] {
  return names.split(',').map((name) => {
    const found = FAMILIES.find((family) => family.name === name.trim());
    if (!found)
      throw new Error(`no family "${name}": there are ${FAMILIES.map((family) => family.name).join(', ')}`);
    return found;
  });
}

/** The families that have a model's operators. */
function neededBy(file: string): Family[] {
  const needed = new Set(
    readGraph(readBytes(file)).subgraphs.flatMap((subgraph) => subgraph.nodes.map((node) => node.op)),
  );
  const found = FAMILIES.filter((family) =>
    operatorsOf(family)
      .map((op) => needed.delete(op))
      .includes(true),
  );
  if (needed.size)
    throw new Error(`${file} needs ${[...needed].join(', ')}, which only the complete bundle has`);
  return found;
}

export function bundleCommand(): Command {
  return new Command('bundle')
    .description('Build the runtime with only the operators that some models need.')
    .argument('[models...]', '.tflite files whose operators the build must have')
    .option(
      '--families <names>',
      `families of operators: ${FAMILIES.map((family) => family.name).join(', ')}`,
    )
    .option('--no-snapshots', 'leave out save, restore, the store and the keeper')
    .option('--no-storage', "leave out load('NAME'), which opens files in Espruino's Storage")
    .option('--no-rare-types', 'leave out int16 activations, float activations with int8 weights, and FFTs')
    .option('--readable', 'do not minify')
    .requiredOption('-o, --output <file>', 'where the bundle goes')
    .action(
      async (
        models: string[],
        options: {
          families?: string;
          snapshots: boolean;
          storage: boolean;
          rareTypes: boolean;
          readable?: boolean;
          output: string;
        },
      ) => {
        const chosen = new Set([
          ...models.flatMap(neededBy),
          ...(options.families ? named(options.families) : []),
        ]);
        if (!chosen.size) throw new Error('say what the build must have: models, or --families');
        const families = FAMILIES.filter((family) => chosen.has(family));
        const code = await bundle({
          entrySource: entryOf(families, options),
          minify: !options.readable,
        });
        writeWhole(options.output, code);
        process.stdout.write(
          `${options.output}: ${Buffer.byteLength(code)} bytes with ${families.map((family) => family.name).join(', ')}.\n`,
        );
      },
    );
}
