import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.ts';
import { adminTokens } from '../../src/server.ts';
import { post, type RawAnswer, send } from '../support/raw-http.ts';
import { startWeir, type Weir } from '../support/weir.ts';

let weir: Weir;
let token: string;
beforeAll(async () => {
  weir = await startWeir({ 'datastreams/other.yaml': 'id: other\norg: OTHER@AdobeOrg\nname: Other\n' });
  token = (await (await adminTokens(weir.data)).create({ orgId: null, role: 'read', datastreams: null }, 3_600_000, {}))
    .text;
});
afterAll(() => weir.stop());

const DEVICE = '7'.repeat(38);
const event = (identityMap: JsonObject, datastream = 'shop'): Promise<RawAnswer> =>
  post(weir.edge, `/ee/v1/interact?configId=${datastream}`, { events: [{ xdm: { identityMap } }] });
const read = async (namespace: string, id: string, datastream = 'shop'): Promise<RawAnswer> =>
  send(weir.running.urls.admin, {
    method: 'GET',
    path: `/api/v1/datastreams/${datastream}/identities/${namespace}/${encodeURIComponent(id)}`,
    headers: [['authorization', `Bearer ${token}`]],
  });

test('what was seen together is linked, durably, in its own org, and can be read', async () => {
  const mail = 'ada/löwe+1@example.com';
  await event({ ECID: [{ id: DEVICE }], CRMID: [{ id: 'bob', authenticatedState: 'authenticated' }] });
  await event({ ECID: [{ id: DEVICE }], Email: [{ id: mail, authenticatedState: 'authenticated' }] });
  await event({ ECID: [{ id: DEVICE }], CRMID: [{ id: 'eve' }] }, 'other');

  const device = await read('ECID', DEVICE);
  expect(device.status).toBe(200);
  expect(device.json).toEqual({
    org: 'TEST@AdobeOrg',
    namespace: 'ECID',
    id: DEVICE,
    quarantinedAt: null,
    person: { namespace: 'Email', id: mail },
    links: [
      expect.objectContaining({
        namespace: 'Email',
        id: mail,
        kind: 'person',
        authenticatedState: 'authenticated',
        isQuarantined: false,
      }),
      expect.objectContaining({ namespace: 'CRMID', id: 'bob' }),
    ],
  });
  expect((await read('Email', mail)).json).toMatchObject({
    person: null,
    links: [{ namespace: 'ECID', id: DEVICE, kind: 'device' }],
  });
  expect((await read('ECID', DEVICE, 'other')).json).toMatchObject({ org: 'OTHER@AdobeOrg', links: [{ id: 'eve' }] });
  for (const [namespace, id] of [
    ['CRMID', 'eve'],
    ['CRMID', 'nobody'],
    ['Foo', 'bob'],
  ] as const) {
    expect((await read(namespace, id)).status).toBe(404);
  }

  const before = device.json;
  await weir.halt();
  for (const folder of ['state', 'snapshots']) rmSync(join(weir.data, folder), { recursive: true, force: true });
  await weir.restart();
  expect((await read('ECID', DEVICE)).json).toEqual(before);
});

test('somebody who is not in leaves no link', async () => {
  const ecid = '6'.repeat(38);
  const out = { standard: 'Adobe', version: '2.0', value: { collect: { val: 'n' } } };
  await post(weir.edge, '/ee/v1/privacy/set-consent?configId=shop', {
    identityMap: { ECID: [{ id: ecid }] },
    consent: [out],
  });
  await event({ ECID: [{ id: ecid }], CRMID: [{ id: 'ann' }] });
  expect([(await read('ECID', ecid)).status, (await read('CRMID', 'ann')).status]).toEqual([404, 404]);
});
