import type { JWTPayload } from 'jose';
import type { Issuer } from '../model/auth.ts';
import { isObject, type Json, type JsonObject, parseJson } from '../model/json.ts';
import { expired, malformed, notTrusted } from './access-refusals.ts';
import type { Grant } from './grants.ts';
import type { KeySource } from './keys.ts';

/** Issuers by what their tokens call them, with their keys. */
export type TrustedIssuers = ReadonlyMap<string, { readonly issuer: Issuer; readonly keys: KeySource }>;

/** "Bearer" in any case (RFC 9110, 11.1), then a JWT. A signature may be empty, so that `alg: none` is refused for what it is. */
const BEARER = /^bearer +([\w-]+\.[\w-]+\.[\w-]*)$/i;

/** A token as it says itself: nothing of it is believed yet. */
export interface Claimed {
  readonly authorization: string;
  readonly token: string;
  readonly header: JsonObject;
  readonly claims: JsonObject;
}

/** The token of an Authorization header. Throws 0500 for everything that is none. */
export function readToken(authorization: string): Claimed {
  const token = BEARER.exec(authorization)?.[1];
  if (token?.split('.').every(isCanonical) === true) {
    const [header, claims] = token.split('.', 2).map(decodePart) as [JsonObject, JsonObject];
    return { authorization, token, header, claims };
  }
  throw malformed(
    /^bearer( |$)/i.test(authorization)
      ? 'What follows Bearer in the Authorization header is no JWT'
      : "The Authorization header does not begin with 'Bearer '",
  );
}

/**
 * Checks a token: signature, algorithm, key, issuer, audience and beginning (0502), then its end (0503). Throws these
 * as Problems, 0500 where it is no JWT after all, and `KeysUnavailable`. The key is one that its issuer is configured
 * with: `jku`, `x5u` and `jwk` in a token's header mean nothing, and `crit` is refused. `nowMs`: Unix epoch.
 */
export async function checkToken(
  { authorization, token, header, claims }: Claimed,
  issuers: TrustedIssuers,
  clockToleranceSeconds: number,
  nowMs: number,
): Promise<Grant> {
  const trusted = issuers.get(textOf(claims['iss'] ?? claims['as']));
  if (trusted === undefined) throw notTrusted('Its issuer is not one that this server takes tokens of');
  const { issuer, keys } = trusted;
  if (Object.hasOwn(header, 'crit')) throw notTrusted("Its header has 'crit', which is not taken");
  const algorithm = issuer.algorithms.find((one) => one === header['alg']);
  if (algorithm === undefined) throw notTrusted(`Its 'alg' is not ${issuer.algorithms.join(' or ')}`);
  const kid = textOf(header['kid']);
  const key = kid === '' ? null : await keys.find(kid);
  if (key === null) throw notTrusted("Its 'kid' names no key of its issuer");
  if (key.algorithm !== algorithm) throw notTrusted("Its 'alg' is not that of its key");
  const rules = {
    algorithms: [algorithm],
    clockTolerance: clockToleranceSeconds,
    currentDate: new Date(nowMs),
    ...(issuer.kind === 'oidc'
      ? {
          issuer: issuer.issuer,
          audience: [...issuer.audiences],
          requiredClaims: ['exp'],
          maxTokenAge: issuer.maxAgeSeconds,
        }
      : {}),
  };
  const { jwtVerify } = await import('jose/jwt/verify');
  const payload = await jwtVerify(token, key.key, rules).then((verified) => verified.payload, refuse);
  const times = issuer.kind === 'ims' ? imsTimes(payload, issuer) : { issuedAt: payload.iat!, expiresAt: payload.exp! };
  const seconds = Math.min(times.expiresAt, times.issuedAt + issuer.maxAgeSeconds + 1) + clockToleranceSeconds;
  const expiresAtMs = seconds * 1000;
  if (issuer.kind === 'ims') checkImsTimes(times.issuedAt, expiresAtMs, clockToleranceSeconds, nowMs);
  return { authorization, expiresAtMs, ...rightsOf(payload as JsonObject, issuer) };
}

/** One text for the same bytes: base64 whose last bits are loose would be a second token with the same signature. */
function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}

/** JSON in base64url. */
function decodePart(part: string): JsonObject {
  try {
    const value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url')));
    if (isObject(value)) return value;
  } catch (cause) {
    throw malformed('The token is no JWT: a part of it is no JSON', cause);
  }
  throw malformed('The token is no JWT: a part of it is no JSON object');
}

/** What the library found, by its codes. Anything else is our own mistake. */
function refuse(error: Error & { readonly code?: string; readonly claim?: string }): never {
  const { code, claim } = error;
  if (code === 'ERR_JWT_EXPIRED') {
    throw expired(
      claim === 'iat' ? 'It was made longer ago than this server takes' : "Its 'exp' is in the past",
      error,
    );
  }
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED') throw notTrusted(`Its claim '${claim}' is missing or wrong`, error);
  if (code === 'ERR_JWS_INVALID' || code === 'ERR_JWT_INVALID') throw malformed('The token is no JWT', error);
  if (code?.startsWith('ERR_J') === true) throw notTrusted('Its signature does not fit', error);
  throw error;
}

interface Times {
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/**
 * Seconds of the Unix epoch. IMS writes milliseconds as texts: when a token was made, and for how long. Where there is
 * an `exp` it counts as well, and was checked. IMS signs refresh tokens and codes with the same keys, so the type counts.
 */
function imsTimes(claims: JWTPayload, { issuer }: Issuer): Times {
  if (claims['as'] !== issuer) throw notTrusted("Its claim 'as' is missing or wrong");
  if (claims['type'] !== 'access_token') throw notTrusted("Its claim 'type' is not access_token");
  const createdAt = millisecondsOf(claims['created_at']) / 1000;
  const issuedAt = Number.isFinite(createdAt) ? createdAt : (claims.iat ?? Number.NaN);
  const expiresAt = Math.min(
    createdAt + millisecondsOf(claims['expires_in']) / 1000 || Number.POSITIVE_INFINITY,
    claims.exp ?? Number.POSITIVE_INFINITY,
  );
  if (Number.isFinite(issuedAt) && Number.isFinite(expiresAt)) return { issuedAt, expiresAt };
  throw notTrusted("Its claims 'created_at' and 'expires_in' are missing or wrong");
}

function checkImsTimes(issuedAt: number, expiresAtMs: number, toleranceSeconds: number, nowMs: number): void {
  if (issuedAt * 1000 > nowMs + toleranceSeconds * 1000) throw notTrusted("Its claim 'created_at' is in the future");
  if (nowMs >= expiresAtMs) throw expired('It is past its end');
}

function millisecondsOf(value: unknown): number {
  const isTime = typeof value === 'number' || (typeof value === 'string' && /^\d{1,15}$/.test(value));
  return isTime ? Number(value) : Number.NaN;
}

function rightsOf(
  claims: JsonObject,
  issuer: Issuer,
): Pick<Grant, 'clientId' | 'orgs' | 'datastreams' | 'missingScope'> {
  const { client, org, scope } = issuer.claims;
  const clientId = client.map((name) => textOf(claims[name])).find((id) => id !== '') ?? '';
  const scopes = listOf(claims[scope], issuer.kind === 'ims' ? /[\s,]+/ : /\s+/);
  const missingScope = issuer.scopes.find((one) => !scopes.includes(one)) ?? null;
  const named = Object.hasOwn(claims, org) ? new Set(listOf(claims[org], null)) : null;
  if (issuer.clients === null) return { clientId, orgs: named ?? NOBODY, datastreams: null, missingScope };
  const known = issuer.clients.get(clientId);
  if (known === undefined) return { clientId, orgs: NOBODY, datastreams: null, missingScope };
  const orgs = named === null ? known.orgs : new Set([...known.orgs].filter((one) => named.has(one)));
  return { clientId, orgs, datastreams: known.datastreams, missingScope };
}
const NOBODY: ReadonlySet<string> = new Set();

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** A list of texts, or one text: split, or whole where `separator` is null. */
function listOf(value: Json | undefined, separator: RegExp | null): readonly string[] {
  if (Array.isArray(value)) return value.filter((one): one is string => typeof one === 'string');
  if (typeof value !== 'string') return [];
  return separator === null ? [value] : value.split(separator);
}
