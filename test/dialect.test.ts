/** Shipped bundles keep to what every engine runs; the checker, the chip library and the repair of minified code. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import ts from 'typescript';
import { BUNDLES } from '../scripts/bundles';
import { checkDialect, formatViolations } from '../tools/dialect';
import { repairScopes } from '../tools/repair';

const root = path.join(__dirname, '..');

function rules(code: string, allow?: string[]): string[] {
  return checkDialect(code, { allow }).map((violation) => violation.rule);
}

describe('dialect of the shipped bundles', () => {
  for (const { out, globals } of BUNDLES) {
    it(out, function () {
      const file = path.join(root, out);
      if (!fs.existsSync(file)) {
        this.test!.title += ' (not built: run "npm run build")';
        this.skip();
      }
      const violations = checkDialect(fs.readFileSync(file, 'utf8'), { allow: globals });
      assert.equal(formatViolations(violations, out), '');
    });
  }

  it('there is no bundle in dist that is not checked', function () {
    const dist = path.join(root, 'dist');
    if (!fs.existsSync(dist)) this.skip();
    const scripts = fs.readdirSync(dist).filter((name) => name.endsWith('.js'));
    const listed = BUNDLES.map(({ out }) => path.basename(out));
    assert.deepEqual(
      scripts.filter((name) => !listed.includes(name)),
      [],
    );
  });
});

describe('dialect checker', () => {
  const bad: Record<string, Record<string, string>> = {
    syntax: {
      'arrow function': 'var f = () => 1;',
      let: 'let a = 1;',
      'template literal': 'var s = `a`;',
      exponent: 'var x = 2 ** 3;',
      class: 'class A {}',
      'optional chaining': 'var a = {}, b = a?.b;',
    },
    label: { label: 'out: for (;;) break out;' },
    name: { 'a variable called of': 'var of = 1;', 'a function called of': 'function of() {}' },
    with: { with: 'with (Math) abs(1);' },
    switch: { 'case after default': 'var x = 1; switch (x) { default: x = 2; break; case 3: x = 4; }' },
    hole: { 'array hole': 'var a = [1, , 2];' },
    regexp: { 'regular expression': 'var r = /a/;' },
    eval: { 'direct eval': 'eval("1");' },
    create: { 'property map': 'Object.create(null, {});' },
    boxed: { 'boxed number': 'new Number(1);' },
    length: { 'length assigned': 'var a = [1]; a.length = 0;', 'length changed': 'var a = [1]; a.length--;' },
    ascii: { 'string beyond ASCII': 'var s = "\u2212";' },
    property: {
      BYTES_PER_ELEMENT: 'var a = new Int8Array(1), b = a.BYTES_PER_ELEMENT;',
      __proto__: 'var a = { __proto__: null };',
    },
    arguments: { 'arguments.length': 'function f(a) { return arguments.length; }' },
    member: {
      'Math.imul': 'Math.imul(1, 2);',
      'Math in brackets': 'Math["fround"](1);',
      'Math by variable': 'var n = "abs"; Math[n](1);',
      'Object.freeze': 'Object.freeze({});',
      'Number.isInteger': 'Number.isInteger(1);',
      'Array.from': 'Array.from([]);',
      'Array.prototype.slice.call': 'Array.prototype.slice.call([]);',
    },
    method: {
      fill: 'new Int8Array(3).fill(1);',
      substr: '"abc".substr(1);',
      copyWithin: '[].copyWithin(0, 1);',
    },
    global: {
      'implicit global': 'function f() { x = 1; }',
      Map: 'new Map();',
      DataView: 'new DataView(new ArrayBuffer(8));',
      RangeError: 'throw new RangeError("x");',
    },
    hoisting: {
      'call before definition': 'f(); function f() {}',
      'reference before definition': 'var table = { f: f }; function f() {}',
      'inside of a function': 'function g() { f(); function f() {} }',
      'inside of a function called on the spot': '(function () { f(); })(); function f() {}',
      'in a callback': '[1].forEach(function () { f(); }); function f() {}',
      'through another function': 'function g() { f(); } g(); function f() {}',
      'through two more': 'function h() { f(); } function g() { h(); } g(); function f() {}',
      'a variable of the module': 'function g() { return x; } g(); var x = 1;',
    },
    var: {
      'before its var': 'function f() { x = 1; var x; }',
      'after a branch': 'function f(a) { if (a) { var x = 1; } x = 2; }',
      'after a loop': 'function f(a) { while (a--) { var x = 1; } return x; }',
      'in another case': 'function f(a) { switch (a) { case 0: var x = 1; break; case 1: x = 2; } }',
      'after a try': 'function f() { try { var x = 1; } catch (e) {} return x; }',
    },
    catch: {
      'a parameter': 'function f(e) { try { e(); } catch (e) {} }',
      'twice in a function': 'function f(g) { try { g(); } catch (e) {} try { g(); } catch (e) {} }',
      'one from outside': 'var e = 1; function f(g) { g(e); try { g(); } catch (e) {} }',
    },
  };
  for (const [rule, snippets] of Object.entries(bad)) {
    for (const [name, code] of Object.entries(snippets)) {
      it(`${rule}: ${name}`, () => {
        const found = rules(code, ['abs', 'eval']);
        assert.deepEqual([...new Set(found)], [rule]);
      });
    }
  }

  const good: Record<string, string> = {
    'mutual recursion':
      'function f(n) { return n && g(n - 1); } function g(n) { return n && f(n - 1); } f(3);',
    'definition before use': 'function f() {} var t = { f: f }; f();',
    'closures that run later':
      'function make() { return function () { return g(); }; } var h = make(); function g() {} h();',
    'var in both branches': 'function f(a) { if (a) { var x = 1; } else { var x = 2; } return x; }',
    'var repeated': 'function f(a) { for (var i = 0; i < a; i++) {} for (var i = 0; i < a; i++) {} }',
    'var in a for-in': 'function f(a) { for (var k in a) {} return k; }',
    'do body': 'function f(a) { do { var x = a--; } while (x); return x; }',
    'catch variables of two functions':
      'function f(g) { try { g(); } catch (e) {} } function h(g) { try { g(); } catch (e) {} }',
    'getter in a literal': 'var a = { get b() { return 1; } };',
    'typeof guard': 'var big = typeof BigInt64Array === "undefined" ? null : BigInt64Array;',
    'module guard': 'var engram = {}; if (typeof module === "object") module.exports = engram;',
    'a method of its own called fill': 'var a = { fill: function () {} }; a.fill();',
    'length of its own': 'function T(n) { this.length = n; } new T(1);',
    'arguments without parameters': 'function f() { return arguments.length; }',
    'Math as a local name': 'function f(Math) { return Math.imul(1, 2); }',
    'default last': 'function f(a) { switch (a) { case 1: return 2; default: return 3; } }',
  };
  for (const [name, code] of Object.entries(good)) {
    it(`accepts ${name}`, () => assert.equal(formatViolations(checkDialect(code), name), ''));
  }

  it('allows what one engine has when told so', () => {
    const code = 'var s = require("Storage"); new Int8Array(E.sum(s)).fill(1);';
    assert.deepEqual(rules(code), ['global', 'method', 'global']);
    assert.deepEqual(rules(code, ['require', 'E', 'fill']), []);
  });

  it('says where', () => {
    assert.equal(
      formatViolations(checkDialect('var a;\n  a = Math.imul(1, 2);'), 'x.js'),
      'x.js:2:7  member: Math.imul is not on every engine',
    );
  });
});

describe('repair of minified code', () => {
  const cases: Record<string, string> = {
    'second loop': 'function f(a,b){if(a){for(var i=0;i<3;i++)b+=i}for(i=0;i<4;i++)b+=i;return b}',
    'inside an expression': 'function f(a,b){"use strict";if(a){var x=b+1;b=x}return (x=b*2)+x}',
    'several at once': 'function f(a,b){if(a){var x=1,y=2;b+=x+y}x=b,y=x+1;return x*y}',
    'for in': 'function f(a,b){var o={p:1,q:2};if(a){for(var k in o)b+=o[k]}for(k in o)b+=o[k];return b}',
    'case after case': 'function f(a,b){switch(a){case 0:var x=1;return x+b;default:x=2;return x*b}}',
    'three times':
      'function f(a,b){if(a)for(var i=0;i<3;i++)b+=i;if(b)for(i=0;i<2;i++)b+=i;if(a)for(i=0;i<2;i++)b--;for(i=0;i<2;i++)b+=i;return b}',
    'catch named like a parameter': 'function f(a,b){try{if(!a)throw b;return a}catch(b){return b+1}}',
    'two catches': 'function f(a,b){try{throw b}catch(e){a+=e}try{throw a}catch(e){return e+b}}',
    'catch inside a catch': 'function f(a,b){try{throw b}catch(e){try{throw e+1}catch(t){a=t+e}}return a}',
  };
  for (const [name, code] of Object.entries(cases)) {
    it(name, () => {
      const repaired = repairScopes(code);
      assert.equal(formatViolations(checkDialect(repaired), repaired), '');
      for (const [a, b] of [
        [0, 5],
        [1, 7],
        [3, 0],
      ]) {
        const call = `;f(${a},${b})`;
        assert.deepEqual(vm.runInNewContext(repaired + call), vm.runInNewContext(code + call));
      }
    });
  }

  it('leaves good code alone', () => {
    const code =
      'function f(a){for(var i=0;i<a;i++);for(var i=0;i<a;i++);try{a()}catch(e){return e}return i}';
    assert.equal(repairScopes(code), code);
  });
});

describe('library of the chip side', () => {
  /** Messages of the compiler about a chip-side source text. */
  function compile(text: string): string[] {
    const library = path.join(root, 'scripts/chip-lib.d.ts');
    const options: ts.CompilerOptions = {
      noLib: true,
      types: [],
      strict: true,
      target: ts.ScriptTarget.ES5,
      noEmit: true,
    };
    const host = ts.createCompilerHost(options);
    const read = host.getSourceFile.bind(host);
    host.getSourceFile = (name, ...rest) =>
      name === 'chip.ts' ? ts.createSourceFile(name, text, ts.ScriptTarget.ES5) : read(name, ...rest);
    const program = ts.createProgram([library, 'chip.ts'], options, host);
    return ts.getPreEmitDiagnostics(program).map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n'));
  }

  it('has none of what some engine lacks', () => {
    const uses = [
      'Math.imul(1, 2)',
      'Math.trunc(1)',
      'Number.isInteger(1)',
      'new Map()',
      'new DataView(new ArrayBuffer(1))',
      'Object.freeze({})',
      'Array.from([1])',
      '[1].length = 0',
      'new Int8Array(1).fill(0)',
      'new Int8Array(1).slice()',
      'new ArrayBuffer(1).slice(0)',
      'Int8Array.BYTES_PER_ELEMENT',
      '"a".substr(1)',
      'new RangeError("")',
      'setTimeout',
    ];
    for (const use of uses) assert.equal(compile(use + ';').length, 1, use);
  });

  it('has what all have', () => {
    const text = `
      const a = new Float32Array(new ArrayBuffer(8), 0, 2);
      a.set([1, 2]);
      a.subarray(1).set(a, 0);
      const names: string[] = Object.keys({ a: 1 }).slice(1);
      names.push('x'.substring(0, 1) + Math.floor(a[0]) + JSON.stringify(names));
      if (names.length > 3) throw new Error(names.map(function (name) { return name.charCodeAt(0); }).join());
    `;
    assert.deepEqual(compile(text), []);
  });
});
