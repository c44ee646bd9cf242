import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../src/components.ts';
import { decodeIdentityCookie } from '../../src/model/identity-cookie.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { Endpoint } from '../../src/model/parts.ts';
import { CLIENT, credentials, ISSUER, RSA, tokenFor } from '../support/issuers.ts';
import { jwksOf } from '../support/key-pairs.ts';
import { type RawAnswer, send } from '../support/raw-http.ts';
import { startWeir, type Weir } from '../support/weir.ts';

/**
 * Two orgs on one server, at every endpoint: made from the table of endpoints, so that a new one is tested when it is
 * added, and does not pass until it stands in `CLASSES`. Admin routes: test/admin/routes.test.ts. Every way in which a
 * token can be wrong: test/gateway/access-matrix.test.ts.
 */

interface Class {
  /** What a request leaves behind. */
  readonly leaves: 'events' | 'consent' | 'nothing';
  /** A good request. `mark`: stands in it, and in no other. Where the map is empty, cookies say whom it is of. */
  body(path: string, identityMap: JsonObject, mark: string): JsonObject;
}
const choiceOf = (value: JsonObject): JsonObject[] => [{ standard: 'Adobe', version: '2.0', value }];
const eventOf = (identityMap: JsonObject, mark: string): JsonObject => ({
  xdm: { _id: mark, eventType: mark, identityMap },
});
const CLASSES: Readonly<Record<string, Class>> = {
  interact: {
    leaves: 'events',
    body(path, map, mark): JsonObject {
      const event = eventOf(map, mark);
      return path === '/v2/interact' ? { event } : { events: [event] };
    },
  },
  collect: { leaves: 'events', body: (_path, map, mark) => ({ events: [eventOf(map, mark)] }) },
  'set-consent': {
    leaves: 'consent',
    body: (_path, identityMap, mark) => ({
      identityMap,
      consent: choiceOf({ collect: { val: 'y' }, metadata: { time: '2026-11-23T09:30:00Z', note: mark } }),
    }),
  },
  acquire: { leaves: 'nothing', body: (_path, identityMap, mark) => ({ xdm: { identityMap }, meta: { note: mark } }) },
};

interface Org {
  readonly id: string;
  readonly datastream: string;
}
const MINE: Org = { id: 'MINE@AdobeOrg', datastream: 'my-shop' };
const THEIRS: Org = { id: 'THEIRS@AdobeOrg', datastream: 'foreign' };
/** As long as the other one's, so that answers can be equal in length. */
const UNKNOWN: Org = { id: MINE.id, datastream: 'unknown' };
const datastream = ({ id, datastream: name }: Org, more = ''): string =>
  `id: ${name}\norg: ${id}\nname: Shop\nidentity: { fpidCookie: FPID }\n${more}`;
const FILES = {
  'weir.yaml': `auth: { issuers: [{ issuer: "${ISSUER}", jwks: keys.json, audience: [weir] }] }\nidentity: { requireSigned: true }\n`,
  'keys.json': jwksOf(RSA),
  'datastreams/shop.yaml': datastream(MINE),
  'datastreams/foreign.yaml': datastream(THEIRS),
  'datastreams/closed.yaml': datastream({ ...THEIRS, datastream: 'closed-' }, 'access: authenticated\n'),
};

let weir: Weir;
beforeAll(async () => {
  weir = await startWeir(FILES);
});
afterAll(() => weir.stop());

interface Row {
  readonly listener: 'edge' | 'server';
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly class: Class;
}
/** Of every endpoint that has a class; one that has none is named by the test below. */
const ROWS = ENDPOINTS.filter(([{ name }]) => Object.hasOwn(CLASSES, name)).flatMap(([endpoint]) =>
  endpoint.paths.flatMap((path) =>
    (['edge', 'server'] as const).map((listener) => {
      const row: Row = { listener, endpoint, path: path.replace('/*', '/1'), class: CLASSES[endpoint.name]! };
      return [`${row.path} on the ${listener} listener`, row] as const;
    }),
  ),
);

type Headers = readonly (readonly [string, string])[];
const asClientOf = ({ id }: Org): Headers => credentials(tokenFor(id), CLIENT, id);

/** To the datastream of an org; on the server listener as a client of `by`. */
function ask(row: Row, to: Org, body: unknown, headers: Headers = [], by = to, method = 'POST'): Promise<RawAnswer> {
  const path = `/ee${row.path}?configId=${to.datastream}&datastreamId=${to.datastream}`;
  const proven = row.listener === 'server' ? asClientOf(by) : [];
  return send(weir[row.listener], { method, path, headers: [...proven, ...headers], body: JSON.stringify(body) });
}
const row = (name: string): Row => ROWS.find(([title]) => title === `${name} on the edge listener`)![1];

let visitors = 0;
const newEcid = (): string => String(++visitors).padStart(38, '4');
const mapOf = (ecid: string): JsonObject => ({ ECID: [{ id: ecid, primary: true }] });
let marks = 0;
const newMark = (): string => `mark-${++marks}.`;

const shownOf = ({ headers, text }: RawAnswer): string => JSON.stringify(headers) + text;
const marked = async (mark: string) => (await weir.events()).filter(({ xdm }) => xdm['eventType'] === mark);
const identityCookieOf = (answer: RawAnswer): string | undefined =>
  /_identity","value":"([^"]*)"/.exec(answer.text)?.[1];

/** Whom a request was taken to be of: as its answer says, else as the event that it left. */
async function ecidOf(answer: RawAnswer, org: Org, mark: string): Promise<string | null> {
  const cookie = identityCookieOf(answer);
  if (cookie !== undefined) return decodeIdentityCookie(cookie)!.ecid;
  return (await marked(mark)).find(({ record }) => record.orgId === org.id)?.record.ecid ?? null;
}

test('every endpoint has a class', () => {
  expect(Object.keys(CLASSES).sort()).toEqual(ENDPOINTS.map(([{ name }]) => name).sort());
  for (const [{ name, takesEvents }] of ENDPOINTS) expect(CLASSES[name]!.leaves === 'events').toBe(takesEvents);
});

describe('a datastream of another org is answered as one that does not exist', () => {
  /** Without the time and the id that is another for every request. */
  const bytesOf = (answer: RawAnswer, { datastream: asked }: Org) => ({
    status: answer.status,
    headers: answer.headers.filter(([name]) => name !== 'date' && name !== 'x-request-id'),
    text: answer.text.replaceAll(answer.header('x-request-id') ?? ' ', '').replaceAll(asked, ''),
  });
  const closed: Org = { ...THEIRS, datastream: 'closed-' };

  test.each(ROWS)('%s', async (_name, one) => {
    const before = (await weir.records()).length;
    const good = one.class.body(one.path, mapOf(newEcid()), newMark());
    const foreign = one.listener === 'server' ? [THEIRS, closed] : [closed];
    const headers: Headers = [...(one.listener === 'edge' ? asClientOf(MINE) : []), ['Origin', 'https://page.test']];
    for (const body of [good, { event: 1 }]) {
      const unknown = bytesOf(await ask(one, UNKNOWN, body, headers, MINE), UNKNOWN);
      expect([unknown.status, unknown.text]).toEqual([400, expect.stringContaining('EXEG-0003-400')]);
      for (const org of foreign) expect(bytesOf(await ask(one, org, body, headers, MINE), org)).toEqual(unknown);
    }
    if (one.listener === 'server') {
      for (const method of ['OPTIONS', 'GET']) {
        const unknown = bytesOf(await ask(one, UNKNOWN, '', headers, MINE, method), UNKNOWN);
        expect(bytesOf(await ask(one, THEIRS, '', headers, MINE, method), THEIRS)).toEqual(unknown);
      }
    }
    expect(await weir.records()).toHaveLength(before);
  });
});

describe('the same bytes to both, under the same request id: each org has its own', () => {
  test.each(ROWS)('%s', async (_name, one) => {
    const mark = newMark();
    const body = one.class.body(one.path, mapOf(newEcid()), mark);
    const before = (await weir.records()).length;
    for (const [org, other] of [
      [MINE, THEIRS],
      [THEIRS, MINE],
    ] as const) {
      const answer = await ask(one, org, body, [['X-Request-Id', `request-${mark}`]]);
      expect([200, 202, 204], answer.text).toContain(answer.status);
      const names = shownOf(answer).match(/kndctr_[A-Z]+_/g) ?? [];
      expect(names.filter((name) => name !== `kndctr_${org.id.split('@')[0]}_`)).toEqual([]);
      expect(shownOf(answer)).not.toContain(other.datastream);
    }
    const left = (await weir.records()).slice(before).map(({ record }) => [record.orgId, record.datastreamId]);
    const both = [MINE, THEIRS].map(({ id, datastream: name }) => [id, name]);
    expect(left).toEqual(one.class.leaves === 'nothing' ? [] : both);
    if (one.class.leaves === 'events') expect(await marked(mark)).toHaveLength(2);
  });
});

describe('who opted out of one org did not opt out of the other', () => {
  test.each(ROWS)('%s', async (_name, one) => {
    const [ecid, note, mark] = [newEcid(), newMark(), newMark()];
    const out = choiceOf({ collect: { val: 'n' }, metadata: { time: '2026-11-23T09:30:00Z', note } });
    const choice = await ask(row('/v1/privacy/set-consent'), MINE, { identityMap: mapOf(ecid), consent: out });
    expect(choice.text).toContain(note);

    const body = { ...one.class.body(one.path, mapOf(ecid), mark), query: { consent: { operation: 'update' } } };
    const theirs = await ask(one, THEIRS, body);
    for (const mine of [note, '0301', 'general=out']) expect(shownOf(theirs)).not.toContain(mine);
    if (one.class.leaves === 'events') {
      await ask(one, MINE, body);
      expect((await marked(mark)).map(({ record }) => record.orgId)).toEqual([THEIRS.id]);
    }
  });
});

describe('an org’s cookies name nobody to the other', () => {
  // On the server listener events say themselves whom they are of.
  const rows = ROWS.filter(([, one]) => one.listener === 'edge' || one.class.leaves !== 'events');

  test.each(rows)('%s', async (_name, one) => {
    const ecid = newEcid();
    const acquired = await ask(row('/v1/identity/acquire'), MINE, { xdm: { identityMap: mapOf(ecid) } });
    const value = identityCookieOf(acquired)!;
    const [mine, theirs] = ['kndctr_MINE_AdobeOrg_identity', 'kndctr_THEIRS_AdobeOrg_identity'];
    const found = async (org: Org, name: string, how: 'header' | 'entry') => {
      const mark = newMark();
      const body = one.class.body(one.path, {}, mark);
      const entries = how === 'entry' ? { state: { entries: [{ key: name, value }] } } : {};
      const meta = { ...(body['meta'] as JsonObject | undefined), ...entries };
      const answer = await ask(one, org, { ...body, meta }, how === 'header' ? [['Cookie', `${name}=${value}`]] : []);
      if (org === THEIRS) expect(shownOf(answer)).not.toContain(value);
      // A cookie that is good is not written again: the answer has none, and the event has the ECID.
      return identityCookieOf(answer) === undefined && one.class.leaves !== 'events' ? ecid : ecidOf(answer, org, mark);
    };
    for (const how of ['header', 'entry'] as const) {
      expect(await found(MINE, mine, how)).toBe(ecid);
      expect(await found(THEIRS, mine, how)).not.toBe(ecid);
      // Under the other's name it is one that the server did not sign for them.
      expect(await found(THEIRS, theirs, how)).not.toBe(ecid);
    }
  });

  test.each(rows)('nor do FPIDs: %s', async (_name, one) => {
    const ecids = await Promise.all(
      [MINE, THEIRS, MINE].map(async (org) => {
        const mark = newMark();
        const cookie = [['Cookie', 'FPID=5e8b1f0c-3a77-4d21-9c64-0b7de1f2a913']] as const;
        return ecidOf(await ask(one, org, one.class.body(one.path, {}, mark), cookie), org, mark);
      }),
    );
    expect(ecids[0]).toMatch(/^\d{38}$/);
    expect(ecids[2]).toBe(ecids[0]);
    expect(ecids[1]).not.toBe(ecids[0]);
  });
});

test('all that is in the log, and goes into state from there, is its own org’s', async () => {
  const orgs = new Map([MINE, THEIRS].map(({ id, datastream: name }) => [name, id]));
  for (const { record } of await weir.records()) {
    expect(record.orgId).toBe(orgs.get(record.datastreamId));
    for (const { key } of record.changes) expect(key.split('|')[0]).toBe(record.orgId);
  }
});
