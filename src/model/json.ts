/** JSON values as `JSON.parse` returns them, and the few safe ways to look into them. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * `JSON.parse` without own `__proto__` keys, which a later assignment would turn into a prototype. Throws `SyntaxError`.
 * The text is searched first, because a reviver costs several times the parse.
 */
export function parseJson(text: string): Json {
  if (!text.includes('__proto__') && !text.includes('\\u')) return JSON.parse(text) as Json;
  return JSON.parse(text, (key, value: unknown) => (key === '__proto__' ? undefined : value)) as Json;
}

/** The value at a path of own keys, else `undefined`. Never reads the prototype chain: the input is hostile. */
export function valueAt(value: Json | undefined | null, ...path: readonly string[]): Json | undefined {
  let at: Json | undefined | null = value;
  for (const key of path) {
    if (!isObject(at) || !Object.hasOwn(at, key)) return undefined;
    at = at[key];
  }
  return at ?? undefined;
}

/** Deep merge for additions: objects merge, everything else in `added` replaces. `base` is not changed. */
export function mergeJson(base: JsonObject, added: JsonObject): JsonObject {
  const merged: JsonObject = { ...base };
  for (const key of Object.keys(added)) {
    if (key === '__proto__') continue;
    const mine = Object.hasOwn(base, key) ? base[key] : undefined;
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
