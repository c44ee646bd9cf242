import { createHash, randomBytes } from 'node:crypto';
import { isObject, type Json, type JsonObject, parseJson } from '../model/json.ts';

/**
 * Admin tokens: 256 random bits behind a prefix that secret scanners can look for. Only the SHA-256 is kept: what is
 * random in full needs no slow hash. What a token may do is written beside it, never in it.
 */
export const TOKEN_PREFIX = 'weir_at_';
const TOKEN_BYTES = 32;
const ID_BYTES = 6;
/** Checked at every authentication: more are nobody's plan. */
export const TOKENS_MAX = 1_000;

export const ROLES = ['read', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export interface TokenScope {
  /** Null: an operator's, for every org and for the server itself. */
  readonly orgId: string | null;
  readonly role: Role;
  /** Ids of datastreams, environments included; null: every one of the org. */
  readonly datastreams: readonly string[] | null;
}

export interface AdminToken extends TokenScope {
  /** Public: names the token in lists, in the audit log and to `revoke`. */
  readonly id: string;
  /** SHA-256 of the token's text, in hex. */
  readonly hash: string;
  /** Unix epoch, milliseconds. */
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

/** A new token and its text, which is told once and not kept. */
export function mintToken(scope: TokenScope, nowMs: number, expiresAtMs: number): { token: AdminToken; text: string } {
  const text = TOKEN_PREFIX + randomBytes(TOKEN_BYTES).toString('base64url');
  const id = randomBytes(ID_BYTES).toString('hex');
  return { text, token: { id, hash: hashOf(text), ...scope, createdAtMs: nowMs, expiresAtMs } };
}

/** Of the text as a client sends it; looked up, not compared, so its time tells nothing of other hashes. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A token as lists and the audit log show it: without its hash. */
export function describeToken({ id, orgId, role, datastreams, createdAtMs, expiresAtMs }: AdminToken): JsonObject {
  return {
    id,
    org: orgId,
    role,
    datastreams: datastreams === null ? null : [...datastreams],
    createdAt: new Date(createdAtMs).toISOString(),
    expiresAt: new Date(expiresAtMs).toISOString(),
  };
}

const VERSION = 1;

export function encodeTokens(tokens: readonly AdminToken[]): string {
  return `${JSON.stringify({ version: VERSION, tokens }, null, 2)}\n`;
}

/** Throws where the text is not what `encodeTokens` makes: tokens that cannot be read are none. */
export function decodeTokens(text: string, path: string): readonly AdminToken[] {
  const refuse = (cause?: unknown): Error =>
    new Error(
      `${path} cannot be read: no admin token is taken. Restore it from a backup, or remove it and create new tokens.`,
      { cause },
    );
  let value: Json;
  try {
    value = parseJson(text);
  } catch (error) {
    throw refuse(error);
  }
  if (!isObject(value) || value['version'] !== VERSION || !Array.isArray(value['tokens'])) throw refuse();
  if (!value['tokens'].every(isToken)) throw refuse();
  return value['tokens'] as unknown as readonly AdminToken[];
}

function isToken(value: Json): boolean {
  if (!isObject(value)) return false;
  const { id, hash, orgId, role, datastreams, createdAtMs, expiresAtMs } = value;
  return (
    typeof id === 'string' &&
    typeof hash === 'string' &&
    /^[0-9a-f]{64}$/.test(hash) &&
    (orgId === null || typeof orgId === 'string') &&
    ROLES.some((known) => known === role) &&
    (datastreams === null ||
      (Array.isArray(datastreams) && datastreams.every((datastream) => typeof datastream === 'string'))) &&
    typeof createdAtMs === 'number' &&
    typeof expiresAtMs === 'number'
  );
}
