import { createHash } from 'node:crypto';
import { isObject, type Json, type JsonObject, parseJson } from '../model/json.ts';

/**
 * One line of the audit log, JSON:
 *
 *     {"seq":N,"at":"<ISO time>","what":"…","who":{…},"details":{…},"prev":"<hash of the line before>","hash":"<hash>"}
 *
 * `hash` is the SHA-256, in hex, of the line as it would be without it; `prev` of the first line is 64 zeros. So a line
 * that was changed, added, moved or taken out in the middle breaks the chain. Lines cut off at the end are seen by
 * whoever keeps the last sequence number and hash elsewhere: /health shows them.
 */
export interface AuditEntry {
  readonly what: AuditAction;
  readonly who: JsonObject;
  readonly details: JsonObject;
}

/** Everything that is audited. */
export type AuditAction =
  | 'token.created'
  | 'token.not-created'
  | 'token.revoked'
  | 'configuration.reloaded'
  | 'person.erased'
  | 'person.not-erased'
  | 'person.exported';

export interface AuditLine extends AuditEntry {
  /** From 1. */
  readonly seq: number;
  readonly at: string;
  readonly prev: string;
  readonly hash: string;
}

/** Where the chain stands. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: string;
}
export const CHAIN_START: ChainHead = { seq: 0, hash: '0'.repeat(64) };

/** The next line, without its line break. */
export function auditLine(after: ChainHead, at: Date, { what, who, details }: AuditEntry): string {
  const body = JSON.stringify({ seq: after.seq + 1, at: at.toISOString(), what, who, details, prev: after.hash });
  return `${body.slice(0, -1)},"hash":"${sha256(body)}"}`;
}

const HASHED = /^(\{.*),"hash":"([0-9a-f]{64})"\}$/s;

/** A line whose hash is right; null for anything else. Whether it belongs behind another one is `follows`. */
export function readAuditLine(text: string): AuditLine | null {
  const [, body, hash] = HASHED.exec(text) ?? [];
  if (body === undefined || sha256(`${body}}`) !== hash) return null;
  const line: Json = parseJson(text);
  return isObject(line) ? (line as unknown as AuditLine) : null;
}

export function follows(line: AuditLine, head: ChainHead): boolean {
  return line.seq === head.seq + 1 && line.prev === head.hash;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
