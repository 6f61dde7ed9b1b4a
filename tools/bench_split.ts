/**
 * Where the time of a packed GRU's step goes on Espruino: dot products, and everything else by kind. The calls of the
 * module as it ships, minified, are timed one by one, in the module's own scope. The build for Linux reads the text of
 * Storage's functions from a file, where boards map flash: what is written in JavaScript looks dearer there than it is.
 */
import { parse, type CallExpression, type Expression, type Node } from 'acorn';
import { simple } from 'acorn-walk';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { engineNamed } from '../engines/index';
import { figure } from './commands/bench';
import { packModel } from './pack/index';
import { table } from './table';

const KINDS: [RegExp, string][] = [
  [/^(dense|lstm|svdf)|convolve/, 'dot products'],
  [/mapInPlace/, 'tables'],
  // loops of elementwise operators are functions without a name of their own
  [/^(v\d+\(|add|mul)/, 'elementwise'],
  [/\.set\(/, 'copies'],
];
const DOTS = 'dot products';
const REQUANTIZATION = 'requantization';
const DISPATCH = 'dispatch, checks';

/** The longest run of calls in the module, which is a step of the program, and the variables of its function. */
function stepCalls(module: string): { calls: CallExpression[]; locals: string[] } {
  let calls: CallExpression[] = [];
  let locals: string[] = [];
  simple(parse(module, { ecmaVersion: 5 }), {
    Function: ({ body }) => {
      if (body.type !== 'BlockStatement') return;
      const found = body.body.flatMap((one): Expression[] => {
        if (one.type !== 'ExpressionStatement') return [];
        return one.expression.type === 'SequenceExpression' ? one.expression.expressions : [one.expression];
      });
      if (found.length <= calls.length || !found.every((one) => one.type === 'CallExpression')) return;
      calls = found;
      locals = body.body.flatMap((one) =>
        one.type === 'VariableDeclaration' ? one.declarations.map(({ id }) => text(module, id)) : [],
      );
    },
  });
  return { calls, locals };
}

const text = (module: string, node: Node): string => module.slice(node.start, node.end);

/** Each call, and, where an operand is a call that brings the dot products, that one alone. */
async function parts(bytes: Uint8Array): Promise<{ module: string; weights: Uint8Array; parts: Part[] }> {
  const plain = await packModel(bytes, { target: 'espruino', name: 'b', minify: false });
  const short = await packModel(bytes, { target: 'espruino', name: 'b' });
  const named = stepCalls(plain.module).calls.map((call) => text(plain.module, call));
  const { calls, locals } = stepCalls(short.module);
  const declared = locals.length ? `var ${locals.join()};` : '';
  if (named.length !== calls.length || calls.length < 4)
    throw new Error(`the step has ${named.length} calls as text and ${calls.length} minified`);
  return {
    module: short.module,
    weights: short.weights,
    parts: calls.flatMap((call, i): Part[] => {
      const kind = KINDS.find(([pattern]) => pattern.test(named[i]))?.[1];
      if (!kind) throw new Error(`of what kind is ${named[i]}?`);
      const argument = (at: number): string => text(short.module, call.arguments[at]);
      const found = named[i].includes('.set(')
        ? undefined
        : call.arguments.find((one) => /^(Call|Sequence)Expression$/.test(one.type));
      // a small matrix is multiplied row by row in the kernel itself
      const inner = named[i].startsWith('denseInt8Small')
        ? `for(var i=${argument(0)};i--;)E.convolve(${argument(2)},${argument(3)},i*${argument(4)})`
        : found && text(short.module, found);
      const whole = { kind, call: declared + text(short.module, call), inner: false };
      return inner ? [whole, { kind, call: declared + inner, inner: true }] : [whole];
    }),
  };
}

interface Part {
  kind: string;
  call: string;
  inner: boolean;
}

const DRIVER = `require('Storage').write('b', readBytes('b'));
var weights = readBytes('weights').buffer, mapped = function () { return weights; };
var m = require('b');
var works = m.parts.concat([function () {}, function () { m.invoke(); }]), best = [];
works.forEach(function () { best.push(1e9); });
for (var round = 0; round < 12; round++)
  works.forEach(function (work, i) {
    var begin = now();
    for (var k = 0; k < 8; k++) work();
    var taken = (now() - begin) / 8;
    if (taken < best[i]) best[i] = taken;
  });
print(JSON.stringify(best));
`;

/** Milliseconds by kind, and of the whole step. */
export async function splitOf(
  bytes: Uint8Array,
): Promise<{ kinds: Map<string, number>; whole: number; beside: number }> {
  const split = await parts(bytes);
  const module =
    split.module.replace(/require\("Storage"\)\.readArrayBuffer/, 'mapped') +
    `\nmodule.exports.parts=[${split.parts.map(({ call }) => `function(){${call}}`).join(',')}];\n`;
  const run = await engineNamed('espruino').run(
    { bundle: '', driver: DRIVER, files: { b: Buffer.from(module), weights: split.weights } },
    { timeoutSeconds: 120 },
  );
  if (run.error) throw new Error(run.error);
  const times = JSON.parse(run.lines[0]) as number[];
  const whole = times.pop()!;
  const nothing = times.pop()!;
  const kinds = new Map<string, number>();
  const add = (kind: string, time: number): void => void kinds.set(kind, (kinds.get(kind) ?? 0) + time);
  let sum = 0;
  split.parts.forEach(({ kind, inner }, i) => {
    const time = times[i] - nothing;
    if (!inner) sum += time;
    if (inner) {
      // what the call around it does besides
      add(DOTS, time);
      add(REQUANTIZATION, -time);
    } else add(split.parts[i + 1]?.inner ? REQUANTIZATION : kind, time);
  });
  add(DISPATCH, whole - sum);
  return { kinds, whole, beside: (whole - kinds.get(DOTS)!) / kinds.get(DOTS)! };
}

/** The split section. */
export async function split(print: (text: string) => void): Promise<void> {
  const engine = engineNamed('espruino');
  if (engine.find() === null) return print(`Left out: ${engine.hint}.`);
  for (const type of ['INT8', 'FLOAT32'] as const) {
    const { kinds, whole, beside } = await splitOf(writeModel(gruModel({ inputs: 3, units: 24, type })));
    const rows = [...kinds]
      .sort((a, b) => b[1] - a[1])
      .map(([kind, time]) => [kind, figure(time * 1000), `${((100 * time) / whole).toFixed(0)}%`]);
    print(
      `GRU of 3 inputs and 24 units, ${type}: ${figure(whole * 1000)} µs per step; everything but dot products takes ${beside.toFixed(2)} times as long as they do\n${table(['kind of step', 'µs', 'share'], rows)}`,
    );
  }
}
