import { afterAll, describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../src/components.ts';
import { isObject, type Json, type JsonObject } from '../../src/model/json.ts';
import { LogUnavailable, type Stage } from '../../src/model/parts.ts';
import { CATALOGUE, type ProblemCode } from '../../src/model/problem.ts';
import { MemoryState } from '../../src/state/memory.ts';
import type { ErrorRequest, ErrorRow } from '../support/error-row.ts';
import { datastreamOf, ORG, workspaceOf } from '../support/exchanges.ts';
import { type GatewayParts, type GatewayServer, startGateway } from '../support/gateway-server.ts';
import { HeldLog } from '../support/held-log.ts';
import { authOf, CLIENT, claimsFor, credentials, issuerOf, STRANGER, tokenFor } from '../support/issuers.ts';
import { jwt } from '../support/key-pairs.ts';
import { requestBytes, sendBytes } from '../support/raw-http.ts';
import { sources, textOf } from '../support/sources.ts';
import { decodeProblem } from '../support/strict-decoder.ts';
import { CONSENT_ERRORS } from './consent-errors.ts';
import { IDENTITY_ERRORS } from './identity-errors.ts';

/**
 * The error catalogue, whole: every code is reached over HTTP by a request in this table, or stands in NOT_YET with the
 * part that will reach it.
 */
const NOT_YET: Readonly<Partial<Record<ProblemCode, string>>> = {
  'EXEG-0010-422': 'forwarding: a datastream whose destination is not configured for its org',
  'EXEG-0011-422': 'sandboxes of a datastream',
  'EXEG-0012-422': 'sandboxes of a datastream',
  'EXEG-0013-422': 'destinations that name a namespace; until then it is the workspace that is refused',
  'EXEG-0100-500': 'mapping (data prep): a result that is no JSON',
  'EXEG-0105-400': 'schema validation of events',
  'EXEG-0107-400': 'media: session events without the session’s parameters',
  'EXEG-0202-502': 'decisions and profiles: a service that refuses',
  'EXEG-0205-502': 'activation: what is shared between services',
  'EXEG-0400-403': 'geo lookup: blocked countries',
  'va-edge-0400-400': 'media',
  'va-edge-0404-404': 'media',
};

/** Part of an answer that is good otherwise: the file whose test reaches it. */
const ELSEWHERE: Readonly<Partial<Record<ProblemCode, string>>> = {
  'EXEG-0201-503': 'test/gateway/decision-shedding.test.ts',
};

const INTERACT = '/ee/v2/interact?datastreamId=shop';
const COLLECT = '/ee/v2/collect?datastreamId=shop';
const CONSENT = '/ee/v1/privacy/set-consent?configId=shop';
const good = { event: { xdm: {} } };

/** The public documentation's own example call of collect, its body as printed. */
const PRINTED = `{
   "event": {
      "xdm": {
         "identityMap": {
            "FPID": [
               {
                  "id": "79bf8e83-f708-414b-b1ed-5789ff33bf0b",
                  "primary": true
               }
            ]
         },
         "eventType": "web.webpagedetails.pageViews",
         "web": {
            "webPageDetails": {
               "URL": "https://alloystore.dev/",
               "name": "Home Page"
            }
         },
         "timestamp": "YYYY-08-09T14:09:20.859Z"
      },
      "data": {
         "prop1": "custom value"
      }
   }
}`;

const throwing: Stage = {
  name: 'throwing',
  service: null,
  run() {
    throw new TypeError('x is not a function at /srv/weir/secret.ts');
  },
};
function refusing(): HeldLog {
  const log = new HeldLog();
  log.append = () => Promise.reject(new LogUnavailable('disk-full', 'ENOSPC /srv/weir/secret'));
  return log;
}
const stateThat = (get: () => Promise<null>) => Object.assign(new MemoryState(), { get });

const ROWS: readonly ErrorRow[] = [
  ['EXEG-0000-503', 'a full disk', { parts: { eventLog: refusing() } }, ['disk is full', 'again']],
  [
    'EXEG-0000-503',
    'a body that stays away',
    { raw: '', headers: [['Content-Length', '9']], parts: { deadlineMs: 100 } },
    ['body', 'again'],
  ],
  [
    'EXEG-0001-500',
    'our own mistake',
    { parts: { matrix: ENDPOINTS.map(([one]) => [one, [throwing]] as const) } },
    ['request id'],
  ],

  ['EXEG-0002-400', 'no datastream (v2)', { path: '/ee/v2/interact' }, ["'datastreamId'", '?datastreamId=']],
  ['EXEG-0002-400', 'an empty one', { path: '/ee/v2/interact?datastreamId=' }, ["'datastreamId'"]],
  ['EXEG-0002-400', 'no datastream (v1)', { path: '/ee/v1/interact' }, ["'configId'", '?configId=']],
  [
    'EXEG-0002-400',
    'v2’s spelling in v1',
    { path: '/ee/v1/interact?datastreamId=shop' },
    ["'configId'", 'datastreamId'],
  ],

  ...['datastreamid', 'DATASTREAMID', 'datastream_id', 'datastream-id', 'ConfigId'].map(
    (name): ErrorRow => [
      'EXEG-0002-400',
      `a parameter that was meant: ${name}`,
      { path: `/ee/v2/interact?a=b&${name}=shop` },
      ["'datastreamId'", `there is a '${name}'`],
    ],
  ),

  ['EXEG-0003-400', 'an unknown datastream', { path: '/ee/v2/interact?datastreamId=BOGUS' }, ["'BOGUS'", 'workspace']],
  ...[
    '{DATASTREAM_ID}',
    '%7BDATASTREAM_ID%7D',
    'DATASTREAM_ID',
    '<DATASTREAM_ID>',
    'YOUR_DATASTREAM_ID',
    '$DATASTREAM_ID',
    '[DATASTREAM_ID]',
    'your-datastream-id',
  ].map(
    (id): ErrorRow => [
      'EXEG-0003-400',
      `a placeholder: ${id}`,
      { path: `/ee/v2/interact?datastreamId=${id}` },
      ['placeholder', 'one of your datastreams'],
    ],
  ),
  ['EXEG-0003-400', 'an environment that is not there', { path: '/ee/v1/interact?configId=shop:dev' }, ["'shop:dev'"]],
  ['EXEG-0003-400', 'a name that objects inherit', { path: '/ee/v1/interact?configId=constructor' }, ["'constructor'"]],
  ['EXEG-0004-422', 'a disabled datastream', { path: '/ee/v2/interact?datastreamId=off' }, ["'off'", 'enabled: true']],

  ['EXEG-0101-400', 'broken JSON', { raw: '{"event":{"xdm":{}}' }, ['JSON']],
  ['EXEG-0101-400', 'broken UTF-8', { raw: Buffer.from([0x22, 0xff, 0x22]) }, ['UTF-8']],
  ['EXEG-0101-400', 'a form', { raw: 'event=1' }, ['JSON']],

  ['EXEG-0102-400', 'a wrong type', { body: { event: { xdm: [] } } }, ["'event.xdm'", 'an object', 'an array']],
  ['EXEG-0102-400', 'an array sent to interact', { body: [good.event] }, ['/v2/interact', 'collect', '{"events":[…]}']],
  [
    'EXEG-0102-400',
    'an array sent to collect',
    { path: COLLECT, body: [good.event] },
    ['/v2/collect', '{"events":[…]}'],
  ],
  ['EXEG-0102-400', 'an array of events as the event', { body: { event: [good.event] } }, ["'event'", '/v2/collect']],
  ['EXEG-0102-400', 'too deep', { raw: `{"event":{"xdm":${'{"a":'.repeat(63)}1${'}'.repeat(63)}}}` }, ['64 levels']],
  [
    'EXEG-0102-400',
    'a state entry without its value',
    { body: { ...good, meta: { state: { entries: [{ key: 'a' }] } } } },
    ["'meta.state.entries[0]'", "'value'"],
  ],
  [
    'EXEG-0102-400',
    'an unknown consent standard',
    { path: CONSENT, body: { consent: [{ standard: 'GPC', version: '1', value: {} }] } },
    ["'consent[0].standard'", '"GPC"', 'Adobe'],
  ],
  [
    'EXEG-0102-400',
    'an unknown operation',
    {
      path: CONSENT,
      body: {
        consent: [{ standard: 'Adobe', version: '1.0', value: { general: 'in' } }],
        query: { consent: { operation: 'merge' } },
      },
    },
    ["'query.consent.operation'", 'update'],
  ],

  [
    'EXEG-0103-400',
    'the documentation’s own body, sent to collect',
    { path: COLLECT, raw: PRINTED },
    ["'events'", '/v2/interact', '{"events":[…]}'],
  ],
  ['EXEG-0103-400', 'a batch sent to interact', { body: { events: [good.event] } }, ["'event'", '/v2/collect']],
  [
    'EXEG-0103-400',
    'one event sent to v1',
    { path: '/ee/v1/interact?configId=shop', body: good },
    ["'events'", '/v2/interact'],
  ],
  [
    'EXEG-0103-400',
    'an event without xdm',
    { path: COLLECT, body: { events: [{ xdm: {} }, { data: {} }] } },
    ["'events[1].xdm'"],
  ],
  ['EXEG-0103-400', 'no events', { path: COLLECT, body: { events: [] } }, ["'events'", 'empty']],
  [
    'EXEG-0103-400',
    'an identity without its id',
    { body: { event: { xdm: { identityMap: { CRM: [{}] } } } } },
    ["'event.xdm.identityMap.CRM[0].id'"],
  ],
  ['EXEG-0103-400', 'no consent', { path: CONSENT, body: {} }, ["'consent'", '"collect"']],
  [
    'EXEG-0104-422',
    'an empty choice',
    { path: CONSENT, body: { consent: [{ standard: 'Adobe', version: '2.0', value: { collect: { val: '' } } }] } },
    ["'consent[0].value.collect.val'"],
  ],

  ['EXEG-0106-400', 'no Content-Type', { headers: [['Content-Type', '']] }, ['application/json']],
  ['EXEG-0106-400', 'one that cannot be read', { headers: [['Content-Type', 'json']] }, ["'json'", 'application/json']],
  [
    'EXEG-0108-400',
    'silent: maybe',
    { path: `${COLLECT}&silent=maybe`, body: { events: [good.event] } },
    ["'silent'", "'maybe'", 'true or false'],
  ],
  ['EXEG-0109-408', 'no body', { raw: '', headers: [['Content-Type', 'application/json']] }, ['empty']],
  [
    'EXEG-0110-400',
    'cookies without a domain',
    { body: { ...good, meta: { state: { cookiesEnabled: true } } } },
    ["'meta.state.domain'"],
  ],
  ['EXEG-0111-415', 'another type', { headers: [['Content-Type', 'text/html']] }, ["'text/html'", 'application/json']],
  ['EXEG-0112-413', 'too large', { raw: 'x'.repeat(65_537) }, ['65536 bytes', 'fewer events']],

  [
    'EXEG-0113-400',
    'an unknown override',
    { body: { ...good, meta: { configOverrides: { com_adobe_nothing: {} } } } },
    ["'meta.configOverrides.com_adobe_nothing'", 'com_adobe_target'],
  ],
  [
    'EXEG-0113-400',
    'one that is not registered',
    { body: { ...good, meta: { configOverrides: { com_adobe_analytics: { reportSuites: ['other'] } } } } },
    ["'meta.configOverrides.com_adobe_analytics.reportSuites[0]'", '"other"', 'overrides.registered'],
  ],
  [
    'EXEG-0113-400',
    'a service switched on',
    { body: { ...good, meta: { configOverrides: { com_adobe_target: { enabled: true } } } } },
    ["'meta.configOverrides.com_adobe_target.enabled'", 'only switch a service off'],
  ],

  [
    'EXEG-0200-504',
    'a state that does not answer',
    { parts: { deadlineMs: 300, state: stateThat(() => new Promise(() => {})) } },
    ["'state'", 'again'],
  ],
  [
    'EXEG-0203-502',
    'a state that fails',
    { parts: { state: stateThat(() => Promise.reject(new Error('secret'))) } },
    ["'state'", 'again'],
  ],
  [
    'EXEG-0204-200',
    'a time stamp that is no date',
    { body: { event: { xdm: { timestamp: 'YYYY-08-09T14:09:20.859Z' } } } },
    ["'event.xdm.timestamp'", 'RFC 3339'],
  ],
  ['EXEG-0204-200', 'a request id that cannot be used', { path: `${INTERACT}&requestId=a%20b` }, ['128 characters']],
  [
    'EXEG-0204-200',
    'an override that is only warned of',
    {
      path: '/ee/v2/interact?datastreamId=lenient',
      body: { ...good, meta: { configOverrides: { com_adobe_nothing: {} } } },
    },
    ['com_adobe_nothing', 'no effect'],
  ],
  [
    'EXEG-0204-200',
    'a service that is not there yet',
    { path: '/ee/v2/interact?datastreamId=lenient' },
    ["'decisions'"],
  ],
  ...CONSENT_ERRORS,
  ...IDENTITY_ERRORS,
  ['EXEG-0306-400', 'an event about nobody', server(tokenFor(ORG)), ["'event.xdm.identityMap'", 'primary']],
  [
    'EXEG-0500-401',
    'the server listener',
    { listener: 'server' },
    ["'authorization' and 'x-api-key' and 'x-gw-ims-org-id' are missing", 'weir -- token', 'edge listener'],
  ],
  [
    'EXEG-0500-401',
    'a datastream with access: authenticated',
    { path: '/ee/v2/interact?datastreamId=closed', headers: [['x-api-key', CLIENT]] },
    ["'authorization' and 'x-gw-ims-org-id' are missing", 'access: authenticated'],
  ],
  ['EXEG-0500-401', 'no JWT', server('secret'), ['JWT', 'Bearer']],
  [
    'EXEG-0501-401',
    'a bad user token',
    { ...server(tokenFor(ORG)), headers: [...credentials(tokenFor(ORG), CLIENT, ORG), ['x-user-token', 'secret']] },
    ["'x-user-token'", 'leave the header out'],
  ],
  ['EXEG-0502-401', 'another issuer', server(tokenFor(ORG, { iss: 'https://evil.test' })), ['issuer', "'auth'"]],
  ['EXEG-0502-401', 'another key', server(jwt(STRANGER, claimsFor(ORG))), ['signature', "'auth'"]],
  ['EXEG-0503-401', 'an old token', server(tokenFor(ORG, { exp: 1 })), ["'exp'", 'Get a new one']],
  ['EXEG-0504-401', 'another client', server(tokenFor(ORG, { client_id: 'secret' })), ["'x-api-key'"]],
  ['EXEG-0504-401', 'another org', server(tokenFor('secret')), ["'x-gw-ims-org-id'", "'auth.issuers[].clients'"]],
  ['EXEG-0505-401', 'no scope', server(tokenFor(ORG, { iss: 'https://scoped.test' })), ["'collect'", 'issuer']],
  ['EXEG-0506-401', 'another datastream', server(tokenFor(ORG, { iss: 'https://narrow.test' })), ["'datastreams'"]],
  ['EXEG-0000-503', 'keys that are away', server(tokenFor(ORG, { iss: 'https://away.test' })), ['keys', 'again']],
];

/** A call to the server listener that is right but for its token. */
function server(token: string): ErrorRequest {
  return { listener: 'server', headers: credentials(token, CLIENT, ORG) };
}

const datastreams = [
  datastreamOf({
    overrides: { unregistered: 'reject', registered: { com_adobe_analytics: { reportSuites: ['main'] } } },
  }),
  datastreamOf({ id: 'off', enabled: false }),
  datastreamOf({ id: 'closed', access: 'authenticated' }),
  datastreamOf({ id: 'lenient', overrides: { unregistered: 'warn', registered: {} }, missingServices: ['decisions'] }),
];
const narrow = new Map([[CLIENT, { orgs: new Set([ORG]), datastreams: new Set(['other']) }]]);
const workspace = workspaceOf(datastreams, {
  auth: authOf(
    issuerOf(),
    issuerOf({ issuer: 'https://scoped.test', scopes: ['collect'] }),
    issuerOf({ issuer: 'https://narrow.test', clients: narrow }),
    // Nothing listens there.
    issuerOf({ issuer: 'https://away.test', jwksUrl: 'http://127.0.0.1:1/keys' }),
  ),
});
const servers: GatewayServer[] = [];
let shared: Promise<GatewayServer> | null = null;
function serverFor(parts: GatewayParts | undefined): Promise<GatewayServer> {
  if (parts === undefined && shared !== null) return shared;
  const starting = startGateway({ workspace: () => workspace, ...parts }).then((server) => {
    servers.push(server);
    return server;
  });
  if (parts === undefined) shared = starting;
  return starting;
}
afterAll(() => Promise.all(servers.map((server) => server.stop())));

/** Everything that an answer says was wrong: the problem itself, or those in `errors` and `warnings`. */
function problemsOf(body: Json): readonly JsonObject[] {
  if (!isObject(body)) throw new Error('The answer is no object.');
  if (typeof body['type'] === 'string') return [decodeProblem(body)];
  return [body['errors'], body['warnings']]
    .flatMap((list) => (Array.isArray(list) ? list : []))
    .map((one) => decodeProblem(one));
}

/** Each row's test demands that its code is reached. */
const reached = new Set<string>(ROWS.map(([code]) => code));

describe('every code that can be reached', () => {
  test.each(ROWS)('%s: %s', async (code, _what, request, words) => {
    const { path = INTERACT, body = good, raw = JSON.stringify(body), headers = [], listener = 'edge' } = request;
    const server = await serverFor(request.parts);
    const bytes = requestBytes(server[listener], { path, headers: withoutEmpty(headers), body: raw });
    const answer = await sendBytes(server[listener], withoutType(bytes, headers));
    const { status, class: className, title } = CATALOGUE.get(code)!;
    const found = problemsOf(answer.json).find((one) => String(one['type']).endsWith(`/${code}`));
    expect(found, `${answer.status} ${answer.text}`).toMatchObject({
      type: `https://ns.adobe.com/aep/errors/${code}`,
      status,
      title,
      report: { requestId: answer.header('x-request-id') },
    });
    for (const word of words) expect(found!['detail']).toContain(word);
    expect(answer.text).not.toContain('secret');
    expect(answer.status).toBe(className === 'warning' ? 200 : status);
    expect(answer.header('content-type')).toMatch(
      className === 'warning' ? /^application\/json/ : /^application\/problem\+json/,
    );
    if ([502, 503, 504].includes(answer.status)) expect(answer.header('retry-after')).toMatch(/^([2-9]|10)$/);
    else expect(answer.header('retry-after')).toBeUndefined();
    if (code === 'EXEG-0104-422') expect(found!['report']).toMatchObject({ errors: [expect.any(String)] });
  });

  /** An empty Content-Type stands for none. */
  function withoutEmpty(headers: NonNullable<ErrorRequest['headers']>) {
    return headers.filter(([, value]) => value !== '');
  }
  function withoutType(bytes: Buffer, headers: NonNullable<ErrorRequest['headers']>): Buffer {
    if (!headers.some(([name, value]) => name === 'Content-Type' && value === '')) return bytes;
    return Buffer.from(bytes.toString('latin1').replace(/Content-Type: [^\r]*\r\n/, ''), 'latin1');
  }
});

describe('the catalogue, whole', () => {
  test('every code is reached above, or says what will reach it', () => {
    const isReached = (code: string): boolean => {
      const file = ELSEWHERE[code as ProblemCode];
      return reached.has(code) || (file !== undefined && textOf(file).includes(`'${code}'`));
    };
    const missing = [...CATALOGUE.keys()].filter((code) => !isReached(code) && !Object.hasOwn(NOT_YET, code));
    expect(missing).toEqual([]);
  });

  test('what is reached does not stand in the list any more', () => {
    expect(Object.keys(NOT_YET).filter((code) => reached.has(code))).toEqual([]);
  });

  test('what the sources raise does not stand in the list either', () => {
    const texts = [...sources('src', /\.ts$/)].filter(([path]) => path !== 'src/model/problem.ts');
    const raised = Object.keys(NOT_YET).filter((code) => texts.some(([, text]) => text.includes(`'${code}'`)));
    expect(raised).toEqual([]);
  });

  test('an unknown datastream: the report has the request id alone', async () => {
    const { edge } = await serverFor(undefined);
    const path = '/ee/v1/interact?configId=BOGUS';
    const { json } = await sendBytes(edge, requestBytes(edge, { path, body: '{"events":[{"xdm":{}}]}' }));
    expect(Object.keys(json as JsonObject)).toEqual(['type', 'status', 'title', 'detail', 'report']);
    expect(Object.keys((json as JsonObject)['report'] as JsonObject)).toEqual(['requestId']);
  });
});
