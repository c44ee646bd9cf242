import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  type ExpiryRule,
  encodeHidden,
  Hidden,
  HiddenDamaged,
  type HiddenList,
  NOTHING_HIDDEN,
  type PendingErasure,
  RULE_SETTLES_MS,
  readHidden,
} from '../../src/log/hidden.ts';
import { UnknownFormat } from '../../src/log/segment.ts';
import { erasureChange } from '../../src/model/erasure.ts';
import { personKey } from '../../src/model/person.ts';
import type { LogRecord } from '../../src/model/record.ts';
import { failure, MemoryFs } from './memory-fs.ts';
import { FOLDER, openLog, readAll, recordOf, told } from './open-log.ts';

const key = { keyId: 'mine', digest: (text: string) => `digest of ${text}` };
const ANN = personKey('org', 'ECID', 'ann');
const erasure = (offset: number | null, keyId = 'mine'): PendingErasure => ({
  ...{ id: 'e', orgId: 'org', atMs: 1, digests: [key.digest(ANN)], keyId, since: 0, offset },
});
const ofAnn = { ...recordOf(0), orgId: 'org', ecid: 'ann', events: [] };
const clock = (): number => NOW_MS;
const NOW_MS = 1_700_000_000_000;
const AGE_MS = 1000;
const RULE: ExpiryRule = { datastreamId: 'site', sinceMs: 7, maxAgeMs: AGE_MS, eventTypes: new Map([['a', null]]) };
const isHidden = (hidden: Hidden, offset: number): boolean => hidden.shown(offset, ofAnn) !== ofAnn;

describe('an erasure hides', () => {
  test('what stands before it, and nothing from its place on', () => {
    const hidden = new Hidden({ generation: 1, erasures: [erasure(5)], rules: [] }, key, clock);
    expect([0, 4, 5, 6].map((offset) => isHidden(hidden, offset))).toEqual([true, true, false, false]);
  });

  test('everything until its place is known, which a pass must not remove', () => {
    const hidden = new Hidden({ generation: 1, erasures: [erasure(null)], rules: [] }, key, clock);
    expect([isHidden(hidden, 9), isHidden(hidden.placed(), 9), hidden.placed().isEmpty]).toEqual([true, false, true]);
  });

  test('nobody else', () => {
    const hidden = new Hidden({ generation: 1, erasures: [erasure(5)], rules: [] }, key, clock);
    const ofBob = { ...ofAnn, ecid: 'bob' };
    expect(hidden.shown(0, ofBob)).toBe(ofBob);
    const ofOtherOrg = { ...ofAnn, orgId: 'other' };
    expect(hidden.shown(0, ofOtherOrg)).toBe(ofOtherOrg);
  });
});

describe('a rule hides', () => {
  const aged = (ageMs: number, datastreamId = 'site') => ({ ...recordOf(0, { atMs: NOW_MS - ageMs }), datastreamId });
  const ruled = (list: Partial<HiddenList> = {}) =>
    new Hidden({ ...NOTHING_HIDDEN, rules: [RULE], ...list }, key, clock);

  test('what is older than its datastream keeps it, wherever it stands, and without a key', () => {
    const hidden = new Hidden({ ...NOTHING_HIDDEN, rules: [RULE] }, null, clock);
    const hides = (record: LogRecord) => hidden.shown(9, record) !== record;
    expect(hidden.isEmpty).toBe(false);
    expect([AGE_MS - 1, AGE_MS, AGE_MS + 1].map((ageMs) => hides(aged(ageMs)))).toEqual([false, false, true]);
    expect(hides(aged(AGE_MS + 1, 'other'))).toBe(false);
  });

  test('beside an erasure, and not in a pass for it', () => {
    const hidden = ruled({ erasures: [erasure(5)] });
    const old = { ...ofAnn, atMs: NOW_MS - AGE_MS - 1 };
    const change = { kind: 'consent' as const, key: ANN, time: '', body: {} };
    expect(hidden.shown(0, { ...old, changes: [change] })).toMatchObject({ changes: [], requestId: '' });
    expect(hidden.shown(9, { ...old, changes: [change] })).toMatchObject({ changes: [change], ecid: null });
    const ofBob = { ...old, ecid: 'bob' };
    expect(hidden.placed().shown(0, ofBob)).toBe(ofBob);
  });

  test('at once, and removes when it has been the same for a day', () => {
    const since = (ms: number) => ruled({ rules: [{ ...RULE, sinceMs: ms }] }).settledRules().size;
    expect([RULE_SETTLES_MS - 1, RULE_SETTLES_MS].map((ms) => since(NOW_MS - ms))).toEqual([0, 1]);
  });
});

test('the file is of the format of before where there are no rules, and of another where there are', async () => {
  const formatOf = (list: HiddenList) => JSON.parse(encodeHidden(list).toString()).format;
  expect(formatOf({ ...NOTHING_HIDDEN, erasures: [erasure(5)] })).toBe(1);
  expect(formatOf({ ...NOTHING_HIDDEN, rules: [RULE] })).toBe(2);
  const fs = new MemoryFs();
  fs.put(`${FOLDER}/hidden`, withFormat(encodeHidden({ ...NOTHING_HIDDEN, rules: [RULE] }), 3));
  await expect(readHidden(fs, FOLDER)).rejects.toThrow(UnknownFormat);
});

function withFormat(bytes: Buffer, format: number): Buffer {
  const { crc: _crc, ...list } = JSON.parse(bytes.toString());
  const body = JSON.stringify({ ...list, format });
  return Buffer.from(`${body.slice(0, -1)},"crc":${crc32(body)}}`);
}

test('without the key that it was written with nothing is shown', () => {
  for (const given of [null, { ...key, keyId: 'other' }]) {
    expect(() => new Hidden({ generation: 1, erasures: [erasure(5)], rules: [RULE] }, given, clock).check()).toThrow(
      'Give the erasure key',
    );
    new Hidden({ generation: 1, erasures: [], rules: [RULE] }, given, clock).check();
  }
});

test('each byte of the file that is another is seen', async () => {
  const list = { generation: 3, erasures: [erasure(5), erasure(null)], rules: [RULE] };
  const bytes = encodeHidden(list);
  const read = async (content: Uint8Array) => {
    const fs = new MemoryFs();
    await fs.mkdir();
    const file = await fs.open(`${FOLDER}/hidden`, 'create');
    await file.write(content, 0, content.length, 0);
    return await readHidden(fs, FOLDER);
  };
  expect(await read(bytes)).toEqual(list);
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    await expect(read(changed), `byte ${at}`).rejects.toThrow(HiddenDamaged);
  }
});

test('an erasure that the disk refused hides nobody, and the next one is as if it had not been', async () => {
  const digests = [key.digest(ANN)];
  const erasure = { id: 'e', orgId: 'org', atMs: 1, digests };
  const { log, fs } = await openLog(new MemoryFs(), { erasureKey: key });
  await log.append({ ...ofAnn, requestId: 'ann' });
  const change = erasureChange(erasure, '000000000001-0000');
  const erase = () => log.erase(erasure, { ...recordOf(1), changes: [change] });
  const { release, reached } = fs.hold(({ what, path }) => what === 'write' && path.endsWith('/hidden.new'));
  const refused = erase().catch((error: unknown) => error);
  await reached;
  // While it is under way it may hold.
  expect(told(await readAll(log))).toBe('0:');
  release(failure('EIO', 'hidden'));
  expect(await refused).toMatchObject({ code: 'EIO' });
  expect([told(await readAll(log)), log.erasures]).toEqual(['0:ann', []]);
  expect(await erase()).toEqual({ partition: 0, offset: 1 });
  expect(told(await readAll(log))).toBe('0: 1:r1');
  expect(log.erasures.map(({ id, offset }) => [id, offset])).toEqual([['e', 1]]);
  await log.close();
});
