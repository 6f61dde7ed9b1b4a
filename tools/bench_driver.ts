/**
 * What runs on the engine in a benchmark: ES5 for every engine. A measure is repeated until a round of it fills a time
 * that the engine's clock can tell (some count whole milliseconds), and of several rounds the fastest counts, since
 * whatever else goes on in the machine only ever adds time. Rounds are short, so that some of them go undisturbed, and
 * those of the model and of the bare loops alternate.
 */
import { feedSource } from './engine_inputs';

export interface DriverOptions {
  stepBytes: number;
  /** Steps that there are inputs for; each round takes the next ones. */
  streamLength: number;
  /** Steps in a round; 0: as many as fill a round's time. */
  steps: number;
  /** Time for all rounds of one kind. */
  totalMilliseconds: number;
  /** No further round is begun after this time. */
  budgetMilliseconds: number;
  /** Times each step of the program as well; the bundle must have its property names. */
  profile: boolean;
}

/** The line that a driver prints. */
export interface DriverResult {
  /** Bytes of heap before and after loading the model; null where the engine cannot tell. */
  heap: [number, number] | null;
  loadMilliseconds: number;
  firstStepMilliseconds: number;
  /** Steps in a round, and rounds that there was time for. */
  steps: number;
  rounds: number;
  millisecondsPerStep: number;
  /** Milliseconds for a multiply-accumulate of each form of the bare loop. */
  bare: Record<BareForm, number>;
  profile: {
    position: number;
    op: string;
    subgraph: number;
    index: number;
    runs: number;
    milliseconds: number;
  }[];
}

/**
 * Forms of the bare loop: which one an engine runs best differs. All add up products of two int8 arrays, and do
 * nothing else.
 */
export const BARE_FORMS = {
  for: 'for (i = 0; i < n; i++) sum += a[i] * b[i];',
  while: 'i = n; while (i--) sum += a[i] * b[i];',
  fourTaps:
    'for (i = 0; i < n; i += 4) sum += a[i] * b[i] + a[i + 1] * b[i + 1] + a[i + 2] * b[i + 2] + a[i + 3] * b[i + 3];',
} as const;
export type BareForm = keyof typeof BARE_FORMS;

/** Products in one call of a bare loop. */
const BARE_LENGTH = 512;

const BARE_SOURCE = `var a = new Int8Array(${BARE_LENGTH}), b = new Int8Array(${BARE_LENGTH});
for (var i = 0; i < ${BARE_LENGTH}; i++) { a[i] = i * 37; b[i] = i * 101; }
var checksum = 0;
var bareForms = {};
${Object.entries(BARE_FORMS)
  .map(
    ([name, loop]) =>
      `bareForms['${name}'] = function (count) { for (; count > 0; count--) checksum = (checksum + dot_${name}(a, b, ${BARE_LENGTH})) | 0; };
var dot_${name} = function (a, b, n) { var i, sum = 0; ${loop} return sum; };`,
  )
  .join('\n')}
`;

const PROFILE_SOURCE = `var clock = function (count) { for (; count > 0; count--) now(); };
var clockCalls = calibrate(clock), clockCost = Infinity;
for (var i = 0; i < 3; i++) clockCost = least(clockCost, clock, clockCalls);
var steps = model.program.steps, end = model.program.end;
var spent = [], runs = [];
for (var i = 0; i < steps.length; i++) { spent.push(0); runs.push(0); }
var walk = function () {
  var position = 0, begin = 0, next = 0, step = null;
  while (position !== end) {
    step = steps[position];
    begin = now();
    next = step.kernel.apply(null, step.args);
    spent[position] += now() - begin;
    runs[position]++;
    position = next >= 0 ? next : position + 1;
  }
};
// the clock may be coarser than a step of the program: over many walks its ticks fall where the time is spent
var walks = 0, started = now();
do { walk(); walks++; } while (now() - started < profileTime);
for (var i = 0; i < steps.length; i++) {
  if (!runs[i]) continue;
  var node = steps[i].node;
  result.profile.push({ position: i, op: node.op, subgraph: node.subgraph, index: node.index, runs: runs[i] / walks,
    milliseconds: Math.max(0, spent[i] - runs[i] * clockCost) / walks });
}
`;

/** The driver: prints one line, a DriverResult as JSON. */
export function benchDriver(options: DriverOptions): string {
  return `var budget = ${options.budgetMilliseconds}, profileTime = ${4 * options.totalMilliseconds};
/** The least time that the clock can tell. */
var tick = function () {
  var least = Infinity, from = 0, to = 0, i = 0;
  for (i = 0; i < 5; i++) {
    from = now();
    to = from;
    while (to === from) to = now();
    if (to - from < least) least = to - from;
  }
  return least;
};
var roundTime = Math.max(20, 50 * tick());
var rounds = Math.max(5, Math.floor(${options.totalMilliseconds} / roundTime));
/** Milliseconds of work(count). */
var time = function (work, count) { var begin = now(); work(count); return now() - begin; };
/** How often to do a piece of work to fill a round. */
var calibrate = function (work) {
  var count = 1, taken = time(work, 1);
  while (taken < roundTime) {
    count = Math.ceil(count * Math.max(1.5, Math.min(8, 1.1 * roundTime / Math.max(taken, 0.001))));
    taken = time(work, count);
  }
  return count;
};
/** Milliseconds of one piece of work in a round; the least of all rounds stays. */
var least = function (before, work, count) { return Math.min(before, time(work, count) / count); };
var result = { bare: {}, profile: [] };
var file = readBytes('model');
var heapBefore = memoryUsed();
var begin = now();
var model = engram.load(file);
result.loadMilliseconds = now() - begin;
var heapAfter = memoryUsed();
result.heap = heapBefore === null ? null : [heapBefore, heapAfter];
${feedSource(options.stepBytes)}
feed(0);
begin = now();
model.invoke();
result.firstStepMilliseconds = now() - begin;
var invoke = function (count) { for (; count > 0; count--) model.invoke(); };
${BARE_SOURCE}
var counts = {}, form;
for (form in bareForms) {
  counts[form] = calibrate(bareForms[form]);
  result.bare[form] = Infinity;
}
// a step that takes longer than all rounds should is not done again
var once = result.firstStepMilliseconds > budget;
result.steps = once ? 1 : ${options.steps} || calibrate(invoke);
result.millisecondsPerStep = once ? result.firstStepMilliseconds : Infinity;
begin = now();
for (result.rounds = 0; result.rounds < rounds && (!result.rounds || now() - begin < budget); result.rounds++) {
  feed(result.rounds % ${options.streamLength});
  if (!once) result.millisecondsPerStep = least(result.millisecondsPerStep, invoke, result.steps);
  for (form in bareForms) result.bare[form] = least(result.bare[form], bareForms[form], counts[form]);
}
for (form in bareForms) result.bare[form] /= ${BARE_LENGTH};
${options.profile ? PROFILE_SOURCE : ''}print(JSON.stringify(result));
`;
}
