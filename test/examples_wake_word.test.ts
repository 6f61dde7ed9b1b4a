/** examples/wake-word-host: the commands of the README work, in order, on public models of that kind. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { random } from '../author/random';
import { engineNamed } from '../engines/index';
import { load } from '../lib/index';
import { ABSENT, shared } from './helpers/shared';

const root = path.join(__dirname, '..');
const readme = fs.readFileSync(path.join(root, 'examples', 'wake-word-host', 'README.md'), 'utf8');
/** The blocks that are shell scripts; text blocks need a board, a microphone or a program of their own. */
const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block);

const SAMPLES = 32000;
const models = shared('models');

describe('examples/wake-word-host', function () {
  this.timeout(300000);
  if (!models) {
    it(`runs the commands of the README (${ABSENT})`);
    return;
  }
  let folder: string;
  const file = (name: string): Buffer => fs.readFileSync(path.join(folder, name));

  /** Runs a script in bash, with `npx engram` as this checkout's. */
  const shell = (script: string): { status: number | null; stdout: string; stderr: string } => {
    const cli = `'${process.execPath}' --require '${require.resolve('tsx/cjs')}' '${path.join(root, 'tools', 'cli.ts')}'`;
    return spawnSync('bash', ['-euc', script.replaceAll('npx engram', cli)], {
      cwd: folder,
      encoding: 'utf8',
    });
  };

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-wake-'));
    fs.copyFileSync(path.join(models, 'okay_nabu', 'model.tflite'), path.join(folder, 'wake_word.tflite'));
    fs.copyFileSync(
      path.join(models, 'audio_preprocessor_int8', 'model.tflite'),
      path.join(folder, 'features.tflite'),
    );
    // a tone that rises, in noise
    const next = random(3);
    const audio = Buffer.alloc(2 * SAMPLES);
    for (let i = 0; i < SAMPLES; i++) {
      const sample = 6000 * Math.sin((i * i) / 60000) + next.normal(800);
      audio.writeInt16LE(Math.round(Math.max(-32768, Math.min(32767, sample))), 2 * i);
    }
    fs.writeFileSync(path.join(folder, 'audio.raw'), audio);
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  it('has its commands in blocks', () => assert.equal(blocks.length, 8));

  blocks.forEach((block, i) => {
    // one engine or another may be absent
    const names = [...block.matchAll(/--engine (\w+)/g)].map(([, name]) => engineNamed(name));
    const absent = names.find((engine) => engine.find() === null);
    const title = `runs block ${i + 1}: ${block.split('\n').find((line) => line.startsWith('npx')) ?? 'node'}`;
    if (absent) it(`${title} (pending: ${absent.hint})`);
    else
      it(title, () => {
        const { status, stdout, stderr } = shell(block);
        assert.equal(status, 0, stdout + stderr);
      });
  });

  it('frames the sound, and hands the features on as the wake word takes them', () => {
    const frames = Math.floor((SAMPLES - 480) / 160) + 1;
    const whole = frames - (frames % 3);
    assert.equal(file('frames.raw').length, whole * 960);
    assert.deepEqual(file('frames.raw').subarray(960, 1920), file('audio.raw').subarray(320, 1280));
    assert.equal(file('features.raw').length, whole * 40);
    assert.equal(file('scores.raw').length, whole / 3);
    const features = new Int8Array(file('features.raw'));
    assert.ok(new Set(features).size > 20, 'the features move');
  });

  it('gives the same scores from raw bytes and from real numbers', () => {
    const rows = file('scores.csv').toString().trim().split('\n').map(Number);
    assert.deepEqual(
      rows.filter((row) => !Number.isNaN(row)).map((score) => Math.round(score * 256)),
      [...file('scores.raw')],
    );
  });

  it('names the scale and zero point of the model that it is run with', () => {
    const [input] = load(new Uint8Array(file('wake_word.tflite'))).inputs;
    assert.ok(readme.includes(`scale = ${input.scale}, zero = ${input.zeroPoint};`));
  });

  it('hears the wake word where there is one', () => {
    // features of which it is known that the score rises, in place of sound that this machine does not have
    fs.copyFileSync(path.join(models, 'okay_nabu', 'in_act.bin'), path.join(folder, 'features.raw'));
    const [run] = blocks[2].split('\n').filter((line) => line.includes('run wake_word'));
    assert.equal(shell(run).status, 0);
    assert.deepEqual(file('scores.raw'), fs.readFileSync(path.join(models, 'okay_nabu', 'out_act.bin')));
  });

  it('uses options of upload that there are', () => {
    const { stdout } = shell('npx engram upload --help');
    for (const option of readme.match(/(?<=npx engram upload .*)--\w+/g)!)
      assert.ok(stdout.includes(`${option} `), option);
  });
});
