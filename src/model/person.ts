import type { JsonObject } from './json.ts';
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

/** The key of a person: persons of two orgs never meet. Namespaces and ids are case-sensitive (documented). */
export function personKey(orgId: string, namespace: string, id: string): string {
  return `${orgId}|${namespace}|${id}`;
}

/**
 * The next state of a person after one change: pure, the same in every engine. A section (`body.consent` …) holds the
 * change's body, its time and the position of its record; an `update` merges into the section's `value`, everything
 * else replaces it. Not newer than the section → the state is returned as it was.
 */
export function applyChange(person: PersonState | null, change: Change, position: Position): PersonState | null {
  const section = person?.body[change.kind] as JsonObject | undefined;
  if (section !== undefined && (section['time'] as string) >= change.time) return person;
  const { operation, value, ...rest } = change.body;
  const merged =
    operation === 'update' ? { ...(section?.['value'] as JsonObject | undefined), ...(value as JsonObject) } : value;
  const next: JsonObject = { ...rest, time: change.time, record: `${position.partition}:${position.offset}` };
  if (merged !== undefined) next['value'] = merged;
  return { key: change.key, version: (person?.version ?? 0) + 1, body: { ...person?.body, [change.kind]: next } };
}
