import { createHash, hash, timingSafeEqual } from 'node:crypto';
import {
  claimsOf,
  claimsOfBoth,
  type DecisionClaims,
  decisionClaims,
  type TokenClaims,
} from '../model/decision-token.ts';
import { Hmac, MAC_BYTES } from './hmac.ts';

const HEAD_BYTES = 1 + MAC_BYTES;
/** Of the last part of a token: 132 bits. */
const TAG_CHARACTERS = 22;
/** Ids of 128 characters, a scope of a long URL. What is longer was not written here, and is not looked at. Chosen. */
export const TOKEN_CHARACTERS_MAX = 8_192;

/**
 * Signs event tokens, and reads those that this installation signed for this visitor: so a notification needs no look-up to be
 * believed, and nobody's page can be credited with what another visitor was shown. Keys are as those of identity cookies: the
 * first signs, all are believed. Chosen.
 *
 * A page is told of several propositions, of which each needs a token; what costs is made once for the decision. A token is
 * `decision.content.tag`: base64url of key id (1 byte) and what all of the decision say; base64url of what it says alone; and
 * the beginning of a SHA-256 over a secret of the decision and `content`. The secret is HMAC-SHA-256 over the org, the visitor's
 * ECID and `decision`, in hexadecimal digits. A hash that begins with a secret of one block, and of which half is not shown, is a
 * MAC: nobody can go on with it as with a whole one. (AMAC; proven by Bellare, Bernstein and Tessaro, EUROCRYPT 2016.)
 *
 * Tokens of before are base64url of `key id | the first 128 bits of HMAC-SHA-256 over the org, the visitor's ECID and the claims
 * | claims`, and are believed.
 */
export class TokenSeal {
  readonly #keys: ReadonlyMap<number, Hmac>;
  readonly #signing: readonly [id: number, key: Hmac];

  /** `keys`: 32 secret bytes each. Throws where two share an id. */
  constructor(keys: readonly Uint8Array[]) {
    const all = keys.map((key) => [createHash('sha256').update(key).digest()[0]!, new Hmac(key)] as const);
    this.#signing = all[0]!;
    this.#keys = new Map(all);
    if (this.#keys.size < keys.length) {
      throw new Error(
        'Two keys for event tokens are equal, or begin alike when hashed, so that tokens cannot tell them apart. Make another one with: openssl rand -hex 32',
      );
    }
  }

  /** Signs what a decision shows, each by its `contentPart`. `ecid`: whose decision it was; null where the request had none. */
  signer(orgId: string, ecid: string | null, claims: DecisionClaims): (content: string) => string {
    const [id, key] = this.#signing;
    const decision = decisionPart(id, decisionClaims(claims));
    const secret = secretOf(key, orgId, ecid, decision);
    return (content) => `${decision}.${content}.${tagOf(secret, content)}`;
  }

  /** Null for a token that was not signed here, or not for this org and visitor. */
  open(orgId: string, ecid: string | null, token: string): TokenClaims | null {
    if (token.length > TOKEN_CHARACTERS_MAX) return null;
    const [decision, content, tag, ...others] = token.split('.', 4) as [string, string?, string?, string?];
    if (content === undefined) return this.#openOld(orgId, ecid, token);
    if (tag?.length !== TAG_CHARACTERS || others.length > 0) return null;
    const bytes = Buffer.from(decision, 'base64url');
    const key = this.#keys.get(bytes[0] ?? -1);
    if (key === undefined) return null;
    const expected = tagOf(secretOf(key, orgId, ecid, decision), content);
    // In UTF-8: what is no base64url is longer.
    const given = Buffer.from(tag);
    if (given.length !== TAG_CHARACTERS || !timingSafeEqual(Buffer.from(expected), given)) return null;
    return claimsOfBoth(bytes.toString('utf8', 1), Buffer.from(content, 'base64url').toString());
  }

  #openOld(orgId: string, ecid: string | null, token: string): TokenClaims | null {
    const bytes = Buffer.from(token, 'base64url');
    const key = this.#keys.get(bytes[0] ?? -1);
    // One token has one spelling: what decoding passes over would make many of it.
    if (key === undefined || bytes.length < HEAD_BYTES || bytes.toString('base64url') !== token) return null;
    const text = bytes.subarray(HEAD_BYTES);
    const mac = key.mac(`event token\0${orgId}\0${ecid ?? ''}\0`, text);
    return timingSafeEqual(mac, bytes.subarray(1, HEAD_BYTES)) ? claimsOf(text.toString()) : null;
  }
}

/** The words in front keep this apart from what else is signed with such a key. */
function secretOf(key: Hmac, orgId: string, ecid: string | null, decision: string): string {
  return key.digest('hex', `event tokens\0${orgId}\0${ecid ?? ''}\0${decision}`);
}

function decisionPart(keyId: number, claims: string): string {
  const bytes = Buffer.allocUnsafe(1 + Buffer.byteLength(claims));
  bytes[0] = keyId;
  bytes.write(claims, 1);
  return bytes.toString('base64url');
}

function tagOf(secret: string, content: string): string {
  return hash('sha256', `${secret}${content}`, 'base64url').slice(0, TAG_CHARACTERS);
}
