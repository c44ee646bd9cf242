import { createHash } from 'node:crypto';
import type { ServerOptions } from '../config/options.ts';
import type { Workspace } from '../model/datastream.ts';
import type { JsonObject } from '../model/json.ts';

/** A workspace with the options of its weir.yaml. */
export interface Configuration {
  readonly workspace: Workspace;
  readonly options: ServerOptions;
}

/** So many changes are told one by one; of a whole new workspace the rest is only counted. */
export const CHANGES_MAX = 100;
/** Long enough to recognise a value. */
export const VALUE_CHARACTERS_MAX = 120;
const KEY_CHARACTERS_MAX = 160;
/** Values under such a name are never shown, old or new. */
const SECRET = /secret|token|key|password|passphrase|credential|authorization/i;
/** Names that hold no secret though they sound like one: where a key is, not what it is. */
const NO_SECRET = /(Path|File|tlsKey|publicKey|jwksUrl|tokenUrl)$/;
/** Made of other fields. */
const DERIVED: ReadonlySet<string> = new Set(['cookiePrefix']);

/**
 * What a reload changed: key (as in the files, datastreams by id), old and new value as JSON, null where there is none.
 * Secrets are masked: it is said that one changed, and nothing of it.
 */
export function configurationChanges(from: Configuration, to: Configuration): JsonObject {
  const before = leavesOf(from);
  const after = leavesOf(to);
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));
  const changes = changed
    .sort()
    .slice(0, CHANGES_MAX)
    .map((key) => ({
      key: key.slice(0, KEY_CHARACTERS_MAX),
      old: shown(key, before.get(key)),
      new: shown(key, after.get(key)),
    }));
  return { changes, more: changed.length - changes.length };
}

function shown(key: string, value: string | undefined): string | null {
  if (value === undefined) return null;
  const name = key.slice(key.lastIndexOf('.') + 1);
  if (key.split('.').some((part) => SECRET.test(part)) && !NO_SECRET.test(name)) return '***';
  return value.length <= VALUE_CHARACTERS_MAX ? value : `${value.slice(0, VALUE_CHARACTERS_MAX)}…`;
}

function leavesOf({ workspace, options }: Configuration): Map<string, string> {
  const leaves = new Map<string, string>();
  addLeaves(leaves, '', options);
  addLeaves(leaves, 'region', workspace.ownRegion.hint);
  for (const { hint, targetId, audienceManagerId } of workspace.regions.byHint.values()) {
    addLeaves(leaves, `regions.${hint}`, { targetId, audienceManagerId });
  }
  for (const [path, { body }] of workspace.pages) leaves.set(`site.${path}`, JSON.stringify(digestOf(body)));
  const { issuers, ...auth } = workspace.auth;
  addLeaves(leaves, 'auth', auth);
  for (const issuer of issuers) {
    const jwks = issuer.jwks === null ? null : digestOf(issuer.jwks);
    addLeaves(leaves, `auth.issuers.${issuer.issuer}`, { ...issuer, jwks });
  }
  for (const datastream of workspace.datastreams.values())
    addLeaves(leaves, `datastreams.${datastream.id}`, datastream);
  return leaves;
}

function digestOf(content: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex').slice(0, 16)}`;
}

function addLeaves(leaves: Map<string, string>, at: string, value: unknown): void {
  if (value instanceof Set) return void leaves.set(at, JSON.stringify([...value].sort()));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return void leaves.set(at, JSON.stringify(value) ?? 'null');
  }
  const entries: Iterable<readonly [string, unknown]> = value instanceof Map ? value : Object.entries(value);
  for (const [key, child] of entries) {
    if (!DERIVED.has(key)) addLeaves(leaves, at === '' ? key : `${at}.${key}`, child);
  }
}
