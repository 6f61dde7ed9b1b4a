/** Reductions, pooling, resizing, and what runs along a sequence. */
import type { CatalogueEntry } from './entry';

const THREE = ['FLOAT32', 'INT8', 'INT16'];
const MOVED = ['FLOAT32', 'INT8', 'UINT8', 'BOOL', 'INT16', 'INT32', 'INT64'];
const EXTREME = ['FLOAT32', 'INT8', 'UINT8', 'INT16', 'INT32'];
const AXES = 'The axes must be constant.';

export const reduce: CatalogueEntry[] = [
  {
    op: 'MEAN',
    types: THREE,
    reference: 'TFLM',
    notes: [AXES, 'Integers: 1/n is folded into the multiplier, which is truncated.'],
  },
  { op: 'SUM', types: THREE, reference: 'TFLM', notes: [AXES] },
  {
    op: 'REDUCE_MAX',
    types: EXTREME,
    reference: 'TFLM and TFLite',
    notes: [AXES, 'Passes over NaN. Input and output must have the same quantization.'],
  },
  {
    op: 'REDUCE_MIN',
    types: EXTREME,
    reference: 'TFLM and TFLite',
    notes: [AXES, 'Passes over NaN. Input and output must have the same quantization.'],
  },
  { op: 'REDUCE_ALL', types: ['BOOL'], reference: 'TFLM', notes: [AXES] },
  { op: 'REDUCE_ANY', types: ['BOOL'], reference: 'TFLite', notes: [AXES] },
  { op: 'REDUCE_PROD', types: ['FLOAT32', 'INT32'], reference: 'TFLite', notes: [AXES, 'INT32 wraps.'] },
  {
    op: 'ARG_MAX',
    types: ['FLOAT32', 'INT8', 'UINT8', 'INT32'],
    reference: 'TFLM',
    notes: ['The axis must be constant, the output INT32. The first of equals; NaN only if it comes first.'],
  },
  {
    op: 'ARG_MIN',
    types: ['FLOAT32', 'INT8', 'UINT8', 'INT32'],
    reference: 'TFLM',
    notes: ['The axis must be constant, the output INT32. The first of equals; NaN only if it comes first.'],
  },
  {
    op: 'CUMSUM',
    types: ['FLOAT32', 'INT8', 'INT32'],
    reference: 'TFLM and TFLite',
    notes: ['The axis must be constant. An INT8 sum starts at −zero point, not at 0. INT32 wraps.'],
  },
  {
    op: 'AVERAGE_POOL_2D',
    types: THREE,
    reference: 'TFLM',
    notes: ['Integers are not requantized, and rounded half away from zero.'],
  },
  { op: 'MAX_POOL_2D', types: THREE, reference: 'TFLM', notes: ['Integers are not requantized.'] },
  { op: 'L2_POOL_2D', types: ['FLOAT32'], reference: 'TFLM', notes: [] },
  {
    op: 'RESIZE_BILINEAR',
    types: ['FLOAT32', 'INT8', 'UINT8', 'INT16'],
    reference: 'TFLM',
    notes: [
      'The size must be constant. Integers: positions in 1/1024, results rounded half away from zero.',
      'Enlarging integers several hundred times can take TFLM beyond the last row or column; here that one is repeated.',
    ],
  },
  {
    op: 'RESIZE_NEAREST_NEIGHBOR',
    types: MOVED,
    reference: 'TFLM',
    notes: ['The size must be constant. Takes the floor of the position, with align_corners it rounds.'],
  },
  {
    op: 'RANGE',
    types: ['FLOAT32', 'INT32'],
    reference: 'TFLite',
    notes: ['A range that turns out longer or shorter than the output is an error of the step.'],
  },
  {
    op: 'SEGMENT_SUM',
    types: ['FLOAT32', 'INT32'],
    reference: 'TFLite',
    notes: ['Segments may be missing: their sum is 0. TFLite refuses gaps.'],
  },
  { op: 'REVERSE_SEQUENCE', types: MOVED, reference: 'TFLite', notes: ['The lengths are INT32.'] },
  { op: 'MATRIX_DIAG', types: MOVED, reference: 'TFLite', notes: [] },
];
