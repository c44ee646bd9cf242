import type { AuthOptions, Issuer } from '../../src/model/auth.ts';
import { encoded, jwksOf, jwt, type KeyPair, keyPair } from './key-pairs.ts';

/** Issuers with their keys, and the tokens that they would make. */

export const RSA = keyPair('RS256', 'rsa');
export const EC = keyPair('ES256', 'ec');
/** Somebody else's. */
export const STRANGER = keyPair('RS256', 'rsa');

export const ISSUER = 'https://login.test';
export const AUDIENCE = 'weir';
export const CLIENT = 'backend';

export function issuerOf(fields: Partial<Issuer> = {}): Issuer {
  return {
    issuer: ISSUER,
    kind: 'oidc',
    audiences: [AUDIENCE],
    jwksUrl: null,
    jwks: fields.jwksUrl === undefined ? jwksOf(RSA, EC) : null,
    algorithms: ['RS256'],
    claims: { client: ['client_id', 'azp'], org: 'org_id', scope: 'scope' },
    scopes: [],
    maxAgeSeconds: 3_600,
    clients: null,
    ...fields,
  };
}

export function authOf(...issuers: readonly Issuer[]): AuthOptions {
  return { issuers, local: false, clockToleranceSeconds: 10 };
}

/** Seconds of the Unix epoch, `offset` seconds from now. */
export const inSeconds = (offset: number): number => Math.floor(Date.now() / 1000) + offset;

/** Claims of a good token for an org. Undefined leaves a claim out. */
export function claimsFor(orgId: string, fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const { iss = ISSUER, ...rest } = fields;
  const good = { aud: AUDIENCE, client_id: CLIENT, org_id: orgId, iat: inSeconds(-60), exp: inSeconds(600) };
  return { ...(iss === null ? {} : { iss }), ...good, ...rest };
}

export function tokenFor(orgId: string, fields: Readonly<Record<string, unknown>> = {}, pair: KeyPair = RSA): string {
  return jwt(pair, claimsFor(orgId, fields));
}

/** A token whose signature is given: what was signed is not what it says. */
export function withSignature(header: unknown, claims: unknown, signature: string): string {
  return `${encoded(header)}.${encoded(claims)}.${signature}`;
}

/** The three headers, or those of them that are not null. */
export function credentials(token: string | null, apiKey: string | null, orgId: string | null): [string, string][] {
  const all: [string, string | null][] = [
    ['Authorization', token === null ? null : `Bearer ${token}`],
    ['x-api-key', apiKey],
    ['x-gw-ims-org-id', orgId],
  ];
  return all.filter((header): header is [string, string] => header[1] !== null);
}
