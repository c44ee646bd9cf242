import type { Position } from '../model/record.ts';

/** Retries come seconds after the first try; mobile clients may take minutes. Chosen, documented. */
export const DUPLICATE_WINDOW_MS = 10 * 60 * 1000;
/** Bounds memory (about 250 bytes each) and the work of rebuilding after a start. */
export const DUPLICATES_MAX = 262_144;

export interface FirstCopy {
  readonly payloadHash: string;
  /** The ECID that the first copy was answered with. */
  readonly ecid: string | null;
  readonly atMs: number;
  /** Resolves when the first copy is durable; null once it is. */
  pending: Promise<Position> | null;
  position: Position | null;
}

/**
 * Which events were stored in the last minutes, by datastream and dedup key. The key alone never suppresses, because
 * anyone can guess one: the payload must be equal too. Oldest entries leave first, by age and by number.
 */
export class DuplicateWindow {
  readonly #entries = new Map<string, FirstCopy>();
  readonly #windowMs: number;
  readonly #entriesMax: number;

  constructor(windowMs = DUPLICATE_WINDOW_MS, entriesMax = DUPLICATES_MAX) {
    this.#windowMs = windowMs;
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  find(datastreamId: string, dedupKey: string, payloadHash: string, nowMs: number): FirstCopy | null {
    const entry = this.#entries.get(`${datastreamId}|${dedupKey}`);
    if (entry === undefined || entry.payloadHash !== payloadHash || entry.atMs < nowMs - this.#windowMs) return null;
    return entry;
  }

  /** A key that is there already, with another payload or too old, is replaced and counts as new. */
  add(datastreamId: string, dedupKey: string, entry: FirstCopy): void {
    const key = `${datastreamId}|${dedupKey}`;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    for (const [oldest, { atMs }] of this.#entries) {
      if (this.#entries.size <= this.#entriesMax && atMs >= entry.atMs - this.#windowMs) break;
      this.#entries.delete(oldest);
    }
  }

  /** The first copy could not be stored: the next try is a first one. */
  remove(datastreamId: string, dedupKey: string, entry: FirstCopy): void {
    const key = `${datastreamId}|${dedupKey}`;
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }
}
