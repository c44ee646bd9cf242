import { describe, expect, onTestFinished, test } from 'vitest';
import { type WorkspaceChange, WorkspaceSource } from '../../src/config/watch.ts';
import { workspaceFolder, writeFile } from '../support/workspace-folder.ts';

/** What is recorded of a change before it comes in force. */

const SHOP = 'datastreams/shop.yaml';
const shop = (name: string): string => `id: shop\norg: 0123@AdobeOrg\nname: ${name}\n`;

async function open(beforeChange: (change: WorkspaceChange) => Promise<void>) {
  const folder = workspaceFolder();
  const reports: string[] = [];
  const report = (message: string): void => void reports.push(message);
  const source = await WorkspaceSource.open(folder, { report, pollMs: 10, beforeChange });
  onTestFinished(() => source.close());
  return { folder, source, reports, name: () => source.current.datastreams.get('shop')?.name };
}

test('a change is recorded with what it replaces, before it is in force', async () => {
  const recorded: (string | undefined)[][] = [];
  let name = (): string | undefined => undefined;
  const nameOf = ({ workspace }: WorkspaceChange['from']) => workspace.datastreams.get('shop')?.name;
  const one = await open(async ({ from, to, by }) => {
    await new Promise(setImmediate);
    recorded.push([nameOf(from), nameOf(to), name(), by === null ? 'files' : String(by['kind'])]);
  });
  name = one.name;
  writeFile(one.folder, SHOP, shop('New'));
  await expect.poll(name).toBe('New');
  writeFile(one.folder, SHOP, shop('Newer'));
  await one.source.reload({ kind: 'token' });
  expect(recorded).toEqual([
    ['Shop', 'New', 'Shop', 'files'],
    ['New', 'Newer', 'New', 'token'],
  ]);
});

test('what changes nothing, or is wrong, is not recorded', async () => {
  let records = 0;
  const { folder, source } = await open(async () => {
    records += 1;
  });
  await source.reload();
  writeFile(folder, SHOP, 'id: shop\n');
  await source.reload();
  expect(source.status.lastError).not.toBeNull();
  expect(records).toBe(0);
});

describe('a change that cannot be recorded', () => {
  test('is not in force, says why once, and is tried again', async () => {
    let isFull = true;
    const { folder, source, reports, name } = await open(async () => {
      if (isFull) throw new Error('the disk is full');
    });
    writeFile(folder, SHOP, shop('New'));
    await expect
      .poll(() => source.status.lastError?.map(String))
      .toEqual([expect.stringContaining('the disk is full')]);
    await source.reload();
    expect(name()).toBe('Shop');
    expect(reports).toHaveLength(1);
    isFull = false;
    await expect.poll(name).toBe('New');
    expect(source.status.lastError).toBeNull();
  });
});
