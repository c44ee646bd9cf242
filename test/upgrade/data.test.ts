import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { adminTokens } from '../../src/server.ts';
import { weir } from '../support/command.ts';
import { send } from '../support/raw-http.ts';
import { filesWith } from '../support/scan.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { workspaceFolder } from '../support/workspace-folder.ts';
import {
  byCookie,
  byEcid,
  byFpid,
  ERASED,
  type Expected,
  ecidOf,
  FORMATS,
  interact,
  linesOf,
  OPTED_OUT,
  ORG,
  personsIn,
  startOn,
  WORKSPACE,
} from './visitors.ts';

/** Data folders of earlier versions, as they were left after a clean stop: this one reads them, and goes on with them. */

const FIXTURES = new URL('fixtures/', import.meta.url).pathname;
const versions = readdirSync(FIXTURES);
const expectedOf = (version: string): Expected =>
  JSON.parse(readFileSync(join(FIXTURES, version, 'expected.json'), 'utf8'));

test('there is data in every format that this version writes; if not, make-data.ts makes it', () => {
  expect(versions.map((version) => expectedOf(version).formats)).toContainEqual(FORMATS);
});

describe.each(versions)('data of version %s', (version) => {
  const expected = expectedOf(version);
  const copy = (without: readonly string[] = []): string => {
    const data = join(tempFolder(), 'data');
    cpSync(join(FIXTURES, version, 'data'), data, { recursive: true });
    for (const name of without) rmSync(join(data, name), { recursive: true });
    return data;
  };

  test('its events, snapshot and tokens are read', async () => {
    const data = copy();
    const { code, out, err } = await weir('events', '--data', data);
    expect([code, err]).toEqual([0, '']);
    // A later version may say more of an event.
    expect(linesOf(out)).toMatchObject(expected.events);
    expect(await personsIn(join(data, 'snapshots'))).toEqual(expected.persons);
    expect((await (await adminTokens(data)).list()).map(({ id }) => id)).toEqual(expected.tokens);
  });

  test.each([
    ['as it is', []],
    ['with state made again from the log', ['state', 'snapshots']],
  ])('a server goes on with it, %s', async (_, without) => {
    const data = copy(without);
    const workspace = workspaceFolder(WORKSPACE);
    const running = await startOn(workspace, data);
    try {
      for (const ecid of [OPTED_OUT, ...(expected.sharing ?? [])]) {
        expect((await interact(running, byEcid(ecid))).text).toContain('EXEG-0301-200');
      }
      expect(ecidOf(await interact(running, byFpid))).toBe(expected.fpidEcid);
      expect(ecidOf(await interact(running, {}, byCookie(expected.cookie)))).toBe(expected.cookieEcid);
      const { json } = await send(running.urls.admin, { method: 'GET', path: '/health' });
      expect(json).toMatchObject({ status: 'ok' });
    } finally {
      await running.stop();
    }
    const lines = linesOf((await weir('events', '--data', data)).out);
    expect(lines.slice(0, expected.events.length)).toMatchObject(expected.events);
    expect(lines).toHaveLength(expected.events.length + 2);
  });
});

const erasing = versions.filter((version) => expectedOf(version).pendingErasure != null);

test('there is data with an erasure that is still to be carried out', () => {
  expect(erasing).not.toEqual([]);
});

test.each(erasing)('the erasure that version %s left is carried out by this one', async (version) => {
  const data = join(tempFolder(), 'data');
  cpSync(join(FIXTURES, version, 'data'), data, { recursive: true });
  const expected = expectedOf(version);
  const ids = Object.values(ERASED);
  expect(filesWith(data, ids).map((found) => found.split('/')[0])).toEqual(expect.arrayContaining(['log', 'state']));
  expect((await weir('events', '--data', data)).out).not.toContain(ERASED.Email);
  // Whoever is erased next takes them along.
  const nobody = ['--namespace', 'Email', '--id', 'nobody@example.com', '--org', ORG];
  expect(await weir('erase', ...nobody, '--data', data, '--now')).toMatchObject({ code: 0, err: '' });
  expect(filesWith(data, ids)).toEqual([]);
  const receipt = join(data, 'erasures', `${expected.pendingErasure}.json`);
  const ofThem = ['--org', ORG, '--namespace', 'Email', '--id', ERASED.Email];
  expect(await weir('erase', '--verify', receipt, '--data', data, ...ofThem)).toMatchObject({ code: 0 });
  expect(linesOf((await weir('events', '--data', data)).out)).toMatchObject(expected.events);
});
