/** Making models: over streams, from TensorFlow.js, quantizing, and writing them as .tflite files. Node and browser. */
export { GraphBuilder, SubgraphBuilder } from './graph_builder';
export type { OpSettings, Quantization } from './graph_builder';
export { readModel } from './options';
export { random } from './random';
export { compareModels } from './quantize/compare';
export type { Comparison, Difference, ErrorOverTime } from './quantize/compare';
export { quantizeModel } from './quantize/index';
export type { Pair, Quantized, QuantizeOptions } from './quantize/index';
export { findLoops } from './find_loops';
export { statify, unstatify } from './statify';
export { strip } from './strip';
export { writeModel } from './writer';
export { StreamModel } from './stream/model';
export type { Stream, Values } from './stream/layer';
export type { Activation } from './stream/activations';
export type * from './stream/options';
export { importArtifacts, importLayersModel, importSavedModel } from './import_tfjs';
export type { ImportOptions, LayersModel, ModelArtifacts } from './import_tfjs';
