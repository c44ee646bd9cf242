import { expect, it } from 'vitest';
import { countTests } from '../../scripts/lib/test-report.mjs';

const test = (status: string) => ({ status, fullName: `a ${status} test` });
const file = (...assertionResults: object[]) => ({ name: 'a.test.ts', status: 'passed', assertionResults });
const report = (numPassedTests: number, numFailedTests: number, ...testResults: object[]) => ({
  numPassedTests,
  numFailedTests,
  testResults,
});

const CASES: readonly (readonly [string, object, number, number, number])[] = [
  ['all passed', report(2, 0, file(test('passed'), test('passed'))), 0, 2, 0],
  ['one failed', report(1, 1, file(test('passed'), test('failed'))), 1, 1, 1],
  ['one skipped', report(1, 0, file(test('passed'), test('skipped'))), 0, 1, 1],
  ['one to be written', report(1, 0, file(test('passed'), test('todo'))), 0, 1, 1],
  ['a file that could not be loaded', report(0, 0, { ...file(), status: 'failed' }), 1, 0, 1],
  ['an error outside of the tests', report(1, 0, file(test('passed'))), 1, 1, 1],
  ['a run that was killed', report(1, 0, file(test('passed'))), null as never, 1, 1],
  ['no test at all', report(0, 0), 0, 0, 1],
];

it.each(CASES)('%s', (_, json, exitStatus, passed, failed) => {
  expect(countTests(json, exitStatus)).toMatchObject({ passed, failed });
});
