/** Mocha's spec reporter that also writes its counts to the file named by ENGRAM_TEST_COUNTS, for .ci/run. */
const fs = require('node:fs');
const { reporters, Runner } = require('mocha');

class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      fs.writeFileSync(process.env.ENGRAM_TEST_COUNTS, `${passes} ${failures} ${pending}\n`);
    });
  }
}

module.exports = CountingReporter;
