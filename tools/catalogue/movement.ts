/** Operators that move data: shapes, parts, slices, borders, gathers, and searches. */
import type { CatalogueEntry } from './entry';

const MOVED = ['FLOAT32', 'INT8', 'UINT8', 'BOOL', 'INT16', 'INT32', 'INT64', 'all others of whole bytes'];
const GATHERED = MOVED.filter((type) => type !== 'INT16');
const CHECKED =
  'A computed operand that only repeats the static shape is checked in each step; TFLM wants it constant.';
const STATIC = 'The output shape must be static; a step that finds another count is an error.';

function entry(
  op: string,
  notes: string[] = [],
  types: string[] = MOVED,
  reference: CatalogueEntry['reference'] = 'TFLM',
): CatalogueEntry {
  return { op, types, reference, notes };
}

export const movement: CatalogueEntry[] = [
  entry('RESHAPE', ['The output tensor’s own shape counts; the shape operand is not looked at, as in TFLM.']),
  entry('SQUEEZE', ['The output tensor’s own shape counts, if it has as many elements.']),
  entry('EXPAND_DIMS', ['The axis is constant.']),
  entry('CONCATENATION', [
    'Along the outermost axis, inputs are produced in place. Any number of inputs; TFLM takes ten.',
    'INT8 and UINT8 inputs must have the scale and zero point of the output; INT16 scales are not looked at.',
    'A fused activation is refused.',
  ]),
  entry('PACK'),
  entry('SPLIT', ['The axis is constant. Along the outermost axis, parts are views.']),
  entry('SPLIT_V', [
    'The axis is constant. The outputs’ own shapes count, the sizes are not looked at, as in TFLM.',
  ]),
  entry('UNPACK'),
  entry('STRIDED_SLICE', [
    'begin, end and strides are constant.',
    'ellipsis_mask, new_axis_mask and offset are ignored where the output’s shape agrees with that, as TFLM does; ' +
      'otherwise they mean what they do in TFLite. An ellipsis may also stand for no dimension (in TFLite not).',
    'An index that drops a dimension must lie within it; TFLM leaves the output unset.',
  ]),
  entry('SLICE', ['begin and size may be computed; a slice outside of the input is an error of the step.']),
  entry('DYNAMIC_UPDATE_SLICE', ['The start is moved so that the update fits, as in TFLM.']),
  entry('PAD', [
    'Paddings are constant. INT8 and UINT8 are filled with the zero point of the output, all others with 0: also ' +
      'INT16, as in TFLM.',
  ]),
  entry('PADV2', [
    'Paddings are constant; the value may be computed. An INT8 value must be quantized like the output.',
  ]),
  entry('MIRROR_PAD', [
    'Paddings are constant and at most what there is to mirror; TFLM repeats elements beyond.',
  ]),
  entry('TRANSPOSE', ['The permutation is constant.']),
  entry('REVERSE_V2', ['The axes are constant, and any; TFLM takes neighbouring ones.']),
  entry(
    'GATHER',
    [
      'Indices INT32 or INT64. One outside of the axis is an error of the step; TFLM reads outside.',
      'No INT16, as in TFLM.',
    ],
    GATHERED,
    'TFLM and TFLite',
  ),
  entry(
    'GATHER_ND',
    [
      'Indices INT32 or INT64. Each must lie within its dimension; TFLM looks at the resulting position only.',
    ],
    GATHERED,
  ),
  entry(
    'EMBEDDING_LOOKUP',
    ['Indices are INT32. An INT8 table with FLOAT32 rows has one scale and zero point 0.'],
    [...MOVED, 'INT8 table → FLOAT32'],
  ),
  entry('SPACE_TO_DEPTH'),
  entry('DEPTH_TO_SPACE'),
  entry('SPACE_TO_BATCH_ND', [
    'Block and paddings are constant; any number of block dimensions.',
    'Padding is the zero point in INT8 and UINT8, as in TFLite; TFLM takes it from memory that it never sets.',
  ]),
  entry('BATCH_TO_SPACE_ND', ['Block and crops are constant; any number of block dimensions.']),
  entry('SHAPE', [], ['any → INT32', 'any → INT64'], 'TFLM and TFLite'),
  entry('RANK', [], ['any → INT32'], 'TFLite'),
  entry('ZEROS_LIKE', ['Stored zeros, also where the zero point is another.']),
  entry('FILL', [CHECKED], MOVED, 'TFLM and TFLite'),
  entry('BROADCAST_TO', [CHECKED]),
  entry('BROADCAST_ARGS', [], ['INT32', 'INT64']),
  entry('TILE', [], MOVED, 'TFLite'),
  entry('WHERE', [STATIC], ['BOOL', 'INT8', 'UINT8', 'INT32', 'UINT32', 'FLOAT32'], 'TFLite'),
  entry('UNIQUE', [STATIC], ['FLOAT32', 'INT8', 'UINT8', 'BOOL', 'INT32', 'UINT32', 'INT64'], 'TFLite'),
  entry(
    'TOPK_V2',
    ['Equal values keep their order.'],
    ['FLOAT32', 'INT8', 'UINT8', 'INT16', 'INT32'],
    'TFLite',
  ),
  entry(
    'SCATTER_ND',
    ['Updates of one place add up; integers wrap.'],
    ['FLOAT32', 'INT8', 'UINT8', 'INT32'],
    'TFLite',
  ),
  entry('SPARSE_TO_DENSE', ['One value may serve all places.'], MOVED, 'TFLite'),
  entry('ONE_HOT', ['An index outside of the depth gives `off` everywhere.'], MOVED, 'TFLite'),
];
