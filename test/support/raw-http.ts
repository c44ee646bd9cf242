import { connect, type Socket } from 'node:net';
import { type Json, parseJson } from '../../src/model/json.ts';

/**
 * HTTP by hand: what is sent is exactly what the test says, header names and order included, and what comes back is seen
 * byte for byte. One connection per request.
 */

export interface Sent {
  readonly method?: string;
  /** Path and query. */
  readonly path: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Buffer;
  /** The address to come from; the machine's choice where it is absent. */
  readonly from?: string;
}

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case, in the order received. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** The first header of that name. */
  header(name: string): string | undefined;
  all(name: string): readonly string[];
  readonly text: string;
  /** Throws where the body is no JSON. */
  readonly json: Json;
}

/** A client that waits longer than this waits for nothing; the server's own deadline is 2 s. */
const ANSWER_MS_MAX = 15_000;

/** Sends a request as JSON unless its headers say otherwise; Host and Content-Length are added where they are missing. */
export function send(base: string, sent: Sent): Promise<RawAnswer> {
  return sendBytes(base, requestBytes(base, sent), sent.from);
}

/** A POST of JSON. */
export function post(
  base: string,
  path: string,
  body: unknown,
  headers: readonly (readonly [string, string])[] = [],
): Promise<RawAnswer> {
  return send(base, { path, headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
}

export function requestBytes(base: string, { method = 'POST', path, headers = [], body = '' }: Sent): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const has = (name: string): boolean => headers.some(([other]) => other.toLowerCase() === name);
  const lines = [`${method} ${path} HTTP/1.1`];
  if (!has('host')) lines.push(`Host: ${new URL(base).host}`);
  if (!has('content-type') && bytes.length > 0) lines.push('Content-Type: application/json');
  if (!has('content-length') && !has('transfer-encoding') && method === 'POST')
    lines.push(`Content-Length: ${bytes.length}`);
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

/** Sends bytes and reads one answer. */
export async function sendBytes(base: string, bytes: Buffer, from?: string): Promise<RawAnswer> {
  const socket = await open(base, from);
  socket.write(bytes);
  return readAnswer(socket);
}

export function open(base: string, localAddress?: string): Promise<Socket> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const at = { port: Number(port), host: hostname, ...(localAddress === undefined ? {} : { localAddress }) };
    const socket = connect(at, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Reads one answer from a connection, and closes it. */
export function readAnswer(socket: Socket): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const timer = setTimeout(() => finish(new Error('No answer came.')), ANSWER_MS_MAX);
    const finish = (error: Error | null): void => {
      clearTimeout(timer);
      const answer = parseAnswer(bytes, true);
      socket.destroy();
      if (answer !== null) resolve(answer);
      else reject(error ?? new Error(`The connection was closed after ${bytes.length} bytes of an answer.`));
    };
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (parseAnswer(bytes, false) !== null) finish(null);
    });
    socket.on('end', () => finish(null));
    socket.on('error', finish);
  });
}

/** The answer in these bytes; null where it is not whole. `isEnd`: nothing follows, so a body without a length is whole. */
function parseAnswer(bytes: Buffer, isEnd: boolean): RawAnswer | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [statusLine, ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const headers = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const status = Number(statusLine!.split(' ')[1]);
  if (status === 100) return parseAnswer(bytes.subarray(end + 4), isEnd);
  const header = (name: string): string | undefined => headers.find(([other]) => other === name)?.[1];
  const length = status === 204 || status === 304 ? 0 : Number(header('content-length') ?? Number.POSITIVE_INFINITY);
  const rest = bytes.subarray(end + 4);
  if (rest.length < length && !(isEnd && length === Number.POSITIVE_INFINITY)) return null;
  const body = rest.subarray(0, Math.min(length, rest.length));
  return {
    status,
    headers,
    body,
    header,
    all: (name) => headers.filter(([other]) => other === name).map(([, value]) => value),
    text: body.toString('utf8'),
    get json() {
      return parseJson(body.toString('utf8'));
    },
  };
}
