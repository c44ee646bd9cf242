import type { IncomingHttpHeaders } from 'node:http';
import type { SenderFields } from '../net/proxies.ts';

/** The headers that the data plane reads of every request, under node:http's names. */
export interface Fields extends SenderFields {
  'content-type': string | undefined;
  cookie: string | undefined;
  host: string | undefined;
  origin: string | undefined;
  referer: string | undefined;
  'sec-gpc': string | undefined;
  'user-agent': string | undefined;
  'x-forwarded-for': string | undefined;
  'x-forwarded-host': string | undefined;
  'x-forwarded-proto': string | undefined;
  'x-request-id': string | undefined;
}

/**
 * Picks them out of what was sent. node:http would make an object of all headers, which costs 1.5 µs; where one of these
 * comes twice, what that means is node:http's to say, and its object is asked.
 */
export function fieldsOf(head: {
  /** Names and values in turn, as sent. */
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingHttpHeaders;
}): Fields {
  const fields: Fields = {
    'content-type': undefined,
    cookie: undefined,
    host: undefined,
    origin: undefined,
    referer: undefined,
    'sec-gpc': undefined,
    'user-agent': undefined,
    'x-forwarded-for': undefined,
    'x-forwarded-host': undefined,
    'x-forwarded-proto': undefined,
    'x-request-id': undefined,
  };
  const { rawHeaders } = head;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = knownName(rawHeaders[i]!);
    if (name === null) continue;
    if (fields[name] !== undefined) return joinedFields(head.headers);
    fields[name] = rawHeaders[i + 1]!;
  }
  return fields;
}

function joinedFields(headers: IncomingHttpHeaders): Fields {
  const text = (name: keyof Fields): string | undefined => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  return {
    'content-type': text('content-type'),
    cookie: text('cookie'),
    host: text('host'),
    origin: text('origin'),
    referer: text('referer'),
    'sec-gpc': text('sec-gpc'),
    'user-agent': text('user-agent'),
    'x-forwarded-for': text('x-forwarded-for'),
    'x-forwarded-host': text('x-forwarded-host'),
    'x-forwarded-proto': text('x-forwarded-proto'),
    'x-request-id': text('x-request-id'),
  };
}

/** By length first: nearly all that are something else are told by that. */
function knownName(name: string): keyof Fields | null {
  switch (name.length) {
    case 4:
      return known(name, 'host');
    case 6:
      return known(name, 'origin') ?? known(name, 'cookie');
    case 7:
      return known(name, 'referer') ?? known(name, 'sec-gpc');
    case 10:
      return known(name, 'user-agent');
    case 12:
      return known(name, 'content-type') ?? known(name, 'x-request-id');
    case 15:
      return known(name, 'x-forwarded-for');
    case 16:
      return known(name, 'x-forwarded-host');
    case 17:
      return known(name, 'x-forwarded-proto');
    default:
      return null;
  }
}

function known(name: string, wanted: keyof Fields): keyof Fields | null {
  return isText(name, wanted) ? wanted : null;
}

const LOWER_CASE = 0x20;

/** Whether a header's name or value is `wanted`, which is in lower case. Nearly all others are told by their first letter. */
export function isText(sent: string, wanted: string): boolean {
  return (sent.charCodeAt(0) | LOWER_CASE) === wanted.charCodeAt(0) && sent.toLowerCase() === wanted;
}
