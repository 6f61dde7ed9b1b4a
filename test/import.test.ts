/** TensorFlow.js models, imported as models that do one step for each reading: the same answers at every step. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import * as tf from '@tensorflow/tfjs';
import {
  type ImportOptions,
  importArtifacts,
  importLayersModel,
  importSavedModel,
  type ModelArtifacts,
  random,
  type StreamModel,
  writeModel,
} from '../author/index';
import { load } from '../lib/index';
import { openTflite, tfliteMissing } from './helpers/tflite';

const TOLERANCE = 1e-5;
const STEPS = 1000;

type Readings = Float32Array[];

/** A reproducible stream of readings within ±1.5. */
function readings(steps: number, size: number, seed = 11): Readings {
  const next = random(seed);
  return Array.from({ length: steps }, () =>
    Float32Array.from({ length: size }, () => next.uniform(-1.5, 1.5)),
  );
}

/** Random weights everywhere, biases and statistics included; variances are positive. */
function randomized(model: tf.LayersModel, seed = 21): tf.LayersModel {
  const next = random(seed);
  for (const layer of model.layers) {
    const inner = (layer as unknown as { layers?: tf.layers.Layer[] }).layers;
    if (inner) randomized(layer as unknown as tf.LayersModel, seed + 1);
    else {
      layer.setWeights(
        layer.weights.map((weight) => {
          const shape = weight.shape as number[];
          const low = weight.originalName.endsWith('moving_variance') ? 0.5 : -0.5;
          const length = shape.reduce((product, n) => product * n, 1);
          return tf.tensor(
            Float32Array.from({ length }, () => next.uniform(low, low + 1)),
            shape,
          );
        }),
      );
    }
  }
  return model;
}

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, where: string): void {
  assert.equal(actual.length, expected.length, where);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
    assert.ok(error <= TOLERANCE, `${where}, value ${i}: ${actual[i]} instead of ${expected[i]}`);
  }
}

/** Values of a tensor [rows, …], row by row. */
function rows(tensor: tf.Tensor, count: number): Float32Array[] {
  const values = tensor.dataSync() as Float32Array;
  const size = values.length / count;
  return Array.from({ length: count }, (_, t) => values.slice(t * size, (t + 1) * size));
}

/** Steps the imported model, in Engram and in TensorFlow Lite: `expected` has an output for each step from `from` on. */
async function checkSteps(
  model: StreamModel,
  stream: Readings,
  expected: Map<number, ArrayLike<number>>,
): Promise<void> {
  assert.ok(expected.size > 0);
  const file = writeModel(model.graph());
  const stepped = load(file);
  const [whole] = model.run([stream]);
  const tflite = tfliteMissing() ? null : await openTflite(file);
  stream.forEach((reading, t) => {
    stepped.inputs[0].data.set(reading);
    stepped.invoke();
    tflite?.setInput(0, reading);
    tflite?.invoke();
    const values = expected.get(t);
    if (!values) return;
    close(stepped.outputs[0].data, values, `Engram, step ${t}`);
    close(whole[t], values, `whole sequence, step ${t}`);
    if (tflite) close(tflite.output(0) as Float32Array, values, `TensorFlow Lite, step ${t}`);
  });
}

const { layers } = tf;
const sequential = (...list: tf.layers.Layer[]): tf.LayersModel =>
  randomized(tf.sequential({ layers: list }));

/** Sequences in, sequences out: readings of 3 features. */
const SEQUENCES: Record<string, () => tf.LayersModel> = {
  GRU: () => sequential(layers.gru({ units: 6, returnSequences: true, inputShape: [null as never, 3] })),
  'GRU with sigmoid': () =>
    sequential(
      layers.gru({
        units: 6,
        recurrentActivation: 'sigmoid',
        returnSequences: true,
        inputShape: [null as never, 3],
      }),
    ),
  LSTM: () => sequential(layers.lstm({ units: 6, returnSequences: true, inputShape: [null as never, 3] })),
  'LSTM with sigmoid': () =>
    sequential(
      layers.lstm({
        units: 6,
        recurrentActivation: 'sigmoid',
        returnSequences: true,
        inputShape: [null as never, 3],
      }),
    ),
  SimpleRNN: () =>
    sequential(layers.simpleRNN({ units: 6, returnSequences: true, inputShape: [null as never, 3] })),
  'Conv1D, valid': () =>
    sequential(
      layers.conv1d({ filters: 4, kernelSize: 5, activation: 'tanh', inputShape: [null as never, 3] }),
    ),
  'convolutions, then recurrent layers and others': () =>
    sequential(
      layers.conv1d({ filters: 4, kernelSize: 5, inputShape: [null as never, 3] }),
      layers.batchNormalization(),
      layers.activation({ activation: 'relu' }),
      layers.dropout({ rate: 0.5 }),
      layers.maxPooling1d({ poolSize: 3, strides: 1 }),
      layers.gru({ units: 5, returnSequences: true }),
      layers.averagePooling1d({ poolSize: 2, strides: 1 }),
      layers.conv1d({ filters: 4, kernelSize: 3 }),
      layers.leakyReLU({ alpha: 0.2 }),
      layers.lstm({ units: 5, returnSequences: true }),
      layers.timeDistributed({ layer: layers.dense({ units: 4, activation: 'elu' }) }),
      layers.simpleRNN({ units: 3, returnSequences: true }),
      layers.dense({ units: 3, activation: 'softmax' }),
    ),
  'a model within a model': () =>
    randomized(
      tf.sequential({
        layers: [
          tf.sequential({
            layers: [
              layers.gru({ units: 4, returnSequences: true, inputShape: [null as never, 3] }),
              layers.dense({ units: 3 }),
            ],
          }),
          layers.dense({ units: 2, activation: 'sigmoid' }),
        ],
      }),
    ),
  'branches of a functional model': () => {
    const x = tf.input({ shape: [null as never, 3] });
    const a = layers.gru({ units: 4, returnSequences: true }).apply(x) as tf.SymbolicTensor;
    const b = layers.simpleRNN({ units: 4, returnSequences: true }).apply(x) as tf.SymbolicTensor;
    const sum = layers.add().apply([a, b]) as tf.SymbolicTensor;
    const product = layers.multiply().apply([a, sum]) as tf.SymbolicTensor;
    const mean = layers.average().apply([a, b, sum]) as tf.SymbolicTensor;
    const most = layers.maximum().apply([a, b]) as tf.SymbolicTensor;
    const all = layers.concatenate().apply([product, mean, most, x]) as tf.SymbolicTensor;
    const y = layers.dense({ units: 2 }).apply(all) as tf.SymbolicTensor;
    return randomized(tf.model({ inputs: x, outputs: y }));
  },
};

/** Windows of fixed length in, one answer for each window. The shape is without the batch. */
const WINDOWS: Record<string, [number[], (shape: number[]) => tf.LayersModel]> = {
  'convolutions, then Flatten': [
    [20, 3],
    (inputShape) =>
      sequential(
        layers.conv1d({ filters: 4, kernelSize: 3, activation: 'relu', inputShape }),
        layers.conv1d({ filters: 4, kernelSize: 3, dilationRate: 2 }),
        layers.flatten(),
        layers.dense({ units: 3, activation: 'softmax' }),
      ),
  ],
  'strides and pooling with remainders': [
    [36, 3],
    (inputShape) =>
      sequential(
        layers.conv1d({ filters: 4, kernelSize: 4, strides: 3, inputShape }),
        layers.maxPooling1d({ poolSize: 2 }),
        layers.conv1d({ filters: 5, kernelSize: 2 }),
        layers.flatten(),
        layers.dense({ units: 3 }),
      ),
  ],
  'global average': [
    [30, 3],
    (inputShape) =>
      sequential(
        layers.conv1d({ filters: 4, kernelSize: 3, strides: 2, inputShape }),
        layers.averagePooling1d({ poolSize: 3, strides: 2 }),
        layers.globalAveragePooling1d(),
        layers.dense({ units: 3 }),
      ),
  ],
  'global maximum': [
    [12, 3],
    (inputShape) =>
      sequential(layers.conv1d({ filters: 4, kernelSize: 3, inputShape }), layers.globalMaxPooling1d()),
  ],
  'spectra with depthwise and separable convolutions': [
    [14, 8, 2],
    (inputShape) =>
      sequential(
        layers.conv2d({ filters: 4, kernelSize: [3, 3], strides: [2, 2], activation: 'relu', inputShape }),
        layers.depthwiseConv2d({ kernelSize: [2, 2], depthMultiplier: 2 }),
        layers.batchNormalization(),
        layers.separableConv2d({ filters: 5, kernelSize: [2, 1] }),
        layers.maxPooling2d({ poolSize: [2, 2], strides: [1, 1] }),
        layers.globalAveragePooling2d({}),
        layers.dense({ units: 3 }),
      ),
  ],
  'spectra, bands padded': [
    [9, 7, 1],
    (inputShape) =>
      sequential(
        layers.conv2d({ filters: 3, kernelSize: [1, 3], strides: [1, 2], padding: 'same', inputShape }),
        layers.averagePooling2d({ poolSize: [3, 1], strides: [2, 1] }),
        layers.reshape({ targetShape: [4, 12] }),
        layers.dense({ units: 5 }),
        layers.reshape({ targetShape: [20] }),
        layers.dense({ units: 2 }),
      ),
  ],
};

const size = (shape: number[]): number => shape.reduce((product, n) => product * n, 1);

/** The artifacts of a model, as a save handler gets them. */
async function artifactsOf(model: tf.LayersModel): Promise<tf.io.ModelArtifacts> {
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      saved = artifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
    }),
  );
  return saved!;
}

/** Files of a saved model: model.json and shards of at most `shard` bytes. */
async function filesOf(model: tf.LayersModel, shard = 100): Promise<Map<string, Uint8Array>> {
  const { modelTopology, weightSpecs, weightData } = await artifactsOf(model);
  const bytes = new Uint8Array(weightData as ArrayBuffer);
  const files = new Map<string, Uint8Array>();
  const paths: string[] = [];
  for (let at = 0; at < bytes.length; at += shard) {
    const name = `group1-shard${paths.length + 1}.bin`;
    paths.push(name);
    files.set(name, bytes.slice(at, at + shard));
  }
  const json = { format: 'layers-model', modelTopology, weightsManifest: [{ paths, weights: weightSpecs }] };
  files.set('model.json', Buffer.from(JSON.stringify(json)));
  return files;
}

function importFiles(files: Map<string, Uint8Array>, options?: ImportOptions): StreamModel {
  return importSavedModel(
    Buffer.from(files.get('model.json')!).toString(),
    (name) => {
      const bytes = files.get(name);
      if (!bytes) throw new Error('there is no such file');
      return bytes;
    },
    options,
  );
}

describe('import of TensorFlow.js models', function () {
  this.timeout(120000);

  for (const [name, build] of Object.entries(SEQUENCES)) {
    it(`${name}: at each of ${STEPS} steps as on the whole sequence`, async () => {
      const model = build();
      const stream = readings(STEPS, 3);
      const input = tf.tensor(Float32Array.from(stream.flatMap((row) => [...row])), [1, STEPS, 3]);
      const output = model.predict(input) as tf.Tensor;
      const [, steps] = output.shape;
      // convolutions without padding give fewer outputs: theirs belong to the last readings
      const expected = new Map(rows(output, steps!).map((row, t) => [t + STEPS - steps!, row]));
      const imported = importLayersModel(model);
      await checkSteps(imported, stream, expected);
    });
  }

  for (const [name, [shape, build]] of Object.entries(WINDOWS)) {
    it(`windows, ${name}: at each step as on the window that ends there`, async () => {
      const model = build(shape);
      const [length, ...reading] = shape;
      const n = size(reading);
      const stream = readings(150, n);
      const windows = stream.slice(length - 1).map((_, i) => stream.slice(i, i + length));
      const input = tf.tensor(
        Float32Array.from(windows.flatMap((window) => window.flatMap((row) => [...row]))),
        [windows.length, ...shape],
      );
      const output = model.predict(input) as tf.Tensor;
      const expected = new Map(rows(output, windows.length).map((row, i) => [i + length - 1, row]));
      await checkSteps(importLayersModel(model), stream, expected);
    });
  }

  it('Conv1D with causal padding, which TensorFlow.js knows but cannot run: as on padded sequences', async () => {
    for (const dilationRate of [1, 4]) {
      const build = (padding: 'causal' | 'valid'): tf.LayersModel =>
        sequential(
          layers.conv1d({ filters: 4, kernelSize: 3, dilationRate, padding, inputShape: [null as never, 3] }),
        );
      const stream = readings(STEPS, 3);
      const before = 2 * dilationRate;
      const padded = [...readings(before, 3).map((row) => row.fill(0)), ...stream];
      const input = tf.tensor(Float32Array.from(padded.flatMap((row) => [...row])), [1, padded.length, 3]);
      const outputs = rows(build('valid').predict(input) as tf.Tensor, STEPS);
      await checkSteps(
        importLayersModel(build('causal')),
        stream,
        new Map(outputs.map((row, t) => [t, row])),
      );
    }
  });

  it('a recurrent layer that gives its last output only: at each step as on the readings so far', async () => {
    const model = sequential(
      layers.gru({ units: 5, returnSequences: true, inputShape: [null as never, 3] }),
      layers.lstm({ units: 5 }),
      layers.dense({ units: 4, activation: 'softmax' }),
    );
    const stream = readings(60, 3);
    const expected = new Map<number, Float32Array>();
    for (const t of [0, 1, 5, 30, 59]) {
      const input = tf.tensor(Float32Array.from(stream.slice(0, t + 1).flatMap((row) => [...row])), [
        1,
        t + 1,
        3,
      ]);
      expected.set(t, (model.predict(input) as tf.Tensor).dataSync() as Float32Array);
    }
    await checkSteps(importLayersModel(model), stream, expected);
  });

  it('readings without time axis, and a window given for sequences of any length', async () => {
    const plain = sequential(
      layers.dense({ units: 4, activation: 'relu', inputShape: [3] }),
      layers.dense({ units: 2 }),
    );
    const stream = readings(20, 3);
    const all = tf.tensor(Float32Array.from(stream.flatMap((row) => [...row])), [20, 3]);
    const outputs = rows(plain.predict(all) as tf.Tensor, 20);
    await checkSteps(importLayersModel(plain), stream, new Map(outputs.map((row, t) => [t, row])));

    const pooled = sequential(
      layers.conv1d({ filters: 4, kernelSize: 3, strides: 2, inputShape: [null as never, 3] }),
      layers.globalAveragePooling1d(),
    );
    assert.throws(
      () => importLayersModel(pooled),
      /\(Conv1D\): a stride of 2 over time gives no output at some readings; say how long the window is/,
    );
    const last = (pooled.predict(tf.tensor(all.dataSync().slice(-30), [1, 10, 3])) as tf.Tensor).dataSync();
    await checkSteps(
      importLayersModel(pooled, { window: 10 }),
      stream,
      new Map([[19, last as Float32Array]]),
    );
  });

  it('GRU with reset_after and Keras’s own JSON: as the formulas of Keras say', async () => {
    const units = 6;
    const template = sequential(
      layers.gru({ units, returnSequences: true, name: 'memory', inputShape: [null as never, 3] }),
    );
    const topology = template.toJSON(null, false) as unknown as {
      config: { layers: { config: Record<string, unknown> }[] };
    };
    Object.assign(topology.config.layers[0].config, { reset_after: true, recurrent_activation: 'sigmoid' });
    const next = random(5);
    const draw = (...shape: [number, number]): tf.Tensor2D =>
      tf.tensor2d(
        Float32Array.from({ length: size(shape) }, () => next.uniform(-0.5, 0.5)),
        shape,
      );
    const [kernel, recurrent, bias] = [draw(3, 3 * units), draw(units, 3 * units), draw(2, 3 * units)];
    const weights: [string, tf.Tensor][] = [
      ['sequential/memory/gru_cell/kernel:0', kernel],
      ['sequential/memory/gru_cell/recurrent_kernel:0', recurrent],
      ['sequential/memory/gru_cell/bias:0', bias],
    ];
    const artifacts: ModelArtifacts = {
      modelTopology: { keras_version: '2.15.0', model_config: topology },
      weightSpecs: weights.map(([name, { shape }]) => ({ name, shape, dtype: 'float32' })),
      weightData: Float32Array.from(weights.flatMap(([, tensor]) => [...tensor.dataSync()])).buffer,
    };
    const stream = readings(STEPS, 3);
    const expected = new Map<number, Float32Array>();
    let h = tf.zeros([1, units]) as tf.Tensor2D;
    stream.forEach((row, t) => {
      h = tf.tidy(() => {
        const b = bias.split(2) as tf.Tensor2D[];
        const [xz, xr, xn] = tf.tensor2d(row, [1, 3]).matMul<tf.Tensor2D>(kernel).add(b[0]).split(3, 1);
        const [hz, hr, hn] = h.matMul<tf.Tensor2D>(recurrent).add(b[1]).split(3, 1);
        const z = xz.add(hz).sigmoid();
        const n = xn.add(xr.add(hr).sigmoid().mul(hn)).tanh();
        return z.mul(h).add(tf.scalar(1).sub(z).mul(n)) as tf.Tensor2D;
      });
      expected.set(t, h.dataSync().slice() as Float32Array);
    });
    await checkSteps(importArtifacts(artifacts), stream, expected);
  });

  it('DepthwiseConv1D, which TensorFlow.js has not, from Keras’s JSON: as its depthwise convolution of images', async () => {
    const [taps, channels, multiplier] = [4, 3, 2];
    const next = random(8);
    const draw = (length: number): Float32Array =>
      Float32Array.from({ length }, () => next.uniform(-0.5, 0.5));
    const kernel = draw(taps * channels * multiplier);
    const bias = draw(channels * multiplier);
    const stream = readings(STEPS, channels);
    for (const [padding, dilation, version, name] of [
      ['valid', 1, '2.15.0', 'depthwise_kernel'],
      ['causal', 3, '2.15.0', 'depthwise_kernel'],
      ['causal', 1, '3.4.1', 'kernel'],
    ] as const) {
      const config = {
        name: 'filter',
        batch_input_shape: [null, null, channels],
        kernel_size: [taps],
        strides: [1],
        padding,
        dilation_rate: [dilation],
        depth_multiplier: multiplier,
        data_format: 'channels_last',
        activation: 'tanh',
        use_bias: true,
      };
      const artifacts: ModelArtifacts = {
        modelTopology: {
          keras_version: version,
          model_config: {
            class_name: 'Sequential',
            config: { name: 'model', layers: [{ class_name: 'DepthwiseConv1D', config }] },
          },
        },
        weightSpecs: [
          { name: `filter/${name}`, shape: [taps, channels, multiplier], dtype: 'float32' },
          { name: 'filter/bias', shape: [channels * multiplier], dtype: 'float32' },
        ],
        weightData: Float32Array.of(...kernel, ...bias).buffer,
      };
      const before = padding === 'causal' ? (taps - 1) * dilation : 0;
      const padded = [...readings(before, channels).map((row) => row.fill(0)), ...stream];
      const outputs = tf.tidy(() => {
        const image = tf.tensor4d(
          padded.flatMap((row) => [...row]),
          [1, padded.length, 1, channels],
        );
        const weights = tf.tensor4d(kernel, [taps, 1, channels, multiplier]);
        const y = tf.depthwiseConv2d(image, weights, 1, 'valid', 'NHWC', [dilation, 1]).add(bias).tanh();
        return rows(y, y.shape[1]!);
      });
      const first = STEPS - outputs.length;
      await checkSteps(
        importArtifacts(artifacts),
        stream,
        new Map(outputs.map((row, t) => [t + first, row])),
      );
    }
  });

  it('functional models as Keras 3 describes them', async () => {
    const x = tf.input({ shape: [null as never, 3], name: 'x' });
    const apply = (layer: tf.layers.Layer, on: tf.SymbolicTensor | tf.SymbolicTensor[]): tf.SymbolicTensor =>
      layer.apply(on) as tf.SymbolicTensor;
    const rnn = { units: 3, returnSequences: true, recurrentActivation: 'sigmoid' as const };
    const h = apply(layers.lstm({ ...rnn, name: 'h' }), x);
    const model = randomized(
      tf.model({ inputs: x, outputs: apply(layers.add({ name: 'sum' }), [x, h]), name: 'outer' }),
    );
    const tensor = (name: string): object => ({
      class_name: '__keras_tensor__',
      config: { shape: [null, null, 3], dtype: 'float32', keras_history: [name, 0, 0] },
    });
    const artifacts = (await artifactsOf(model)) as ModelArtifacts;
    const json = structuredClone(artifacts.modelTopology) as {
      class_name: string;
      config: { layers: Record<string, unknown>[]; input_layers: unknown; output_layers: unknown };
      keras_version: string;
    };
    const [input, lstm, sum] = json.config.layers;
    input.config = { batch_shape: [null, null, 3], name: 'x', dtype: 'float32' };
    lstm.inbound_nodes = [{ args: [tensor('x')], kwargs: { training: false } }];
    sum.inbound_nodes = [{ args: [[tensor('x'), tensor('h')]], kwargs: {} }];
    // layers need not come in the order in which they run
    Object.assign(json, { class_name: 'Functional', keras_version: '3.4.1' });
    Object.assign(json.config, {
      layers: [sum, lstm, input],
      input_layers: [['x', 0, 0]],
      output_layers: ['sum', 0, 0],
    });
    assert.deepEqual(
      writeModel(importArtifacts({ ...artifacts, modelTopology: json }).graph()),
      writeModel(importLayersModel(model).graph()),
    );
    (lstm.config as { recurrent_activation: string }).recurrent_activation = 'hard_sigmoid';
    assert.throws(
      () => importArtifacts({ ...artifacts, modelTopology: json }),
      /layer "h" \(LSTM\): the hard_sigmoid of Keras 3 differs/,
    );
  });

  it('pointwise layers around each reading', async () => {
    const model = sequential(
      layers.timeDistributed({ layer: layers.flatten(), inputShape: [5, 2, 3] }),
      layers.timeDistributed({ layer: layers.batchNormalization() }),
      layers.flatten(),
      layers.dense({ units: 2 }),
    );
    const stream = readings(20, 6);
    const input = tf.tensor(Float32Array.from(stream.slice(-5).flatMap((row) => [...row])), [1, 5, 2, 3]);
    const last = (model.predict(input) as tf.Tensor).dataSync() as Float32Array;
    await checkSteps(importLayersModel(model), stream, new Map([[19, last]]));
  });

  it('saved models: the same from shards, from artifacts and from memory', async () => {
    const model = SEQUENCES['convolutions, then recurrent layers and others']();
    const expected = writeModel(importLayersModel(model).graph());
    assert.deepEqual(writeModel(importFiles(await filesOf(model)).graph()), expected);
    assert.deepEqual(
      writeModel(importArtifacts((await artifactsOf(model)) as ModelArtifacts).graph()),
      expected,
    );
    const nested = SEQUENCES['a model within a model']();
    assert.deepEqual(
      writeModel(importFiles(await filesOf(nested)).graph()),
      writeModel(importLayersModel(nested).graph()),
    );
  });

  it('rescaling and normalization of features', async () => {
    const rescaling = layers.rescaling({ scale: 0.25, offset: -0.5, inputShape: [3] });
    const model = sequential(rescaling, layers.dense({ units: 2 }));
    const stream = readings(20, 3);
    const input = tf.tensor(Float32Array.from(stream.flatMap((row) => [...row])), [20, 3]);
    const outputs = rows(model.predict(input) as tf.Tensor, 20);
    await checkSteps(importLayersModel(model), stream, new Map(outputs.map((row, t) => [t, row])));

    const normalized = importArtifacts({
      modelTopology: {
        class_name: 'Sequential',
        config: [
          {
            class_name: 'Normalization',
            config: { name: 'n', batch_input_shape: [null, null, 2], axis: [-1] },
          },
        ],
      },
      weightSpecs: [
        { name: 'n/mean', shape: [2], dtype: 'float32' },
        { name: 'n/variance', shape: [2], dtype: 'float32' },
        { name: 'n/count', shape: [], dtype: 'int32' },
      ],
      weightData: Float32Array.of(1, 2, 4, 0.25, 0).buffer,
    });
    await checkSteps(normalized, [Float32Array.of(5, 1)], new Map([[0, [2, -2]]]));
  });

  it('weights stored with fewer bits', () => {
    const topology = sequential(layers.dense({ units: 2, name: 'd', inputShape: [2] })).toJSON(null, false);
    const bytes = new Uint8Array(4 + 4);
    bytes.set([0, 100, 200, 255]);
    new Uint16Array(bytes.buffer, 4).set([0x3c00, 0xc100]); // 1 and −2.5
    const model = importArtifacts({
      modelTopology: topology,
      weightSpecs: [
        {
          name: 'd/kernel',
          shape: [2, 2],
          dtype: 'float32',
          quantization: { dtype: 'uint8', scale: 0.01, min: -1 },
        },
        { name: 'd/bias', shape: [2], dtype: 'float32', quantization: { dtype: 'float16' } },
      ],
      weightData: bytes.buffer,
    });
    const [[y]] = model.run([[[1, 1]]]);
    close(y, [-1 + 1 + 1, 0 + 1.55 - 2.5], 'dense');
  });

  it('says which layer cannot be converted, and why', () => {
    const inputShape = [null as never, 3];
    const rnn = { units: 2, returnSequences: true, inputShape };
    const cases: [() => tf.LayersModel, RegExp][] = [
      [
        () =>
          sequential(
            layers.bidirectional({
              layer: layers.gru({ units: 2 }) as never,
              mergeMode: 'concat',
              inputShape,
              name: 'both',
            }),
          ),
        /layer "both" \(Bidirectional\): reads the sequence backwards too, so it would need future readings/,
      ],
      [
        () => sequential(layers.gru({ ...rnn, goBackwards: true, name: 'back' })),
        /layer "back" \(GRU\): goes backwards/,
      ],
      [
        () =>
          sequential(layers.conv1d({ filters: 2, kernelSize: 3, padding: 'same', inputShape, name: 'c' })),
        /layer "c" \(Conv1D\): padding "same" over time looks at future readings/,
      ],
      [
        () => sequential(layers.dense({ units: 2, activation: 'softplus', inputShape: [3], name: 'd' })),
        /layer "d" \(Dense\): the activation "softplus" cannot be converted; those that can are linear, relu/,
      ],
      [
        () =>
          sequential(layers.dense({ units: 2, inputShape: [3] }), layers.repeatVector({ n: 3, name: 'r' })),
        /layer "r" \(RepeatVector\): makes a sequence of one vector/,
      ],
      [
        () => sequential(layers.gru(rnn), layers.layerNormalization({ name: 'n' })),
        /layer "n" \(LayerNormalization\) cannot be converted; layers that can are Dense/,
      ],
      [
        () => sequential(layers.gru(rnn), layers.globalMaxPooling1d({ name: 'f' })),
        /layer "f" \(GlobalMaxPooling1D\): takes a whole window, but the model takes streams of any length/,
      ],
      [
        () =>
          sequential(
            layers.conv1d({ filters: 2, kernelSize: 2, strides: 2, inputShape: [9, 3] }),
            layers.gru({ units: 2, name: 'g' }),
          ),
        /layer "g" \(GRU\): comes after strides of 2 readings/,
      ],
      [
        () => sequential(layers.embedding({ inputDim: 3, outputDim: 2, inputLength: 4, name: 'e' })),
        /layer "e" \(Embedding\): takes indices/,
      ],
      [
        () =>
          sequential(
            layers.dense({ units: 6, inputShape: [3] }),
            layers.reshape({ targetShape: [2, 3], name: 's' }),
          ),
        /layer "s" \(Reshape\): the target shape \[2, 3\] mixes the time axis/,
      ],
    ];
    for (const [build, message] of cases) assert.throws(() => importLayersModel(build()), message);
    const shared = layers.dense({ units: 3, name: 'twice' });
    const x = tf.input({ shape: [3] });
    const y = shared.apply(shared.apply(x)) as tf.SymbolicTensor;
    assert.throws(
      () => importLayersModel(tf.model({ inputs: x, outputs: y })),
      /layer "twice" is used 2 times/,
    );
  });

  it('says what is wrong with files', async () => {
    const model = sequential(
      layers.gru({ units: 4, returnSequences: true, name: 'g', inputShape: [null as never, 3] }),
    );
    const files = await filesOf(model);
    const without = (name: string): Map<string, Uint8Array> =>
      new Map([...files].filter(([key]) => key !== name));
    const json = JSON.parse(Buffer.from(files.get('model.json')!).toString());
    const changed = (change: (copy: typeof json) => void): Map<string, Uint8Array> => {
      const copy = structuredClone(json);
      change(copy);
      return new Map([...files, ['model.json', Buffer.from(JSON.stringify(copy))]]);
    };
    const last = [...files.keys()].filter((name) => name.endsWith('.bin')).pop()!;
    const cases: [Map<string, Uint8Array>, RegExp][] = [
      [without(last), new RegExp(`weights shard ${last}: there is no such file`)],
      [
        new Map([...files, [last, new Uint8Array(1)]]),
        /weights shards .*: \d+ bytes, but weight ".*" lies at bytes/,
      ],
      [
        new Map([...files, [last, new Uint8Array(1000)]]),
        /weights shards .*: \d+ bytes, but the weights take \d+/,
      ],
      [new Map([['model.json', Buffer.from('{')]]), /it is not JSON/],
      [new Map([['model.json', Buffer.from('[]')]]), /it has no modelTopology/],
      [new Map([['model.json', Buffer.from('null')]]), /it describes no model/],
      [changed((copy) => (copy.format = 'graph-model')), /it is a graph model/],
      [changed((copy) => delete copy.weightsManifest), /it has no weightsManifest/],
      [
        new Map([['model.json', Buffer.from(JSON.stringify(json.modelTopology))]]),
        /it has layers but no weights/,
      ],
      [
        changed((copy) => (copy.modelTopology.config.layers[0].config.units = 5)),
        /layer "g": weight "kernel" has the shape \[3, 12\], but \[3, 15\] is expected/,
      ],
      [
        changed((copy) => (copy.modelTopology.config.layers[0].config.name = 'other')),
        /layer "other": its weight "kernel" is missing; it has none/,
      ],
      [
        changed((copy) => delete copy.modelTopology.config.layers[0].config.batch_input_shape),
        /does not say what shape/,
      ],
      [
        changed((copy) => (copy.modelTopology.class_name = 'Graph')),
        /a model of class Graph cannot be converted/,
      ],
      [changed((copy) => (copy.weightsManifest[0].weights[0].dtype = 'string')), /unknown type string/],
    ];
    for (const [bad, message] of cases) assert.throws(() => importFiles(bad), message);
  });

  it('engram import: writes a .tflite, or says why not and leaves nothing behind', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-import-'));
    try {
      const model = sequential(
        layers.gru({ units: 4, returnSequences: true, name: 'g', inputShape: [null as never, 3] }),
        layers.dense({ units: 2, name: 'd' }),
      );
      for (const [name, bytes] of await filesOf(model)) fs.writeFileSync(path.join(folder, name), bytes);
      const engram = (...args: string[]) =>
        spawnSync(
          process.execPath,
          [
            '--require',
            require.resolve('tsx/cjs'),
            path.join(__dirname, '..', 'tools', 'cli.ts'),
            'import',
            ...args,
          ],
          { cwd: folder, encoding: 'utf8' },
        );
      const done = engram('model.json', '-o', 'out.tflite');
      assert.equal(done.status, 0, done.stderr);
      assert.match(done.stdout, /g\/h/);
      assert.deepEqual(
        new Uint8Array(fs.readFileSync(path.join(folder, 'out.tflite'))),
        writeModel(importLayersModel(model).graph()),
      );
      fs.rmSync(path.join(folder, 'out.tflite'));
      fs.rmSync(path.join(folder, 'group1-shard2.bin'));
      const before = fs.readdirSync(folder);
      const failed = engram('model.json', '-o', 'out.tflite');
      assert.equal(failed.status, 2);
      assert.match(failed.stderr, /^engram: model\.json: weights shard group1-shard2\.bin: .*no such file/);
      assert.deepEqual(fs.readdirSync(folder), before);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
