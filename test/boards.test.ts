/** The table of boards, and whether a need fits on one. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { boardNamed, BOARDS, fitOn } from '../tools/boards';

describe('boards', () => {
  it('docs/boards.md shows the table that inspect goes by', () => {
    const text = fs.readFileSync(path.join(__dirname, '..', 'docs', 'boards.md'), 'utf8');
    const size = (bytes: number): string =>
      bytes >= 1048576 ? `${bytes / 1048576} MB` : `${bytes / 1024} KB`;
    const shown = text
      .split('\n')
      .filter((line) => /^\|.*\| `[A-Z0-9_]+` /.test(line))
      .map((line) =>
        line
          .split('|')
          .map((cell) => cell.trim())
          .slice(1, -1)
          .join('|'),
      );
    assert.deepEqual(
      shown,
      BOARDS.map((board) =>
        [
          board.title,
          `\`${board.name}\``,
          board.variables,
          board.variableBytes,
          size(board.storage),
          board.mapped ? 'yes' : 'no',
        ].join('|'),
      ),
    );
  });

  it('are found by what process.env.BOARD says there', () => {
    assert.equal(boardNamed('puckjs').title, 'Puck.js');
    assert.equal(boardNamed('ESP32C3_IDF4').name, 'ESP32C3');
    assert.throws(() => boardNamed('PUCK'), /no board "PUCK": there are MICROBIT1, PUCKJS, /);
  });

  it('margins are exact to the byte, and negative where something lacks', () => {
    const pico = boardNamed('PICO_R1_3');
    const exact = { module: 30000, weights: pico.storage - 30064, variables: pico.variables - 100 };
    assert.deepEqual(fitOn(pico, exact), {
      board: 'PICO_R1_3',
      fits: true,
      flash: { needed: pico.storage, available: pico.storage, margin: 0 },
      ram: { needed: 65000, available: 65000, margin: 0 },
    });
    const more = fitOn(pico, { ...exact, weights: exact.weights + 1 });
    assert.deepEqual([more.fits, more.flash.margin], [false, -4]);
    const larger = fitOn(pico, { ...exact, variables: exact.variables + 1 });
    assert.deepEqual([larger.fits, larger.ram.margin], [false, -13]);
    // without a file of weights there is no header of it
    assert.equal(fitOn(pico, { module: 100, weights: 0, variables: 1 }).flash.needed, 132);
  });
});
