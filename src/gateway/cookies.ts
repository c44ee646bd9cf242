import { PREVIEW_COOKIE } from '../model/cookie-names.ts';
import type { Exchange } from '../model/exchange.ts';
import { isObject, type Json } from '../model/json.ts';
import { problem } from '../model/problem.ts';

/** Browsers send at most a few dozen; the header's own limit (16 KB) bounds the rest. */
export const COOKIES_MAX = 200;
/** `meta.state.entries`: clients send the cookies that servers set, a handful. */
export const STATE_ENTRIES_MAX = 20;
export const STATE_ENTRY_CHARACTERS_MAX = 4096;

const NONE: ReadonlyMap<string, string> = new Map();

/** A Cookie header as a map; the first of two equal names wins, quotes are removed, broken pairs are skipped. */
export function parseCookies(header: string | undefined): ReadonlyMap<string, string> {
  if (header === undefined || header === '') return NONE;
  const cookies = new Map<string, string>();
  let start = 0;
  while (start < header.length && cookies.size < COOKIES_MAX) {
    let end = header.indexOf(';', start);
    if (end === -1) end = header.length;
    const equals = header.indexOf('=', start);
    if (equals !== -1 && equals < end) {
      const name = header.slice(start, equals).trim();
      let value = header.slice(equals + 1, end).trim();
      if (value.length >= 2 && value.startsWith('"') && value.endsWith('"')) value = value.slice(1, -1);
      if (!cookies.has(name)) cookies.set(name, value);
    }
    start = end + 1;
  }
  return cookies;
}

/**
 * The request's cookies, and for names that the header lacks, those of `meta.state.entries` ([{key, value}]), of which
 * only this datastream's own are taken, and the one of previews.
 */
export function withEntries(
  cookies: ReadonlyMap<string, string>,
  entries: Json | undefined,
  prefix: string,
): ReadonlyMap<string, string> {
  if (entries === undefined || entries === null) return cookies;
  if (!Array.isArray(entries))
    throw problem('EXEG-0102-400', "The field 'meta.state.entries' must be an array of {key, value}.");
  if (entries.length > STATE_ENTRIES_MAX) {
    throw problem(
      'EXEG-0102-400',
      `The field 'meta.state.entries' holds ${entries.length} entries; at most ${STATE_ENTRIES_MAX} are taken.`,
    );
  }
  // A copy of an empty map takes longer than an empty map.
  const all = cookies.size === 0 ? new Map<string, string>() : new Map(cookies);
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    const path = `meta.state.entries[${i}]`;
    if (!isObject(entry) || typeof entry['key'] !== 'string' || typeof entry['value'] !== 'string') {
      throw problem('EXEG-0102-400', `The field '${path}' must be an object with the strings 'key' and 'value'.`);
    }
    if (entry['value'].length > STATE_ENTRY_CHARACTERS_MAX) {
      throw problem(
        'EXEG-0102-400',
        `The field '${path}.value' is longer than ${STATE_ENTRY_CHARACTERS_MAX} characters.`,
      );
    }
    const isTaken = entry['key'].startsWith(prefix) || entry['key'] === PREVIEW_COOKIE;
    if (isTaken && !all.has(entry['key'])) all.set(entry['key'], entry['value']);
  }
  return all;
}

/** Set-Cookie headers, name and value in turn, where the endpoint is first-party; else none (they go through state:store). */
export function setCookies(x: Exchange, headers: string[]): void {
  if (x.hostCookie !== null) headers.push('set-cookie', x.hostCookie);
  if (x.client.thirdParty) return;
  const scope = `; Path=/; Domain=${x.client.cookieDomain}${x.client.https ? '; SameSite=None; Secure' : '; SameSite=Lax'}`;
  for (const { key, value, maxAgeSeconds } of x.cookies) {
    headers.push('set-cookie', `${key}=${value}${maxAgeSeconds === null ? '' : `; Max-Age=${maxAgeSeconds}`}${scope}`);
  }
}
