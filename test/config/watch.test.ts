import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { POLL_MS, RESTLESS_LOOKS_MAX, WorkspaceError, WorkspaceSource } from '../../src/config/watch.ts';
import type { Workspace } from '../../src/model/datastream.ts';
import { LEAST_FILES, workspaceFolder, writeFile } from '../support/workspace-folder.ts';

const SHOP = 'datastreams/shop.yaml';
const shop = (name: string): string => `id: shop\norg: 0123@AdobeOrg\nname: ${name}\n`;
/** Fast, so that the tests are. The steps are the same. */
const TEST_POLL_MS = 10;
const PATIENCE_MS = 10_000;

async function open(folder: string, pollMs = TEST_POLL_MS) {
  const reports: string[] = [];
  const source = await WorkspaceSource.open(folder, { report: (message) => reports.push(message), pollMs });
  onTestFinished(() => source.close());
  return { source, reports, name: () => source.current.datastreams.get('shop')?.name };
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`Not so after ${PATIENCE_MS} ms: ${condition.toString()}`);
    await sleep(5);
  }
}

/** Long enough for several looks: what has not happened by then is not going to. */
const several = (): Promise<void> => sleep(TEST_POLL_MS * 15);

describe('opening', () => {
  test('gives the workspace and the options', async () => {
    const { source, reports } = await open(workspaceFolder({ 'weir.yaml': 'deadlineMs: 1500\n' }));
    expect(source.options.deadlineMs).toBe(1500);
    expect(source.current.datastreams.has('shop')).toBe(true);
    expect(source.status).toEqual({
      hash: source.current.hash,
      loadedAtMs: expect.any(Number),
      lastError: null,
      warnings: [],
    });
    expect(reports).toEqual([]);
  });

  test('fails with every error, and without warnings', async () => {
    const folder = workspaceFolder({
      'weir.yaml': 'deadlineMs: 1\n',
      [SHOP]: 'id: shop\nname: x\n',
      'destinations/a.yaml': '',
    });
    const opening = WorkspaceSource.open(folder, { report: () => {} });
    await expect(opening).rejects.toThrow(WorkspaceError);
    await expect(opening).rejects.toThrow(
      `The workspace '${folder}' cannot be loaded:
  datastreams/shop.yaml:1:1: The key 'org' is missing in the file. Add it, as in: org: 0123456789ABCDEF01234567@AdobeOrg
  weir.yaml:1:13: 'deadlineMs' is 1. It takes a whole number from 100 to 4500.`,
    );
  });
});

describe('a change is taken over', () => {
  test('when a file is written in place, and listeners are told', async () => {
    const folder = workspaceFolder();
    const { source, name } = await open(folder);
    const before = source.current;
    const told: Workspace[] = [];
    source.onChange((workspace) => told.push(workspace));
    writeFile(folder, SHOP, shop('New'));
    await until(() => name() === 'New');
    expect(told).toEqual([source.current]);
    expect(source.status.hash).not.toBe(before.hash);
    // A request that took the old one keeps it.
    expect(before.datastreams.get('shop')?.name).toBe('Shop');
  });

  test('no more by a listener that was removed', async () => {
    const folder = workspaceFolder();
    const { source, name } = await open(folder);
    const told: Workspace[] = [];
    source.onChange((workspace) => told.push(workspace))();
    writeFile(folder, SHOP, shop('New'));
    await until(() => name() === 'New');
    expect(told).toEqual([]);
  });

  test('when an editor writes a copy and renames it', async () => {
    const folder = workspaceFolder();
    const { name } = await open(folder);
    for (const next of ['One', 'Two']) {
      writeFile(folder, 'datastreams/.shop.yaml.swp', shop(next));
      renameSync(join(folder, 'datastreams/.shop.yaml.swp'), join(folder, SHOP));
      await until(() => name() === next);
    }
  });

  test('when files are added, renamed and removed', async () => {
    const folder = workspaceFolder();
    const { source } = await open(folder);
    const ids = (): string => [...source.current.datastreams.keys()].join();
    writeFile(folder, 'datastreams/b.yml', 'id: b\norg: O\nname: B\n');
    await until(() => ids() === 'b,shop');
    renameSync(join(folder, 'datastreams/b.yml'), join(folder, 'datastreams/z.yml'));
    await until(() => ids() === 'shop,b');
    rmSync(join(folder, SHOP));
    await until(() => ids() === 'b');
    rmSync(join(folder, 'datastreams'), { recursive: true });
    await until(() => ids() === '');
    writeFile(folder, SHOP, shop('Back'));
    await until(() => ids() === 'shop');
  });

  test('when a link is swapped, as mounted configuration is updated', async () => {
    const folder = workspaceFolder({ 'weir.yaml': null, [SHOP]: null });
    const version = (number: number): void => {
      writeFile(folder, `..v${number}/weir.yaml`, '{}');
      writeFile(folder, `..v${number}/shop.yaml`, shop(`v${number}`));
      symlinkSync(`..v${number}`, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    version(1);
    mkdirSync(join(folder, 'datastreams'));
    symlinkSync('..data/weir.yaml', join(folder, 'weir.yaml'));
    symlinkSync('../..data/shop.yaml', join(folder, SHOP));
    const { name } = await open(folder);
    expect(name()).toBe('v1');
    version(2);
    rmSync(join(folder, '..v1'), { recursive: true });
    await until(() => name() === 'v2');
  });

  test('when the workspace folder itself is such a link', async () => {
    const parent = workspaceFolder({
      'a/weir.yaml': '{}',
      [`a/${SHOP}`]: shop('A'),
      'b/weir.yaml': '{}',
      [`b/${SHOP}`]: shop('B'),
    });
    symlinkSync('a', join(parent, 'current'));
    const { name } = await open(join(parent, 'current'));
    symlinkSync('b', join(parent, 'next'));
    renameSync(join(parent, 'next'), join(parent, 'current'));
    await until(() => name() === 'B');
  });

  test('when a page of the site changes, wherever it lies', async () => {
    const folder = workspaceFolder({
      'weir.yaml': 'site: {root: site, files: {/sdk.js: lib/sdk.js}}\n',
      'site/deep/page.html': 'old',
      'lib/sdk.js': 'old',
    });
    const { source } = await open(folder);
    const page = (path: string): string => Buffer.from(source.current.pages.get(path)?.body ?? []).toString();
    writeFile(folder, 'site/deep/page.html', 'new');
    await until(() => page('/deep/page') === 'new');
    writeFile(folder, 'lib/sdk.js', 'new');
    await until(() => page('/sdk.js') === 'new');
    writeFile(folder, 'site/deep/second.html', 'new');
    await until(() => page('/deep/second') === 'new');
  });

  test('when it is of the same length, right after the start', async () => {
    const folder = workspaceFolder({ [SHOP]: shop('Aaaa') });
    const { name } = await open(folder);
    writeFile(folder, SHOP, shop('Bbbb'));
    await until(() => name() === 'Bbbb');
  });

  test('when it comes while the files are being read', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [`datastreams/z${i}.yaml`, `id: z${i}\norg: O\nname: Z\n`]),
    );
    const folder = workspaceFolder(many);
    const { source, name } = await open(folder);
    const reloading = source.reload();
    await nextTurn();
    // Sorted before the others, so it has been read already.
    writeFile(folder, SHOP, shop('Late'));
    await reloading;
    expect(name()).toBe('Shop');
    await until(() => name() === 'Late');
  });

  test('when it is asked for, at once', async () => {
    const folder = workspaceFolder();
    const { source, name } = await open(folder, 60_000);
    writeFile(folder, SHOP, shop('New'));
    await source.reload();
    expect(name()).toBe('New');
  });

  test('within a second: two looks, and time to spare for the load', () => {
    // Not measured here, because a busy machine has a clock of its own.
    expect(2 * POLL_MS).toBeLessThanOrEqual(500);
  });
});

test('a file that was only touched changes nothing', async () => {
  const folder = workspaceFolder();
  const { source, reports } = await open(folder);
  const before = source.current;
  let changes = 0;
  source.onChange(() => changes++);
  await several();
  utimesSync(join(folder, SHOP), 1, 1);
  await several();
  expect(source.current).toBe(before);
  expect({ changes, reports }).toEqual({ changes: 0, reports: [] });
});

describe('a mistake', () => {
  test('keeps the last good workspace, is told once, and is over when it is mended', async () => {
    const folder = workspaceFolder();
    const { source, reports, name } = await open(folder);
    const before = source.current;
    writeFile(folder, SHOP, `${shop('Broken')}orgin: x\n`);
    await until(() => source.status.lastError !== null);
    expect(source.current).toBe(before);
    const mistake = "datastreams/shop.yaml:4:1: The key 'orgin' is not known in the file. Did you mean 'origins'?";
    expect(source.status.lastError?.map(String)).toEqual([mistake]);
    const since = new Date(source.status.loadedAtMs).toISOString();
    const refusal = `The workspace was changed, but has errors. What was loaded at ${since} stays in force.\n  ${mistake}`;
    await source.reload();
    utimesSync(join(folder, SHOP), 1, 1);
    await several();
    expect(reports).toEqual([refusal]);

    writeFile(folder, SHOP, shop('Mended'));
    await until(() => name() === 'Mended');
    expect(source.status.lastError).toBeNull();
    expect(reports).toEqual([refusal, 'The workspace is whole again, and taken over.']);
  });

  test('in one of two changed files holds back the other', async () => {
    const folder = workspaceFolder({ 'datastreams/b.yaml': 'id: b\norg: O\nname: B\n' });
    const { source, name } = await open(folder);
    writeFile(folder, SHOP, shop('New'));
    writeFile(folder, 'datastreams/b.yaml', 'id: b\n');
    await source.reload();
    expect(source.status.lastError).not.toBeNull();
    expect(name()).toBe('Shop');
  });

  test('that is taken back leaves everything as it was', async () => {
    const folder = workspaceFolder();
    const { source, reports } = await open(folder);
    const before = source.current;
    writeFile(folder, 'weir.yaml', '{');
    await until(() => source.status.lastError !== null);
    writeFile(folder, 'weir.yaml', LEAST_FILES['weir.yaml']!);
    await until(() => source.status.lastError === null);
    expect(source.current).toBe(before);
    expect(reports).toHaveLength(2);
    expect(reports[1]).toContain('again as it was loaded');
  });

  test('as large as the loss of the folder', async () => {
    const folder = workspaceFolder();
    const { source, name } = await open(folder);
    renameSync(folder, `${folder}-away`);
    onTestFinished(() => rmSync(`${folder}-away`, { recursive: true, force: true }));
    await until(() => source.status.lastError !== null);
    expect(name()).toBe('Shop');
    renameSync(`${folder}-away`, folder);
    await until(() => source.status.lastError === null);
  });

  test('of a listener does not stop the watch', async () => {
    const folder = workspaceFolder();
    const { source, name, reports } = await open(folder);
    const remove = source.onChange(() => {
      throw new Error('listener broke');
    });
    writeFile(folder, SHOP, shop('One'));
    await until(() => reports.length > 0);
    expect(reports[0]).toContain('listener broke');
    remove();
    writeFile(folder, SHOP, shop('Two'));
    await until(() => name() === 'Two');
  });

  test('after many is told with the first, and how many more', async () => {
    const folder = workspaceFolder();
    const { source, reports } = await open(folder);
    writeFile(folder, 'weir.yaml', Array.from({ length: 25 }, (_, i) => `key${i}: 1\n`).join(''));
    await source.reload();
    expect(reports[0]?.split('\n')).toHaveLength(1 + 20 + 1);
    expect(reports[0]).toContain("\n  5 more: see 'weir check'.");
  });
});

describe('files that are being written', () => {
  /** Writes a valid file each 20 ms, so that every look finds another one. */
  async function write(folder: string, steps: number): Promise<void> {
    for (let i = 1; i <= steps; i++) {
      writeFile(folder, SHOP, shop(`Step ${i}`));
      await sleep(20);
    }
  }

  test('are not read before they rest', async () => {
    const folder = workspaceFolder();
    const pollMs = 100;
    const { source, name } = await open(folder, pollMs);
    let changes = 0;
    source.onChange(() => changes++);
    const startMs = performance.now();
    await write(folder, 25);
    await until(() => name() === 'Step 25');
    const restlessMs = pollMs * RESTLESS_LOOKS_MAX;
    // One, unless this machine was so slow that they counted as files that never rest.
    expect(changes).toBeLessThanOrEqual(1 + Math.floor((performance.now() - startMs) / restlessMs));
  });

  test('are read all the same if they never rest', async () => {
    const folder = workspaceFolder();
    const { source } = await open(folder, 25);
    let isChanged = false;
    source.onChange(() => {
      isChanged = true;
    });
    const startMs = performance.now();
    while (!isChanged && performance.now() - startMs < PATIENCE_MS) await write(folder, 1);
    expect(isChanged).toBe(true);
  });
});

test('a half-written file never comes into force', async () => {
  const folder = workspaceFolder();
  const { source, name } = await open(folder);
  const whole = `${shop('Whole')}origins:\n  - https://shop.example\n`;
  for (const bytes of [0, 8, 20, whole.length - 30]) {
    writeFile(folder, SHOP, whole.slice(0, bytes));
    await source.reload();
    expect(name()).toBe('Shop');
  }
  writeFile(folder, SHOP, whole);
  await until(() => name() === 'Whole');
});

describe('options that wait for a restart', () => {
  test('are accepted with a warning that names them, until they are as at the start', async () => {
    const folder = workspaceFolder({ 'weir.yaml': 'deadlineMs: 1500\n' });
    const { source, reports } = await open(folder);
    writeFile(folder, 'weir.yaml', 'region: va6\ndeadlineMs: 1600\nlog:\n  retention: {maxAgeDays: 30}\n');
    await until(() => source.current.ownRegion.hint === 'va6');
    const warnings = [
      "weir.yaml:2:13: warning: 'deadlineMs' was changed; the change takes effect after a restart.",
      "weir.yaml:4:27: warning: 'log.retention.maxAgeDays' was changed; the change takes effect after a restart.",
    ];
    expect(source.status.warnings).toEqual(warnings);
    expect(reports).toEqual(warnings);
    expect(source.options.deadlineMs).toBe(1500);

    writeFile(folder, 'weir.yaml', 'region: irl1\ndeadlineMs: 1600\n');
    await until(() => source.current.ownRegion.hint === 'irl1');
    expect(reports).toEqual(warnings);
    writeFile(folder, 'weir.yaml', 'deadlineMs: 1500\n');
    await until(() => source.current.ownRegion.hint === 'or2');
    expect(source.status.warnings).toEqual([]);
  });
});

test('after it was closed nothing changes any more', async () => {
  const folder = workspaceFolder();
  const { source, name } = await open(folder);
  const reloading = source.reload();
  source.close();
  await reloading;
  writeFile(folder, SHOP, shop('New'));
  await source.reload();
  await several();
  expect(name()).toBe('Shop');
});
