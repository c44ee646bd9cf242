/**
 * Counts what vitest's JSON report says. A test that was skipped counts as failed, and so does a file that could not be
 * loaded or a run that ended badly with every test passed: silence must not look like success.
 */
export function countTests(report, exitStatus) {
  const complaints = [];
  let failed = report.numFailedTests;
  for (const file of report.testResults) {
    if (file.status === 'failed' && file.assertionResults.length === 0) {
      failed += 1;
      complaints.push(`✗ ${file.name}: not loaded`);
    }
    for (const test of file.assertionResults) {
      if (test.status === 'passed' || test.status === 'failed') continue;
      failed += 1;
      complaints.push(`✗ ${file.name}: '${test.fullName}' was ${test.status}, not run`);
    }
  }
  if (exitStatus !== 0 && failed === 0) {
    failed = 1;
    complaints.push('✗ the test run failed outside of its tests: see above');
  }
  if (report.numPassedTests + failed === 0) {
    failed = 1;
    complaints.push('✗ no test was run');
  }
  return { passed: report.numPassedTests, failed, complaints };
}
