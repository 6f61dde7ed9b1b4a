/**
 * Trains a step model over whole sequences: its graph runs step by step in TensorFlow.js, batch by batch, its weights
 * are variables there, and gradients go back through all steps and all state. What is trained is what is deployed.
 *
 *     const t = trainable(m.graph(), tf);
 *     const loss = () => tf.losses.meanSquaredError(target, t.run([x])[0]).asScalar(); // x [batch, readings, size]
 *     for (let epoch = 0; epoch < 100; epoch++) optimizer.minimize(loss, false, t.weights);
 *     const file = writeModel(t.graph());
 */
import type * as tfjs from '@tensorflow/tfjs';
import type { Graph, Node, Tensor } from '../lib/graph';
import { collectVariables } from '../variables/operators';
import { place, readModel } from './options';
import { DENSE } from './quantize/operators';
import { TRAINED, type Operands } from './train_operators';
import { writeModel } from './writer';

/** TensorFlow.js, as `import * as tf` gives it. */
export type TensorFlow = typeof tfjs;

export interface TrainOptions {
  /**
   * Which constants are weights to train, by name; the default takes weights and biases of dense layers and
   * convolutions. Others keep their values.
   */
  train?: (name: string) => boolean;
}

/** A step model whose weights TensorFlow.js can train. */
export interface Trainable {
  /** What an optimizer may change. */
  readonly weights: tfjs.Variable[];
  /**
   * The whole-sequence form, differentiable: every sequence of the batch from the initial state on.
   * @param inputs for each input [batch, readings, size]
   * @returns for each output [batch, readings, size]
   */
  run(inputs: readonly tfjs.Tensor3D[]): tfjs.Tensor3D[];
  /** The step model with the weights as they are now. */
  graph(): Graph;
  /** Frees the weights' memory. */
  dispose(): void;
}

/** Weights and biases of dense operators. */
function denseConstants(nodes: readonly Node[]): Set<Tensor> {
  const found = new Set<Tensor>();
  for (const node of nodes) {
    const dense = DENSE[node.op];
    if (!dense) continue;
    for (const tensor of [node.inputs[dense.weights], node.inputs[dense.bias]])
      if (tensor?.constant) found.add(tensor);
  }
  return found;
}

/** Initial values of variables, by name, as CALL_ONCE assigns them. */
function initialValues(graph: Graph): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  for (const subgraph of graph.subgraphs.slice(1)) {
    for (const node of subgraph.nodes) {
      if (node.op !== 'ASSIGN_VARIABLE') continue;
      const value = node.inputs[1]!;
      if (!value.constant)
        throw new Error(`${place(node)}: initial values must be constant to be trained on`);
      found.set(node.inputs[0]!.variable!.name, value);
    }
  }
  return found;
}

/**
 * Makes a step model trainable.
 * @param source a FLOAT32 graph, such as `StreamModel.graph()` gives; it is not changed
 * @throws Error that names an operator which cannot be differentiated here, or says that there is nothing to train
 */
export function trainable(source: Graph, tf: TensorFlow, options: TrainOptions = {}): Trainable {
  const own = readModel(writeModel(source));
  collectVariables(own);
  const [main] = own.subgraphs;
  const nodes = main.nodes.filter(({ op }) => op !== 'CALL_ONCE' && op !== 'VAR_HANDLE');
  for (const node of nodes) {
    if (node.op === 'READ_VARIABLE' || node.op === 'ASSIGN_VARIABLE') continue;
    if (node.custom || !TRAINED[node.op])
      throw new Error(
        `${place(node)} cannot be trained; operators that can are ${Object.keys(TRAINED).join(', ')}`,
      );
    for (const tensor of node.outputs) {
      if (tensor.type !== 'FLOAT32')
        throw new Error(`${place(node)} gives ${tensor.type}: only float models can be trained`);
    }
  }
  const initial = initialValues(own);
  const usual = denseConstants(nodes);
  const constants = main.tensors.filter(({ constant, type }) => constant && type === 'FLOAT32');
  const chosen = constants.filter((tensor) =>
    options.train ? options.train(tensor.name) : usual.has(tensor),
  );
  if (!chosen.length) throw new Error('there are no weights to train');
  const weights = new Map(
    chosen.map((tensor) => [
      tensor,
      tf.variable(tf.tensor(Float32Array.from(tensor.data as Float32Array), tensor.shape)),
    ]),
  );

  /** One step for all sequences of the batch; `state` moves on. */
  function step(
    readings: readonly tfjs.Tensor[],
    state: Map<string, tfjs.Tensor>,
    batch: number,
  ): tfjs.Tensor[] {
    const values = new Map<Tensor, tfjs.Tensor>();
    main.inputs.forEach((input, i) =>
      values.set(input, readings[i].reshape([batch * input.shape[0], ...input.shape.slice(1)])),
    );
    const constant = (tensor: Tensor): tfjs.Tensor =>
      weights.get(tensor) ?? tf.tensor(tensor.data as Float32Array, tensor.shape);
    for (const node of nodes) {
      if (node.op === 'READ_VARIABLE') {
        const [value] = node.outputs;
        const { name } = node.inputs[0]!.variable!;
        const first = initial.get(name);
        const start = (): tfjs.Tensor =>
          first
            ? repeated(tf.tensor(first.data as Float32Array, value.shape), batch)
            : tf.zeros([batch * value.shape[0], ...value.shape.slice(1)]);
        if (!state.has(name)) state.set(name, start());
        values.set(value, state.get(name)!);
      } else if (node.op === 'ASSIGN_VARIABLE') {
        const [handle, value] = node.inputs as Tensor[];
        state.set(handle.variable!.name, values.get(value) ?? repeated(constant(value), batch));
      } else {
        const operands: Operands = {
          tf,
          node,
          batch,
          weight: (index) => (node.inputs[index] ? constant(node.inputs[index]) : null),
          value: (index) => {
            const tensor = node.inputs[index]!;
            return values.get(tensor) ?? repeated(constant(tensor), batch);
          },
        };
        const outputs = TRAINED[node.op](operands);
        node.outputs.forEach((output, i) => values.set(output, outputs[i]));
      }
    }
    return main.outputs.map((output) => values.get(output)!.reshape([batch, output.length]));
  }

  function repeated(tensor: tfjs.Tensor, batch: number): tfjs.Tensor {
    return batch === 1 ? tensor : tf.tile(tensor, [batch, ...tensor.shape.slice(1).map(() => 1)]);
  }

  return {
    weights: [...weights.values()],
    run(inputs) {
      if (inputs.length !== main.inputs.length)
        throw new Error(`the model has ${main.inputs.length} inputs, not ${inputs.length}`);
      const [batch, readings] = inputs[0].shape;
      inputs.forEach((input, i) => {
        const expected = [batch, readings, main.inputs[i].length];
        if (String(input.shape) !== String(expected))
          throw new Error(
            `input ${i} "${main.inputs[i].name}" is [${input.shape.join(', ')}], but [${expected.join(', ')}] is expected`,
          );
      });
      return tf.tidy(() => {
        const state = new Map<string, tfjs.Tensor>();
        const apart = inputs.map((input) => tf.unstack(input, 1));
        const steps = Array.from({ length: readings }, (_, t) =>
          step(
            apart.map((list) => list[t]),
            state,
            batch,
          ),
        );
        return main.outputs.map((_, i) =>
          tf.stack(
            steps.map((outputs) => outputs[i]),
            1,
          ),
        ) as tfjs.Tensor3D[];
      });
    },
    graph() {
      const trained = readModel(writeModel(own));
      for (const [tensor, variable] of weights)
        trained.subgraphs[0].tensors[tensor.index].data = Float32Array.from(variable.dataSync());
      return trained;
    },
    dispose() {
      for (const variable of weights.values()) variable.dispose();
    },
  };
}
