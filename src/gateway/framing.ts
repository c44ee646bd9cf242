import { httpProblem, type Problem } from '../model/problem.ts';

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
  let hosts = 0;
  let lengths = 0;
  let codings = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    const value = rawHeaders[i + 1]!;
    if (name.length === 4 && is(name, 'host')) hosts += 1;
    else if (name.length === 14 && is(name, 'content-length')) lengths += Number(value) === 0 ? 0 : 1;
    else if (name.length === 17 && is(name, 'transfer-encoding')) {
      codings += 1;
      if (!is(value, 'chunked')) return badCoding(value);
    } else if (name.length === 6 && is(name, 'expect')) {
      if (!is(value, '100-continue')) return badExpectation(value);
    } else if (name.length === 16 && is(name, 'content-encoding') && !is(value, 'identity')) return compressed(value);
  }
  if (hosts > 1) return refused('It has more than one Host header.');
  if (codings > 1) return refused('It has more than one Transfer-Encoding header.');
  if (codings === 1 && lengths > 0) return refused('It has both Transfer-Encoding and Content-Length.');
  if (codings === 1 && head.httpVersion !== '1.1') {
    return refused(`It has a Transfer-Encoding, which HTTP/${head.httpVersion} does not know.`);
  }
  if (head.url === undefined || head.url.charCodeAt(0) !== SLASH) {
    return refused('Its target is no path: send "POST /ee/… HTTP/1.1", with the host in the Host header.');
  }
  if (codings + lengths > 0 && (head.method === 'GET' || head.method === 'HEAD')) {
    return refused(`A ${head.method} with a body is not taken: send a POST.`);
  }
  return null;
}

const SLASH = 0x2f;
/** Of what was sent, in an error. */
const QUOTED_CHARACTERS_MAX = 60;

function is(text: string, wanted: string): boolean {
  return text === wanted || text.toLowerCase() === wanted;
}

function refused(why: string): Problem {
  return httpProblem(400, 'Bad Request', `The request cannot be read in one way only. ${why} Nothing was stored.`);
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
