import type { JsonObject } from '../../src/model/json.ts';
import type { Sent } from '../support/raw-http.ts';
import type { Canaries } from './canaries.ts';

/** Requests with a canary in every field that can hold something of a person, good ones and wrong ones. */

export interface Planted extends Sent {
  readonly name: string;
  readonly to: 'edge' | 'server' | 'admin';
  readonly status: number;
  /** Canaries of its own that its answer repeats: a mistake is quoted to the one who made it, an id to the one who asked. */
  readonly repeated?: readonly string[];
}

const ORG = 'CANARY_AdobeOrg';
const INTERACT = '/ee/v2/interact?datastreamId=shop';
const json = (body: unknown): string => JSON.stringify(body);

/** Headers of a browser behind a proxy, and of whoever else adds some. */
function headersOf(c: Canaries): [string, string][] {
  const cookies = [
    `kndctr_${ORG}_identity=${c.text('identity cookie')}`,
    `kndctr_${ORG}_consent=general=${c.text('consent cookie')}`,
    `kndctr_${ORG}_cluster=${c.text('cluster cookie')}`,
    `kndctr_OTHER_AdobeOrg_identity=${c.text('cookie of another org')}`,
    `AMCV_CANARY%40AdobeOrg=MCMID%7C${c.text('Visitor API cookie')}`,
    `s_ecid=MCMID|${c.text('s_ecid')}`,
    `FPID=${c.text('FPID cookie')}`,
    `session=${c.text('cookie of the site')}`,
    `${c.text('name of a cookie')}=1`,
  ];
  return [
    ['User-Agent', c.text('User-Agent')],
    ['Referer', `https://shop.example/${c.text('Referer')}`],
    ['X-Forwarded-For', c.as('X-Forwarded-For', '203.0.113.177')],
    ['X-Forwarded-Host', `${c.text('X-Forwarded-Host')}.example`],
    ['Forwarded', `for=${c.as('Forwarded', '198.51.100.213')}`],
    ['Accept-Language', c.text('Accept-Language')],
    ['Sec-CH-UA', c.text('Sec-CH-UA')],
    ['X-Email', c.text('unknown header')],
    ['X-Adobe-AEP-Validation-Token', c.text('validation token')],
    ['traceparent', c.text('traceparent')],
    ['Cookie', cookies.join('; ')],
  ];
}

function visit(c: Canaries): JsonObject {
  return {
    event: {
      xdm: {
        _id: c.text('xdm._id'),
        eventType: c.text('xdm.eventType'),
        timestamp: '2026-11-23T09:30:00Z',
        identityMap: {
          ECID: [{ id: c.as('ECID', '73913846203498123940857623409817234098') }],
          Email: [{ id: `${c.text('Email')}@example.com`, authenticatedState: 'authenticated' }],
          Phone: [{ id: c.as('Phone', '+4930123456789') }],
          [c.text('an unknown namespace')]: [{ id: c.text('id in an unknown namespace') }],
        },
        person: { name: { fullName: c.text('full name') }, birthDate: c.as('birth date', '1971-03-29') },
        placeContext: { geo: { postalCode: c.text('postal code') } },
        web: { webPageDetails: { URL: `https://shop.example/?u=${c.text('URL of the page')}` } },
        [c.text('key in xdm')]: true,
      },
      data: { form: { note: c.text('data') }, [c.text('key in data')]: 1 },
      query: { personalization: { surfaces: [`web://${c.text('surface')}`] } },
      meta: { note: c.text('meta of the event') },
    },
    query: { identity: { fetch: ['ECID'] } },
    meta: {
      state: {
        domain: `${c.text('cookie domain')}.example`,
        cookiesEnabled: true,
        entries: [{ key: `kndctr_${ORG}_note`, value: c.text('state entry') }],
      },
      [c.text('key in meta')]: 1,
    },
  };
}

function good(c: Canaries): Planted[] {
  const visitor = visit(c);
  const consent = [
    {
      standard: 'Adobe',
      version: '2.0',
      value: { collect: { val: 'n' }, metadata: { time: '2026-11-23T09:30:00Z', note: c.text('consent') } },
    },
  ];
  const acquire = {
    query: { identity: { fetch: ['ECID'] } },
    xdm: { identityMap: { CRMID: [{ id: c.text('CRMID') }] } },
  };
  return [
    {
      name: 'a visit',
      to: 'edge',
      status: 200,
      path: `${INTERACT}&email=${c.text('query string')}`,
      headers: headersOf(c),
      body: json(visitor),
      repeated: ['ECID', 'an unknown namespace'],
    },
    {
      name: 'it again',
      to: 'edge',
      status: 200,
      path: INTERACT,
      body: json(visitor),
      repeated: ['ECID', 'an unknown namespace'],
    },
    {
      name: 'a batch',
      to: 'edge',
      status: 202,
      path: '/ee/or2/v2/collect?datastreamId=shop',
      body: json({
        events: [{ xdm: { note: c.text('xdm of a batch') } }, { xdm: {}, data: { note: c.text('data of a batch') } }],
      }),
    },
    {
      name: 'a choice',
      to: 'edge',
      status: 200,
      path: '/ee/v1/privacy/set-consent?configId=shop',
      body: json({ consent, identityMap: { FPID: [{ id: c.as('FPID', '5e8b1f0c-3a77-4d21-9c64-0b7de1f2a913') }] } }),
      repeated: ['consent'],
    },
    {
      name: 'a token that nobody asked for',
      to: 'edge',
      status: 200,
      path: INTERACT,
      headers: [
        ['Authorization', `Bearer ${c.text('token on the edge')}`],
        ['x-user-token', c.text('x-user-token on the edge')],
      ],
      body: json({ event: { xdm: {} } }),
    },
    { name: 'acquire', to: 'edge', status: 200, path: '/ee/v1/identity/acquire?configId=shop', body: json(acquire) },
    {
      name: 'a refused request id',
      to: 'edge',
      status: 200,
      path: INTERACT,
      headers: [['X-Request-Id', `${c.text('refused X-Request-Id')}@example.com`]],
      body: json({ event: { xdm: {} } }),
    },
    {
      name: 'an address that is kept in part',
      to: 'edge',
      status: 200,
      path: '/ee/v2/interact?datastreamId=addresses',
      headers: [['X-Forwarded-For', c.as('address of the client', '203.0.113.91')]],
      body: json({ event: { xdm: {} } }),
    },
    {
      name: 'one that was sent',
      to: 'edge',
      status: 200,
      path: '/ee/v2/interact?datastreamId=addresses',
      body: json({
        event: {
          xdm: {
            environment: { ipV4: c.text('address that is none'), ipV6: c.as('address in xdm', '2001:db8:77:5::91') },
          },
        },
      }),
    },
    {
      name: 'another',
      to: 'edge',
      status: 200,
      path: `${INTERACT}&requestId=${c.text('refused requestId')}%40example.com`,
      body: json({ event: { xdm: {} } }),
    },
    {
      name: 'a strange time',
      to: 'edge',
      status: 200,
      path: INTERACT,
      body: json({ event: { xdm: { timestamp: c.text('timestamp') } } }),
      repeated: ['timestamp'],
    },
  ];
}

function wrong(c: Canaries): Planted[] {
  const event = { xdm: { identityMap: { Email: [{ id: c.text('Email of a backend'), primary: true }] } } };
  const edge = (name: string, status: number, sent: Partial<Planted>): Planted => ({
    name,
    to: 'edge',
    status,
    path: INTERACT,
    body: '{}',
    ...sent,
  });
  const server = (name: string, headers: [string, string][]): Planted => ({
    name,
    to: 'server',
    status: 401,
    path: INTERACT,
    headers,
    body: json({ event }),
  });
  return [
    edge('broken JSON', 400, { body: `{"event":{"xdm":{"a":"${c.text('broken JSON')}"` }),
    edge('text for JSON', 400, { body: c.text('text') }),
    edge('no object', 400, {
      body: json({ event: c.text('event that is a text') }),
      repeated: ['event that is a text'],
    }),
    edge('an override', 400, {
      body: json({
        event: { xdm: {} },
        meta: { configOverrides: { com_adobe_target: { propertyToken: c.text('override') } } },
      }),
      repeated: ['override'],
    }),
    edge('an unreadable ECID', 400, {
      body: json({ event: { xdm: { identityMap: { ECID: [{ id: c.text('ECID that is none') }] } } } }),
      repeated: ['ECID that is none'],
    }),
    edge('an unreadable FPID', 400, {
      body: json({ event: { xdm: { identityMap: { FPID: [{ id: c.text('FPID that is none') }] } } } }),
      repeated: ['FPID that is none'],
    }),
    edge('an identityMap of texts', 400, {
      body: json({ event: { xdm: { identityMap: { Email: c.text('identityMap of texts') } } } }),
      repeated: ['identityMap of texts'],
    }),
    edge('an unknown standard', 400, {
      path: '/ee/v1/privacy/set-consent?configId=shop',
      body: json({ consent: [{ standard: c.text('consent standard'), version: '1', value: {} }] }),
      repeated: ['consent standard'],
    }),
    edge('a consent string', 400, {
      path: '/ee/v1/privacy/set-consent?configId=shop',
      body: json({ consent: [{ standard: 'IAB TCF', version: '2.0', value: c.text('TCF string') }] }),
    }),
    edge('an unknown datastream', 400, {
      path: `/ee/v2/interact?datastreamId=${c.text('datastream')}`,
      repeated: ['datastream'],
    }),
    edge('an unknown path', 404, { path: `/ee/v2/${c.text('path')}`, repeated: ['path'] }),
    edge('an unknown hint', 404, { path: `/ee/${c.text('hint')}/v2/interact` }),
    edge('silent', 400, {
      path: `${INTERACT}&silent=${c.text('silent')}`,
      body: json({ event }),
      repeated: ['silent'],
    }),
    edge('a type', 415, { headers: [['Content-Type', `text/${c.text('Content-Type')}`]], repeated: ['Content-Type'] }),
    edge('a coding', 415, {
      headers: [['Content-Encoding', c.text('Content-Encoding')]],
      repeated: ['Content-Encoding'],
    }),
    edge('an expectation', 417, { headers: [['Expect', c.text('Expect')]], repeated: ['Expect'] }),
    edge('a host', 400, { headers: [['Host', `${c.text('Host')},b`]], repeated: ['Host'] }),
    edge('an origin', 403, {
      path: '/ee/v2/interact?datastreamId=listed',
      headers: [['Origin', `https://${c.text('Origin')}.example`]],
      repeated: ['Origin'],
    }),
    edge('no HTTP', 400, { method: `${c.text('method')} ${c.text('first line')}` }),
    edge('no token', 401, { path: '/ee/v2/interact?datastreamId=closed' }),
    edge('too large', 413, { body: json({ note: c.text('body that is too large'), pad: 'x'.repeat(70_000) }) }),
    server('a bad token', [
      ['Authorization', `Bearer ${c.text('token')}`],
      ['x-api-key', c.text('x-api-key')],
      ['x-gw-ims-org-id', c.text('x-gw-ims-org-id')],
    ]),
    server('another scheme', [['Authorization', `Basic ${Buffer.from(`a:${c.text('password')}`).toString('base64')}`]]),
  ];
}

function administrators(c: Canaries): Planted[] {
  const get = (
    name: string,
    status: number,
    path: string,
    repeated: string[] = [],
    headers: [string, string][] = [],
  ): Planted => ({ name, to: 'admin', method: 'GET', status, path, repeated, headers });
  return [
    get('an unknown address', 404, `/api/v1/${c.text('admin path')}`, ['admin path']),
    get('a wrong parameter', 400, `/metrics?a=${c.text('admin query')}`),
    get('a wrong token', 401, '/api/v1/status', [], [['Authorization', `Bearer ${c.text('admin token')}`]]),
  ];
}

export function canaryRequests(c: Canaries): readonly Planted[] {
  return [...good(c), ...wrong(c), ...administrators(c)];
}
