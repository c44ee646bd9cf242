import { isObject, type JsonObject } from '../../src/model/json.ts';
import { CATALOGUE } from '../../src/model/problem.ts';
import { decodeAnswer, decodeProblem, decodeStream } from '../support/strict-decoder.ts';
import type { Answer } from './in-process.ts';

/** Details are read by people: longer ones were made by whoever sent the request. */
const DETAIL_CHARACTERS_MAX = 1_000;
/** Control characters, and what breaks or turns lines. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;
const HALF = /\p{Cs}/u;
/** What our own mistakes look like, and where code and files are. */
const ACCIDENT = /\[object |\bat \w+ \(|\.ts:\d|node:internal|is not a function|Cannot read prop/;

/** Throws what is wrong with an answer: whatever was asked, it is a success that the strictest client reads, or a problem of the catalogue. */
export function judge({ status, headers, body }: Answer): void {
  const header = (name: string): string | undefined => headers.find(([other]) => other === name)?.[1];
  if (status >= 500) throw new Error(`answered with ${status}: ${body}`);
  if (Buffer.from(body.toString()).compare(body) !== 0) throw new Error('the body is no UTF-8');
  const requestId = header('x-request-id');
  if (status === 204 || (status === 404 && body.length === 0)) {
    if (body.length > 0) throw new Error('a body where there is none');
    return;
  }
  const isSuccess = status === 200 || status === 202 || status === 207;
  const type = isSuccess ? 'application/json' : 'application/problem+json';
  if (header('content-type') !== `${type};charset=utf-8`) throw new Error(`the type is ${header('content-type')}`);
  if (Number(header('content-length')) !== body.length) throw new Error('the length is wrong');
  const answered = isSuccess ? success(status, body) : failure(status, body);
  if (answered !== requestId) throw new Error(`two request ids: ${answered} and ${requestId}`);
}

/** Returns its request id. */
function success(status: number, body: Buffer): string {
  if (body[0] === 0) return checked(status, decodeStream(body).answer);
  const value: unknown = JSON.parse(body.toString());
  if (!isObject(value)) throw new Error('the body is no object');
  // A 202 has no handles, and collect's 207 neither.
  return checked(status, decodeAnswer(status === 200 ? value : { handle: [], ...value }));
}

function checked(status: number, { requestId, errors, warnings }: ReturnType<typeof decodeAnswer>): string {
  if (errors.length > 0 !== (status === 207)) throw new Error('errors and status do not go together');
  for (const one of errors) checkProblem(one, 'error');
  for (const one of warnings) checkProblem(one, 'warning');
  return requestId;
}

function failure(status: number, body: Buffer): string {
  const problem = decodeProblem(JSON.parse(body.toString()));
  if (problem['status'] !== status) throw new Error('the body names another status');
  checkProblem(problem, 'fatal');
  return String((problem['report'] as JsonObject)['requestId']);
}

function checkProblem(problem: JsonObject, className: string): void {
  const [type, detail] = [String(problem['type']), String(problem['detail'])];
  if (type !== 'about:blank' || className !== 'fatal') {
    const spec = CATALOGUE.get(type.replace('https://ns.adobe.com/aep/errors/', ''));
    if (spec === undefined) throw new Error(`'${type}' is not in the catalogue`);
    const { status, title } = problem;
    if (spec.status !== status || spec.title !== title || spec.class !== className) {
      throw new Error(`${type} with status ${status}, '${title}', as ${className}`);
    }
  }
  if (detail.length > DETAIL_CHARACTERS_MAX) throw new Error(`a detail of ${detail.length} characters`);
  if (detail.length < 10) throw new Error(`a detail that says nothing: ${detail}`);
  if (HALF.test(detail)) throw new Error(`half a character in a detail: ${JSON.stringify(detail)}`);
  const bad = UNPRINTABLE.exec(detail) ?? ACCIDENT.exec(detail);
  if (bad !== null) throw new Error(`${JSON.stringify(bad[0])} in a detail: ${JSON.stringify(detail)}`);
}
