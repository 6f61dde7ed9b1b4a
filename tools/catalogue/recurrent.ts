/** Recurrent operators, which keep their state in variable tensors. */
import type { CatalogueEntry } from './entry';

const FLOAT = 'FLOAT32';
const HYBRID = 'FLOAT32 × INT8 weights';
const QUANTIZED =
  'With INT8 weights, every row of the input and of the state is quantized to int8 by its own range in every step.';
const FEATURES =
  'Coupled gates, peephole weights, projection and layer normalization: not with integer inputs.';
const NO_ACTIVATION =
  'Without a fused activation, cell and output take values as they are; TFLite then reads memory that it has not written.';

export const recurrent: CatalogueEntry[] = [
  {
    op: 'SVDF',
    types: [FLOAT, HYBRID, 'INT8 × INT8 weights, INT8 state', 'INT8 × INT16 time weights, INT16 state'],
    reference: 'TFLM and TFLite',
    notes: [
      'FLOAT32 applies any fused activation, TANH and SIGN_BIT too; INT8 applies none.',
      'The bias may be absent; TFLM crashes then.',
      QUANTIZED,
    ],
  },
  {
    op: 'UNIDIRECTIONAL_SEQUENCE_LSTM',
    types: [FLOAT, HYBRID, 'INT8 × INT8 weights', 'INT16 × INT8 weights'],
    reference: 'TFLM and TFLite',
    notes: [
      'Integers compute as TFLM does, whose last bit may differ from TFLite’s; only the fused activation TANH.',
      'The output has the scale of the state, whatever its own is. Cell and projection are clipped where the clip is above 0.',
      FEATURES,
      NO_ACTIVATION,
      QUANTIZED,
    ],
  },
  {
    op: 'LSTM',
    types: [FLOAT, HYBRID],
    reference: 'TFLite',
    notes: [
      'The full kernel with 20 or 24 inputs; the basic kernel with 5, in FLOAT32.',
      NO_ACTIVATION,
      QUANTIZED,
    ],
  },
  {
    op: 'BIDIRECTIONAL_SEQUENCE_LSTM',
    types: [FLOAT, HYBRID],
    reference: 'TFLite',
    notes: [
      'Merged outputs with batches first and more than one batch, and an auxiliary input of another size than the input, are computed as meant; TFLite reads the wrong places.',
      'An auxiliary input without weights of its own is the input of the way back.',
      QUANTIZED,
    ],
  },
  {
    op: 'RNN',
    types: [FLOAT, HYBRID],
    reference: 'TFLite',
    notes: ['Any fused activation.', QUANTIZED],
  },
  {
    op: 'UNIDIRECTIONAL_SEQUENCE_RNN',
    types: [FLOAT, HYBRID],
    reference: 'TFLite',
    notes: ['Any fused activation.', QUANTIZED],
  },
  {
    op: 'BIDIRECTIONAL_SEQUENCE_RNN',
    types: [FLOAT, HYBRID],
    reference: 'TFLite',
    notes: [
      'With INT8 weights and steps first, TFLite runs through the sequence as often as it has steps; here once.',
      'With batches first, TFLite does not use an auxiliary input without weights; here it is the input of the way back.',
      QUANTIZED,
    ],
  },
];
