import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { post, send } from '../support/raw-http.ts';
import { decodeAnswer } from '../support/strict-decoder.ts';
import { startWeir, type Weir } from '../support/weir.ts';

/** With signatures required, through the whole server: what each bit of a cookie does, stages/cookie-seal.test.ts says. */

const NAME = 'kndctr_TEST_AdobeOrg_identity';
const [OLD, NEW] = ['0a'.repeat(32), '0b'.repeat(32)];
const OPTIONS = 'identity: { requireSigned: true, cookieKeysFile: cookie.keys }\n';

async function started(files: Record<string, string>): Promise<Weir> {
  const weir = await startWeir({
    'datastreams/other.yaml': 'id: other\norg: OTHER@AdobeOrg\nname: Other\n',
    ...files,
  });
  onTestFinished(() => weir.stop());
  return weir;
}

/** Who the visitor of a cookie is said to be, and the cookie that was set, if any. */
async function visit(weir: Weir, cookie: string | null, datastream = 'shop', name = NAME) {
  const entries = cookie === null ? [] : [{ key: name, value: cookie }];
  const meta = { state: { domain: '', cookiesEnabled: true, entries } };
  const body = { meta, query: { identity: { fetch: ['ECID'] } } };
  const answer = await post(weir.edge, `/ee/v1/identity/acquire?configId=${datastream}`, body);
  const { handle } = decodeAnswer(answer.json);
  const payload = (type: string) =>
    (handle.find((one) => one.type === type)?.payload ?? []) as Record<string, unknown>[];
  const set = payload('state:store').find(({ key }) => String(key).endsWith('_identity'));
  return {
    ecid: String(payload('identity:result')[0]!['id']),
    cookie: set === undefined ? null : String(set['value']),
  };
}

test('a visitor comes back by a signed cookie, over restarts and one change of keys, and by no other', async () => {
  const weir = await started({ 'weir.yaml': OPTIONS, 'cookie.keys': `${OLD}\n` });
  const first = await visit(weir, null);
  const cookie = first.cookie!;
  expect(await visit(weir, cookie)).toEqual({ ecid: first.ecid, cookie: null });

  const forged = `${cookie.slice(0, -5)}${cookie.at(-5) === 'A' ? 'B' : 'A'}${cookie.slice(-4)}`;
  const withoutSignature = Buffer.from(cookie, 'base64url').subarray(0, -20).toString('base64url');
  for (const bad of [forged, withoutSignature]) expect((await visit(weir, bad)).ecid).not.toBe(first.ecid);
  const other = NAME.replace('TEST', 'OTHER');
  expect((await visit(weir, cookie, 'other', other)).ecid).not.toBe(first.ecid);
  const { json } = await send(weir.running.urls.admin, { method: 'GET', path: '/health' });
  expect(json).toMatchObject({ identitiesSinceStart: { cookies: { unverified: 3 } } });

  const keys = async (text: string): Promise<void> => {
    await weir.halt();
    writeFileSync(join(weir.workspace, 'cookie.keys'), text);
    await weir.restart();
  };
  await keys(`${NEW}\n${OLD}\n`);
  expect((await visit(weir, cookie)).ecid).toBe(first.ecid);
  const later = await visit(weir, null);
  await keys(`${NEW}\n`);
  expect((await visit(weir, later.cookie)).ecid).toBe(later.ecid);
  expect((await visit(weir, cookie)).ecid).not.toBe(first.ecid);
});

test('without any word in weir.yaml the key is made once, and unsigned cookies are taken', async () => {
  const weir = await started({});
  const { ecid, cookie } = await visit(weir, null);
  const withoutSignature = Buffer.from(cookie!, 'base64url').subarray(0, -20).toString('base64url');
  expect(await visit(weir, withoutSignature)).toEqual({ ecid, cookie: null });
  await weir.halt();
  writeFileSync(join(weir.workspace, 'weir.yaml'), 'identity: { requireSigned: true }\n');
  await weir.restart();
  expect((await visit(weir, cookie)).ecid).toBe(ecid);
  expect((await visit(weir, withoutSignature)).ecid).not.toBe(ecid);
});

test('keys that cannot be told apart, and a file with none, keep the server from starting', async () => {
  await expect(started({ 'weir.yaml': OPTIONS, 'cookie.keys': `${OLD}\n${OLD}\n` })).rejects.toThrow(/tell them apart/);
  await expect(started({ 'weir.yaml': OPTIONS, 'cookie.keys': '' })).rejects.toThrow(/1 to 2 keys/);
});
