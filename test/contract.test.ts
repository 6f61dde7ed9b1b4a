/**
 * The contract that everything rests on: prepare decides, kernels are flat. A prepared program is printed as straight
 * ES5 with literal arguments, and gives the same bits on other engines; a kernel is swapped behind its signature.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { engineNamed, type EngineName } from '../engines/index';
import { load } from '../lib/index';
import type { Model } from '../lib/model';
import { bundle } from '../tools/bundle';
import { type PrintOptions, programModule } from '../tools/pack/print';
import { randomInputs } from '../tools/same_outputs';
import { random } from '../author/random';
import { ABSENT, shared } from './helpers/shared';
import { bytesOf } from './helpers/suite';

const STEPS = 12;

/** FULLY_CONNECTED through E.convolve, with the weights as rows. */
const convolve: PrintOptions = {
  accelerate: ({ module, name }) =>
    module === 'ops/fully_connected' && /^fullyConnected(Int8|Float32)$/.test(name)
      ? {
          kernel: { module: 'engines/espruino/fully_connected', name },
          argument: (index, expression, value) =>
            index === 1 && typeof value !== 'number' ? `rowsOf(${expression},ROW_LENGTH,ROWS)` : null,
        }
      : null,
};

/** Text of the program, with the row sizes filled in where a kernel was swapped. */
async function printed(model: Model, options: PrintOptions): Promise<string> {
  const accelerate: PrintOptions['accelerate'] =
    options.accelerate &&
    ((kernel, step) => {
      const found = options.accelerate!(kernel, step);
      if (!found) return null;
      const at = step.kernel.name.endsWith('Int8') ? 7 : 5;
      const size = `${step.args[at]},${step.args[at + 1]}`;
      return {
        ...found,
        argument: (i, e, v) => found.argument!(i, e, v)?.replace('ROW_LENGTH,ROWS', size) ?? null,
      };
    });
  let text = programModule(model.program, { accelerate });
  if (accelerate) text = `import { rowsOf } from './engines/espruino/fully_connected';\n${text}`;
  return bundle({ entrySource: text, name: 'program' });
}

/** Steps of random inputs, and what Node answers. */
function record(model: Model): { inputs: number[][]; outputs: number[][] } {
  const next = random(5);
  const inputs: number[][] = [];
  const outputs: number[][] = [];
  for (let step = 0; step < STEPS; step++) {
    randomInputs(model.inputs, next);
    inputs.push(model.inputs.flatMap((input) => Array.from(bytesOf(input))));
    model.invoke();
    outputs.push(model.outputs.flatMap((output) => Array.from(bytesOf(output))));
  }
  return { inputs, outputs };
}

/** A driver that writes inputs to where the model has them, and prints the outputs' bytes. */
function driver(model: Model, inputs: number[][]): string {
  const input = bytesOf(model.inputs[0]);
  const output = bytesOf(model.outputs[0]);
  return `
var x = new Uint8Array(program.arena, ${input.byteOffset}, ${input.length});
var y = new Uint8Array(program.arena, ${output.byteOffset}, ${output.length});
var readings = ${JSON.stringify(inputs)};
for (var i = 0; i < readings.length; i++) {
  x.set(readings[i]);
  program.step();
  var line = [];
  for (var k = 0; k < y.length; k++) line.push(y[k]);
  print(line.join());
}`;
}

async function check(bytes: Uint8Array, name: EngineName, options: PrintOptions): Promise<void> {
  const model = load(bytes);
  const { inputs, outputs } = record(model);
  const fresh = load(bytes);
  const result = await engineNamed(name).run({
    bundle: await printed(fresh, options),
    driver: driver(fresh, inputs),
  });
  assert.equal(result.error, null);
  assert.deepEqual(
    result.lines.map((line) => line.split(',').map(Number)),
    outputs,
  );
}

describe('a program printed as straight-line ES5', function () {
  this.timeout(120000);
  const models: Record<string, () => Uint8Array> = {
    'an int8 GRU': () => writeModel(gruModel({ inputs: 3, units: 5, type: 'INT8' })),
    hello_world_int8: () => fs.readFileSync(shared('models', 'hello_world_int8', 'model.tflite')!),
  };
  for (const [title, bytes] of Object.entries(models)) {
    for (const name of ['node', 'duk', 'espruino'] as const) {
      const absent = title === 'hello_world_int8' && !shared('models') ? ABSENT : null;
      const engine = engineNamed(name);
      const hint = engine.find() === null ? `pending: ${engine.hint}` : absent;
      const forms: [string, PrintOptions][] =
        name === 'espruino'
          ? [
              ['', {}],
              [', FULLY_CONNECTED through E.convolve', convolve],
            ]
          : [['', {}]];
      for (const [form, options] of forms) {
        if (hint) it(`${title} on ${engine.title}${form} (${hint})`);
        else
          it(`${title} on ${engine.title}${form}: the same bits as in place`, () =>
            check(bytes(), name, options));
      }
    }
  }
});
