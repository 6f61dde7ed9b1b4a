/**
 * Kernels of dot products beside the fastest bare loop on the same engine, in the same run. Each engine has a form of
 * its own that it runs best, so many are tried; all are given their arrays as arguments, as kernels are.
 */
import { engineNamed } from '../engines/index';
import { bundle } from './bundle';
import { figure } from './commands/bench';
import { table } from './table';

/** Engines that run the portable kernels; Espruino has kernels of its own. */
const ENGINES = ['node', 'mqjs', 'quickjs', 'duk', 'jerry'];

/** Products in a call of a bare loop: a multiple of 16. */
const LENGTH = 96;

const repeated = (times: number, term: (tap: number) => string): string =>
  Array.from({ length: times }, (_, tap) => term(tap)).join(' + ');
const tap = (k: number): string => (k ? `a[i + ${k}] * b[i + ${k}]` : 'a[i] * b[i]');

/** Bodies of loops that sum up products of a and b in s. */
export const DOT_FORMS: Record<string, string> = {
  for: 'for (i = 0; i < n; i++) s += a[i] * b[i];',
  while: 'i = n; while (i--) s += a[i] * b[i];',
  'two indices': 'for (i = 0, k = 0; i < n; ) s += a[i++] * b[k++];',
  '2 taps': `for (i = 0; i < n; i += 2) s += ${repeated(2, tap)};`,
  '4 taps': `for (i = 0; i < n; i += 4) s += ${repeated(4, tap)};`,
  '8 taps': `for (i = 0; i < n; i += 8) s += ${repeated(8, tap)};`,
  '4 taps, cut to 32 bits': `for (i = 0; i < n; i += 4) s = (s + ${repeated(4, tap)}) | 0;`,
  '4 taps, counting up': `for (i = 0; i < n; ) s += ${repeated(4, () => 'a[i] * b[i++]')};`,
  '8 taps, counting up': `for (i = 0; i < n; ) s += ${repeated(8, () => 'a[i] * b[i++]')};`,
  '16 taps, counting up': `for (i = 0; i < n; ) s += ${repeated(16, () => 'a[i] * b[i++]')};`,
  '4 taps, two indices': `for (i = 0, k = 0; i < n; ) s += ${repeated(4, () => 'a[i++] * b[k++]')};`,
  '4 statements': `for (i = 0; i < n; ) { ${'s += a[i] * b[i++]; '.repeat(4)}}`,
  '4 sums': `var t = 0, u = 0, v = 0; for (i = 0; i < n; i += 4) { s += ${tap(0)}; t += ${tap(1)}; u += ${tap(2)}; v += ${tap(3)}; } s += t + u + v;`,
};

/** Bodies that multiply four rows of b, one after the other, by a: each element of a that is read serves four products. */
export const FOUR_ROW_FORMS: Record<string, string> = {
  '1 tap': `while (i < n) { v = a[i++]; s += v * b[p++]; t += v * b[q++]; u += v * b[r++]; w += v * b[o++]; }`,
  '4 taps, counting up': `while (i < n) { v = a[i++]; x = a[i++]; y = a[i++]; z = a[i++];
${[
  ['s', 'p'],
  ['t', 'q'],
  ['u', 'r'],
  ['w', 'o'],
]
  .map(([sum, at]) => `${sum} += v * b[${at}++] + x * b[${at}++] + y * b[${at}++] + z * b[${at}++];`)
  .join('\n')} }`,
  '4 taps, offsets': `for (; i < n; i += 4) { v = a[i]; x = a[i + 1]; y = a[i + 2]; z = a[i + 3];
${[
  ['s', 'p'],
  ['t', 'q'],
  ['u', 'r'],
  ['w', 'o'],
]
  .map(
    ([sum, at]) =>
      `${sum} += v * b[${at}] + x * b[${at} + 1] + y * b[${at} + 2] + z * b[${at} + 3]; ${at} += 4;`,
  )
  .join('\n')} }`,
};

interface Case {
  name: string;
  /** Products of a call. */
  macs: number;
  float?: boolean;
  /** Arguments of the kernel, as source text. */
  call: string;
}

const bytes = (n: number): string => `bytes(${n})`;
const scaling = (n: number): string => `multipliers(${n}), shifts(${n})`;
const doubles = (n: number): string => `powers(${n}), offsets(${n})`;

function dense(rows: number, depth: number, units: number): Case {
  const args = `${bytes(rows * depth)}, ${bytes(units * depth)}, sums(${units}), new Int8Array(${rows * units}), ${scaling(units)}`;
  return {
    name: `FULLY_CONNECTED int8, ${rows > 1 ? `${rows} rows, ` : ''}${depth} → ${units}`,
    macs: rows * depth * units,
    call: `fullyConnectedInt8(${args}, ${rows}, ${depth}, ${units}, -3, -128, 127, ${doubles(units)})`,
  };
}

function denseFloat(depth: number, units: number): Case {
  return {
    name: `FULLY_CONNECTED float, ${depth} → ${units}`,
    macs: depth * units,
    float: true,
    call: `fullyConnectedFloat32(floats(${depth}), floats(${units * depth}), floats(${units}), new Float32Array(${units}), 1, ${depth}, ${units}, -1e9, 1e9)`,
  };
}

function conv(size: number, depth: number, units: number): Case {
  const out = size - 2;
  return {
    name: `CONV_2D int8, ${size}×${size}×${depth}, 3×3 → ${units}`,
    macs: out * out * 9 * depth * units,
    call: `convInt8(${bytes(size * size * depth)}, ${bytes(9 * depth * units)}, sums(${units}), new Int8Array(${out * out * units}), ${scaling(units)}, 1, ${size}, ${size}, ${depth}, ${out}, ${out}, ${units}, ${units}, 3, 3, ${depth}, 1, 1, 0, 0, 1, 1, ${doubles(units)}, -5, -3, -128, 127)`,
  };
}

function depthwise(height: number, width: number, depth: number, fh: number, fw: number): Case {
  const [oh, ow] = [height - fh + 1, width - fw + 1];
  return {
    name: `DEPTHWISE_CONV_2D int8, ${height}×${width}×${depth}, ${fh}×${fw}`,
    macs: oh * ow * fh * fw * depth,
    call: `depthwiseConvInt8(${bytes(height * width * depth)}, ${bytes(fh * fw * depth)}, sums(${depth}), new Int8Array(${oh * ow * depth}), ${scaling(depth)}, 1, ${height}, ${width}, ${depth}, ${oh}, ${ow}, ${depth}, 1, ${fh}, ${fw}, 1, 1, 1, 0, 0, 1, 1, ${width * depth}, ${depth}, ${ow * depth}, ${depth}, ${fw * depth}, ${depth}, ${doubles(depth)}, -5, -3, -128, 127)`,
  };
}

function svdf(units: number, memory: number): Case {
  const length = units * memory;
  return {
    name: `SVDF int8, state of ${units} × ${memory}`,
    macs: length,
    call: `svdfInt8(${bytes(units)}, ${bytes(length)}, sums(${units}), state, state.subarray(1), new Int8Array(${units}), 1, ${units}, 1, ${memory}, 1500000000, -8, -3, ${doubles(1)})`,
  };
}

export const CASES: Case[] = [
  dense(1, 96, 32),
  dense(1, 640, 8),
  dense(1, 8, 32),
  dense(16, 64, 16),
  denseFloat(96, 32),
  denseFloat(8, 32),
  conv(6, 32, 16),
  conv(8, 1, 8),
  depthwise(8, 8, 16, 3, 3),
  depthwise(1, 15, 32, 1, 15),
  svdf(32, 96),
  svdf(32, 8),
];

const ENTRY = `export { fullyConnectedFloat32, fullyConnectedInt8 } from './ops/fully_connected';
export { convInt8 } from './ops/conv';
export { depthwiseConvInt8 } from './ops/depthwise_conv';
export { svdfInt8 } from './ops/svdf';
export { doubleScaling } from './ops/weights';
`;

/** Arguments become variables, so that the call itself makes nothing. */
function caseSource({ name, macs, float, call }: Case): string {
  const at = call.indexOf('(');
  const kernel = call.slice(0, at);
  // no argument has a comma within but the pairs of `scaling` and `doubles`, which are two arguments
  const args = call.slice(at + 1, -1).split(', ');
  const names = args.map((_, i) => `v${i}`);
  const state = name.startsWith('SVDF') ? `var state = bytes(${macs});` : '';
  return `(function () { ${state} var ${args.map((arg, i) => `v${i} = ${arg}`).join(', ')};
  var kernel = kernels.${kernel};
  add(${JSON.stringify(name)}, 'kernel', ${!!float}, ${macs}, function (count) { for (; count > 0; count--) kernel(${names.join(', ')}); });
})();`;
}

function driver(): string {
  const dots = Object.entries(DOT_FORMS).map(([name, body]) => ({
    name,
    kind: 'dot',
    macs: LENGTH,
    code: `var i = 0, k = 0, s = 0; ${body} return s;`,
  }));
  const fours = Object.entries(FOUR_ROW_FORMS).map(([name, body]) => ({
    name,
    kind: 'four',
    macs: 4 * LENGTH,
    code: `var i = 0, p = 0, q = n, r = n + n, o = n + n + n, s = 0, t = 0, u = 0, w = 0, v = 0, x = 0, y = 0, z = 0; ${body} return s + t + u + w;`,
  }));
  return `var seed = 1;
var draw = function () { seed = (seed * 16807) % 2147483647; return ((seed >> 8) & 255) - 128; };
var filled = function (array, scale) { for (var i = 0; i < array.length; i++) array[i] = draw() * scale; return array; };
var bytes = function (n) { return filled(new Int8Array(n), 1); };
var floats = function (n) { return filled(new Float32Array(n), 0.01); };
var sums = function (n) { return filled(new Int32Array(n), 20); };
var multipliers = function (n) { var a = filled(new Int32Array(n), 1000000); for (var i = 0; i < n; i++) a[i] += 1500000000; return a; };
var shifts = function (n) { var a = new Int8Array(n); for (var i = 0; i < n; i++) a[i] = -8 - (i & 1); return a; };
var powers = function (n) { return doubleScaling(n)[0]; };
var offsets = function (n) { return doubleScaling(n)[1]; };
var doubleScaling = function (n) { return kernels.doubleScaling(shifts(n), -3, -128, 8); };
var all = [], checksum = 0;
var add = function (name, kind, float, macs, work) { all.push({ name: name, kind: kind, float: float, macs: macs, work: work, count: 1, best: Infinity }); };
var rows = { a: [bytes(${LENGTH}), bytes(${LENGTH})], b: [bytes(${4 * LENGTH}), bytes(${4 * LENGTH})] };
var floatRows = { a: [floats(${LENGTH}), floats(${LENGTH})], b: [floats(${4 * LENGTH}), floats(${4 * LENGTH})] };
// arrays that are always the same ones would be constants for a compiler
var addBare = function (name, kind, float, macs, dot, of) {
  add(name, kind, float, macs, function (count) {
    for (; count > 0; count--) checksum = (checksum + dot(of.a[count & 1], of.b[count & 1], ${LENGTH})) | 0;
  });
};
${[...dots, ...fours]
  .flatMap(({ name, kind, macs, code }) =>
    // a function of its own for each type: a kernel sees one type only
    [
      ['false', 'rows'],
      ['true', 'floatRows'],
    ].map(
      ([float, of]) =>
        `addBare(${JSON.stringify(name)}, '${kind}', ${float}, ${macs}, function (a, b, n) { ${code} }, ${of});`,
    ),
  )
  .join('\n')}
${CASES.map(caseSource).join('\n')}
var time = function (work, count) { var begin = now(); work(count); return now() - begin; };
var entry = null, taken = 0;
// some clocks count whole milliseconds
var roundTime = now() % 1 || now() % 1 ? 20 : 50;
for (var i = 0; i < all.length; i++) {
  entry = all[i];
  // the shorter of two, lest a round that was held up counts as full
  for (taken = 0; taken < roundTime; taken = Math.min(time(entry.work, entry.count), time(entry.work, entry.count)))
    entry.count = Math.ceil(entry.count * (taken < 5 ? 4 : (1.1 * roundTime) / taken));
}
// all in turn: what else the machine does hits all of them alike, and the fastest round of each counts
for (var round = 0; round < 12; round++) {
  for (var i = 0; i < all.length; i++) {
    entry = all[i];
    taken = time(entry.work, entry.count) / entry.count;
    if (taken < entry.best) entry.best = taken;
  }
}
for (var i = 0; i < all.length; i++) {
  entry = all[i];
  print(JSON.stringify({ name: entry.name, kind: entry.kind, float: entry.float, nanoseconds: (entry.best * 1e6) / entry.macs }));
}
`;
}

export interface LoopTime {
  name: string;
  kind: 'dot' | 'four' | 'kernel';
  float: boolean;
  nanoseconds: number;
}

const fastest = (times: LoopTime[], kind: LoopTime['kind'], float: boolean): LoopTime =>
  times
    .filter((entry) => entry.kind === kind && entry.float === float)
    .reduce((best, entry) => (entry.nanoseconds < best.nanoseconds ? entry : best));

/** The loops section. */
export async function loops(print: (text: string) => void): Promise<void> {
  const kernels = await bundle({ entrySource: ENTRY, name: 'kernels', minify: true });
  const rows = CASES.map(({ name }): (string | number)[] => [name]);
  const heads = ['kernel'];
  for (const name of ENGINES) {
    const engine = engineNamed(name);
    if (engine.find() === null) {
      print(`Not on this machine: ${engine.title}: ${engine.hint}`);
      continue;
    }
    const run = await engine.run({ bundle: kernels, driver: driver() }, { timeoutSeconds: 180 });
    if (run.error !== null) throw new Error(`${engine.title}: ${run.error}`);
    const times = run.lines.map((line) => JSON.parse(line) as LoopTime);
    const said = [false, true].map((float) => {
      const dot = fastest(times, 'dot', float);
      const four = fastest(times, 'four', float);
      return `${float ? 'float' : 'int8'} ${figure(dot.nanoseconds)} ns (${dot.name}); four rows together ${figure(four.nanoseconds)} ns (${four.name})`;
    });
    print(`${engine.title}: bare loops, per product: ${said.join('; ')}`);
    heads.push(engine.title);
    CASES.forEach((entry, i) => {
      const own = times.find((time) => time.kind === 'kernel' && time.name === entry.name)!;
      const per = (kind: 'dot' | 'four'): string =>
        (own.nanoseconds / fastest(times, kind, !!entry.float).nanoseconds).toFixed(2);
      rows[i].push(`${per('dot')} (${per('four')})`);
    });
  }
  print(table(heads, rows));
  print(
    'Time per product of the kernel, to that of the fastest bare loop; in brackets, to four rows together.',
  );
}
