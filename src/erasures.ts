import { randomBytes } from 'node:crypto';
import type { ErasureKey } from './erasing/key.ts';
import { type Receipt, signReceipt } from './erasing/receipt.ts';
import type { FileLog } from './log/file.ts';
import { readdirIfThere, readFile, replaceFile, unlinkIfThere } from './log/io.ts';
import { type Erasure, erasureChange } from './model/erasure.ts';
import type { Fs } from './model/fs.ts';
import { HybridClock } from './model/hybrid-time.ts';
import { parseJson } from './model/json.ts';
import { OneAtATime } from './model/one-at-a-time.ts';
import { personKey } from './model/person.ts';
import type { OwnId } from './model/person-ids.ts';
import type { Position } from './model/record.ts';
import { Erased } from './state/erased.ts';
import type { StateKeeper } from './state/keeper.ts';

/** Erasures wait so long for others before they are carried out, because each pass reads the whole log. Chosen; a day is promised. */
export const CARRY_OUT_AFTER_MS = 60 * 60 * 1000;

export interface ErasuresDeps {
  readonly fs: Fs;
  readonly log: FileLog;
  readonly keeper: StateKeeper;
  readonly key: Pick<ErasureKey, 'digest' | 'keyId' | 'publicKey' | 'sign'>;
  /** Folder of the receipts. */
  readonly directory: string;
  readonly partition: number;
  readonly nowMs?: () => number;
  /** 16 hex digits that no other erasure has. */
  readonly newId?: () => string;
}

/** What is known of an erasure: its receipt, or that it is still being carried out. */
export type Progress =
  | {
      readonly isDone: false;
      readonly erasure: string;
      readonly org: string;
      readonly position: string | null;
      /** A pass is at it. */
      readonly isUnderWay: boolean;
    }
  | { readonly isDone: true; readonly receipt: Receipt };

/** Erases persons: at once for every reader, and soon from the disk; and keeps the receipts. */
export class Erasures {
  readonly #deps: ErasuresDeps;
  readonly #clock = new HybridClock();
  readonly #nowMs: () => number;
  readonly #alone = new OneAtATime();
  #passes = 0;

  constructor(deps: ErasuresDeps) {
    this.#deps = deps;
    this.#nowMs = deps.nowMs ?? Date.now;
  }

  /** What an erasure of these ids would be called and say. The first is the one that was asked for. */
  prepare(orgId: string, ids: readonly OwnId[]): Erasure {
    const { digest } = this.#deps.key;
    const digests = ids.map(({ namespace, id }) => digest(personKey(orgId, namespace, id)));
    const { newId = randomId } = this.#deps;
    return { id: newId(), orgId, atMs: this.#nowMs(), digests };
  }

  /**
   * The person is known to nobody when this resolves, and that is durable. Resolves to where it stands. Rejects as an append
   * does; then nothing has changed.
   */
  async erase(erasure: Erasure): Promise<Position> {
    const { orgId, atMs } = erasure;
    const changes = [erasureChange(erasure, this.#clock.after(atMs, null))];
    const rest = { datastreamId: '', path: '', ecid: null, meta: {}, events: [], raw: null };
    return await this.#deps.log.erase(erasure, { requestId: `erasure-${erasure.id}`, atMs, orgId, changes, ...rest });
  }

  /** Whether one has waited for long enough. */
  get isDue(): boolean {
    const before = this.#nowMs() - CARRY_OUT_AFTER_MS;
    return this.#deps.log.erasures.some(({ atMs }) => atMs <= before);
  }

  get pending(): number {
    return this.#deps.log.erasures.length;
  }

  /**
   * Removes everybody who is erased by now from segments, state and snapshots; one pass at a time. Killed midway it starts
   * again: until all of it is done they stay hidden. Resolves to the receipts, which are on disk.
   */
  carryOut(): Promise<readonly Receipt[]> {
    this.#passes += 1;
    return this.#alone
      .run(() => this.#carryOut())
      .finally(() => {
        this.#passes -= 1;
      });
  }

  async #carryOut(): Promise<readonly Receipt[]> {
    const { log, keeper, key, partition } = this.#deps;
    const placed = log.erasures.flatMap((one) => (one.offset === null ? [] : [{ ...one, offset: one.offset }]));
    if (placed.length === 0) return [];
    const rewritten = await log.rewrite();
    const applied = placed.map(({ offset, digests }) => ({ position: { partition, offset }, digests }));
    const snapshots = await keeper.purge(new Erased(key.digest, applied));
    const completedAt = new Date(this.#nowMs()).toISOString();
    const receipts = placed.map(({ id, orgId, atMs, digests, offset }) =>
      signReceipt(
        {
          erasure: id,
          org: orgId,
          subject: digests[0]!,
          ids: digests.length,
          requestedAt: new Date(atMs).toISOString(),
          completedAt,
          position: `${partition}:${offset}`,
          rewritten: { ...rewritten, snapshots },
        },
        key,
      ),
    );
    for (const receipt of receipts) await this.#keep(receipt);
    await log.forgetErasures(placed.map(({ id }) => id));
    return receipts;
  }

  /** Null where there is no such erasure. */
  async find(id: string): Promise<Progress | null> {
    const pending = this.#deps.log.erasures.find((one) => one.id === id);
    if (pending !== undefined) {
      const { orgId: org, offset } = pending;
      return {
        isDone: false,
        erasure: id,
        org,
        position: offset === null ? null : `${this.#deps.partition}:${offset}`,
        isUnderWay: this.#passes > 0,
      };
    }
    if (!ID.test(id)) return null;
    const receipt = await this.#receipt(`${this.#deps.directory}/${id}.json`);
    return receipt === null ? null : { isDone: true, receipt };
  }

  /** Null where there is none. Throws for a file that is damaged. */
  async #receipt(path: string): Promise<Receipt | null> {
    const bytes = await readFile(this.#deps.fs, path);
    if (bytes === null) return null;
    try {
      return parseJson(bytes.toString()) as unknown as Receipt;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new Error(`${path} is damaged: it is no JSON. Restore it from a backup of the data folder, or remove it.`, {
        cause: error,
      });
    }
  }

  /** Removes receipts of erasures that were carried out before. Rejects with the first failure, when the rest is done. */
  async dropReceipts(beforeMs: number): Promise<void> {
    const { fs, directory } = this.#deps;
    const names = await readdirIfThere(fs, directory);
    // The folder is made with the first receipt.
    if (names === null) return;
    const failures: unknown[] = [];
    for (const name of names) {
      if (!name.endsWith('.json') || !ID.test(name.slice(0, -'.json'.length))) continue;
      const path = `${directory}/${name}`;
      try {
        const receipt = await this.#receipt(path);
        if (receipt !== null && Date.parse(receipt.completedAt) < beforeMs) await unlinkIfThere(fs, path);
      } catch (error) {
        failures.push(error);
      }
    }
    await fs.syncDirectory(directory);
    if (failures.length > 0) throw failures[0];
  }

  async #keep(receipt: Receipt): Promise<void> {
    const { fs, directory } = this.#deps;
    await fs.mkdir(directory);
    const text = `${JSON.stringify(receipt, null, 2)}\n`;
    await replaceFile(fs, directory, `${receipt.erasure}.json`, Buffer.from(text));
  }

  /** Resolves when no pass is under way. */
  async settled(): Promise<void> {
    await this.#alone.settled();
  }
}
const ID = /^[0-9a-f]{16}$/;
function randomId(): string {
  return randomBytes(8).toString('hex');
}
