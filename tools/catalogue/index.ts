/** All operators, by name, with what they take and what they were checked against. */
import { allOperators } from '../../ops/index';
import { BUILTIN_OPERATORS } from '../../lib/schema';
import { binary } from './binary';
import { custom } from './custom';
import { dot } from './dot';
import type { CatalogueEntry } from './entry';
import { movement } from './movement';
import { recurrent } from './recurrent';
import { reduce } from './reduce';
import { state } from './state';
import { unary } from './unary';

export type { CatalogueEntry } from './entry';

const families = [state, dot, recurrent, unary, binary, reduce, movement, custom];

/**
 * The catalogue, in order of names; builtin operators first.
 * @throws Error when an operator of the build is not described, or one is described that it has not
 */
export function catalogue(): CatalogueEntry[] {
  const entries = families.flat();
  const described = new Set(entries.map(({ op }) => op));
  const missing = Object.keys(allOperators).filter((op) => !described.has(op));
  const unknown = [...described].filter((op) => !allOperators[op]);
  if (missing.length) throw new Error(`not in the catalogue: ${missing.join(', ')}`);
  if (unknown.length) throw new Error(`in the catalogue, but not in the build: ${unknown.join(', ')}`);
  const isCustom = (op: string): number => (BUILTIN_OPERATORS.includes(op) ? 0 : 1);
  return entries.sort((a, b) => isCustom(a.op) - isCustom(b.op) || (a.op < b.op ? -1 : 1));
}

function cell(text: string): string {
  return text.replace(/\|/g, '\\|');
}

/** docs/operators.md. */
export function operatorsPage(): string {
  const entries = catalogue();
  const rows = entries.map(
    ({ op, types, reference, notes }) =>
      `| ${op} | ${types.map(cell).join(', ')} | ${reference} | ${notes.map(cell).join(' ')} |`,
  );
  return `# Operators

Made from the code by \`npm run operators\`; \`engram inspect --ops\` prints the same. ${entries.length} operators.

Integer answers equal the reference's to the bit, floats to 1e-5. "TFLM": compared with TensorFlow Lite Micro's reference kernels
on the conformance suite, or with their formulas. "TFLite": compared with real TensorFlow Lite (\`@tensorflow/tfjs-tflite\`) on
models that the project writes itself. Combinations that are not listed are refused when a model is loaded, with the operator,
the tensor, what it got and what it takes.

| operator | types | reference | notes |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}
