/** Options of the layers of a StreamModel. Weights that are left out are drawn at random from the model's seed. */
import type { Activation } from './activations';
import type { Values } from './layer';

export interface DenseOptions {
  /** Number of outputs. */
  units: number;
  /** linear when left out. */
  activation?: Activation;
  /** [inputs, units]; random when left out. */
  kernel?: Values;
  /** [units]; 0 when left out, none when null. */
  bias?: Values | null;
}

interface RecurrentOptions {
  /** Number of outputs, and of values of the state. */
  units: number;
  /** tanh when left out. */
  activation?: Activation;
  /** [inputs, gates · units]; random when left out. Gates: z, r, n (GRU); i, f, g, o (LSTM); one (simple layer). */
  kernel?: Values;
  /** [units, gates · units]; random when left out. */
  recurrentKernel?: Values;
  /** [gates · units], for a GRU with resetAfter [2, 3 · units]: of the inputs, of the state. 0 when left out. */
  bias?: Values | null;
}

export interface SimpleRnnOptions extends RecurrentOptions {
  /** State before the first reading, [units]; 0 when left out. */
  initial?: Values;
}

export interface GruOptions extends SimpleRnnOptions {
  /** Whether the reset gate acts after the product with the state (default, as in Keras) or before it. */
  resetAfter?: boolean;
  /** Of the gates; sigmoid when left out. */
  recurrentActivation?: Activation;
}

export interface LstmOptions extends RecurrentOptions {
  /** Of the gates; sigmoid when left out. */
  recurrentActivation?: Activation;
  /** Output before the first reading, [units]; 0 when left out. */
  initialH?: Values;
  /** Cell before the first reading, [units]; 0 when left out. */
  initialC?: Values;
}

/** What layers that look back in time have in common. */
export interface TimeOptions {
  /**
   * causal (default): readings before the first one are `initial`, every output counts.
   * valid: outputs count only once the window is full of readings; layers with state wait for that.
   */
  padding?: 'causal' | 'valid';
  /** Readings from one that is looked at to the next; 1 when left out. */
  dilation?: number;
  /** Frames before the first reading, oldest first, [(size − 1) · dilation, ...shape of a reading]; 0 when left out. */
  initial?: Values;
}

export interface WindowOptions extends TimeOptions {
  /** Number of readings that are looked at, the current one among them. */
  size: number;
}

export interface LagOptions extends Omit<TimeOptions, 'dilation'> {
  /** How many readings back; 1 when left out. */
  readings?: number;
}

export interface Conv1dOptions extends TimeOptions {
  /** Number of outputs. */
  filters: number;
  /** Number of readings that are looked at, the current one among them. */
  size: number;
  activation?: Activation;
  /** [size, features, filters], oldest reading first; random when left out. */
  kernel?: Values;
  /** [filters]; 0 when left out, none when null. */
  bias?: Values | null;
}

export interface DepthwiseConv1dOptions extends TimeOptions {
  /** Number of readings that are looked at, the current one among them. */
  size: number;
  /** Outputs for each feature; 1 when left out. */
  multiplier?: number;
  activation?: Activation;
  /** [size, features, multiplier], oldest reading first; random when left out. */
  kernel?: Values;
  /** [features · multiplier]; 0 when left out, none when null. */
  bias?: Values | null;
}

/** How a kernel moves over the bands of a reading. */
export interface BandOptions {
  /** Bands that the kernel covers; 1 when left out. */
  bands?: number;
  /** 1 when left out. */
  bandStride?: number;
  /** 1 when left out. */
  bandDilation?: number;
  /** Whether bands beyond the edges count as 0 (same) or are not looked at (valid, default). */
  bandPadding?: 'same' | 'valid';
}

/** kernel: [size, bands, channels, filters]. */
export interface Conv2dOptions extends Conv1dOptions, BandOptions {}

/** kernel: [size, bands, channels, multiplier]. */
export interface DepthwiseConv2dOptions extends DepthwiseConv1dOptions, BandOptions {}

export interface BatchNormalizationOptions {
  /** Scale, one for each value of the last dimension; 1 when left out. */
  gamma?: Values;
  /** Offset; 0 when left out. */
  beta?: Values;
  /** Means in training. */
  mean: Values;
  /** Variances in training. */
  variance: Values;
  /** 0.001 when left out. */
  epsilon?: number;
}

export interface MovingAverageOptions {
  /** Share of a new reading, above 0 and at most 1: 1 − decay. */
  rate: number;
  /** Average before the first reading, [size]; 0 when left out. */
  initial?: Values;
}

export interface RunningNormalizationOptions {
  /** Share of a new reading in mean and variance, above 0 and at most 1; 0.01 when left out. */
  rate?: number;
  /** Added to the variance; 0.001 when left out. */
  epsilon?: number;
  /** Mean before the first reading, [size]; 0 when left out. */
  mean?: Values;
  /** Variance before the first reading, [size]; 1 when left out. */
  variance?: Values;
}

export interface StreamModelOptions {
  /** Of the random numbers for weights that are left out; 1 when left out. */
  seed?: number;
  /** Goes into the file. */
  description?: string;
}
