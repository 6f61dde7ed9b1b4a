/** Operators that sum products of inputs and weights. */
import type { CatalogueEntry } from './entry';

const HYBRID = 'FLOAT32 × INT8 weights';
const COMPUTED =
  'Weights may be computed, but INT4 ones are constant; they are unpacked when the model is loaded.';
const DYNAMIC =
  'INT8 weights on FLOAT32 input, which TFLM does not take, follow TFLite: the input is quantized by its own range in every step. The operator must have version 2 or later.';
const WIDE =
  'INT16: an INT64 bias, or none, makes an accumulator of 64 bits that is rounded once; an INT32 bias, or quantized_bias_type INT32 without one, one of 32 bits.';

export const dot: CatalogueEntry[] = [
  {
    op: 'CONV_2D',
    types: ['FLOAT32', 'INT8', 'INT8 × INT4 weights', 'INT16 × INT8 weights', HYBRID],
    reference: 'TFLM and TFLite',
    notes: [
      'Groups (input channels a multiple of the filter’s) and dilation.',
      'Zero points of the weights count as 0; for INT16, all zero points do.',
      COMPUTED,
      WIDE,
      DYNAMIC,
    ],
  },
  {
    op: 'DEPTHWISE_CONV_2D',
    types: ['FLOAT32', 'INT8', 'INT8 × INT4 weights', 'INT16 × INT8 weights', HYBRID],
    reference: 'TFLM and TFLite',
    notes: [
      'The shapes say the depth multiplier; the option is not looked at.',
      'INT16 takes an INT64 bias or none.',
      'Zero points of the weights count as 0; for INT16, all zero points do.',
      COMPUTED,
      DYNAMIC,
    ],
  },
  {
    op: 'TRANSPOSE_CONV',
    types: ['FLOAT32', 'INT8', 'INT16 × INT8 weights'],
    reference: 'TFLM',
    notes: [
      'Each output gathers what reaches it, so that no scratch memory is needed; TFLM keeps 32-bit sums of the whole output.',
      'A constant output shape must be that of the output; a computed one is not looked at, as in TFLM.',
      'INT16 also takes an INT16 bias.',
      WIDE,
    ],
  },
  {
    op: 'FULLY_CONNECTED',
    types: ['FLOAT32', 'INT8', 'INT8 × INT4 weights', 'INT16 × INT8 weights', HYBRID],
    reference: 'TFLM and TFLite',
    notes: [
      'The input is taken as rows as long as the weights’, whatever its dimensions; keep_num_dims is not needed.',
      'Per tensor the scales of input and weights are multiplied in float32, per channel in double.',
      'Weights with one scale may have a zero point; the bias must then have the scale of input times weights, within 0.02 output steps.',
      'INT4 weights have one scale.',
      COMPUTED,
      WIDE,
      DYNAMIC,
    ],
  },
  {
    op: 'BATCH_MATMUL',
    types: ['FLOAT32', 'INT8', 'INT16'],
    reference: 'TFLM',
    notes: [
      'Batches broadcast, in any number of dimensions. Nothing is transposed in memory.',
      'INT16 takes zero point 0 only, accumulates in 64 bits and rounds once.',
    ],
  },
];
