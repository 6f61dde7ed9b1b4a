/** engram upload: a model or a sketch onto a board that runs Espruino. */
import * as path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { load } from '../../lib/index';
import { readBytes } from '../files';
import { packModel } from '../pack/index';
import { readConfig } from '../upload/config';
import { uploadFile, uploadModel, uploadSketch, type Uploaded } from '../upload/index';
import { readSketch } from '../upload/sketch';
import { moduleName } from './pack';

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

function report(uploaded: Uploaded): string {
  const lines = uploaded.files.map(
    ({ name, bytes }) => `${name}: ${bytes} bytes in Storage, compared on the board.\n`,
  );
  return (
    `${uploaded.board}, Espruino ${uploaded.version}, at ${uploaded.port}.\n${lines.join('')}` +
    (uploaded.staged ? '' : 'Storage had no room for old and new files at once: the old ones went first.\n')
  );
}

export function uploadCommand(): Command {
  return new Command('upload')
    .description('Send a packed model or a sketch to a board that runs Espruino, and check it there.')
    .argument('<file>', 'a .tflite model, or a .js sketch')
    .option('--port <port>', 'a serial port, a Bluetooth address, tcp://HOST:PORT; default: the first board')
    .option('--board <name>', "refuse any other board (process.env.BOARD); 'any' takes what is there")
    .option('--name <name>', "the module's name; for a sketch its file, in place of the boot code")
    .option(
      '--as-is',
      'the file itself, for engram.load(NAME) on the board; its name stays unless --name is given',
    )
    .option('--inline', "a model's weights as base64 in the module, not in a file of their own")
    .option('--kernels <kind>', 'portable: no kernels that use the builtins of Espruino')
    .option('--no-ram', 'leave the text of all functions in flash: a few variables less, half as fast')
    .option('--no-minify', 'send text as it is')
    .option('--read-back', 'compare every byte instead of checksums')
    .option('--timeout <seconds>', 'how long the first step may take', positive, 60)
    .action(
      async (
        file: string,
        options: {
          port?: string;
          board?: string;
          name?: string;
          asIs?: boolean;
          inline?: boolean;
          kernels?: string;
          ram: boolean;
          minify: boolean;
          readBack?: boolean;
          timeout: number;
        },
      ) => {
        if (options.kernels && options.kernels !== 'portable' && options.kernels !== 'espruino')
          throw new Error(`no kernels "${options.kernels}": there are portable and espruino`);
        const config = readConfig(process.cwd());
        const wanted = options.board ?? config.board;
        const target = {
          port: options.port ?? config.port,
          board: wanted === 'any' ? undefined : wanted,
          readBack: options.readBack,
          timeout: options.timeout * 1000,
        };
        if (options.asIs) {
          const bytes = readBytes(file);
          // a .tflite file that cannot run is told before it is sent
          if (/\.tflite$/i.test(file)) load(bytes);
          const name = options.name ?? path.basename(file);
          process.stdout.write(report(await uploadFile({ name, bytes }, target)));
          return;
        }
        const minify = options.minify && config.minify;
        if (/\.js$/i.test(file)) {
          const sketch = await readSketch(file, config.modules, minify);
          process.stdout.write(report(await uploadSketch(sketch, options.name, target)));
          return;
        }
        const inline = options.inline ?? false;
        const packed = await packModel(readBytes(file), {
          target: 'espruino',
          name: options.name ?? moduleName(file),
          inline,
          kernels: options.kernels as 'portable' | 'espruino' | undefined,
          ram: options.ram,
          minify,
        });
        const uploaded = await uploadModel(packed, inline, target);
        process.stdout.write(
          `${report(uploaded)}One step on the board took ${uploaded.milliseconds.toFixed(1)} ms; ` +
            `its answer and variables (${uploaded.compared} bytes) are the host's to the bit.\n`,
        );
      },
    );
}
