/** All layers of models over streams, by what they are to show. */
import { random, type Stream, type StreamModel } from '../../author/index';

/** Layers on an input of 4 features, by name. */
export const ON_FEATURES: Record<string, (m: StreamModel, x: Stream) => Stream> = {
  'dense with each activation': (m, x) =>
    m.concat(
      'all',
      (
        ['linear', 'relu', 'relu6', 'tanh', 'sigmoid', 'hard_sigmoid', 'elu', 'swish', 'softmax'] as const
      ).map((activation) => m.dense(activation, x, { units: 3, activation })),
    ),
  'dense without bias': (m, x) => m.dense('y', x, { units: 3, bias: null }),
  'gru, reset after': (m, x) => m.gru('y', x, { units: 6, bias: draw(36), initial: draw(6) }),
  'gru, reset before': (m, x) =>
    m.gru('y', x, { units: 6, bias: draw(18), resetAfter: false, initial: draw(6) }),
  'gru with hard_sigmoid': (m, x) => m.gru('y', x, { units: 3, recurrentActivation: 'hard_sigmoid' }),
  lstm: (m, x) => m.lstm('y', x, { units: 6, bias: draw(24), initialH: draw(6), initialC: draw(6) }),
  'simple rnn': (m, x) => m.simpleRnn('y', x, { units: 6, bias: draw(6), initial: draw(6) }),
  'conv1d, causal': (m, x) => m.conv1d('y', x, { filters: 5, size: 3, bias: draw(5), activation: 'relu' }),
  'conv1d, dilated, with initial frames': (m, x) =>
    m.conv1d('y', x, { filters: 5, size: 3, dilation: 2, initial: draw(16), activation: 'tanh' }),
  'conv1d of one reading': (m, x) => m.conv1d('y', x, { filters: 2, size: 1 }),
  'depthwise conv1d': (m, x) => m.depthwiseConv1d('y', x, { size: 4, multiplier: 2, bias: draw(8) }),
  'depthwise conv1d, dilated': (m, x) => m.depthwiseConv1d('y', x, { size: 3, dilation: 3 }),
  average: (m, x) => m.average('y', x, { size: 5 }),
  'average, dilated': (m, x) => m.average('y', x, { size: 3, dilation: 4 }),
  max: (m, x) => m.max('y', x, { size: 5, padding: 'valid' }),
  window: (m, x) => m.window('y', x, { size: 3, dilation: 2 }),
  delay: (m, x) => m.delay('y', x),
  'delay of 3 readings': (m, x) => m.delay('y', x, { readings: 3, initial: draw(12) }),
  difference: (m, x) => m.difference('y', x),
  'difference of 3 readings': (m, x) => m.difference('y', x, { readings: 3, padding: 'valid' }),
  'moving average': (m, x) => m.movingAverage('y', x, { rate: 0.05, initial: draw(4) }),
  'running normalization': (m, x) => m.runningNormalization('y', x, { rate: 0.02, mean: draw(4) }),
  'batch normalization of the input': (m, x) => m.batchNormalization('y', x, statistics(4)),
  'scale and leaky relu': (m, x) =>
    m.leakyRelu('y', m.scale('s', x, { scale: draw(4), offset: draw(4) }), 0.1),
  arithmetic: (m, x) => {
    const one = m.dense('one', x, { units: 1 });
    const four = m.tanh('four', x);
    return m.concat('y', [
      m.sum('sum', [x, four, one]),
      m.subtract('difference', [x, four]),
      m.multiply('product', [x, one]),
      m.maximum('greater', [x, four]),
      m.minimum('less', [x, four]),
    ]);
  },
};

/** Layers on an input of 6 bands with 2 channels. */
export const ON_BANDS: Record<string, (m: StreamModel, x: Stream) => Stream> = {
  'dense along channels': (m, x) => m.dense('y', x, { units: 3, activation: 'softmax' }),
  'conv2d, valid': (m, x) =>
    m.conv2d('y', x, { filters: 4, size: 3, bands: 3, bias: draw(4), activation: 'relu' }),
  'conv2d, same, strided': (m, x) =>
    m.conv2d('y', x, {
      filters: 4,
      size: 3,
      bands: 3,
      bandStride: 2,
      bandPadding: 'same',
      activation: 'tanh',
    }),
  'conv2d, same, dilated': (m, x) =>
    m.conv2d('y', x, { filters: 4, size: 2, dilation: 2, bands: 3, bandPadding: 'same' }),
  'depthwise conv2d, same': (m, x) =>
    m.depthwiseConv2d('y', x, { multiplier: 2, size: 3, bands: 3, bandPadding: 'same', activation: 'relu6' }),
  'depthwise conv2d, valid': (m, x) => m.depthwiseConv2d('y', x, { size: 2, bands: 2, bias: draw(2) }),
  'max over bands': (m, x) => m.bandPool('y', x, { kind: 'max', bands: 2, bandStride: 2 }),
  'average over bands, same': (m, x) =>
    m.bandPool('y', x, { kind: 'average', bands: 3, bandPadding: 'same' }),
  'batch normalization and concat': (m, x) =>
    m.concat('y', [m.batchNormalization('n', x, statistics(2)), m.softmax('s', x)]),
  'window and reshape': (m, x) => m.reshape('y', m.window('w', x, { size: 2 }), [12, 2]),
};

let drawn = 100;

/** Where `draw` is, to draw the same once more from there. */
export function drawnSoFar(): number {
  return drawn;
}

export function drawFrom(position: number): void {
  drawn = position;
}

/** Random numbers within ±½, others each time. */
export function draw(length: number): Float32Array {
  const next = random(drawn++);
  return Float32Array.from({ length }, () => next.uniform(-0.5, 0.5));
}

export function statistics(n: number): {
  gamma: Float32Array;
  beta: Float32Array;
  mean: Float32Array;
  variance: Float32Array;
} {
  return { gamma: draw(n), beta: draw(n), mean: draw(n), variance: draw(n).map((v) => v + 1) };
}
