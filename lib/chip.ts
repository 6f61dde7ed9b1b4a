/**
 * The selection for chips: what streaming models with state are made of (gated recurrent units and integrators of basic
 * operators, SVDF, streaming convolutions), in float32 and int8. A build of your own works the same way; see
 * docs/bundles.md.
 */
import { LoadOptions, loadWith } from './load';
import { Model } from './model';
import { loadStored } from '../engines/espruino/stored';
import { reluOperators, sigmoidOperators } from '../ops/activations';
import { arithmeticOperators } from '../ops/arithmetic';
import { concatOperators } from '../ops/concat';
import { controlOperators } from '../ops/control';
import { convOperators } from '../ops/conv';
import { convertOperators } from '../ops/convert';
import { depthwiseConvOperators } from '../ops/depthwise_conv';
import { fullyConnectedOperators } from '../ops/fully_connected';
import { joinOperators, operatorNames } from '../ops/join';
import { reshapeOperators } from '../ops/reshape';
import { softmaxOperators } from '../ops/softmax';
import { splitOperators } from '../ops/split';
import { stridedSliceOperators } from '../ops/strided_slice';
import { svdfOperators } from '../ops/svdf';
import { enableSnapshots } from '../variables/snapshot';
import { variableOperators } from '../variables/operators';

export { keep } from '../variables/keeper';
export { espruinoBackend, memoryBackend, openStore } from '../variables/store';

const operators = joinOperators([
  variableOperators,
  controlOperators,
  fullyConnectedOperators([]),
  convOperators([]),
  depthwiseConvOperators([]),
  arithmeticOperators,
  concatOperators,
  splitOperators,
  stridedSliceOperators,
  reshapeOperators,
  reluOperators,
  sigmoidOperators,
  convertOperators,
  softmaxOperators([]),
  svdfOperators([]),
]);

const names = operatorNames(
  '0 ADD 2 CONCATENATION 3 CONV_2D 4 DEPTHWISE_CONV_2D 6 DEQUANTIZE 9 FULLY_CONNECTED 14 LOGISTIC 18 MUL 19 RELU ' +
    '20 RELU_N1_TO_1 21 RELU6 22 RESHAPE 25 SOFTMAX 27 SVDF 28 TANH 41 SUB 43 SQUEEZE 45 STRIDED_SLICE 49 SPLIT ' +
    '70 EXPAND_DIMS 83 PACK 88 UNPACK 102 SPLIT_V 114 QUANTIZE 118 IF 119 WHILE 129 CALL_ONCE 142 VAR_HANDLE ' +
    '143 READ_VARIABLE 144 ASSIGN_VARIABLE',
);

enableSnapshots();

function loadBytes(model: ArrayBuffer | Uint8Array, options?: LoadOptions): Model {
  return loadWith(operators, names, model, options);
}

/**
 * Loads a model; see lib/index.ts.
 * @param model its bytes, or on Espruino the name of a .tflite file or a packed module in Storage
 */
export function load(model: ArrayBuffer | Uint8Array | string, options?: LoadOptions): Model {
  return typeof model === 'string' ? loadStored(model, options, loadBytes) : loadBytes(model, options);
}
