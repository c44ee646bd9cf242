import { defineConfig } from 'vitest/config';

/** `small` is npm test; `long` is npm run test:long, which runs only the files named *.long.test.ts. */
const isLong = process.env['WEIR_TEST_SIZE'] === 'long';
const files = (folder: string): string => `${folder}/**/*.${isLong ? 'long.test' : 'test'}.ts`;

/** Tests that start servers and browsers and wait for them: one file at a time, and never beside tests that use the CPU. */
const PROCESSES = ['test/browser', 'test/crash', 'test/process'];

const MINUTE_MS = 60_000;
/** Ends a test that hangs. Some take 15 s of a processor, of which a machine that others use gives them a fraction. */
const HANGS_MS = (isLong ? 30 : 5) * MINUTE_MS;

export default defineConfig({
  test: {
    exclude: ['**/node_modules/**', ...(isLong ? [] : ['**/*.long.test.ts'])],
    passWithNoTests: false,
    // What is waited for comes soon, or on a busy machine a little later.
    expect: { poll: { timeout: 30_000 } },
    // A test that is left focused would silence all others.
    allowOnly: false,
    // Names of what is slow, so that the whole stays small.
    slowTestThreshold: 2_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: [files('test')],
          exclude: PROCESSES.map((folder) => `${folder}/**`),
          sequence: { groupOrder: 0 },
          maxWorkers: 2,
          testTimeout: HANGS_MS,
          hookTimeout: MINUTE_MS,
        },
      },
      {
        extends: true,
        test: {
          name: 'processes',
          include: PROCESSES.map(files),
          sequence: { groupOrder: 1 },
          fileParallelism: false,
          testTimeout: HANGS_MS,
          hookTimeout: 2 * MINUTE_MS,
          globalSetup: ['test/support/built.ts'],
        },
      },
    ],
  },
});
