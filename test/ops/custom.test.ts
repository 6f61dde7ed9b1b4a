/** FlexBuffers as options, state of custom operators in streams, the circular buffer, detection, compressed weights. */
import assert from 'node:assert/strict';
import * as flexbuffers from 'flatbuffers/js/flexbuffers';
import { random, type Random } from '../../author/random';
import { GraphBuilder } from '../../author/graph_builder';
import { writeModel } from '../../author/writer';
import { load } from '../../lib/index';
import type { Model } from '../../lib/model';
import { readFlexMap } from '../../ops/flexbuffer';
import { type CustomOperator, customFile, customModel, flex, step } from '../helpers/custom_operator';
import { close } from '../helpers/one_operator';
import { openTflite, tfliteMissing } from '../helpers/tflite';

const KEYS = ['T', 'a', 'cycles_max', 'frame_size', 'prefill', 'x_scale', 'y'.repeat(40)];

/** Numbers and booleans of all widths. */
function randomOptions(next: Random): Record<string, number | boolean> {
  const options: Record<string, number | boolean> = {};
  for (const key of KEYS) {
    if (next() < 0.3) continue;
    const kind = next.integer(0, 3);
    options[key] =
      kind === 0
        ? next() < 0.5
        : kind === 1
          ? Math.fround(next.normal(1000))
          : kind === 2
            ? next.normal(1e9)
            : Math.round(next.normal(1) * 2 ** next.integer(0, 40)) + 0;
  }
  return options;
}

function numbers(options: Record<string, number | boolean>): Record<string, number> {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, Number(value)]));
}

describe('options as FlexBuffers', () => {
  const library = (values: object): Uint8Array => new Uint8Array(flexbuffers.encode(values as never));

  it('are read as the FlexBuffers package writes them', () => {
    const next = random(1);
    for (let k = 0; k < 300; k++) {
      const options = randomOptions(next);
      // floats of one width at a time, since the package fails to write others
      const single = k % 2 === 0;
      for (const [key, value] of Object.entries(options))
        if (
          Number.isInteger(value)
            ? Math.abs(value as number) > 2e9
            : (Math.fround(+value) === value) !== single
        )
          delete options[key];
      assert.deepEqual({ ...readFlexMap(library(options)) }, numbers(options));
    }
  });

  it('are read in all kinds beside each other', () => {
    const next = random(2);
    for (let k = 0; k < 300; k++) {
      const options = randomOptions(next);
      assert.deepEqual({ ...readFlexMap(flex(options)) }, numbers(options));
    }
    assert.deepEqual(
      { ...readFlexMap(flex({ a: -70000, b: 0.5, c: true }, 4)) },
      { a: -70000, b: 0.5, c: 1 },
    );
  });

  it('values of other kinds are left out', () => {
    assert.deepEqual(
      { ...readFlexMap(library({ list: [1, 2], map: { b: 1 }, n: 5, nothing: null, text: 'five' })) },
      { n: 5 },
    );
  });

  it('indirect numbers are followed', () => {
    const builder = flexbuffers.builder();
    builder.startMap();
    builder.addKey('f');
    builder.addFloat(0.1, true);
    builder.addKey('i');
    builder.addInt(-70000, true);
    builder.end();
    assert.deepEqual({ ...readFlexMap(builder.finish()) }, { f: 0.1, i: -70000 });
  });

  it('cut short or changed anywhere, they give numbers or an Error, and in no time', function () {
    this.timeout(20000);
    const next = random(2);
    const started = Date.now();
    for (let k = 0; k < 60; k++) {
      const whole = flex(randomOptions(next));
      const broken: Uint8Array[] = [];
      for (let n = 0; n < whole.length; n++) broken.push(whole.slice(0, n), whole.slice(n + 1));
      for (let n = 0; n < 300; n++) {
        const copy = whole.slice();
        for (let m = next.integer(1, 4); m > 0; m--)
          copy[next.integer(0, copy.length - 1)] = next.integer(0, 255);
        broken.push(copy);
      }
      for (const bytes of broken) {
        let map: Record<string, number>;
        try {
          map = readFlexMap(bytes);
        } catch (error) {
          assert.ok(error instanceof Error && error.constructor === Error, String(error));
          continue;
        }
        for (const value of Object.values(map)) assert.equal(typeof value, 'number');
      }
    }
    // many keys that never end: each is given up after 64 characters
    const long = new Uint8Array(60000).fill(97);
    long.set([4, (9 << 2) | 1, 2], long.length - 3);
    assert.throws(() => readFlexMap(long), Error);
    assert.ok(Date.now() - started < 15000);
  });

  it('of an operator that are broken name the operator and what is wrong', () => {
    const delay = (options?: Uint8Array): CustomOperator => ({
      op: 'SignalDelay',
      inputs: [{ type: 'INT16', shape: [4] }],
      outputs: [{ type: 'INT16', shape: [4] }],
      options,
    });
    const whole = flex({ delay_length: 3 });
    customModel(delay(whole));
    assert.throws(() => customModel(delay()), /operator 0 SignalDelay: it needs the options delay_length/);
    assert.throws(() => customModel(delay(flex({ delay: 3 }))), /SignalDelay: its options lack delay_length/);
    assert.throws(() => customModel(delay(library([3]))), /their root must be a map, but it has type/);
    assert.throws(
      () => customModel(delay(flex({ delay_length: 2.5 }))),
      /must be an integer .* but it is 2.5/,
    );
    assert.throws(() => customModel(delay(flex({ delay_length: NaN }))), /but it is NaN/);
    for (let n = 1; n < whole.length; n++) {
      assert.throws(() => customModel(delay(whole.slice(0, n))), /operator 0 SignalDelay: its options/);
    }
  });
});

const int16 = (...shape: number[]): { type: string; shape: number[] } => ({ type: 'INT16', shape });
const bool = { type: 'BOOL', shape: [] };
const int8 = (...shape: number[]): { type: string; shape: number[] } => ({ type: 'INT8', shape });

/** One of each operator that keeps state. */
const STATEFUL: Record<string, CustomOperator> = {
  SignalFramer: {
    op: 'SignalFramer',
    inputs: [int16(2, 4)],
    outputs: [int16(2, 2, 7), bool],
    options: { frame_size: 7, frame_step: 2, prefill: false },
  },
  SignalStacker: {
    op: 'SignalStacker',
    inputs: [int16(3)],
    outputs: [int16(15), bool],
    options: { num_channels: 3, stacker_left_context: 2, stacker_right_context: 2, stacker_step: 2 },
  },
  SignalDelay: {
    op: 'SignalDelay',
    inputs: [int16(2, 3)],
    outputs: [int16(2, 3)],
    options: { delay_length: 5 },
  },
  'SignalOverlapAdd INT16': {
    op: 'SignalOverlapAdd',
    inputs: [int16(2, 6)],
    outputs: [int16(4)],
    options: { T: 7, frame_step: 2 },
  },
  'SignalOverlapAdd FLOAT32': {
    op: 'SignalOverlapAdd',
    inputs: [{ type: 'FLOAT32', shape: [2, 6] }],
    outputs: [{ type: 'FLOAT32', shape: [4] }],
    options: { T: 0, frame_step: 2 },
  },
  SignalFilterBankSpectralSubtraction: {
    op: 'SignalFilterBankSpectralSubtraction',
    inputs: [{ type: 'UINT32', shape: [4] }],
    outputs: [
      { type: 'UINT32', shape: [4] },
      { type: 'UINT32', shape: [4] },
    ],
    options: {
      smoothing: 410,
      one_minus_smoothing: 15974,
      alternate_smoothing: 900,
      alternate_one_minus_smoothing: 15484,
      smoothing_bits: 10,
      spectral_subtraction_bits: 14,
      min_signal_remaining: 819,
      clamping: false,
      num_channels: 4,
    },
  },
  CIRCULAR_BUFFER: {
    op: 'CIRCULAR_BUFFER',
    inputs: [{ ...int8(1, 1, 2, 3), quantization: { scale: 0.5, zeroPoint: -7 } }],
    outputs: [{ ...int8(1, 4, 2, 3), quantization: { scale: 0.5, zeroPoint: -7 } }],
    options: { cycles_max: 3 },
  },
};

function noise(model: Model, next: Random): number[] {
  const top = model.inputs[0].type === 'INT8' ? 127 : 30000;
  const low = model.inputs[0].type === 'UINT32' ? 0 : -top;
  return Array.from(model.inputs[0].data, () => next.integer(low, top));
}

describe('state of custom operators', () => {
  for (const [name, one] of Object.entries(STATEFUL)) {
    it(`${name}: lies in the table, and streams that are swapped do not disturb each other`, () => {
      const shared = customModel(one);
      for (const variable of shared.variables.names())
        assert.ok(variable.startsWith(`${one.op} 0 `), variable);
      assert.ok(shared.variables.length > 0);
      const apart = [customModel(one), customModel(one)];
      const states = [shared.state, shared.newState()];
      const next = random(3);
      for (let k = 0; k < 30; k++) {
        const which = next.integer(0, 1);
        const x = noise(shared, next);
        shared.state = states[which];
        const got = step(shared, x);
        const wanted = step(apart[which], x);
        // what is not valid is whatever was in memory; a run that ends early leaves the outputs of the other stream
        const valid = shared.outputs.length > 1 && shared.outputs[1].type === 'BOOL' ? wanted[1][0] : 1;
        if (one.op === 'CIRCULAR_BUFFER') continue;
        if (valid) assert.deepEqual(got, wanted);
        else assert.equal(got[1][0], 0);
      }
      for (const which of [0, 1]) {
        shared.state = states[which];
        assert.deepEqual(shared.save(), apart[which].save());
      }
    });

    it(`${name}: starts anew after reset, and goes on from a snapshot`, () => {
      const model = customModel(one);
      const next = random(4);
      const inputs = Array.from({ length: 9 }, () => noise(model, next));
      const run = (): number[][][] => inputs.map((x) => step(model, x));
      const start = model.save();
      const first = run();
      const middle = model.save();
      const second = run();
      model.reset();
      assert.deepEqual(model.save(), start);
      assert.deepEqual(run().at(-1), first.at(-1));
      assert.deepEqual(model.save(), middle);
      run();
      model.restore(middle);
      assert.deepEqual(run().at(-1), second.at(-1));
    });
  }
});

describe('CIRCULAR_BUFFER', () => {
  /** y = −(buffer), after a CIRCULAR_BUFFER with `cycles`; a second output is computed before the buffer. */
  function gated(cycles: number | null, slots = 3, depth = 2): Model {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const zero = { scale: 1, zeroPoint: 0 };
    const x = main.input('x', 'INT8', [1, 1, 1, depth], zero);
    const before = main.tensor('before', 'INT8', [1, 1, 1, depth], zero);
    const held = main.tensor('held', 'INT8', [1, slots, 1, depth], zero);
    const after = main.tensor('after', 'INT8', [1, slots, 1, depth], zero);
    main.op('RELU', [x], [before]);
    main.op('CIRCULAR_BUFFER', [before], [held], undefined, {
      custom: true,
      customOptions: cycles === null ? undefined : flex({ cycles_max: cycles }),
    });
    main.op('ADD', [held, held], [after]);
    main.output(after);
    return load(writeModel(builder.build()));
  }

  it('lets the rest of the model run in every cycles_max-th step; outputs keep their values in between', () => {
    for (const cycles of [1, 2, 3, 5]) {
      const model = gated(cycles);
      const held = [0, 0, 0, 0, 0, 0];
      let wanted = held.slice();
      for (let s = 1; s <= 20; s++) {
        held.splice(0, 2);
        held.push(s, s + 1);
        if (s % cycles === 0) wanted = held.map((v) => 2 * v);
        assert.deepEqual(step(model, [s, s + 1]), [wanted], `cycles ${cycles}, step ${s}`);
      }
    }
  });

  it('counts anew after reset, and each stream for itself', () => {
    const model = gated(3);
    const other = model.newState();
    const first = model.state;
    step(model, [1, 1]);
    step(model, [2, 2]);
    model.state = other;
    assert.deepEqual(step(model, [9, 9]), [[0, 0, 0, 0, 0, 0]]);
    model.state = first;
    assert.deepEqual(step(model, [3, 3]), [[2, 2, 4, 4, 6, 6]]);
    step(model, [4, 4]);
    model.reset();
    step(model, [5, 5]);
    step(model, [6, 6]);
    assert.deepEqual(step(model, [7, 7]), [[10, 10, 12, 12, 14, 14]]);
  });

  it('without options: 2, and 1 for the shapes that end TFLM’s streaming models', () => {
    const period = (model: Model): number => {
      for (let s = 1; ; s++) if (step(model, [1, 1])[0].some((v) => v)) return s;
    };
    for (const [cycles, slots, wanted] of [
      [null, 3, 2],
      [0, 3, 2],
      [-4, 3, 2],
      [null, 5, 1],
      [null, 13, 1],
      [0, 25, 1],
      [4, 5, 4],
    ] as const) {
      assert.equal(period(gated(cycles, slots)), wanted, `cycles_max ${cycles}, ${slots} slots`);
    }
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const x = main.input('x', 'INT8', [1, 1, 2, 96]);
    for (let i = 0; i < 6; i++) {
      const y = main.tensor(`y${i}`, 'INT8', [1, 3, 2, 96]);
      main.op('CIRCULAR_BUFFER', [x], [y], undefined, { custom: true });
      main.output(y);
    }
    const model = load(writeModel(builder.build()));
    const counters = model.variables.names().filter((name) => name.endsWith('cycles'));
    assert.deepEqual(
      counters,
      [0, 1, 2, 3, 5].map((i) => `CIRCULAR_BUFFER ${i} cycles`),
    );
  });

  it('starts at the zero point, also where the model marks its output as variable', () => {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const quantization = { scale: 0.5, zeroPoint: -7 };
    const x = main.input('x', 'INT8', [1, 1, 1, 2], quantization);
    const y = main.tensor('y', 'INT8', [1, 3, 1, 2], quantization);
    y.isVariable = true;
    const z = main.tensor('z', 'INT8', [1, 3, 1, 2], quantization);
    main.op('CIRCULAR_BUFFER', [x], [y], undefined, { custom: true, customOptions: flex({ cycles_max: 1 }) });
    main.op('RELU', [y], [z]);
    main.output(z, y);
    const model = load(writeModel(builder.build()));
    assert.deepEqual(model.variables.names(), ['CIRCULAR_BUFFER 0 slots']);
    assert.deepEqual(step(model, [1, 2])[1], [-7, -7, -7, -7, 1, 2]);
    assert.deepEqual(step(model, [3, -20]), [
      [-7, -7, 1, 2, 3, -7],
      [-7, -7, 1, 2, 3, -20],
    ]);
  });

  it('refuses what it cannot hold', () => {
    const refuse = (x: object, y: object, message: RegExp): void =>
      assert.throws(
        () =>
          customModel({
            op: 'CIRCULAR_BUFFER',
            inputs: [x as CustomOperator['inputs'][0]],
            outputs: [y as CustomOperator['outputs'][0]],
            options: { cycles_max: 1 },
          }),
        message,
      );
    refuse(int16(1, 1, 1, 2), int16(1, 3, 1, 2), /the input must be INT8/);
    refuse(int8(1, 2, 1, 2), int8(1, 3, 1, 2), /the input must have shape \[1,1,1,2\]/);
    refuse(int8(1, 1, 1, 2), int8(1, 3, 1, 4), /the output must have shape \[1,3,1,2\]/);
    refuse(int8(1, 2), int8(3, 2), /4 dimensions/);
  });
});

describe('TFLite_Detection_PostProcess', function () {
  this.timeout(60000);
  const missing = tfliteMissing();
  const title = 'chooses the boxes that TensorFlow Lite chooses';
  if (missing) it(`${title} (${missing})`);
  else
    it(title, async () => {
      const next = random(5);
      for (let k = 0; k < 60; k++) {
        const boxes = next.integer(1, 40);
        const classes = next.integer(1, 5);
        const background = next.integer(0, 1);
        const most = next.integer(1, 10);
        const width = 4 + (next() < 0.2 ? 2 : 0);
        const one: CustomOperator = {
          op: 'TFLite_Detection_PostProcess',
          inputs: [
            { type: 'FLOAT32', shape: [1, boxes, width] },
            { type: 'FLOAT32', shape: [1, boxes, classes + background] },
            {
              type: 'FLOAT32',
              shape: [boxes, 4],
              constant: true,
              values: Array.from({ length: 4 * boxes }, (_, i) =>
                i % 4 < 2 ? next() : next.uniform(0.2, 0.6),
              ),
            },
          ],
          outputs: [
            { type: 'FLOAT32', shape: [1, most, 4] },
            { type: 'FLOAT32', shape: [1, most] },
            { type: 'FLOAT32', shape: [1, most] },
            { type: 'FLOAT32', shape: [1] },
          ],
          options: {
            max_detections: most,
            max_classes_per_detection: 1,
            detections_per_class: next.integer(1, 6),
            use_regular_nms: next() < 0.5,
            nms_score_threshold: next.uniform(0, 0.7),
            nms_iou_threshold: next.uniform(0.1, 1),
            num_classes: classes,
            y_scale: 10,
            x_scale: 10,
            h_scale: 5,
            w_scale: 5,
          },
        };
        const tflite = await openTflite(customFile(one));
        const model = customModel(one);
        for (let s = 0; s < 3; s++) {
          const encodings = Array.from({ length: boxes * width }, () => Math.fround(next.normal()));
          // in the fast form few different scores, so that many are the same; in the other TensorFlow Lite orders equal
          // scores in a way of its own
          const regular = (one.options as Record<string, boolean>).use_regular_nms;
          const scores = Array.from({ length: boxes * (classes + background) }, () =>
            regular ? Math.fround(next()) : next.integer(0, 8) / 8,
          );
          tflite.setInput(0, encodings);
          tflite.setInput(1, scores);
          tflite.invoke();
          const [gotBoxes, gotClasses, gotScores, [count]] = step(model, encodings, scores);
          assert.equal(count, tflite.output(3)[0]);
          close(gotBoxes.slice(0, 4 * count), tflite.output(0).slice(0, 4 * count), 1e-5, 'boxes');
          close(gotClasses.slice(0, count), tflite.output(1).slice(0, count), 0, 'classes');
          close(gotScores.slice(0, count), tflite.output(2).slice(0, count), 0, 'scores');
          for (const rest of [gotBoxes.slice(4 * count), gotClasses.slice(count), gotScores.slice(count)])
            assert.ok(rest.every((value) => value === 0));
        }
      }
    });

  const good: CustomOperator = {
    op: 'TFLite_Detection_PostProcess',
    inputs: [
      { type: 'FLOAT32', shape: [1, 2, 4] },
      { type: 'FLOAT32', shape: [1, 2, 3] },
      { type: 'FLOAT32', shape: [2, 4], constant: true, values: [0, 0, 1, 1, 5, 5, 1, 1] },
    ],
    outputs: [
      { type: 'FLOAT32', shape: [1, 4, 4] },
      { type: 'FLOAT32', shape: [1, 4] },
      { type: 'FLOAT32', shape: [1, 4] },
      { type: 'FLOAT32', shape: [1] },
    ],
    options: {
      max_detections: 2,
      max_classes_per_detection: 2,
      nms_score_threshold: 0.1,
      nms_iou_threshold: 0.5,
      num_classes: 2,
      y_scale: 1,
      x_scale: 1,
      h_scale: 1,
      w_scale: 1,
    },
  };
  const change = (options: Record<string, number | boolean>): CustomOperator => ({
    ...good,
    options: { ...(good.options as Record<string, number>), ...options },
  });

  it('with use_regular_nms, of equal scores the lower class and the earlier box come first', () => {
    const boxes = 6;
    const model = customModel({
      ...change({ num_classes: 3, max_detections: 4, use_regular_nms: true }),
      inputs: [
        { type: 'FLOAT32', shape: [1, boxes, 4] },
        { type: 'FLOAT32', shape: [1, boxes, 3] },
        {
          type: 'FLOAT32',
          shape: [boxes, 4],
          constant: true,
          values: Array.from({ length: 4 * boxes }, (_, i) => (i % 4 < 2 ? 3 * Math.floor(i / 4) : 1)),
        },
      ],
    });
    const next = random(9);
    for (let k = 0; k < 50; k++) {
      const scores = Array.from({ length: 3 * boxes }, () => next.integer(1, 3) / 4);
      // no two boxes overlap
      const all = scores.map((score, i) => ({ score, box: Math.floor(i / 3), category: i % 3 }));
      all.sort((a, b) => b.score - a.score || a.category - b.category || a.box - b.box);
      const [places, categories, got, count] = step(model, Array(4 * boxes).fill(0), scores);
      assert.deepEqual(count, [4]);
      assert.deepEqual(
        got,
        all.slice(0, 4).map((one) => one.score),
      );
      assert.deepEqual(
        categories,
        all.slice(0, 4).map((one) => one.category),
      );
      assert.deepEqual(
        places.filter((_, i) => i % 4 === 0),
        all.slice(0, 4).map((one) => 3 * one.box - 0.5),
      );
    }
  });

  it('gives several classes to a detection in the places where TFLM puts them', () => {
    const model = customModel(good);
    const [, classes, scores, count] = step(model, Array(8).fill(0), [0, 0.5, 0.75, 0, 0.25, 0.125]);
    // place 2 · n + k for class k, where n counts all classes given before: 0, 3, 4 and 7, which is beyond the output
    assert.deepEqual(count, [4]);
    assert.deepEqual(scores, [0.75, 0, 0, 0.5]);
    assert.deepEqual(classes, [1, 0, 0, 0]);
  });

  it('refuses boxes that are empty when they show up', () => {
    const model = customModel(good);
    const encodings = Array(8).fill(0);
    encodings[6] = -Infinity;
    assert.throws(
      () => step(model, encodings, Array(6).fill(0.5)),
      /TFLite_Detection_PostProcess: box 1 is empty/,
    );
  });

  const refused: [string, CustomOperator, RegExp][] = [
    ['options that lack something', { ...good, options: { max_detections: 2 } }, /lack num_classes/],
    ['more classes than scores', change({ num_classes: 4 }), /with num_classes 4/],
    ['a threshold of 0', change({ nms_iou_threshold: 0 }), /nms_iou_threshold must be above 0/],
    [
      'no detection of a class',
      change({ use_regular_nms: true, detections_per_class: 0 }),
      /detections_per_class/,
    ],
    ['no class of a detection', change({ max_classes_per_detection: 0 }), /max_classes_per_detection/],
    ['outputs that are too small', change({ max_detections: 5 }), /must have places for 5/],
    [
      'too few anchors',
      {
        ...good,
        inputs: [...good.inputs.slice(0, 2), { ...good.inputs[2], shape: [1, 4], values: [0, 0, 1, 1] }],
      },
      /the anchors must be \[2,4\]/,
    ],
  ];
  for (const [what, one, message] of refused) {
    it(`refuses ${what}`, () => assert.throws(() => customModel(one), message));
  }
});

describe('TFLM_DECODE', () => {
  const SIZES: Record<string, number> = { INT8: 1, BOOL: 1, INT16: 2, INT32: 4, FLOAT32: 4, INT64: 8 };

  /** Bits, most significant first, as bytes. */
  function pack(bits: string): number[] {
    return (bits.match(/.{1,8}/g) ?? []).map((byte) => parseInt(byte.padEnd(8, '0'), 2));
  }

  function ancillary(kind: number, parameters: number[], rest: ArrayLike<number>): number[] {
    return [kind, 1, 0, 0, 1, ...parameters, ...Array(11 - parameters.length).fill(0), ...Array.from(rest)];
  }

  function decoder(codes: number[], data: number[], output: CustomOperator['outputs'][0]): CustomOperator {
    const bytes = (values: number[]): CustomOperator['inputs'][0] => ({
      type: 'UINT8',
      shape: [values.length],
      values,
      constant: true,
    });
    return { op: 'TFLM_DECODE', inputs: [bytes(codes), bytes(data)], outputs: [output] };
  }

  function decoded(one: CustomOperator): Uint8Array {
    const model = customModel(one);
    model.invoke();
    const { data } = model.outputs[0];
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }

  function randomBytes(next: Random, count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => next.integer(0, 255));
  }

  const scales = (
    count: number,
    dimension: number,
    zeroPoints?: number[],
  ): CustomOperator['outputs'][0]['quantization'] => ({
    scales: Array.from({ length: count }, () => 0.5),
    zeroPoints: zeroPoints ?? Array.from({ length: count }, () => 0),
    quantizedDimension: dimension,
  });

  it('looks up values of every type and width, with tables along the first or last dimension', () => {
    const next = random(6);
    for (const [type, size] of Object.entries(SIZES)) {
      for (let width = 1; width < 8; width++) {
        for (const [channels, axis] of [
          [1, 0],
          [3, 0],
          [5, 1],
        ]) {
          if (channels > 1 && type !== 'INT8' && type !== 'INT16') continue;
          const shape = [3, 5];
          const stride = next.integer(1, 1 << width);
          const values = randomBytes(next, channels * stride * size);
          if (type === 'BOOL') values.forEach((_, i) => (values[i] &= 1));
          const indices = Array.from({ length: 15 }, () => next.integer(0, stride - 1));
          const channel = (i: number): number => (channels === 1 ? 0 : axis ? i % 5 : Math.floor(i / 5));
          const wanted = indices.flatMap((index, i) => {
            const at = (channel(i) * stride + index) * size;
            return Array.from(values.slice(at, at + size));
          });
          const codes = pack(indices.map((index) => index.toString(2).padStart(width, '0')).join(''));
          const one = decoder(codes, ancillary(0, [width, stride], values), {
            type,
            shape,
            quantization: type === 'INT8' || type === 'INT16' ? scales(channels, axis) : undefined,
          });
          assert.deepEqual(Array.from(decoded(one)), wanted, `${type}, ${width} bits, ${channels} channels`);
        }
      }
    }
  });

  it('puts zero points where weights were pruned', () => {
    const next = random(7);
    for (const [type, size] of Object.entries(SIZES)) {
      for (const [channels, axis] of [
        [1, 0],
        [3, 0],
        [5, 1],
      ]) {
        if (channels > 1 && type !== 'INT8') continue;
        const bits = Array.from({ length: 15 }, () => next.integer(0, 1));
        const zeros = Array.from({ length: channels }, () => (type === 'INT8' ? next.integer(-128, 127) : 0));
        const values = randomBytes(next, bits.filter(Boolean).length * size);
        let at = 0;
        const wanted = bits.flatMap((bit, i) => {
          const zero = zeros[channels === 1 ? 0 : axis ? i % 5 : Math.floor(i / 5)];
          return bit ? Array.from(values.slice(at, (at += size))) : [zero & 255, ...Array(size - 1).fill(0)];
        });
        const quantization = type === 'INT8' ? scales(channels, axis, zeros) : undefined;
        const one = decoder(pack(bits.join('')), ancillary(2, [], values), {
          type,
          shape: [3, 5],
          quantization,
        });
        assert.deepEqual(Array.from(decoded(one)), wanted, `${type}, ${channels} channels`);
      }
    }
  });

  /** Decoding tables of `first` bits for the first lookup, and of up to 3 bits for the others. */
  function huffmanTables(codes: Map<string, number>, first: number, wide: boolean): number[] {
    const table: number[] = [];
    const flag = wide ? 2 ** 31 : 2 ** 15;
    const unit = wide ? 2 ** 27 : 2 ** 11;
    const build = (prefix: string, bits: number): void => {
      const start = table.length;
      for (let i = 0; i < 1 << bits; i++) table.push(0);
      for (let i = 0; i < 1 << bits; i++) {
        const text = prefix + i.toString(2).padStart(bits, '0');
        const symbol = [...codes.keys()].find((code) => text.startsWith(code));
        if (symbol !== undefined) {
          const value = codes.get(symbol)! & (wide ? 0xffff : 0xff);
          table[start + i] = flag + (symbol.length - prefix.length) * unit + value;
        } else {
          const longest = Math.max(
            ...[...codes.keys()].filter((c) => c.startsWith(text)).map((c) => c.length),
          );
          const next = Math.min(3, longest - text.length);
          table[start + i] = (next - 1) * unit + (table.length - (start + i));
          build(text, next);
        }
      }
    };
    build('', first);
    return table;
  }

  it('follows Huffman codes through tables of 16 and of 32 bits', () => {
    const next = random(8);
    for (let k = 0; k < 60; k++) {
      const wide = k % 3 > 0;
      const type = k % 3 === 2 ? 'INT16' : 'INT8';
      let leaves = [''];
      while (leaves.length < 2 || (leaves.length < 20 && next() < 0.9)) {
        const split = leaves.splice(next.integer(0, leaves.length - 1), 1)[0];
        leaves = leaves.concat(split + '0', split + '1');
      }
      const limit = type === 'INT16' ? 32768 : 128;
      const codes = new Map(leaves.map((leaf) => [leaf, next.integer(-limit, limit - 1)]));
      const first = next.integer(1, 6);
      const symbols = Array.from({ length: 24 }, () => leaves[next.integer(0, leaves.length - 1)]);
      const table = huffmanTables(codes, first, wide);
      const bytes = wide
        ? new Uint8Array(Uint32Array.from(table).buffer)
        : new Uint8Array(Uint16Array.from(table).buffer);
      const data = ancillary(1, [(wide ? 1 : 0) | ((first - 1) << 4)], bytes);
      const one = decoder(pack(symbols.join('')), data, {
        type,
        shape: [4, 6],
        quantization: { scale: 1, zeroPoint: 0 },
      });
      const model = customModel(one);
      model.invoke();
      assert.deepEqual(
        Array.from(model.outputs[0].data),
        symbols.map((symbol) => codes.get(symbol)),
      );
    }
  });

  it('gives weights to a layer in each step', () => {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const x = main.input('x', 'FLOAT32', [1, 4]);
    const values = new Uint8Array(Float32Array.of(0.5, -1, 2, 3).buffer);
    const bytes = ancillary(0, [2, 4], values);
    const codes = main.constant('codes', 'UINT8', [2], [0b00011011, 0b11100100]);
    const data = main.constant('data', 'UINT8', [bytes.length], bytes);
    const w = main.tensor('w', 'FLOAT32', [2, 4]);
    const y = main.tensor('y', 'FLOAT32', [1, 2]);
    main.op('TFLM_DECODE', [codes, data], [w], undefined, { custom: true });
    main.op('FULLY_CONNECTED', [x, w, null], [y]);
    main.output(y);
    const model = load(writeModel(builder.build()));
    for (const x of [
      [1, 2, 3, 4],
      [4, 3, 2, 1],
    ]) {
      const [a, b] = step(model, x)[0];
      assert.equal(a, 0.5 * x[0] - x[1] + 2 * x[2] + 3 * x[3]);
      assert.equal(b, 3 * x[0] + 2 * x[1] - x[2] + 0.5 * x[3]);
    }
  });

  const int8Output = { type: 'INT8', shape: [8], quantization: { scale: 1, zeroPoint: 0 } };
  const refused: [string, CustomOperator, RegExp][] = [
    ['too short a header', decoder([0], [0, 1, 0], int8Output), /16 bytes or more/],
    [
      'another version',
      decoder(
        [0],
        ancillary(0, [1, 2], [1, 2]).map((b, i) => (i === 1 ? 2 : b)),
        int8Output,
      ),
      /versions 2 and 1/,
    ],
    ['an unknown kind', decoder([0], ancillary(127, [], []), int8Output), /compression 127/],
    ['indices of 0 bits', decoder([0], ancillary(0, [0, 2], [1, 2]), int8Output), /1 to 7 bits/],
    ['too few codes', decoder([0], ancillary(0, [2, 4], [1, 2, 3, 4]), int8Output), /must be 8 of 2 bits/],
    [
      'an index outside of the table',
      decoder([0, 64], ancillary(0, [2, 1], [1]), int8Output),
      /index 1 of channel 0/,
    ],
    ['too few values', decoder([0xff], ancillary(2, [], [1, 2, 3]), int8Output), /keep 8 values/],
    [
      'a zero point in int16',
      decoder([0xff], ancillary(2, [], Array(16).fill(1)), {
        ...int8Output,
        type: 'INT16',
        quantization: { scale: 1, zeroPoint: 3 },
      }),
      /zero points other than 0 need INT8/,
    ],
    [
      'channels in the middle',
      decoder([0xff], ancillary(2, [], Array(8).fill(1)), {
        type: 'INT8',
        shape: [2, 2, 2],
        quantization: scales(2, 1),
      }),
      /first or last dimension/,
    ],
    [
      'Huffman into int32',
      decoder([0], ancillary(1, [1], [0, 0, 0, 0]), { type: 'INT32', shape: [8] }),
      /must be INT8 or INT16/,
    ],
    [
      'codes that are computed',
      {
        ...decoder([0], ancillary(0, [1, 2], [1, 2]), int8Output),
        inputs: [
          { type: 'UINT8', shape: [1] },
          { type: 'UINT8', shape: [18], values: ancillary(0, [1, 2], [1, 2]), constant: true },
        ],
      },
      /must be constant/,
    ],
  ];
  for (const [what, one, message] of refused) {
    it(`refuses ${what}`, () => assert.throws(() => customModel(one), message));
  }

  it('Huffman codes that lead nowhere are an error of the first step', () => {
    const run = (codes: number[], table: number[], first = 1): void => {
      const bytes = new Uint8Array(Uint16Array.from(table).buffer);
      decoded(decoder(codes, ancillary(1, [(first - 1) << 4], bytes), int8Output));
    };
    assert.throws(
      () => run([0, 0], [0, 0]),
      /TFLM_DECODE: the code of element 0 is not in the decoding tables/,
    );
    assert.throws(() => run([0xff], [0x8805, 0x0010]), /not in the decoding tables/);
    assert.throws(() => run([0], [0x9005, 0, 0, 0], 2), /the codes end before element 4 of 8/);
  });
});
