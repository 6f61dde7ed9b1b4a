/**
 * The board, and how sketches get onto it. `engram pack` and `engram upload` read this file from the directory they are
 * run in; every entry may be left out, and options on the command line win over it.
 */
module.exports = {
  /**
   * The board's name, as process.env.BOARD says it there: BANGLEJS2, PUCKJS, MICROBIT2, ESP32 … `engram pack` says
   * whether a model fits on it, and `engram upload` refuses any other.
   */
  board: 'BANGLEJS2',

  /**
   * Where the board is: a serial port (/dev/ttyACM0, COM3), a Bluetooth address (aa:bb:cc:dd:ee:ff), or
   * tcp://127.0.0.1:2323 for an Espruino that runs on this computer with --telnet. Left out, the first board found.
   */
  port: undefined,

  /**
   * Directories with modules. `engram pack` writes NAME.js and NAME.bin into the first; `engram upload` looks there for what
   * a sketch requires, first one first, before the board's own modules.
   */
  modules: ['modules', 'dist'],

  /** Whether modules and sketches are minified before they are written or sent; those of dist are minified already. */
  minify: true,
};
