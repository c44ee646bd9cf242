import { EventEmitter } from 'node:events';
import { type ServerResponse, validateHeaderName } from 'node:http';
import type { Socket } from 'node:net';
import { matrix } from '../../src/components.ts';
import { identityRules, orgIdentities } from '../../src/config/identity-rules.ts';
import { Admission } from '../../src/gateway/admission.ts';
import type { OnRequest } from '../../src/gateway/connection.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import { linesOf } from '../../src/gateway/one-write.ts';
import { Outlet } from '../../src/gateway/outlet.ts';
import { RequestUnits } from '../../src/gateway/request-units.ts';
import { WholeRequest } from '../../src/gateway/whole-request.ts';
import { cookiePrefixOf } from '../../src/model/datastream.ts';
import { TrustedProxies } from '../../src/net/proxies.ts';
import { DuplicateWindow } from '../../src/stages/duplicates.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { Counters } from '../../src/telemetry/counters.ts';
import { datastreamOf, decisionTools, identityTools, workspaceOf } from '../support/exchanges.ts';
import { accessOf } from '../support/gateway-server.ts';
import { CheckedLog } from './checked-log.ts';
import { DATASTREAM, type Input, ORG, OTHER_ORG } from './input.ts';

/** What came back, with the names of headers in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

/** The whole request path without a socket: a hundred thousand requests a minute, each judged alone. */
export class InProcess {
  readonly log: CheckedLog;
  readonly gateway: Gateway;
  readonly deps: ConstructorParameters<typeof Gateway>[0];
  readonly #handle: OnRequest;
  /** What the operator log was told of failures. */
  readonly told: unknown[][] = [];

  constructor() {
    const state = new MemoryState();
    this.log = new CheckedLog(state);
    const tell = (...args: unknown[]): void => void this.told.push(args);
    const workspace = workspaceOf(DATASTREAMS);
    this.deps = {
      workspace: () => workspace,
      matrix: matrix({
        log: this.log,
        state,
        duplicates: new DuplicateWindow(undefined, 4_096),
        identity: identityTools(),
        decisions: decisionTools(),
        deciding: null,
      }),
      proxies: new TrustedProxies(['127.0.0.1/32']),
      access: accessOf(),
      admission: new Admission({ waitMs: 0, queueBytes: 0 }, { deadlineMs: 1, queueAgeMsMax: 1, queueBytesMax: 1 }),
      units: new RequestUnits(() => performance.now()),
      basePath: 'ee',
      tracing: null,
      deadlineMs: 5_000,
      requestBytesMax: 65_536,
      counters: new Counters(Date.now()),
      log: { info: tell, warn: tell, error: tell },
    };
    this.gateway = new Gateway(this.deps);
    this.#handle = this.gateway.handler('edge', false);
  }

  ask(input: Input): Promise<Answer> {
    this.log.sent = input.body;
    return new Promise((resolve, reject) => {
      const res = new Outgoing(resolve);
      try {
        const req = incoming(input);
        this.#handle(req, Outlet.of(res as unknown as ServerResponse));
        play(req, input.body);
      } catch (error) {
        reject(error);
      }
    });
  }
}

/** One more org, whose datastream is not to be told from others, and one that is switched off. */
const DATASTREAMS = (() => {
  const rules = identityRules(orgIdentities({ namespaces: { [ORG]: { CRM: {} } } }, null, []), ORG, undefined, false);
  const ours = { orgId: ORG, cookiePrefix: cookiePrefixOf(ORG), identity: { fpidCookie: 'fpid', rules } };
  const foreign = { orgId: OTHER_ORG, cookiePrefix: cookiePrefixOf(OTHER_ORG) };
  return [
    datastreamOf({ id: DATASTREAM, ...ours }),
    datastreamOf({ id: 'off', enabled: false, ...ours }),
    datastreamOf({ id: 'foreign', access: 'authenticated', ...foreign }),
  ];
})();

/** As node:http would hand it over; the body comes later, in two parts. */
function incoming({ method, target, headers }: Input): WholeRequest {
  const req = new WholeRequest(SOCKET);
  Object.assign(req, {
    method,
    url: target,
    httpVersion: '1.1',
    headers: joined(headers),
    rawHeaders: headers.flat(),
    // There is no connection to cut.
    destroy: () => req,
  });
  return req;
}
const SOCKET = { remoteAddress: '127.0.0.1' } as Socket;

function play(req: WholeRequest, body: Buffer): void {
  const half = body.length >> 1;
  for (const part of [body.subarray(0, half), body.subarray(half)]) if (part.length > 0) req.push(part);
  req.push(null);
}

/** Node keeps the first of these, and joins the others. */
const SINGLE = ['content-type', 'content-length', 'user-agent', 'referer', 'host', 'authorization', 'origin'];

function joined(headers: Input['headers']): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [given, value] of headers) {
    const name = given.toLowerCase();
    if (!Object.hasOwn(all, name)) Object.defineProperty(all, name, { value, enumerable: true, writable: true });
    else if (!SINGLE.includes(name)) all[name] += `${name === 'cookie' ? ';' : ','} ${value}`;
  }
  return all;
}

/** One that node:http would have to write; values that may not be sent are refused as where it leaves as one string. */
class Outgoing extends EventEmitter {
  readonly socket = null;
  headersSent = false;
  readonly destroyed = false;
  statusCode = 0;
  #headers: [string, string][] = [];
  readonly #done: (answer: Answer) => void;

  constructor(done: (answer: Answer) => void) {
    super();
    this.#done = done;
  }

  writeHead(status: number, headers: readonly string[]): void {
    if (this.headersSent) throw new Error('A second answer.');
    linesOf(headers);
    for (let i = 0; i < headers.length; i += 2) {
      validateHeaderName(headers[i]!);
      this.#headers.push([headers[i]!, headers[i + 1]!]);
    }
    this.statusCode = status;
    this.headersSent = true;
  }

  end(body: string | Buffer | undefined): void {
    if (!this.headersSent) throw new Error('An answer without a head.');
    this.emit('close');
    this.#done({ status: this.statusCode, headers: this.#headers, body: Buffer.from(body ?? '') });
  }
}
