/** examples/repl: every line of the README, typed into Espruino's REPL and into Node, gives the answer that it shows. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import vm from 'node:vm';
import { engineNamed } from '../engines/index';
import { tour } from '../examples/repl/make';
import { bundle } from '../tools/bundle';

const folder = path.join(__dirname, '..', 'examples', 'repl');
const script = fs.readFileSync(path.join(folder, 'tour.js'), 'utf8');

/** What is typed, and the answer: "=…", or "Uncaught Error: …". */
const lines = [
  ...fs.readFileSync(path.join(folder, 'README.md'), 'utf8').matchAll(/^>(.*)\n([=U].*)$/gm),
].map(([, typed, answer]) => ({ typed, answer }));

/** Without the line breaks and blanks that Espruino prints within arrays. */
const plain = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/([[{]) | ([\]}])/g, '$1$2')
    .trim();

/** Without the lines that Espruino shows again behind its prompt, which it does when they reach it in pieces. */
function withoutEcho(shown: string): string {
  return shown
    .split('\n')
    .filter((line) => !line.startsWith('>'))
    .join('\n');
}

/** Types text into Espruino's REPL, and returns all that it prints before the last line's mark. */
function type(program: string, directory: string, text: string, mark: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [], { cwd: directory });
    let printed = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), 60000);
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      printed += part.replaceAll('\r', '');
      // it ends no earlier on its own than its input, and takes no other signal
      if (printed.includes(`\n${mark}\n`)) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      if (printed.includes(`\n${mark}\n`)) resolve(printed);
      else reject(new Error(`the REPL came to no end:\n${printed.slice(-2000)}`));
    });
    child.stdin.write(text);
  });
}

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
        const mark = (i: number): string => `console.log('@' + ${i})\n`;
        const text = [script, mark(0), ...lines.map(({ typed }, i) => `${typed}\n${mark(i + 1)}`)].join('');
        const printed = await type(program, directory, text, `@${lines.length}`);
        lines.forEach(({ typed, answer }, i) => {
          const begin = printed.indexOf(`\n@${i}\n=undefined\n`);
          assert.ok(begin >= 0, `no mark ${i} in ${printed.slice(-1000)}`);
          const shown = printed.slice(
            begin + `\n@${i}\n=undefined\n`.length,
            printed.indexOf(`\n@${i + 1}\n`),
          );
          if (answer.startsWith('=')) assert.equal(plain(withoutEcho(shown)), plain(answer), typed);
          else assert.equal(withoutEcho(shown).split('\n')[0], answer, typed);
        });
      } finally {
        fs.rmSync(directory, { recursive: true });
      }
    });
});
