import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { endpointAt } from '../../src/components.ts';
import { Admission } from '../../src/gateway/admission.ts';
import { FileLog } from '../../src/log/file.ts';
import { nodeFs } from '../../src/log/node-fs.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { type GatewayServer, startGateway } from '../support/gateway-server.ts';
import { ThrottledFs } from '../support/throttled-fs.ts';

/** A server in this process whose disk takes so much and no more, and clients in another that send what they like. */

export const INTERACT = '/ee/v2/interact';
export const COLLECT = '/ee/v2/collect';
const DEADLINE_MS = 2_000;
const QUEUE_BYTES_MAX = 64 * 1024 * 1024;
/** Of the events: large, so that the processors have little to do for what fills the disk. */
const FILLER_BYTES = 16_000;
const SAMPLE_MS = 10;

export interface Outcome {
  readonly id: string;
  readonly path: string;
  /** Since the start of its load. */
  readonly sentMs: number;
  readonly endMs: number;
  /** 0: no answer; `why` says more. */
  readonly status: number;
  readonly retryAfter: string;
  readonly why: string;
}

export interface Overloaded {
  readonly server: GatewayServer;
  readonly log: FileLog;
  readonly disk: ThrottledFs;
  /** The most that waited for the disk at any time. */
  readonly queueBytesSeen: number;
  /** Sends at these rates (requests a second, by path) for a time, and returns what came of each, when all have ended. */
  load(ms: number, rates: Readonly<Record<string, number>>): Promise<readonly Outcome[]>;
  /** Requests that the disk can store in a second. */
  capacity(): number;
  stored(): Promise<ReadonlySet<string>>;
  stop(): Promise<void>;
}

/** `bytesPerSecond`: what the disk takes. */
export async function startOverloaded(directory: string, bytesPerSecond: number): Promise<Overloaded> {
  const disk = new ThrottledFs(nodeFs, bytesPerSecond);
  const state = new MemoryState();
  const log = await FileLog.open({
    fs: disk,
    directory,
    partition: 0,
    segmentBytes: 128 * 1024 * 1024,
    queueBytesMax: QUEUE_BYTES_MAX,
    queueAgeMsMax: DEADLINE_MS,
    lowWaterBytes: 0,
    reservedBytes: 0,
    // Zeros would take part of the disk's throughput, now more, now less.
    preallocateBytes: 0,
    retention: { maxAgeMs: null, maxBytes: null },
    parseBody: (path, body) => endpointAt(path).parse(path, body),
    onSynced: (applied) => state.apply(applied),
    mayDropBefore: () => 0,
    onFatal: fail,
    report: (message) => fail(new Error(message)),
  });
  const limits = { deadlineMs: DEADLINE_MS, queueAgeMsMax: DEADLINE_MS, queueBytesMax: QUEUE_BYTES_MAX };
  const admission = new Admission(log, limits);
  const server = await startGateway({ eventLog: log, state, admission, deadlineMs: DEADLINE_MS });
  const clients = fork(new URL('open-loop.mjs', import.meta.url).pathname, { execArgv: [] });
  let queueBytesSeen = 0;
  const sampling = setInterval(() => {
    queueBytesSeen = Math.max(queueBytesSeen, log.queueBytes);
  }, SAMPLE_MS);
  return {
    server,
    log,
    disk,
    get queueBytesSeen() {
      return queueBytesSeen;
    },
    load: (ms, rates) => loadOf(clients, { url: server.edge, rates, ms, bytes: FILLER_BYTES }),
    capacity: () => disk.rate / (log.writtenBytes / log.nextOffset),
    stored: () => storedIn(log),
    async stop() {
      clearInterval(sampling);
      clients.kill();
      await server.stop();
      await log.close();
    },
  };
}

async function loadOf(clients: ChildProcess, load: object): Promise<readonly Outcome[]> {
  const ended = once(clients, 'exit').then(() => fail(new Error('The clients are gone.')));
  clients.send(load);
  const [outcomes] = (await Promise.race([once(clients, 'message'), ended])) as [readonly Outcome[]];
  return outcomes;
}

async function storedIn(log: FileLog): Promise<ReadonlySet<string>> {
  const marks = new Set<string>();
  for await (const { record } of log.read('start', false, new AbortController().signal)) {
    for (const { xdm } of record.events) marks.add(String(xdm['mark']));
  }
  return marks;
}

function fail(error: Error): never {
  throw error;
}

/** What one load came to. Rates are parts of the disk's capacity. */
export interface Judged {
  /** Stored and answered in a second, once the load had gone on for `SETTLING_MS`. */
  readonly goodput: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Of those that were accepted, the slowest. */
  readonly slowestMs: number;
  /** Neither accepted nor refused as an overloaded server refuses. */
  readonly failures: readonly Outcome[];
  readonly acknowledged: readonly string[];
}

/** The first moments of a load find an empty queue, and count for nothing. */
export const SETTLING_MS = 1_000;

/** The disk answers a batch at a time: answers this close together are of one. */
const BATCH_MS = 50;

function judge(outcomes: readonly Outcome[], capacity: number): Judged {
  const accepted = outcomes.filter(isAccepted);
  const refused: Record<string, number> = { [INTERACT]: 0, [COLLECT]: 0 };
  for (const outcome of outcomes) if (isRefused(outcome)) refused[outcome.path]! += 1;
  return {
    goodput: rateOf(accepted.map(({ endMs }) => endMs)) / capacity,
    refused,
    slowestMs: Math.max(...accepted.map(({ sentMs, endMs }) => endMs - sentMs)),
    failures: outcomes.filter((outcome) => !isAccepted(outcome) && !isRefused(outcome)),
    acknowledged: accepted.map(({ id }) => id),
  };
}

/** From one batch's answer to the last one: a second, whatever part of a batch lies in it. */
function rateOf(endsMs: readonly number[]): number {
  const fromMs = Math.min(...endsMs.filter((ms) => ms >= SETTLING_MS));
  const count = endsMs.filter((ms) => ms > fromMs + BATCH_MS).length;
  return count / ((Math.max(...endsMs) - fromMs) / 1000);
}

function isAccepted({ status }: Outcome): boolean {
  return status === 200 || status === 202;
}

function isRefused({ status, retryAfter, why }: Outcome): boolean {
  return status === 503 && /^([2-9]|10)$/.test(retryAfter) && why.includes('EXEG-0000-503');
}

const ATTEMPTS = 6;

/**
 * The same load until what it comes to is good, `ATTEMPTS` times at most. On a machine that others keep busy the process may
 * not get the processor to do what the disk could; what the server gets wrong, it gets wrong every time. What was
 * acknowledged is of all of them.
 */
export async function loadUntilGood(
  of: Overloaded,
  ms: number,
  rates: Readonly<Record<string, number>>,
  isGood: (judged: Judged) => boolean,
): Promise<Judged> {
  const capacity = of.capacity();
  const acknowledged: string[] = [];
  for (let left = ATTEMPTS - 1; ; left--) {
    const judged = judge(await of.load(ms, rates), capacity);
    acknowledged.push(...judged.acknowledged);
    if (left === 0 || judged.failures.length > 0 || isGood(judged)) return { ...judged, acknowledged };
  }
}

const RECOVERY_LOOK_MS = 500;
/** Less than the disk takes. */
const QUIET_PART = 0.5;

/** After a load: half of the capacity, until nothing of it is refused any more. Returns how long that took. */
export async function recoveryMs(of: Overloaded, msMax: number): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const tookMs = performance.now() - startMs;
    const outcomes = await of.load(RECOVERY_LOOK_MS, { [INTERACT]: QUIET_PART * of.capacity() });
    if (outcomes.every(isAccepted) || tookMs > msMax) return tookMs;
  }
}
