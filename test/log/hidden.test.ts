import { describe, expect, test } from 'vitest';
import { encodeHidden, Hidden, HiddenDamaged, type PendingErasure, readHidden } from '../../src/log/hidden.ts';
import { erasureChange } from '../../src/model/erasure.ts';
import { personKey } from '../../src/model/person.ts';
import { failure, MemoryFs } from './memory-fs.ts';
import { FOLDER, openLog, readAll, recordOf, told } from './open-log.ts';

const key = { keyId: 'mine', digest: (text: string) => `digest of ${text}` };
const ANN = personKey('org', 'ECID', 'ann');
const erasure = (offset: number | null, keyId = 'mine'): PendingErasure => ({
  ...{ id: 'e', orgId: 'org', atMs: 1, digests: [key.digest(ANN)], keyId, since: 0, offset },
});
const ofAnn = { ...recordOf(0), orgId: 'org', ecid: 'ann', events: [] };
const isHidden = (hidden: Hidden, offset: number): boolean => hidden.shown(offset, ofAnn) !== ofAnn;

describe('an erasure hides', () => {
  test('what stands before it, and nothing from its place on', () => {
    const hidden = new Hidden({ generation: 1, erasures: [erasure(5)] }, key);
    expect([0, 4, 5, 6].map((offset) => isHidden(hidden, offset))).toEqual([true, true, false, false]);
  });

  test('everything until its place is known, which a pass must not remove', () => {
    const hidden = new Hidden({ generation: 1, erasures: [erasure(null)] }, key);
    expect([isHidden(hidden, 9), isHidden(hidden.placed(), 9), hidden.placed().isEmpty]).toEqual([true, false, true]);
  });

  test('nobody else', () => {
    const hidden = new Hidden({ generation: 1, erasures: [erasure(5)] }, key);
    const ofBob = { ...ofAnn, ecid: 'bob' };
    expect(hidden.shown(0, ofBob)).toBe(ofBob);
    const ofOtherOrg = { ...ofAnn, orgId: 'other' };
    expect(hidden.shown(0, ofOtherOrg)).toBe(ofOtherOrg);
  });
});

test('without the key that it was written with nothing is shown', () => {
  for (const given of [null, { ...key, keyId: 'other' }]) {
    expect(() => new Hidden({ generation: 1, erasures: [erasure(5)] }, given).check()).toThrow('Give the erasure key');
    new Hidden({ generation: 1, erasures: [] }, given).check();
  }
});

test('each byte of the file that is another is seen', async () => {
  const list = { generation: 3, erasures: [erasure(5), erasure(null)] };
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
