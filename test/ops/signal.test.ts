/** The signal operators where the conformance suite does not reach: other sizes, extreme values, refusals. */
import assert from 'node:assert/strict';
import { random, type Random } from '../../author/random';
import { multiplyShift, squareRoot } from '../../ops/uint64';
import { type CustomOperator, customModel, step } from '../helpers/custom_operator';
import { FixedPointFft } from '../helpers/fixed_point_fft';
import { close } from '../helpers/one_operator';

const TYPE_NUMBER: Record<string, number> = { FLOAT32: 0, INT32: 2, INT16: 7, INT8: 9 };

function fft(op: 'SignalRfft' | 'SignalIrfft', type: string, length: number, rows = 1): CustomOperator {
  const signal = { type, shape: [rows, length] };
  const spectrum = { type, shape: [rows, length + 2] };
  return {
    op,
    inputs: [op === 'SignalRfft' ? signal : spectrum],
    outputs: [op === 'SignalRfft' ? spectrum : signal],
    options: { T: TYPE_NUMBER[type], fft_length: length },
  };
}

/** Integers of `bits` bits, often the extreme ones. */
function extremes(next: Random, count: number, bits: number): number[] {
  const top = 2 ** (bits - 1);
  const loud = next() < 0.3;
  return Array.from({ length: count }, () =>
    loud || next() < 0.1 ? (next() < 0.5 ? -top : top - 1) : next.integer(-top, top - 1),
  );
}

/** uint32, of all magnitudes. */
function unsigned(next: Random): number {
  return Math.floor(next() * 2 ** next.integer(0, 32));
}

const LENGTHS = [4, 6, 8, 10, 12, 18, 30, 32, 48, 50, 54, 60, 72, 90, 128, 150, 160, 240, 250, 320, 480, 512];

describe('signal operators', function () {
  this.timeout(60000);

  for (const [type, bits] of [
    ['INT16', 16],
    ['INT32', 32],
  ] as const) {
    it(`transforms of ${type} equal the recursion of KISS FFT to the bit, also where it wraps`, () => {
      const next = random(bits);
      for (const length of LENGTHS) {
        const there = customModel(fft('SignalRfft', type, length));
        const back = customModel(fft('SignalIrfft', type, length));
        for (let k = 0; k < (length > 100 ? 2 : 6); k++) {
          const x = extremes(next, length, bits);
          const y = new FixedPointFft(bits, length / 2, false).forward(x);
          assert.deepEqual(step(there, x)[0], y, `${length} samples`);
          const z = extremes(next, length + 2, bits);
          assert.deepEqual(
            step(back, z)[0],
            new FixedPointFft(bits, length / 2, true).backward(z),
            `${length}`,
          );
        }
      }
    });
  }

  it('transforms of FLOAT32 are Fourier transforms, and the inverse is one', () => {
    const next = random(3);
    for (const length of LENGTHS) {
      const x = Array.from({ length }, () => Math.fround(next.normal()));
      const wanted: number[] = [];
      for (let k = 0; k <= length / 2; k++) {
        const phase = (j: number): number => (-2 * Math.PI * ((j * k) % length)) / length;
        wanted.push(
          x.reduce((sum, value, j) => sum + value * Math.cos(phase(j)), 0),
          x.reduce((sum, value, j) => sum + value * Math.sin(phase(j)), 0),
        );
      }
      const [spectrum] = step(customModel(fft('SignalRfft', 'FLOAT32', length)), x);
      close(spectrum, wanted, 1e-5, `spectrum of ${length}`);
      close(
        step(customModel(fft('SignalIrfft', 'FLOAT32', length)), spectrum)[0],
        x,
        1e-5,
        `back to ${length}`,
      );
    }
  });

  it('transforms rows, and pads them', () => {
    const next = random(4);
    const one = fft('SignalRfft', 'INT16', 24, 3);
    one.inputs[0].shape = [3, 17];
    const x = extremes(next, 51, 16);
    const rows = [0, 1, 2].flatMap((row) =>
      new FixedPointFft(16, 12, false).forward(x.slice(17 * row, 17 * row + 17)),
    );
    assert.deepEqual(step(customModel(one), x)[0], rows);
  });

  it('64-bit products and roots are exact', () => {
    const next = random(5);
    const edges = [0, 1, 2, 65535, 65536, 2 ** 31, 2 ** 32 - 1];
    const values = edges.concat(Array.from({ length: 40 }, () => unsigned(next)));
    for (const a of values) {
      for (const b of values) {
        const c = values[next.integer(0, values.length - 1)];
        const d = unsigned(next);
        const shift = next.integer(0, 63);
        const sum = BigInt.asUintN(64, BigInt(a) * BigInt(b) + BigInt(c) * BigInt(d));
        assert.equal(multiplyShift(a, b, c, d, shift), Number(BigInt.asUintN(32, sum >> BigInt(shift))));
        const x = (BigInt(a) << 32n) + BigInt(b);
        let root = BigInt(Math.floor(Math.sqrt(Number(x))));
        while (root * root > x) root--;
        while ((root + 1n) * (root + 1n) <= x) root++;
        const rest = x - root * root;
        if (rest > root && root !== (a ? 2n ** 32n - 1n : 65535n)) root++;
        assert.equal(squareRoot(a, b), Number(root), String(x));
      }
    }
    for (let k = 0; k < 2000; k++) {
      const root = BigInt(unsigned(next));
      for (const offset of [-1n, 0n, 1n, root, root + 1n]) {
        const x = root * root + offset;
        if (x < 2n ** 32n || x >= 2n ** 64n) continue;
        const up =
          x > root * root + root ||
          (offset < 0n && -1n + root * root > (root - 1n) * (root - 1n) + root - 1n);
        const wanted = offset < 0n ? (up ? root : root - 1n) : up && root < 2n ** 32n - 1n ? root + 1n : root;
        assert.equal(squareRoot(Number(x >> 32n), Number(x & 0xffffffffn)), Number(wanted), String(x));
      }
    }
  });

  it('filter banks sum wide bands with weights of either sign in 64 bits', () => {
    const next = random(6);
    for (let k = 0; k < 20; k++) {
      const bins = next.integer(40, 300);
      const channels = next.integer(1, 6);
      const widths = Array.from({ length: channels + 1 }, () => next.integer(-1, bins));
      const starts = widths.map((width) => next.integer(0, bins - Math.max(width, 0)));
      const weightStarts = widths.map((width) => next.integer(0, bins - Math.max(width, 0)));
      const [weights, unweights] = [0, 1].map(() => extremes(next, bins, 16));
      const constant = k % 2 === 0;
      const int16 = (values: number[]): CustomOperator['inputs'][0] => ({
        type: 'INT16',
        shape: [values.length],
        values,
        constant,
      });
      const model = customModel({
        op: 'SignalFilterBank',
        inputs: [
          { type: 'UINT32', shape: [bins] },
          ...[weights, unweights, starts, weightStarts, widths].map(int16),
        ],
        outputs: [{ type: 'UINT64', shape: [channels] }],
        options: { num_channels: channels },
      });
      const x = Array.from({ length: bins }, () => (next() < 0.5 ? 2 ** 32 - 1 : unsigned(next)));
      const given = constant ? [x] : [x, weights, unweights, starts, weightStarts, widths];
      given.forEach((values, i) => (model.inputs[i].data as Int16Array).set(values));
      model.invoke();
      let carried = 0n;
      const wanted: bigint[] = [];
      for (let c = 0; c <= channels; c++) {
        let own = carried;
        carried = 0n;
        for (let i = 0; i < widths[c]; i++) {
          own += BigInt(weights[weightStarts[c] + i]) * BigInt(x[starts[c] + i]);
          carried += BigInt(unweights[weightStarts[c] + i]) * BigInt(x[starts[c] + i]);
        }
        wanted.push(BigInt.asUintN(64, own));
      }
      assert.deepEqual(Array.from(model.outputs[0].data as unknown as BigUint64Array), wanted.slice(1));
    }
  });

  it('a band outside of the spectrum is refused: constant ones when loaded, others when they show up', () => {
    const bands = (constant: boolean, start: number): CustomOperator => ({
      op: 'SignalFilterBank',
      inputs: [
        { type: 'UINT32', shape: [8] },
        ...[[...'12345678'].map(Number), [...'12345678'].map(Number), [0, start], [0, 3], [2, 4]].map(
          (values) => ({
            type: 'INT16',
            shape: [values.length],
            values,
            constant,
          }),
        ),
      ],
      outputs: [{ type: 'UINT64', shape: [1] }],
      options: { num_channels: 1 },
    });
    customModel(bands(true, 4));
    assert.throws(() => customModel(bands(true, 5)), /SignalFilterBank.*channel 1 takes 4 energies from 5/);
    assert.throws(() => customModel(bands(true, -1)), /channel 1/);
    const model = customModel(bands(false, 5));
    (model.inputs[3].data as Int16Array).set([0, 5]);
    (model.inputs[5].data as Int16Array).set([2, 4]);
    assert.throws(() => model.invoke(), /operator 0 SignalFilterBank: channel 1 takes 4 energies from 5/);
  });

  it('spectral subtraction keeps 64 bits between factors of any size', () => {
    const next = random(7);
    for (let k = 0; k < 40; k++) {
      const n = next.integer(1, 9);
      const o = {
        smoothing: k % 2 ? unsigned(next) : next.integer(0, 16384),
        one_minus_smoothing: k % 2 ? unsigned(next) : next.integer(0, 16384),
        alternate_smoothing: unsigned(next),
        alternate_one_minus_smoothing: next.integer(0, 65535),
        smoothing_bits: next.integer(0, 31),
        spectral_subtraction_bits: next.integer(0, 40),
        min_signal_remaining: unsigned(next),
        clamping: next() < 0.5,
        num_channels: n,
      };
      const uint32 = { type: 'UINT32', shape: [n] };
      const model = customModel({
        op: 'SignalFilterBankSpectralSubtraction',
        inputs: [uint32],
        outputs: [uint32, uint32],
        options: o,
      });
      const noise = Array.from({ length: n }, () => 0n);
      const u32 = (x: bigint): bigint => BigInt.asUintN(32, x);
      for (let s = 0; s < 5; s++) {
        const x = Array.from({ length: n }, () => unsigned(next));
        const [got, estimates] = step(model, x);
        x.forEach((value, i) => {
          const bits = BigInt(o.spectral_subtraction_bits);
          const scaled = u32(BigInt(value) << BigInt(o.smoothing_bits));
          const [factor, rest] =
            i % 2
              ? [o.alternate_smoothing, o.alternate_one_minus_smoothing]
              : [o.smoothing, o.one_minus_smoothing];
          noise[i] = u32(BigInt.asUintN(64, scaled * BigInt(factor) + noise[i] * BigInt(rest)) >> bits);
          let estimate = noise[i];
          if (estimate > scaled) {
            estimate = scaled;
            if (o.clamping) noise[i] = scaled;
          }
          const floor = u32((BigInt(value) * BigInt(o.min_signal_remaining)) >> bits);
          const left = (scaled - estimate) >> BigInt(o.smoothing_bits);
          assert.equal(BigInt(got[i]), left > floor ? left : floor);
          assert.equal(BigInt(estimates[i]), noise[i]);
        });
      }
    }
  });

  it('gain control follows its polynomial over all noise levels, with gains of any int16', () => {
    const next = random(8);
    const n = 200;
    for (const shift of [0, 6, 20, 40]) {
      const gains = extremes(next, 125, 16);
      const uint32 = { type: 'UINT32', shape: [n] };
      const model = customModel({
        op: 'SignalPCAN',
        inputs: [uint32, uint32, { type: 'INT16', shape: [125], values: gains, constant: true }],
        outputs: [uint32],
        options: { snr_shift: shift },
      });
      const x = Array.from({ length: n }, () => unsigned(next));
      const noise = Array.from({ length: n }, () => unsigned(next));
      const [got] = step(model, x, noise);
      const i32 = (v: bigint): bigint => BigInt.asIntN(32, v);
      x.forEach((value, i) => {
        let gain = BigInt(gains[noise[i]] ?? 0);
        if (noise[i] > 2) {
          const size = 32 - Math.clz32(noise[i]);
          const [a, b, c] = [0, 1, 2].map((k) => BigInt(gains[4 * size - 6 + k]));
          const level = BigInt(noise[i]);
          const part = (size < 11 ? level << BigInt(11 - size) : level >> BigInt(size - 11)) & 1023n;
          const slope = i32(((c * part) >> 5n) + b * 32n);
          gain = BigInt.asIntN(16, (i32(i32(slope * part) + 16384n) >> 15n) + a);
        }
        const snr = BigInt.asUintN(
          32,
          BigInt.asUintN(64, BigInt(value) * BigInt.asUintN(32, gain)) >> BigInt(shift),
        );
        const wanted = snr < 8192n ? (snr * snr) >> 20n : (snr >> 6n) - 64n;
        assert.equal(BigInt(got[i]), wanted, `x ${value}, noise ${noise[i]}`);
      });
    }
  });

  it('logarithms are logarithms, and saturate', () => {
    const n = 3000;
    const next = random(9);
    const x = Array.from({ length: n }, () => unsigned(next));
    for (const [bits, scale] of [
      [0, 64],
      [3, 600],
      [0, 1600],
      [0, 2900],
    ]) {
      const model = customModel({
        op: 'SignalFilterBankLog',
        inputs: [{ type: 'UINT32', shape: [n] }],
        outputs: [{ type: 'INT16', shape: [n] }],
        options: { input_correction_bits: bits, output_scale: scale },
      });
      const [got] = step(model, x);
      x.forEach((value, i) => {
        const shifted = (value << bits) >>> 0;
        const wanted = shifted > 1 ? Math.min(scale * Math.log(shifted), 32767) : 0;
        assert.ok(
          Math.abs(got[i] - wanted) <= 0.6 + scale / 400,
          `ln ${shifted}: ${got[i]}, expected ${wanted}`,
        );
      });
    }
  });

  it('scales up as TFLM does, −32768 included', () => {
    const run = (x: number[]): number[][] =>
      step(
        customModel({
          op: 'SignalFftAutoScale',
          inputs: [{ type: 'INT16', shape: [x.length] }],
          outputs: [
            { type: 'INT16', shape: [x.length] },
            { type: 'INT32', shape: [] },
          ],
        }),
        x,
      );
    assert.deepEqual(run([1, -2, 0]), [[8192, -16384, 0], [13]]);
    assert.deepEqual(run([0, 0]), [[0, 0], [0]]);
    assert.deepEqual(run([32767, 1]), [[32767, 1], [0]]);
    assert.deepEqual(run([5, -32768]), [[5, -32768], [0]]);
    // in int16, −(−32768) is the smallest: the 5 after it is taken for the largest
    assert.deepEqual(run([-32768, 5]), [[0, 5 << 12], [12]]);
  });

  it('energies outside of the range of bins are 0', () => {
    const model = customModel({
      op: 'SignalEnergy',
      inputs: [{ type: 'INT16', shape: [10] }],
      outputs: [{ type: 'UINT32', shape: [6] }],
      options: { start_index: 1, end_index: 4 },
    });
    const x = [9, 9, 3, 4, -32768, -32768, 0, 1, 9, 9];
    assert.deepEqual(step(model, x)[0], [0, 25, 2 ** 31, 1, 0, 0]);
  });

  /** The n newest samples before each frame, as a queue gives them. */
  it('frames come as from a queue', () => {
    const next = random(10);
    for (let k = 0; k < 60; k++) {
      const [size, frameStep] = [next.integer(1, 9), next.integer(1, 6)];
      const [frames, rows] = [next.integer(1, 3), next.integer(1, 2)];
      const prefill = size >= frameStep && next() < 0.5;
      const samples = frames * frameStep;
      const model = customModel({
        op: 'SignalFramer',
        inputs: [{ type: 'INT16', shape: [rows, samples] }],
        outputs: [
          { type: 'INT16', shape: [rows, frames, size] },
          { type: 'BOOL', shape: [] },
        ],
        options: { frame_size: size, frame_step: frameStep, prefill },
      });
      const queues = Array.from({ length: rows }, () =>
        Array.from({ length: prefill ? size - frameStep : 0 }, () => 0),
      );
      for (let s = 0; s < 8; s++) {
        const x = extremes(next, rows * samples, 16);
        const [got, [valid]] = step(model, x);
        let all = 1;
        for (let f = 0; f < rows * frames; f++) {
          const queue = queues[Math.floor(f / frames)];
          queue.push(...x.slice(f * frameStep, (f + 1) * frameStep));
          if (queue.length >= size) {
            assert.deepEqual(got.slice(f * size, (f + 1) * size), queue.slice(0, size));
            queue.splice(0, frameStep);
          } else all = 0;
        }
        assert.equal(valid, all, `size ${size}, step ${frameStep}, prefill ${prefill}`);
      }
    }
  });

  it('stacks come as from a queue', () => {
    const next = random(11);
    for (let k = 0; k < 60; k++) {
      const [channels, left, right] = [next.integer(1, 4), next.integer(0, 3), next.integer(0, 3)];
      const size = left + 1 + right;
      const stackerStep = next.integer(1, size);
      const model = customModel({
        op: 'SignalStacker',
        inputs: [{ type: 'INT16', shape: [channels] }],
        outputs: [
          { type: 'INT16', shape: [channels * size] },
          { type: 'BOOL', shape: [] },
        ],
        options: {
          num_channels: channels,
          stacker_left_context: left,
          stacker_right_context: right,
          stacker_step: stackerStep,
        },
      });
      const queue: number[][] = [];
      for (let s = 0; s < 12; s++) {
        const x = extremes(next, channels, 16);
        queue.push(x);
        for (let i = 0; s === 0 && i < left; i++) queue.push(x);
        const [got, [valid]] = step(model, x);
        assert.equal(valid, queue.length >= size ? 1 : 0);
        if (!valid) continue;
        assert.deepEqual(got, queue.slice(0, size).flat());
        queue.splice(0, stackerStep);
      }
    }
  });

  it('delays and overlapping sums are those of the whole signal', () => {
    const next = random(12);
    for (let k = 0; k < 40; k++) {
      const [n, delay, rows] = [next.integer(1, 8), next.integer(0, 20), next.integer(1, 3)];
      const model = customModel({
        op: 'SignalDelay',
        inputs: [{ type: 'INT16', shape: [rows, n] }],
        outputs: [{ type: 'INT16', shape: [rows, n] }],
        options: { delay_length: delay },
      });
      const signals = Array.from({ length: rows }, () => Array.from({ length: delay }, () => 0));
      for (let s = 0; s < 6; s++) {
        const x = extremes(next, rows * n, 16);
        const [got] = step(model, x);
        signals.forEach((signal, row) => {
          signal.push(...x.slice(row * n, (row + 1) * n));
          assert.deepEqual(got.slice(row * n, (row + 1) * n), signal.splice(0, n));
        });
      }
    }
    for (let k = 0; k < 40; k++) {
      const size = next.integer(1, 9);
      const [frameStep, frames, rows] = [next.integer(1, size), next.integer(1, 3), next.integer(1, 2)];
      const model = customModel({
        op: 'SignalOverlapAdd',
        inputs: [{ type: 'INT16', shape: [rows, frames, size] }],
        outputs: [{ type: 'INT16', shape: [rows, frames * frameStep] }],
        options: { T: 7, frame_step: frameStep },
      });
      const sums = Array.from({ length: rows }, () => Array.from({ length: size }, () => 0));
      for (let s = 0; s < 5; s++) {
        const x = extremes(next, rows * frames * size, 16);
        const [got] = step(model, x);
        const wanted: number[] = [];
        for (let f = 0; f < rows * frames; f++) {
          const sum = sums[Math.floor(f / frames)];
          for (let i = 0; i < size; i++) sum[i] = Math.max(-32768, Math.min(32767, sum[i] + x[f * size + i]));
          wanted.push(...sum.splice(0, frameStep));
          while (sum.length < size) sum.push(0);
        }
        assert.deepEqual(got, wanted);
      }
    }
  });

  describe('refuses', () => {
    const int16 = (...shape: number[]): { type: string; shape: number[] } => ({ type: 'INT16', shape });
    const bool = { type: 'BOOL', shape: [] };
    const cases: [string, CustomOperator, RegExp][] = [
      ['an FFT of odd length', fft('SignalRfft', 'INT16', 9), /fft_length 9 it cannot turn/],
      ['an FFT with a factor of 7', fft('SignalRfft', 'INT16', 28), /factors 2, 3 and 5, but 14 has 7/],
      [
        'an FFT of another type',
        { ...fft('SignalRfft', 'INT16', 8), options: { T: 0, fft_length: 8 } },
        /option T says FLOAT32/,
      ],
      [
        'an FFT of an unknown type',
        { ...fft('SignalRfft', 'INT16', 8), options: { T: 99, fft_length: 8 } },
        /option T must be/,
      ],
      ['an FFT of int8', fft('SignalRfft', 'INT8', 8), /must be INT16 or INT32 or FLOAT32/],
      ['an FFT into too little', { ...fft('SignalRfft', 'INT16', 8), outputs: [int16(1, 8)] }, /cannot turn/],
      [
        'an inverse of too little',
        { ...fft('SignalIrfft', 'INT16', 8), inputs: [int16(1, 8)] },
        /cannot turn/,
      ],
      [
        'a window that does not fit',
        {
          op: 'SignalWindow',
          inputs: [int16(7), { ...int16(4), values: [1, 2, 3, 4], constant: true }],
          outputs: [int16(7)],
          options: { shift: 3 },
        },
        /multiple of "in1" INT16 \[4\]/,
      ],
      [
        'a window without its shift',
        {
          op: 'SignalWindow',
          inputs: [int16(4), { ...int16(4), values: [1, 2, 3, 4], constant: true }],
          outputs: [int16(4)],
          options: { other: 3 },
        },
        /options lack shift/,
      ],
      [
        'no options',
        { op: 'SignalDelay', inputs: [int16(4)], outputs: [int16(4)] },
        /needs the options delay_length/,
      ],
      [
        'a negative delay',
        { op: 'SignalDelay', inputs: [int16(4)], outputs: [int16(4)], options: { delay_length: -1 } },
        /delay_length must be an integer from 0/,
      ],
      [
        'a stack that is left faster than it fills',
        {
          op: 'SignalStacker',
          inputs: [int16(2)],
          outputs: [int16(4), bool],
          options: { num_channels: 2, stacker_left_context: 1, stacker_right_context: 0, stacker_step: 3 },
        },
        /stacker_step must be an integer from 1 to 2/,
      ],
      [
        'frames that do not fit',
        {
          op: 'SignalFramer',
          inputs: [int16(6)],
          outputs: [int16(2, 4), bool],
          options: { frame_size: 4, frame_step: 4, prefill: false },
        },
        /cannot turn/,
      ],
      [
        'prefill of less than nothing',
        {
          op: 'SignalFramer',
          inputs: [int16(6)],
          outputs: [int16(2, 2), bool],
          options: { frame_size: 2, frame_step: 3, prefill: true },
        },
        /with prefill/,
      ],
      [
        'a second input',
        {
          op: 'SignalDelay',
          inputs: [int16(4), int16(4)],
          outputs: [int16(4)],
          options: { delay_length: 1 },
        },
        /1 inputs and 1 outputs, but it has 2 and 1/,
      ],
      [
        'energies of bins that are not there',
        {
          op: 'SignalEnergy',
          inputs: [int16(8)],
          outputs: [{ type: 'UINT32', shape: [5] }],
          options: { start_index: 0, end_index: 5 },
        },
        /end_index must be an integer from 0 to 4/,
      ],
      [
        'too few gains',
        {
          op: 'SignalPCAN',
          inputs: [
            { type: 'UINT32', shape: [2] },
            { type: 'UINT32', shape: [2] },
            { ...int16(9), values: Array(9).fill(1), constant: true },
          ],
          outputs: [{ type: 'UINT32', shape: [2] }],
          options: { snr_shift: 1 },
        },
        /the gains must be 125/,
      ],
    ];
    for (const [title, one, message] of cases) {
      it(title, () => assert.throws(() => customModel(one), message));
    }
  });
});
