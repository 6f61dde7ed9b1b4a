/**
 * Scopes of an ES5 script, and what Espruino makes of them. It defines a function when it comes to the declaration, and
 * a `var` when it comes to the statement; before that the name means something further out, or a new global.
 */
import type { AnyNode, Function as FunctionNode, Identifier, Node, Program } from 'acorn';

/** A reason why some engine cannot run a script. Lines count from 1, columns from 0. */
export interface Violation {
  rule: string;
  message: string;
  line: number;
  column: number;
}

export interface Binding {
  name: string;
  kind: 'param' | 'var' | 'function' | 'self' | 'catch';
  /** Where the name starts to exist on an engine without hoisting. */
  start: number;
  scope: Scope;
  /** The function that the name stands for, if it is declared so. */
  body?: Scope;
}

export interface Reference {
  node: Identifier;
  scope: Scope;
  /** What is called or constructed, rather than only passed on. */
  called: boolean;
  written: boolean;
}

export interface Scope {
  kind: 'program' | 'function' | 'catch';
  node: AnyNode;
  parent: Scope | null;
  bindings: Map<string, Binding>;
  references: Reference[];
  /** Scopes that run as part of this one: catch clauses, functions called where they are written. */
  immediate: Scope[];
}

/** Array methods that call their argument before they return. */
const CALLS_BACK = new Set(['forEach', 'map', 'filter', 'reduce', 'some', 'every', 'sort']);

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

/** A node's children in the order of the source. */
export function childrenOf(node: AnyNode): AnyNode[] {
  const found: AnyNode[] = [];
  for (const [key, value] of Object.entries(node)) {
    if (key === 'loc') continue;
    if (Array.isArray(value)) found.push(...value.filter(isNode));
    else if (isNode(value)) found.push(value);
  }
  return found.sort((a, b) => a.start - b.start);
}

/** Children that are expressions or statements: without names of properties, labels and declarations. */
function evaluatedChildren(node: AnyNode): AnyNode[] {
  switch (node.type) {
    case 'MemberExpression':
      return node.computed ? [node.object, node.property] : [node.object];
    case 'Property':
      return [node.value];
    case 'LabeledStatement':
      return [node.body];
    case 'BreakStatement':
    case 'ContinueStatement':
      return [];
    case 'VariableDeclarator':
      return node.init ? [node.init] : [];
    default:
      return childrenOf(node);
  }
}

export function resolve(name: string, scope: Scope | null): Binding | undefined {
  for (let s = scope; s; s = s.parent) {
    const binding = s.bindings.get(name);
    if (binding) return binding;
  }
  return undefined;
}

/** The function or program that a scope is part of. */
export function ownerOf(scope: Scope): Scope {
  return scope.kind === 'catch' && scope.parent ? ownerOf(scope.parent) : scope;
}

/** All scopes of a script, outermost first. */
export function scopesOf(program: Program): Scope[] {
  const scopes: Scope[] = [];

  function open(kind: Scope['kind'], node: AnyNode, parent: Scope | null, immediate: boolean): Scope {
    const scope: Scope = { kind, node, parent, bindings: new Map(), references: [], immediate: [] };
    scopes.push(scope);
    if (immediate && parent) parent.immediate.push(scope);
    return scope;
  }

  function bind(scope: Scope, name: string, kind: Binding['kind'], start: number, body?: Scope): void {
    if (!scope.bindings.has(name)) scope.bindings.set(name, { name, kind, start, scope, body });
  }

  function visitFunction(node: FunctionNode, scope: Scope, immediate: boolean): void {
    const inner = open('function', node as AnyNode, scope, immediate);
    if (node.id && node.type === 'FunctionDeclaration')
      bind(ownerOf(scope), node.id.name, 'function', node.start, inner);
    for (const param of node.params)
      if (param.type === 'Identifier') bind(inner, param.name, 'param', param.start);
    if (node.id && node.type === 'FunctionExpression') bind(inner, node.id.name, 'self', node.start);
    visit(node.body, inner);
  }

  function visit(node: AnyNode, scope: Scope): void {
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
        return visitFunction(node, scope, false);
      case 'CatchClause': {
        const inner = open('catch', node, scope, true);
        if (node.param?.type === 'Identifier') bind(inner, node.param.name, 'catch', node.param.start);
        return visit(node.body, inner);
      }
      case 'VariableDeclarator': {
        if (node.id.type !== 'Identifier') break;
        bind(ownerOf(scope), node.id.name, 'var', node.start);
        break;
      }
      case 'CallExpression':
      case 'NewExpression': {
        const { callee } = node;
        if (callee.type === 'FunctionExpression') visitFunction(callee, scope, true);
        else if (callee.type === 'Identifier') refer(callee, scope, true, false);
        else visit(callee, scope);
        const callsBack =
          callee.type === 'MemberExpression' &&
          callee.property.type === 'Identifier' &&
          CALLS_BACK.has(callee.property.name);
        for (const argument of node.arguments) {
          if (argument.type === 'FunctionExpression') visitFunction(argument, scope, callsBack);
          else visit(argument, scope);
        }
        return;
      }
      case 'AssignmentExpression':
        if (node.left.type === 'Identifier') refer(node.left, scope, false, true);
        else visit(node.left, scope);
        return visit(node.right, scope);
      case 'UpdateExpression':
        if (node.argument.type === 'Identifier') return refer(node.argument, scope, false, true);
        break;
      case 'ForInStatement':
        if (node.left.type === 'Identifier') refer(node.left, scope, false, true);
        else visit(node.left, scope);
        visit(node.right, scope);
        return visit(node.body, scope);
      case 'Identifier':
        return refer(node, scope, false, false);
    }
    for (const child of evaluatedChildren(node)) visit(child, scope);
  }

  function refer(node: Identifier, scope: Scope, called: boolean, written: boolean): void {
    scope.references.push({ node, scope, called, written });
  }

  visit(program, open('program', program, null, false));
  return scopes;
}

function violation(rule: string, message: string, node: Node): Violation {
  return { rule, message, line: node.loc?.start.line ?? 0, column: node.loc?.start.column ?? 0 };
}

/** References that are evaluated when the scope runs: its own, and those of functions called on the spot. */
function runReferences(scope: Scope): Reference[] {
  return scope.references.concat(...scope.immediate.map(runReferences));
}

/** Functions, and variables that functions read, used at a time when an engine without hoisting has not got them. */
export function checkHoisting(scopes: Scope[]): Violation[] {
  const violations: Violation[] = [];
  for (const scope of scopes) {
    if (scope.kind === 'catch') continue;
    for (const reference of runReferences(scope)) {
      const binding = resolve(reference.node.name, reference.scope);
      if (!binding || binding.scope !== scope) continue;
      if (binding.kind === 'function' && reference.node.start < binding.start) {
        const message = `${binding.name} is used before its definition: Espruino does not hoist functions`;
        violations.push(violation('hoisting', message, reference.node));
      } else if (reference.called && binding.body) {
        const late = usedTooEarly(binding.body, scope, reference.node.start, new Set());
        if (!late) continue;
        const message = `${binding.name} is called here and needs ${late.name}, which is defined later`;
        violations.push(violation('hoisting', message, reference.node));
      }
    }
  }
  return violations;
}

/** What a call at `position` would reach before `scope` has come to define it. */
function usedTooEarly(body: Scope, scope: Scope, position: number, seen: Set<Scope>): Binding | undefined {
  seen.add(body);
  for (const reference of runReferences(body)) {
    const binding = resolve(reference.node.name, reference.scope);
    if (!binding || binding.scope !== scope) continue;
    if ((binding.kind === 'function' || binding.kind === 'var') && binding.start > position) return binding;
    if (!reference.called || !binding.body || seen.has(binding.body)) continue;
    const late = usedTooEarly(binding.body, scope, position, seen);
    if (late) return late;
  }
  return undefined;
}

/**
 * Catch variables whose name means something else in the same function. MicroQuickJS makes a catch variable an ordinary
 * variable of the function, and refuses one that exists already, even as another catch variable.
 */
export function clashingCatches(scopes: Scope[]): Scope[] {
  return scopes.filter((scope) => {
    if (scope.kind !== 'catch') return false;
    const owner = ownerOf(scope);
    const others = scopes.filter(
      (other) => other !== scope && other.kind === 'catch' && ownerOf(other) === owner,
    );
    return [...scope.bindings.keys()].some(
      (name) =>
        owner.bindings.has(name) ||
        others.some((other) => other.bindings.has(name) && other.node.start < scope.node.start) ||
        runReferences(owner).some((r) => r.node.name === name && resolve(name, r.scope)?.kind !== 'catch'),
    );
  });
}

export function checkCatch(scopes: Scope[]): Violation[] {
  return clashingCatches(scopes).map((scope) => {
    const name = [...scope.bindings.keys()].join();
    return violation(
      'catch',
      `the catch variable ${name} exists already: MicroQuickJS refuses it`,
      scope.node,
    );
  });
}

/** A use of a variable where its `var` may not have been executed. */
export interface EarlyUse {
  node: Identifier;
  /** Where a `var` put in front makes it a declaration, if that is possible. */
  declarable?: number;
}

/** Early uses of one function's variables; those in `declared` are taken to exist from the start. */
export function earlyUses(scope: Scope, declared: Set<string> = new Set()): EarlyUse[] {
  const variables = new Set<string>();
  for (const binding of scope.bindings.values()) if (binding.kind === 'var') variables.add(binding.name);
  if (variables.size === 0) return [];
  const order = new VariableOrder(variables);
  order.visit(
    scope.node.type === 'Program' ? scope.node : (scope.node as FunctionNode).body,
    new Set(declared),
  );
  return order.uses;
}

export function checkVariables(scopes: Scope[]): Violation[] {
  return scopes
    .filter((scope) => scope.kind !== 'catch')
    .flatMap((scope) => earlyUses(scope))
    .map(({ node }) =>
      violation(
        'var',
        `${node.name} is used where its var may not have been executed: Espruino makes a global`,
        node,
      ),
    );
}

/** Walks one function in the order of evaluation; `defined` are the variables that surely exist by then. */
class VariableOrder {
  readonly uses: EarlyUse[] = [];

  constructor(private readonly variables: Set<string>) {}

  visit(node: AnyNode, defined: Set<string>): void {
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
        return;
      case 'Identifier':
        if (this.variables.has(node.name) && !defined.has(node.name)) this.uses.push({ node });
        return;
      case 'VariableDeclarator':
        if (node.id.type === 'Identifier') defined.add(node.id.name);
        break;
      case 'ExpressionStatement':
        if (this.assignments(node.expression, defined)) return;
        break;
      case 'IfStatement': {
        this.visit(node.test, defined);
        const yes = this.branch(node.consequent, defined);
        const no = node.alternate ? this.branch(node.alternate, defined) : defined;
        for (const name of yes) if (no.has(name)) defined.add(name);
        return;
      }
      case 'ForStatement':
        if (
          node.init &&
          (node.init.type === 'VariableDeclaration' || !this.assignments(node.init, defined))
        ) {
          this.visit(node.init, defined);
        }
        if (node.test) this.visit(node.test, defined);
        this.branch(node.body, defined);
        if (node.update) this.visit(node.update, defined);
        return;
      case 'ForInStatement':
        this.visit(node.right, defined);
        if (
          node.left.type === 'Identifier' &&
          this.variables.has(node.left.name) &&
          !defined.has(node.left.name)
        ) {
          this.declare(node.left, node.left.start, defined);
        } else this.visit(node.left, defined);
        this.branch(node.body, defined);
        return;
      case 'WhileStatement':
        this.visit(node.test, defined);
        this.branch(node.body, defined);
        return;
      case 'SwitchStatement':
        this.visit(node.discriminant, defined);
        for (const item of node.cases) this.branch(item, defined);
        return;
      case 'TryStatement': {
        const done = this.branch(node.block, defined);
        const param = node.handler?.param;
        const caught = new Set(defined);
        if (param?.type === 'Identifier') caught.add(param.name);
        if (node.handler) this.visit(node.handler.body, caught);
        if (node.finalizer) this.visit(node.finalizer, defined);
        for (const name of done) if (!node.handler || caught.has(name)) defined.add(name);
        return;
      }
      case 'DoWhileStatement':
        if (!leavesLoop(node.body)) break;
        this.branch(node.body, defined);
        return this.visit(node.test, defined);
    }
    for (const child of evaluatedChildren(node)) this.visit(child, defined);
  }

  /** What may not be executed: whatever it defines is not sure to exist afterwards. */
  private branch(node: AnyNode, defined: Set<string>): Set<string> {
    const inside = new Set(defined);
    this.visit(node, inside);
    return inside;
  }

  /**
   * Handles `a = 1, b = 2` where a `var` would fit in front: nothing but assignments to this function's variables, one
   * of them early.
   */
  private assignments(node: AnyNode, defined: Set<string>): boolean {
    const parts = node.type === 'SequenceExpression' ? node.expressions : [node];
    const targets: Identifier[] = [];
    for (const part of parts) {
      if (part.type !== 'AssignmentExpression' || part.operator !== '=' || part.left.type !== 'Identifier')
        return false;
      if (!this.variables.has(part.left.name)) return false;
      targets.push(part.left);
    }
    if (targets.every((target) => defined.has(target.name))) return false;
    for (const part of parts) {
      if (part.type !== 'AssignmentExpression' || part.left.type !== 'Identifier') continue;
      if (!defined.has(part.left.name)) {
        this.declare(part.left, node.start, defined);
      }
      defined.add(part.left.name);
      this.visit(part.right, defined);
    }
    return true;
  }

  private declare(node: Identifier, position: number, defined: Set<string>): void {
    this.uses.push({ node, declarable: position });
    defined.add(node.name);
  }
}

function leavesLoop(node: AnyNode): boolean {
  if (node.type === 'BreakStatement' || node.type === 'ContinueStatement') return true;
  return childrenOf(node).some(leavesLoop);
}
