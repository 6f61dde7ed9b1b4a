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
  /** Arguments of the function, '' where there is none. */
  call: string;
}

function family(name: string, title: string, module: string, exported: string, call = ''): Family {
  return { name, title, module, exported, call };
}

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
  family('dense', 'FULLY_CONNECTED', 'ops/fully_connected', 'fullyConnectedOperators', '([])'),
  family('convolution', 'CONV_2D', 'ops/conv', 'convOperators', '([])'),
  family('depthwise', 'DEPTHWISE_CONV_2D', 'ops/depthwise_conv', 'depthwiseConvOperators', '([])'),
  family('transpose convolution', 'TRANSPOSE_CONV', 'ops/transpose_conv', 'transposeConvOperators', '([])'),
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
  family('softmax', 'SOFTMAX', 'ops/softmax', 'softmaxOperators', '([])'),
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
  family('svdf', 'SVDF', 'ops/svdf', 'svdfOperators', '([])'),
];

/** Text of a module that loads models with these families' operators. */
export function entryOf(families: Family[], snapshots: boolean): string {
  const imports = families.map(({ exported, module }) => `import { ${exported} } from './${module}';`);
  const names = families
    .flatMap(operatorsOf)
    .map((name) => [BUILTIN_OPERATORS.indexOf(name), name] as const)
    .filter(([code]) => code >= 0)
    .sort(([a], [b]) => a - b);
  return [
    `import { loadWith } from './lib/load';`,
    `import { joinOperators, operatorNames } from './ops/join';`,
    ...new Set(imports),
    ...(snapshots
      ? [
          `import { enableSnapshots } from './variables/snapshot';`,
          `export { keep } from './variables/keeper';`,
          `export { espruinoBackend, memoryBackend, openStore } from './variables/store';`,
          `enableSnapshots();`,
        ]
      : []),
    `var operators = joinOperators([${families.map(({ exported, call }) => exported + call).join(', ')}]);`,
    `var names = operatorNames('${names.map((pair) => pair.join(' ')).join(' ')}');`,
    `export function load(model, options) { return loadWith(operators, names, model, options); }`,
  ].join('\n');
}

/** Minified bytes of a build with these families, without snapshots. */
export async function buildBytes(families: Family[]): Promise<number> {
  return Buffer.byteLength(await bundle({ entrySource: entryOf(families, false), minify: true }));
}
