/**
 * Functions that Espruino is to keep in RAM, as tokens: those with loops, of a step and of loading. Otherwise it reads their
 * text from Storage again for each round, which takes long where flash is a chip of its own (Bangle.js).
 */
import { parse, type AnyNode, type Function as FunctionNode } from 'acorn';
import { full, simple } from 'acorn-walk';
import { resolve, scopesOf, type Scope } from '../dialect-scope';
import { runsIn } from './release';

const LOOPS = /^(While|For|DoWhile|ForIn)Statement$/;

function hasLoop({ body }: FunctionNode): boolean {
  let found = false;
  full(body, (node) => void (found ||= LOOPS.test(node.type)));
  return found;
}

/**
 * The module's text, with the directive "ram" in functions with loops: those that run while it is loaded, and that `methods`
 * of the packed model reach, and in the `whole` ones of these methods; and how many characters they have.
 */
export function inRam(
  source: string,
  methods: string[],
  whole: string[] = [],
): { text: string; characters: number } {
  const program = parse(source, { ecmaVersion: 5 });
  const scopes = scopesOf(program);
  const scopeOf = new Map<AnyNode, Scope>(scopes.map((scope) => [scope.node, scope]));
  /** What stands behind a name of the top level: a function, or what is assigned where it is declared. */
  const meanings = new Map<string, AnyNode>();
  const entries: AnyNode[] = [];
  const always = new Set<AnyNode>();
  simple(program, {
    VariableDeclarator: ({ id, init }) =>
      void (id.type === 'Identifier' && init && meanings.set(id.name, init)),
    Property: ({ key, value }) => {
      if (key.type !== 'Identifier') return;
      if (methods.includes(key.name)) entries.push(value);
      if (whole.includes(key.name) && value.type === 'FunctionExpression') always.add(value);
    },
  });
  for (const node of program.body) if (node.type === 'FunctionDeclaration') meanings.set(node.id.name, node);

  const seen = new Set<AnyNode>();
  const hot = new Set<FunctionNode>(always as Set<AnyNode & FunctionNode>);
  const reach = (node: AnyNode | undefined): void => {
    if (!node || seen.has(node)) return;
    seen.add(node);
    if (node.type === 'Identifier') return reach(meanings.get(node.name));
    full(node, (inner) => {
      const scope = scopeOf.get(inner as AnyNode);
      if (!scope || scope.kind === 'catch') return;
      if (hasLoop(inner as FunctionNode)) hot.add(inner as FunctionNode);
      for (const { node: name, scope: from } of scope.references)
        if (resolve(name.name, from)?.scope === scopes[0]) reach(meanings.get(name.name));
    });
  };
  entries.forEach(reach);
  let characters = 0;
  for (const { start, end } of hot) characters += end - start;
  for (const scope of runsIn(scopes[0])) {
    if (scope !== scopes[0]) reach(scope.node);
    for (const { node, called } of scope.references)
      if (called && resolve(node.name, scope)?.scope === scopes[0]) reach(meanings.get(node.name));
  }
  let text = source;
  for (const at of [...hot].map(({ body }) => body.start + 1).sort((a, b) => b - a))
    text = `${text.slice(0, at)}"ram";${text.slice(at)}`;
  return { text, characters };
}
