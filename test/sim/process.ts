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
import { type Faults, SimFs } from './sim-fs.ts';
import { SimHost } from './sim-host.ts';
import { SimState } from './sim-state.ts';

export type LogLimits = Pick<
  FileLogOptions,
  'segmentBytes' | 'preallocateBytes' | 'lowWaterBytes' | 'reservedBytes' | 'retention'
>;

export const LOG_FOLDER = '/data/log';
const SNAPSHOT_FOLDER = '/data/snapshots';
const ERASURES_FOLDER = '/data/erasures';
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
      ...{ fs, log: this.log, keeper: this.keeper, key: ERASURE_KEY, directory: ERASURES_FOLDER, partition: 0 },
      nowMs: () => host.nowMs(),
      newId: () => String(host.random(10 ** 15)).padStart(16, '0'),
    });
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
    const all: Stored[] = [];
    const since = this.model.erased.now();
    for await (const stored of this.log.read('start', false, this.#stop.signal)) {
      if (this.fs.hasStopped) break;
      this.model.show(stored, 'the log', since);
      all.push(stored);
    }
    return all;
  }

  /** Shows what becomes durable, as long as the process runs. */
  async follow(): Promise<void> {
    for await (const stored of this.log.read('start', true, this.#stop.signal)) {
      if (this.fs.hasStopped) return;
      this.model.show(stored, 'a follower');
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
): Promise<{ shown: Stored[]; missing: Missing[] }> {
  const fs = new SimFs(machine.disk, machine.turns, machine.random, faults);
  const host = new SimHost(machine.turns, machine.random, machine.clock, machine.boot);
  const missing: Missing[] = [];
  const report = (_message: string, what?: Missing): void => {
    if (what === undefined) return;
    missing.push(what);
    model.report(what);
  };
  const since = model.erased.now();
  const erasureKey = async () => ERASURE_KEY;
  const options = { fs, directory: LOG_FOLDER, partition: 0, parseBody, report, host, erasureKey };
  const reader = await openLogReader(options);
  const shown: Stored[] = [];
  for await (const stored of reader.read('start', false, new AbortController().signal)) {
    model.show(stored, 'a reader outside', since);
    shown.push(stored);
  }
  return { shown, missing };
}
