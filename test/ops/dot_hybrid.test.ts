/** INT8 weights on FLOAT32 input (dynamic-range quantization), against real TensorFlow Lite. */
import { random } from '../../author/random';
import { close, randomValues, run, sameAsTflite } from '../helpers/one_operator';
import type { OneOperator, Operand } from '../helpers/one_operator';
import { tfliteMissing } from '../helpers/tflite';

const missing = tfliteMissing();

(missing ? describe.skip : describe)(
  `INT8 weights on FLOAT32 input${missing ? ` (${missing})` : ''}`,
  function () {
    this.timeout(60000);
    const next = random(77);
    const weights = (shape: number[], units: number, dim: number, scales?: number[]): Operand => ({
      type: 'INT8',
      shape,
      values: randomValues(next, 'INT8', shape, 127),
      constant: true,
      quantization: {
        scales: scales ?? Array.from({ length: units }, () => next.uniform(0.002, 0.02)),
        quantizedDimension: dim,
      },
    });
    const floats = (shape: number[], constant = false): Operand => ({
      type: 'FLOAT32',
      shape,
      values: randomValues(next, 'FLOAT32', shape).map((v) => v + 0.7),
      constant,
    });

    for (const asymmetric of [false, true]) {
      for (const rows of [1, 4]) {
        it(`FULLY_CONNECTED, ${asymmetric ? 'asymmetric' : 'symmetric'}, ${rows} rows`, () =>
          sameAsTflite({
            op: 'FULLY_CONNECTED',
            inputs: [floats([rows, 37]), weights([9, 37], 1, 0), floats([9], true)],
            outputs: [{ type: 'FLOAT32', shape: [rows, 9] }],
            options: { asymmetric_quantize_inputs: asymmetric, fused_activation_function: 1 },
          }));
      }
    }

    it('FULLY_CONNECTED of zeros is the bias', () => {
      const one: OneOperator = {
        op: 'FULLY_CONNECTED',
        inputs: [
          { type: 'FLOAT32', shape: [1, 8], values: new Array(8).fill(0) },
          weights([3, 8], 1, 0),
          floats([3], true),
        ],
        outputs: [{ type: 'FLOAT32', shape: [1, 3] }],
        options: {},
      };
      return sameAsTflite(one);
    });

    it('FULLY_CONNECTED per channel: as many FULLY_CONNECTED per tensor', () => {
      const x = floats([2, 12]);
      const scales = [0.01, 0.002, 0.03];
      const all = weights([3, 12], 3, 0, scales);
      const op = { op: 'FULLY_CONNECTED', options: {} };
      const got = run({ ...op, inputs: [x, all], outputs: [{ type: 'FLOAT32', shape: [2, 3] }] })[0];
      scales.forEach((scale, unit) => {
        const row = {
          ...all,
          shape: [1, 12],
          values: (all.values as number[]).slice(unit * 12, unit * 12 + 12),
        };
        row.quantization = { scales: [scale], quantizedDimension: 0 };
        const part = run({ ...op, inputs: [x, row], outputs: [{ type: 'FLOAT32', shape: [2, 1] }] })[0];
        close([got[unit], got[3 + unit]], part, 1e-6, `unit ${unit}`);
      });
    });

    for (const groups of [1, 2]) {
      for (const dilation of [1, 2]) {
        // a group of weights with one scale has it written out: TFLite reads a scale for each channel all the same
        for (const scales of groups > 1 ? [undefined, new Array(6).fill(0.0123)] : [undefined, [0.0123]]) {
          it(`CONV_2D, ${groups} groups, dilation ${dilation}, ${scales ? 'one scale' : 'a scale for each channel'}`, () =>
            sameAsTflite({
              op: 'CONV_2D',
              inputs: [floats([2, 6, 5, 4]), weights([6, 3, 2, 4 / groups], 6, 0, scales), floats([6], true)],
              outputs: [{ type: 'FLOAT32', shape: [2, 6, 5, 6] }],
              options: {
                padding: 0,
                stride_w: 1,
                stride_h: 1,
                dilation_w_factor: dilation,
                dilation_h_factor: dilation,
                fused_activation_function: 3,
              },
            }));
        }
      }
    }

    for (const multiplier of [1, 2]) {
      it(`DEPTHWISE_CONV_2D, multiplier ${multiplier}`, () => {
        const units = 4 * multiplier;
        return sameAsTflite({
          op: 'DEPTHWISE_CONV_2D',
          inputs: [floats([2, 7, 5, 4]), weights([1, 3, 2, units], units, 3), floats([units], true)],
          outputs: [{ type: 'FLOAT32', shape: [2, 3, 4, units] }],
          options: { padding: 1, stride_w: 1, stride_h: 2, depth_multiplier: multiplier },
        });
      });
    }
  },
);
