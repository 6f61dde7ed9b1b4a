/** Choosing operators: a build has those that it joins, and no others. */
import { Operators } from '../lib/graph';

/** Joins families of operators into one table. */
export function joinOperators(families: Operators[]): Operators {
  const all: Operators = {};
  for (let i = 0; i < families.length; i++) for (const name in families[i]) all[name] = families[i][name];
  return all;
}

/**
 * Names of builtin operators by number, from a text such as "0 ADD 9 FULLY_CONNECTED" (numbers ascending): what the reader
 * needs of the schema's list for the operators that a build has.
 */
export function operatorNames(text: string): string[] {
  const words = text.split(' ');
  const names: string[] = [];
  for (let i = 0; i < words.length; i += 2) {
    while (names.length < +words[i]) names.push('');
    names.push(words[i + 1]);
  }
  return names;
}
