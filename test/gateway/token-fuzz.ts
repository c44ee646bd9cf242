import fc from 'fast-check';
import { isObject, type Json } from '../../src/model/json.ts';
import { Problem } from '../../src/model/problem.ts';
import { datastreamOf, ORG, workspaceOf } from '../support/exchanges.ts';
import { accessOf } from '../support/gateway-server.ts';
import { authOf, CLIENT, claimsFor, EC, inSeconds, issuerOf } from '../support/issuers.ts';
import { encoded, jwt, keyPair } from '../support/key-pairs.ts';

/**
 * Tokens that are wrong in ways nobody thought of. Each is refused with one of the codes of access, or it is one that an
 * oracle, which knows what was signed, lets in too. Nothing else is ever thrown.
 */

const SCOPE = 'collect';
const STRANGER = keyPair('ES256', EC.kid);
const workspace = workspaceOf([datastreamOf()], {
  auth: authOf(issuerOf({ algorithms: ['ES256'], scopes: [SCOPE] })),
});
const GOOD_CLAIMS = claimsFor(ORG, { scope: SCOPE, exp: inSeconds(3_500) });
const GOOD = jwt(EC, GOOD_CLAIMS);

interface Fuzzed {
  readonly authorization: string;
  /** What our own key has signed; null where nothing may be let in. */
  readonly signed: { readonly header: Record<string, unknown>; readonly claims: unknown } | null;
}

const nothing = (authorization: string): Fuzzed => ({ authorization, signed: null });

/** One edit of a text: a character replaced, dropped, put in or doubled; an end cut off; two places exchanged. */
const edit = fc.tuple(
  fc.constantFrom('replace', 'drop', 'insert', 'cut', 'swap'),
  fc.nat(),
  fc.nat(),
  fc.constantFrom(...'AZaz09-_.=+/ \u00e9'),
);
type Edit = readonly [kind: string, at: number, other: number, character: string];
function edited(text: string, [kind, anywhere, elsewhere, character]: Edit): string {
  const at = anywhere % (text.length + 1);
  const other = elsewhere % (text.length + 1);
  const [from, to] = [Math.min(at, other), Math.max(at, other)];
  if (kind === 'replace') return text.slice(0, at) + character + text.slice(at + 1);
  if (kind === 'drop') return text.slice(0, at) + text.slice(at + 1);
  if (kind === 'insert') return text.slice(0, at) + character + text.slice(at);
  if (kind === 'cut') return text.slice(0, at);
  return text.slice(0, from) + text.slice(to) + text.slice(from, to);
}

const json = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>;
const time = fc.oneof(
  json,
  fc.integer({ min: -100_000, max: 100_000 }).map(inSeconds),
  fc.double(),
  fc.maxSafeInteger(),
);
const text = (...near: readonly string[]) =>
  fc.oneof(
    json,
    fc.constantFrom(...near),
    fc.constantFrom(...near).map((one) => [one]),
    fc.constant(near),
  );
/** Values for a few of these names, mostly for one or two: of many faults only the first that is looked for is ever met. */
function fewOf(values: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<Record<string, unknown>> {
  const entries = Object.entries(values).map(([name, value]) =>
    fc.tuple(fc.constant(name), fc.option(value, { freq: 6, nil: undefined })),
  );
  const number = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(1, 2) },
    { weight: 1, arbitrary: fc.nat(entries.length) },
  );
  return number.chain((count) =>
    fc
      .subarray(entries, { minLength: count, maxLength: count })
      .chain((chosen) => fc.tuple(...chosen).map((pairs) => Object.fromEntries(pairs))),
  );
}

const claims = fewOf({
  iss: text('https://login.test', 'https://login.test/', 'weir:local'),
  aud: text('weir', 'other'),
  exp: time,
  iat: time,
  nbf: time,
  client_id: text(CLIENT, `${CLIENT} `, ''),
  azp: text(CLIENT),
  org_id: text(ORG, ORG.toLowerCase()),
  scope: text(SCOPE, `a ${SCOPE}`, SCOPE.toUpperCase()),
  as: json,
  ['__proto__']: json,
});
const header = fewOf({
  alg: text('ES256', 'RS256', 'HS256', 'none', 'ES256K'),
  kid: text(EC.kid, 'rsa', '__proto__', 'constructor'),
  // The one extension that the library knows.
  crit: fc.oneof(json, fc.constant(['b64'])),
  b64: fc.oneof(json, fc.constant(true)),
  jwk: fc.constant(STRANGER.jwk),
  jku: json,
  typ: json,
  cty: json,
});
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const few = <T>(one: fc.Arbitrary<T>) => fc.option(one, { freq: 3, nil: null });

export const fuzzed: fc.Arbitrary<Fuzzed> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) => {
      return judged(edits.reduce((so, one) => edited(so, one), `Bearer ${GOOD}`));
    }),
  },
  // The last of these bits say nothing, so there are other spellings of the same signature.
  { weight: 1, arbitrary: fc.constantFrom(...BASE64URL).map((last) => judged(`Bearer ${GOOD.slice(0, -1)}${last}`)) },
  { weight: 1, arbitrary: fc.string({ maxLength: 200, unit: 'binary' }).map(nothing) },
  { weight: 1, arbitrary: fc.string({ maxLength: 60 }).map((rest) => nothing(`Bearer ${rest}`)) },
  {
    weight: 1,
    arbitrary: fc
      .array(json, { minLength: 2, maxLength: 5 })
      .map((parts) => nothing(`Bearer ${parts.map(encoded).join('.')}`)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(header, few(claims))
      .map(([head, own]) => nothing(`Bearer ${jwt(STRANGER, { ...GOOD_CLAIMS, ...own }, head)}`)),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        few(header),
        fc.oneof(
          { weight: 9, arbitrary: claims.map((own) => ({ ...GOOD_CLAIMS, ...own })) },
          { weight: 1, arbitrary: json },
        ),
      )
      .map(([head, own]) => ({
        authorization: `Bearer ${jwt(EC, own, head ?? {})}`,
        signed: { header: { alg: 'ES256', kid: EC.kid, ...head }, claims: own },
      })),
  },
);

/** What stands behind "Bearer", whatever its case and however many spaces. */
function tokenIn(authorization: string): string {
  return authorization.replace(/^bearer +/i, '');
}
function judged(authorization: string): Fuzzed {
  const signed = { header: { alg: 'ES256', kid: EC.kid }, claims: GOOD_CLAIMS };
  return tokenIn(authorization) === GOOD ? { authorization, signed } : nothing(authorization);
}

/** The rules, written down once more. */
function mayEnter(signed: Fuzzed['signed'], nowMs: number): boolean {
  if (signed === null || !isObject(signed.claims)) return false;
  // What is undefined was left out.
  const head = JSON.parse(JSON.stringify(signed.header)) as Record<string, Json>;
  const own = JSON.parse(JSON.stringify(signed.claims)) as Record<string, Json>;
  if (head['alg'] !== 'ES256' || head['kid'] !== EC.kid || Object.hasOwn(head, 'crit')) return false;
  const { iss, aud, exp, iat, nbf, client_id: client, azp, org_id: org, scope } = own;
  const now = Math.floor(nowMs / 1000);
  const number = (value: Json | undefined): value is number => typeof value === 'number';
  return (
    iss === 'https://login.test' &&
    [aud].flat().includes('weir') &&
    number(exp) &&
    exp > now - 10 &&
    number(iat) &&
    iat <= now + 10 &&
    now - iat <= 3_600 + 10 &&
    (nbf === undefined || (number(nbf) && nbf <= now + 10)) &&
    (typeof client === 'string' && client !== '' ? client : azp) === CLIENT &&
    [org].flat().includes(ORG) &&
    (typeof scope === 'string' ? scope.split(/\s+/) : [scope].flat()).includes(SCOPE)
  );
}

const CODES = ['EXEG-0500-401', 'EXEG-0502-401', 'EXEG-0503-401', 'EXEG-0504-401', 'EXEG-0505-401'];
const access = accessOf();

/** Throws where a token is judged otherwise than it should be. Asked twice: what is remembered has to be right as well. */
export async function judgeFuzzed({ authorization, signed }: Fuzzed): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const nowMs = Date.now();
    const entered = await outcomeOf(authorization, nowMs);
    const wanted = mayEnter(signed, nowMs);
    if (entered !== wanted) throw new Error(wanted ? 'A good token was refused.' : 'A bad token was let in.');
  }
}

async function outcomeOf(authorization: string, nowMs: number): Promise<boolean> {
  const query = {
    datastreamId: 'shop',
    dataStreamId: null,
    configId: null,
    requestId: null,
    silent: null,
    weir_preview: null,
    misspelt: null,
  };
  const to = { role: 'server', datastream: null } as unknown as Parameters<typeof access.admit>[0]['to'];
  const headers = { authorization, 'x-api-key': CLIENT, 'x-gw-ims-org-id': ORG };
  try {
    await access.admit({ headers, workspace, path: '/v2/interact', query, to, nowMs });
    return true;
  } catch (error) {
    if (!(error instanceof Problem) || !CODES.includes(error.spec.code)) throw error;
    return false;
  }
}
