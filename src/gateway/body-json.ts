import { isAscii, isUtf8 } from 'node:buffer';
import { type Json, quoted } from '../model/json.ts';
import { problem } from '../model/problem.ts';

/** The Web SDK posts text/plain, so that browsers ask no permission first. Documented. */
const TYPES = ['application/json', 'text/plain', 'text/javascript'];
const SUPPORTED = `Supported: ${TYPES.join(', ')}.`;
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;

/** Throws 0106 for a Content-Type that is missing or unreadable, 0111 for one that is not taken. */
export function checkContentType(header: string | undefined): void {
  if (header === 'text/plain; charset=UTF-8' || header === 'application/json') return;
  if (header === undefined) throw problem('EXEG-0106-400', `The Content-Type header is missing. ${SUPPORTED}`);
  const semicolon = header.indexOf(';');
  const type = (semicolon === -1 ? header : header.slice(0, semicolon)).trim().toLowerCase();
  if (!MEDIA_TYPE.test(type))
    throw problem('EXEG-0106-400', `The Content-Type header '${header.slice(0, 100)}' cannot be read. ${SUPPORTED}`);
  if (!TYPES.includes(type))
    throw problem('EXEG-0111-415', `Bodies of type '${type.slice(0, 100)}' are not taken. ${SUPPORTED}`);
}

/** Deeper values make code that walks them run out of stack; real events are under 20 deep. */
export const DEPTH_MAX = 64;
/**
 * Keys and members of arrays, all levels together. 64 KB of real events hold some 5,000; these take 20 ms from the first
 * byte to the answer, and a body of 1 MB made of nothing else 300 ms, in which nobody else is served. Chosen.
 */
export const VALUES_MAX = 20_000;

/**
 * Throws 0109 for an empty body, 0101 for one that is no JSON, 0102 for one that is nested too deeply or holds a number that is no
 * finite one, 0112 for one that holds too many values.
 */
export function parseBody(body: Buffer): Json {
  if (body.length === 0) throw problem('EXEG-0109-408', 'The body is empty. Send a JSON object.');
  const text = textOf(body);
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch (cause) {
    throw problem('EXEG-0101-400', `The body is not valid JSON: ${reason(cause)}`, {}, { cause });
  }
  const values = valuesIn(json, DEPTH_MAX);
  if (values >= ENDLESS) {
    throw problem(
      'EXEG-0102-400',
      'The body holds a number that is larger than 1.8e308. Send it as a text, or leave it out.',
    );
  }
  if (values >= TOO_DEEP) throw problem('EXEG-0102-400', `The body is nested more than ${DEPTH_MAX} levels deep.`);
  if (values > VALUES_MAX) {
    throw problem('EXEG-0112-413', `The body holds more than ${VALUES_MAX} values. Send fewer events at once.`);
  }
  return json;
}

/** Most bodies are ASCII, which is told and copied in two thirds of the time that UTF-8 takes. */
function textOf(body: Buffer): string {
  if (isAscii(body)) return body.toString('latin1');
  if (!isUtf8(body)) throw problem('EXEG-0101-400', 'The body is not UTF-8 text. Send JSON in UTF-8, not compressed.');
  return body.toString('utf8');
}

/** V8's own words name the place or the character, but some quote the body around it; the quote is cut off. */
function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const place = /at position \d+( \(line \d+ column \d+\))?/.exec(message);
  if (place !== null) return `it cannot be read ${place[0]}.`;
  if (message.startsWith('Unexpected end')) return 'it ends too early.';
  const character = /^Unexpected token '(.)'/su.exec(message);
  return character === null ? 'it is no JSON value.' : `the character ${quoted(character[1]!)} stands where it cannot.`;
}

/** More than any body can hold. */
const TOO_DEEP = 2 ** 30;
/** More than any body can be too deep. */
const ENDLESS = 2 ** 60;

/**
 * How many values there are in all, this one included; at least `TOO_DEEP` where some lie deeper than `depthLeft`, at least
 * `ENDLESS` for a number such as 1e999, which is Infinity here and null wherever it is written: what is remembered of it would differ
 * from the log. Takes out own `__proto__` keys on its way, as `parseJson` does: to search the text for them costs a seventh of the
 * parse.
 */
function valuesIn(value: Json, depthLeft: number): number {
  if (typeof value === 'number') return Number.isFinite(value) ? 1 : ENDLESS;
  if (typeof value !== 'object' || value === null) return 1;
  if (depthLeft === 0) return TOO_DEEP;
  let count = 1;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) count += valuesIn(value[i]!, depthLeft - 1);
    return count;
  }
  for (const key in value) {
    if (key === '__proto__') Reflect.deleteProperty(value, key);
    else count += valuesIn(value[key]!, depthLeft - 1);
  }
  return count;
}
