/** The command line: inputs among other columns of a recording, in commands that take a stream. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gruModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { engram } from './helpers/command';

describe('columns of a recording', function () {
  this.timeout(60000);
  let folder: string;
  const file = (name: string): string => path.join(folder, name);
  const write = (name: string, content: string | Uint8Array): string => {
    fs.writeFileSync(file(name), content);
    return file(name);
  };

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-test-'));
    write('gru.tflite', writeModel(gruModel({ inputs: 3, units: 8, outputs: 2, type: 'INT8' })));
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  // the same readings beside what is none of the model's inputs, and alone
  const readings = [
    [4, 1, -2],
    [0, 3, 5],
    [-8, 2, 1],
    [6, -4, 0],
  ];
  const alone = 'x,y,z\n' + readings.map((row) => row.join()).join('\n');
  const lines = readings.map(([x, y, z], i) => `2024-05-0${i + 1},${z},rest,${x},,${y}`);
  const named = ['when,z,label,x,note,y', ...lines].join('\n');

  /** What a command says of the readings alone, and of those that are found among other columns. */
  function same(command: string, options: string[] = []): void {
    const model = file('gru.tflite');
    const expected = engram(command, model, '--csv', write('alone.csv', alone), ...options);
    assert.equal(expected.status, 0, expected.stderr);
    for (const columns of ['x,y,z', '4, 6, 2', 'x,6,z']) {
      const args = ['--csv', write('named.csv', named), '--columns', columns, ...options];
      assert.deepEqual(engram(command, model, ...args), expected, columns);
    }
  }

  it('are told by name or number to run', () => {
    same('run');
    same('run', ['--steps', '2']);
    const bare = engram('run', file('gru.tflite'), '--csv', write('bare.csv', alone.slice(6)));
    const among = ['--csv', write('among.csv', lines.join('\n')), '--columns', '4,6,2'];
    assert.equal(bare.status, 0, bare.stderr);
    assert.deepEqual(engram('run', file('gru.tflite'), ...among), bare);
  });

  it('are told to trace', () => same('trace'));

  it('are told to warmup', () => {
    same('warmup', ['--starts', '2', '--json']);
    same('warmup', ['--tolerance', '0.5']);
  });

  const mistakes: [string, string, string, RegExp][] = [
    ['a name that is none', named, 'x,y,depth', /--columns depth: .* its columns are when, z, label, x, /],
    ['a number beyond the last', named, '4,6,7', /--columns 7: .*rows\.csv has no such column/],
    ['names without a line of names', '1,2,3\n', 'x,y,z', /--columns x: .* has 3 columns without names/],
    ['too few columns', named, 'x,y', /--columns x,y: the inputs take 3 numbers, not 2/],
    ['an empty cell', 'a,b,c,d\n1,2,t,4\n5,,t,8\n', 'a,b,d', /row 3, column 2 \(b\): the cell is empty/],
    ['text in a cell', '1,2,t,4\n5,6,t,warm\n', '1,2,4', /row 2, column 4: "warm" is not a number/],
    ['a row that is too short', 'a,b,c,d\n1,2,3,4\n5,6,7\n', 'a,b,c', /row 3: 3 columns, but 4 are/],
  ];
  for (const [what, text, columns, message] of mistakes)
    it(`are refused with ${what}`, () => {
      for (const command of ['run', 'trace', 'warmup']) {
        const args = [file('gru.tflite'), '--csv', write('rows.csv', text), '--columns', columns];
        const { status, stdout, stderr } = engram(command, ...args);
        assert.deepEqual([status, stdout], [2, ''], stderr);
        assert.match(stderr, message);
        assert.match(stderr, /^engram: [^\n]+\n$/, 'one line');
      }
    });
});
