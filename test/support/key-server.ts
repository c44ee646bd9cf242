import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** An issuer's key endpoint: answers what the test says, and counts how often it was asked. Closed after the test. */
export interface KeyServer {
  readonly url: string;
  /** Since the start. */
  asked: number;
  answer: (req: IncomingMessage, res: ServerResponse) => void;
}

export async function keyServer(answer: KeyServer['answer']): Promise<KeyServer> {
  const http = createServer((req, res) => {
    server.asked += 1;
    server.answer(req, res);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  const server = { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/keys`, asked: 0, answer };
  return server;
}

/** Answers with a text, 200. */
export function saying(text: string): KeyServer['answer'] {
  return (_req, res) => void res.end(text);
}
