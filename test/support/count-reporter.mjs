import { writeFileSync } from 'node:fs';

/** Leaves jest's numbers in the file that DROVER_TEST_COUNTS names, for the closing line of `npm test`. */
export default class CountReporter {
  onRunComplete(_contexts, results) {
    const file = process.env.DROVER_TEST_COUNTS;
    if (!file) return;
    const counts = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites, // a file that could not run at all has failed, too
      skipped: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(file, JSON.stringify(counts));
  }
}
