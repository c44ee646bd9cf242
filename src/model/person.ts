import { applyIdentity } from './identity-graph.ts';
import type { JsonObject } from './json.ts';
import { withAttributes } from './profile-attributes.ts';
import type { Position } from './record.ts';

/** Everything that Weir knows of one person, derived from the log. */
export interface PersonState {
  readonly key: string;
  /** Counts applied changes, from 1. */
  readonly version: number;
  readonly body: JsonObject;
}

/** A fact to be logged and then applied to state. `time` is hybrid logical (model/hybrid-time.ts): a change applies only if newer. */
export interface Change {
  readonly kind: 'consent' | 'identity' | 'profile' | 'decision' | 'erasure' | 'media';
  readonly key: string;
  readonly time: string;
  readonly body: JsonObject;
}

/**
 * The key of a person: persons of two orgs never meet, nor do two ids of one org. Namespaces and ids are case-sensitive
 * (documented). The separator is escaped where a client put it into a namespace, else `a|b` + `c` would be `a` + `b|c`.
 */
export function personKey(orgId: string, namespace: string, id: string): string {
  if (last.id !== id || last.namespace !== namespace || last.orgId !== orgId) {
    last = { orgId, namespace, id, key: `${keyPart(orgId)}|${keyPart(namespace)}|${id}` };
  }
  return last.key;
}

/** A request asks for its visitor's key again and again: one text is hashed and compared once. */
let last = { orgId: '', namespace: '', id: '', key: '||' };

function keyPart(text: string): string {
  return text.includes('|') || text.includes('%') ? text.replaceAll('%', '%25').replaceAll('|', '%7C') : text;
}

/**
 * The next state of a person after one change: pure, the same in every engine. A section (`body.consent` …) holds the
 * change's body, its time and the position of its record; an `update` merges into the section's `value`, everything
 * else replaces it. Not newer than the section → the state is returned as it was. News of an identity are added to what is
 * known (model/identity-graph.ts).
 */
export function applyChange(person: PersonState | null, change: Change, position: Position): PersonState | null {
  const section = person?.body[change.kind] as JsonObject | undefined;
  if (change.kind === 'identity') return withSection(person, change, applyIdentity(section, change), position);
  if (section !== undefined && (section['time'] as string) >= change.time) return person;
  const { operation, value } = change.body;
  const merged = operation === 'update' ? updated(change.kind, section, value as JsonObject) : value;
  const next: JsonObject = {};
  // A loop: `...rest` of a destructuring costs 2 µs here, this 0.2 (Node 20).
  for (const name of Object.keys(change.body)) if (!OWN_FIELDS.has(name)) next[name] = change.body[name]!;
  if (merged !== undefined) next['value'] = merged;
  return withSection(person, change, next, position);
}

/** Attributes that are taken away are gone, so that a visitor has room for others. */
function updated(kind: Change['kind'], section: JsonObject | undefined, value: JsonObject): JsonObject {
  const before = section?.['value'] as JsonObject | undefined;
  return kind === 'profile' ? withAttributes(before ?? {}, value) : { ...before, ...value };
}

function withSection(
  person: PersonState | null,
  { kind, key, time }: Change,
  section: JsonObject,
  position: Position,
): PersonState {
  const record = `${position.partition}:${position.offset}`;
  const stamped = Object.assign(section, { time, record });
  return { key, version: (person?.version ?? 0) + 1, body: { ...person?.body, [kind]: stamped } };
}

/**
 * Fields of a change's body that say how it is applied, or (`given`, `previous`, `collect`) are there to prove it, and stay in the log;
 * `__proto__` would be no field.
 */
const OWN_FIELDS: ReadonlySet<string> = new Set(['operation', 'value', 'given', 'previous', 'collect', '__proto__']);
