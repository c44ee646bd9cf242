/** The query parameters that Weir reads. A parameter given twice keeps its first value; unknown ones are ignored (clients add their own). */
export interface Query {
  datastreamId: string | null;
  dataStreamId: string | null;
  configId: string | null;
  requestId: string | null;
  silent: string | null;
  weir_preview: string | null;
  /** The first parameter that is none of these, and was meant for the id of a datastream. */
  misspelt: string | null;
}
type Name = Exclude<keyof Query, 'misspelt'>;

/** Parses what follows "?". Never throws: a broken escape stays as it was sent. */
export function parseQuery(search: string): Query {
  const query: Query = {
    datastreamId: null,
    dataStreamId: null,
    configId: null,
    requestId: null,
    silent: null,
    weir_preview: null,
    misspelt: null,
  };
  let start = 0;
  while (start < search.length) {
    let end = search.indexOf('&', start);
    if (end === -1) end = search.length;
    const equals = search.indexOf('=', start);
    const nameEnd = equals === -1 || equals > end ? end : equals;
    const name = knownName(search, start, nameEnd);
    if (name === null) query.misspelt ??= misspeltId(search, start, nameEnd);
    else if (query[name] === null) query[name] = decode(search.slice(nameEnd + 1, end));
    start = end + 1;
  }
  return query;
}

const NAMES: readonly Name[] = ['configId', 'requestId', 'datastreamId', 'dataStreamId', 'silent', 'weir_preview'];

/** The name that stands between these two places; found without a text of its own, as every request asks. */
function knownName(search: string, start: number, end: number): Name | null {
  for (let i = 0; i < NAMES.length; i++) {
    const name = NAMES[i]!;
    if (name.length === end - start && search.startsWith(name, start)) return name;
  }
  return null;
}

const MISSPELT_ID = /^(?:datastream|config)[_-]?id$/i;
const MISSPELT_CHARACTERS_MAX = 'datastream_id'.length;

function misspeltId(search: string, start: number, end: number): string | null {
  if (end - start > MISSPELT_CHARACTERS_MAX) return null;
  const name = search.slice(start, end);
  return MISSPELT_ID.test(name) ? name : null;
}

function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text; // Not an escape after all: the value is judged, and quoted in the error, as it was sent.
  }
}
