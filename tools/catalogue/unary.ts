/** Elementwise functions, activations, softmax, norms and conversions. */
import type { CatalogueEntry } from './entry';

const FLOAT = ['FLOAT32'];
const THREE = ['FLOAT32', 'INT8', 'INT16'];

function float(op: string, ...notes: string[]): CatalogueEntry {
  return { op, types: FLOAT, reference: 'TFLM', notes };
}

export const unary: CatalogueEntry[] = [
  float('CEIL'),
  float('COS'),
  float('EXP'),
  float('FLOOR'),
  float('LOG'),
  float('ROUND', 'Halves round to even.'),
  float('SIN'),
  float('SQRT'),
  float('SQUARE'),
  {
    op: 'ABS',
    types: ['FLOAT32', 'INT32', 'INT8', 'INT16', 'INT16 without a scale'],
    reference: 'TFLM',
    notes: [
      'INT16 takes zero point 0 only; without a scale, −32768 stays −32768.',
      'INT32, which TFLM does not take, wraps.',
    ],
  },
  {
    op: 'NEG',
    types: ['FLOAT32', 'INT32'],
    reference: 'TFLM and TFLite',
    notes: ['INT32, which TFLM does not take, wraps.'],
  },
  {
    op: 'RSQRT',
    types: THREE,
    reference: 'TFLM',
    notes: [
      'Integers: 0 gives the largest stored value; what lies below the zero point is an error when it shows up.',
    ],
  },
  {
    op: 'SIGN',
    types: ['FLOAT32', 'INT32'],
    reference: 'TFLite',
    notes: ['NaN gives 0.'],
  },
  { op: 'LOGICAL_NOT', types: ['BOOL'], reference: 'TFLM and TFLite', notes: [] },
  {
    op: 'RELU',
    types: THREE,
    reference: 'TFLM',
    notes: ['INT16 takes zero point 0 only. The ratio of scales is computed in float32. NaN passes.'],
  },
  {
    op: 'RELU6',
    types: THREE,
    reference: 'TFLM',
    notes: [
      'Integers are clamped in units of the input and not requantized: the output’s scale and zero point are ignored. TFLite requantizes.',
    ],
  },
  { op: 'RELU_N1_TO_1', types: ['FLOAT32', 'INT8', 'UINT8'], reference: 'TFLite', notes: [] },
  { op: 'RELU_0_TO_1', types: ['FLOAT32', 'INT8', 'UINT8'], reference: 'TFLite', notes: [] },
  {
    op: 'LEAKY_RELU',
    types: THREE,
    reference: 'TFLM',
    notes: ['Ratios of scales are computed in float32. alpha may be negative.'],
  },
  {
    op: 'PRELU',
    types: ['FLOAT32', 'INT8 × INT8 alpha', 'INT16 × INT8 alpha'],
    reference: 'TFLM',
    notes: ['alpha broadcasts to the input in any number of dimensions, and need not be constant.'],
  },
  {
    op: 'LOGISTIC',
    types: THREE,
    reference: 'TFLM',
    notes: [
      'INT8 output: zero point −128; its scale is ignored and taken for 1/256.',
      'INT16 output: scale 2^−15, zero points 0; a table of 256 entries is interpolated.',
    ],
  },
  {
    op: 'TANH',
    types: THREE,
    reference: 'TFLM',
    notes: [
      'INT8 output: scale and zero point are ignored and taken for 1/128 and 0.',
      'INT16 output: scale 2^−15, zero points 0; a table of 256 entries is interpolated.',
    ],
  },
  { op: 'ELU', types: ['FLOAT32', 'INT8'], reference: 'TFLM', notes: [] },
  {
    op: 'HARD_SWISH',
    types: ['FLOAT32', 'INT8'],
    reference: 'TFLM and TFLite',
    notes: ['INT8: the input’s scale must be less than 128 times the output’s.'],
  },
  {
    op: 'GELU',
    types: ['FLOAT32', 'INT8', 'UINT8'],
    reference: 'TFLite',
    notes: ['Exact, or approximated by tanh, as the model says.'],
  },
  {
    op: 'SOFTMAX',
    types: ['FLOAT32', 'INT8', 'INT8 to INT16', 'INT16'],
    reference: 'TFLM',
    notes: [
      'The output’s scale and zero point must be 1/256 and −128 for INT8, 1/65536 and −32768 for INT8 to INT16, 1/32768 and 0 for INT16.',
      'INT8 exponentials that add up to 512 or more stop TFLM; here each rounds to 0.',
    ],
  },
  {
    op: 'LOG_SOFTMAX',
    types: ['FLOAT32', 'INT8'],
    reference: 'TFLM',
    notes: ['The INT8 output must have scale 1/16 and zero point 127.'],
  },
  {
    op: 'L2_NORMALIZATION',
    types: ['FLOAT32', 'INT8'],
    reference: 'TFLM',
    notes: [
      'Along the last dimension, of any number of dimensions. No fused activation.',
      'A FLOAT32 norm below 10^−6 counts as 10^−6. INT8 ignores the output’s scale and zero point and takes them for 1/128 and 0.',
    ],
  },
  {
    op: 'CAST',
    types: ['any two of FLOAT32, INT8, INT16, INT32, UINT32, BOOL, UINT8, UINT16, INT64'],
    reference: 'TFLM and TFLite',
    notes: [
      'Floats lose their fraction. What does not fit wraps, where C leaves it undefined.',
      'BOOL outputs, UINT8, UINT16 and INT64 are beyond TFLM.',
    ],
  },
  {
    op: 'QUANTIZE',
    types: [
      'FLOAT32 to INT8, UINT8, INT16',
      'INT8 to INT8, UINT8, INT16, INT32',
      'UINT8 to INT8, UINT8',
      'INT16 to INT8, INT16, INT32',
      'INT32 to INT8, INT16',
    ],
    reference: 'TFLM',
    notes: [
      'Halves round away from zero, before the zero point is added. The output has one scale.',
      'FLOAT32 to UINT8 and UINT8 to UINT8 are beyond TFLM.',
    ],
  },
  {
    op: 'DEQUANTIZE',
    types: ['INT8', 'UINT8', 'INT16', 'FLOAT16'],
    reference: 'TFLM and TFLite',
    notes: [
      'FLOAT16 is beyond TFLM. Of several scales the first counts for all.',
      'A constant is converted once, when the model is loaded: it costs memory for the numbers, but no time in a step.',
    ],
  },
];
