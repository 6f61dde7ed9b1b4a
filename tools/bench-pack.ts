/**
 * Packed programs on Espruino: its own kernels against portable ones in one run, what the module takes, and how soon it
 * answers. A section of `npm run bench`.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { engineNamed } from '../engines/index';
import { packageRoot } from './bundle';
import { packModel } from './pack/index';
import { table } from './table';

interface Target {
  name: string;
  /** How many times as fast as with portable kernels it ought to be; 0: no target. */
  times: number;
  bytes(): Uint8Array | null;
}

const gru = (type: 'INT8' | 'FLOAT32') => (): Uint8Array =>
  writeModel(gruModel({ inputs: 3, units: 24, type }));

const publicModel = (name: string) => (): Uint8Array | null => {
  const file = path.join(packageRoot(), '..', 'shared', 'models', name, 'model.tflite');
  return fs.existsSync(file) ? new Uint8Array(fs.readFileSync(file)) : null;
};

export const TARGETS: Target[] = [
  { name: 'gru_int8', times: 8, bytes: gru('INT8') },
  { name: 'gru_float', times: 8, bytes: gru('FLOAT32') },
  { name: 'hello_world_int8', times: 4, bytes: publicModel('hello_world_int8') },
  { name: 'vad', times: 10, bytes: publicModel('vad') },
  { name: 'okay_nabu', times: 0, bytes: publicModel('okay_nabu') },
  { name: 'keyword_svdf_int8state', times: 0, bytes: publicModel('keyword_svdf_int8state') },
  { name: 'keyword_svdf_int16state', times: 0, bytes: publicModel('keyword_svdf_int16state') },
  { name: 'gesture_cnn_int8', times: 0, bytes: publicModel('gesture_cnn_int8') },
  { name: 'mnist_lstm_int8', times: 0, bytes: publicModel('mnist_lstm_int8') },
];

const ROUNDS = 8;

/** Both modules in one run, in turn, so that what else the machine does hits both alike; the fastest round counts. */
const DRIVER = `
// the build for Linux gets more memory when it is full, which takes longer than a step; boards have what they have
var grown = [];
for (var i = 0; i < 20000; i++) grown.push(i);
grown = undefined;
var storage = require('Storage');
storage.write('a', readBytes('a'));
storage.write('b', readBytes('b'));
// the build for Linux opens a file for each element that is read from Storage; boards map flash, so read from memory
var weights = { 'a.bin': readBytes('abin').buffer, 'b.bin': readBytes('bbin').buffer };
var mapped = function (name) { return weights[name]; };
var begin = now();
var b = require('b');
var loading = now() - begin;
b.invoke();
var first = now() - begin;
var a = require('a');
var best = [1e9, 1e9], models = [a, b], taken = 0;
for (var i = 0; i < 2 * ${ROUNDS}; i++) {
  begin = now();
  models[i % 2].invoke();
  taken = now() - begin;
  if (taken < best[i % 2]) best[i % 2] = taken;
}
print(JSON.stringify({ portable: best[0], own: best[1], loading: loading, first: first,
  flat: [E.getAddressOf(weights['a.bin'], true) !== 0, E.getAddressOf(weights['b.bin'], true) !== 0] }));
`;

/** RAM of a module whose weights are in Storage, which takes none for them. */
const MEMORY_DRIVER = `
var storage = require('Storage');
storage.write('b', readBytes('b')); storage.write('b.bin', readBytes('bbin'));
var before = process.memory().usage;
var b = require('b');
b.invoke();
print(process.memory().usage - before);
`;

interface Measured {
  portable: number;
  own: number;
  loading: number;
  first: number;
  /** Whether the weights of both are in one piece; otherwise their times cannot be compared. */
  flat: boolean[];
}

function mapped(module: string): Uint8Array {
  return Buffer.from(module.replace(/require\("Storage"\)\.readArrayBuffer/, 'mapped'));
}

async function measure(
  bytes: Uint8Array,
): Promise<{ result: Measured; module: number; weights: number; variables: number }> {
  const a = await packModel(bytes, { target: 'espruino', name: 'a', kernels: 'portable' });
  const b = await packModel(bytes, { target: 'espruino', name: 'b' });
  const run = await engineNamed('espruino').run(
    {
      bundle: '',
      driver: DRIVER,
      files: { a: mapped(a.module), abin: a.weights, b: mapped(b.module), bbin: b.weights },
    },
    { timeoutSeconds: 120 },
  );
  if (run.error) throw new Error(run.error);
  const memory = await engineNamed('espruino').run(
    { bundle: '', driver: MEMORY_DRIVER, files: { b: Buffer.from(b.module), bbin: b.weights } },
    { timeoutSeconds: 60 },
  );
  if (memory.error) throw new Error(memory.error);
  return {
    variables: Number(memory.lines[0]),
    result: JSON.parse(run.lines[0]) as Measured,
    module: Buffer.byteLength(b.module),
    weights: b.weights.length,
  };
}

/** The section's text; says so if Espruino or a model is not at hand. */
export async function section(): Promise<string> {
  const title = 'Packed programs on Espruino: portable kernels against its own';
  const espruino = engineNamed('espruino');
  if (espruino.find() === null) return `${title}\n\nleft out: ${espruino.hint}\n`;
  const rows: (string | number)[][] = [];
  for (const { name, times, bytes } of TARGETS) {
    const model = bytes();
    if (!model) {
      rows.push([name, 'left out: ../shared is not there', '', '', '', '', '', '']);
      continue;
    }
    const { result, module, weights, variables } = await measure(model);
    if (result.flat[0] !== result.flat[1])
      throw new Error(`${name}: the weights of one module are in pieces`);
    const ratio = result.portable / result.own;
    rows.push([
      name,
      result.portable.toFixed(1),
      result.own.toFixed(1),
      `${ratio.toFixed(1)}x${times ? ` (target ${times}x)` : ''}`,
      `${(result.first / result.own).toFixed(1)} steps`,
      module,
      weights,
      variables * 13,
    ]);
  }
  const heads = [
    'model',
    'portable, ms',
    'own, ms',
    'ratio',
    'to first answer',
    'module, B',
    'weights, B',
    'RAM, B',
  ];
  return `${title}\n\n${table(heads, rows)}\n`;
}

if (require.main === module) void section().then((text) => process.stdout.write(text));
