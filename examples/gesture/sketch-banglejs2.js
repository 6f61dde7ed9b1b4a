// Gestures on a Bangle.js 2: README.md says how to upload this. The watch shows the gesture when the hand rests again.

var storage = require('Storage');
var engram = require('engram');

var NAMES = ['swiperight', 'swipeleft', 'upup', 'waggle', 'clap2', 'random'];
var MOVED = 18; // change of a reading that is movement, the sum over x, y and z, 64 = 1 g
var REST = 4; // readings without movement that end a gesture

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
  g.clear(1).setFont('Vector', 30).setFontAlign(0, 0);
  g.drawString(name, g.getWidth() / 2, g.getHeight() / 2);
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

Bangle.setPollInterval(100); // ten readings a second, as in training
Bangle.on('accel', function (a) {
  reading(Math.round(a.x * 64), Math.round(a.y * 64), Math.round(a.z * 64));
});
