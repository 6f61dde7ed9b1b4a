/**
 * Trains a small model in TensorFlow.js and saves it as TensorFlow.js does: model.json and a shard of weights. A GRU
 * learns to tell a slow wave from the noise around it. Under a minute; `npx tsx examples/import/make.ts`.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { random } from '../../author/index';

const SEQUENCES = 32;
const STEPS = 60;
const EPOCHS = 60;

/** Waves of random period and phase within ±1, and the same with noise. */
function waves(count: number, seed: number): { noisy: number[][][]; clean: number[][][] } {
  const next = random(seed);
  const clean = Array.from({ length: count }, () => {
    const period = next.uniform(12, 40);
    const phase = next.uniform(0, 2 * Math.PI);
    return Array.from({ length: STEPS }, (_, t) => [Math.sin((2 * Math.PI * t) / period + phase)]);
  });
  return { clean, noisy: clean.map((wave) => wave.map(([value]) => [value + next.normal(0.3)])) };
}

async function train(): Promise<tf.LayersModel> {
  const { gru, dense } = tf.layers;
  const glorot = (seed: number) => tf.initializers.glorotUniform({ seed });
  const model = tf.sequential({
    name: 'denoise',
    layers: [
      gru({
        name: 'memory',
        units: 8,
        recurrentActivation: 'sigmoid',
        returnSequences: true,
        kernelInitializer: glorot(1),
        recurrentInitializer: glorot(2),
        // any number of readings
        inputShape: [null as unknown as number, 1],
      }),
      dense({ name: 'wave', units: 1, kernelInitializer: glorot(3) }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.02), loss: 'meanSquaredError' });
  const { noisy, clean } = waves(SEQUENCES, 1);
  const options = { epochs: EPOCHS, batchSize: SEQUENCES, shuffle: false, verbose: 0 } as const;
  const history = await model.fit(tf.tensor3d(noisy), tf.tensor3d(clean), options);
  const loss = history.history.loss as number[];
  console.log(
    `mean squared error ${loss[0].toFixed(3)} before, ${loss[EPOCHS - 1].toFixed(3)} after training`,
  );
  return model;
}

async function main(): Promise<void> {
  const model = await train();
  await model.save(
    tf.io.withSaveHandler(({ modelTopology, weightSpecs, weightData }) => {
      const shard = 'group1-shard1of1.bin';
      const json = {
        format: 'layers-model',
        modelTopology,
        weightsManifest: [{ paths: [shard], weights: weightSpecs }],
      };
      fs.writeFileSync(path.join(__dirname, 'model.json'), JSON.stringify(json, null, 2) + '\n');
      fs.writeFileSync(path.join(__dirname, shard), Buffer.from(weightData as ArrayBuffer));
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
    }),
  );
  const rows = waves(1, 2).noisy[0].map(([value]) => value.toFixed(3));
  fs.writeFileSync(path.join(__dirname, 'stream.csv'), ['reading', ...rows].join('\n') + '\n');
}

void main();
