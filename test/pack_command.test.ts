/** engram pack reads espruino.config.js, as engram upload does. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { readConfig } from '../tools/upload/config';
import { engram, writeFiles } from './helpers/board';

describe('engram pack', function () {
  this.timeout(60000);
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-pack-'));
    writeFiles(folder, { 'gru.tflite': writeModel(gruModel({ inputs: 3, units: 8, type: 'INT8' })) });
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));
  const pack = (...args: string[]): ReturnType<typeof engram> =>
    engram(['pack', 'gru.tflite', ...args], folder);

  it('writes into the first folder of modules, and says whether the board has room', async () => {
    writeFiles(folder, {
      'espruino.config.js': `module.exports = { board: 'puckjs', modules: ['parts', 'more'] };`,
    });
    const { stdout, stderr, status } = await pack();
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assert.match(
      stdout,
      /^parts.gru\.js: \d+ bytes\.\nparts.gru\.bin: \d+ bytes\.\nIt fits on PUCKJS: Storage \d+ of 40960 bytes, RAM about \d+ of 32890 bytes\.\n$/,
    );
    assert.deepEqual(fs.readdirSync(path.join(folder, 'parts')).sort(), ['gru.bin', 'gru.js']);
    const [, module, weights, storage] = /(\d+)[^]*?(\d+)[^]*?(\d+) of/.exec(stdout)!.map(Number);
    // a header for each file, and multiples of four bytes
    assert.ok(storage >= module + weights + 64 && storage <= module + weights + 70);
    assert.equal(fs.statSync(path.join(folder, 'parts', 'gru.js')).size, module);

    const inline = await pack('--inline', '-o', 'elsewhere');
    assert.match(inline.stdout, /^elsewhere.gru\.js: \d+ bytes, weights included\.\nIt fits on PUCKJS/);
    assert.deepEqual(fs.readdirSync(path.join(folder, 'elsewhere')), ['gru.js']);
  });

  it('says so where the board has none, and nothing of boards for other engines or unknown boards', async () => {
    const configure = (board: string): void =>
      fs.writeFileSync(
        path.join(folder, 'espruino.config.js'),
        `module.exports = { board: '${board}', modules: ['parts'] };`,
      );
    configure('MICROBIT1');
    assert.match((await pack()).stdout, /It does NOT fit on MICROBIT1: Storage \d+ of 4096 bytes/);
    assert.doesNotMatch((await pack('--target', 'es5')).stdout, /fit/);
    configure('LINUX');
    assert.doesNotMatch((await pack()).stdout, /fit/);
  });

  it('keeps the text as it is where minify is false', async () => {
    assert.equal((await pack('-o', 'short')).status, 0);
    writeFiles(folder, { 'espruino.config.js': 'module.exports = { minify: false };' });
    assert.equal((await pack('-o', 'long')).status, 0);
    const size = (name: string): number => fs.statSync(path.join(folder, name, 'gru.js')).size;
    assert.ok(size('long') > 1.5 * size('short'));
  });

  it('errors name what is wrong', async () => {
    assert.match(
      (await pack()).stderr,
      /^engram: say where the files go: -o DIRECTORY, or `modules` in espruino/,
    );
    writeFiles(folder, { 'espruino.config.js': 'module.exports = { modules: ["a"], storage: {} };' });
    const { stderr, status } = await pack();
    assert.match(
      stderr,
      /espruino\.config\.js: there is no entry "storage"; there are board, port, modules, minify/,
    );
    assert.equal(status, 2);
    assert.ok(!fs.existsSync(path.join(folder, 'a')));
  });

  it("the project's own configuration is right", () => {
    const root = path.join(__dirname, '..');
    const { board, modules } = readConfig(root);
    assert.equal(board, 'BANGLEJS2');
    assert.deepEqual(modules, [path.join(root, 'modules'), path.join(root, 'dist')]);
  });
});
