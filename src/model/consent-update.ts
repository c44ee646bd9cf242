import { isObject, type Json, type JsonObject } from './json.ts';

/**
 * The preferences of an `update`, with what was chosen before of the same ones and is not named again: an update of
 * `marketing.push` leaves `marketing.email`. A choice (`val`) is taken whole, and so is `marketing` where `any` is named, which
 * speaks for every channel. Chosen.
 */
export function completed(before: JsonObject, update: JsonObject): JsonObject {
  return joined(before, update, (name) => NESTED.has(name));
}
/** Preferences of several choices. */
const NESTED: ReadonlySet<string> = new Set(['personalize', 'marketing', 'idSpecific']);

/** `update`, where `isJoined` each with what is there in `before`. From entries: a name may be `__proto__`. */
function joined(before: JsonObject, update: JsonObject, isJoined: (name: string) => boolean): JsonObject {
  return Object.fromEntries(
    Object.entries(update).map(([name, part]) => [
      name,
      Object.hasOwn(before, name) && isJoined(name) ? within(before[name]!, part) : part,
    ]),
  );
}

function within(before: Json, update: Json): Json {
  if (!isObject(before) || !isObject(update)) return update;
  if (SPEAKS_FOR_ALL.some((name) => Object.hasOwn(update, name))) return update;
  return { ...before, ...joined(before, update, () => true) };
}
const SPEAKS_FOR_ALL = ['val', 'any'];
