import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { PIPELINED_MAX, REQUESTS_MAX } from '../../src/gateway/connection.ts';
import {
  CONNECTIONS_MAX,
  CONNECTIONS_MIN,
  ConnectionBudget,
  connectionsMax,
  RESERVED_DESCRIPTORS,
} from '../../src/gateway/connection-budget.ts';
import { listen, REFUSED_AT_ONCE } from '../../src/gateway/listen.ts';
import type { Problem } from '../../src/model/problem.ts';
import { type GatewayServer, startGateway } from '../support/gateway-server.ts';
import { HeldLog } from '../support/held-log.ts';
import { open } from '../support/raw-http.ts';

/** What a connection may do, and how it ends: never with a reset that costs a client its answer. */

let server: GatewayServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

const BODY = '{"events":[{"xdm":{}}]}';
function request(id: string, extra = '', body = BODY): string {
  const target = `/ee/v2/collect?datastreamId=shop&requestId=${id}`;
  return `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n${extra}Content-Length: ${body.length}\r\n\r\n${body}`;
}

interface Heard {
  readonly statuses: readonly string[];
  readonly text: string;
  readonly error: Error | null;
}

/** Everything that comes until the server closes. */
async function untilClosed(socket: Socket): Promise<Heard> {
  let text = '';
  let error: Error | null = null;
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', (cause) => {
    error = cause;
  });
  await once(socket, 'close');
  return { text, error, statuses: text.match(/(?<=HTTP\/1\.1 )\d{3}/g) ?? [] };
}

describe('a connection ends', () => {
  test(`with the answer to its request number ${REQUESTS_MAX}, which says so; what stands behind it is no request`, async () => {
    const eventLog = new HeldLog();
    eventLog.automatic = true;
    server = await startGateway({ eventLog });
    const socket = await open(server.edge);
    const heard = untilClosed(socket);
    let answered = 0;
    socket.on('data', (chunk: Buffer) => {
      answered += chunk.toString().match(/HTTP\/1\.1 202/g)?.length ?? 0;
      if (answered < REQUESTS_MAX - 1) socket.write(request(`n${answered}`));
      else if (answered === REQUESTS_MAX - 1) socket.write(request('last') + request('behind'));
    });
    socket.write(request('first'));
    const { statuses, text, error } = await heard;
    expect(statuses).toHaveLength(REQUESTS_MAX);
    expect(text.match(/^connection: close\r$/gim)).toHaveLength(1);
    expect(text.lastIndexOf('HTTP/1.1 202')).toBeLessThan(text.search(/connection: close/i));
    expect(error).toBeNull();
    expect(eventLog.stored).toHaveLength(REQUESTS_MAX);
  });

  test(`behind ${PIPELINED_MAX} requests that did not wait for the answer before`, async () => {
    const eventLog = new HeldLog();
    eventLog.automatic = true;
    server = await startGateway({ eventLog });
    const socket = await open(server.edge);
    const heard = untilClosed(socket);
    // The first waits for nobody.
    socket.write(Array.from({ length: PIPELINED_MAX + 50 }, (_, i) => request(`p${i}`)).join(''));
    const { statuses, text, error } = await heard;
    expect(statuses).toHaveLength(PIPELINED_MAX + 1);
    expect(text.match(/^connection: close\r$/gim)).toHaveLength(1);
    expect(error).toBeNull();
    expect(eventLog.stored).toHaveLength(PIPELINED_MAX + 1);
  });

  test(`but not behind ${PIPELINED_MAX - 1}`, async () => {
    server = await startGateway();
    const socket = await open(server.edge);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.write(Array.from({ length: PIPELINED_MAX }, (_, i) => request(`p${i}`)).join(''));
    await expect.poll(() => text.match(/HTTP\/1\.1 202/g)?.length).toBe(PIPELINED_MAX);
    expect(text).not.toMatch(/connection: close/i);
    socket.destroy();
  });

  test('with a request that may be read in two ways: what stands behind it is not stored', async () => {
    const eventLog = new HeldLog();
    eventLog.automatic = true;
    server = await startGateway({ eventLog });
    const socket = await open(server.edge);
    socket.write(request('a') + request('b', 'Host: b\r\n') + request('c'));
    expect((await untilClosed(socket)).statuses).toEqual(['202', '400']);
    expect(eventLog.stored.map(({ requestId }) => requestId.slice(0, 2))).toEqual(['a-']);
  });

  test('with a request that asks for another protocol: Node would lose what stands behind it', async () => {
    const eventLog = new HeldLog();
    eventLog.automatic = true;
    server = await startGateway({ eventLog });
    const socket = await open(server.edge);
    socket.write(request('a', 'Connection: Upgrade\r\nUpgrade: h2c\r\n') + request('b'));
    const { statuses, text } = await untilClosed(socket);
    expect(statuses).toEqual(['202']);
    expect(text).toMatch(/^connection: close\r$/im);
    expect(eventLog.stored).toHaveLength(1);
  });

  test('without a reset, although the client still sends when it is refused', async () => {
    server = await startGateway();
    const socket = await open(server.edge);
    const heard = untilClosed(socket);
    socket.write(request('a', 'Host: b\r\n', 'x'.repeat(60_000)));
    for (let i = 0; i < 20; i++) {
      socket.write('x'.repeat(20_000));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const { statuses, error } = await heard;
    expect(statuses).toEqual(['400']);
    expect(error).toBeNull();
  });
});

describe('bytes that are no request', () => {
  test('are answered behind the request that is still on its way to disk', async () => {
    const eventLog = new HeldLog();
    server = await startGateway({ eventLog });
    const socket = await open(server.edge);
    const heard = untilClosed(socket);
    socket.write(`${request('a') + request('b')}garbage\r\n\r\n${request('c')}`);
    await expect.poll(() => eventLog.held.length).toBe(2);
    eventLog.sync();
    eventLog.sync();
    const { statuses, text } = await heard;
    expect(statuses).toEqual(['202', '202', '400']);
    expect(text.match(/"requestId":"[ab]-/g)).toEqual(['"requestId":"a-', '"requestId":"b-']);
    expect(eventLog.stored).toHaveLength(2);
  });

  test('in the middle of a body whose request was answered before get no answer of their own', async () => {
    server = await startGateway();
    const socket = await open(server.edge);
    const heard = untilClosed(socket);
    socket.write('POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    await once(socket, 'data');
    socket.write('zz\r\n');
    expect((await heard).statuses).toEqual(['404']);
  });

  test('in the middle of a body end its request at once', async () => {
    server = await startGateway({ deadlineMs: 60_000 });
    const socket = await open(server.edge);
    const heard = untilClosed(socket);
    const head = 'POST /ee/v2/collect?datastreamId=shop HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n';
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\n{"eve\r\nzz\r\n`);
    const { statuses, text } = await heard;
    expect(statuses).toEqual(['400']);
    expect(text).toContain('the size of a chunk is no number');
  });

  test.each([
    ['CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 405],
    ['GET / HTTP/1.1\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`, 431],
    ['\u0016\u0003\u0001', 400],
  ])('%# is answered with a whole problem, and counted', async (bytes, status) => {
    server = await startGateway();
    const socket = await open(server.edge);
    const heard = untilClosed(socket);
    socket.write(bytes, 'latin1');
    const { statuses, text } = await heard;
    expect(statuses).toEqual([String(status)]);
    expect(text).toMatch(/^connection: close\r$/im);
    const problem = JSON.parse(text.slice(text.indexOf('\r\n\r\n'))) as { status: number; report: object };
    expect(problem).toMatchObject({ type: 'about:blank', status, report: { requestId: expect.any(String) } });
    await expect.poll(() => server!.counters.problems[`http-${status}`]).toBe(1);
    await expect.poll(() => [...server!.counters.requests.samples()]).toEqual([[1, 'edge', 'other', '4xx']]);
  });
});

test('a client that asks for a tunnel and breaks off harms nobody', async () => {
  server = await startGateway();
  const socket = await open(server.edge);
  const heard = once(socket, 'data');
  socket.write('CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n');
  await heard;
  socket.resetAndDestroy();
  // An error that nobody listens to ends the process: Vitest then fails the run.
  const other = await open(server.edge);
  const answered = untilClosed(other);
  other.write(request('a', 'Connection: close\r\n'));
  expect((await answered).statuses).toEqual(['202']);
});

describe('a client that does not read its answers', () => {
  test('is cut off, and what waits for it is bounded', async () => {
    const page = Buffer.alloc(256 * 1024);
    let begun = 0;
    const listening = await listen(
      'edge',
      { host: '127.0.0.1', port: 0 },
      {
        onRequest: (_req, { res }) => {
          begun += 1;
          res.end(page);
        },
        onError: fail,
        onUnreadable() {},
        // Its place is free when it is gone.
        connections: new ConnectionBudget(1, () => {}),
        silenceMs: 300,
      },
    );
    onTestFinished(async () => {
      await Promise.all([listening.close(), listening.closeNow()]);
    });
    const silent = await open(listening.url);
    silent.pause();
    silent.on('error', () => {
      // Being cut off is what it is for.
    });
    for (let i = 0; i < 2_000; i++) silent.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await expect
      .poll(async () => {
        const socket = await open(listening.url);
        socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
        return (await untilClosed(socket)).statuses;
      })
      .toEqual(['200']);
    expect(begun).toBeLessThanOrEqual(PIPELINED_MAX + 2);
    silent.destroy();
  });
});

test(`requests that are late together are refused ${REFUSED_AT_ONCE} in one go`, async () => {
  let refused = 0;
  let inOneGo = 0;
  let inOneGoMax = 0;
  const onUnreadable = (): void => {
    refused += 1;
    inOneGo += 1;
    inOneGoMax = Math.max(inOneGo, inOneGoMax);
    setImmediate(() => {
      inOneGo = 0;
    });
  };
  const deps = { onRequest() {}, onError: fail, onUnreadable, connections: new ConnectionBudget(1_000, () => {}) };
  const listening = await listen('edge', { host: '127.0.0.1', port: 0 }, deps);
  onTestFinished(async () => {
    await Promise.all([listening.close(), listening.closeNow()]);
  });
  const count = 20 * REFUSED_AT_ONCE;
  const heard = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = await open(listening.url);
      socket.write('POST / HTTP/1.1\r\nHost: a\r\nX: ');
      return (await untilClosed(socket)).statuses;
    }),
  );
  expect(heard).toEqual(Array.from({ length: count }, () => ['408']));
  expect(refused).toBe(count);
  expect(inOneGoMax).toBeLessThanOrEqual(REFUSED_AT_ONCE);
});

function fail(error: Error): never {
  throw error;
}

describe('connections', () => {
  test('beyond the limit are closed unread and counted; one that goes makes room', async () => {
    let refused = 0;
    const budget = new ConnectionBudget(2, () => {
      refused += 1;
    });
    const refusals: Problem[] = [];
    const listening = await listen(
      'edge',
      { host: '127.0.0.1', port: 0 },
      {
        onRequest: (_req, { res }) => void res.end('ok'),
        onError: fail,
        onUnreadable: (failure) => refusals.push(failure),
        connections: budget,
      },
    );
    onTestFinished(async () => {
      await Promise.all([listening.close(), listening.closeNow()]);
    });
    const first = await open(listening.url);
    await open(listening.url);
    const third = await open(listening.url);
    third.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await untilClosed(third)).text).toBe('');
    expect(refused).toBe(1);
    first.destroy();
    await expect
      .poll(async () => {
        const socket = await open(listening.url);
        socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
        return (await untilClosed(socket)).statuses;
      })
      .toEqual(['200']);
    expect(refusals).toEqual([]);
  });

  test.each([
    [null, CONNECTIONS_MAX],
    [1_000_000, CONNECTIONS_MAX],
    [CONNECTIONS_MAX + RESERVED_DESCRIPTORS - 1, CONNECTIONS_MAX - 1],
    [1024, 1024 - RESERVED_DESCRIPTORS],
    [256, CONNECTIONS_MIN],
  ])('of %j descriptors, %i are for them', (descriptors, connections) => {
    expect(connectionsMax(descriptors)).toBe(connections);
  });

  test('the limit of this process is known', () => {
    expect(connectionsMax()).toBeGreaterThanOrEqual(CONNECTIONS_MIN);
  });
});
