/** The command line as a user meets it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { GraphBuilder } from '../author/graph_builder';
import { gruModel, leakyIntegratorModel } from '../author/recurrent';
import { writeModel } from '../author/writer';
import { load } from '../lib/index';
import { bytesOf, feed, randomStream } from '../tools/engine_inputs';
import { engram } from './helpers/command';

/** A model with two unknown custom operators and one that refuses its operands. */
function unrunnable(): Uint8Array {
  const builder = new GraphBuilder('needs more than there is');
  const main = builder.subgraph('main');
  const x = main.input('x', 'FLOAT32', [1, 2]);
  const a = main.tensor('a', 'FLOAT32', [1, 2]);
  const b = main.tensor('b', 'FLOAT32', [1, 2]);
  const y = main.tensor('y', 'INT8', [1, 2], { scale: 0.1 });
  main.op('FlexFoo', [x], [a], undefined, { custom: true });
  main.op('MyBar', [a], [b], undefined, { custom: true });
  main.op('ADD', [a, b], [y]);
  main.output(y);
  return writeModel(builder.build());
}

describe('command line', function () {
  this.timeout(60000);
  let folder: string;
  const file = (name: string): string => path.join(folder, name);
  const write = (name: string, content: string | Uint8Array): string => {
    fs.writeFileSync(file(name), content);
    return file(name);
  };
  const gru = writeModel(gruModel({ inputs: 3, units: 8, outputs: 2, type: 'INT8' }));

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-test-'));
    write('gru.tflite', gru);
    write('leaky.tflite', writeModel(leakyIntegratorModel({ decay: 0.5 })));
    write('unrunnable.tflite', unrunnable());
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  /** Exit status 2, one line on the standard error that matches, nothing else. */
  function refuses(args: string[], message: RegExp): void {
    const { status, stdout, stderr } = engram(...args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
    assert.match(stderr, /^engram: [^\n]+\n$/, 'one line');
    assert.equal(stdout, '');
  }

  describe('help', () => {
    it('lists the commands, and says what each does', () => {
      const { status, stdout } = engram('--help');
      assert.equal(status, 0);
      for (const name of ['inspect', 'run', 'bench', 'verify', 'statify', 'unstatify', 'strip'])
        assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
    });

    it('every command explains its arguments and options', () => {
      const { stdout } = engram('--help');
      const names = [...stdout.matchAll(/^ {2}([a-z]+) \[options\]/gm)].map((match) => match[1]);
      assert.ok(names.length >= 7);
      for (const name of names) {
        const help = engram(name, '--help');
        assert.equal(help.status, 0, name);
        assert.match(help.stdout, new RegExp(`Usage: engram ${name} `));
        assert.match(help.stdout, /-h, --help/);
        assert.equal(help.stderr, '');
      }
    });

    it('comes by itself without a command, with exit status 2', () => {
      const { status, stdout, stderr } = engram();
      assert.equal(status, 2);
      assert.match(stdout + stderr, /Usage: engram /);
    });

    it('tells the version of the package', () => {
      const { version } = JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'package.json'), 'utf8')) as {
        version: string;
      };
      assert.deepEqual(engram('--version'), { status: 0, stdout: version + '\n', stderr: '' });
    });
  });

  describe('mistakes', () => {
    const broken: [string, () => string[], RegExp][] = [
      ['an unknown command', () => ['inspet', 'x'], /unknown command 'inspet' \(Did you mean inspect\?\)/],
      [
        'an unknown option',
        () => ['inspect', '--jsn', 'x'],
        /unknown option '--jsn' \(Did you mean --json\?\)/,
      ],
      ['no model', () => ['run'], /missing required argument 'model'/],
      ['too many arguments', () => ['run', 'a', 'b'], /too many arguments/],
      [
        'a file that is not there',
        () => ['inspect', file('none.tflite')],
        /cannot read .*none\.tflite: there is no such file/,
      ],
      ['a folder', () => ['inspect', folder], /cannot read .*: it is a folder/],
      [
        'a file of something else',
        () => ['inspect', write('text.tflite', 'so it goes, and on')],
        /not a \.tflite model/,
      ],
      ['an empty file', () => ['inspect', write('empty.tflite', '')], /not a \.tflite model: 0 bytes/],
      [
        'a file that is cut off',
        () => ['inspect', write('cut.tflite', gru.subarray(0, 1000))],
        /lies outside of the file/,
      ],
      ['run without a stream', () => ['run', file('gru.tflite')], /either --in FILE .* or --csv FILE/],
      [
        'run with both',
        () => ['run', file('gru.tflite'), '--in', 'a', '--csv', 'b'],
        /either --in FILE .* or --csv FILE/,
      ],
      [
        'raw bytes without a place for them',
        () => ['run', file('gru.tflite'), '--in', 'a'],
        /--in needs --out FILE/,
      ],
      [
        'columns of raw bytes',
        () => ['run', file('gru.tflite'), '--in', 'a', '--out', 'b', '--columns', 'x'],
        /--columns goes with --csv/,
      ],
      [
        'a stream that is not there',
        () => ['run', file('gru.tflite'), '--csv', file('none.csv')],
        /cannot read .*none\.csv/,
      ],
      [
        'raw bytes that are no whole number of steps',
        () => [
          'run',
          file('gru.tflite'),
          '--in',
          write('four.bin', new Uint8Array(4)),
          '--out',
          file('o.bin'),
        ],
        /the input has 4 bytes, which is not a number of steps of 3 bytes/,
      ],
      [
        'a number of steps that is none',
        () => ['run', file('gru.tflite'), '--csv', write('one.csv', '1,2,3\n'), '--steps', 'many'],
        /--steps must be a whole number from 1 on, but it is "many"/,
      ],
      [
        'more steps than there are',
        () => ['run', file('gru.tflite'), '--csv', write('one.csv', '1,2,3\n'), '--steps', '2'],
        /--steps 2: the input has only 1/,
      ],
      [
        'an output in a folder that is not there',
        () => ['strip', file('gru.tflite'), '-o', path.join(folder, 'none', 'x.tflite')],
        /cannot write .*x\.tflite/,
      ],
      [
        'an unknown engine',
        () => ['bench', file('gru.tflite'), '--engine', 'jery'],
        /unknown engine jery \(did you mean jerry\?\)/,
      ],
      [
        'an engine and all of them',
        () => ['bench', file('gru.tflite'), '--engine', 'duk', '--all'],
        /either --engine or --all/,
      ],
      ['no engine', () => ['verify', file('gru.tflite')], /required option '--engine <name>'/],
      [
        'a loop that is none',
        () => ['statify', file('gru.tflite'), '--loop', 'y', '-o', file('s.tflite')],
        /--loop must be output=input/,
      ],
      [
        'a model that cannot run',
        () => ['run', file('unrunnable.tflite'), '--csv', write('two.csv', '1,2\n')],
        /no operator .*FlexFoo, MyBar/,
      ],
    ];
    for (const [what, args, message] of broken) it(what, () => refuses(args(), message));
  });

  describe('inspect', () => {
    it('--json has the documented fields', () => {
      const { status, stdout, stderr } = engram('inspect', file('gru.tflite'), '--json');
      assert.equal(status, 0);
      assert.equal(stderr, '');
      const report = JSON.parse(stdout) as Record<string, never>;
      for (const field of [
        'file',
        'bytes',
        'description',
        'subgraphs',
        'runs',
        'problems',
        'operators',
        'inputs',
        'outputs',
        'variables',
        'memory',
      ])
        assert.ok(field in report, field);
      const { runs, bytes, problems, inputs, outputs, variables, memory, operators } = report as unknown as {
        runs: boolean;
        bytes: number;
        problems: string[];
        inputs: Record<string, unknown>[];
        outputs: Record<string, unknown>[];
        variables: Record<string, unknown>[];
        memory: Record<string, number>;
        operators: { name: string; count: number; supported: boolean }[];
      };
      assert.equal(runs, true);
      assert.equal(bytes, gru.length);
      assert.deepEqual(problems, []);
      assert.deepEqual(inputs, [
        { name: 'x', type: 'INT8', shape: [1, 3], bytes: 3, scale: 0.03125, zeroPoint: 0 },
      ]);
      assert.deepEqual(
        outputs.map(({ name, type, shape, bytes: size }) => ({ name, type, shape, size })),
        [{ name: 'y', type: 'INT8', shape: [1, 2], size: 2 }],
      );
      assert.deepEqual(variables, [
        {
          name: 'h',
          container: '',
          type: 'INT8',
          shape: [1, 8],
          bytes: 8,
          scale: 0.0078125,
          zeroPoint: 0,
          kind: 'resource',
          initial: [0, 0, 0, 0, 0, 0, 0, 0],
        },
      ]);
      assert.deepEqual(memory, load(gru).memory);
      assert.equal(operators.find(({ name }) => name === 'FULLY_CONNECTED')?.count, 3);
      assert.ok(operators.every(({ supported }) => supported));
    });

    it('prints for people what the model is made of, and that it runs', () => {
      const { status, stdout } = engram('inspect', file('gru.tflite'));
      assert.equal(status, 0);
      for (const text of ['FULLY_CONNECTED', '[1,3]', 'arena', 'resource', 'It runs.'])
        assert.ok(stdout.includes(text), text);
    });

    it('names everything that is missing, with exit status 1', () => {
      const { status, stdout, stderr } = engram('inspect', file('unrunnable.tflite'));
      assert.equal(status, 1);
      assert.equal(stderr, '');
      const said = stdout.slice(stdout.indexOf('It cannot run:'));
      assert.match(said, /operator 0 FlexFoo: /);
      assert.match(said, /operator 1 MyBar: /);
      assert.match(said, /operator 2 ADD: .*INT8/);

      const json = engram('inspect', file('unrunnable.tflite'), '--json');
      assert.equal(json.status, 1);
      const report = JSON.parse(json.stdout) as { runs: boolean; problems: string[]; memory: unknown };
      assert.deepEqual([report.runs, report.problems.length, report.memory], [false, 3, null]);
    });
  });

  describe('run', () => {
    it('takes raw bytes, and carries the state from step to step', () => {
      const model = load(gru);
      const stream = randomStream(model, 7, 2);
      const expected = stream.map((inputs) => {
        feed(model, inputs);
        model.invoke();
        return bytesOf(model.outputs[0]).slice();
      });
      const args = ['run', file('gru.tflite'), '--in', write('in.bin', Buffer.concat(stream))];
      assert.deepEqual(engram(...args, '--out', file('out.bin')), { status: 0, stdout: '', stderr: '' });
      assert.deepEqual(fs.readFileSync(file('out.bin')), Buffer.concat(expected));
      assert.equal(engram(...args, '--out', file('out.bin'), '--steps', '3').status, 0);
      assert.deepEqual(fs.readFileSync(file('out.bin')), Buffer.concat(expected.slice(0, 3)));
    });

    it('takes rows of real numbers, with names or without', () => {
      // y ← y / 2 + x / 2
      const plain = engram('run', file('leaky.tflite'), '--csv', write('plain.csv', '4\n0\n-8\n\n \n'));
      assert.deepEqual(plain, { status: 0, stdout: '2\n1\n-3.5\n', stderr: '' });
      const named = engram(
        'run',
        file('leaky.tflite'),
        '--csv',
        write('named.csv', '\ufeffheat\r\n4\r\n0\r\n'),
      );
      assert.deepEqual(named, { status: 0, stdout: 'y\n2\n1\n', stderr: '' });
      const out = engram('run', file('leaky.tflite'), '--csv', file('plain.csv'), '--out', file('out.csv'));
      assert.deepEqual(out, { status: 0, stdout: '', stderr: '' });
      assert.equal(fs.readFileSync(file('out.csv'), 'utf8'), '2\n1\n-3.5\n');
    });

    const rows: [string, string, RegExp][] = [
      ['text in a cell', 'a,b,c\n1,2,3\n4,warm,6\n', /row 3, column 2 \(b\): "warm" is not a number/],
      ['an empty cell', '1,2,3\n4,,6\n', /row 2, column 2: the cell is empty/],
      ['too few columns', '1,2,3\n4,5\n', /row 2: 2 columns, but 3 are expected/],
      ['too many columns', 'a,b,c\n1,2,3,4\n', /row 2: 4 columns, but 3 are expected/],
      ['infinity', '1,2,3\n7,8,Infinity\n', /row 2, column 3: "Infinity" is not a number/],
      ['text in the first row', '1,warm,3\n4,5,6\n', /row 1, column 2: "warm" is not a number/],
      ['a cell missing in the first row', '1,,3\n4,5,6\n', /row 1, column 2: the cell is empty/],
      ['an empty line', 'a,b,c\n1,2,3\n\n4,5,6\n', /row 3: the line is empty/],
      ['an unclosed quotation mark', '1,2,3\n4,"5,6\n', /rows\.csv: /],
      ['names alone', 'a,b,c\n', /has no rows of numbers/],
      ['nothing', '', /has no rows of numbers/],
    ];
    for (const [what, text, message] of rows)
      it(`refuses ${what}, before anything has run`, () =>
        refuses(['run', file('gru.tflite'), '--csv', write('rows.csv', text)], message));
  });
});
