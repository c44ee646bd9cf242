import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { endpointAt } from './components.ts';
import type { ServerOptions } from './config/options.ts';
import { keysThere, secretKeys } from './config/secret-key.ts';
import { ErasureKey } from './erasing/key.ts';
import { Erasures } from './erasures.ts';
import { Expiry } from './expiry.ts';
import { FileLog } from './log/file.ts';
import { readFile, replaceFile, unlinkIfThere } from './log/io.ts';
import { acquireLock, bootId } from './log/lock.ts';
import { nodeFs } from './log/node-fs.ts';
import { type LogReader, openLogReader } from './log/reader.ts';
import { duplicateKeysOf, type ParseBody, type Stored } from './model/record.ts';
import { DuplicateWindow } from './stages/duplicates.ts';
import { StateKeeper } from './state/keeper.ts';
import { LmdbState } from './state/lmdb.ts';
import { snapshotDue } from './state/snapshot-policy.ts';
import type { Log } from './telemetry/log.ts';

/** What the composition root keeps on disk: the lock, the event log, the state from it, and the duplicates of the last minutes. */

/** A partition is one writer process; a server without a cluster has one. */
const PARTITION = 0;
const parseBody: ParseBody = (path, body) => endpointAt(path).parse(path, body);

export interface Storage {
  readonly log: FileLog;
  readonly state: LmdbState;
  readonly duplicates: DuplicateWindow;
  readonly erasures: Erasures;
  readonly expiry: Expiry;
  readonly erasureKey: ErasureKey;
  readonly damage: readonly string[];
  close(): Promise<void>;
}

const NANOSECONDS_PER_MS = 1e6;

/** How often snapshots and retention are looked after. */
const UPKEEP_MS = 60_000;

/** A snapshot when one is due, then whatever the log may drop, then persons who are erased, then events that have expired. What fails is reported, keeps nothing of the rest, and is tried again next time. Returns how to stop. */
function startUpkeep(
  keeper: StateKeeper,
  log: FileLog,
  erasures: Erasures,
  expiry: Expiry,
  report: (message: string) => void,
): () => void {
  let bytesAtSnapshot = 0;
  const snapshot = async (): Promise<void> => {
    const bytes = log.writtenBytes - bytesAtSnapshot;
    if (snapshotDue({ ...(await keeper.sinceSnapshot()), bytes })) {
      await keeper.snapshot();
      bytesAtSnapshot += bytes;
    }
  };
  const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['A snapshot', snapshot],
    ['The dropping of files of the log', async () => log.retain({ byAge: await expiry.isClockSteady() })],
    ['An erasure', async () => (erasures.isDue ? erasures.carryOut() : null)],
    ['The removal of expired events', () => expiry.tend()],
  ];
  const upkeep = async (): Promise<void> => {
    for (const [what, step] of steps)
      await step().catch((error: Error) => report(`${what} failed, and is tried again: ${error.message}`));
  };
  const timer = setInterval(() => void upkeep(), UPKEEP_MS);
  return () => clearInterval(timer);
}

/** Log first, then state from it, then the duplicates of the last minutes: the order that recovery needs. */
export async function openStorage(
  data: string,
  options: ServerOptions,
  log: Log,
  fail: (why: 'failed') => void,
): Promise<Storage> {
  await mkdir(data, { recursive: true });
  const unlock = await acquireLock(join(data, 'LOCK'));
  try {
    return await openLocked(data, options, log, fail, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

async function openLocked(
  data: string,
  options: ServerOptions,
  log: Log,
  fail: (why: 'failed') => void,
  unlock: () => void,
): Promise<Storage> {
  const damage: string[] = [];
  const warn = (message: string): void => log.warn({ what: 'storage' }, message);
  const report = (message: string): void => {
    damage.push(message);
    warn(message);
  };
  const erasureKey = await openErasureKey(data, options.identity.erasureKeyFile);
  const state = await LmdbState.open(join(data, 'state'), { report, warn, digest: erasureKey.digest });
  const keeper = await StateKeeper.open({
    fs: nodeFs,
    directory: join(data, 'snapshots'),
    store: state,
    partition: PARTITION,
    report,
  });
  const eventLog = await FileLog.open({
    fs: nodeFs,
    directory: join(data, 'log'),
    partition: PARTITION,
    ...options.log,
    parseBody,
    erasureKey,
    onSynced: (applied) => keeper.apply(applied),
    mayDropBefore: () => keeper.mayDropBefore(),
    onFatal(error) {
      log.error(
        { what: 'log', error: error.message },
        'the event log failed: nothing more is acknowledged, and the process stops',
      );
      fail('failed');
    },
    // A full disk passes; records that are missing stay missing.
    report: (message, missing) => (missing === undefined ? warn : report)(message),
  });
  await keeper.recover(eventLog);
  const duplicates = await rebuildDuplicates(eventLog, options);
  const directory = join(data, 'erasures');
  const erasures = new Erasures({
    fs: nodeFs,
    log: eventLog,
    keeper,
    key: erasureKey,
    directory,
    partition: PARTITION,
  });
  const expiry = new Expiry({
    ...{ log: eventLog, nowMs: Date.now, bootId: bootId(), fs: nodeFs, directory: data, report: warn },
    monotonicMs: () => Number(process.hrtime.bigint()) / NANOSECONDS_PER_MS,
    proofsMaxAgeMs: options.consent.retention.maxAgeMs,
    dropReceipts: (beforeMs) => erasures.dropReceipts(beforeMs),
  });
  const stopUpkeep = startUpkeep(keeper, eventLog, erasures, expiry, warn);
  return {
    log: eventLog,
    state,
    duplicates,
    erasures,
    expiry,
    erasureKey,
    damage,
    async close() {
      stopUpkeep();
      try {
        await eventLog.close();
        await state.close();
        await erasures.settled();
        await expiry.settled();
      } finally {
        unlock();
      }
    },
  };
}

/** Made at the first start. To be called under the lock of the data folder. */
async function openErasureKey(data: string, file: string | null): Promise<ErasureKey> {
  const [secret] = await secretKeys({ ...ERASURE_KEY, file, ownFile: ownKeyFile(data) }, process.env, 1);
  await noteKeyFile(data, file);
  return new ErasureKey(secret!);
}

/** By which readers beside the server tell who is erased. Null where there is none, or it is not for this process to read. */
export async function knownErasureKey(data: string): Promise<ErasureKey | null> {
  try {
    const file = (await readFile(nodeFs, join(data, 'keys', NOTE)))?.toString() ?? null;
    const keys = await keysThere({ ...ERASURE_KEY, file, ownFile: ownKeyFile(data) }, process.env, 1);
    return keys === null ? null : new ErasureKey(keys[0]!);
  } catch (error) {
    if (!['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return null;
  }
}
const ERASURE_KEY = { variable: 'WEIR_ERASURE_KEY' } as const;

function ownKeyFile(data: string): string {
  return join(data, 'keys', 'erasure.key');
}

/** Where the key file of the workspace is, for readers: they are given a data folder only. */
async function noteKeyFile(data: string, file: string | null): Promise<void> {
  const keys = join(data, 'keys');
  if (file === null) return await unlinkIfThere(nodeFs, join(keys, NOTE));
  await mkdir(keys, { recursive: true, mode: 0o700 });
  await replaceFile(nodeFs, keys, NOTE, Buffer.from(file));
}
const NOTE = 'erasure.key-file';

/** Reads the tail of the log that the window covers, at most as many records as the window holds entries. */
async function rebuildDuplicates(log: FileLog, options: ServerOptions): Promise<DuplicateWindow> {
  const { windowMs, entriesMax } = options.duplicates;
  const window = new DuplicateWindow(windowMs, entriesMax);
  const never = new AbortController().signal;
  const oldest = log.nextOffset - entriesMax;
  let from: { timeMs: number } | { partition: number; offset: number } = { timeMs: Date.now() - windowMs };
  for await (const { position } of log.read(from, false, never)) {
    if (position.offset < oldest) from = { partition: PARTITION, offset: oldest };
    break;
  }
  for await (const { position, record } of log.read(from, false, never)) {
    const durable = Promise.resolve(position);
    for (const { dedupKey, payloadHash, ecid } of duplicateKeysOf(record)) {
      if (payloadHash === '') continue;
      const entry = window.add(record.datastreamId, dedupKey, payloadHash, ecid, record.atMs, durable);
      window.stored(entry, durable, position);
    }
  }
  return window;
}

/** The log of a data folder for reading only, whether a server writes it or not. `report` is told of damage that was skipped. */
export async function* readLog(
  data: string,
  follow: boolean,
  signal: AbortSignal,
  report: (message: string) => void,
  from: Parameters<FileLog['read']>[0] = 'start',
  atEnd = (): void => {},
): AsyncIterable<Stored> {
  yield* (await openReader(data, report, atEnd)).read(from, follow, signal);
}

/** As above, all of it, and before it the choices and erasures of what retention has dropped. */
export async function* readLogWithProofs(
  data: string,
  signal: AbortSignal,
  report: (message: string) => void,
): AsyncIterable<Stored> {
  yield* (await openReader(data, report)).readWithProofs(signal);
}

function openReader(data: string, report: (message: string) => void, atEnd = (): void => {}): Promise<LogReader> {
  return openLogReader({
    fs: nodeFs,
    directory: join(data, 'log'),
    partition: PARTITION,
    parseBody,
    report,
    atEnd,
    erasureKey: () => knownErasureKey(data),
  });
}
