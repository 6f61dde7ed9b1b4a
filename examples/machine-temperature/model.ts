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
import type { Quantization, SubgraphBuilder } from '../../author/graph_builder';

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

/** FLOAT32, or INT16 with int8 weights: all integers, state of 16 bits. */
export type TemperatureType = 'FLOAT32' | 'INT16';

/** Ranges of the quantized model: readings, deviations from the mean, surprise. */
const READING_RANGE = 256;
const RANGE = 8;
const SURPRISE_RANGE = 8;
const ALARM_RANGE = 2;

/** Input "temperature" [1, 1]; outputs "surprise" [1, 1], "alarm" [1, 1], "expected" [1, 1] in the reading's unit. */
export function temperatureModel(forecaster: Forecaster, type: TemperatureType = 'FLOAT32'): Graph {
  const integer = type === 'INT16';
  const builder = new GraphBuilder(`surprise about a machine's temperature, ${type}`);
  const main = builder.subgraph('main');
  const initialize = builder.subgraph('initialize');
  const symmetric = (range: number): Quantization | undefined =>
    integer ? { scale: range / 32768, zeroPoint: 0 } : undefined;
  const stored = (values: number[], quantization?: Quantization): number[] =>
    quantization ? values.map((value) => Math.round(value / Math.fround(quantization.scale!))) : values;
  const constant = (name: string, values: number[]): Tensor => {
    const quantization = integer ? { scale: Math.max(...values) / 32767, zeroPoint: 0 } : undefined;
    return main.constant(name, type, [1, values.length], stored(values, quantization), quantization);
  };
  const value = (name: string, length: number, quantization?: Quantization): Tensor =>
    main.tensor(name, type, [1, length], quantization);
  const apply = (op: string, name: string, inputs: Tensor[], quantization?: Quantization): Tensor => {
    const output = value(name, inputs[0].length, quantization);
    main.op(op, inputs, [output]);
    return output;
  };
  const part = (
    name: string,
    of: Tensor,
    begin: number,
    length: number,
    quantization?: Quantization,
  ): Tensor => {
    const output = value(name, length, quantization);
    const indices = (text: string, list: number[]): Tensor =>
      main.constant(`${name}/${text}`, 'INT32', [2], list);
    main.op('SLICE', [of, indices('begin', [0, begin]), indices('size', [1, length])], [output]);
    return output;
  };
  const dense = (
    name: string,
    x: Tensor,
    kernel: number[][],
    bias: number[],
    quantization?: Quantization,
  ): Tensor => {
    const output = value(name, bias.length, quantization);
    main.op('FULLY_CONNECTED', [x, ...denseConstants(main, name, x, kernel, bias, integer)], [output]);
    return output;
  };
  /** old + rate · (target − old), assigned to the variable. */
  const approach = (
    name: string,
    handle: Tensor,
    old: Tensor,
    target: Tensor,
    rates: number[],
    range: number,
    as = `${name}/next`,
  ): Tensor => {
    const difference = apply('SUB', `${name}/difference`, [target, old], symmetric(2 * range));
    const change = apply(
      'MUL',
      `${name}/change`,
      [difference, constant(`${name}/rate`, rates)],
      symmetric(2 * range * Math.max(...rates)),
    );
    const next = apply('ADD', as, [old, change], symmetric(range));
    main.assign(handle, next);
    return next;
  };

  const { mean, deviation, rates, weights } = forecaster;
  const standard = symmetric(RANGE);
  const lengths = { level: rates.length, expected: STAGES, surprise: 1, alarm: 1 };
  const variables = Object.entries(lengths).map(([name, length]) => {
    const range = { surprise: SURPRISE_RANGE, alarm: ALARM_RANGE }[name] ?? RANGE;
    initialize.assign(
      initialize.variable(name),
      initialize.constant(
        `${name}/initial`,
        type,
        [1, length],
        new Array<number>(length).fill(0),
        symmetric(range),
      ),
    );
    return { name, length, range };
  });
  const x = main.input('temperature', type, [1, 1], symmetric(READING_RANGE));
  main.callOnce(initialize);
  const [level, expected, surprise, alarm] = variables.map(({ name, length, range }) => {
    const handle = main.variable(name);
    return { handle, old: main.read(handle, type, [1, length], symmetric(range)) };
  });

  // as many copies of z as there are levels, so that nothing need be broadcast
  const z = dense(
    'z',
    x,
    rates.map(() => [1 / deviation]),
    rates.map(() => -mean / deviation),
    standard,
  );
  const levels = approach('level', level.handle, level.old, z, rates, RANGE);
  const forecast = dense('forecast', levels, [weights], [0], standard);

  const chain = value('chain', STAGES, standard);
  const stages = part('expected/first', expected.old, 0, STAGES - 1, standard);
  main.op('CONCATENATION', [forecast, stages], [chain], { axis: 1 });
  const held = approach('expected', expected.handle, expected.old, chain, [STAGE_RATE], RANGE);
  const last = part('expected/last', held, STAGES - 1, 1, standard);

  const error = apply('SUB', 'error', [part('z/one', z, 0, 1, standard), last], symmetric(SURPRISE_RANGE));
  const size = apply('ABS', 'error/size', [error], symmetric(SURPRISE_RANGE));
  const surprised = approach(
    'surprise',
    surprise.handle,
    surprise.old,
    size,
    [SURPRISE_SHARE],
    SURPRISE_RANGE,
    'surprise',
  );
  const faded = apply(
    'MUL',
    'alarm',
    [alarm.old, constant('alarm/keep', [ALARM_KEEP])],
    symmetric(ALARM_RANGE),
  );
  main.assign(alarm.handle, faded);
  main.output(surprised, faded, dense('expected', last, [[deviation]], [mean], symmetric(READING_RANGE)));
  return builder.build();
}

/** Kernel [outputs, inputs] and bias of a FULLY_CONNECTED; quantized: int8 with one scale, and int64. */
function denseConstants(
  main: SubgraphBuilder,
  name: string,
  x: Tensor,
  kernel: number[][],
  bias: number[],
  integer: boolean,
): [Tensor, Tensor] {
  const values = kernel.flat();
  const shape = [kernel.length, kernel[0].length];
  if (!integer) {
    return [
      main.constant(`${name}/kernel`, 'FLOAT32', shape, values),
      main.constant(`${name}/bias`, 'FLOAT32', [bias.length], bias),
    ];
  }
  const scale = Math.fround(Math.max(...values.map(Math.abs)) / 127);
  const biasScale = Math.fround(x.scale * scale);
  return [
    main.constant(
      `${name}/kernel`,
      'INT8',
      shape,
      values.map((v) => Math.round(v / scale)),
      { scale, zeroPoint: 0 },
    ),
    main.constant(
      `${name}/bias`,
      'INT64',
      [bias.length],
      bias.map((v) => Math.round(v / biasScale)),
      {
        scale: biasScale,
        zeroPoint: 0,
      },
    ),
  ];
}
