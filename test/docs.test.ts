/** The commands in the documents do what they say: each `npx engram …` line is run, in a copy of the examples. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.join(__dirname, '..');

/** Lines of ```sh blocks that call engram. */
function commands(file: string): string[] {
  const blocks = fs.readFileSync(file, 'utf8').matchAll(/```sh\n([\s\S]*?)```/g);
  return [...blocks]
    .flatMap(([, block]) => block.split('\n'))
    .filter((line) => line.startsWith('npx engram '));
}

describe('documents', function () {
  this.timeout(120000);
  // the tutorial, whose commands follow on each other, has a test of its own
  const documents = fs
    .readdirSync(path.join(root, 'docs'))
    .filter((file) => file.endsWith('.md') && file !== 'tutorial.md');
  for (const document of documents) {
    const found = commands(path.join(root, 'docs', document));
    if (!found.length) continue;
    it(`docs/${document}: ${found.length} commands run`, () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-docs-'));
      try {
        fs.cpSync(path.join(root, 'examples'), path.join(folder, 'examples'), { recursive: true });
        for (const command of found) {
          const args = command.replace(/^npx engram /, '').split(/\s+/);
          const cli = path.join(root, 'tools', 'cli.ts');
          const run = spawnSync(process.execPath, ['--require', require.resolve('tsx/cjs'), cli, ...args], {
            cwd: folder,
            encoding: 'utf8',
          });
          assert.equal(run.status, 0, `${command}\n${run.stderr}`);
        }
      } finally {
        fs.rmSync(folder, { recursive: true });
      }
    });
  }
});
