/** The engine adapters: one script, every engine at hand, the same answers; and what becomes of scripts that fail. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ENGINE_NAMES, engineNamed, engines, EngineResult, RunOptions } from '../engines/index';

const BUNDLE = `var engram = {
  sum: function (array) {
    var i, total = 0;
    for (i = 0; i < array.length; i++) total += array[i];
    return total;
  }
};`;

/** Sets an environment variable for the length of a call. */
async function withVariable(name: string, value: string, call: () => unknown): Promise<void> {
  const before = process.env[name];
  process.env[name] = value;
  try {
    await call();
  } finally {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  }
}

/** Whether a program of that name is on the PATH. */
function onPath(name: string): boolean {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .some((folder) => fs.existsSync(path.join(folder, name)));
}

/** A new folder for the length of a call. */
async function withFolder(call: (folder: string) => unknown): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'engram-test-'));
  try {
    await call(folder);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

describe('engines by name', () => {
  it('finds each by its name, and by the names that people use', () => {
    assert.deepEqual(
      engines.map((engine) => engine.name),
      [...ENGINE_NAMES],
    );
    for (const name of ENGINE_NAMES) assert.equal(engineNamed(name).name, name);
    assert.equal(engineNamed('Duktape').name, 'duk');
    assert.equal(engineNamed('JerryScript').name, 'jerry');
    assert.equal(engineNamed('MicroQuickJS').name, 'mqjs');
  });

  it('lists the names when there is none, and the nearest', () => {
    assert.throws(
      () => engineNamed('jery'),
      /unknown engine jery \(did you mean jerry\?\).*node, quickjs, duk/,
    );
    assert.throws(() => engineNamed('esprino'), /did you mean espruino/);
    assert.throws(
      () => engineNamed('spidermonkey'),
      (error: Error) => !error.message.includes('did you mean'),
    );
    assert.throws(() => engineNamed('constructor'), /unknown engine constructor/);
  });
});

describe('engines that are not there', () => {
  it('says how to get one, and refuses to run', () =>
    withVariable('PATH', '', async () => {
      const duk = engineNamed('duk');
      await withVariable('ENGRAM_DUK', '', async () => {
        assert.equal(duk.find(), null);
        assert.match(duk.hint, /apt-get install duktape.*ENGRAM_DUK/);
        await assert.rejects(
          duk.run({ bundle: '', driver: '' }),
          /Duktape is not on this machine: install it/,
        );
      });
    }));

  for (const [name, variable] of [
    ['duk', 'ENGRAM_DUK'],
    ['jerry', 'ENGRAM_JERRY'],
    ['mqjs', 'ENGRAM_MQJS'],
    ['espruino', 'ENGRAM_ESPRUINO'],
  ])
    it(`takes ${variable} at its word`, () =>
      withFolder(async (folder) => {
        const missing = path.join(folder, 'missing');
        await withVariable(variable, missing, () => {
          assert.equal(engineNamed(name).find(), null);
          assert.equal(
            engineNamed(name).hint,
            `${variable} is ${missing}, which is no program that can be run`,
          );
        });
        const present = path.join(folder, 'present');
        fs.writeFileSync(present, '#!/bin/sh\nexit 3\n', { mode: 0o755 });
        await withVariable(variable, present, async () => {
          assert.equal(engineNamed(name).find(), present);
          const result = await engineNamed(name).run({ bundle: '', driver: '' });
          assert.equal(result.exitCode, 3);
          assert.equal(result.error, 'exit code 3');
        });
      }));

  it('does not take a program that ends early and well for one that ran the script', () =>
    withFolder(async (folder) => {
      const program = path.join(folder, 'silent');
      fs.writeFileSync(program, '#!/bin/sh\necho something else\n', { mode: 0o755 });
      await withVariable('ENGRAM_DUK', program, async () => {
        const result = await engineNamed('duk').run({ bundle: '', driver: 'print(1)' });
        assert.equal(result.error, 'ended before the end of its script');
        assert.deepEqual(result.lines, []);
        assert.deepEqual(result.log, ['something else']);
      });
    }));

  it('does not take the npm command line espruino for the engine', () =>
    withFolder(async (folder) => {
      const cli = path.join(folder, 'espruino');
      fs.writeFileSync(cli, '#!/usr/bin/env node\n', { mode: 0o755 });
      await withVariable('ENGRAM_ESPRUINO', '', () =>
        withVariable('PATH', folder, () => {
          assert.equal(engineNamed('espruino').find(), null);
          assert.ok(
            engineNamed('espruino').hint.startsWith(
              `${cli} is the npm command line, not the engine; build it`,
            ),
          );
        }),
      );
    }));
});

describe('options of a run', () => {
  it('refuses a memory limit where there is none, and what is no limit', async () => {
    const node = engineNamed('node');
    const quickjs = engineNamed('quickjs');
    await assert.rejects(
      node.run({ bundle: '', driver: '' }, { memoryLimit: 1e6 }),
      /Node takes no memory limit/,
    );
    await assert.rejects(quickjs.run({ bundle: '', driver: '' }, { memoryLimit: -1 }), /memoryLimit.*got -1/);
    await assert.rejects(
      quickjs.run({ bundle: '', driver: '' }, { timeoutSeconds: 0 }),
      /timeoutSeconds.*got 0/,
    );
  });
});

for (const engine of engines) {
  const found = engine.find();
  const title = `${engine.title}${found === null ? `: not on this machine: ${engine.hint}` : ''}`;
  describe(`scripts on ${title}`, function () {
    this.slow(2000);
    before(function () {
      if (found === null) this.skip();
    });
    const run = (driver: string, options: RunOptions = {}, files: Record<string, Uint8Array> = {}) =>
      engine.run({ bundle: BUNDLE, driver, files }, { timeoutSeconds: 15, ...options });
    /** The lines of a script that must run to its end. */
    const lines = async (
      driver: string,
      options: RunOptions = {},
      files: Record<string, Uint8Array> = {},
    ) => {
      const result = await run(driver, options, files);
      assert.equal(result.error, null);
      assert.equal(result.exitCode, 0);
      return result.lines;
    };
    const fails = (result: EngineResult, error: RegExp, printed: string[]) => {
      assert.match(String(result.error), error);
      assert.notEqual(result.exitCode, 0);
      assert.deepEqual(result.lines, printed);
    };

    it('sums an Int8Array with the bundle, and prints', async () => {
      assert.deepEqual(await lines('print(engram.sum(new Int8Array([100, 100, -128, 127, 1])));'), ['200']);
    });

    it('prints lines as they are', async () => {
      assert.deepEqual(
        await lines(
          'print("a\\nb\\n"); print(); print(" é € "); print(0.1); print([1, 2].join()); print("Error: x")',
        ),
        ['a', 'b', '', 'undefined', ' é € ', '0.1', '1,2', 'Error: x'],
      );
    });

    it('runs scripts that end in a comment, or are empty', async () => {
      assert.deepEqual(await lines('print(1) // one'), ['1']);
      const result = await engine.run({ bundle: '', driver: '' });
      assert.equal(result.error, null);
      assert.deepEqual(result.lines, []);
    });

    it('reads a file with all byte values', async () => {
      const driver = `var bytes = readBytes("all values"), i, good = 0;
for (i = 0; i < 256; i++) if (bytes[i] === i) good++;
print(bytes.length); print(good); print(bytes instanceof Uint8Array); print(new Int8Array(bytes.buffer, bytes.byteOffset + 128, 1)[0]);`;
      const files = { 'all values': Uint8Array.from({ length: 256 }, (_, i) => i) };
      assert.deepEqual(await lines(driver, {}, files), ['256', '256', 'true', '-128']);
    });

    it('reads several files, large and empty, and parts of larger buffers', async () => {
      const large = new Uint8Array(100003);
      let seed = 1;
      for (let i = 0; i < large.length; i++) {
        seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
        large[i] = seed >>> 24;
      }
      const part = large.subarray(77, 1000);
      const driver = `var large = readBytes("large"), part = readBytes('pa"rt'), i, sum = 0, weighted = 0;
for (i = 0; i < large.length; i += 41) sum += large[i];
for (i = 0; i < part.length; i++) weighted += part[i] * i;
print(large.length + " " + sum + " " + large[large.length - 1]);
print(part.length + " " + weighted + " " + readBytes("empty").length);`;
      let sum = 0;
      for (let i = 0; i < large.length; i += 41) sum += large[i];
      const weighted = part.reduce((total, value, i) => total + value * i, 0);
      assert.deepEqual(await lines(driver, {}, { large, 'pa"rt': part, empty: new Uint8Array(0) }), [
        `${large.length} ${sum} ${large[large.length - 1]}`,
        `${part.length} ${weighted} 0`,
      ]);
    });

    it('says which file did not come with the script', async () => {
      fails(
        await run('readBytes("toString")', {}, { data: new Uint8Array(1) }),
        /^Error: no file toString came with this script/,
        [],
      );
    });

    it('has a clock and memory', async () => {
      const driver = `var start = now(), i, x = 0, kept = [];
gc();
for (i = 0; i < 2000; i++) { x += i; kept.push({ i: i }); }
print(now() >= start && now() < start + 10000);
print(memoryUsed() === null || memoryUsed() > 1000);`;
      const result = await run(driver);
      assert.equal(result.error, null);
      assert.deepEqual(result.lines, ['true', 'true']);
      assert.ok(result.seconds > 0 && result.seconds < 15);
      if (engine.name === 'duk') assert.equal(result.memory, null);
      else assert.ok((result.memory!.used ?? result.memory!.peak)! > 10000, JSON.stringify(result.memory));
    });

    // JerryScript takes an array's memory at its first use; Duktape tells nothing of its memory
    const countsMemory = async () => {
      const [little, much] = [await run('var a = 1;'), await run('var a = new Uint8Array(65536); a[5] = 1;')];
      const bytes = (result: EngineResult) => (result.memory!.used ?? result.memory!.peak)!;
      const more = bytes(much) - bytes(little);
      assert.ok(more > 60000 && more < 140000, String(more));
      if (engine.name === 'espruino') assert.ok(much.memory!.variables! > little.memory!.variables! + 1000);
    };
    if (engine.name !== 'duk') it('counts more memory for a script that keeps more', countsMemory);

    it('fails when the driver throws, with the message and the place', async () => {
      const result = await run('print("one");\nprint("two");\nthrow new TypeError("boom");\nprint("three");');
      fails(result, /^TypeError: boom\n[^]*\b3\b/, ['one', 'two']);
    });

    it('fails when the driver uses what is not there', async () => {
      fails(await run('print(1);\nnothingOfThatName();'), /^ReferenceError: .*nothingOfThatName/, ['1']);
    });

    it('fails when something other than an Error is thrown', async () => {
      fails(await run('print(1); throw "only text";'), /^"?only text/, ['1']);
    });

    it('fails when the driver is no JavaScript', async () => {
      fails(await run('print(1;'), /^SyntaxError: /, []);
    });

    it('fails when the bundle throws, and does not run the driver', async () => {
      const result = await engine.run({ bundle: 'throw new Error("broken bundle");', driver: 'print(1)' });
      fails(result, /^Error: broken bundle/, []);
    });

    it('fails on endless recursion', async () => {
      fails(await run('var f = function (x) { return f(x + 1) + 1; }; print(1); f(0);'), /./, ['1']);
    });

    it('kills an endless loop', async () => {
      const start = performance.now();
      const result = await run('print("on"); while (true) {}', { timeoutSeconds: 1 });
      assert.ok(performance.now() - start < 8000);
      assert.equal(result.error, 'no end after 1 s: killed (timeoutSeconds sets the time)');
      assert.equal(result.exitCode, null);
      assert.equal(result.memory, null);
    });

    const keepsBack = (engine.name === 'jerry' || engine.name === 'mqjs') && !onPath('stdbuf');
    const without = keepsBack ? ' (it keeps them back where stdbuf is missing)' : '';
    it(`hands out lines while the script runs${without}`, async function () {
      if (keepsBack) this.skip();
      const times: number[] = [];
      const live: string[] = [];
      const driver = `print("first"); var end = now() + 700; while (now() < end) {} print("last");`;
      const result = await run(driver, {
        onLine: (line) => live.push(line) && times.push(performance.now()),
      });
      assert.deepEqual(live, ['first', 'last']);
      assert.deepEqual(result.lines, live);
      assert.ok(times[1] - times[0] > 350, `${times[1] - times[0]} ms between the lines`);
    });

    it('passes on what onLine throws', async () => {
      const stop = new Error('enough');
      const onLine = () => {
        throw stop;
      };
      await assert.rejects(run('print(1); while (true) {}', { onLine }), (error) => error === stop);
    });

    if (engine.limitsMemory)
      it('limits memory', async () => {
        const driver = 'print(1); var a = new Uint8Array(1000000); print(a.length)';
        assert.deepEqual(await lines(driver), ['1', '1000000']);
        fails(await run(driver, { memoryLimit: 400000 }), /out of memory/, ['1']);
      });
  });
}

describe('what only Espruino has', () => {
  const espruino = engineNamed('espruino');
  const reason = espruino.find() === null ? ` (not on this machine: ${espruino.hint})` : '';

  it(`keeps its flash from one run to the next in a given folder${reason}`, function () {
    if (reason) this.skip();
    return withFolder(async (directory) => {
      const write = 'print(require("Storage").write("x", "kept"))';
      const read = 'print(require("Storage").read("x"))';
      assert.deepEqual((await espruino.run({ bundle: '', driver: write }, { directory })).lines, ['true']);
      assert.deepEqual((await espruino.run({ bundle: '', driver: read }, { directory })).lines, ['kept']);
      assert.deepEqual((await espruino.run({ bundle: '', driver: read })).lines, ['undefined']);
    });
  });

  it(`fails on an error in a timer, after the driver's end${reason}`, async function () {
    if (reason) this.skip();
    const driver = 'print(1); setTimeout(function () { print("late"); nothing(); }, 5);';
    const result = await espruino.run({ bundle: '', driver });
    assert.deepEqual(result.lines, ['1', 'late']);
    assert.match(String(result.error), /^ReferenceError: .*nothing/);
  });
});
