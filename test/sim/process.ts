import { createHash } from 'node:crypto';
import { Erasures } from '../../src/erasures.ts';
import type { Missing } from '../../src/log/cursor.ts';
import { FileLog, type FileLogOptions } from '../../src/log/file.ts';
import { openLogReader } from '../../src/log/reader.ts';
import type { Applied, Batch } from '../../src/model/parts.ts';
import type { Stored } from '../../src/model/record.ts';
import { StateKeeper } from '../../src/state/keeper.ts';
import type { Machine } from './machine.ts';
import type { Model } from './model.ts';
import { parseBody } from './requests.ts';
import type { Reading } from './shown-record.ts';
import { type Faults, SimFs } from './sim-fs.ts';
import { SimHost } from './sim-host.ts';
import { SimState } from './sim-state.ts';
import { WatchedExpiry } from './watched-expiry.ts';

export interface LogLimits
  extends Pick<FileLogOptions, 'segmentBytes' | 'preallocateBytes' | 'lowWaterBytes' | 'reservedBytes' | 'retention'> {
  /** How long choices, erasures and receipts are kept; left out: for ever. */
  readonly proofsMaxAgeMs?: number;
}

export const DATA_FOLDER = '/data';
export const LOG_FOLDER = `${DATA_FOLDER}/log`;
const SNAPSHOT_FOLDER = `${DATA_FOLDER}/snapshots`;
export const RECEIPTS_FOLDER = `${DATA_FOLDER}/erasures`;
const digest = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 32);
/** Nobody checks receipts here. */
export const ERASURE_KEY = { keyId: 'sim', digest, publicKey: '', sign: () => '' };
/** State that says this has lost something, or is ahead of the log. */
const STATE_TROUBLE = /neither in the log|but the log ends/;

/** One run of the server's storage, put together as the server does it: log, state, and who keeps them together. */
export class SimProcess {
  readonly fs: SimFs;
  readonly host: SimHost;
  readonly machine: Machine;
  readonly model: Model;
  readonly missing: Missing[] = [];
  /** What the log said by itself, before anyone read it. */
  saidAtStart: readonly Missing[] = [];
  readonly fatal: Error[] = [];
  log!: FileLog;
  keeper!: StateKeeper;
  store!: SimState;
  erasures!: Erasures;
  expiry!: WatchedExpiry;
  /** Erasures that were asked for, and not answered yet. */
  erasing = 0;
  readonly #stop = new AbortController();

  constructor(machine: Machine, model: Model, faults: Faults) {
    this.machine = machine;
    this.model = model;
    this.fs = new SimFs(machine.disk, machine.turns, machine.random, faults);
    this.host = new SimHost(machine.turns, machine.random, machine.clock, machine.boot);
  }

  async open(limits: LogLimits): Promise<void> {
    const { fs, host, model } = this;
    const report = (message: string, missing?: Missing): void => {
      if (fs.hasStopped) return;
      if (missing !== undefined) {
        this.missing.push(missing);
        model.report(missing);
      }
      if (STATE_TROUBLE.test(message) && !model.hasDamage) model.wrong(message);
    };
    this.store = await SimState.open(this.machine.stateDisk, digest);
    this.keeper = await StateKeeper.open({
      fs,
      directory: SNAPSHOT_FOLDER,
      store: this.store,
      partition: 0,
      report,
      now: () => host.nowMs(),
    });
    this.log = await FileLog.open({
      fs,
      directory: LOG_FOLDER,
      partition: 0,
      queueBytesMax: 1024 * 1024,
      queueAgeMsMax: 2000,
      ...limits,
      parseBody,
      erasureKey: ERASURE_KEY,
      onSynced: (applied) => this.#apply(applied),
      mayDropBefore: () => this.keeper.mayDropBefore(),
      onFatal: (error) => this.fatal.push(error),
      report,
      host,
    });
    this.erasures = new Erasures({
      ...{ fs, log: this.log, keeper: this.keeper, key: ERASURE_KEY, directory: RECEIPTS_FOLDER, partition: 0 },
      nowMs: () => host.nowMs(),
      newId: () => String(host.random(10 ** 15)).padStart(16, '0'),
    });
    this.expiry = new WatchedExpiry(this, limits.proofsMaxAgeMs ?? null);
    this.saidAtStart = [...this.missing];
    // Failures while opening are answered by not opening.
    fs.hasFailed = false;
    await this.keeper.recover(this.log);
  }

  #apply(applied: readonly Applied[]): undefined | Promise<void> {
    return this.keeper.apply(applied);
  }

  /** Everything that this process's log has. */
  async readAll(): Promise<Stored[]> {
    return await this.#read(this.log.read('start', false, this.#stop.signal), this.model.reading({ isKnown: true }));
  }

  /** The same, with choices and erasures of what was dropped. */
  async readWithProofs(reading: Reading): Promise<Stored[]> {
    return await this.#read(this.log.readWithProofs(this.#stop.signal), reading);
  }

  async #read(records: AsyncIterable<Stored>, reading: Reading): Promise<Stored[]> {
    const all: Stored[] = [];
    for await (const stored of records) {
      if (this.fs.hasStopped) break;
      this.model.show(stored, 'the log', reading);
      all.push(stored);
    }
    return all;
  }

  /** Shows what becomes durable, as long as the process runs. */
  async follow(): Promise<void> {
    // What is shown was read when the last was shown, or later; or together with others before, and then what rules have hidden of it
    // by then stays hidden, also where they hide less by now.
    let reading = this.model.reading({});
    const { expired } = reading;
    for await (const stored of this.log.read('start', true, this.#stop.signal)) {
      if (this.fs.hasStopped) return;
      this.model.show(stored, 'a follower', reading);
      reading = { ...this.model.reading({}), expired };
    }
  }

  consume(name: string): AsyncIterator<Batch> {
    return this.log.consume(name, this.#stop.signal)[Symbol.asyncIterator]();
  }

  /** It is no more. Its readers are told so, or Node would keep the signals that they wait for, and all of it with them. */
  stop(): void {
    this.fs.stop();
    this.#stop.abort();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.log.close();
    await this.keeper.snapshot();
  }
}

/** What a reader in another process shows of the log, and what it says is missing. */
export async function readFromOutside(
  machine: Machine,
  model: Model,
  faults: Faults,
  hasProofs = false,
): Promise<{ shown: Stored[]; missing: Missing[]; reading: Reading }> {
  const fs = new SimFs(machine.disk, machine.turns, machine.random, faults);
  const host = new SimHost(machine.turns, machine.random, machine.clock, machine.boot);
  const missing: Missing[] = [];
  const report = (_message: string, what?: Missing): void => {
    if (what === undefined) return;
    missing.push(what);
    model.report(what);
  };
  const reading = model.reading({ isKnown: true, isInside: false, hasProofs });
  const erasureKey = async () => ERASURE_KEY;
  const options = { fs, directory: LOG_FOLDER, partition: 0, parseBody, report, host, erasureKey };
  const reader = await openLogReader(options);
  const shown: Stored[] = [];
  const { signal } = new AbortController();
  for await (const stored of hasProofs ? reader.readWithProofs(signal) : reader.read('start', false, signal)) {
    model.show(stored, 'a reader outside', reading);
    shown.push(stored);
  }
  return { shown, missing, reading };
}
