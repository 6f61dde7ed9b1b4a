/** All operators. */
import { variableOperators } from '../variables/operators';
import { circularBufferOperators } from './circular_buffer';
import { decodeOperators } from './decode';
import { detectionOperators } from './detection';
import { signalChannelOperators } from './signal_channels';
import { signalFftOperators } from './signal_fft';
import { fftFloat32 } from './signal_fft_float32';
import { fftInt16, fftInt32 } from './signal_fft_integer';
import { signalFrameOperators } from './signal_frames';
import { signalSpectrumOperators } from './signal_spectrum';
import { argOperators } from './arg_extreme';
import { arithmeticOperators, squaredDifferenceOperators } from './arithmetic';
import { batchMatmulOperators } from './batch_matmul';
import { concatOperators } from './concat';
import { controlOperators } from './control';
import { convOperators } from './conv';
import { int16Types } from './correlate_int16';
import { depthwiseConvOperators } from './depthwise_conv';
import { broadcastOperators, fillOperators, rareFillOperators } from './fill';
import { fullyConnectedOperators } from './fully_connected';
import { embeddingOperators, gatherNdOperators, gatherOperators } from './gather';
import { joinOperators } from './join';
import { hybridTypes } from './hybrid';
import { mirrorPadOperators, padOperators } from './pad';
import { reshapeOperators } from './reshape';
import { scatterOperators } from './scatter';
import { searchOperators } from './search';
import { sliceOperators, updateSliceOperators } from './slice';
import { batchSpaceOperators, depthSpaceOperators } from './space';
import { splitOperators } from './split';
import { stridedSliceOperators } from './strided_slice';
import { reverseOperators, transposeOperators } from './transpose';
import { transposeConvOperators } from './transpose_conv';
import { l2PoolOperators, poolingOperators } from './pooling';
import { reduceExtremeOperators, reduceOperators, reduceProductOperators } from './reduce';
import { addNOperators } from './add_n';
import { binaryFunctionOperators } from './binary_functions';
import { comparisonOperators } from './comparison';
import { cumsumOperators } from './cumsum';
import { divisionOperators } from './division';
import { resizeOperators } from './resize';
import { selectOperators } from './select';
import { sequenceOperators } from './sequence';
import { leakyReluOperators, reluOperators, sigmoidOperators } from './activations';
import { castOperators, convertOperators } from './convert';
import { elementwiseOperators } from './elementwise';
import { l2NormOperators } from './l2norm';
import { smoothActivationOperators } from './smooth_activations';
import { logSoftmaxOperators, softmaxOperators } from './softmax';
import { int16Softmax } from './softmax_int16';
import { bidirectionalLstmOperators } from './bidirectional_lstm';
import { hybridLstm, hybridRnn, hybridSvdf } from './hybrid_recurrent';
import { lstmCellOperators } from './lstm_cell';
import { rnnOperators } from './rnn';
import { sequenceLstmOperators } from './sequence_lstm';
import { svdfOperators } from './svdf';

/** Rare types of operators with weights. */
const otherTypes = [int16Types, hybridTypes];

export const allOperators = joinOperators([
  reluOperators,
  leakyReluOperators,
  sigmoidOperators,
  smoothActivationOperators,
  elementwiseOperators,
  softmaxOperators([int16Softmax]),
  logSoftmaxOperators,
  l2NormOperators,
  convertOperators,
  castOperators,
  variableOperators,
  controlOperators,
  fullyConnectedOperators(otherTypes),
  convOperators(otherTypes),
  depthwiseConvOperators(otherTypes),
  transposeConvOperators(otherTypes),
  batchMatmulOperators,
  reshapeOperators,
  concatOperators,
  arithmeticOperators,
  squaredDifferenceOperators,
  poolingOperators,
  l2PoolOperators,
  reduceOperators,
  reduceExtremeOperators,
  reduceProductOperators,
  argOperators,
  addNOperators,
  binaryFunctionOperators,
  sequenceOperators,
  comparisonOperators,
  cumsumOperators,
  divisionOperators,
  resizeOperators,
  selectOperators,
  splitOperators,
  stridedSliceOperators,
  broadcastOperators,
  fillOperators,
  rareFillOperators,
  embeddingOperators,
  gatherNdOperators,
  gatherOperators,
  mirrorPadOperators,
  padOperators,
  sliceOperators,
  updateSliceOperators,
  batchSpaceOperators,
  depthSpaceOperators,
  reverseOperators,
  transposeOperators,
  searchOperators,
  scatterOperators,
  svdfOperators([hybridSvdf]),
  sequenceLstmOperators([hybridLstm]),
  lstmCellOperators([hybridLstm]),
  bidirectionalLstmOperators([hybridLstm]),
  rnnOperators([hybridRnn]),
  circularBufferOperators,
  decodeOperators,
  detectionOperators,
  signalChannelOperators,
  signalFftOperators([fftInt16, fftInt32, fftFloat32]),
  signalFrameOperators,
  signalSpectrumOperators,
]);
