/** The query parameters that Weir reads. A parameter given twice keeps its first value; unknown ones are ignored (clients add their own). */
export interface Query {
  datastreamId: string | null;
  dataStreamId: string | null;
  configId: string | null;
  requestId: string | null;
  silent: string | null;
  weir_preview: string | null;
}

/** Parses what follows "?". Never throws: a broken escape stays as it was sent. */
export function parseQuery(search: string): Query {
  const query: Query = {
    datastreamId: null,
    dataStreamId: null,
    configId: null,
    requestId: null,
    silent: null,
    weir_preview: null,
  };
  let start = 0;
  while (start < search.length) {
    let end = search.indexOf('&', start);
    if (end === -1) end = search.length;
    const equals = search.indexOf('=', start);
    const nameEnd = equals === -1 || equals > end ? end : equals;
    const name = knownName(search, start, nameEnd);
    if (name !== null && query[name] === null) query[name] = decode(search.slice(nameEnd + 1, end));
    start = end + 1;
  }
  return query;
}

const NAMES: readonly (keyof Query)[] = [
  'configId',
  'requestId',
  'datastreamId',
  'dataStreamId',
  'silent',
  'weir_preview',
];

/** The name that stands between these two places; found without a text of its own, as every request asks. */
function knownName(search: string, start: number, end: number): keyof Query | null {
  for (let i = 0; i < NAMES.length; i++) {
    const name = NAMES[i]!;
    if (name.length === end - start && search.startsWith(name, start)) return name;
  }
  return null;
}

function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text; // Not an escape after all: the value is judged, and quoted in the error, as it was sent.
  }
}
