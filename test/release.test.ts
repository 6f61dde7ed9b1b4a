/** Names that a packed module clears once it is loaded. */
import assert from 'node:assert/strict';
import { clearing, loadingNames, reusingNames } from '../tools/pack/release';

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

  it('leave what a function uses that is only passed on while the module is loaded', () => {
    const source = `
      function take(x) { return x; }
      function step(x) { return take(x); }
      module.exports = { step: step };`;
    assert.deepEqual(loadingNames(source), ['step']);
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

describe('names of packed modules', () => {
  const run = (text: string): Record<string, () => unknown> => {
    const exports: Record<string, () => unknown> = {};
    new Function('exports', text)(exports);
    return exports;
  };

  it('of functions that were needed before go to variables', () => {
    const source = `
      function two() { return 2; }
      function open(x) { return x + two(); }
      var weights = open(1), later = weights * 2;
      var last = later + 1;
      exports.get = function () { return weights + later + last; };`;
    const { text, left } = reusingNames(source);
    assert.deepEqual(left, []);
    assert.doesNotMatch(text, /later/);
    assert.match(text, /(two|open) = open\(1\)/);
    assert.equal(run(text).get(), run(source).get());
  });

  it('of variables that only loading needed go to later ones', () => {
    const source = `
      var file = [1, 2], first = file[0], second = file[1], last = first + second;
      exports.get = function () { return first + last; };`;
    const { text } = reusingNames(source);
    assert.match(text, /file = first \+ file/);
    assert.equal(run(text).get(), run(source).get());
  });

  it('stay where a variable is made before the last use, or is used before it is made', () => {
    const before =
      'function two() { return 2; } var x = 1; var y = x + two(); exports.get = function () { return y; };';
    assert.match(reusingNames(before).text, /var x = 1; var two = x \+ two\(\)/);
    const early = 'function two() { return 2; } exports.a = two(); exports.b = x; var x = 1;';
    assert.equal(reusingNames(early).text, early);
  });

  it('stay where the new name would mean something else in a function', () => {
    const source = `function two() { return 2; }
      var a = two();
      exports.get = function (two) { return two || a; };`;
    const { text, left } = reusingNames(source);
    assert.equal(text, source);
    assert.deepEqual(left, ['two']);
    assert.equal(run(text).get(), 2);
  });
});
