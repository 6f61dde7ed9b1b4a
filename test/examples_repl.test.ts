/** examples/repl: every line of the README, typed into Espruino's REPL and into Node, gives the answer that it shows. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import vm from 'node:vm';
import { engineNamed } from '../engines/index';
import { tour } from '../examples/repl/make';
import { bundle } from '../tools/bundle';
import { answersOf, linesOf, plain } from './helpers/repl';

const folder = path.join(__dirname, '..', 'examples', 'repl');
const script = fs.readFileSync(path.join(folder, 'tour.js'), 'utf8');

const lines = linesOf(fs.readFileSync(path.join(folder, 'README.md'), 'utf8'));

describe('examples/repl', function () {
  this.timeout(120000);

  it('keeps tour.js as make.ts makes it', () => assert.equal(script, tour()));

  it('shows some lines', () => assert.equal(lines.length, 25));

  it('gives the same answers in Node', async () => {
    const code = await bundle({ entryFile: 'lib/chip', minify: true });
    const context = vm.createContext({ Buffer });
    vm.runInContext(code, context);
    vm.runInContext('var require = function () { return engram; };', context);
    assert.deepEqual([...(vm.runInContext(script, context) as string[])], ['y']);
    for (const { typed, answer } of lines) {
      if (!answer.startsWith('=')) {
        assert.throws(
          () => vm.runInContext(typed, context) as unknown,
          (error: Error) => `Uncaught Error: ${error.message}` === answer,
          typed,
        );
        continue;
      }
      const expected = vm.runInContext(`(${answer.slice(1)})`, context) as unknown;
      assert.deepEqual(vm.runInContext(typed, context), expected, typed);
    }
  });

  const espruino = engineNamed('espruino');
  const program = espruino.find();
  if (program === null) it(`gives the answers that it shows on Espruino (pending: ${espruino.hint})`);
  else
    it("gives the answers that it shows, in Espruino's REPL", async () => {
      const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-repl-'));
      try {
        const upload = "require('Storage').write('engram', E.toString(readBytes('code')));";
        const code = Buffer.from(await bundle({ entryFile: 'lib/chip', minify: true }));
        const uploaded = await espruino.run(
          { bundle: '', driver: upload, files: { code: new Uint8Array(code) } },
          { directory },
        );
        assert.equal(uploaded.error, null);
        const typed = lines.map((line) => line.typed);
        const answers = await answersOf(program, directory, typed, script);
        lines.forEach(({ answer }, i) => {
          if (answer.startsWith('=')) assert.equal(plain(answers[i]), plain(answer), typed[i]);
          else assert.equal(answers[i].split('\n')[0], answer, typed[i]);
        });
      } finally {
        fs.rmSync(directory, { recursive: true });
      }
    });
});
