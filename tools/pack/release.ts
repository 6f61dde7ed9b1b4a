/**
 * Lets go of what a module needs only while it is loaded. On Espruino a function takes about nine variables for as long
 * as a name holds it, so a packed module ends by clearing the names that it has no more use for.
 */
import { parse } from 'acorn';
import { resolve, scopesOf, type Binding, type Reference, type Scope } from '../dialect-scope';

/** A scope, and those that run as part of it. */
function runsIn(scope: Scope): Scope[] {
  return [scope, ...scope.immediate.flatMap(runsIn)];
}

/** Names of functions on the top level that nothing uses once the module is loaded. */
export function loadingNames(source: string): string[] {
  const scopes = scopesOf(parse(source, { ecmaVersion: 5 }));
  const uses = new Map<Binding, Reference[]>();
  for (const reference of scopes.flatMap((scope) => scope.references)) {
    const binding = resolve(reference.node.name, reference.scope);
    if (binding?.kind !== 'function' || binding.scope !== scopes[0]) continue;
    uses.set(binding, [...(uses.get(binding) ?? []), reference]);
  }
  // code that runs only while the module is loaded; functions made by it may live on
  const loading = new Set(runsIn(scopes[0]));
  const names: string[] = [];
  for (let found = true; found;) {
    found = false;
    for (const [binding, references] of uses) {
      if (!references.every(({ scope }) => loading.has(scope))) continue;
      uses.delete(binding);
      names.push(binding.name);
      for (const scope of runsIn(binding.body!)) loading.add(scope);
      found = true;
    }
  }
  return names;
}

/** The module's text, with an assignment at its end that clears names. */
export function clearing(source: string, names: string[]): string {
  return names.length ? `${source.trimEnd()}\n${names.join('=')}=null;\n` : source;
}
