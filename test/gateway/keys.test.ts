import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { KEY_SET_BYTES_MAX } from '../../src/config/key-set.ts';
import {
  KEYS_COOLDOWN_MS,
  KEYS_REFRESH_MS,
  KEYS_RETRY_MS,
  KEYS_STALE_MS,
  KeysUnavailable,
  RemoteKeys,
} from '../../src/gateway/keys.ts';
import { jwksOf, keyPair } from '../support/key-pairs.ts';
import { type KeyServer, keyServer, saying } from '../support/key-server.ts';

const A = keyPair('ES256', 'a');
const B = keyPair('ES256', 'b');

interface Tried {
  readonly keys: RemoteKeys;
  readonly clock: { nowMs: number };
  readonly reports: string[];
  changes: number;
}

function remote(url: string, timeoutMs = 5_000): Tried {
  const clock = { nowMs: 0 };
  const reports: string[] = [];
  const report = (message: string): void => void reports.push(message);
  const onChange = (): void => {
    tried.changes += 1;
  };
  const keys = new RemoteKeys({ url, timeoutMs, clockMs: () => clock.nowMs, report, onChange });
  const tried: Tried = { keys, clock, reports, changes: 0 };
  return tried;
}

const broken: KeyServer['answer'] = (_req, res) => void res.writeHead(500).end();

describe('keys at a URL', () => {
  test('are fetched when they are first needed, once for all who wait', async () => {
    const server = await keyServer(saying(jwksOf(A)));
    const { keys } = remote(server.url);
    keys.refreshAhead();
    const found = await Promise.all([keys.find('a'), keys.find('a'), keys.find('b')]);
    expect(found.map((key) => key?.algorithm ?? null)).toEqual(['ES256', 'ES256', null]);
    expect(server.asked).toBe(1);
  });

  test('an unknown id makes them look again, not sooner than after the cooldown', async () => {
    const server = await keyServer(saying(jwksOf(A)));
    const { keys, clock } = remote(server.url);
    await keys.find('a');
    server.answer = saying(jwksOf(A, B));
    clock.nowMs = KEYS_COOLDOWN_MS - 1;
    for (let i = 0; i < 100; i++) expect(await keys.find('b')).toBeNull();
    expect(server.asked).toBe(1);
    clock.nowMs = KEYS_COOLDOWN_MS;
    const found = await Promise.all(Array.from({ length: 50 }, () => keys.find('b')));
    expect(found.every((key) => key !== null)).toBe(true);
    expect(server.asked).toBe(2);
  });

  test('are looked for in the background when they are old; who withdraws a key is believed then', async () => {
    const server = await keyServer(saying(jwksOf(A)));
    const tried = remote(server.url);
    const { keys, clock } = tried;
    await keys.find('a');
    server.answer = saying(jwksOf(B));
    clock.nowMs = KEYS_REFRESH_MS;
    expect(await keys.find('a')).not.toBeNull();
    expect(server.asked).toBe(1);
    clock.nowMs = KEYS_REFRESH_MS + 1;
    expect(await keys.find('a')).not.toBeNull();
    await expect.poll(() => tried.changes).toBe(1);
    expect(await keys.find('a')).toBeNull();
    expect(await keys.find('b')).not.toBeNull();
    expect(server.asked).toBe(2);
  });

  test('the same keys again are no change', async () => {
    const server = await keyServer(saying(jwksOf(A)));
    const tried = remote(server.url);
    await tried.keys.find('a');
    tried.clock.nowMs = KEYS_REFRESH_MS + 1;
    tried.keys.refreshAhead();
    tried.keys.refreshAhead();
    await expect.poll(() => server.asked).toBe(2);
    tried.clock.nowMs += KEYS_COOLDOWN_MS;
    await tried.keys.find('b');
    expect([tried.changes, tried.reports]).toEqual([0, []]);
  });

  test('a source that is away: nobody knows; it is asked again after a moment, and said once', async () => {
    const server = await keyServer(broken);
    const { keys, clock, reports } = remote(server.url);
    await expect(keys.find('a')).rejects.toThrow(KeysUnavailable);
    await expect(keys.find('a')).rejects.toThrow(/answered 500/);
    expect(server.asked).toBe(1);
    clock.nowMs = KEYS_RETRY_MS;
    await expect(keys.find('a')).rejects.toThrow(KeysUnavailable);
    expect(server.asked).toBe(2);
    expect(reports).toEqual([
      expect.stringMatching(/cannot be fetched: it answered 500\. Its tokens are answered 503/),
    ]);
    server.answer = saying(jwksOf(A));
    clock.nowMs = 2 * KEYS_RETRY_MS;
    expect(await keys.find('a')).not.toBeNull();
    expect(reports).toEqual([expect.anything(), expect.stringMatching(/fetched again/)]);
  });

  test('… while there are keys from before: those serve for a day, and of others nobody knows', async () => {
    const server = await keyServer(saying(jwksOf(A)));
    const { keys, clock, reports } = remote(server.url);
    await keys.find('a');
    server.answer = broken;
    for (clock.nowMs = KEYS_REFRESH_MS + 1; clock.nowMs <= KEYS_STALE_MS; clock.nowMs += KEYS_STALE_MS / 48) {
      expect(await keys.find('a')).not.toBeNull();
    }
    clock.nowMs = KEYS_STALE_MS;
    await expect(keys.find('b')).rejects.toThrow(KeysUnavailable);
    expect(await keys.find('a')).not.toBeNull();
    clock.nowMs = KEYS_STALE_MS + 1;
    await expect(keys.find('a')).rejects.toThrow(KeysUnavailable);
    expect(reports).toEqual([expect.stringMatching(/from before serve/)]);
  });

  // Time enough for what is answered, and little for what is not.
  test.each<[string, KeyServer['answer'], RegExp, timeoutMs?: number]>([
    ['no JSON', saying('<html>'), /no JSON/],
    ['no keys', saying('{"keys":[]}'), /No key/],
    ['another place', (_req, res) => void res.writeHead(302, { location: '/other' }).end(), /redirect/],
    ['nothing', (_req, res) => void res.writeHead(204).end(), /answered 204/],
    [
      'half an answer',
      (_req, res) => void res.writeHead(200, { 'content-length': 100 }).write('{', () => res.destroy()),
      /cannot be fetched/,
    ],
    ['more than it may', saying(`{"keys":[],"a":"${'x'.repeat(KEY_SET_BYTES_MAX)}"}`), /more than 524288 bytes/],
    ['a slow end', (_req, res) => void res.writeHead(200).write('{'), /not answer in time/, 300],
    ['silence', () => {}, /not answer in time/, 300],
  ])('a source that answers %s is away', async (_what, answer, message, timeoutMs) => {
    const server = await keyServer(answer);
    await expect(remote(server.url, timeoutMs).keys.find('a')).rejects.toThrow(message);
  });

  test('a source where nothing listens is away', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    await expect(remote(`http://127.0.0.1:${port}/keys`).keys.find('a')).rejects.toThrow(/ECONNREFUSED/);
  });
});
