import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../model/json.ts';
import type { AuditEntry } from './audit-line.ts';
import type { AuditLog } from './audit-log.ts';
import { fingerprint, replaceFile } from './files.ts';
import {
  type AdminToken,
  decodeTokens,
  describeToken,
  encodeTokens,
  hashOf,
  mintToken,
  TOKENS_MAX,
  type TokenScope,
} from './tokens.ts';

const FILE = 'tokens.json';
/** Expired tokens are listed for as long as somebody may wonder why theirs does not work any more. */
export const EXPIRED_KEPT_MS = 30 * 24 * 60 * 60 * 1000;

/** Runs what it is given while no other process does the same. */
export type Exclusively = <T>(run: () => Promise<T>) => Promise<T>;

export interface TokenStoreDeps {
  /** DATA/admin. */
  readonly directory: string;
  readonly audit: AuditLog;
  readonly exclusively: Exclusively;
  readonly nowMs?: () => number;
}

/**
 * The admin tokens of a data folder, in tokens.json, which server and command line share. A change is entered in the
 * audit log first and then made, both durable before anybody is told. A crash in between leaves an entry without its
 * change: the next change to come completes a revocation, and enters that a token was not created after all.
 */
export class TokenStore {
  readonly #deps: TokenStoreDeps;
  readonly #path: string;
  readonly #nowMs: () => number;
  #loaded: { readonly print: string; readonly byHash: ReadonlyMap<string, AdminToken> } | null = null;

  constructor(deps: TokenStoreDeps) {
    this.#deps = deps;
    this.#path = join(deps.directory, FILE);
    this.#nowMs = deps.nowMs ?? Date.now;
  }

  /** The token with this text, if it is known and has not expired. Sees at once what another process changed. */
  async find(text: string): Promise<AdminToken | null> {
    const token = (await this.#current()).get(hashOf(text)) ?? null;
    return token === null || token.expiresAtMs <= this.#nowMs() ? null : token;
  }

  /** Expired ones included. */
  async list(): Promise<readonly AdminToken[]> {
    return [...(await this.#current()).values()];
  }

  /** Returns the token and its text, which cannot be had again. `who`: who asks, for the audit log. */
  create(
    scope: TokenScope,
    lifetimeMs: number,
    who: JsonObject,
  ): Promise<{ readonly token: AdminToken; readonly text: string }> {
    return this.#deps.exclusively(async () => {
      await this.#complete();
      const nowMs = this.#nowMs();
      const kept = (await this.list()).filter(({ expiresAtMs }) => expiresAtMs > nowMs - EXPIRED_KEPT_MS);
      if (kept.length >= TOKENS_MAX) {
        throw new Error(`There are ${kept.length} admin tokens; at most ${TOKENS_MAX} are kept. Revoke some first.`);
      }
      const minted = mintToken(scope, nowMs, nowMs + lifetimeMs);
      await this.#deps.audit.append({ what: 'token.created', who, details: describeToken(minted.token) });
      await this.#write([...kept, minted.token]);
      return minted;
    });
  }

  /** Resolves to the token that holds no longer; null where there is none with this id. */
  revoke(id: string, who: JsonObject): Promise<AdminToken | null> {
    return this.#deps.exclusively(async () => {
      await this.#complete();
      const tokens = await this.list();
      const revoked = tokens.find((token) => token.id === id) ?? null;
      if (revoked === null) return null;
      await this.#deps.audit.append({ what: 'token.revoked', who, details: describeToken(revoked) });
      await this.#write(tokens.filter((token) => token !== revoked));
      return revoked;
    });
  }

  /** Brings tokens and audit log together again after a crash: to be called when the server starts. */
  recover(): Promise<void> {
    return this.#deps.exclusively(() => this.#complete());
  }

  /** Only the last change can be incomplete: each one begins with this. */
  async #complete(): Promise<void> {
    const last = await this.#deps.audit.last(['token.created', 'token.not-created', 'token.revoked']);
    const id = last?.details['id'];
    if (last === null || typeof id !== 'string') return;
    const tokens = await this.list();
    const isThere = tokens.some((token) => token.id === id);
    if (last.what === 'token.revoked' && isThere) await this.#write(tokens.filter((token) => token.id !== id));
    if (last.what === 'token.created' && !isThere) await this.#deps.audit.append(notCreated(id));
  }

  async #write(tokens: readonly AdminToken[]): Promise<void> {
    await replaceFile(this.#deps.directory, FILE, encodeTokens(tokens));
  }

  async #current(): Promise<ReadonlyMap<string, AdminToken>> {
    const print = await fingerprint(this.#path);
    if (this.#loaded?.print !== print) {
      const tokens = print === '' ? [] : decodeTokens(await readFile(this.#path, 'utf8'), this.#path);
      this.#loaded = { print, byHash: new Map(tokens.map((token) => [token.hash, token])) };
    }
    return this.#loaded.byHash;
  }
}

function notCreated(id: string): AuditEntry {
  return {
    what: 'token.not-created',
    who: { kind: 'recovery' },
    details: { id, why: 'The process ended before the token was written: nobody was told of it.' },
  };
}
