/** engram pack: a model as a module for one engine, with everything decided that can be decided beforehand. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Command } from 'commander';
import { BOARDS, type Fit, fitOn, needOfPacked, plainName } from '../boards';
import { readBytes, writeWhole } from '../files';
import { packModel, type Packed, PARTS, type Part, type Target, TARGETS } from '../pack/index';
import { readConfig } from '../upload/config';

function partsOf(names: string): Part[] {
  return names
    .split(',')
    .filter(Boolean)
    .map((name) => {
      if (!(PARTS as readonly string[]).includes(name))
        throw new Error(`no part "${name}": there are ${PARTS.join(', ')}`);
      return name as Part;
    });
}

/** A file's name as a name for a module. */
export function moduleName(file: string): string {
  const stem = path.basename(file).replace(/\.[^.]*$/, '');
  const name = (stem === 'model' ? path.basename(path.dirname(path.resolve(file))) : stem).replace(
    /\W/g,
    '_',
  );
  return (/^\d/.test(name) ? '_' : '') + name.slice(0, 23);
}

/** Whether a packed model fits on the board of espruino.config.js, if that is one with known memory. */
function fitLine(packed: Packed, inline: boolean, name: string | undefined): string {
  const board = BOARDS.find((known) => name !== undefined && known.name === plainName(name));
  if (!board) return '';
  const fit = fitOn(board, needOfPacked(packed, inline));
  const side = ({ needed, available }: Fit['flash']): string => `${needed} of ${available} bytes`;
  return `It ${fit.fits ? 'fits' : 'does NOT fit'} on ${board.name}: Storage ${side(fit.flash)}, RAM about ${side(fit.ram)}.\n`;
}

export function packCommand(): Command {
  return new Command('pack')
    .description(
      'Turn a model into a module for one engine: its program, only the kernels it needs, its weights.',
    )
    .argument('<model>', 'a .tflite file')
    .option(
      '--target <target>',
      `${TARGETS.join(' or ')}: JerryScript, Duktape, MicroQuickJS and others are es5`,
      'espruino',
    )
    .option('--name <name>', "name of the module and its weights; default: the file's")
    .option('--inline', 'weights as base64 in the module (the default for es5)')
    .option('--separate', 'weights in a file of their own (the default for espruino)')
    .option('--kernels <kind>', 'portable: no kernels that use the builtins of the target')
    .option('--no-ram', 'leave the text of all functions in flash: a few variables less, half as fast')
    .option('--with <parts>', `parts of the interface to have, or none: ${PARTS.join(', ')}`)
    .option('--readable', 'do not minify')
    .option(
      '-o, --output <directory>',
      'where NAME.js and NAME.bin go; default: the first of `modules` in espruino.config.js',
    )
    .action(
      async (
        file: string,
        options: {
          target: Target;
          name?: string;
          inline?: boolean;
          separate?: boolean;
          kernels?: string;
          ram: boolean;
          with?: string;
          readable?: boolean;
          output?: string;
        },
      ) => {
        if (options.inline && options.separate) throw new Error('--inline and --separate exclude each other');
        if (options.kernels && options.kernels !== 'portable' && options.kernels !== 'espruino')
          throw new Error(`no kernels "${options.kernels}": there are portable and espruino`);
        const config = readConfig(process.cwd());
        const output = options.output ?? config.modules[0];
        if (output === undefined)
          throw new Error('say where the files go: -o DIRECTORY, or `modules` in espruino.config.js');
        const name = options.name ?? moduleName(file);
        const inline = options.inline ?? (options.separate ? false : options.target === 'es5');
        const packed = await packModel(readBytes(file), {
          target: options.target,
          name,
          inline,
          kernels: options.kernels as 'portable' | 'espruino' | undefined,
          parts:
            options.with === undefined ? undefined : partsOf(options.with === 'none' ? '' : options.with),
          minify: !options.readable && config.minify,
          ram: options.ram,
        });
        fs.mkdirSync(output, { recursive: true });
        const folder = options.output ?? path.relative('', output);
        const script = path.join(folder, `${name}.js`);
        const weights = path.join(folder, `${name}.bin`);
        writeWhole(script, packed.module);
        if (!inline) writeWhole(weights, packed.weights);
        process.stdout.write(
          `${script}: ${Buffer.byteLength(packed.module)} bytes${inline ? ', weights included' : ''}.\n` +
            (inline ? '' : `${weights}: ${packed.weights.length} bytes.\n`) +
            (options.target === 'espruino' ? fitLine(packed, inline, config.board) : ''),
        );
      },
    );
}
