/**
 * Checks that a script keeps to the JavaScript that every engine runs: ES5, less what Espruino, JerryScript, Duktape or
 * MicroQuickJS lacks or does otherwise. What is not ES5 does not parse; the rest is found in the syntax tree.
 */
import { parse, type AnyNode, type MemberExpression, type Node, type Program, type Identifier } from 'acorn';
import { ancestor } from 'acorn-walk';
import {
  checkCatch,
  checkHoisting,
  checkVariables,
  resolve,
  scopesOf,
  type Scope,
  type Violation,
} from './dialect-scope';

export type { Violation } from './dialect-scope';

export interface DialectOptions {
  /** Globals and methods beyond those of every engine, for a script that is meant for one: `['E', 'require', 'fill']`. */
  allow?: string[];
}

const TYPED_ARRAYS =
  'Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array';

/** Globals that every engine has, each with its own members that every engine has. */
const GLOBALS: Record<string, Set<string>> = {};

function declareGlobals(names: string, members: string): void {
  for (const name of names.split(' ')) GLOBALS[name] = new Set(members.split(' '));
}
declareGlobals(TYPED_ARRAYS + ' ArrayBuffer', '');
declareGlobals(
  'Math',
  'E LN10 LN2 LOG2E LOG10E PI SQRT1_2 SQRT2 abs acos asin atan atan2 ceil cos exp floor log max min pow random round ' +
    'sin sqrt tan',
);
declareGlobals('Object', 'keys create defineProperty getPrototypeOf prototype');
declareGlobals('Number', 'MAX_VALUE MIN_VALUE NaN NEGATIVE_INFINITY POSITIVE_INFINITY');
declareGlobals('Array', 'isArray');
declareGlobals('String', 'fromCharCode');
declareGlobals('JSON', 'parse stringify');
declareGlobals('Date', 'now');
declareGlobals('Error TypeError SyntaxError ReferenceError', 'prototype');
declareGlobals('NaN Infinity undefined parseInt parseFloat isNaN isFinite arguments Boolean module', '');

/** Objects that are not namespaces: anything may be read from them. */
const OPEN = new Set(['module', 'arguments']);

/** Methods of arrays, typed arrays, strings, numbers and objects that some engine lacks. */
const MISSING = new Set(
  (
    'at codePointAt copyWithin endsWith fill find findIndex findLast findLastIndex flat flatMap includes isPrototypeOf ' +
    'localeCompare matchAll normalize padEnd padStart propertyIsEnumerable reduceRight repeat replaceAll search ' +
    'startsWith substr toExponential toLocaleString toPrecision trimEnd trimLeft trimRight trimStart'
  ).split(' '),
);

/** Properties that some engine lacks or that mean something else there. */
const ODD_PROPERTIES: Record<string, string> = {
  BYTES_PER_ELEMENT: 'BYTES_PER_ELEMENT is undefined on Espruino',
  __proto__: '__proto__ is not on every engine',
  callee: 'arguments.callee is not in strict mode',
};

/** Everything in a script that some engine cannot run, in the order of the source; empty if all is well. */
export function checkDialect(code: string, options: DialectOptions = {}): Violation[] {
  let program: Program;
  try {
    program = parse(code, { ecmaVersion: 5, locations: true, allowHashBang: false });
  } catch (error) {
    const { message, loc } = error as SyntaxError & { loc?: { line: number; column: number } };
    return [
      { rule: 'syntax', message: 'not ES5: ' + message, line: loc?.line ?? 0, column: loc?.column ?? 0 },
    ];
  }
  const scopes = scopesOf(program);
  const allowed = new Set(options.allow ?? []);
  const violations = [
    ...checkSyntax(program, scopes, allowed),
    ...checkGlobals(scopes, allowed, guardedNames(program)),
    ...checkHoisting(scopes),
    ...checkVariables(scopes),
    ...checkCatch(scopes),
  ];
  return violations.sort((a, b) => a.line - b.line || a.column - b.column);
}

/** One violation a line, as compilers print them. */
export function formatViolations(violations: Violation[], file: string): string {
  return violations.map((v) => `${file}:${v.line}:${v.column + 1}  ${v.rule}: ${v.message}`).join('\n');
}

/** Identifiers of globals that a `typeof` keeps from being read where they do not exist. */
function guardedNames(program: Program): Set<Node> {
  const guarded = new Set<Node>();

  /** Exempts from `whole` what `test` asks after with typeof. */
  function guard(whole: AnyNode, test: AnyNode): void {
    const names = new Set<string>();
    ancestor(test, {
      UnaryExpression(node) {
        if (node.operator === 'typeof' && node.argument.type === 'Identifier') names.add(node.argument.name);
      },
    });
    if (names.size === 0) return;
    // Engines have both or neither.
    if (names.has('BigInt64Array')) names.add('BigUint64Array');
    ancestor(whole, {
      Identifier(node) {
        if (names.has(node.name)) guarded.add(node);
      },
    });
  }

  ancestor(program as AnyNode, {
    ConditionalExpression: (node) => guard(node, node.test),
    IfStatement: (node) => guard(node, node.test),
    LogicalExpression: (node) => guard(node, node.left),
    UnaryExpression: (node) => guard(node, node),
  });
  return guarded;
}

function checkGlobals(scopes: Scope[], allowed: Set<string>, guarded: Set<Node>): Violation[] {
  const violations: Violation[] = [];
  for (const scope of scopes) {
    for (const { node, written } of scope.references) {
      if (resolve(node.name, scope) || allowed.has(node.name) || (guarded.has(node) && !written)) continue;
      if (written) {
        report(
          violations,
          'global',
          node,
          `${node.name} is assigned but declared nowhere: globals need a var`,
        );
      } else if (!(node.name in GLOBALS)) {
        report(violations, 'global', node, `${node.name} is not a global of every engine`);
      }
    }
  }
  return violations;
}

function report(violations: Violation[], rule: string, node: Node, message: string): void {
  violations.push({ rule, message, line: node.loc?.start.line ?? 0, column: node.loc?.start.column ?? 0 });
}

/** Name of a member, if it is written down. */
function memberName(node: MemberExpression): string | undefined {
  if (!node.computed) return node.property.type === 'Identifier' ? node.property.name : undefined;
  return node.property.type === 'Literal' && typeof node.property.value === 'string'
    ? node.property.value
    : undefined;
}

/** Names that the script itself gives to properties: a method of its own may be called like one that is missing. */
function ownProperties(program: Program): Set<string> {
  const names = new Set<string>();
  ancestor(program as AnyNode, {
    Property(node) {
      if (node.key.type === 'Identifier') names.add(node.key.name);
      else if (node.key.type === 'Literal') names.add(String(node.key.value));
    },
    AssignmentExpression(node) {
      if (node.left.type === 'MemberExpression') names.add(memberName(node.left) ?? '');
    },
  });
  return names;
}

function checkSyntax(program: Program, scopes: Scope[], allowed: Set<string>): Violation[] {
  const violations: Violation[] = [];
  const own = ownProperties(program);
  const scopeOf = new Map<Node, Scope>(scopes.map((scope) => [scope.node, scope]));
  const add = (rule: string, node: Node, message: string): void => report(violations, rule, node, message);

  /** Whether a name is a global's at this place, and not a variable of the script. */
  function isGlobal(name: string, ancestors: Node[]): boolean {
    const inner = [...ancestors].reverse().find((node) => scopeOf.has(node));
    return !resolve(name, scopeOf.get(inner ?? program) ?? null);
  }

  ancestor(program as AnyNode, {
    LabeledStatement: (node) => add('label', node, 'Espruino has no labels'),
    // the walker's name for an identifier that is declared; its types do not have it
    ...({
      VariablePattern(node: Identifier) {
        if (node.name === 'of') add('name', node, 'of is a reserved word on Espruino');
      },
    } as object),
    WithStatement: (node) => add('with', node, 'with is not in strict mode'),
    DebuggerStatement: (node) => add('debugger', node, 'debugger stops Espruino'),
    SwitchStatement(node) {
      const last = node.cases.findIndex((item) => item.test === null);
      if (last >= 0 && last < node.cases.length - 1) {
        add('switch', node.cases[last], 'a case after default is never reached on Espruino');
      }
    },
    ArrayExpression(node) {
      if (node.elements.includes(null)) add('hole', node, 'MicroQuickJS has no arrays with holes');
    },
    Literal(node) {
      if (node.regex) add('regexp', node, 'regular expressions differ between engines');
      // eslint-disable-next-line no-control-regex
      else if (typeof node.value === 'string' && /[^\x00-\x7f]/.test(node.value)) {
        add('ascii', node, 'a string beyond ASCII: Espruino counts and prints its bytes');
      }
    },
    Property(node) {
      const name =
        node.key.type === 'Identifier' ? node.key.name : node.key.type === 'Literal' ? node.key.value : '';
      if (name === '__proto__') add('property', node, ODD_PROPERTIES.__proto__);
    },
    MemberExpression(node, _state, ancestors) {
      const name = memberName(node);
      if (name !== undefined && Object.hasOwn(ODD_PROPERTIES, name))
        add('property', node, ODD_PROPERTIES[name]);
      if (node.object.type !== 'Identifier') return;
      const object = node.object.name;
      if (object === 'arguments' && name === 'length') {
        const owner = [...ancestors]
          .reverse()
          .find((a) => (a as AnyNode).type.startsWith('Function')) as AnyNode;
        if (owner && 'params' in owner && owner.params.length > 0) {
          add('arguments', node, 'arguments.length is at least the number of parameters on Espruino');
        }
      }
      if (!Object.hasOwn(GLOBALS, object) || OPEN.has(object) || !isGlobal(object, ancestors)) return;
      if (name === undefined) add('member', node, `a member of ${object} chosen at run time`);
      else if (!GLOBALS[object].has(name) && !allowed.has(`${object}.${name}`)) {
        add('member', node, `${object}.${name} is not on every engine`);
      }
    },
    CallExpression(node) {
      const { callee } = node;
      if (callee.type === 'Identifier' && callee.name === 'eval')
        add('eval', node, 'MicroQuickJS has no direct eval');
      if (callee.type !== 'MemberExpression') return;
      const name = memberName(callee) ?? '';
      if (MISSING.has(name) && !own.has(name) && !allowed.has(name)) {
        add('method', callee, `${name}() is not on every engine`);
      }
      const isCreate =
        callee.object.type === 'Identifier' && callee.object.name === 'Object' && name === 'create';
      if (isCreate && node.arguments.length > 1)
        add('create', node, 'Espruino ignores the property map of Object.create');
    },
    NewExpression(node) {
      if (node.callee.type === 'Identifier' && /^(Number|String|Boolean)$/.test(node.callee.name)) {
        add('boxed', node, 'MicroQuickJS has no boxed primitives');
      }
    },
    AssignmentExpression(node) {
      if (node.left.type !== 'MemberExpression' || memberName(node.left) !== 'length') return;
      // The chip library's types forbid the rest; other numbers are mostly lengths of the script's own objects.
      if (node.operator !== '=' || (node.right.type === 'Literal' && node.right.value === 0)) {
        add('length', node, 'assigning the length of an array throws on Espruino');
      }
    },
    UpdateExpression(node) {
      if (node.argument.type === 'MemberExpression' && memberName(node.argument) === 'length') {
        add('length', node, 'assigning the length of an array throws on Espruino');
      }
    },
  });
  return violations;
}
