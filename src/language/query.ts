import type { JsonObject } from '../model/json.ts';

/** Parameters of a URL that are looked at: the first ones. */
export const QUERY_PARAMETERS_MAX = 100;

/**
 * Parameters by name, decoded, of each name the first: what `URLSearchParams` says, in a third of the time. `text`: without
 * the question mark.
 */
export function queryOf(text: string): JsonObject {
  // Names are a stranger's: without a prototype, each is only a name.
  const query: JsonObject = Object.create(null);
  let count = 0;
  for (let from = 0; from < text.length && count < QUERY_PARAMETERS_MAX; ) {
    const ampersand = text.indexOf('&', from);
    const end = ampersand === -1 ? text.length : ampersand;
    if (end > from) {
      count += 1;
      const equals = text.indexOf('=', from);
      const nameEnd = equals === -1 || equals > end ? end : equals;
      const name = decoded(text.slice(from, nameEnd));
      if (query[name] === undefined) query[name] = nameEnd === end ? '' : decoded(text.slice(nameEnd + 1, end));
    }
    from = end + 1;
  }
  return query;
}

function decoded(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // Bytes that are no characters, or a percent sign that means itself.
    return new URLSearchParams(`x=${text.replaceAll('&', '%26')}`).get('x') ?? text;
  }
}
