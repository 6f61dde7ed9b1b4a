/** Operator families as bundles see them: what each adds to a build that has only the loader. */
import { BUILTIN_OPERATORS } from '../lib/schema';
import type { Operators } from '../lib/graph';
import { bundle } from './bundle';

/** A family: the operators that come together, and the expression that joins them. */
export interface Family {
  name: string;
  /** What it has, for the table. */
  title: string;
  /** Module of the chip side, without extension. */
  module: string;
  /** Its export: operators, or a function that takes the rare types to add. */
  exported: string;
  /** Rare types that the function may be given: export and module of each; null where it is no function. */
  types: [exported: string, module: string][] | null;
}

function family(
  name: string,
  title: string,
  module: string,
  exported: string,
  types: Family['types'] = null,
): Family {
  return { name, title, module, exported, types };
}

const WEIGHTS: Family['types'] = [
  ['int16Types', 'ops/correlate_int16'],
  ['hybridTypes', 'ops/hybrid'],
];
const HYBRID_LSTM: Family['types'] = [['hybridLstm', 'ops/hybrid_recurrent']];

/** Names of the operators that a family gives. */
export function operatorsOf(family: Family): string[] {
  const exports = require(`../${family.module}`) as Record<
    string,
    Operators | ((types: never[]) => Operators)
  >;
  const exported = exports[family.exported];
  return Object.keys(typeof exported === 'function' ? exported([]) : exported);
}

/** In the order of the table in docs/bundles.md. */
export const FAMILIES: Family[] = [
  family('variables', 'VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE', 'variables/operators', 'variableOperators'),
  family('control', 'IF WHILE CALL_ONCE', 'ops/control', 'controlOperators'),
  family('dense', 'FULLY_CONNECTED', 'ops/fully_connected', 'fullyConnectedOperators', WEIGHTS),
  family('convolution', 'CONV_2D', 'ops/conv', 'convOperators', WEIGHTS),
  family('depthwise', 'DEPTHWISE_CONV_2D', 'ops/depthwise_conv', 'depthwiseConvOperators', WEIGHTS),
  family('transpose convolution', 'TRANSPOSE_CONV', 'ops/transpose_conv', 'transposeConvOperators', WEIGHTS),
  family('matrices', 'BATCH_MATMUL', 'ops/batch_matmul', 'batchMatmulOperators'),
  family('arithmetic', 'ADD SUB MUL', 'ops/arithmetic', 'arithmeticOperators'),
  family('division', 'DIV FLOOR_DIV FLOOR_MOD', 'ops/division', 'divisionOperators'),
  family(
    'comparison',
    'EQUAL … LESS_EQUAL, MAXIMUM MINIMUM, LOGICAL_AND LOGICAL_OR',
    'ops/comparison',
    'comparisonOperators',
  ),
  family('selection', 'SELECT SELECT_V2', 'ops/select', 'selectOperators'),
  family('relu', 'RELU and its kind', 'ops/activations', 'reluOperators'),
  family('sigmoid', 'LOGISTIC TANH', 'ops/activations', 'sigmoidOperators'),
  family(
    'smooth activations',
    'ELU HARD_SWISH GELU PRELU',
    'ops/smooth_activations',
    'smoothActivationOperators',
  ),
  family('elementwise', 'ABS NEG SQRT EXP …', 'ops/elementwise', 'elementwiseOperators'),
  family('softmax', 'SOFTMAX', 'ops/softmax', 'softmaxOperators', [['int16Softmax', 'ops/softmax_int16']]),
  family('quantize', 'QUANTIZE DEQUANTIZE', 'ops/convert', 'convertOperators'),
  family('cast', 'CAST', 'ops/convert', 'castOperators'),
  family('pooling', 'AVERAGE_POOL_2D MAX_POOL_2D', 'ops/pooling', 'poolingOperators'),
  family('reduction', 'MEAN SUM', 'ops/reduce', 'reduceOperators'),
  family('extremes', 'REDUCE_MAX REDUCE_MIN REDUCE_ALL REDUCE_ANY', 'ops/reduce', 'reduceExtremeOperators'),
  family('arguments', 'ARG_MAX ARG_MIN', 'ops/arg_extreme', 'argOperators'),
  family('resize', 'RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR', 'ops/resize', 'resizeOperators'),
  family('cumsum', 'CUMSUM', 'ops/cumsum', 'cumsumOperators'),
  family('reshape', 'RESHAPE SQUEEZE EXPAND_DIMS', 'ops/reshape', 'reshapeOperators'),
  family('concatenation', 'CONCATENATION PACK', 'ops/concat', 'concatOperators'),
  family('split', 'SPLIT SPLIT_V UNPACK', 'ops/split', 'splitOperators'),
  family('strided slice', 'STRIDED_SLICE', 'ops/strided_slice', 'stridedSliceOperators'),
  family('slice', 'SLICE', 'ops/slice', 'sliceOperators'),
  family('pad', 'PAD PADV2', 'ops/pad', 'padOperators'),
  family('transpose', 'TRANSPOSE', 'ops/transpose', 'transposeOperators'),
  family('gather', 'GATHER', 'ops/gather', 'gatherOperators'),
  family('space', 'SPACE_TO_DEPTH DEPTH_TO_SPACE', 'ops/space', 'depthSpaceOperators'),
  family('svdf', 'SVDF', 'ops/svdf', 'svdfOperators', [['hybridSvdf', 'ops/hybrid_recurrent']]),
  family('lstm', 'UNIDIRECTIONAL_SEQUENCE_LSTM', 'ops/sequence_lstm', 'sequenceLstmOperators', HYBRID_LSTM),
  family('lstm cell', 'LSTM', 'ops/lstm_cell', 'lstmCellOperators', HYBRID_LSTM),
  family(
    'bidirectional lstm',
    'BIDIRECTIONAL_SEQUENCE_LSTM',
    'ops/bidirectional_lstm',
    'bidirectionalLstmOperators',
    HYBRID_LSTM,
  ),
  family('rnn', 'RNN and its sequences', 'ops/rnn', 'rnnOperators', [['hybridRnn', 'ops/hybrid_recurrent']]),
  family('leaky relu', 'LEAKY_RELU', 'ops/activations', 'leakyReluOperators'),
  family('log softmax', 'LOG_SOFTMAX', 'ops/softmax', 'logSoftmaxOperators'),
  family('l2 norm', 'L2_NORMALIZATION', 'ops/l2norm', 'l2NormOperators'),
  family('l2 pooling', 'L2_POOL_2D', 'ops/pooling', 'l2PoolOperators'),
  family('squared difference', 'SQUARED_DIFFERENCE', 'ops/arithmetic', 'squaredDifferenceOperators'),
  family('product', 'REDUCE_PROD', 'ops/reduce', 'reduceProductOperators'),
  family('sum of many', 'ADD_N', 'ops/add_n', 'addNOperators'),
  family(
    'functions of two',
    'POW ATAN2 BITWISE_XOR RIGHT_SHIFT',
    'ops/binary_functions',
    'binaryFunctionOperators',
  ),
  family('sequences', 'RANGE REVERSE_SEQUENCE SEGMENT_SUM MATRIX_DIAG', 'ops/sequence', 'sequenceOperators'),
  family('broadcast', 'BROADCAST_TO BROADCAST_ARGS TILE', 'ops/fill', 'broadcastOperators'),
  family('fill', 'SHAPE FILL ZEROS_LIKE', 'ops/fill', 'fillOperators'),
  family('rare fills', 'RANK ONE_HOT', 'ops/fill', 'rareFillOperators'),
  family('embedding', 'EMBEDDING_LOOKUP', 'ops/gather', 'embeddingOperators'),
  family('gather nd', 'GATHER_ND', 'ops/gather', 'gatherNdOperators'),
  family('mirror pad', 'MIRROR_PAD', 'ops/pad', 'mirrorPadOperators'),
  family('slice update', 'DYNAMIC_UPDATE_SLICE', 'ops/slice', 'updateSliceOperators'),
  family('batch space', 'SPACE_TO_BATCH_ND BATCH_TO_SPACE_ND', 'ops/space', 'batchSpaceOperators'),
  family('reverse', 'REVERSE_V2', 'ops/transpose', 'reverseOperators'),
  family('search', 'TOPK_V2 WHERE UNIQUE', 'ops/search', 'searchOperators'),
  family('scatter', 'SCATTER_ND SPARSE_TO_DENSE', 'ops/scatter', 'scatterOperators'),
  family('circular buffer', 'CIRCULAR_BUFFER', 'ops/circular_buffer', 'circularBufferOperators'),
  family('decode', 'TFLM_DECODE', 'ops/decode', 'decodeOperators'),
  family('detection', 'TFLite_Detection_PostProcess', 'ops/detection', 'detectionOperators'),
  family('signal frames', 'SignalFramer … SignalOverlapAdd', 'ops/signal_frames', 'signalFrameOperators'),
  family('signal spectrum', 'SignalWindow SignalEnergy …', 'ops/signal_spectrum', 'signalSpectrumOperators'),
  family('signal channels', 'SignalFilterBank …', 'ops/signal_channels', 'signalChannelOperators'),
  family('signal fft', 'SignalRfft SignalIrfft', 'ops/signal_fft', 'signalFftOperators', [
    ['fftInt16', 'ops/signal_fft_integer'],
    ['fftInt32', 'ops/signal_fft_integer'],
    ['fftFloat32', 'ops/signal_fft_float32'],
  ]),
];

/** What a build has beside its families. */
export interface BuildOptions {
  /** save, restore, the store and the keeper. */
  snapshots: boolean;
  /** load of names of files in Espruino's Storage; default false. */
  storage?: boolean;
  /** Rare types: int16 activations, float activations with int8 weights, all FFTs. */
  rareTypes: boolean;
}

/** Text of a module that loads models with these families' operators. */
export function entryOf(families: Family[], options: BuildOptions): string {
  const imports = new Set(
    families.map(({ exported, module }) => `import { ${exported} } from './${module}';`),
  );
  const joined = families.map(({ exported, types }) => {
    if (!types) return exported;
    const given = options.rareTypes ? types : [];
    for (const [type, module] of given) imports.add(`import { ${type} } from './${module}';`);
    return `${exported}([${given.map(([type]) => type).join(', ')}])`;
  });
  const names = families
    .flatMap(operatorsOf)
    .map((name) => [BUILTIN_OPERATORS.indexOf(name), name] as const)
    .filter(([code]) => code >= 0)
    .sort(([a], [b]) => a - b);
  return [
    `import { loadWith } from './lib/load';`,
    ...(options.storage ? [`import { loadStored } from './engines/espruino/stored';`] : []),
    `import { joinOperators, operatorNames } from './ops/join';`,
    ...imports,
    ...(options.snapshots
      ? [
          `import { enableSnapshots } from './variables/snapshot';`,
          `export { keep } from './variables/keeper';`,
          `export { espruinoBackend, memoryBackend, openStore } from './variables/store';`,
          `enableSnapshots();`,
        ]
      : []),
    `var operators = joinOperators([${joined.join(', ')}]);`,
    `var names = operatorNames('${names.map((pair) => pair.join(' ')).join(' ')}');`,
    ...(options.storage
      ? [
          `function loadBytes(model, options) { return loadWith(operators, names, model, options); }`,
          `export function load(model, options) { return typeof model === 'string' ? loadStored(model, options, loadBytes) : loadBytes(model, options); }`,
        ]
      : [`export function load(model, options) { return loadWith(operators, names, model, options); }`]),
  ].join('\n');
}

/** Minified bytes of a build with these families, without snapshots, Storage and rare types. */
export async function buildBytes(families: Family[]): Promise<number> {
  const entrySource = entryOf(families, { snapshots: false, storage: false, rareTypes: false });
  return Buffer.byteLength(await bundle({ entrySource, minify: true }));
}
