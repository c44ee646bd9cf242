import { isObject, type Json, type JsonObject, own } from './json.ts';

/**
 * Attributes that are kept on a visitor: `profile.<name>` of `data.__adobe.target`, written as an object or as the flat key
 * `__adobe.target`. Documented. The bounds are chosen: what conditions and templates use is short.
 */
export const ATTRIBUTES_MAX = 100;
export const ATTRIBUTE_NAME_CHARACTERS_MAX = 128;
export const ATTRIBUTE_CHARACTERS_MAX = 256;

export interface SentAttributes {
  /** By name, without "profile."; null takes one away. */
  readonly attributes: Readonly<Record<string, string | number | boolean | null>>;
  /** Names of those that cannot be kept: too long, or no plain value. */
  readonly refused: readonly string[];
}

/** Before the name, as clients send it. */
export const ATTRIBUTE_PREFIX = 'profile.';

/** Null where the event brings none. */
export function sentAttributes(data: JsonObject | null): SentAttributes | null {
  if (data === null) return null;
  const target = targetOf(data);
  if (target === null) return null;
  let attributes: Record<string, string | number | boolean | null> | null = null;
  let refused: string[] | null = null;
  const take = (name: string, value: Json): void => {
    if (isPlain(value) && name !== '' && name !== '__proto__' && name.length <= ATTRIBUTE_NAME_CHARACTERS_MAX) {
      attributes ??= {};
      attributes[name] = value === '' ? null : value;
    } else {
      refused ??= [];
      refused.push(name.slice(0, ATTRIBUTE_NAME_CHARACTERS_MAX));
    }
  };
  for (const key of Object.keys(target)) {
    if (key.startsWith(ATTRIBUTE_PREFIX)) take(key.slice(ATTRIBUTE_PREFIX.length), target[key]!);
  }
  const nested = own(target, 'profile');
  if (isObject(nested)) for (const name of Object.keys(nested)) take(name, nested[name]!);
  return attributes === null && refused === null ? null : { attributes: attributes ?? {}, refused: refused ?? [] };
}

function targetOf(data: JsonObject): JsonObject | null {
  const adobe = own(data, '__adobe');
  const inside = isObject(adobe) ? own(adobe, 'target') : undefined;
  if (isObject(inside)) return inside;
  const flat = own(data, '__adobe.target');
  return isObject(flat) ? flat : null;
}

function isPlain(value: Json): value is string | number | boolean | null {
  return value === null || typeof value !== 'object'
    ? typeof value !== 'string' || value.length <= ATTRIBUTE_CHARACTERS_MAX
    : false;
}

/** What `sent` would change of what is kept, as far as there is room, that of what it takes away too; null: nothing. */
export function changedAttributes(kept: JsonObject, sent: SentAttributes['attributes']): JsonObject | null {
  const names = Object.keys(sent);
  let changed: JsonObject | null = null;
  let room = ATTRIBUTES_MAX - Object.keys(kept).length;
  for (const name of names) if (sent[name] === null && Object.hasOwn(kept, name)) room += 1;
  for (const name of names) {
    const value = sent[name]!;
    const isThere = Object.hasOwn(kept, name);
    if (isThere ? kept[name] === value : value === null || room <= 0) continue;
    if (!isThere) room -= 1;
    changed ??= {};
    changed[name] = value;
  }
  return changed;
}

/** Attributes after a change of them: null takes one away. */
export function withAttributes(kept: JsonObject, changed: JsonObject): JsonObject {
  const all = { ...kept, ...changed };
  for (const name of Object.keys(changed)) if (changed[name] === null) delete all[name];
  return all;
}

/** The fact `profile`: what is kept of the visitor, and what this event brings. What was taken away is not there. */
export function profileFacts(kept: JsonObject, data: JsonObject | null): JsonObject {
  const sent = sentAttributes(data);
  const changed = sent === null ? null : changedAttributes(kept, sent.attributes);
  return changed === null ? kept : withAttributes(kept, changed);
}
