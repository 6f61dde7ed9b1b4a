/** Operators with two operands, choices, sums of many. */
import type { CatalogueEntry } from './entry';

const ARITHMETIC = ['FLOAT32', 'INT8', 'INT16', 'INT32'];
const COMPARED = ['FLOAT32', 'INT8', 'INT32', 'INT64'];
const EXTREME = ['FLOAT32', 'INT8', 'UINT8', 'INT16', 'INT32', 'INT64'];
const MOVED = ['FLOAT32', 'INT8', 'UINT8', 'BOOL', 'INT16', 'INT32', 'INT64'];
const INT8_COMPARISON = 'INT8 operands may differ in scale; values closer than 1/256 are equal.';
const BY_ZERO = 'INT32 divided by 0 is an error of the step, as in TFLite; TFLM crashes.';

function comparison(op: string, types: string[]): CatalogueEntry {
  return { op, types, reference: 'TFLM', notes: [INT8_COMPARISON] };
}

/** All of them broadcast, in any number of dimensions. */
export const binary: CatalogueEntry[] = [
  {
    op: 'ADD',
    types: ARITHMETIC,
    reference: 'TFLM',
    notes: [
      'INT32 wraps and ignores the fused activation, as TFLM; TFLite applies it. INT16 takes any zero point.',
    ],
  },
  {
    op: 'SUB',
    types: ARITHMETIC,
    reference: 'TFLM',
    notes: ['INT32 wraps, then applies the fused activation. Ratios of scales are computed in float32.'],
  },
  {
    op: 'MUL',
    types: ARITHMETIC,
    reference: 'TFLM',
    notes: ['INT32 wraps, then applies the fused activation. INT16 takes zero point 0 only.'],
  },
  {
    op: 'DIV',
    types: ['FLOAT32', 'INT8', 'INT32'],
    reference: 'TFLM',
    notes: [
      'FLOAT32 x / 0 is ± the largest float, 0 / 0 NaN. INT32 truncates.',
      BY_ZERO,
      'So is INT8 by real 0.',
    ],
  },
  {
    op: 'FLOOR_DIV',
    types: ['FLOAT32', 'INT32'],
    reference: 'TFLM and TFLite',
    notes: ['A divisor of 0 is an error of the step.'],
  },
  {
    op: 'FLOOR_MOD',
    types: ['FLOAT32', 'INT32'],
    reference: 'TFLM and TFLite',
    notes: ['FLOAT32 x mod 0 is NaN.', BY_ZERO],
  },
  {
    op: 'SQUARED_DIFFERENCE',
    types: ARITHMETIC,
    reference: 'TFLM',
    notes: ['INT32 wraps. INT16 takes zero point 0 only.'],
  },
  {
    op: 'MAXIMUM',
    types: EXTREME,
    reference: 'TFLM',
    notes: [
      'Raw integers are compared, whatever their scales. Where one operand is NaN, the second is taken.',
    ],
  },
  {
    op: 'MINIMUM',
    types: EXTREME,
    reference: 'TFLM',
    notes: [
      'Raw integers are compared, whatever their scales. Where one operand is NaN, the second is taken.',
    ],
  },
  comparison('EQUAL', [...COMPARED, 'BOOL']),
  comparison('NOT_EQUAL', [...COMPARED, 'BOOL']),
  comparison('GREATER', COMPARED),
  comparison('GREATER_EQUAL', COMPARED),
  comparison('LESS', COMPARED),
  comparison('LESS_EQUAL', COMPARED),
  { op: 'LOGICAL_AND', types: ['BOOL'], reference: 'TFLM', notes: [] },
  { op: 'LOGICAL_OR', types: ['BOOL'], reference: 'TFLM', notes: [] },
  {
    op: 'ADD_N',
    types: ['FLOAT32', 'INT8'],
    reference: 'TFLM',
    notes: ['INT8 inputs have one scale and zero point; their sum starts at −zero point, not at 0.'],
  },
  { op: 'SELECT_V2', types: MOVED, reference: 'TFLM', notes: [] },
  {
    op: 'SELECT',
    types: MOVED,
    reference: 'TFLite',
    notes: ['The condition may stand for rows of both operands.'],
  },
  { op: 'POW', types: ['FLOAT32'], reference: 'TFLite', notes: [] },
  { op: 'ATAN2', types: ['FLOAT32'], reference: 'TFLite', notes: [] },
  {
    op: 'BITWISE_XOR',
    types: ['INT8', 'UINT8', 'INT16', 'UINT16', 'INT32', 'UINT32', 'BOOL'],
    reference: 'TFLite',
    notes: ['Compared with its definition: the TensorFlow Lite that tests run is older.'],
  },
  {
    op: 'RIGHT_SHIFT',
    types: ['INT8', 'UINT8', 'INT16', 'UINT16', 'INT32', 'UINT32'],
    reference: 'TFLite',
    notes: [
      'A shift is brought into the range of the type.',
      'Compared with its definition: the TensorFlow Lite that tests run is older.',
    ],
  },
];
