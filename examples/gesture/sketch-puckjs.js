// Gestures on a Puck.js, or another nRF52 board, with a LIS2DH or LIS3DH accelerometer at its I2C pins: README.md says
// how to upload this. A flash of one light tells the gesture; a console, if one is connected, its name.

var storage = require('Storage');
var engram = require('engram');

var NAMES = ['swiperight', 'swipeleft', 'upup', 'waggle', 'clap2', 'random'];
var MOVED = 18; // change of a reading that is movement, the sum over x, y and z, 64 = 1 g
var REST = 4; // readings without movement that end a gesture
var ADDRESS = 0x19; // 0x18 if the sensor's SA0 is low

var model = engram.load(storage.readArrayBuffer('gesture.tflite'));
var before = null;
var left = 0; // readings until a gesture counts as over, 0 at rest

function best(scores) {
  var i,
    at = 0;
  for (i = 1; i < scores.length; i++) if (scores[i] > scores[at]) at = i;
  return at;
}

function show(name) {
  console.log(name);
  if (name === 'random') return; // movement that means nothing
  digitalPulse(name === 'swiperight' ? LED2 : name === 'swipeleft' ? LED1 : LED3, 1, 200);
}

function reading(x, y, z) {
  var change = before ? Math.abs(x - before[0]) + Math.abs(y - before[1]) + Math.abs(z - before[2]) : 0;
  before = [x, y, z];
  if (change >= MOVED) left = REST;
  // at rest each reading is the first of a gesture that may come
  if (!left) model.reset();
  var scores = model.step(before);
  if (left && --left === 0) show(NAMES[best(scores)]);
}

function signed(byte) {
  return byte > 127 ? byte - 256 : byte;
}

I2C1.setup({ sda: D1, scl: D2 });
I2C1.writeTo(ADDRESS, [0x23, 0x00]); // CTRL_REG4: 2 g, so that the high byte counts 64 to 1 g, as in training
I2C1.writeTo(ADDRESS, [0x20, 0x2f]); // CTRL_REG1: ten readings a second, 8 bits, x, y and z

setInterval(function () {
  I2C1.writeTo(ADDRESS, 0x28 | 0x80); // OUT_X_L, and go on with the registers after it
  var d = I2C1.readFrom(ADDRESS, 6);
  reading(signed(d[1]), signed(d[3]), signed(d[5]));
}, 100);
