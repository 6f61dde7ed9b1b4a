/**
 * Arrows point one way: nothing on the chip side imports a Node module, a package, `tools` or `author`, and operators
 * know only the arithmetic and the types of lib.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const root = path.join(__dirname, '..');

/** The rooms of the chip side, and the folders or modules that each may import from. */
const MAY_IMPORT: Record<string, string[]> = {
  // Entries, which choose operators, are the only modules of lib that know any (see below).
  lib: ['lib', 'ops', 'variables', 'engines/espruino/stored'],
  // Of prepare: the steps that control flow is made of, and the copy that the runtime needs too.
  ops: [
    'ops',
    'lib/fixedpoint',
    'lib/flatbuffer',
    'lib/graph',
    'lib/prepare',
    'lib/schema',
    'lib/tensor',
    'variables/operators',
  ],
  variables: ['variables', 'lib'],
  'engines/espruino': ['engines/espruino', 'lib', 'ops', 'variables'],
};

/** Modules that put a set of operators and the runtime together. */
const ENTRIES = ['lib/index.ts', 'lib/chip.ts'];

/** What a module imports, in whatever way: import and export declarations, import types, require, import(). */
function importsOf(text: string, file = 'module.ts'): string[] {
  const found: string[] = [];
  function visit(node: ts.Node): void {
    let specifier: ts.Node | undefined;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) specifier = node.moduleSpecifier;
    else if (ts.isImportTypeNode(node))
      specifier = ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node;
    else if (ts.isExternalModuleReference(node)) specifier = node.expression;
    else if (
      ts.isCallExpression(node) &&
      (node.expression.kind === ts.SyntaxKind.ImportKeyword ||
        (ts.isIdentifier(node.expression) && node.expression.text === 'require'))
    ) {
      specifier = node.arguments[0];
    }
    if (specifier) found.push(ts.isStringLiteralLike(specifier) ? specifier.text : specifier.getText());
    ts.forEachChild(node, visit);
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return found;
}

function sourcesIn(room: string): string[] {
  const directory = path.join(root, room);
  if (!fs.existsSync(directory)) return [];
  return fs
    .readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.posix.join(room, name.split(path.sep).join('/')));
}

/** Imports of a chip-side file that its room may not have. */
function forbiddenImports(file: string, text: string, allowed: string[]): string[] {
  return importsOf(text, file).filter((specifier) => {
    if (!/^\.\.?\//.test(specifier)) return true;
    const target = path.posix.join(path.posix.dirname(file), specifier);
    return !allowed.some((room) => target === room || target.startsWith(room + '/'));
  });
}

describe('layers', () => {
  for (const [room, allowed] of Object.entries(MAY_IMPORT)) {
    it(`${room} imports only from ${allowed.join(', ')}`, function () {
      const files = sourcesIn(room);
      if (files.length === 0) {
        if (room !== 'engines/espruino') assert.fail(`there are no sources in ${room}`);
        this.skip();
      }
      const wrong = files.flatMap((file) =>
        forbiddenImports(file, fs.readFileSync(path.join(root, file), 'utf8'), allowed).map(
          (i) => `${file}: ${i}`,
        ),
      );
      // Storage is built into Espruino; `name` is a module of the user's
      const real =
        room === 'engines/espruino' ? wrong.filter((line) => !/: (Storage|name)$/.test(line)) : wrong;
      assert.deepEqual(real, []);
    });
  }

  it('of lib, only entries know operators', () => {
    const wrong = sourcesIn('lib')
      .filter((file) => !ENTRIES.includes(file))
      .flatMap((file) =>
        forbiddenImports(file, fs.readFileSync(path.join(root, file), 'utf8'), ['lib', 'variables']).map(
          (specifier) => `${file}: ${specifier}`,
        ),
      );
    assert.deepEqual(wrong, []);
  });

  it('notices every way to import', () => {
    const text = `
      import fs from 'node:fs';
      import type { A } from '../tools/a';
      import '../author/b';
      export * from '../tools/c';
      import d = require('../tools/d');
      const e = require('espruino');
      const f = import('../lib/planner');
      type G = import('../tools/g').G;
      import { fround } from '../lib/fixedpoint';
      import { checks } from './checks';
    `;
    assert.deepEqual(forbiddenImports('ops/x.ts', text, MAY_IMPORT.ops), [
      'node:fs',
      '../tools/a',
      '../author/b',
      '../tools/c',
      '../tools/d',
      'espruino',
      '../lib/planner',
      '../tools/g',
    ]);
  });
});
