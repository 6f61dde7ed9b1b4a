/** TFLM's custom operators: the signal library, compressed weights, detection, streaming convolutions. */
import type { CatalogueEntry } from './entry';

function entry(
  op: string,
  types: string[],
  notes: string[] = [],
  reference: CatalogueEntry['reference'] = 'TFLM',
): CatalogueEntry {
  return { op, custom: true, types, reference, notes };
}

const ENERGIES = ['UINT32'];
const DECODED = ['INT8', 'INT16', 'INT32', 'INT64', 'FLOAT32', 'BOOL'];
const UNSEEN = 'Until the output is valid its values are left as they were in memory.';

export const custom: CatalogueEntry[] = [
  entry(
    'CIRCULAR_BUFFER',
    ['INT8'],
    [
      'The buffer starts at the zero point; it is state of the operator, where TFLM keeps it in the output tensor.',
      'With cycles_max above 1 the run ends here in all other steps. The model’s outputs then keep their values, and feedback does not happen.',
      'Without options cycles_max is found from the shape as TFLM does, counting the buffers of this model only; TFLM counts those of all models of a process.',
      'One that ends runs may stand in subgraph 0 only.',
    ],
  ),
  entry(
    'TFLite_Detection_PostProcess',
    ['FLOAT32'],
    [
      'Places without a detection are 0; without use_regular_nms TFLM leaves them as they are.',
      'Options that are missing are an error, but for detections_per_class (100) and use_regular_nms (false); TFLM takes them for 0.',
      'With several classes to a detection places are left out, and those beyond the output are lost; TFLM writes on beyond it.',
      'Of equal scores the earlier box and the lower class come first; with use_regular_nms TFLite has another order.',
    ],
    'TFLM and TFLite',
  ),
  entry(
    'TFLM_DECODE',
    [
      ...DECODED.map((type) => `${type} by lookup table or pruning`),
      'INT8 by Huffman codes of 16 or 32 bits',
      'INT16 by Huffman codes of 32 bits',
    ],
    [
      'Decodes in each step, so that the memory of weights is free for others once they are used.',
      'Indices outside of a lookup table and too few values are an error when the model is loaded, Huffman codes that lead nowhere in the first step; TFLM reads what is there.',
    ],
  ),
  entry('SignalWindow', ['INT16'], ['The input must be a multiple of the weights.']),
  entry('SignalFramer', ['INT16'], [UNSEEN]),
  entry(
    'SignalStacker',
    ['INT16'],
    [UNSEEN, 'A stacker_step beyond the stack is refused; TFLM’s buffer breaks.'],
  ),
  entry('SignalDelay', ['INT16']),
  entry('SignalOverlapAdd', ['INT16', 'FLOAT32']),
  entry(
    'SignalRfft',
    ['INT16', 'INT32', 'FLOAT32'],
    [
      'fft_length is even and at least 4; half of it has the factors 2, 3 and 5 only, since TFLM has no memory for others.',
      'INT16 and INT32 are divided by fft_length. They wrap where KISS FFT does.',
    ],
  ),
  entry('SignalIrfft', ['INT16', 'INT32', 'FLOAT32'], ['The same lengths as SignalRfft.']),
  entry(
    'SignalFftAutoScale',
    ['INT16'],
    ['An input of −32768 counts as the smallest until something else follows it.'],
  ),
  entry(
    'SignalEnergy',
    ['INT16 → UINT32'],
    ['Bins outside of start_index to end_index become 0; TFLM leaves them as they are.'],
  ),
  entry(
    'SignalFilterBank',
    ['UINT32 → UINT64'],
    ['Weights, starts and widths may be computed; bands outside of the input are an error.'],
  ),
  entry(
    'SignalFilterBankSquareRoot',
    ['UINT64 → UINT32'],
    ['Below 2³² a root is at most 65535, also where it would round to 65536.'],
  ),
  entry('SignalFilterBankSpectralSubtraction', ENERGIES),
  entry('SignalPCAN', ENERGIES, ['There must be 125 gains.']),
  entry(
    'SignalFilterBankLog',
    ['UINT32 → INT16'],
    [
      'As TFLM, between the 128 entries of its table it interpolates next to nothing.',
      'output_scale · ln(x) wraps beyond 2¹⁶; then the result is at most 32767.',
    ],
  ),
];
