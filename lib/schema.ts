/**
 * The TFLite schema as data: names of types and operators, and the fields of each options table.
 * The reader and the writer both work from here. Source: tensorflow/lite/schema/schema.fbs, version 3.
 *
 * An options table is one string: `union tag|field:kind=default,…` in slot order. Kinds: `b` byte or byte enum,
 * `o` bool, `i` int32, `u` uint32, `l` int64 (as a number), `f` float32, `s` string, `I` vector of int32,
 * `L` vector of int64, `F` vector of float32 (host tools only). Without `=default` the default is 0. A field that nothing
 * reads any more is written `-:kind`, since its slot still counts.
 *
 * All tables of the union BuiltinOptions are here. BuiltinOptions2 is left out: but for DILATE it belongs to the
 * STABLEHLO operators, which are subject to change and which no microcontroller runtime has.
 */

/** Version of the schema that is read and written. */
export const SCHEMA_VERSION = 3;

/** File identifier of a .tflite file (bytes 4..8). */
export const FILE_IDENTIFIER = 'TFL3';

/** Names of tensor types; the place in this list is the number in the file. */
export const TENSOR_TYPES =
  'FLOAT32 FLOAT16 INT32 UINT8 INT64 STRING BOOL INT16 COMPLEX64 INT8 FLOAT64 COMPLEX128 UINT64 RESOURCE VARIANT UINT32 UINT16 INT4 BFLOAT16 INT2 UINT4 FLOAT8_E4M3FN FLOAT8_E5M2'.split(
    ' ',
  );

/** Slots of the tables that make up a model (field number; a union takes two). */
export const MODEL = {
  version: 0,
  operatorCodes: 1,
  subgraphs: 2,
  description: 3,
  buffers: 4,
  metadata: 6,
  signatures: 7,
};
export const OPERATOR_CODE = { deprecatedBuiltinCode: 0, customCode: 1, version: 2, builtinCode: 3 };
export const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2, operators: 3, name: 4 };
export const TENSOR = {
  shape: 0,
  type: 1,
  buffer: 2,
  name: 3,
  quantization: 4,
  isVariable: 5,
  sparsity: 6,
  shapeSignature: 7,
  hasRank: 8,
};
export const QUANTIZATION = {
  min: 0,
  max: 1,
  scale: 2,
  zeroPoint: 3,
  detailsType: 4,
  details: 5,
  quantizedDimension: 6,
};
export const OPERATOR = {
  opcodeIndex: 0,
  inputs: 1,
  outputs: 2,
  optionsType: 3,
  options: 4,
  customOptions: 5,
  customOptionsFormat: 6,
  mutatingVariableInputs: 7,
  intermediates: 8,
  largeCustomOptionsOffset: 9,
  largeCustomOptionsSize: 10,
  options2Type: 11,
  options2: 12,
};
export const BUFFER = { data: 0, offset: 1, size: 2 };
export const METADATA = { name: 0, buffer: 1 };

/** Fused activations by number (ActivationFunctionType). */
export const NONE = 0,
  RELU = 1,
  RELU_N1_TO_1 = 2,
  RELU6 = 3,
  TANH = 4,
  SIGN_BIT = 5;

/** Padding by number. */
export const SAME = 0,
  VALID = 1;

/** Names of the builtin operators; the place in this list is the code in the file. `~` is short for STABLEHLO_. */
export const BUILTIN_OPERATORS =
  /* @__PURE__ */ 'ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2 UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT ~LOGISTIC ~ADD ~DIVIDE ~MULTIPLY ~MAXIMUM ~RESHAPE ~CLAMP ~CONCATENATE ~BROADCAST_IN_DIM ~CONVOLUTION ~SLICE ~CUSTOM_CALL ~REDUCE ~ABS ~AND ~COSINE ~EXPONENTIAL ~FLOOR ~LOG ~MINIMUM ~NEGATE ~OR ~POWER ~REMAINDER ~RSQRT ~SELECT ~SUBTRACT ~TANH ~SCATTER ~COMPARE ~CONVERT ~DYNAMIC_SLICE ~DYNAMIC_UPDATE_SLICE ~PAD ~IOTA ~DOT_GENERAL ~REDUCE_WINDOW ~SORT ~WHILE ~GATHER ~TRANSPOSE DILATE ~RNG_BIT_GENERATOR REDUCE_WINDOW ~COMPOSITE ~SHIFT_LEFT ~CBRT ~CASE'
    .split('~')
    .join('STABLEHLO_')
    .split(' ');

// Options tables, one constant each so that a bundle holds only those that its operators ask for.
export const CONV_2D_OPTIONS =
  '1|padding:b,stride_w:i,stride_h:i,fused_activation_function:b,dilation_w_factor:i=1,dilation_h_factor:i=1,quantized_bias_type:b';
export const DEPTHWISE_CONV_2D_OPTIONS =
  '2|padding:b,stride_w:i,stride_h:i,depth_multiplier:i,fused_activation_function:b,dilation_w_factor:i=1,dilation_h_factor:i=1';
export const CONCAT_EMBEDDINGS_OPTIONS =
  '3|num_channels:i,num_columns_per_channel:I,embedding_dim_per_channel:I';
export const LSH_PROJECTION_OPTIONS = '4|type:b';
export const POOL_2D_OPTIONS =
  '5|padding:b,stride_w:i,stride_h:i,filter_width:i,filter_height:i,fused_activation_function:b';
export const SVDF_OPTIONS = '6|rank:i,fused_activation_function:b,asymmetric_quantize_inputs:o';
export const RNN_OPTIONS = '7|fused_activation_function:b,asymmetric_quantize_inputs:o';
export const FULLY_CONNECTED_OPTIONS =
  '8|fused_activation_function:b,weights_format:b,keep_num_dims:o,asymmetric_quantize_inputs:o,quantized_bias_type:b';
export const SOFTMAX_OPTIONS = '9|beta:f';
export const CONCATENATION_OPTIONS = '10|axis:i,fused_activation_function:b';
export const ADD_OPTIONS = '11|fused_activation_function:b,pot_scale_int16:o=1';
export const L2_NORM_OPTIONS = '12|fused_activation_function:b';
export const LOCAL_RESPONSE_NORMALIZATION_OPTIONS = '13|radius:i,bias:f,alpha:f,beta:f';
export const LSTM_OPTIONS =
  '14|fused_activation_function:b,cell_clip:f,proj_clip:f,kernel_type:b,asymmetric_quantize_inputs:o';
export const RESIZE_BILINEAR_OPTIONS = '15|-:i,-:i,align_corners:o,half_pixel_centers:o';
export const CALL_OPTIONS = '16|subgraph:u';
export const RESHAPE_OPTIONS = '17|new_shape:I';
export const SKIP_GRAM_OPTIONS = '18|ngram_size:i,max_skip_size:i,include_all_ngrams:o';
export const SPACE_TO_DEPTH_OPTIONS = '19|block_size:i';
export const EMBEDDING_LOOKUP_SPARSE_OPTIONS = '20|combiner:b';
export const MUL_OPTIONS = '21|fused_activation_function:b';
export const PAD_OPTIONS = '22|';
export const GATHER_OPTIONS = '23|axis:i,batch_dims:i';
export const BATCH_TO_SPACE_ND_OPTIONS = '24|';
export const SPACE_TO_BATCH_ND_OPTIONS = '25|';
export const TRANSPOSE_OPTIONS = '26|';
export const REDUCER_OPTIONS = '27|keep_dims:o';
export const SUB_OPTIONS = '28|fused_activation_function:b,pot_scale_int16:o=1';
export const DIV_OPTIONS = '29|fused_activation_function:b';
export const SQUEEZE_OPTIONS = '30|squeeze_dims:I';
export const SEQUENCE_RNN_OPTIONS =
  '31|time_major:o,fused_activation_function:b,asymmetric_quantize_inputs:o';
export const STRIDED_SLICE_OPTIONS =
  '32|begin_mask:i,end_mask:i,ellipsis_mask:i,new_axis_mask:i,shrink_axis_mask:i,offset:o';
export const EXP_OPTIONS = '33|';
export const TOPK_V2_OPTIONS = '34|';
export const SPLIT_OPTIONS = '35|num_splits:i';
export const LOG_SOFTMAX_OPTIONS = '36|';
export const CAST_OPTIONS = '37|in_data_type:b,out_data_type:b';
export const DEQUANTIZE_OPTIONS = '38|';
export const MAXIMUM_MINIMUM_OPTIONS = '39|';
export const ARG_MAX_OPTIONS = '40|output_type:b';
export const LESS_OPTIONS = '41|';
export const NEG_OPTIONS = '42|';
export const PADV2_OPTIONS = '43|';
export const GREATER_OPTIONS = '44|';
export const GREATER_EQUAL_OPTIONS = '45|';
export const LESS_EQUAL_OPTIONS = '46|';
export const SELECT_OPTIONS = '47|';
export const SLICE_OPTIONS = '48|';
export const TRANSPOSE_CONV_OPTIONS =
  '49|padding:b,stride_w:i,stride_h:i,fused_activation_function:b,quantized_bias_type:b';
export const SPARSE_TO_DENSE_OPTIONS = '50|validate_indices:o';
export const TILE_OPTIONS = '51|';
export const EXPAND_DIMS_OPTIONS = '52|';
export const EQUAL_OPTIONS = '53|';
export const NOT_EQUAL_OPTIONS = '54|';
export const SHAPE_OPTIONS = '55|out_type:b';
export const POW_OPTIONS = '56|';
export const ARG_MIN_OPTIONS = '57|output_type:b';
export const FAKE_QUANT_OPTIONS = '58|min:f,max:f,num_bits:i,narrow_range:o';
export const PACK_OPTIONS = '59|values_count:i,axis:i';
export const LOGICAL_OR_OPTIONS = '60|';
export const ONE_HOT_OPTIONS = '61|axis:i';
export const LOGICAL_AND_OPTIONS = '62|';
export const LOGICAL_NOT_OPTIONS = '63|';
export const UNPACK_OPTIONS = '64|num:i,axis:i';
export const FLOOR_DIV_OPTIONS = '65|';
export const SQUARE_OPTIONS = '66|';
export const ZEROS_LIKE_OPTIONS = '67|';
export const FILL_OPTIONS = '68|';
export const BIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS =
  '69|fused_activation_function:b,cell_clip:f,proj_clip:f,merge_outputs:o,time_major:o=1,asymmetric_quantize_inputs:o';
export const BIDIRECTIONAL_SEQUENCE_RNN_OPTIONS =
  '70|time_major:o,fused_activation_function:b,merge_outputs:o,asymmetric_quantize_inputs:o';
export const UNIDIRECTIONAL_SEQUENCE_LSTM_OPTIONS =
  '71|fused_activation_function:b,cell_clip:f,proj_clip:f,time_major:o,asymmetric_quantize_inputs:o,diagonal_recurrent_tensors:o';
export const FLOOR_MOD_OPTIONS = '72|';
export const RANGE_OPTIONS = '73|';
export const RESIZE_NEAREST_NEIGHBOR_OPTIONS = '74|align_corners:o,half_pixel_centers:o';
export const LEAKY_RELU_OPTIONS = '75|alpha:f';
export const SQUARED_DIFFERENCE_OPTIONS = '76|';
export const MIRROR_PAD_OPTIONS = '77|mode:b';
export const ABS_OPTIONS = '78|';
export const SPLIT_V_OPTIONS = '79|num_splits:i';
export const UNIQUE_OPTIONS = '80|idx_out_type:b=2';
export const REVERSE_V2_OPTIONS = '81|';
export const ADD_N_OPTIONS = '82|';
export const GATHER_ND_OPTIONS = '83|';
export const COS_OPTIONS = '84|';
export const WHERE_OPTIONS = '85|';
export const RANK_OPTIONS = '86|';
export const REVERSE_SEQUENCE_OPTIONS = '87|seq_dim:i,batch_dim:i';
export const MATRIX_DIAG_OPTIONS = '88|';
export const QUANTIZE_OPTIONS = '89|';
export const MATRIX_SET_DIAG_OPTIONS = '90|';
export const HARD_SWISH_OPTIONS = '91|';
export const IF_OPTIONS = '92|then_subgraph_index:i,else_subgraph_index:i';
export const WHILE_OPTIONS = '93|cond_subgraph_index:i,body_subgraph_index:i';
export const DEPTH_TO_SPACE_OPTIONS = '94|block_size:i';
export const NON_MAX_SUPPRESSION_V4_OPTIONS = '95|';
export const NON_MAX_SUPPRESSION_V5_OPTIONS = '96|';
export const SCATTER_ND_OPTIONS = '97|';
export const SELECT_V2_OPTIONS = '98|';
export const DENSIFY_OPTIONS = '99|';
export const SEGMENT_SUM_OPTIONS = '100|';
export const BATCH_MATMUL_OPTIONS = '101|adj_x:o,adj_y:o,asymmetric_quantize_inputs:o';
export const CUMSUM_OPTIONS = '102|exclusive:o,reverse:o';
export const CALL_ONCE_OPTIONS = '103|init_subgraph_index:i';
export const BROADCAST_TO_OPTIONS = '104|';
export const RFFT2D_OPTIONS = '105|';
export const CONV_3D_OPTIONS =
  '106|padding:b,stride_d:i,stride_w:i,stride_h:i,fused_activation_function:b,dilation_d_factor:i=1,dilation_w_factor:i=1,dilation_h_factor:i=1';
export const HASHTABLE_OPTIONS = '107|table_id:i,key_dtype:b,value_dtype:b';
export const HASHTABLE_FIND_OPTIONS = '108|';
export const HASHTABLE_IMPORT_OPTIONS = '109|';
export const HASHTABLE_SIZE_OPTIONS = '110|';
export const VAR_HANDLE_OPTIONS = '111|container:s,shared_name:s';
export const READ_VARIABLE_OPTIONS = '112|';
export const ASSIGN_VARIABLE_OPTIONS = '113|';
export const RANDOM_OPTIONS = '114|seed:l,seed2:l';
export const BUCKETIZE_OPTIONS = '115|boundaries:F';
export const GELU_OPTIONS = '116|approximate:o';
export const DYNAMIC_UPDATE_SLICE_OPTIONS = '117|';
export const UNSORTED_SEGMENT_PROD_OPTIONS = '118|';
export const UNSORTED_SEGMENT_MAX_OPTIONS = '119|';
export const UNSORTED_SEGMENT_MIN_OPTIONS = '120|';
export const UNSORTED_SEGMENT_SUM_OPTIONS = '121|';
export const ATAN2_OPTIONS = '122|';
export const SIGN_OPTIONS = '123|';
export const BITCAST_OPTIONS = '124|';
export const BITWISE_XOR_OPTIONS = '125|';
export const RIGHT_SHIFT_OPTIONS = '126|';
