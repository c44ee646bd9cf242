import { type JsonObject, valueAt } from '../model/json.ts';
import { queryOf } from './query.ts';

/** Browsers send no longer ones. */
export const URL_CHARACTERS_MAX = 8_192;

/** The fact `page`: the parts of `web.webPageDetails.URL`, and of `web.webReferrer.URL` as `referrer`. All null where there is none. */
export function pageFacts(xdm: JsonObject): JsonObject {
  const page = partsOf(valueAt(xdm, 'web', 'webPageDetails', 'URL'));
  const referrer = valueAt(xdm, 'web', 'webReferrer', 'URL');
  if (typeof referrer !== 'string') return page ?? NO_PAGE;
  const { url, scheme, host, path, query, fragment } = page ?? NO_PAGE;
  let parts: JsonObject | null | undefined;
  return {
    url,
    scheme,
    host,
    path,
    query,
    fragment,
    // Most conditions never ask.
    get referrer(): JsonObject | null {
      if (parts === undefined) parts = partsOf(referrer);
      return parts;
    },
  };
}

interface Parts extends JsonObject {
  url: string | null;
  scheme: string | null;
  host: string | null;
  path: string | null;
  query: JsonObject;
  fragment: string | null;
}
const NO_PAGE: Parts = { url: null, scheme: null, host: null, path: null, query: {}, fragment: null };

/**
 * `host` without port and `scheme` without colon, in lower case; `path` as it is in the URL, percent-encoded; `query` by
 * name, decoded, of each name the first; `fragment` without `#`. Null for what is no URL.
 */
function partsOf(text: unknown): Parts | null {
  if (typeof text !== 'string' || text === '' || text.length > URL_CHARACTERS_MAX) return null;
  const url = parsedUrl(text);
  if (url === null) return null;
  const { protocol, hostname, pathname, search, hash } = url;
  const query = queryOf(search.slice(1));
  return { url: text, scheme: protocol.slice(0, -1), host: hostname, path: pathname, query, fragment: hash.slice(1) };
}

/** Parsed once, where `URL.canParse` would do it twice. */
function parsedUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
