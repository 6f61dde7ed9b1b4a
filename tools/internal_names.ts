/**
 * Property names that only the chip side itself uses: minified bundles shorten them. Not in the list is what users see
 * (Model, ModelTensor, State, Memory, options, the store), what options tables call their fields, and what engines define.
 */
export const INTERNAL_NAMES = (
  'accesses active adopt args block bytes callees constant custom customOptions deprecatedBuiltinCode builtinCode customCode ' +
  'elided fixed fromOffset toOffset graph high low inPlace index info initially intermediates isVariable iterationsLeft ' +
  'kernel key label labels lifetime mainNodes metadata move moves multiplier node nodes of op opcodeIndex operatorCodes ' +
  'optionsTable optionsTag optionsType options2 options2Type customOptionsFormat mutatingVariableInputs offset parts place ' +
  'placed position prepared program quantization quantizedDimension resource results routine running scales scratch shift ' +
  'sparsity shapeSignature hasRank detailsType details signatures stateArguments stateBytes stateViews storage subgraph ' +
  'subgraphs tensors variable version view zeroPoints operators isVariable stepReals backup guard refresh find size ' +
  'largeCustomOptionsOffset largeCustomOptionsSize arenaBytes idle values views about current batches height width depth ' +
  'outHeight outWidth units unitsPerGroup filterHeight filterWidth filterDepth strideY strideX padY padX dilationY dilationX ' +
  'divideY divideX wUnit wTap biasType asymmetric activation filters wFeature wTime sizes strides before count'
).split(' ');
