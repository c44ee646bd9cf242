import { httpProblem, type Problem } from '../model/problem.ts';
import { isText } from './fields.ts';

/**
 * Browsers send 20 headers, proxies add 10. Node keeps no more than `maxHeadersCount` says and drops the others without
 * a word, framing or not: so it keeps one more than is taken.
 */
export const HEADERS_MAX = 100;

/** What is looked at of a request before anything else of it counts. */
export interface Head {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersion: string;
  /** Names and values in turn, as sent. */
  readonly rawHeaders: readonly string[];
}

/**
 * What Node's parser takes and a proxy in front may read in another way: there, one would see a request where the other
 * sees a body. Such a request is refused and its connection closed, whatever it asks for; null where there is nothing
 * of the kind. RFC 9112 §3.2, §6; a body that is compressed is refused too, for its size is not known before it is
 * unpacked. Headers are told apart by their length first: this runs for every request.
 */
export function framingFault(head: Head): Problem | null {
  const { rawHeaders } = head;
  if (rawHeaders.length > 2 * HEADERS_MAX) return headersTooLarge(`It has more than ${HEADERS_MAX} headers.`);
  let hosts = 0;
  let lengths = 0;
  let hasBytes = false;
  let codings = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    const value = rawHeaders[i + 1]!;
    if (name.length === 4 && isText(name, 'host')) {
      hosts += 1;
      if (!HOST.test(value)) return badHost(value);
    } else if (name.length === 14 && isText(name, 'content-length')) {
      lengths += 1;
      if (Number(value) !== 0) hasBytes = true;
    } else if (name.length === 17 && isText(name, 'transfer-encoding')) {
      codings += 1;
      if (!isText(value, 'chunked')) return badCoding(value);
    } else if (name.length === 6 && isText(name, 'expect')) {
      if (!isText(value, '100-continue')) return badExpectation(value);
    } else if (name.length === 16 && isText(name, 'content-encoding') && !isText(value, 'identity'))
      return compressed(value);
  }
  if (head.httpVersion !== '1.1') {
    if (head.httpVersion !== '1.0') return refused(`HTTP/${head.httpVersion} is not spoken here, 1.1 and 1.0 are.`);
    if (codings > 0) return refused('It has a Transfer-Encoding, which HTTP/1.0 does not know.');
  } else if (hosts === 0) return refused('It has no Host header.');
  if (hosts > 1) return refused('It has more than one Host header.');
  if (codings > 1) return refused('It has more than one Transfer-Encoding header.');
  if (codings === 1 && lengths > 0) return refused('It has both Transfer-Encoding and Content-Length.');
  if (head.url === undefined || head.url.charCodeAt(0) !== SLASH) {
    return refused('Its target is no path: send "POST /ee/… HTTP/1.1", with the host in the Host header.');
  }
  if (head.url.includes('#')) return refused('Its target has a fragment, which clients keep to themselves.');
  if ((codings > 0 || hasBytes) && (head.method === 'GET' || head.method === 'HEAD')) {
    return refused(`A ${head.method} with a body is not taken: send a POST.`);
  }
  return null;
}

const SLASH = 0x2f;
/** Names, addresses and a port. RFC 3986 allows a name commas and more, which nobody's name has and lists are made of. */
const HOST = /^[\w.:[\]-]*$/;
/** Of what was sent, in an error. */
const QUOTED_CHARACTERS_MAX = 60;

function refused(why: string): Problem {
  return httpProblem(400, 'Bad Request', `The request cannot be read in one way only. ${why} Nothing was stored.`);
}

export function headersTooLarge(why: string): Problem {
  return httpProblem(431, 'Request Header Fields Too Large', `${why} Send fewer, or smaller ones. Nothing was stored.`);
}

function badHost(value: string): Problem {
  return refused(`Its Host is '${value.slice(0, QUOTED_CHARACTERS_MAX)}', which is no name or address with a port.`);
}

function badCoding(value: string): Problem {
  return refused(`Its Transfer-Encoding is '${value.slice(0, QUOTED_CHARACTERS_MAX)}'; only chunked is taken.`);
}

function badExpectation(value: string): Problem {
  return httpProblem(
    417,
    'Expectation Failed',
    `The Expect header is '${value.slice(0, QUOTED_CHARACTERS_MAX)}'; only 100-continue is known. Nothing was stored.`,
  );
}

function compressed(value: string): Problem {
  return httpProblem(
    415,
    'Unsupported Media Type',
    `Bodies with Content-Encoding '${value.slice(0, QUOTED_CHARACTERS_MAX)}' are not taken. Send the JSON as it is, without that header.`,
  );
}
