import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';

/** What happens to one request. */
export type Fate =
  /** Passed on, and its answer passed back. */
  | 'pass'
  /** Answered 503 by the proxy; the server never sees it. */
  | 'refuse'
  /** Passed on and, once the server has answered, answered 504: the server's answer is lost. */
  | 'lose-answer';

/**
 * A proxy with TLS before a plain server, as operators have one: it says in X-Forwarded-* who called, how and where. And
 * it has bad moments: `fates` are the fates of the next requests to the API, in order; later ones pass.
 */
export class TlsProxy {
  readonly fates: Fate[] = [];
  readonly #server: Server;
  readonly #target: URL;

  private constructor(target: string, files: { readonly cert: string; readonly key: string }) {
    this.#target = new URL(target);
    const tls = { cert: readFileSync(files.cert), key: readFileSync(files.key) };
    this.#server = createServer(tls, (incoming, outgoing) => {
      const fate = incoming.url?.startsWith('/ee/') === true ? (this.fates.shift() ?? 'pass') : 'pass';
      if (fate === 'refuse') {
        outgoing.writeHead(503, failureHeaders(incoming.headers.origin)).end();
        return;
      }
      const headers = {
        ...incoming.headers,
        'x-forwarded-for': incoming.socket.remoteAddress ?? '',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': incoming.headers.host ?? '',
      };
      const { hostname, port } = this.#target;
      const onward = request({ hostname, port, path: incoming.url, method: incoming.method, headers }, (answer) => {
        if (fate === 'lose-answer') {
          answer.resume();
          answer.on('end', () => outgoing.writeHead(504, failureHeaders(incoming.headers.origin)).end());
          return;
        }
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      incoming.pipe(onward);
    });
  }

  static async start(target: string, files: { readonly cert: string; readonly key: string }): Promise<TlsProxy> {
    const proxy = new TlsProxy(target, files);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** "127.0.0.1:4431". */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Without CORS headers a page would not see the status, and with no status the SDK does not try again. */
function failureHeaders(origin: string | undefined): Record<string, string> {
  return {
    'retry-after': '1',
    ...(origin === undefined ? {} : { 'access-control-allow-origin': origin }),
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'Retry-After',
  };
}
