/**
 * The board, and how sketches get onto it. `engram pack` and `engram upload` read this file from the directory they are
 * run in; every entry may be left out, and options on the command line win over it.
 */
module.exports = {
  /**
   * The board's name, as in https://www.espruino.com/json/BOARD.json: BANGLEJS2, PUCKJS, MICROBIT2, ESP32 … It decides
   * how much memory there is, where flash can be mapped, and whether native code can run.
   */
  board: 'BANGLEJS2',

  /**
   * Where the board is: a serial port (/dev/ttyACM0, COM3), a Bluetooth address (aa:bb:cc:dd:ee:ff), or
   * tcp://127.0.0.1:2323 for an Espruino that runs on this computer with --telnet. Left out, the first board found.
   */
  port: undefined,

  /** Directories where `require('name')` in a sketch looks for name.js, before the board's own modules. */
  modules: ['dist', 'modules'],

  /** Whether a sketch and its modules are minified before they are sent; bundles in dist are minified already. */
  minify: true,

  /** Names of the files on the board, at most 28 bytes each: the library, and the model's program and weights. */
  storage: {
    library: 'engram',
    program: 'model.js',
    weights: 'model.bin',
    state: 'model.state',
  },
};
