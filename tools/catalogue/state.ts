/** Variables and control flow. */
import type { CatalogueEntry } from './entry';

const ANY = ['any'];

export const state: CatalogueEntry[] = [
  {
    op: 'VAR_HANDLE',
    types: ['RESOURCE'],
    reference: 'TFLM and TFLite',
    notes: [
      'A variable is known by container and shared name in all subgraphs; an absent container matches any.',
    ],
  },
  {
    op: 'READ_VARIABLE',
    types: ANY,
    reference: 'TFLM and TFLite',
    notes: [
      'Copies nothing while no assignment falls into the time in which the value is used.',
      'On purpose: another type or size than the variable’s is refused (TFLM reinterprets the bytes), and so is a variable that nothing assigns (undefined in TFLM).',
    ],
  },
  {
    op: 'ASSIGN_VARIABLE',
    types: ANY,
    reference: 'TFLM and TFLite',
    notes: [
      'The producer writes straight into the variable where nobody needs the old value any more.',
      'On purpose: without a declared initial value a variable starts at the zero point of the first tensor assigned to it, in full width (TFLM: the low byte of it in every byte).',
    ],
  },
  {
    op: 'CALL_ONCE',
    types: ANY,
    reference: 'TFLM and TFLite',
    notes: [
      'On purpose: runs when a state is made, and reset gives its values again (TFLM: in the first invoke, never again).',
    ],
  },
  {
    op: 'IF',
    types: ANY,
    reference: 'TFLM and TFLite',
    notes: ['Subgraphs that call each other in a circle are refused.'],
  },
  {
    op: 'WHILE',
    types: ANY,
    reference: 'TFLM and TFLite',
    notes: ['At most 100,000 iterations, unless the option iterationLimit says otherwise (TFLM: no limit).'],
  },
];
