/** Names that a packed module clears once it is loaded. */
import assert from 'node:assert/strict';
import { clearing, loadingNames } from '../tools/pack/release';

describe('loading names of packed modules', () => {
  it('are functions that only the top level calls, and what only those call', () => {
    const source = `
      function crc(x) { return x | 0; }
      function open(name) { return crc(name); }
      var weights = open('w');
      module.exports = weights;`;
    assert.deepEqual(loadingNames(source).sort(), ['crc', 'open']);
  });

  it('leave what a later call needs, under whatever name a local variable has', () => {
    const source = `
      function kernel(x) { return x; }
      function once(kernel) { return kernel; }
      var a = once(1);
      module.exports = { run: function () { kernel(a); } };`;
    assert.deepEqual(loadingNames(source), ['once']);
  });

  it('leave what a function uses that a loading function makes', () => {
    const source = `
      function fill(x) { return x; }
      function enable(model) { model.reset = function () { fill(model); }; }
      enable(module.exports);`;
    assert.deepEqual(loadingNames(source), ['enable']);
  });

  it('are cleared at the end of a module that still works', () => {
    const source = 'function two() { return 2; }\nvar x = two();\nexports.get = function () { return x; };\n';
    const text = clearing(source, loadingNames(source));
    assert.match(text, /\ntwo=null;\n$/);
    const exports: { get?: () => number } = {};
    new Function('exports', text)(exports);
    assert.equal(exports.get!(), 2);
    assert.equal(clearing('var y = 1;\n', []), 'var y = 1;\n');
  });
});
