/**
 * The model: a linear recurrent forecaster that looks one day ahead, what it expected a day ago, and its surprise. One
 * step per reading; all that must survive a deep sleep is in four resource variables.
 *
 *     z = (x − mean) / deviation
 *     level     ← level + rates ⊙ (z − level)                 what it knows of the past, at several time constants
 *     forecast  = weights · level                             z in one day
 *     expected  ← expected + rate · ([forecast, expected₀ … expectedₙ₋₂] − expected)
 *     surprise  ← surprise + share · (|z − expectedₙ₋₁| − surprise)
 *     alarm     ← keep · alarm                                set to 1 by the sketch when it raises one, halved in a day
 *
 * A forecast must wait for a day until it can be judged. `expected` is a chain of leaky integrators that holds it back
 * (a gamma memory: de Vries and Principe, 1992): four numbers, where a queue would take 288.
 */
import type { Graph, Tensor } from '../../lib/graph';
import { GraphBuilder } from '../../author/graph_builder';
import type { Range } from '../../author/quantize/index';

export interface Forecaster {
  /** What is taken from a reading, and what the rest is divided by: standard deviations of the forecast's error. */
  mean: number;
  deviation: number;
  /** Shares of the difference to a new reading that each level takes over. */
  rates: number[];
  /** The levels' shares in the forecast; the rest to 1 is the mean's. */
  weights: number[];
}

/** Length of the chain that holds a forecast back, and the share that each of its stages takes over. */
export const STAGES = 4;
export const STAGE_RATE = STAGES / 288;
/** Share of a new error in the surprise: a mean over about a day. */
export const SURPRISE_SHARE = 1 / 288;
/** What is kept of an alarm from one reading to the next: half of it after a day. */
export const ALARM_KEEP = Math.pow(0.5, 1 / 288);

/** Input "temperature" [1, 1]; outputs "surprise" [1, 1], "alarm" [1, 1], "expected_temperature" [1, 1] in the reading's unit. */
export function temperatureModel(forecaster: Forecaster): Graph {
  const builder = new GraphBuilder("surprise about a machine's temperature");
  const main = builder.subgraph('main');
  const initialize = builder.subgraph('initialize');
  const constant = (name: string, shape: number[], values: number[]): Tensor =>
    main.constant(name, 'FLOAT32', shape, values);
  const apply = (op: string, name: string, inputs: Tensor[]): Tensor => {
    const output = main.tensor(name, 'FLOAT32', [1, inputs[0].length]);
    main.op(op, inputs, [output]);
    return output;
  };
  const part = (name: string, of: Tensor, begin: number, length: number): Tensor => {
    const output = main.tensor(name, 'FLOAT32', [1, length]);
    const indices = (text: string, list: number[]): Tensor =>
      main.constant(`${name}/${text}`, 'INT32', [2], list);
    main.op('SLICE', [of, indices('begin', [0, begin]), indices('size', [1, length])], [output]);
    return output;
  };
  /** Kernel: a row for each output. */
  const dense = (name: string, x: Tensor, kernel: number[][], bias: number[]): Tensor => {
    const output = main.tensor(name, 'FLOAT32', [1, bias.length]);
    const weights = constant(`${name}/kernel`, [kernel.length, kernel[0].length], kernel.flat());
    main.op('FULLY_CONNECTED', [x, weights, constant(`${name}/bias`, [bias.length], bias)], [output]);
    return output;
  };
  /** A variable of so many numbers, 0 at first. */
  const variable = (name: string, length: number): { handle: Tensor; old: Tensor } => {
    const initial = initialize.constant(`${name}/initial`, 'FLOAT32', [1, length], new Array(length).fill(0));
    initialize.assign(initialize.variable(name), initial);
    const handle = main.variable(name);
    return { handle, old: main.read(handle, 'FLOAT32', [1, length]) };
  };
  /** old + rate · (target − old), assigned to the variable. */
  const approach = (
    name: string,
    { handle, old }: { handle: Tensor; old: Tensor },
    target: Tensor,
    rates: number[],
    as = `${name}/next`,
  ): Tensor => {
    const difference = apply('SUB', `${name}/difference`, [target, old]);
    const rate = constant(`${name}/rate`, [1, rates.length], rates);
    const next = apply('ADD', as, [old, apply('MUL', `${name}/change`, [difference, rate])]);
    main.assign(handle, next);
    return next;
  };

  const { mean, deviation, rates, weights } = forecaster;
  const x = main.input('temperature', 'FLOAT32', [1, 1]);
  main.callOnce(initialize);
  const level = variable('level', rates.length);
  const expected = variable('expected', STAGES);
  const surprise = variable('surprise', 1);
  const alarm = variable('alarm', 1);

  // as many copies of z as there are levels, so that nothing need be broadcast
  const kernel = rates.map(() => [1 / deviation]);
  const bias = rates.map(() => -mean / deviation);
  const z = dense('z', x, kernel, bias);
  const forecast = dense('forecast', approach('level', level, z, rates), [weights], [0]);

  const chain = main.tensor('chain', 'FLOAT32', [1, STAGES]);
  main.op('CONCATENATION', [forecast, part('expected/first', expected.old, 0, STAGES - 1)], [chain], {
    axis: 1,
  });
  const last = part('expected/last', approach('expected', expected, chain, [STAGE_RATE]), STAGES - 1, 1);

  const error = apply('SUB', 'error', [part('z/one', z, 0, 1), last]);
  const size = apply('ABS', 'error/size', [error]);
  const surprised = approach('surprise', surprise, size, [SURPRISE_SHARE], 'surprise');
  const faded = apply('MUL', 'alarm', [alarm.old, constant('alarm/keep', [1, 1], [ALARM_KEEP])]);
  main.assign(alarm.handle, faded);
  main.output(surprised, faded, dense('expected_temperature', last, [[deviation]], [mean]));
  return builder.build();
}

const within = (bound: number, names: string[]): [string, Range][] =>
  names.map((name) => [name, { low: -bound, high: bound }]);

/**
 * What the quantized model must be able to express, for tensors and variables by name: more than the training part shows,
 * which knows no breakdown. Readings from 0 to 128, differences of eight standard deviations.
 */
export const RANGES: Record<string, Range> = {
  ...Object.fromEntries([
    ...within(8, ['z', 'level', 'level/difference', 'level/change', 'forecast', 'expected', 'error']),
    ...within(8, ['expected/difference', 'surprise/difference']),
    ...within(8 * STAGE_RATE, ['expected/change']),
    ...within(8 * SURPRISE_SHARE, ['surprise/change']),
  ]),
  temperature: { low: 0, high: 128 },
  expected_temperature: { low: 0, high: 128 },
  'error/size': { low: 0, high: 8 },
  surprise: { low: 0, high: 8 },
  alarm: { low: 0, high: 1 },
};
