import { createHash } from 'node:crypto';
import { cookiePrefixOf } from '../model/datastream.ts';
import { type IdentityRules, type Namespace, STANDARD_NAMESPACES } from '../model/identity-rules.ts';
import { quoted } from '../model/json.ts';
import type { Finding } from './finding.ts';
import { named } from './schema-findings.ts';
import type { KeyPath, Source } from './source.ts';

/** What weir.yaml says of identities in every datastream, after its schema has been checked. */
export interface IdentityFile {
  readonly namespaces?: Readonly<Record<string, Readonly<Record<string, NamespaceFile>>>>;
  readonly junkIds?: readonly string[];
}
interface NamespaceFile {
  readonly kind?: Namespace['kind'];
  readonly sha256?: boolean;
}

/** Of all orgs. */
export interface OrgIdentities {
  readonly namespacesOf: (orgId: string) => ReadonlyMap<string, Namespace>;
  readonly junkIds: ReadonlySet<string>;
  /** Grows with every datastream that is read. */
  readonly cookieNames: Set<string>;
  /** False where weir.yaml could not be read: what it declares is not known. */
  readonly isComplete: boolean;
}

const standard: readonly (readonly [string, Namespace])[] = Object.entries(STANDARD_NAMESPACES);
/** Taken by every datastream: without them nobody is known again. */
const ALWAYS: readonly string[] = ['ECID', 'FPID', 'CORE'];

/**
 * What forms and scripts send where they know nobody: two visitors who share one are no one person. Chosen; the last two
 * are UUIDs without a bit set, as devices report that were told not to be tracked.
 */
export const JUNK_IDS: readonly string[] = [
  ...['', 'null', 'undefined', '0', 'anonymous'],
  ...['00000000-0000-0000-0000-000000000000', '00000000000000000000000000000000'],
];
/** By which ids are hashed before they are sent. */
const HASHES = ['md5', 'sha1', 'sha256', 'sha512'];

export function orgIdentities(
  file: IdentityFile | undefined,
  source: Source | null,
  findings: Finding[],
): OrgIdentities {
  const all = new Map<string, ReadonlyMap<string, Namespace>>();
  for (const [org, own] of Object.entries(file?.namespaces ?? {})) {
    for (const code of Object.keys(own)) {
      if (!Object.hasOwn(STANDARD_NAMESPACES, code) || source === null) continue;
      const at: KeyPath = ['identity', 'namespaces', org, code];
      const message = `${named(at)} is a namespace that every org has, and means the same in each. Remove it, or give yours another code.`;
      findings.push(source.error(at, message, 'key'));
    }
    all.set(org, new Map([...standard, ...Object.entries(own).map(namespaceOf)]));
  }
  const none: ReadonlyMap<string, Namespace> = new Map(standard);
  return {
    namespacesOf: (orgId) => all.get(orgId) ?? none,
    junkIds: junkIdsOf(file?.junkIds ?? []),
    cookieNames: new Set(),
    isComplete: source !== null,
  };
}

function namespaceOf([code, file]: [string, NamespaceFile]): [string, Namespace] {
  return [code, { kind: file.kind ?? 'person', isSha256: file.sha256 ?? false }];
}

/** With the hashes of each. */
function junkIdsOf(more: readonly string[]): ReadonlySet<string> {
  const ids = [...JUNK_IDS, ...more.map((id) => id.trim().toLowerCase())];
  const hashed = ids.flatMap((id) => HASHES.map((name) => createHash(name).update(id).digest('hex')));
  return new Set([...ids, ...hashed]);
}

/** The codes that a datastream limits itself to, each of them known. */
export function checkNamespaces(
  codes: readonly string[],
  identities: OrgIdentities,
  orgId: string,
  at: KeyPath,
  source: Source,
  findings: Finding[],
): void {
  if (!identities.isComplete) return;
  const known = identities.namespacesOf(orgId);
  codes.forEach((code, index) => {
    if (known.has(code)) return;
    const path = [...at, index];
    const message = `${named(path)} is ${quoted(code)}, which is no namespace of this org. Known: ${[...known.keys()].join(', ')}. Others are declared in weir.yaml, under identity.namespaces.`;
    findings.push(source.error(path, message));
  });
}

export function identityRules(
  { namespacesOf, junkIds, cookieNames }: OrgIdentities,
  orgId: string,
  codes: readonly string[] | undefined,
  isStrict: boolean,
): IdentityRules {
  cookieNames.add(`${cookiePrefixOf(orgId)}identity`);
  const known = namespacesOf(orgId);
  const taken = codes === undefined ? null : new Set([...ALWAYS, ...codes]);
  const namespaces = taken === null ? known : new Map([...known].filter(([code]) => taken.has(code)));
  return { namespaces, junkIds, cookieNames, isStrict };
}
