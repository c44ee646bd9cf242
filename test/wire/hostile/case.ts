/** A corpus of bytes that are sent as they stand. Every request in it carries a mark, so that no answer and no event can be another's. */

/**
 * What is sent, and what becomes of it: the statuses of the answers in order, and whether the connection then serves the
 * request that stands behind ("goes on") or is closed, with that request neither answered nor stored ("closes"). "sees
 * the end": the client closes its side behind the bytes, so there is no request behind. "200, goes on", "closes".
 */
export type HostileCase = readonly [name: string, rule: string, bytes: string, outcome: string];

/** Stands for a case's own four characters: as long as they are, so that lengths are right before it is replaced. */
export const CASE_ID = '@@@@';
export const END = '\r\n\r\n';

/**
 * The mark of a request: in its query, and in its event. `x` marks what is a body, or nothing, and never a request; `z`
 * the good one behind a case, `v` one of another client.
 */
export type Letter = 'a' | 'b' | 'c' | 'v' | 'x' | 'z';

export function targetOf(letter: Letter): string {
  return `/ee/v2/interact?datastreamId=shop&requestId=${CASE_ID}${letter}`;
}

export function bodyOf(letter: Letter): string {
  return `{"event":{"xdm":{"marker":"${CASE_ID}${letter}"}}}`;
}
export const LENGTH = bodyOf('a').length;

/** A head that begins as every good one; `lines` follow. */
export function head(letter: Letter, ...lines: readonly string[]): string {
  return headOf(`POST ${targetOf(letter)} HTTP/1.1`, ...lines);
}

/** The same with another first line. */
export function headOf(line: string, ...lines: readonly string[]): string {
  return [line, 'Host: weir.test', 'Content-Type: text/plain', ...lines].join('\r\n') + END;
}

/** A good request, with further lines in its head. */
export function good(letter: Letter, ...lines: readonly string[]): string {
  return head(letter, ...lines, `Content-Length: ${LENGTH}`) + bodyOf(letter);
}

/** The same with another first line. */
export function goodOf(letter: Letter, line: string, ...lines: readonly string[]): string {
  return headOf(line, ...lines, `Content-Length: ${LENGTH}`) + bodyOf(letter);
}

/** A good body in one chunk, with everything around it as it should be. */
export function chunks(letter: Letter): string {
  return `${LENGTH.toString(16)}\r\n${bodyOf(letter)}\r\n0${END}`;
}

/** A request whose body is `text`, said to be chunked. */
export function chunked(letter: Letter, text: string, ...lines: readonly string[]): string {
  return head(letter, ...lines, 'Transfer-Encoding: chunked') + text;
}

/** A request that is nothing but a body to whoever reads the request around it. */
export const HIDDEN = good('x');
