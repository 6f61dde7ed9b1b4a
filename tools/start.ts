/**
 * The main job: a recorded sensor stream goes, reading by reading, through a model that remembers, inside an on-chip
 * JavaScript engine. Prints what the model makes of each reading as it comes, with the state it carries.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Command } from 'commander';
import { ENGINE_NAMES, engineNamed } from '../engines/index';
import { packageRoot } from './bundle';
import { readReadings } from './csv';
import { shippedBundle } from './engine_bundle';
import { readBytes } from './files';

/** What the driver prints for each reading. */
interface Line {
  reading: number[];
  answer: number[];
  state: Record<string, number[]>;
}

/** What the driver prints at the end. */
interface Summary {
  arena: number;
  variables: number;
  constants: number;
  milliseconds: number;
}

const HEAP = 1024 * 1024;

/** ES5 for every engine: loads the model, steps through the readings, prints JSON. */
function driver(rows: number[][]): string {
  return `
var rows = ${JSON.stringify(rows)};
var model = engram.load(readBytes('model'));
var names = model.variables.names();
var spent = 0;
function list(values) { var all = []; for (var i = 0; i < values.length; i++) all.push(+values[i].toFixed(4)); return all; }
for (var i = 0; i < rows.length; i++) {
  var begin = now();
  var answer = model.step(rows[i]);
  spent += now() - begin;
  var state = {};
  for (var k = 0; k < names.length; k++) state[names[k]] = list(model.variables.get(names[k]).read());
  print(JSON.stringify({ reading: rows[i], answer: list(answer), state: state }));
}
var memory = model.memory;
print(JSON.stringify({ arena: memory.arena, variables: memory.variables, constants: memory.constants, milliseconds: spent }));
`;
}

function numbers(values: number[]): string {
  const shown = values.slice(0, 6).map((value) => value.toFixed(2).padStart(7));
  return shown.join(' ') + (values.length > 6 ? ' …' : '');
}

async function start(name: string): Promise<void> {
  const engine = engineNamed(name);
  if (engine.find() === null) throw new Error(`${engine.title} is not on this machine: ${engine.hint}`);
  const folder = path.join(packageRoot(), 'examples', 'smoothing');
  const model = readBytes(path.join(folder, 'smoothing.tflite'));
  const { header, rows } = readReadings(fs.readFileSync(path.join(folder, 'stream.csv'), 'utf8'), 1, 'stream.csv');
  process.stdout.write(`${engine.title}: ${rows.length} readings of ${header?.[0] ?? 'a sensor'}, one step each\n\n`);
  let count = 0;
  let summary: Summary | null = null;
  const result = await engine.run(
    { bundle: shippedBundle('engram.min.js'), driver: driver(rows), files: { model } },
    {
      memoryLimit: engine.limitsMemory ? HEAP : undefined,
      onLine: (line) => {
        const parsed = JSON.parse(line) as Line | Summary;
        if (!('reading' in parsed)) {
          summary = parsed;
          return;
        }
        const state = Object.entries(parsed.state).map(([variable, values]) => `${variable} =${numbers(values)}`);
        process.stdout.write(
          `${String(++count).padStart(3)}  reading${numbers(parsed.reading)}   answer${numbers(parsed.answer)}   ${state.join('  ')}\n`,
        );
      },
    },
  );
  if (result.error !== null) throw new Error(result.error);
  const { arena, variables, constants, milliseconds } = summary!;
  const heap = result.memory?.used ? `, ${result.memory.used} bytes of the engine's heap in all` : '';
  process.stdout.write(
    `\nmemory: ${arena} bytes of arena, ${variables} of state, ${constants} of constants${heap}; ` +
      `${(milliseconds / rows.length).toFixed(3)} ms per reading\n`,
  );
}

if (require.main === module) {
  const command = new Command('start')
    .description('Run a recorded sensor stream through a model that remembers, inside an on-chip JavaScript engine.')
    .option('--engine <name>', ENGINE_NAMES.join(', '), 'quickjs')
    .action((options: { engine: string }) => start(options.engine));
  command.parseAsync().catch((error: Error) => {
    process.stderr.write(`start: ${error.message.split('\n')[0]}\n`);
    process.exitCode = 2;
  });
}
