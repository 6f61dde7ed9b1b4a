/** Functions of packed modules that Espruino keeps in RAM. */
import assert from 'node:assert/strict';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { inRam } from '../tools/pack/hot';
import { packModel } from '../tools/pack/index';

const marked = (source: string, methods = ['run']): string[] =>
  [...inRam(source, methods).text.matchAll(/function (\w*)\([^)]*\) ?\{"ram";/g)].map(([, name]) => name);

describe('functions in RAM', () => {
  it('are those with loops that a step reaches, under whatever name', () => {
    const source = `
      function loop(n) { while (n--) sum += n; }
      function straight(x) { return x + 1; }
      function nested(x) { straight(x); loop(x); }
      function other(n) { for (var i = 0; i < n; i++) sum -= i; }
      var sum = 0, later = function rows(n) { do loop(n); while (n-- > 0); };
      module.exports = { run: function () { nested(3); later(2); }, step: function () { other(2); } };`;
    assert.deepEqual(marked(source), ['loop', 'rows']);
    assert.deepEqual(marked(source, ['run', 'step']), ['loop', 'other', 'rows']);
    assert.ok(inRam(source, ['run', 'step']).characters > inRam(source, ['run']).characters);
  });

  it('are those with loops that run while the module is loaded', () => {
    const source = `
      function make(n) { var a = []; while (n--) a.push(n); return a; }
      function never(n) { while (n--) make(n); }
      var list = make(3), more = function first(n) { while (n--) list.push(n); }, sum = 0;
      (function now() { for (var i = 0; i < 2; i++) sum += i; })();
      module.exports = { run: function () {}, get: function () { return never(sum); } };`;
    assert.deepEqual(marked(source), ['make', 'now']);
  });

  it('are methods that are to be there as a whole', () => {
    const source = 'module.exports = { invoke: function () { this.run(); }, run: function () {} };';
    assert.equal(inRam(source, ['run']).text, source);
    assert.match(inRam(source, ['run'], ['invoke']).text, /invoke: function \(\) \{"ram";/);
    assert.ok(inRam(source, ['run'], ['invoke']).characters > 0);
  });

  it('are marked in modules for Espruino unless told otherwise', async () => {
    const bytes = writeModel(gruModel({ inputs: 3, units: 8, type: 'INT8' }));
    const count = async (options: { target: 'espruino' | 'es5'; ram?: boolean }): Promise<number> =>
      (await packModel(bytes, { name: 'gru', ...options })).module.split('"ram"').length - 1;
    assert.ok((await count({ target: 'espruino' })) >= 4);
    assert.equal(await count({ target: 'espruino', ram: false }), 0);
    assert.equal(await count({ target: 'es5' }), 0);
  });
});
