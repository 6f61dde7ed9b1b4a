/** Layers whose quantized form is compared with the float one, run by TensorFlow Lite, and on every engine. */
import { StreamModel, type Stream } from '../../author/index';
import type { Graph } from '../../lib/graph';

/** Adds a layer to a model; the names of what it adds begin with `p`. */
type Make = (m: StreamModel, x: Stream, p: string) => Stream;

export const LAYERS: Record<string, Make> = {
  gru: (m, x, p) => m.gru(`${p}y`, x, { units: 6 }),
  'gru, reset before': (m, x, p) => m.gru(`${p}y`, x, { units: 6, resetAfter: false }),
  lstm: (m, x, p) => m.lstm(`${p}y`, x, { units: 6 }),
  'simple rnn': (m, x, p) => m.simpleRnn(`${p}y`, x, { units: 6 }),
  'conv1d and softmax': (m, x, p) =>
    m.softmax(`${p}s`, m.conv1d(`${p}y`, x, { filters: 5, size: 3, dilation: 2, activation: 'relu' })),
  'depthwise conv1d': (m, x, p) => m.depthwiseConv1d(`${p}y`, x, { size: 4, multiplier: 2 }),
  'windows side by side': (m, x, p) =>
    m.concat(`${p}y`, [
      m.average(`${p}a`, x, { size: 5 }),
      m.max(`${p}m`, x, { size: 3 }),
      m.sigmoid(`${p}s`, x),
    ]),
  'moving average': (m, x, p) => m.movingAverage(`${p}y`, x, { rate: 0.05 }),
  'running normalization': (m, x, p) => m.runningNormalization(`${p}y`, x, { rate: 0.02 }),
  'difference and dense': (m, x, p) =>
    m.dense(`${p}d`, m.difference(`${p}y`, x), { units: 3, activation: 'tanh' }),
};

/** A model of one layer; 4 inputs. */
export function layerModel(make: Make): Graph {
  const model = new StreamModel();
  model.output(make(model, model.input('x', 4), ''));
  return model.graph();
}

/** A model of all of them side by side, an output for each. */
export function allLayers(): Graph {
  const model = new StreamModel({ seed: 2 });
  const x = model.input('x', 4);
  Object.values(LAYERS).forEach((make, i) => model.output(make(model, x, `layer${i}/`)));
  return model.graph();
}
