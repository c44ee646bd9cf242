/** JSON values as `JSON.parse` returns them, and the few safe ways to look into them. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * `JSON.parse` without own `__proto__` keys, which a later assignment would turn into a prototype. Throws `SyntaxError`.
 * The text is searched first, because looking at every key costs several times the parse.
 */
export function parseJson(text: string): Json {
  const value = JSON.parse(text) as Json;
  if ((text.includes('__proto__') || text.includes('\\u')) && PROTO_KEY.test(text)) dropProtoKeys(value);
  return value;
}

/** The key `__proto__`, each character as itself or as an escape; these nine have no other spelling in JSON. */
const PROTO_KEY =
  /"(?:_|\\u005f){2}(?:p|\\u0070)(?:r|\\u0072)(?:o|\\u006f)(?:t|\\u0074)(?:o|\\u006f)(?:_|\\u005f){2}"[ \t\r\n]*:/i;

/** Not recursive: it runs before anyone has looked at how deep the value is. */
function dropProtoKeys(root: Json): void {
  const pending: Json[] = [root];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (isObject(value)) Reflect.deleteProperty(value, '__proto__');
    if (typeof value === 'object' && value !== null) for (const child of Object.values(value)) pending.push(child);
  }
}

/** An own value, else `undefined`. Never reads the prototype chain: the input is hostile. */
export function own<T>(object: { readonly [key: string]: T }, key: string): T | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The value at a path of own keys, else `undefined`. Never reads the prototype chain: the input is hostile. */
export function valueAt(value: Json | undefined | null, ...path: readonly string[]): Json | undefined {
  let at: Json | undefined | null = value;
  for (const key of path) {
    if (!isObject(at)) return undefined;
    at = own(at, key);
  }
  return at ?? undefined;
}

/** Deep merge for additions: objects merge, everything else in `added` replaces. `base` is not changed. */
export function mergeJson(base: JsonObject, added: JsonObject): JsonObject {
  const merged: JsonObject = { ...base };
  for (const key of Object.keys(added)) {
    if (key === '__proto__') continue;
    const mine = own(base, key);
    const theirs = added[key]!;
    merged[key] = isObject(mine) && isObject(theirs) ? mergeJson(mine, theirs) : theirs;
  }
  return merged;
}

/** JSON with object keys sorted: two texts of the same value become one. Used for payload hashes. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key]!)}`).join(',')}}`;
}

/** Ids are nearly always plain: what needs no escape is only put in quotes. */
const PLAIN = /^[\w ./:@=+-]*$/;

/** A text as JSON. */
export function jsonText(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** Long enough to recognise a value, short enough for an error. */
export const QUOTED_CHARACTERS_MAX = 60;

/** A value as error messages show it. */
export function quoted(value: Json): string {
  const text = JSON.stringify(value);
  return text.length <= QUOTED_CHARACTERS_MAX ? text : `${text.slice(0, QUOTED_CHARACTERS_MAX)}…`;
}
