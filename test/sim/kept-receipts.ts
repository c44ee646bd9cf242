import type { Receipt } from '../../src/erasing/receipt.ts';

interface KeptReceipt {
  readonly completedMs: number;
  mayBeGone: boolean;
  isGone: boolean;
}

/** Receipts of erasures: there from when they were given until they are old. */
export class KeptReceipts {
  readonly #all = new Map<string, KeptReceipt>();

  give({ erasure, completedAt }: Receipt): void {
    this.#all.set(erasure, { completedMs: Date.parse(completedAt), mayBeGone: false, isGone: false });
  }

  mayDrop(beforeMs: number): void {
    for (const one of this.#all.values()) one.mayBeGone ||= one.completedMs < beforeMs;
  }

  dropped(beforeMs: number): void {
    for (const one of this.#all.values()) one.isGone ||= one.completedMs < beforeMs;
  }

  /** What is wrong when these are there, and no others. */
  faults(ids: ReadonlySet<string>): string[] {
    const faults: string[] = [];
    for (const [id, { mayBeGone, isGone }] of this.#all) {
      if (isGone && ids.has(id)) faults.push(`the receipt of ${id} is there, which was removed`);
      if (!mayBeGone && !ids.has(id)) faults.push(`the receipt of ${id} is gone`);
    }
    return faults;
  }
}
