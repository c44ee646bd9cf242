import { type JsonObject, valueAt } from '../model/json.ts';

/** Browsers send no longer ones. */
export const URL_CHARACTERS_MAX = 8_192;
/** Parameters of a URL that are looked at: the first ones. */
export const QUERY_PARAMETERS_MAX = 100;

/** The fact `page`: the parts of `web.webPageDetails.URL`, and of `web.webReferrer.URL` as `referrer`. Empty where there is none. */
export function pageFacts(xdm: JsonObject): JsonObject {
  const page = partsOf(valueAt(xdm, 'web', 'webPageDetails', 'URL'));
  const referrer = partsOf(valueAt(xdm, 'web', 'webReferrer', 'URL'));
  if (referrer !== null) return { ...page, referrer };
  return page ?? {};
}

/**
 * `host` without port and `scheme` without colon, in lower case; `path` as it is in the URL, percent-encoded; `query` by
 * name, decoded, of each name the first; `fragment` without `#`. Null for what is no URL.
 */
function partsOf(text: unknown): JsonObject | null {
  if (typeof text !== 'string' || text === '' || text.length > URL_CHARACTERS_MAX || !URL.canParse(text)) return null;
  const { protocol, hostname, pathname, searchParams, hash } = new URL(text);
  // Names are a stranger's: without a prototype, each is only a name.
  const query: JsonObject = Object.create(null);
  let count = 0;
  for (const [name, value] of searchParams) {
    if (++count > QUERY_PARAMETERS_MAX) break;
    if (query[name] === undefined) query[name] = value;
  }
  return { url: text, scheme: protocol.slice(0, -1), host: hostname, path: pathname, query, fragment: hash.slice(1) };
}
