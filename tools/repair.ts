/**
 * Minifiers rely on rules of scope that not every engine keeps. Where one variable is declared several times, they drop
 * all declarations but the first, though Espruino creates a variable only when its `var` is executed; and they give
 * catch variables names that are taken, which MicroQuickJS refuses. This puts both right, with as few bytes as it can.
 */
import { parse, type AnyNode, type Function as FunctionNode } from 'acorn';
import {
  childrenOf,
  clashingCatches,
  earlyUses,
  ownerOf,
  resolve,
  scopesOf,
  type Scope,
} from './dialect-scope';

interface Edit {
  start: number;
  end: number;
  text: string;
}

/** The same script, with variables declared before use and catch variables named apart. */
export function repairScopes(code: string): string {
  const scopes = scopesOf(parse(code, { ecmaVersion: 5, locations: true }));
  const edits: Edit[] = [];
  for (const scope of scopes) if (scope.kind === 'function') edits.push(...declarations(scope, code));
  const taken = new Map<Scope, Set<string>>();
  for (const scope of clashingCatches(scopes)) edits.push(...renamed(scope, scopes, taken));
  edits.sort((a, b) => b.start - a.start);
  for (const { start, end, text } of edits) code = code.slice(0, start) + text + code.slice(end);
  return code;
}

/** `var` in front of assignments that come too early, or at the start of the function where none would fit. */
function declarations(scope: Scope, code: string): Edit[] {
  const hoisted = new Set<string>();
  let uses = earlyUses(scope);
  for (;;) {
    const count = new Map<string, number>();
    for (const { node } of uses) count.set(node.name, (count.get(node.name) ?? 0) + 1);
    // Three declarations cost more than one more name at the start.
    const more = uses.filter((use) => use.declarable === undefined || (count.get(use.node.name) ?? 0) > 2);
    if (more.length === 0) break;
    for (const { node } of more) hoisted.add(node.name);
    uses = earlyUses(scope, hoisted);
  }
  const positions = new Set(uses.map((use) => use.declarable as number));
  const edits = [...positions].map((position) => ({ start: position, end: position, text: 'var ' }));
  if (hoisted.size === 0) return edits;

  const { body } = (scope.node as FunctionNode).body as unknown as { body: AnyNode[] };
  const first = body.find((statement) => !('directive' in statement)) ?? body[0];
  const names = [...hoisted].join(',');
  if (first.type === 'VariableDeclaration') {
    const declarator = first.declarations[0].start;
    return [...edits, { start: declarator, end: declarator, text: names + ',' }];
  }
  const separator = /\s/.test(code[first.start - 1]) ? ' ' : '';
  return [...edits, { start: first.start, end: first.start, text: `var ${names};${separator}` }];
}

/** A catch variable under a name that the whole function does not use; `taken` holds each function's names. */
function renamed(scope: Scope, scopes: Scope[], taken: Map<Scope, Set<string>>): Edit[] {
  const owner = ownerOf(scope);
  const names = taken.get(owner) ?? new Set<string>();
  if (!taken.has(owner)) collectNames(owner.node, names);
  taken.set(owner, names);

  const [binding] = scope.bindings.values();
  let name = binding.name;
  for (let i = 1; names.has(name); i++) name = binding.name + i.toString(36);
  names.add(name);
  const edits = [{ start: binding.start, end: binding.start + binding.name.length, text: name }];
  for (const other of scopes) {
    for (const { node } of other.references) {
      if (node.name === binding.name && resolve(node.name, other) === binding) {
        edits.push({ start: node.start, end: node.end, text: name });
      }
    }
  }
  return edits;
}

function collectNames(node: AnyNode, names: Set<string>): void {
  if (node.type === 'Identifier') names.add(node.name);
  for (const child of childrenOf(node)) collectNames(child, names);
}
