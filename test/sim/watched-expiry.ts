import { CLOCK_STEADY_MS, Expiry, PASS_EVERY_MS } from '../../src/expiry.ts';
import type { EventAges } from '../../src/model/expiry.ts';
import { segmentsOn } from './machine.ts';
import { DATA_FOLDER, type SimProcess } from './process.ts';

/** The server's own way of keeping events for as long as a workspace says; the model is told of each step. */
export class WatchedExpiry {
  readonly #process: SimProcess;
  readonly #expiry: Expiry;
  /** Changes of rules that are being written. */
  #writing = 0;
  #failures = 0;
  #tending = 0;
  #passes = 0;
  /**
   * Of the clock that is never set: when this process began its last pass, or first looked when one is due: by the wall clock, which
   * may have been set back since, a process before may have made one just then. Null: it has not looked yet.
   */
  #lastPassMs: number | null = null;

  constructor(process: SimProcess, proofsMaxAgeMs: number | null) {
    const { log, host, model, erasures } = process;
    this.#process = process;
    this.#expiry = new Expiry({
      log: {
        get rules() {
          return log.rules;
        },
        get expired() {
          return log.expired;
        },
        setRules: (rules) => log.setRules(rules),
        expire: (maxAgeMs) => this.#expire(maxAgeMs ?? Number.POSITIVE_INFINITY),
      },
      nowMs: () => host.nowMs(),
      monotonicMs: () => host.monotonicMs(),
      report: () => {
        this.#failures += 1;
      },
      bootId: host.bootId(),
      fs: process.fs,
      directory: DATA_FOLDER,
      proofsMaxAgeMs,
      dropReceipts: async (beforeMs) => {
        model.receipts.mayDrop(beforeMs);
        await erasures.dropReceipts(beforeMs);
        if (!process.fs.hasStopped) model.receipts.dropped(beforeMs);
      },
    });
  }

  async #expire(maxAgeMs: number): Promise<void> {
    const { log, keeper, model, fs, host, machine } = this.#process;
    this.#passes += 1;
    this.#lastPassMs = host.monotonicMs();
    const covered = keeper.mayDropBefore();
    const firsts = (): number[] => segmentsOn(machine.disk).map(({ ref }) => ref.firstOffset);
    const dropped = firsts()[0] ?? log.nextOffset;
    for (const fault of model.expired.beginPass(maxAgeMs, model.placed())) model.wrong(fault);
    await log.expire(maxAgeMs);
    if (fs.hasStopped) return;
    const [first = log.nextOffset, ...others] = firsts();
    model.expired.endPass(dropped, first, Math.max(0, ...others.filter((other) => other <= covered)));
  }

  /** These ages are in force when it returns, and on the disk when it resolves, if that takes them. */
  async take(workspace: ReadonlyMap<string, EventAges>): Promise<void> {
    const { log, model, fs } = this.#process;
    const rules = model.expired.take(workspace);
    const failures = this.#failures;
    this.#writing += 1;
    const datastreams = new Map([...workspace].map(([id, retention]) => [id, { id, retention }]));
    const taken = this.#expiry.take({ datastreams });
    for (const fault of model.expired.checkRules(log.rules)) model.wrong(fault);
    await taken;
    this.#writing -= 1;
    if (rules !== null && failures === this.#failures && !fs.hasStopped) model.expired.write(rules);
  }

  /** What the server does every minute. */
  async tend(): Promise<void> {
    const { model, fs, host } = this.#process;
    const { steadyMs, inForce } = model.expired;
    const isUndisturbed = !fs.hasBeenDisturbed && !fs.hasRunOut;
    this.#lastPassMs ??= host.monotonicMs();
    const isLong = host.monotonicMs() - this.#lastPassMs >= PASS_EVERY_MS;
    const isDue = this.#tending === 0 && isLong && steadyMs >= CLOCK_STEADY_MS;
    const isWriting = this.#writing > 0;
    const passes = this.#passes;
    this.#tending += 1;
    try {
      await this.#expiry.tend();
    } finally {
      this.#tending -= 1;
    }
    if (fs.hasStopped) return;
    if (!isWriting) model.expired.write(inForce);
    if (isUndisturbed && isDue && this.#passes === passes) model.wrong('no pass was made when one was due');
  }
}
