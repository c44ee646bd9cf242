import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { exportOf } from '../src/erasing/person-export.ts';
import { encodeIdentityCookie } from '../src/model/identity-cookie.ts';
import type { JsonObject } from '../src/model/json.ts';
import type { Stored } from '../src/model/record.ts';
import { erasePerson, type PersonDeps } from '../src/persons.ts';
import { adminTokens } from '../src/server.ts';
import { weir as command, type Ran } from './support/command.ts';
import { post, type RawAnswer, send } from './support/raw-http.ts';
import { filesWith } from './support/scan.ts';
import { startWeir, type Weir } from './support/weir.ts';

/** Erasure and export as users meet them: requests, commands, the admin API, and the bytes on the disk. */

const ORG = 'TEST@AdobeOrg';
const ANN = { ecid: '1'.repeat(37).padEnd(38, '7'), email: 'ann@example.com', crm: 'crm-ann-4711' };
const BOB = { ecid: '2'.repeat(37).padEnd(38, '9'), email: 'bob@example.com' };
/** A device that both use. */
const SHARED = '3'.repeat(37).padEnd(38, '1');
/** In it the ECID stands in base64. */
const ANNS_COOKIE = encodeIdentityCookie(
  { ecid: ANN.ecid, createdAtMs: 1, isNew: true, source: 'random', writtenAtMs: 1 },
  'or2',
  null,
);
const ANNS = [ANN.ecid, ANN.email, ANN.crm, ANNS_COOKIE];

const ids = (map: Readonly<Record<string, string>>): JsonObject =>
  Object.fromEntries(Object.entries(map).map(([namespace, id]) => [namespace, [{ id }]]));
const event = (map: Readonly<Record<string, string>>, mark: string): JsonObject => ({
  xdm: { identityMap: ids(map), _id: mark, mark },
});

let weir: Weir;
beforeEach(async () => {
  weir = await startWeir();
  onTestFinished(() => weir.stop());
});

const interact = (one: JsonObject): Promise<RawAnswer> =>
  post(weir.edge, '/ee/v2/interact?configId=shop', { event: one });
const collect = (events: readonly JsonObject[], meta: JsonObject = {}): Promise<RawAnswer> =>
  post(weir.edge, '/ee/v2/collect?configId=shop', { events, meta });
const chooses = (ecid: string, val: string): Promise<RawAnswer> =>
  post(weir.edge, '/ee/v1/privacy/set-consent?configId=shop', {
    identityMap: ids({ ECID: ecid }),
    consent: [{ standard: 'Adobe', version: '2.0', value: { collect: { val } } }],
  });

/** Ann and Bob visit: alone, in one batch, on a device that both use, with consent, cookies and customer numbers. */
async function visits(): Promise<void> {
  await interact(event({ ECID: ANN.ecid, Email: ANN.email }, 'ann 1'));
  await interact(event({ ECID: ANN.ecid, Email: ANN.email, CRMID: ANN.crm }, 'ann 2'));
  await interact(event({ ECID: BOB.ecid, Email: BOB.email }, 'bob 1'));
  await collect([
    event({ ECID: BOB.ecid }, 'bob in the batch'),
    event({ ECID: ANN.ecid }, 'ann in the batch'),
    event({ Email: ANN.email }, 'ann by address'),
  ]);
  await interact(event({ ECID: SHARED, Email: ANN.email }, 'ann on the shared device'));
  await interact(event({ ECID: SHARED, Email: BOB.email }, 'bob on the shared device'));
  await chooses(ANN.ecid, 'y');
  await chooses(BOB.ecid, 'y');
  const entries = [{ key: 'AMCV_TEST%40AdobeOrg', value: `MCMID|${ANN.ecid}` }];
  await collect([event({ ECID: BOB.ecid }, "bob with ann's cookie")], { state: { entries } });
  const identity = [{ key: 'kndctr_TEST_AdobeOrg_identity', value: ANNS_COOKIE }];
  const asBob = { event: event({ ECID: BOB.ecid }, "bob with ann's identity"), meta: { state: { entries: identity } } };
  await post(weir.edge, '/ee/v2/interact?configId=shop', asBob);
  // The copy is not stored, and stands in the body.
  await collect([event({ ECID: ANN.ecid }, 'ann in the batch'), event({ ECID: BOB.ecid }, 'bob beside a copy')]);
  const byAnn: [string, string][] = [['cookie', `kndctr_TEST_AdobeOrg_identity=${ANNS_COOKIE}`]];
  const ofBob = { events: [event({ ECID: BOB.ecid }, "bob in ann's browser")] };
  await post(weir.edge, '/ee/v2/collect?configId=shop', ofBob, byAnn);
}
const BOBS = [
  ...['bob 1', 'bob in the batch', 'bob on the shared device', "bob with ann's cookie"],
  ...["bob with ann's identity", 'bob beside a copy', "bob in ann's browser"],
];

const marks = async (): Promise<readonly unknown[]> => (await weir.events()).map(({ xdm }) => xdm['mark']);

function erase(...more: string[]): Promise<Ran> {
  return command('erase', '--org', ORG, '--namespace', 'Email', '--id', ANN.email, ...more);
}

async function token(orgId: string | null = ORG): Promise<string> {
  const scope = { orgId, role: 'admin', datastreams: null } as const;
  return (await (await adminTokens(weir.data)).create(scope, 3_600_000, {})).text;
}

async function byApi(method: string, path: string, text: string): Promise<RawAnswer> {
  const headers: [string, string][] = [['authorization', `Bearer ${text}`]];
  return send(weir.running.urls.admin, { method, path, headers });
}

describe('weir erase, of a stopped server', () => {
  test('leaves no byte of the person on the disk, and everybody else as they were', async () => {
    await visits();
    const before = (await weir.events()).filter(({ xdm }) => String(xdm['mark']).startsWith('bob'));
    await weir.halt();
    expect(filesWith(weir.data, ANNS)).not.toEqual([]);
    const { code, out, err } = await erase('--data', weir.data, '--now');
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ status: 'done', receipt: { org: ORG, ids: 3 } });
    expect(filesWith(weir.data, ANNS)).toEqual([]);
    const after = await weir.events();
    expect(after.map(({ xdm }) => xdm['mark'])).toEqual(BOBS);
    const shown = ({ id, xdm, index, dedupKey, payloadHash, consent }: (typeof after)[number]) => ({
      id,
      xdm,
      index,
      dedupKey,
      payloadHash,
      consent,
    });
    expect(after.map(shown)).toEqual(before.map(shown));
    expect(filesWith(weir.data, [BOB.email])).not.toEqual([]);
  });

  test('without --now hides the person at once, and the next pass removes them', async () => {
    await visits();
    await weir.halt();
    const { code, err } = await erase('--data', weir.data);
    expect([code, err]).toEqual([
      0,
      'The person is hidden. A running server removes them from the disk within a day.\n',
    ]);
    expect(await marks()).toEqual(BOBS);
    expect(filesWith(join(weir.data, 'log'), ANNS)).not.toEqual([]);
    // Somebody else, now: both go.
    const bob = await command(
      'erase',
      '--org',
      ORG,
      '--namespace',
      'ECID',
      '--id',
      BOB.ecid,
      '--data',
      weir.data,
      '--now',
    );
    expect(bob.code).toBe(0);
    expect(filesWith(weir.data, ANNS)).toEqual([]);
    expect(await marks()).toEqual(['bob on the shared device']);
  });

  test('the person comes back as somebody new', async () => {
    await visits();
    await chooses(ANN.ecid, 'n');
    await weir.halt();
    await erase('--data', weir.data, '--now');
    await weir.restart();
    // The opt-out went with the rest: nobody knows her.
    const answer = await interact(event({ ECID: ANN.ecid, Email: ANN.email }, 'ann again'));
    expect(answer.text).not.toContain('EXEG-0301-200');
    expect(await marks()).toEqual([...BOBS, 'ann again']);
  });
});

describe('with the server running', () => {
  test('the command says how, and does it by the admin listener', async () => {
    await visits();
    const refused = await erase('--data', weir.data, '--now');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('/identities/<namespace>/<id>/erasure?now=true');
    const at = ['--admin-url', weir.running.urls.admin, '--token', await token()];
    const { code, out, err } = await erase(...at, '--now');
    expect([code, err]).toEqual([0, '']);
    expect(filesWith(weir.data, ANNS)).toEqual([]);
    expect(await marks()).toEqual(BOBS);
    await interact(event({ ECID: BOB.ecid }, 'bob 2'));
    await interact(event({ ECID: ANN.ecid }, 'ann again'));
    await weir.halt();
    await weir.restart();
    expect(await marks()).toEqual([...BOBS, 'bob 2', 'ann again']);
    const { receipt } = JSON.parse(out);
    expect((await byApi('GET', `/api/v1/erasures/${receipt.erasure}`, await token())).json).toEqual({
      status: 'done',
      receipt,
    });
  });

  test('an id whose only links were to a device that is erased was never seen with another', async () => {
    const admin = await token();
    const at = (namespace: string, id: string): string => `/api/v1/datastreams/shop/identities/${namespace}/${id}`;
    const known = async (): Promise<number> => (await byApi('GET', at('CRMID', ANN.crm), admin)).status;
    await interact(event({ ECID: ANN.ecid, CRMID: ANN.crm }, 'ann'));
    expect(await known()).toBe(200);
    await byApi('POST', `${at('ECID', ANN.ecid)}/erasure?now=true`, admin);
    expect(await known()).toBe(404);
    await interact(event({ ECID: SHARED, CRMID: ANN.crm }, 'ann, elsewhere'));
    expect(await known()).toBe(200);
  });

  test('nobody is shown the person from the answer on: events, links and consent', async () => {
    await visits();
    const admin = await token();
    const path = `/api/v1/datastreams/shop/identities/Email/${ANN.email}`;
    expect((await byApi('GET', path, admin)).status).toBe(200);
    const answer = await byApi('POST', `${path}/erasure`, admin);
    expect([answer.status, (answer.json as JsonObject)['status']]).toEqual([202, 'hidden']);
    expect(await marks()).toEqual(BOBS);
    expect((await byApi('GET', path, admin)).status).toBe(404);
    const shared = await byApi('GET', `/api/v1/datastreams/shop/identities/ECID/${SHARED}`, admin);
    expect(shared.text).not.toContain(ANN.email);
    expect(shared.text).toContain(BOB.email);
    const { erasure } = answer.json as { erasure: string };
    expect((await byApi('GET', `/api/v1/erasures/${erasure}`, admin)).json).toMatchObject({ status: 'hidden' });
    expect((await byApi('GET', `/api/v1/erasures/${erasure}`, await token('OTHER@AdobeOrg'))).status).toBe(404);
    const audit = await byApi('GET', '/api/v1/audit', await token(null));
    expect(audit.text).toContain('"person.erased"');
    expect(audit.text).not.toContain(ANN.email);
    await weir.halt();
    await weir.restart();
    expect(await marks()).toEqual(BOBS);
    expect((await byApi('GET', path, admin)).status).toBe(404);
  });
});

test('what is sent once more after an erasure is an event of a stranger, not a copy of one that is gone', async () => {
  const hers = { ...event({ Email: ANN.email }, 'ann'), query: { identity: { fetch: ['ECID'] } } };
  const request = (): Promise<RawAnswer> => interact(hers);
  const ecidIn = ({ text }: RawAnswer): string => /"id":"(\d{38})"/.exec(text)![1]!;
  const first = ecidIn(await request());
  // Whoever has no cookie yet is known by what was sent: that is a retry.
  expect(ecidIn(await request())).toBe(first);
  expect(await marks()).toEqual(['ann']);
  const path = `/api/v1/datastreams/shop/identities/Email/${ANN.email}/erasure?now=true`;
  expect((await byApi('POST', path, await token())).status).toBe(200);
  expect(await marks()).toEqual([]);
  const again = ecidIn(await request());
  expect(again).not.toBe(first);
  expect(await marks()).toEqual(['ann']);
  expect(filesWith(weir.data, [first])).toEqual([]);
  expect(ecidIn(await request())).toBe(again);
  expect(await marks()).toEqual(['ann']);
});

test.each(['erase', 'export'])('%s of a mistyped folder or namespace is refused, and makes nothing', async (name) => {
  await weir.halt();
  const absent = join(weir.data, '..', 'absent');
  const of = ['--org', ORG, '--id', ANN.email];
  expect(await command(name, ...of, '--namespace', 'Email', '--data', absent)).toEqual({
    code: 1,
    out: '',
    err: `weir ${name}: There is no event log in '${absent}'. Is this the data folder of a server that has run?\n`,
  });
  expect(existsSync(absent)).toBe(false);
  const before = (await weir.records()).length;
  const { code, err } = await command(name, ...of, '--namespace', 'Emial', '--data', weir.data);
  expect([code, err]).toEqual([
    1,
    `weir ${name}: There is no namespace 'Emial'. Did you mean 'Email'? Where it is one of the org, give --workspace.\n`,
  ]);
  const ofOrg = ['--org', `${ORG}x`, '--id', ANN.email, '--namespace', 'Email', '--workspace', weir.workspace];
  expect((await command(name, ...ofOrg, '--data', weir.data)).err).toBe(
    `weir ${name}: The org '${ORG}x' has no datastream in ${weir.workspace}. Did you mean '${ORG}'?\n`,
  );
  expect((await weir.records()).length).toBe(before);
});

test('a receipt is genuine, or it is said why not', async () => {
  await visits();
  await weir.halt();
  const { receipt } = JSON.parse((await erase('--data', weir.data, '--now')).out);
  const file = join(weir.data, '..', 'receipt.json');
  const verify = async (what: object, ...more: string[]): Promise<string> => {
    writeFileSync(file, JSON.stringify(what));
    const { out, err } = await command('erase', '--verify', file, ...more);
    return out + err;
  };
  const good = 'The receipt is genuine.\n';
  expect(await verify(receipt, '--data', weir.data)).toBe(good);
  expect(await verify({ status: 'done', receipt }, '--public-key', receipt.publicKey)).toBe(good);
  const ofAnn = ['--data', weir.data, '--org', ORG, '--namespace', 'Email'];
  expect(await verify(receipt, ...ofAnn, '--id', ANN.email)).toBe(good);
  expect(await verify(receipt, ...ofAnn, '--id', BOB.email)).toContain('it is of another person');
  for (const changed of [{ ids: 4 }, { completedAt: '2020-01-01T00:00:00.000Z' }, { subject: '0'.repeat(32) }]) {
    expect(await verify({ ...receipt, ...changed }, '--data', weir.data)).toContain('its signature does not fit');
  }
  expect(await verify({ ...receipt, publicKey: 'A'.repeat(43) }, '--data', weir.data)).toContain('another key');
  expect(await verify({ ...receipt, publicKey: 'A'.repeat(43) }, '--public-key', 'A'.repeat(43))).toContain(
    'does not fit',
  );
});

describe('weir export', () => {
  test('has what is the person’s, and nothing of others', async () => {
    await visits();
    const at = ['--org', ORG, '--namespace', 'Email', '--id', ANN.email];
    const { out } = await command('export', ...at, '--admin-url', weir.running.urls.admin, '--token', await token());
    const exported = JSON.parse(out);
    expect(exported.ids).toEqual([
      { namespace: 'Email', id: ANN.email },
      { namespace: 'CRMID', id: ANN.crm },
      { namespace: 'ECID', id: ANN.ecid },
    ]);
    const events = exported.log.filter(({ kind }: JsonObject) => kind === 'event');
    expect(events.map(({ xdm }: { xdm: JsonObject }) => xdm['mark'])).toEqual([
      'ann 1',
      'ann 2',
      'ann in the batch',
      'ann by address',
      'ann on the shared device',
    ]);
    expect(exported.log.filter(({ kind }: JsonObject) => kind === 'consent')).toHaveLength(1);
    expect(out).not.toContain(BOB.email);
    await weir.halt();
    expect(JSON.parse((await command('export', ...at, '--data', weir.data)).out)).toEqual(exported);
    await erase('--data', weir.data);
    const rest = JSON.parse((await command('export', ...at, '--data', weir.data)).out);
    expect([rest.state, rest.log]).toEqual([[], []]);
  });
});

describe('a pass that takes longer than one waits', () => {
  const erased = (pass: Promise<readonly never[]>, report = (_error: Error): void => {}) => {
    const progress = { isDone: false, erasure: 'e', org: ORG, position: '0:1', isUnderWay: true };
    const erasures = {
      ...{ prepare: () => ({ id: 'e', orgId: ORG, atMs: 1, digests: ['d'] }), erase: async () => ({}) },
      ...{ carryOut: () => pass, find: async () => progress },
    };
    const storage = { erasures, state: { get: () => null }, duplicates: { forgetVisitors() {} } };
    const deps = { storage, audit: { append: async () => {} }, exclusively: (run: () => unknown) => run() };
    const asked = { orgId: ORG, given: { namespace: 'Email', id: ANN.email }, namespaces: new Map(), who: {} };
    return erasePerson(deps as unknown as PersonDeps, asked, true, { waitMs: 20, report });
  };

  test('goes on, and it is said that it does', async () => {
    expect(await erased(new Promise(() => {}))).toMatchObject({ status: 'hidden', isUnderWay: true });
  });

  test('is reported where it fails then; one that fails before is refused', async () => {
    let fail = (_error: Error): void => {};
    const pass = new Promise<readonly never[]>((_, reject) => {
      fail = reject;
    });
    const reported = new Promise<Error>((resolve) => void erased(pass, resolve).then(() => fail(new Error('EIO'))));
    expect((await reported).message).toBe('EIO');
    await expect(erased(Promise.reject(new Error('at once')))).rejects.toThrow('at once');
  });
});

test('an export says something while it reads what is of others: a silent connection would be cut', async () => {
  const others = 9_000;
  async function* log(): AsyncGenerator<Stored> {
    const rest = { datastreamId: '', path: '', ecid: null, meta: {}, events: [], raw: null, changes: [] };
    for (let offset = 0; offset < others; offset++)
      yield {
        position: { partition: 0, offset },
        record: { requestId: '', atMs: 1, orgId: 'OTHER@AdobeOrg', ...rest },
      };
  }
  const pieces: string[] = [];
  const of = { orgId: ORG, ids: [{ namespace: 'Email', id: ANN.email }], state: () => null };
  for await (const piece of exportOf({ ...of, log: log() })) pieces.push(piece);
  expect(pieces.filter((piece) => piece === ' ')).toHaveLength(2);
  expect(JSON.parse(pieces.join('')).log).toEqual([]);
});

describe('with the erasure key in a file that weir.yaml names', () => {
  let keyed: Weir;
  let keyFile: string;
  beforeEach(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-key-'));
    keyFile = join(folder, 'erasure.hex');
    writeFileSync(keyFile, 'ab'.repeat(32));
    // One of its own is in the data folder from before: it is not the one by which persons are told.
    keyed = await startWeir();
    await keyed.halt();
    writeFileSync(join(keyed.workspace, 'weir.yaml'), `identity: {erasureKeyFile: ${keyFile}}\n`);
    await keyed.restart();
    onTestFinished(async () => {
      await keyed.stop();
      rmSync(folder, { recursive: true });
    });
    for (const [who, mark] of [
      [ANN, 'ann'],
      [BOB, 'bob'],
    ] as const) {
      const one = event({ ECID: who.ecid, Email: who.email }, mark);
      await post(keyed.edge, '/ee/v2/interact?configId=shop', { event: one });
    }
    await keyed.halt();
    expect((await erase('--data', keyed.data, '--workspace', keyed.workspace)).code).toBe(0);
  });

  test.each([
    ['events', []],
    ['consent', ['--ecid', ANN.ecid]],
    ['replay', []],
    ['explain', ['--ecid', BOB.ecid]],
  ])('weir %s reads the log, and shows nothing of who is erased', async (name, more) => {
    const { out, err } = await command(name, ...more, '--data', keyed.data);
    expect(out + err).not.toContain('erasure key');
    expect(ANNS.filter((id) => out.includes(id) && !more.includes(id))).toEqual([]);
    if (name === 'events')
      expect(
        out
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line).xdm.mark),
      ).toEqual(['bob']);
  });

  test('once the file is gone, nothing is shown, and it is said why', async () => {
    rmSync(keyFile);
    const { code, out, err } = await command('events', '--data', keyed.data);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('identity.erasureKeyFile');
  });

  test('a folder whose key is its own again does not look for the file', async () => {
    const at = ['--data', keyed.data, '--workspace', keyed.workspace, '--now'];
    expect((await erase(...at)).code).toBe(0);
    writeFileSync(join(keyed.workspace, 'weir.yaml'), '{}\n');
    expect((await erase('--data', keyed.data)).code).toBe(0);
    expect((await keyed.events()).map(({ xdm }) => xdm['mark'])).toEqual(['bob']);
  });
});
