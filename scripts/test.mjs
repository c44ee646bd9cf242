// node scripts/test.mjs small|long|check [FILTER …]: all set-up, then the checks and tests, then "N passed, N failed".
//   small  npm test: lint and types (one test each), and every test at small size; with filters, only the tests they name
//   long   npm run test:long: the files named *.long.test.ts
//   check  npm run check: lint, types, and the rules of the house (imports, licences, …), and what the
//          documents link to and show; needs no browser

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuild } from './lib/build.mjs';
import { ensureModules } from './lib/modules.mjs';
import { checkNode } from './lib/node-version.mjs';
import { withRunFolder } from './lib/run-folder.mjs';
import { run, SetupError } from './lib/say.mjs';
import { countTests } from './lib/test-report.mjs';
import { ensureTools } from './lib/tools.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const CHECKS = [
  ['lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings']],
  ['types', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']],
];

function node(args, env = {}) {
  const done = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  if (done.error !== undefined) throw done.error;
  return done.status;
}

function runChecks() {
  const counts = { passed: 0, failed: 0 };
  for (const [name, args] of CHECKS) {
    const isGood = node(args) === 0;
    counts[isGood ? 'passed' : 'failed'] += 1;
    process.stdout.write(`${isGood ? '✓' : '✗'} ${name}\n`);
  }
  return counts;
}

function runTests(folder, size, filters) {
  const report = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const env = { WEIR_TEST_SIZE: size, TMPDIR: folder };
  try {
    const status = node(['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...filters], env);
    return countTests(JSON.parse(readFileSync(report, 'utf8')), status);
  } catch (error) {
    throw new SetupError(`The tests did not run to their end: ${error.message}\n\n0 passed, 1 failed`);
  }
}

await run(() => {
  const [size, ...filters] = process.argv.slice(2);
  if (!['small', 'long', 'check'].includes(size)) throw new SetupError('Usage: node scripts/test.mjs small|long|check');
  checkNode();
  ensureModules();
  if (size !== 'check') {
    ensureBuild();
    ensureTools();
  }
  const checks = size !== 'long' && filters.length === 0 ? runChecks() : { passed: 0, failed: 0 };
  const named = size === 'check' ? ['test/tidy.test.ts', 'test/docs.test.ts'] : filters;
  const tests = withRunFolder((folder) => runTests(folder, size, named));
  for (const complaint of tests.complaints) process.stdout.write(`${complaint}\n`);
  const failed = checks.failed + tests.failed;
  process.stdout.write(`\n${checks.passed + tests.passed} passed, ${failed} failed\n`);
  if (failed > 0) process.exitCode = 1;
});
