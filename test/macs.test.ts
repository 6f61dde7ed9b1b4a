/** Multiply-accumulates against counts by hand. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { GraphBuilder, type SubgraphBuilder } from '../author/graph_builder';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import type { Options, Tensor } from '../lib/graph';
import { load } from '../lib/index';
import { countStep } from '../tools/bench_counts';
import { feed, randomStream } from '../tools/engine_inputs';
import { graphMacs } from '../tools/macs';
import { ABSENT, shared } from './helpers/shared';

type Operands = (main: SubgraphBuilder) => (Tensor | null)[];

/** MACs of a graph of one operator. */
function macsOf(op: string, operands: Operands, output: number[], options?: Options): number {
  const builder = new GraphBuilder();
  const main = builder.subgraph('main');
  const inputs = operands(main);
  const y = main.tensor('y', 'FLOAT32', output);
  main.op(op, inputs, [y], options);
  main.output(y);
  const count = graphMacs(builder.build());
  if (count.total)
    assert.deepEqual(count, { total: count.total, operators: [{ name: op, count: 1, macs: count.total }] });
  return count.total;
}

const x =
  (...shape: number[]) =>
  (main: SubgraphBuilder): Tensor =>
    main.input('x', 'FLOAT32', shape);

const w =
  (...shape: number[]) =>
  (main: SubgraphBuilder): Tensor =>
    main.constant(
      'w',
      'FLOAT32',
      shape,
      new Array<number>(shape.reduce((product, n) => product * n, 1)).fill(0.5),
    );

const state =
  (...shape: number[]) =>
  (main: SubgraphBuilder): Tensor =>
    main.state('state', 'FLOAT32', shape);

const absent = (): null => null;

const list =
  (...makers: ((main: SubgraphBuilder) => Tensor | null)[]): Operands =>
  (main) =>
    makers.map((make) => make(main));

describe('multiply-accumulates', () => {
  it('CONV_2D: each output sums a window of all channels', () => {
    // 2 images of 3 × 4 outputs in 5 channels, windows of 2 × 3 in 7 channels
    assert.equal(
      macsOf('CONV_2D', list(x(2, 4, 6, 7), w(5, 2, 3, 7), w(5)), [2, 3, 4, 5]),
      2 * 3 * 4 * 5 * (2 * 3 * 7),
    );
  });

  it('CONV_2D in groups: each output sums the channels of its group', () => {
    // 8 input channels in 2 groups of 4
    assert.equal(
      macsOf('CONV_2D', list(x(1, 5, 5, 8), w(6, 3, 3, 4), w(6)), [1, 3, 3, 6]),
      3 * 3 * 6 * (3 * 3 * 4),
    );
  });

  it('DEPTHWISE_CONV_2D: each output sums a window of one channel', () => {
    // a multiplier of 2: 3 input channels, 6 output channels
    assert.equal(
      macsOf('DEPTHWISE_CONV_2D', list(x(1, 5, 6, 3), w(1, 3, 2, 6), w(6)), [1, 3, 5, 6], {
        depth_multiplier: 2,
      }),
      3 * 5 * 6 * (3 * 2),
    );
  });

  it('TRANSPOSE_CONV: each input is spread over a window of all output channels', () => {
    const shape = (main: SubgraphBuilder): Tensor => main.constant('shape', 'INT32', [4], [1, 5, 5, 2]);
    assert.equal(
      macsOf('TRANSPOSE_CONV', list(shape, w(2, 3, 3, 4), x(1, 2, 2, 4)), [1, 5, 5, 2]),
      2 * 2 * 4 * (3 * 3 * 2),
    );
  });

  it('FULLY_CONNECTED: rows of the weights for each batch', () => {
    assert.equal(macsOf('FULLY_CONNECTED', list(x(3, 10), w(4, 10), w(4)), [3, 4]), 3 * 4 * 10);
    assert.equal(macsOf('FULLY_CONNECTED', list(x(1, 2, 3, 10), w(4, 10), absent), [6, 4]), 6 * 4 * 10);
  });

  it('BATCH_MATMUL: whichever side is adjoint or broadcast', () => {
    assert.equal(macsOf('BATCH_MATMUL', list(x(2, 3, 5), w(2, 5, 7)), [2, 3, 7]), 2 * 3 * 7 * 5);
    assert.equal(
      macsOf('BATCH_MATMUL', list(x(2, 5, 3), w(2, 7, 5)), [2, 3, 7], { adj_x: true, adj_y: true }),
      2 * 3 * 7 * 5,
    );
    assert.equal(macsOf('BATCH_MATMUL', list(x(3, 5), w(4, 5, 7)), [4, 3, 7]), 4 * 3 * 7 * 5);
  });

  it('SVDF: features of the input, then their memory', () => {
    // 8 filters (rank 2, 4 units) of 10 inputs, a memory of 6 steps
    assert.equal(
      macsOf('SVDF', list(x(2, 10), w(8, 10), w(8, 6), w(4), state(2, 48)), [2, 4], { rank: 2 }),
      2 * (8 * 10 + 8 * 6),
    );
  });

  it('UNIDIRECTIONAL_SEQUENCE_LSTM: four gates of inputs and of state, for each time and batch', () => {
    const gates = list(
      x(3, 2, 5),
      ...[0, 1, 2, 3].map(() => w(4, 5)),
      ...[0, 1, 2, 3].map(() => w(4, 4)),
      absent,
      absent,
      absent,
      ...[0, 1, 2, 3].map(() => w(4)),
      absent,
      absent,
      state(2, 4),
      state(2, 4),
    );
    assert.equal(macsOf('UNIDIRECTIONAL_SEQUENCE_LSTM', gates, [3, 2, 4]), 3 * 2 * 4 * (4 * 5 + 4 * 4));
  });

  it('LSTM with coupled gates, peepholes and projection', () => {
    // 5 inputs, 6 cells, 4 outputs; no input gate
    const gates = list(
      x(2, 5),
      absent,
      ...[0, 1, 2].map(() => w(6, 5)),
      absent,
      ...[0, 1, 2].map(() => w(6, 4)),
      absent,
      w(6),
      w(6),
      absent,
      ...[0, 1, 2].map(() => w(6)),
      w(4, 6),
      absent,
      state(2, 4),
      state(2, 6),
    );
    assert.equal(macsOf('LSTM', gates, [2, 4]), 2 * (3 * 6 * 5 + 3 * 6 * 4 + 2 * 6 + 4 * 6));
  });

  it('RNN and UNIDIRECTIONAL_SEQUENCE_RNN: inputs and state', () => {
    assert.equal(
      macsOf('RNN', list(x(2, 5), w(4, 5), w(4, 4), w(4), state(2, 4)), [2, 4]),
      2 * (4 * 5 + 4 * 4),
    );
    assert.equal(
      macsOf('UNIDIRECTIONAL_SEQUENCE_RNN', list(x(2, 3, 5), w(4, 5), w(4, 4), w(4), state(2, 4)), [2, 3, 4]),
      2 * 3 * (4 * 5 + 4 * 4),
    );
  });

  it('elementwise operators have none', () => {
    assert.equal(macsOf('MUL', list(x(2, 5), w(2, 5)), [2, 5]), 0);
  });

  it('a GRU: its three dense layers', () => {
    // 3 gates of 5 inputs and of 7 units, and 2 outputs
    assert.equal(
      graphMacs(gruModel({ inputs: 5, units: 7, outputs: 2 })).total,
      3 * 7 * 5 + 3 * 7 * 7 + 2 * 7,
    );
  });
});

describe('counts of a step', () => {
  /** n times: state ← W · state, in a WHILE that counts to `n`; the state is a variable. */
  function looped(n: number): Uint8Array {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const condition = builder.subgraph('condition');
    const body = builder.subgraph('body');
    {
      const i = condition.input('i', 'INT32', [1]);
      const less = condition.tensor('less', 'BOOL', [1]);
      condition.op('LESS', [i, condition.constant('n', 'INT32', [1], [n])], [less]);
      condition.output(less);
    }
    {
      const i = body.input('i', 'INT32', [1]);
      const next = body.tensor('next', 'INT32', [1]);
      body.op('ADD', [i, body.constant('one', 'INT32', [1], [1])], [next]);
      const handle = body.variable('h');
      const y = body.tensor('y', 'FLOAT32', [1, 3]);
      const kernel = body.constant('w', 'FLOAT32', [3, 3], new Array<number>(9).fill(0.1));
      body.op('FULLY_CONNECTED', [body.read(handle, 'FLOAT32', [1, 3]), kernel, null], [y]);
      body.assign(handle, y);
      body.output(next);
    }
    const begin = main.input('begin', 'INT32', [1]);
    const end = main.tensor('end', 'INT32', [1]);
    main.op('WHILE', [begin], [end], { cond_subgraph_index: 1, body_subgraph_index: 2 });
    main.output(end);
    return writeModel(builder.build());
  }

  it('counts what a WHILE repeats', () => {
    const { macs, stateBytesCopied } = countStep(looped(4), 2, (model) => feed(model, new Uint8Array(4)));
    assert.equal(macs.total, 4 * 9);
    assert.deepEqual(macs.operators, [{ name: 'FULLY_CONNECTED', count: 4, macs: 36 }]);
    assert.equal(stateBytesCopied.copyAlways, 4 * (12 + 12));
    // FULLY_CONNECTED cannot write over its input: one of the two copies has to stay
    assert.equal(stateBytesCopied.engram, 4 * 12);
  });

  it('counts no copies where reading is a view and the last operator writes into the variable', () => {
    const bytes = writeModel(gruModel({ inputs: 3, units: 8, type: 'INT8' }));
    const model = load(bytes);
    const stream = randomStream(model, 3, 1);
    const { macs, stateBytesCopied } = countStep(bytes, 3, (counted, step) => feed(counted, stream[step]));
    assert.equal(macs.total, 24 * 3 + 24 * 8 + 8);
    assert.equal(stateBytesCopied.copyAlways, 16);
    const copies = model.program.steps.filter(({ node }) => /(READ|ASSIGN)_VARIABLE/.test(node.op)).length;
    assert.equal(stateBytesCopied.engram, 8 * copies);
  });

  it('counts an output that is fed back once, when it is copied by hand', () => {
    const builder = new GraphBuilder();
    const main = builder.subgraph('main');
    const x1 = main.input('x', 'FLOAT32', [1, 4]);
    const h = main.input('h', 'FLOAT32', [1, 4]);
    const y = main.tensor('y', 'FLOAT32', [1, 4]);
    main.op('ADD', [x1, h], [y]);
    main.output(y);
    const loops = [{ from: 'y', to: 'h' }];
    const { stateBytesCopied } = countStep(writeModel(builder.build()), 1, () => undefined, loops);
    assert.deepEqual(stateBytesCopied, { engram: 0, copyAlways: 16 });
  });

  it('agrees with the published count of MLPerf Tiny’s keyword model', function () {
    const file = shared('models', 'mlperf_kws_int8', 'model.tflite');
    if (!file) {
      this.test!.title += ` (${ABSENT})`;
      return this.skip();
    }
    const { macs } = countStep(new Uint8Array(fs.readFileSync(file)), 1, () => undefined);
    // 2.66 million (MLPerf Tiny, DS-CNN)
    assert.equal(macs.total, 2656768);
  });
});
