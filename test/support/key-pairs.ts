import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Algorithm } from '../../src/model/auth.ts';

/** A key pair with its id, and what an issuer publishes of it. */
export interface KeyPair {
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
}

export function keyPair(algorithm: Algorithm, kid: string): KeyPair {
  const pair =
    algorithm === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: algorithm };
  return { kid, algorithm, jwk, ...pair };
}

/** A JWK Set as text. */
export function jwksOf(...pairs: readonly KeyPair[]): string {
  return JSON.stringify({ keys: pairs.map(({ jwk }) => jwk) });
}

/** A JWT made by hand, so that it can be wrong in every way. `header` is added to `alg` and `kid`, and wins. */
export function jwt(pair: KeyPair, claims: unknown, header: Readonly<Record<string, unknown>> = {}): string {
  const signed = `${encoded({ alg: pair.algorithm, kid: pair.kid, typ: 'JWT', ...header })}.${encoded(claims)}`;
  const key = { key: pair.privateKey, dsaEncoding: 'ieee-p1363' } as const;
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

/** A part of a JWT. */
export function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
