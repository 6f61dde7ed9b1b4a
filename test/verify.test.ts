/** engram verify: equal where it is equal, and the first difference where one was made. */
import assert from 'node:assert/strict';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { engineNamed } from '../engines/index';
import { load } from '../lib/index';
import { reportText } from '../tools/commands/verify';
import { shippedBundle } from '../tools/engine_bundle';
import { randomStream } from '../tools/engine_inputs';
import { verify } from '../tools/verify';

const STEPS = 6;
const quickjs = engineNamed('quickjs');

/** The shipped bundle, with `before` done to the bytes of each model that it loads. */
function tampered(before: string): string {
  return `${shippedBundle()}
var untouched = engram.load;
engram = { load: function (bytes, options) { ${before}; return untouched(bytes, options); } };`;
}

function check(bytes: Uint8Array, bundle: string) {
  return verify('gru', bytes, quickjs, bundle, randomStream(load(bytes), STEPS, 3), 60);
}

/** Position of a constant's first byte in a model. */
function placeOf(bytes: Uint8Array, name: string): number {
  const tensor = load(bytes).program.graph!.subgraphs[0].tensors.find(
    (candidate) => candidate.name === name,
  )!;
  return tensor.data!.byteOffset - bytes.byteOffset;
}

describe('verify', function () {
  this.timeout(60000);
  const bytes = writeModel(gruModel({ inputs: 3, units: 8, type: 'INT8' }));

  before(function () {
    try {
      shippedBundle();
    } catch (error) {
      this.test!.parent!.title += `: pending, ${(error as Error).message}`;
      this.skip();
    }
  });

  it('finds no difference where there is none', async () => {
    const report = await check(bytes, shippedBundle());
    assert.deepEqual(report, {
      model: 'gru',
      engine: 'quickjs',
      steps: STEPS,
      equal: true,
      difference: null,
    });
    assert.match(reportText(report, 'QuickJS'), /same bits as on Node over 6 steps/);
  });

  it('names step, tensor, element and operator of the first difference', async () => {
    // a weight of the layer that only the output depends on
    const at = placeOf(bytes, 'y/kernel');
    const report = await check(bytes, tampered(`bytes[${at}] ^= 64`));
    const { difference } = report;
    assert.equal(report.equal, false);
    assert.ok(difference);
    assert.deepEqual([difference.kind, difference.name, difference.index], ['output', 'y', 0]);
    assert.notEqual(difference.expected, difference.got);
    const { operator } = difference;
    assert.ok(operator);
    const node = load(bytes).program.graph!.subgraphs[0].nodes[operator.index];
    assert.deepEqual([operator.op, operator.tensor], ['FULLY_CONNECTED', 'y']);
    assert.equal(node.outputs[0].name, 'y');
    assert.match(
      reportText(report, 'QuickJS'),
      /QuickJS differs from Node in step \d, output "y", element 0: .*\n.*\n.*FULLY_CONNECTED, tensor "y"/,
    );
  });

  it('finds a difference of the state although the output may not show it yet', async () => {
    const at = placeOf(bytes, 'h/gates/kernel');
    const { difference } = await check(bytes, tampered(`for (var i = 0; i < 8; i++) bytes[${at} + i] ^= 64`));
    assert.ok(difference?.operator);
    assert.equal(difference.operator.tensor, 'h/gates');
    // the state is 0 before the first step, whatever its weights
    assert.ok(difference.step >= 1);
  });

  it('tells why an engine could not run the model', async () => {
    await assert.rejects(
      check(bytes, tampered(`throw new Error('no room')`)),
      /^Error: QuickJS: Error: no room/,
    );
  });
});
