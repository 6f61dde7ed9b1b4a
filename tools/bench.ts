/** Measures a model on engines: time per step and multiply-accumulate, beside a bare loop on the same engine. */
import type { Engine } from '../engines/index';
import { load } from '../lib/index';
import type { Memory } from '../lib/memory';
import { countStep, type StateCopies } from './bench_counts';
import { BareForm, benchDriver, DriverResult } from './bench_driver';
import { shippedBundle } from './engine_bundle';
import { feed, inputFiles, randomStream } from './engine_inputs';
import type { MacCount } from './macs';

export interface MeasureOptions {
  /** Steps in a round; left out: as many as fill a round, 20 ms or more where the clock is coarse. */
  steps?: number;
  /** Time the steps of the program as well. */
  profile?: boolean;
  /** Most seconds for one engine, its start included; default 120. */
  timeoutSeconds?: number;
}

/** Time of the steps of the program that belong to one operator. */
export interface OperatorTime {
  name: string;
  /** How many operators of this kind there are among those that ran. */
  count: number;
  microsecondsPerStep: number;
  /** Of the sum over all operators, 0 to 1. */
  share: number;
  macs: number;
  /** Null where there are no multiply-accumulates. */
  nanosecondsPerMac: number | null;
}

/** Time of one step of the program. */
export interface PositionTime {
  position: number;
  operator: string;
  subgraph: number;
  /** Index of the operator in its subgraph. */
  index: number;
  /** How often a step of the model runs it. */
  runs: number;
  microsecondsPerStep: number;
}

/** What was measured on one engine. Names of fields are part of the interface (`engram bench --json`). */
export interface EngineBench {
  engine: string;
  title: string;
  /** Why nothing could be measured, else null; then the figures are null too. */
  error: string | null;
  /** Steps in a round, and rounds; of these the fastest counts. */
  steps: number | null;
  rounds: number | null;
  microsecondsPerStep: number | null;
  /** Null also when the model has no multiply-accumulates; so is the ratio. */
  nanosecondsPerMac: number | null;
  /** The fastest form of a bare loop that adds up products of int8, in the same run. */
  bareLoop: { form: BareForm; nanosecondsPerMac: number } | null;
  /** nanosecondsPerMac of the model to that of the bare loop. */
  ratio: number | null;
  loadMilliseconds: number | null;
  firstStepMilliseconds: number | null;
  /** Bytes of the engine's heap. */
  heap: {
    /** What loading the model took; null where the engine cannot tell. */
    model: number | null;
    /** All at the end: engine, runtime, model and driver. */
    used: number | null;
    peak: number | null;
    /** Espruino: variables in use. */
    variables: number | null;
  } | null;
  profile: { operators: OperatorTime[]; steps: PositionTime[] } | null;
}

/** What `engram bench --json` prints. Names of fields are part of the interface. */
export interface BenchReport {
  model: string;
  bytes: number;
  /** Multiply-accumulates of a step. */
  macs: number;
  macsByOperator: MacCount['operators'];
  stateBytesCopied: StateCopies;
  memory: Memory;
  results: EngineBench[];
  /** Engines that are not on this machine. */
  absent: { engine: string; title: string; hint: string }[];
}

/** Steps with inputs of their own. */
const STREAM_LENGTH = 5;
const TOTAL_MILLISECONDS = 500;
const BUDGET_MILLISECONDS = 10000;

/** The seed of the inputs. */
const SEED = 1;

/** A model with its inputs and with what can be counted. */
export interface Subject {
  bytes: Uint8Array;
  stream: Uint8Array[];
  macs: MacCount;
  stateBytesCopied: StateCopies;
  memory: Memory;
}

/**
 * Prepares a model for being measured.
 * @throws Error when it cannot run
 */
export function subject(bytes: Uint8Array): Subject {
  const model = load(bytes);
  const { memory } = model;
  const stream = randomStream(model, STREAM_LENGTH, SEED);
  const { macs, stateBytesCopied } = countStep(bytes, STREAM_LENGTH, (counted, step) =>
    feed(counted, stream[step]),
  );
  return { bytes, stream, macs, stateBytesCopied, memory };
}

function failed(engine: Engine, error: string): EngineBench {
  return {
    engine: engine.name,
    title: engine.title,
    error,
    steps: null,
    rounds: null,
    microsecondsPerStep: null,
    nanosecondsPerMac: null,
    bareLoop: null,
    ratio: null,
    loadMilliseconds: null,
    firstStepMilliseconds: null,
    heap: null,
    profile: null,
  };
}

function profileOf(result: DriverResult, macs: MacCount): EngineBench['profile'] {
  const steps = result.profile.map((entry) => ({
    position: entry.position,
    operator: entry.op,
    subgraph: entry.subgraph,
    index: entry.index,
    runs: entry.runs,
    microsecondsPerStep: entry.milliseconds * 1000,
  }));
  const total = steps.reduce((sum, step) => sum + step.microsecondsPerStep, 0);
  const operators = [...new Set(steps.map((step) => step.operator))].map((name) => {
    const own = steps.filter((step) => step.operator === name);
    const time = own.reduce((sum, step) => sum + step.microsecondsPerStep, 0);
    const count = macs.operators.find((entry) => entry.name === name)?.macs ?? 0;
    return {
      name,
      count: new Set(own.map((step) => `${step.subgraph}/${step.index}`)).size,
      microsecondsPerStep: time,
      share: total ? time / total : 0,
      macs: count,
      nanosecondsPerMac: count ? (time * 1000) / count : null,
    };
  });
  operators.sort((a, b) => b.microsecondsPerStep - a.microsecondsPerStep);
  return { operators, steps };
}

/** Measures on one engine that is at hand. A run that fails is a result with its error. */
export async function measureOn(engine: Engine, of: Subject, options: MeasureOptions): Promise<EngineBench> {
  const profile = options.profile ?? false;
  const driver = benchDriver({
    stepBytes: of.stream[0].length,
    streamLength: STREAM_LENGTH,
    steps: options.steps ?? 0,
    totalMilliseconds: TOTAL_MILLISECONDS,
    budgetMilliseconds: BUDGET_MILLISECONDS,
    profile,
  });
  const run = await engine.run(
    {
      // a minified bundle has other names for the properties that a profile reads
      bundle: shippedBundle(profile ? 'engram.js' : 'engram.all.min.js'),
      driver,
      files: { model: of.bytes, ...inputFiles(of.stream) },
    },
    { timeoutSeconds: options.timeoutSeconds ?? 120 },
  );
  if (run.error !== null) return failed(engine, run.error.split('\n')[0]);
  const result = JSON.parse(run.lines[0]) as DriverResult;
  const [form, bare] = (Object.entries(result.bare) as [BareForm, number][]).reduce((best, entry) =>
    entry[1] < best[1] ? entry : best,
  );
  const perMac = of.macs.total ? (result.millisecondsPerStep * 1e6) / of.macs.total : null;
  return {
    engine: engine.name,
    title: engine.title,
    error: null,
    steps: result.steps,
    rounds: result.rounds,
    microsecondsPerStep: result.millisecondsPerStep * 1000,
    nanosecondsPerMac: perMac,
    bareLoop: { form, nanosecondsPerMac: bare * 1e6 },
    ratio: perMac === null ? null : perMac / (bare * 1e6),
    loadMilliseconds: result.loadMilliseconds,
    firstStepMilliseconds: result.firstStepMilliseconds,
    heap: run.memory && {
      model: result.heap && result.heap[1] - result.heap[0],
      used: run.memory.used,
      peak: run.memory.peak,
      variables: run.memory.variables ?? null,
    },
    profile: profile ? profileOf(result, of.macs) : null,
  };
}

/**
 * Measures a model on engines, one after the other.
 * @param name what the report calls the model
 * @throws Error when the model cannot run
 */
export async function bench(
  name: string,
  bytes: Uint8Array,
  on: readonly Engine[],
  options: MeasureOptions = {},
  done: (engine: Engine) => void = () => undefined,
): Promise<BenchReport> {
  const of = subject(bytes);
  const report: BenchReport = {
    model: name,
    bytes: bytes.length,
    macs: of.macs.total,
    macsByOperator: of.macs.operators,
    stateBytesCopied: of.stateBytesCopied,
    memory: of.memory,
    results: [],
    absent: [],
  };
  for (const engine of on) {
    if (engine.find() === null) {
      report.absent.push({ engine: engine.name, title: engine.title, hint: engine.hint });
    } else report.results.push(await measureOn(engine, of, options));
    done(engine);
  }
  return report;
}
