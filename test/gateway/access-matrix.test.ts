import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Issuer } from '../../src/model/auth.ts';
import { datastreamOf, workspaceOf } from '../support/exchanges.ts';
import { type GatewayServer, startGateway } from '../support/gateway-server.ts';
import { HeldLog } from '../support/held-log.ts';
import {
  AUDIENCE,
  authOf,
  CLIENT,
  claimsFor,
  credentials,
  EC,
  inSeconds,
  issuerOf,
  RSA,
  STRANGER,
  tokenFor,
  withSignature,
} from '../support/issuers.ts';
import { encoded, jwksOf, jwt } from '../support/key-pairs.ts';

/**
 * The whole matrix of access: listener × datastream × token × api key × org, each row over HTTP to its exact status and
 * code. The expected code is computed from what each token is said to be, by the rule that the lowest code is answered.
 */

const OWN = 'OWN@AdobeOrg';
const OTHER = 'OTHER@AdobeOrg';
const SCOPED = 'https://scoped.test';
const LISTED = 'https://listed.test';

/** As much as may be: the rows take a while. */
const tolerant = (...issuers: readonly Issuer[]) => ({ ...authOf(...issuers), clockToleranceSeconds: 30 });

const workspace = workspaceOf(
  [
    datastreamOf({ id: 'own-open', orgId: OWN }),
    datastreamOf({ id: 'own-closed', orgId: OWN, access: 'authenticated' }),
    datastreamOf({ id: 'foreign-open', orgId: OTHER, origins: new Set(['https://other.test']) }),
    datastreamOf({ id: 'foreign-closed', orgId: OTHER, access: 'authenticated', origins: new Set(['https://a.test']) }),
    datastreamOf({ id: 'foreign-off', orgId: OTHER, access: 'authenticated', enabled: false }),
  ],
  {
    auth: tolerant(
      issuerOf(),
      issuerOf({ issuer: 'https://both.test', algorithms: ['RS256', 'ES256'] }),
      issuerOf({ issuer: SCOPED, scopes: ['collect', 'write'] }),
      issuerOf({
        issuer: LISTED,
        clients: new Map([
          [CLIENT, { orgs: new Set([OWN, 'THIRD@AdobeOrg']), datastreams: null }],
          ['narrow', { orgs: new Set([OWN]), datastreams: new Set(['elsewhere']) }],
          ['stranger', { orgs: new Set([OTHER]), datastreams: null }],
        ]),
      }),
      issuerOf({
        issuer: 'ims-na1',
        kind: 'ims',
        audiences: [],
        jwks: jwksOf(RSA),
        claims: { client: ['client_id'], org: 'org', scope: 'scope' },
        scopes: ['acp.foundation'],
        maxAgeSeconds: 86_400,
      }),
    ),
  },
);

/** The answer to a request that is right otherwise. */
type Code = '200' | '0500' | '0502' | '0503' | '0504' | '0505' | '0506';
interface Token {
  readonly code: Code;
  /** The Authorization header, as of when it is asked for; null for none. */
  readonly authorization: string | null;
  readonly client: string;
}

const TOKENS = new Map<string, Token>();
function add(name: string, code: Code, token: string, client = CLIENT): void {
  TOKENS.set(name, { code, authorization: `Bearer ${token}`, client });
}
/** For claims about now: on a busy machine the last token is sent a minute after the first. */
function addFresh(name: string, code: Code, claims: () => Record<string, unknown>): void {
  TOKENS.set(name, {
    code,
    client: CLIENT,
    get authorization() {
      return `Bearer ${tokenFor(OWN, claims())}`;
    },
  });
}
function addHeader(name: string, code: Code, authorization: string | null): void {
  TOKENS.set(name, { code, authorization, client: CLIENT });
}
const good = tokenFor(OWN);
const [head, body, signature] = good.split('.') as [string, string, string];
const flipped = (text: string, at: number) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
const signed = (header: Record<string, unknown>, claims = claimsFor(OWN)) => jwt(RSA, claims, header);
const pem = RSA.publicKey.export({ type: 'spki', format: 'pem' });
const hs256 = `${encoded({ alg: 'HS256', kid: 'rsa' })}.${encoded(claimsFor(OWN))}`;
const ims = (fields: Record<string, unknown> = {}) =>
  jwt(RSA, {
    as: 'ims-na1',
    type: 'access_token',
    client_id: CLIENT,
    org: OWN,
    scope: 'openid,AdobeID,acp.foundation',
    created_at: String(inSeconds(-60) * 1000),
    expires_in: '86400000',
    ...fields,
  });

addHeader('none', '0500', null);
addHeader('an empty header', '0500', '');
addHeader('Basic', '0500', 'Basic YTpi');
addHeader('a token without Bearer', '0500', good);
addHeader('Bearer alone', '0500', 'Bearer');
addHeader('two tokens', '0500', `Bearer ${good} ${good}`);
add('no JWT', '0500', 'abc');
add('two parts', '0500', `${head}.${body}`);
add('five parts', '0500', `${good}.a.b`);
add('a header that is no JSON', '0500', `AAAA.${body}.${signature}`);
add('a header that is a list', '0500', `${encoded([])}.${body}.${signature}`);
add('claims that are no JSON', '0500', `${head}.AAAA.${signature}`);
add('claims that are null', '0500', `${head}.${encoded(null)}.${signature}`);
add('no base64', '0500', `${head}.${body}.A`);

const LOOSE = { A: 'B', Q: 'R', g: 'h', w: 'x' } as Record<string, string>;
add('a signature with loose last bits', '0500', `${good.slice(0, -1)}${LOOSE[good.at(-1)!]}`);

add('a flipped signature', '0502', `${head}.${body}.${flipped(signature, 100)}`);
add('half a signature', '0502', `${head}.${body}.${signature.slice(0, 100)}`);
add(
  'other claims under its signature',
  '0502',
  withSignature({ alg: 'RS256', kid: 'rsa' }, claimsFor(OTHER), signature),
);
add('another’s key under our id', '0502', jwt(STRANGER, claimsFor(OWN)));
add('alg none', '0502', withSignature({ alg: 'none', kid: 'rsa' }, claimsFor(OWN), ''));
add('alg none with a signature', '0502', `${encoded({ alg: 'none', kid: 'rsa' })}.${body}.${signature}`);
add('HS256 with the public key', '0502', `${hs256}.${createHmac('sha256', pem).update(hs256).digest('base64url')}`);
for (const alg of ['RS384', 'PS256', 'ES256', 'EdDSA', 'rs256', '', 7]) add(`alg ${alg}`, '0502', signed({ alg }));
add('ES256 where only RS256 is taken', '0502', tokenFor(OWN, {}, EC));
add('alg of one key, id of another', '0502', jwt(RSA, claimsFor(OWN, { iss: 'https://both.test' }), { kid: 'ec' }));
add('no kid', '0502', signed({ kid: undefined }));
add('an unknown kid', '0502', signed({ kid: 'other' }));
add('a kid that is no text', '0502', signed({ kid: ['rsa'] }));
add('a key that it brings along', '0502', jwt(STRANGER, claimsFor(OWN), { jwk: STRANGER.jwk }));
add('… under an unknown kid', '0502', jwt(STRANGER, claimsFor(OWN), { jwk: STRANGER.jwk, kid: 'mine' }));
for (const name of ['jku', 'x5u']) {
  add(`${name} of its own`, '0502', jwt(STRANGER, claimsFor(OWN), { [name]: 'https://evil.test/keys' }));
  add(`${name} that nobody asks`, '200', signed({ [name]: 'https://evil.test/keys' }));
}
for (const crit of [['exp'], ['b64'], [], 'b64'])
  add(`crit ${JSON.stringify(crit)}`, '0502', signed({ crit, b64: true }));
for (const iss of ['https://evil.test', 'https://login.test/', null, 7, ['https://login.test']])
  add(`iss ${JSON.stringify(iss)}`, '0502', tokenFor(OWN, { iss }));
for (const aud of ['other', 'WEIR', [], ['a', 'b'], undefined, { weir: 1 }])
  add(`aud ${JSON.stringify(aud)}`, '0502', tokenFor(OWN, { aud }));
add('no exp', '0502', tokenFor(OWN, { exp: undefined }));
add('exp as a text', '0502', tokenFor(OWN, { exp: String(inSeconds(600)) }));
add('no iat', '0502', tokenFor(OWN, { iat: undefined }));
addFresh('iat in the future', '0502', () => ({ iat: inSeconds(60) }));
addFresh('nbf in the future', '0502', () => ({ nbf: inSeconds(60) }));
add('nbf as a text', '0502', tokenFor(OWN, { nbf: '0' }));
add('wrong aud, and expired', '0502', tokenFor(OWN, { aud: 'other', exp: inSeconds(-600) }));

add('expired', '0503', tokenFor(OWN, { exp: inSeconds(-60) }));
add('expired, and of another org', '0503', tokenFor(OTHER, { exp: inSeconds(-60) }));
add('too old', '0503', tokenFor(OWN, { iat: inSeconds(-3_700) }));

add('no client', '0504', tokenFor(OWN, { client_id: undefined }));
add('a client that is no text', '0504', tokenFor(OWN, { client_id: [CLIENT] }));
add('no org', '0504', tokenFor(OWN, { org_id: undefined }));
add('an org that is no text', '0504', tokenFor(OWN, { org_id: { id: OWN } }));
add('another org', '0504', tokenFor('THIRD@AdobeOrg'));
add('a list of other orgs', '0504', tokenFor(OWN, { org_id: [`${OWN}x`, 'x'] }));
add('a client that is not listed', '0504', tokenFor(OWN, { iss: LISTED, client_id: 'nobody' }), 'nobody');
add('a client listed for another org', '0504', tokenFor(OWN, { iss: LISTED, client_id: 'stranger' }), 'stranger');
add('a listed client, an org that is not its own', '0504', tokenFor(OTHER, { iss: LISTED }));
add('an inherited name as client', '0504', tokenFor(OWN, { iss: LISTED, client_id: '__proto__' }), '__proto__');

add('no scope', '0505', tokenFor(OWN, { iss: SCOPED }));
add('one scope of two', '0505', tokenFor(OWN, { iss: SCOPED, scope: 'collect other' }));
add('a scope within another', '0505', tokenFor(OWN, { iss: SCOPED, scope: 'collect writer' }));
add('scopes with commas', '0505', tokenFor(OWN, { iss: SCOPED, scope: 'collect,write' }));
add('a client for another datastream', '0506', tokenFor(OWN, { iss: LISTED, client_id: 'narrow' }), 'narrow');

add('IMS, another as', '0502', ims({ as: 'ims-na2' }));
add('IMS, a refresh token', '0502', ims({ type: 'refresh_token' }));
add('IMS, no times', '0502', ims({ created_at: undefined }));
add('IMS, a time that is no number', '0502', ims({ created_at: 'soon' }));
add('IMS, in the future', '0502', ims({ created_at: String(inSeconds(6_000) * 1000) }));
add('IMS, expired', '0503', ims({ created_at: String(inSeconds(-100) * 1000), expires_in: '60000' }));
add('IMS, expired by exp', '0503', ims({ exp: inSeconds(-60) }));
add('IMS, older than a day', '0503', ims({ created_at: String(inSeconds(-90_000) * 1000), expires_in: '900000000' }));
add('IMS, no scope', '0505', ims({ scope: 'openid,AdobeID' }));

add('good', '200', good);
addHeader('good, bearer in lower case', '200', `bearer ${tokenFor(OWN, { jti: 1 })}`);
add('good, ES256', '200', tokenFor(OWN, { iss: 'https://both.test' }, EC));
add('good, with azp', '200', tokenFor(OWN, { client_id: undefined, azp: CLIENT }));
add('good, one audience of two', '200', tokenFor(OWN, { aud: ['other', AUDIENCE] }));
add('good, one org of two', '200', tokenFor(OWN, { org_id: ['x', OWN] }));
addFresh('good, within the tolerance', '200', () => ({ exp: inSeconds(-1), nbf: inSeconds(25) }));
add('good, scopes as a text', '200', tokenFor(OWN, { iss: SCOPED, scope: 'write collect' }));
add('good, scopes as a list', '200', tokenFor(OWN, { iss: SCOPED, scope: ['collect', 'write'] }));
add('good, listed, without an org', '200', tokenFor(OWN, { iss: LISTED, org_id: undefined }));
add('good, listed, with its org', '200', tokenFor(OWN, { iss: LISTED }));
add('good, IMS', '200', ims());
add('good, IMS with numbers', '200', ims({ created_at: inSeconds(-60) * 1000, expires_in: 600_000 }));

const LISTENERS = ['edge', 'server'] as const;
const TARGETS = ['own-open', 'own-closed', 'foreign-open', 'foreign-closed', 'foreign-off', 'unknown'] as const;
const API_KEYS = ['right', 'wrong', 'missing'] as const;
const ORGS = ['right', 'wrong', 'missing'] as const;
type Target = (typeof TARGETS)[number];

function expectedOf(listener: string, target: Target, token: Token, apiKey: string, org: string): string {
  const needsToken =
    listener === 'server' || target === 'own-closed' || (target.startsWith('foreign-') && target !== 'foreign-open');
  const exists = target.startsWith('own-');
  if (!needsToken) return target === 'unknown' ? '0003' : '200';
  if (apiKey === 'missing' || org === 'missing' || token.code === '0500') return '0500';
  if (token.code === '0502' || token.code === '0503') return token.code;
  if (apiKey === 'wrong' || org === 'wrong' || token.code === '0504') return '0504';
  if (token.code === '0505') return '0505';
  return exists ? token.code : '0003';
}

let server: GatewayServer;
const log = new HeldLog();
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
beforeAll(async () => {
  log.automatic = true;
  server = await startGateway({ workspace: () => workspace, eventLog: log });
});
afterAll(async () => {
  agent.destroy();
  await server.stop();
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}
const EVENT = JSON.stringify({ event: { xdm: { identityMap: { Email: [{ id: 'a@b', primary: true }] } } } });

function call(listener: 'edge' | 'server', target: string, headers: readonly [string, string][]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const url = `${server[listener]}/ee/v2/interact?datastreamId=${target}`;
    const sent = { 'Content-Type': 'application/json', Origin: 'https://page.test', ...Object.fromEntries(headers) };
    const req = request(url, { method: 'POST', agent, headers: sent }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      res.on('end', () => resolve({ status: res.statusCode!, headers: res.headers, body: text }));
    });
    req.on('error', reject).end(EVENT);
  });
}

const codeIn = ({ status, body }: Answer) => (status === 200 ? '200' : (/EXEG-(\d{4})-\d{3}/.exec(body)?.[1] ?? body));
/** Without what is another for every request, and the id that was asked for. */
const withoutIds = ({ status, headers, body }: Answer, target: string) => {
  const { date: _date, 'x-request-id': requestId, 'content-length': _length, ...rest } = headers;
  return { status, rest, body: body.replace(String(requestId), '').replaceAll(target, '') };
};

describe('every token, to every datastream on both listeners, with every api key and org', () => {
  test('are thousands of rows', () => {
    const rows = TOKENS.size * LISTENERS.length * TARGETS.length * API_KEYS.length * ORGS.length;
    expect(rows).toBeGreaterThan(2_000);
  });

  test.each([...TOKENS.keys()])('%s', async (name) => {
    const token = TOKENS.get(name)!;
    const wrong: string[] = [];
    const storedBefore = log.stored.length;
    let admitted = 0;
    const rows = LISTENERS.flatMap((listener) =>
      TARGETS.flatMap((target) => API_KEYS.flatMap((key) => ORGS.map((org) => ({ listener, target, key, org })))),
    );
    await Promise.all(
      rows.map(async ({ listener, target, key, org }) => {
        const headers = credentials(
          null,
          { right: token.client, wrong: 'x', missing: null }[key],
          {
            right: OWN,
            wrong: OTHER,
            missing: null,
          }[org],
        );
        if (token.authorization !== null) headers.push(['Authorization', token.authorization]);
        const answer = await call(listener, target, headers);
        let expected = expectedOf(listener, target, token, key, org);
        // Its origins are looked at where nobody has to prove who they are.
        if (listener === 'edge' && target === 'foreign-open') expected = '403';
        const code = answer.status === 403 ? '403' : codeIn(answer);
        if (code !== expected) wrong.push(`${listener} ${target}, key ${key}, org ${org}: ${code}, not ${expected}`);
        if (answer.status === 200) admitted += 1;
        if ((answer.status === 401) !== (answer.headers['www-authenticate'] === 'Bearer')) wrong.push('no challenge');
        if (leaks(answer.body, token)) wrong.push(`The answer repeats the token: ${answer.body}`);
      }),
    );
    expect(wrong).toEqual([]);
    expect(log.stored.length - storedBefore).toBe(admitted);
  });
});

function leaks(text: string, { authorization }: Token): boolean {
  const parts = (authorization ?? '').split(/[ .]/).filter((part) => part.length > 20);
  return parts.some((part) => text.includes(part.slice(0, 20)));
}

describe('a datastream of another org', () => {
  test.each(LISTENERS)(
    'is answered on the %s listener as one that does not exist, but for its id',
    async (listener) => {
      const headers = credentials(good, CLIENT, OWN);
      const unknown = withoutIds(await call(listener, 'unknown', headers), 'unknown');
      expect(unknown.status).toBe(400);
      const foreign = listener === 'edge' ? ['foreign-closed', 'foreign-off'] : TARGETS.filter((id) => /^for/.test(id));
      for (const id of foreign) expect(withoutIds(await call(listener, id, headers), id)).toEqual(unknown);
    },
  );

  test('is open to its own callers, and ours are foreign to them', async () => {
    const headers = credentials(tokenFor(OTHER), CLIENT, OTHER).concat([['Origin', 'https://a.test']]);
    expect((await call('server', 'foreign-closed', headers)).status).toBe(200);
    expect((await call('edge', 'foreign-closed', headers)).status).toBe(200);
    expect(codeIn(await call('edge', 'foreign-off', headers.slice(0, 3)))).toBe('0004');
    expect(codeIn(await call('server', 'own-open', headers))).toBe('0003');
    expect(codeIn(await call('edge', 'own-closed', headers))).toBe('0003');
  });

  test('so it is to a caller who did not say who they are, on the server listener', async () => {
    const unknown = withoutIds(await call('server', 'unknown', []), 'unknown');
    expect(unknown.status).toBe(401);
    for (const id of TARGETS) expect(withoutIds(await call('server', id, []), id)).toEqual(unknown);
  });

  test('is not counted in its ledger', () => {
    const { totals } = server.counters.ledger;
    const codes = (id: string) => [...(totals.get(id)?.rejected?.keys() ?? [])];
    // What an anonymous caller is told at the edge counts there; what another org's caller is told does not.
    expect(codes('foreign-off')).toContain('EXEG-0500-401');
    for (const id of TARGETS.filter((one) => one.startsWith('foreign-')))
      expect(codes(id)).not.toContain('EXEG-0003-400');
  });
});

describe('x-user-token', () => {
  const headersWith = (userToken: string, bearer: string | null = good) => {
    return [...credentials(bearer, CLIENT, OWN), ['x-user-token', userToken]] as [string, string][];
  };
  test.each(['none', 'two parts', 'alg none', 'another’s key under our id', 'expired', 'no exp'])(
    '%s: 0501',
    async (name) => {
      const bad = (TOKENS.get(name)!.authorization ?? 'Bearer x').slice('Bearer '.length);
      const answer = await call('server', 'own-open', headersWith(bad));
      expect([answer.status, codeIn(answer)]).toEqual([401, '0501']);
      expect(leaks(answer.body, { ...TOKENS.get(name)!, authorization: bad })).toBe(false);
    },
  );

  test('a good one lets the request through, first and again', async () => {
    const user = tokenFor(OWN, { client_id: 'a-person', org_id: undefined });
    for (let i = 0; i < 2; i++) expect((await call('server', 'own-open', headersWith(user))).status).toBe(200);
  });

  test('0500 comes before it, 0502 behind', async () => {
    expect(codeIn(await call('server', 'own-open', headersWith('x', 'y')))).toBe('0500');
    const wrong = TOKENS.get('alg none')!.authorization!.slice('Bearer '.length);
    expect(codeIn(await call('server', 'own-open', headersWith('x', wrong)))).toBe('0501');
    expect(codeIn(await call('server', 'own-open', headersWith(good, wrong)))).toBe('0502');
  });
});
