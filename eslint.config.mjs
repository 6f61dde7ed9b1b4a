import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const CHIP = ['lib/**/*.ts', 'ops/**/*.ts', 'variables/**/*.ts', 'engines/espruino/**/*.ts'];

/** Syntax that the weakest engine lacks, or that compiles to something which it lacks. */
const chipSyntax = [
  ['LabeledStatement', 'Espruino has no labels: use a flag or a function.'],
  ['ForOfStatement', 'Use an indexed loop: for-of compiles to more code than it saves.'],
  ['SpreadElement', 'Spread needs a helper in ES5: use concat or a loop.'],
  [':function > RestElement.params', 'Rest parameters compile to arguments.length, wrong on Espruino.'],
  ['TemplateLiteral', 'Template literals compile to "".concat(): join strings with +.'],
  ['TaggedTemplateExpression', 'Tagged templates need a helper in ES5.'],
  [':matches(ArrayPattern, ObjectPattern)', 'Destructuring costs temporaries: read the fields.'],
  ['AssignmentPattern', 'Default parameters cost code at every call: test for undefined.'],
  [
    'ClassDeclaration[superClass!=null], ClassExpression[superClass!=null]',
    'Inheritance relies on function hoisting.',
  ],
  ['ChainExpression', 'Optional chaining costs temporaries: test explicitly.'],
  ["LogicalExpression[operator='??']", 'Compare with undefined explicitly.'],
  ["AssignmentExpression[operator='??='], AssignmentExpression[operator='**=']", 'Not ES5.'],
  ["BinaryExpression[operator='**']", 'Use Math.pow.'],
  [':function[generator=true], :function[async=true], AwaitExpression', 'No generators, no async.'],
  ['CatchClause[param=null]', 'Name the catch binding.'],
  ['Literal[regex]', 'Regular expressions differ between engines: compare characters.'],
  ['Literal[bigint]', 'No BigInt.'],
  ['TSEnumDeclaration', 'Enums compile to code: use constants.'],
  ["MemberExpression[object.name='arguments'][property.name='length']", 'Wrong on Espruino.'],
  [
    "MemberExpression[object.type='MemberExpression'][object.object.name=/^(Array|Object|String|Function)$/][object.property.name='prototype']",
    'Array.prototype is undefined on Espruino.',
  ],
  ["NewExpression[callee.name='Array']", 'Fill an array with push.'],
  [
    "CallExpression[callee.object.name='Object'][callee.property.name='create'][arguments.length>1]",
    'No property map.',
  ],
].map(([selector, message]) => ({ selector, message }));

const chipGlobals = [
  'Map',
  'Set',
  'WeakMap',
  'WeakSet',
  'Symbol',
  'BigInt',
  'Proxy',
  'Reflect',
  'Promise',
  'DataView',
  'RegExp',
  'RangeError',
  'TextDecoder',
  'TextEncoder',
  'globalThis',
  'window',
  'global',
  'process',
  'Buffer',
].map((name) => ({ name, message: 'Not on every engine.' }));

const chipProperties = [
  ...'imul fround clz32 trunc tanh hypot log2 expm1 cbrt sign log10 log1p sinh cosh asinh acosh atanh'
    .split(' ')
    .map((property) => ({ object: 'Math', property, message: 'Missing on Espruino or its sisters.' })),
  ...'isInteger isFinite isNaN isSafeInteger EPSILON MAX_SAFE_INTEGER MIN_SAFE_INTEGER parseInt parseFloat'
    .split(' ')
    .map((property) => ({ object: 'Number', property, message: 'Missing on Espruino.' })),
  ...'freeze seal assign entries values fromEntries is getOwnPropertyNames'
    .split(' ')
    .map((property) => ({ object: 'Object', property, message: 'Missing on Espruino or MicroQuickJS.' })),
  { object: 'Array', property: 'from', message: 'Missing on Espruino.' },
  { object: 'Array', property: 'of', message: 'Missing on Espruino.' },
  { property: 'BYTES_PER_ELEMENT', message: 'Undefined on Espruino.' },
  { property: 'copyWithin', message: 'Missing on Espruino.' },
];

export default tseslint.config(
  { ignores: ['dist/**', 'build/**', 'node_modules/**', 'coverage/**'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-var': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/consistent-type-imports': 'off',
    },
  },
  {
    // Tests and tools load what has just been built, and packages that are optional, with require.
    files: ['test/**/*.ts', 'tools/**/*.ts', 'engines/**/*.ts', 'scripts/**/*.ts', 'author/**/*.ts'],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    files: CHIP,
    rules: {
      'no-restricted-syntax': ['error', ...chipSyntax],
      'no-restricted-globals': ['error', ...chipGlobals],
      'no-restricted-properties': ['error', ...chipProperties],
      'default-case-last': 'error',
      'no-sparse-arrays': 'error',
      'no-loop-func': 'error',
      'no-eval': 'error',
      'no-new-wrappers': 'error',
      'no-inner-declarations': 'error',
      // ES5: no cause of errors, methods assigned to prototypes, no arrow functions that would cost nothing.
      'preserve-caught-error': 'off',
      '@typescript-eslint/no-unsafe-declaration-merging': 'off',
      '@typescript-eslint/no-this-alias': 'off',
      'prefer-spread': 'off',
      'prefer-rest-params': 'off',
      'object-shorthand': 'off',
    },
  },
  {
    // The library's declarations mirror JavaScript's own, capital-letter types and all.
    files: ['scripts/chip-lib.d.ts'],
    rules: {
      'no-var': 'off',
      'no-redeclare': 'off',
      'no-shadow-restricted-names': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-empty-object-type': 'off',
      '@typescript-eslint/no-unsafe-function-type': 'off',
      '@typescript-eslint/no-unused-vars': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    languageOptions: {
      globals: {
        ...Object.fromEntries(
          'require module exports process console Buffer __dirname __filename setTimeout clearTimeout setInterval clearInterval'
            .split(' ')
            .map((name) => [name, 'readonly']),
        ),
      },
    },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    // Sketches: plain scripts in the language of the boards, whose pins and modules are globals.
    files: ['examples/**/*.js'],
    languageOptions: { sourceType: 'script' },
    rules: {
      'no-var': 'off',
      'prefer-const': 'off',
      'no-undef': 'off',
      '@typescript-eslint/no-unused-vars': 'off',
    },
  },
);
