/** The query parameters that Weir reads. A parameter given twice keeps its first value; unknown ones are ignored (clients add their own). */
export interface Query {
  datastreamId: string | null;
  dataStreamId: string | null;
  configId: string | null;
  requestId: string | null;
  silent: string | null;
}

/** Parses what follows "?". Never throws: a broken escape stays as it was sent. */
export function parseQuery(search: string): Query {
  const query: Query = { datastreamId: null, dataStreamId: null, configId: null, requestId: null, silent: null };
  let start = 0;
  while (start < search.length) {
    let end = search.indexOf('&', start);
    if (end === -1) end = search.length;
    const equals = search.indexOf('=', start);
    const nameEnd = equals === -1 || equals > end ? end : equals;
    const name = search.slice(start, nameEnd);
    if (isKnown(name) && query[name] === null) query[name] = decode(search.slice(nameEnd + 1, end));
    start = end + 1;
  }
  return query;
}

function isKnown(name: string): name is keyof Query {
  return (
    name === 'configId' ||
    name === 'requestId' ||
    name === 'datastreamId' ||
    name === 'dataStreamId' ||
    name === 'silent'
  );
}

function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text; // Not an escape after all: the value is judged, and quoted in the error, as it was sent.
  }
}
