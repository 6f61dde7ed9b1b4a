/** Makes tour.js: the tour's model as text that can be pasted. `npx tsx examples/repl/make.ts` */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { leakyIntegratorModel } from '../../author/recurrent';
import { strip } from '../../author/strip';
import { writeModel } from '../../author/writer';

/** Characters of base64 in a line. */
const LINE = 100;

/** y ← (y + x) / 2, with 20 as initial value. */
export function tourModel(): Uint8Array {
  return writeModel(strip(leakyIntegratorModel({ decay: 0.5, initial: [20] })));
}

/** Text of tour.js. Everything that spans lines is in brackets: a REPL then waits for the rest. */
export function tour(): string {
  const text = Buffer.from(tourModel()).toString('base64');
  const lines = text.match(new RegExp(`.{1,${LINE}}`, 'g'))!.map((line) => `      '${line}',`);
  return `// The model of the tour in README.md; make.ts makes this file. Paste it into the REPL of Espruino or Node.
var engram = require('engram');
var model = engram.load(
  (function (text) {
    return typeof E === 'undefined' ? Buffer.from(text, 'base64') : E.toArrayBuffer(atob(text));
  })(
    [
${lines.join('\n')}
    ].join('')
  )
); model.variables.names()
`;
}

if (require.main === module) fs.writeFileSync(path.join(__dirname, 'tour.js'), tour());
