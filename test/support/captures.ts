import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Requests that the real Web SDK made in a real browser, kept byte for byte in test/wire/captures. */
export interface Capture {
  readonly scenario: string;
  readonly datastreamId: string;
  readonly orgId: string;
  readonly requests: readonly CapturedRequest[];
}
export interface CapturedRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly (readonly [string, string])[];
  readonly rawBody: string;
}

const FOLDER = join(import.meta.dirname, '../wire/captures');

export function captures(): readonly Capture[] {
  return readdirSync(FOLDER)
    .sort()
    .map((name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Capture);
}

/** The request's bytes as they went over the wire: nothing added, nothing in another order. */
export function bytesOf({ method, url, rawHeaders, rawBody }: CapturedRequest): Buffer {
  const { pathname, search } = new URL(url);
  const head = [`${method} ${pathname}${search} HTTP/1.1`, ...rawHeaders.map(([name, value]) => `${name}: ${value}`)];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(rawBody, 'utf8')]);
}
