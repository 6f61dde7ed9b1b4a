// A machine's temperature every five minutes, on an ESP32 that sleeps in between: README.md says how to upload this.
// Deep sleep on an ESP32 ends in a reboot, so everything below runs once for each reading. What the model remembers
// goes to flash before, and comes back after.

var storage = require('Storage');
var engram = require('engram');

var MINUTES = 5; // the model has learned at this pace
var THRESHOLD = 1.1; // of the surprise, in standard deviations of what it was in training
var SENSOR = D4; // data line of a DS18B20
var LAMP = D2;

var model = engram.load(storage.readArrayBuffer('temperature.tflite'));
var store = engram.openStore(engram.espruinoBackend(storage, 'temperature'));
var keeper = engram.keep(model, store, { steps: 1 });

try {
  keeper.load();
} catch (error) {
  // a state of another model: start afresh rather than fail at every reading
  console.log(error.message);
}

function sleep() {
  ESP32.deepSleep(MINUTES * 60e6);
}

// An alarm that goes on is raised once: the model remembers it, and forgets half of it in a day.
function watch(temperature) {
  var answer = model.step([temperature]);
  var surprise = answer[0][0];
  var isNew = answer[1][0] < 0.5;
  if (surprise > THRESHOLD) {
    if (isNew) {
      console.log('ALARM: ' + temperature.toFixed(1) + ', expected ' + answer[2][0].toFixed(1));
      digitalWrite(LAMP, 1); // or a message, a relay, a call
    }
    model.variables.get('alarm').write([1]);
  }
  console.log('surprise ' + surprise.toFixed(4));
  keeper.tick();
}

require('DS18B20')
  .connect(new OneWire(SENSOR))
  .getTemp(function (celsius) {
    // null when the sensor does not answer: leave this reading out
    if (celsius !== null) watch(celsius * 1.8 + 32); // the record is taken to be in °F
    sleep();
  });
