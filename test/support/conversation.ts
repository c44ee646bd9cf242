import type { Socket } from 'node:net';
import { open } from './raw-http.ts';

/** Everything that a connection says, cut into answers: for connections that are to say several, or none. */
export interface Conversation {
  readonly answers: readonly Answer[];
  /** Bytes behind the last whole answer. */
  readonly rest: string;
  /** The other side closed the connection. */
  readonly isClosed: boolean;
}

export interface Answer {
  readonly status: number;
  /** Names in lower case; of several, the last. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface Saying {
  /** Of one character a byte. */
  readonly bytes: string;
  /** Close this side behind the bytes. */
  readonly end?: boolean;
  /** Methods of the requests, in order, as far as they are HEAD: their answers have no body. */
  readonly heads?: readonly boolean[];
  /** Enough was heard: the connection is closed from here. */
  readonly isEnough: (answers: readonly Answer[]) => boolean;
}

/** Whoever waits longer waits for nothing: the server's own limits are shorter. */
const WAIT_MS_MAX = 20_000;

/** Says these bytes and listens until it is enough, or the other side has closed. */
export async function converse(
  base: string,
  { bytes, end = false, heads = [], isEnough }: Saying,
): Promise<Conversation> {
  const socket = await open(base);
  let heard = '';
  const listened = new Promise<boolean>((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`Nothing more came, and no end; before that: ${JSON.stringify(heard.slice(0, 400))}`));
    }, WAIT_MS_MAX);
    const finish = (isClosed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isClosed);
    };
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
      if (isEnough(answersIn(heard, heads).answers)) finish(false);
    });
    socket.once('end', () => finish(true));
    // A reset is an end too.
    socket.on('error', () => finish(true));
  });
  write(socket, bytes, end);
  const isClosed = await listened;
  return { ...answersIn(heard, heads), isClosed };
}

function write(socket: Socket, bytes: string, end: boolean): void {
  const sent = Buffer.from(bytes, 'latin1');
  if (end) socket.end(sent);
  else socket.write(sent);
}

/** The answers that stand in these bytes, as far as they are whole. */
export function answersIn(heard: string, heads: readonly boolean[] = []): Pick<Conversation, 'answers' | 'rest'> {
  const answers: Answer[] = [];
  let rest = heard;
  let final = 0;
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (!rest.startsWith('HTTP/1.') || headEnd === -1) return { answers, rest };
    const [first, ...lines] = rest.slice(0, headEnd).split('\r\n');
    const headers = new Map(lines.map((line) => fieldOf(line)));
    const status = Number(first!.split(' ')[1]);
    const isBodiless = status < 200 || status === 204 || status === 304 || heads[final] === true;
    const length = isBodiless ? 0 : Number(headers.get('content-length') ?? 0);
    const bodyAt = headEnd + 4;
    if (rest.length < bodyAt + length) return { answers, rest };
    if (status >= 200) final += 1;
    answers.push({ status, headers, body: rest.slice(bodyAt, bodyAt + length) });
    rest = rest.slice(bodyAt + length);
  }
}

function fieldOf(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
