/**
 * Lets go of what a module needs only while it is loaded. On Espruino a function takes about nine variables for as long
 * as a name holds it, and a name takes one for good. So variables that are made later take over the names of functions
 * that were needed before, and a packed module ends by clearing those that are left.
 */
import { parse, type Program } from 'acorn';
import { resolve, scopesOf, type Binding, type Reference, type Scope } from '../dialect-scope';

/** A scope, and those that run as part of it. */
export function runsIn(scope: Scope): Scope[] {
  return [scope, ...scope.immediate.flatMap(runsIn)];
}

/** References to the bindings of the top level. */
function topReferences(scopes: Scope[]): Map<Binding, Reference[]> {
  const uses = new Map<Binding, Reference[]>();
  for (const reference of scopes.flatMap((scope) => scope.references)) {
    const binding = resolve(reference.node.name, reference.scope);
    if (binding?.scope === scopes[0]) uses.set(binding, [...(uses.get(binding) ?? []), reference]);
  }
  return uses;
}

/** Functions on the top level that nothing uses once the module is loaded, and where each is used last. */
function loadingFunctions(scopes: Scope[], uses: Map<Binding, Reference[]>): Map<Binding, number> {
  // code that runs only while the module is loaded, and until where; functions made by it may live on
  const loading = new Map(runsIn(scopes[0]).map((scope): [Scope, number | null] => [scope, null]));
  const found = new Map<Binding, number>();
  for (let more = true; more;) {
    more = false;
    for (const [binding, references] of uses) {
      if (binding.kind !== 'function' || found.has(binding)) continue;
      if (!references.every(({ scope }) => loading.has(scope))) continue;
      const last = Math.max(...references.map(({ node, scope }) => loading.get(scope) ?? node.end));
      found.set(binding, last);
      // a function that is passed on loses its name only: what holds it calls it later
      if (references.every(({ called }) => called))
        for (const scope of runsIn(binding.body!)) loading.set(scope, last);
      more = true;
    }
  }
  return found;
}

/** Names of functions on the top level that nothing uses once the module is loaded. */
export function loadingNames(source: string): string[] {
  const scopes = scopesOf(parse(source, { ecmaVersion: 5 }));
  return [...loadingFunctions(scopes, topReferences(scopes)).keys()].map(({ name }) => name);
}

/** Variables of the top level that get their value where they are declared, and the place where they have it. */
function declared(program: Program, top: Scope): { binding: Binding; start: number; end: number }[] {
  return program.body.flatMap((statement) =>
    statement.type === 'VariableDeclaration'
      ? statement.declarations.flatMap(({ id, init, end }) => {
          const binding = id.type === 'Identifier' ? top.bindings.get(id.name) : undefined;
          return binding && init ? [{ binding, start: id.start, end }] : [];
        })
      : [],
  );
}

/** Whether all references to a name mean the same under another name. */
function canBecome(name: string, references: Reference[], top: Scope): boolean {
  return references.every(({ scope }) => {
    const binding = resolve(name, scope);
    return binding?.scope === top;
  });
}

/**
 * The module's text, in which variables have names that were needed before, those of functions and of other variables, and
 * the names of functions that are left.
 */
export function reusingNames(source: string): { text: string; left: string[] } {
  const program = parse(source, { ecmaVersion: 5 });
  const scopes = scopesOf(program);
  const uses = topReferences(scopes);
  const loading = new Set(runsIn(scopes[0]));
  const free = [...loadingFunctions(scopes, uses)].map(([{ name }, last]) => ({
    name,
    last,
    kind: 'function',
  }));
  const edits: { start: number; end: number; name: string }[] = [];
  for (const { binding, start, end } of declared(program, scopes[0])) {
    const references = uses.get(binding) ?? [];
    // with a second declaration it may have been used before
    if (references.some(({ node }) => node.start < start)) continue;
    let { name } = binding;
    const at = free.findIndex((one) => one.last <= end && canBecome(one.name, references, scopes[0]));
    if (at >= 0) {
      [{ name }] = free.splice(at, 1);
      edits.push({ start, end: start + binding.name.length, name });
      for (const { node } of references) edits.push({ start: node.start, end: node.end, name });
    }
    if (references.length && references.every(({ scope }) => loading.has(scope)))
      free.push({ name, last: Math.max(...references.map(({ node }) => node.end)), kind: 'var' });
  }
  let text = source;
  for (const { start, end, name } of edits.sort((a, b) => b.start - a.start))
    text = text.slice(0, start) + name + text.slice(end);
  return { text, left: free.filter(({ kind }) => kind === 'function').map(({ name }) => name) };
}

/** The module's text, with an assignment at its end that clears names. */
export function clearing(source: string, names: string[]): string {
  return names.length ? `${source.trimEnd()}\n${names.join('=')}=null;\n` : source;
}
