import type { DecisionQuery } from './decision.ts';
import { meant } from './did-you-mean.ts';
import type { ReceivedEvent } from './exchange.ts';
import { isObject, type Json, type JsonObject, own, quoted, valueAt } from './json.ts';
import { type Problem, problem } from './problem.ts';

/** Documented of scopes; the same of surfaces, chosen. */
export const SCOPES_MAX = 30;
/** The SDKs name nine; chosen. */
export const SCHEMAS_MAX = 50;
/** Surfaces hold addresses of pages, which have a few hundred characters; each is sent back. Chosen. */
export const SCOPE_CHARACTERS_MAX = 4_096;

/** What a request or event asks for: `query.personalization`, as it was sent. Null where it does not ask, or says `enabled: false`. */
export function personalizationOf(query: JsonObject | null, path: string): JsonObject | null {
  const asked = query === null ? undefined : own(query, 'personalization');
  if (asked === undefined || asked === null) return null;
  if (!isObject(asked)) throw wrong(path, 'an object', asked);
  const enabled = valueAt(asked, 'enabled');
  if (enabled !== undefined && typeof enabled !== 'boolean') throw wrong(`${path}.enabled`, 'true or false', enabled);
  return enabled === false ? null : asked;
}

const KEYS = ['schemas', 'decisionScopes', 'surfaces', 'enabled'];
/** So many unknown keys are compared with those that there are. Chosen. */
export const UNKNOWN_KEYS_MAX = 10;

/**
 * The warning of a key that is nearly one of those above: what it asks for is not heard. Null where there is none. Keys that are
 * like none of them are a client's business.
 */
export function misspeltKey(asked: JsonObject, path: string): Problem | null {
  let unknown = 0;
  for (const key of Object.keys(asked)) {
    if (KEYS.includes(key) || unknown >= UNKNOWN_KEYS_MAX) continue;
    unknown += 1;
    const known = meant(key, KEYS);
    if (known === null || Object.hasOwn(asked, known)) continue;
    const message = `The field '${path}.${key}' has no effect, because there is none of this name. Did you mean '${known}'?`;
    return problem('EXEG-0204-200', message);
  }
  return null;
}

/** Whether the event has one of its own, which stands for the request's: one that is switched off too. Documented. */
export function hasOwnQuery({ query }: Pick<ReceivedEvent, 'query'>): boolean {
  return query !== null && (own(query, 'personalization') ?? null) !== null;
}

/** `path`: of `asked`, for errors: 0102 where something is of the wrong type, or there is too much of it. */
export function decisionQuery(asked: JsonObject, path: string): DecisionQuery {
  const schemas = texts(asked, 'schemas', path, SCHEMAS_MAX);
  return {
    // An empty list would ask for nothing at all: it is taken for none. Chosen.
    schemas: schemas.length === 0 ? null : setOf(schemas),
    scopes: texts(asked, 'decisionScopes', path, SCOPES_MAX),
    surfaces: texts(asked, 'surfaces', path, SCOPES_MAX),
  };
}

let known: { readonly schemas: readonly string[]; readonly set: ReadonlySet<string> } = { schemas: [], set: new Set() };

/** A client names the same schemas with each request: a set is made where they are not those of the request before. */
function setOf(schemas: readonly string[]): ReadonlySet<string> {
  if (!isSame(schemas, known.schemas)) known = { schemas, set: new Set(schemas) };
  return known.set;
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false;
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i]) return false;
  return true;
}

const NONE: readonly string[] = [];

function texts(asked: JsonObject, key: string, at: string, max: number): readonly string[] {
  const list = own(asked, key);
  if (list === undefined || list === null) return NONE;
  const path = `${at}.${key}`;
  if (!Array.isArray(list)) throw wrong(path, 'an array of texts', list);
  if (list.length > max)
    throw problem('EXEG-0102-400', `The field '${path}' holds ${list.length} texts; at most ${max} are taken.`);
  for (let i = 0; i < list.length; i++) {
    const text = list[i]!;
    if (typeof text !== 'string') throw wrong(`${path}[${i}]`, 'a text', text);
    if (text.length > SCOPE_CHARACTERS_MAX) {
      const message = `The field '${path}[${i}]' has ${text.length} characters; at most ${SCOPE_CHARACTERS_MAX} are taken.`;
      throw problem('EXEG-0102-400', message);
    }
  }
  return list as string[];
}

function wrong(path: string, wanted: string, got: Json): Problem {
  return problem('EXEG-0102-400', `The field '${path}' is ${quoted(got)}; it takes ${wanted}.`);
}
