module.exports = {
  require: ['tsx/cjs'],
  extension: ['test.ts'],
  recursive: true,
  timeout: 20000,
  reporter: process.env.ENGRAM_TEST_COUNTS ? './scripts/counting-reporter.cjs' : 'spec',
};
