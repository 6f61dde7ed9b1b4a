/** What the writer writes: read back by the reader, and by the FlatBuffers package. */
import assert from 'node:assert/strict';
import { ByteBuffer } from 'flatbuffers';
import { GraphBuilder } from '../author/graph_builder';
import { OPTIONS_OF, parseTable, readModel } from '../author/options';
import { writeModel } from '../author/writer';
import type { Graph, Options } from '../lib/graph';
import { readGraph } from '../lib/index';
import * as schema from '../lib/schema';
import { content } from './helpers/content';
import { ABSENT, shared } from './helpers/shared';
import { cases, groups } from './helpers/suite';

/** A field's position in a table by the FlatBuffers package's own reader, 0 when it is absent. */
function fieldAt(buffer: ByteBuffer, table: number, slot: number): number {
  const offset = buffer.__offset(table, 4 + 2 * slot);
  return offset ? table + offset : 0;
}

/** Positions of the tables of a vector. */
function tablesOf(buffer: ByteBuffer, table: number, slot: number): number[] {
  const field = fieldAt(buffer, table, slot);
  const start = buffer.__vector(field);
  return Array.from({ length: buffer.__vector_len(field) }, (_, i) => buffer.__indirect(start + 4 * i));
}

function open(bytes: Uint8Array): { buffer: ByteBuffer; model: number } {
  const buffer = new ByteBuffer(bytes);
  return { buffer, model: buffer.readInt32(0) };
}

/** A graph that uses what models use: several subgraphs, types and quantizations, custom options, metadata, state. */
function manifold(): Graph {
  const builder = new GraphBuilder('manifold, naïvely');
  const main = builder.subgraph('main');
  const second = builder.subgraph('second');
  const x = main.input('x', 'INT8', [1, 4], { scale: 0.1, zeroPoint: -3 });
  const w = main.constant('w', 'INT8', [3, 4], [1, -2, 3, -4, 5, -6, 7, -8, 9, -10, 11, -128], {
    scales: [0.1, 0.2, 0.3],
  });
  const y = main.tensor('y', 'INT8', [1, 3], { scale: 0.5, zeroPoint: 127 });
  main.op('FULLY_CONNECTED', [x, w, null], [y], { fused_activation_function: schema.RELU });
  const twin = main.constant('same bytes', 'INT8', [12], [1, -2, 3, -4, 5, -6, 7, -8, 9, -10, 11, -128]);
  const other = main.tensor('other', 'INT8', [3]);
  main.op('Mystery', [twin], [other], undefined, {
    custom: true,
    version: 2,
    customOptions: Uint8Array.of(1, 2, 3),
    intermediates: [y, null],
  });
  main.callOnce(second);
  main.output(y, other);
  const big = second.constant('big', 'INT64', [2], [2n ** 62n + 1n, -5n]);
  second.constant('nibbles', 'INT4', [3], [-8, 7, -1]);
  second.constant('flags', 'BOOL', [3], [true, false, true]);
  second.constant('scalar', 'FLOAT32', [], [0.1]);
  second.assign(second.variable('v', 'box'), big);
  const features = second.input('f', 'FLOAT32', [1, 2]);
  const state = second.state('state', 'FLOAT32', [1, 4]);
  const weights = second.constant('wf', 'FLOAT32', [2, 2], [1, 2, 3, 4]);
  const times = second.constant('wt', 'FLOAT32', [2, 2], [0.5, 0.25, 0.125, 1]);
  const filtered = second.tensor('filtered', 'FLOAT32', [1, 2]);
  second.op('SVDF', [features, weights, times, null, state], [filtered], { rank: 1 });
  second.output(filtered);
  builder.metadata('notes', Uint8Array.of(7, 7, 7)).metadata('twin', Uint8Array.of(7, 7, 7));
  return builder.build();
}

describe('writer', () => {
  describe('the file', () => {
    it('says everything that the graph says', () => {
      const graph = manifold();
      const read = readModel(writeModel(graph));
      // options come back with all defaults filled in
      const filled = read.subgraphs.flatMap((s) => s.nodes);
      graph.subgraphs
        .flatMap((s) => s.nodes)
        .forEach((node, i) => {
          for (const [name, value] of Object.entries(node.options ?? {})) {
            assert.deepEqual(filled[i].options?.[name], value, `${node.op} ${name}`);
          }
          node.options = filled[i].options;
        });
      assert.deepEqual(content(read), content(graph));
      assert.deepEqual(Array.from(read.subgraphs[1].tensors[1].data ?? []), [0x78, 0x0f]);
      assert.deepEqual(Array.from(read.subgraphs[1].tensors[0].data ?? []), [1, 0x40000000, -5, -1]);
    });

    it('is the same for the same graph, and for the graph read back', () => {
      const bytes = writeModel(manifold());
      assert.deepEqual(writeModel(manifold()), bytes);
      assert.deepEqual(writeModel(readModel(bytes)), bytes);
      assert.deepEqual(writeModel(readGraph(bytes)), bytes, 'options not decoded before');
    });

    it('has every constant at a multiple of 16, equal ones once, and an empty buffer 0', () => {
      const bytes = writeModel(manifold());
      const { buffer, model } = open(bytes);
      const buffers = tablesOf(buffer, model, schema.MODEL.buffers);
      const data = buffers.map((table) => {
        const field = fieldAt(buffer, table, schema.BUFFER.data);
        return field ? { start: buffer.__vector(field), length: buffer.__vector_len(field) } : null;
      });
      assert.equal(data[0], null);
      for (const place of data.slice(1)) assert.equal((place?.start ?? 1) % 16, 0);
      assert.deepEqual(
        data.slice(1).map((place) => place?.length),
        // w and its twin, big, nibbles, flags, scalar, wf, wt; metadata is never shared
        [12, 16, 2, 3, 4, 16, 16, 3, 3],
      );
      const starts = data.slice(1).map((place) => place?.start ?? 0);
      assert.deepEqual(
        starts,
        [...starts].sort((a, b) => a - b),
      );
      const [main] = tablesOf(buffer, model, schema.MODEL.subgraphs);
      const used = tablesOf(buffer, main, schema.SUBGRAPH.tensors).map((table) => {
        const field = fieldAt(buffer, table, schema.TENSOR.buffer);
        return field ? buffer.readInt32(field) : 0;
      });
      assert.deepEqual(used, [0, 1, 0, 1, 0]);
    });

    it('carries identifier, version, old and new operator codes, and what an operator mutates', () => {
      const bytes = writeModel(manifold(), { description: 'another' });
      const { buffer, model } = open(bytes);
      assert.equal(new TextDecoder().decode(bytes.subarray(4, 8)), 'TFL3');
      assert.equal(buffer.readInt32(fieldAt(buffer, model, schema.MODEL.version)), 3);
      assert.equal(readGraph(bytes).description, 'another');
      const codes = tablesOf(buffer, model, schema.MODEL.operatorCodes).map((table) => {
        const old = fieldAt(buffer, table, schema.OPERATOR_CODE.deprecatedBuiltinCode);
        const code = fieldAt(buffer, table, schema.OPERATOR_CODE.builtinCode);
        const version = fieldAt(buffer, table, schema.OPERATOR_CODE.version);
        return [
          old ? buffer.readInt8(old) : 0,
          code ? buffer.readInt32(code) : 0,
          version ? buffer.readInt32(version) : 1,
        ];
      });
      // FULLY_CONNECTED, Mystery, CALL_ONCE, VAR_HANDLE, ASSIGN_VARIABLE, SVDF
      assert.deepEqual(codes, [
        [9, 9, 4],
        [32, 32, 2],
        [127, 129, 1],
        [127, 142, 1],
        [127, 144, 1],
        [27, 27, 1],
      ]);
      const [, second] = tablesOf(buffer, model, schema.MODEL.subgraphs);
      const mutating = tablesOf(buffer, second, schema.SUBGRAPH.operators).map((table) => {
        const field = fieldAt(buffer, table, schema.OPERATOR.mutatingVariableInputs);
        if (!field) return null;
        const start = buffer.__vector(field);
        return Array.from({ length: buffer.__vector_len(field) }, (_, i) => buffer.readInt8(start + i));
      });
      assert.deepEqual(mutating, [null, null, [0, 0, 0, 0, 1]]);
    });
  });

  describe('options', () => {
    /** A value that is not the field's default, and another one for each slot. */
    function unusual(kind: string, slot: number): Options[string] {
      switch (kind) {
        case 'b':
          return 3 + slot;
        case 'i':
          return -70000 - slot;
        case 'u':
          return 4000000000 + slot;
        case 'l':
          return -(2 ** 40) - slot;
        case 'f':
          return 0.25 + slot;
        case 's':
          return `größe ${slot}`;
        case 'I':
          return [slot, -1, 70000];
        case 'L':
          return [slot, -(2 ** 40)];
        case 'F':
          return [slot, 0.5];
        default:
          throw new Error(`no value for kind ${kind}`);
      }
    }

    it('of every table come back, whether unusual or default', () => {
      const used = new Set(Object.values(OPTIONS_OF));
      const tables = Object.entries(schema).filter(([name]) => name.endsWith('_OPTIONS'));
      assert.equal(tables.length, 126, 'tables of the union');
      for (const [name, table] of tables)
        assert.ok(used.has(table as string), `${name} belongs to no operator`);
      const tags = [...used].map((table) => parseTable(table).tag).sort((a, b) => a - b);
      assert.deepEqual(
        tags,
        tags.map((_, i) => i + 1),
      );
      for (const [op, table] of Object.entries(OPTIONS_OF)) {
        const fields = parseTable(table).fields;
        const wanted: Options = {};
        const defaults: Options = {};
        fields.forEach(({ name, kind, otherwise }, slot) => {
          if (name === '-') return;
          wanted[name] = kind === 'o' ? !otherwise : unusual(kind, slot);
          defaults[name] = 'ILF'.includes(kind)
            ? []
            : kind === 's'
              ? ''
              : kind === 'o'
                ? !!otherwise
                : otherwise;
        });
        const builder = new GraphBuilder();
        const main = builder.subgraph('main');
        main.op(op, [], [], wanted, { version: 1 });
        main.op(op, [], [], {}, { version: 1 });
        main.op(op, [], [], defaults, { version: 1 });
        const bytes = writeModel(builder.build());
        const nodes = readModel(bytes).subgraphs[0].nodes;
        assert.deepEqual(
          nodes.map((node) => node.options),
          [wanted, defaults, defaults],
          op,
        );
        assert.ok(nodes.every((node) => node.optionsTag === parseTable(table).tag));
        const { buffer, model } = open(bytes);
        const [subgraph] = tablesOf(buffer, model, schema.MODEL.subgraphs);
        for (const table of tablesOf(buffer, subgraph, schema.SUBGRAPH.operators).slice(1)) {
          const options = buffer.__indirect(fieldAt(buffer, table, schema.OPERATOR.options));
          fields.forEach((_, slot) =>
            assert.equal(fieldAt(buffer, options, slot), 0, `${op} writes a default`),
          );
        }
      }
    });

    it('that do not fit are refused', () => {
      const refused = (op: string, options: Options, message: RegExp): void => {
        const builder = new GraphBuilder();
        builder.subgraph('main').op(op, [], [], options, { version: 1 });
        assert.throws(() => writeModel(builder.build()), message);
      };
      refused('SOFTMAX', { alpha: 1 }, /operator 0 SOFTMAX: unknown option alpha, expected beta/);
      refused('SOFTMAX', { beta: true }, /option beta must be a number, not true/);
      refused('SPLIT', { num_splits: 1.5 }, /num_splits must be an integer from -2147483648 to 2147483647/);
      refused('CONV_2D', { padding: 128 }, /padding must be an integer from -128 to 127/);
      refused('MEAN', { keep_dims: 1 }, /keep_dims must be true or false/);
      refused('RESHAPE', { new_shape: 3 }, /new_shape must be an array of numbers/);
      refused('VAR_HANDLE', { shared_name: 3 }, /shared_name must be a string/);
    });
  });

  it('refuses graphs that no file can say', () => {
    const broken = (change: (graph: Graph) => void, message: RegExp): void => {
      const graph = manifold();
      change(graph);
      assert.throws(() => writeModel(graph), message);
    };
    broken(
      (g) => g.subgraphs[0].tensors.splice(2, 1),
      /its output "y" INT8 \[1,3\] is not in the list of tensors/,
    );
    broken((g) => (g.subgraphs[0].tensors[1].data = null), /constant "w" INT8 \[3,4\] has no data/);
    broken((g) => (g.subgraphs[0].tensors[1].data = new Int8Array(5)), /needs 12 bytes, but its data has 5/);
    broken((g) => (g.subgraphs[0].tensors[0].type = 'INT7'), /"x" INT7 \[1,4\]: unknown type/);
    broken(
      (g) => (g.subgraphs[0].nodes[0].op = 'FULLY'),
      /operator 0 FULLY: no builtin operator has this name/,
    );
  });

  it('builder refuses what cannot be meant', () => {
    const main = new GraphBuilder().subgraph('main');
    const x = main.input('x', 'INT8', [2]);
    const y = main.tensor('y', 'INT8', [2]);
    assert.throws(() => main.op('RELU', [y], [x]), /input "y" INT8 \[2\] has no value yet/);
    assert.throws(() => main.op('RELU', [x], [x]), /output "x" INT8 \[2\] already has a value/);
    assert.throws(() => main.output(y), /output "y" INT8 \[2\] has no value yet/);
    assert.throws(() => main.op('RELUX', [x], [y]), /RELUX: no builtin operator has this name/);
    assert.throws(() => main.op('RELU', [x], [y], {}), /this operator has no builtin options/);
    assert.throws(
      () => main.constant('c', 'INT8', [2], [1, 128]),
      /value 1 must be an integer from -128 to 127/,
    );
    assert.throws(() => main.constant('c', 'INT8', [2], [1]), /needs 2 values, not 1/);
    assert.throws(() => main.constant('c', 'FLOAT16', [2], [1, 2]), /needs a typed array with the 4 bytes/);
    assert.throws(() => main.tensor('t', 'INT8', [2], { scales: [1, 2, 3] }), /3 scales along dimension 0/);
  });
});

describe('models written again', function () {
  this.timeout(60000);
  if (!shared('conformance')) it(ABSENT);
  else {
    it('say the same: the conformance suite', () => {
      for (const group of groups()) {
        for (const { name, bytes } of cases(group)) {
          const graph = readModel(bytes);
          assert.deepEqual(content(readModel(writeModel(graph))), content(graph), name);
        }
      }
    });
  }
});
