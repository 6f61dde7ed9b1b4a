/**
 * The main job: a sensor stream goes, reading by reading, through a model that remembers, inside an on-chip JavaScript
 * engine: movements of a wrist, through the gesture model with int8 state. Prints what the model takes each reading for
 * as it comes, with the state it carries.
 */
import * as path from 'node:path';
import { Command } from 'commander';
import { ENGINE_NAMES, engineNamed } from '../engines/index';
import { packageRoot } from './bundle';
import { readReadings } from './csv';
import { shippedBundle } from './engine_bundle';
import { readBytes, readText } from './files';

/** What the driver prints for each reading. */
interface Line {
  reading: number[];
  answer: number[];
  state: Record<string, number[]>;
  /** Whether the state was put back first: the hand rested. */
  rested: boolean;
}

/** What the driver prints at the end. */
interface Summary {
  arena: number;
  variables: number;
  constants: number;
  milliseconds: number;
}

const HEAP = 1024 * 1024;

/** What ends a gesture: so many readings that change by less than this, the sum over all columns. As in the sketches. */
const REST = { readings: 4, change: 18 };

/** ES5 for every engine: loads the model, steps through the readings, prints JSON. */
function driver(rows: number[][]): string {
  return `
var rows = ${JSON.stringify(rows)};
var model = engram.load(readBytes('model'));
var names = model.variables.names();
var spent = 0;
var left = 0;
function list(values) { var all = []; for (var i = 0; i < values.length; i++) all.push(+values[i].toFixed(4)); return all; }
for (var i = 0; i < rows.length; i++) {
  var change = 0;
  for (var c = 0; i && c < rows[i].length; c++) change += Math.abs(rows[i][c] - rows[i - 1][c]);
  if (change >= ${REST.change}) left = ${REST.readings};
  var rested = !left;
  if (left) left--;
  var begin = now();
  if (rested) model.reset();
  var answer = model.step(rows[i]);
  spent += now() - begin;
  var state = {};
  for (var k = 0; k < names.length; k++) state[names[k]] = list(model.variables.get(names[k]).read());
  print(JSON.stringify({ reading: rows[i], answer: list(answer), state: state, rested: rested }));
}
var memory = model.memory;
print(JSON.stringify({ arena: memory.arena, variables: memory.variables, constants: memory.constants, milliseconds: spent }));
`;
}

function numbers(values: number[], most = 6): string {
  const shown = values.slice(0, most).map((value) => value.toFixed(2).padStart(7));
  return shown.join(' ') + (values.length > most ? ' …' : '');
}

/** The label with the greatest score. */
function decision(scores: number[], labels: string[]): string {
  const best = scores.indexOf(Math.max(...scores));
  return `${labels[best].padEnd(10)} ${scores[best].toFixed(1).padStart(5)}`;
}

async function start(name: string): Promise<void> {
  const engine = engineNamed(name);
  if (engine.find() === null) throw new Error(`${engine.title} is not on this machine: ${engine.hint}`);
  const file = (part: string): string => path.join(packageRoot(), 'examples', 'gesture', part);
  const model = readBytes(file('gesture_int8.tflite'));
  const labels = JSON.parse(readText(file('labels.json'))) as string[];
  const { header, rows } = readReadings(readText(file('stream.csv')), 3, 'stream.csv');
  process.stdout.write(
    `${engine.title}: ${rows.length} readings of ${header?.join(', ') ?? 'a sensor'}, one step each\n\n`,
  );
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
        const state = Object.entries(parsed.state).map(
          ([variable, values]) => `${variable} =${numbers(values, 4)}`,
        );
        const answer = parsed.rested ? 'at rest'.padEnd(16) : decision(parsed.answer, labels);
        process.stdout.write(
          `${String(++count).padStart(3)}  reading${numbers(parsed.reading)}   ${answer}   ${state.join('  ')}\n`,
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
    .description(
      'Run a recorded sensor stream through a model that remembers, inside an on-chip JavaScript engine.',
    )
    .option('--engine <name>', ENGINE_NAMES.join(', '), 'quickjs')
    .action((options: { engine: string }) => start(options.engine));
  command.parseAsync().catch((error: Error) => {
    process.stderr.write(`start: ${error.message.split('\n')[0]}\n`);
    process.exitCode = 2;
  });
}
