import { randomInt } from 'node:crypto';
import type { Position } from '../model/record.ts';

/** Retries come seconds after the first try; mobile clients may take minutes. Chosen, documented. */
export const DUPLICATE_WINDOW_MS = 10 * 60 * 1000;
/** Bounds memory (about 90 bytes each) and the work of rebuilding after a start. */
export const DUPLICATES_MAX = 262_144;

/** What is known of an event that was stored, or is being stored; or of a request without events. */
export interface FirstCopy {
  /** The ECID that the first copy was answered with. */
  readonly ecid: string | null;
  /** Where it stands; null while it is not durable, and where it left nothing in the log. */
  readonly position: Position | null;
  /** Resolves when the first copy is durable; null once it is, and where there is nothing to wait for. */
  readonly pending: Promise<Position> | null;
}

const ECID_BYTES = 38;
const TAIL_BYTES = 4;
const EMPTY = -1;
/** The offset of what left nothing in the log, or has not yet. */
const NOWHERE = -1;
const LANES = 4;

/**
 * Which events were stored in the last minutes, by datastream, dedup key and payload hash together: the key alone never
 * suppresses, because anyone can guess one. Bounded by age and by number; the oldest leave first.
 *
 * A ring of entries in typed arrays with an open-addressing index, because a Map of strings costs 13 µs a request in
 * garbage collection (each entry outlives the young generation), this 1 µs. An entry is known by a 128-bit fingerprint
 * under a random seed; the payload hash in it is cryptographic, so nobody can aim at a collision.
 */
export class DuplicateWindow {
  readonly #windowMs: number;
  readonly #capacity: number;
  readonly #mask: number;
  /** Index: ring slot by fingerprint, linear probing. */
  readonly #index: Int32Array;
  readonly #prints: Uint32Array;
  readonly #atMs: Float64Array;
  readonly #offsets: Float64Array;
  readonly #partitions: Uint32Array;
  readonly #ecids: Buffer;
  readonly #live: Uint8Array;
  /**
   * By slot. Not a Map: one that is added to and deleted from for every request is copied every few hundred, and each table
   * that it leaves keeps the requests in it from the garbage collector once it has grown old.
   */
  readonly #pending: (Promise<Position> | null)[];
  readonly #seed = randomInt(2 ** 32);
  readonly #print = new Uint32Array(LANES);
  /** What `#print` is of: a request asks for an event's first copy, and then adds it. */
  #printOf: readonly [string, string, string] | null = null;
  #next = 0;
  #size = 0;

  constructor(windowMs = DUPLICATE_WINDOW_MS, entriesMax = DUPLICATES_MAX) {
    this.#windowMs = windowMs;
    this.#capacity = entriesMax;
    const buckets = 2 ** Math.ceil(Math.log2(entriesMax * 2));
    this.#mask = buckets - 1;
    this.#index = new Int32Array(buckets).fill(EMPTY);
    this.#prints = new Uint32Array(entriesMax * LANES);
    this.#atMs = new Float64Array(entriesMax);
    this.#offsets = new Float64Array(entriesMax);
    this.#partitions = new Uint32Array(entriesMax);
    this.#ecids = Buffer.alloc(entriesMax * ECID_BYTES);
    this.#live = new Uint8Array(entriesMax);
    this.#pending = new Array<Promise<Position> | null>(entriesMax).fill(null);
  }

  /** Entries held, those too old to count included. */
  get size(): number {
    return this.#size;
  }

  find(datastreamId: string, dedupKey: string, payloadHash: string, nowMs: number): FirstCopy | null {
    this.#fingerprint(datastreamId, dedupKey, payloadHash);
    const slot = this.#index[this.#bucketOf(this.#print, 0)]!;
    if (slot === EMPTY || this.#atMs[slot]! < nowMs - this.#windowMs) return null;
    const pending = this.#pending[slot]!;
    return {
      ecid:
        this.#ecids[slot * ECID_BYTES] === 0
          ? null
          : this.#ecids.toString('latin1', slot * ECID_BYTES, (slot + 1) * ECID_BYTES),
      position:
        pending === null && this.#offsets[slot] !== NOWHERE
          ? { partition: this.#partitions[slot]!, offset: this.#offsets[slot]! }
          : null,
      pending,
    };
  }

  /**
   * Remembers an event that is on its way to disk. Returns its entry, for `stored` or `forget`. `pending`: null where
   * nothing goes there.
   */
  add(
    datastreamId: string,
    dedupKey: string,
    payloadHash: string,
    ecid: string | null,
    atMs: number,
    pending: Promise<Position> | null,
  ): number {
    this.#fingerprint(datastreamId, dedupKey, payloadHash);
    let bucket = this.#bucketOf(this.#print, 0);
    if (this.#index[bucket] !== EMPTY) this.#remove(this.#index[bucket]!);
    const slot = this.#next;
    if (this.#live[slot] === 1) this.#remove(slot);
    this.#next = slot + 1 === this.#capacity ? 0 : slot + 1;
    for (let lane = 0; lane < LANES; lane++) this.#prints[slot * LANES + lane] = this.#print[lane]!;
    this.#atMs[slot] = atMs;
    if (ecid === null) this.#ecids[slot * ECID_BYTES] = 0;
    else this.#ecids.write(ecid, slot * ECID_BYTES, ECID_BYTES, 'latin1');
    this.#live[slot] = 1;
    this.#offsets[slot] = NOWHERE;
    this.#pending[slot] = pending;
    bucket = this.#bucketOf(this.#print, 0); // Removals move buckets.
    this.#index[bucket] = slot;
    this.#size += 1;
    return slot;
  }

  /** The entry's event is durable. `pending`: as given to `add`; a slot that was taken over since is left alone. */
  stored(slot: number, pending: Promise<Position>, position: Position): void {
    if (this.#pending[slot] !== pending) return;
    this.#pending[slot] = null;
    this.#partitions[slot] = position.partition;
    this.#offsets[slot] = position.offset;
  }

  /** The first copy could not be stored: the next try is a first one. */
  forget(slot: number, pending: Promise<Position>): void {
    if (this.#pending[slot] === pending) this.#remove(slot);
  }

  /**
   * Forgets what was answered with one of these ECIDs and stands before `before`, or nowhere: a retry of it is an event of
   * a stranger. What is on its way to disk comes behind.
   */
  forgetVisitors(ecids: readonly string[], { partition, offset }: Position): void {
    const wanted = new Set(ecids);
    // A number is compared 30 times faster than a text is made.
    const tails = new Set(ecids.map((ecid) => Buffer.from(ecid, 'latin1').readUInt32LE(ECID_BYTES - TAIL_BYTES)));
    for (let slot = 0; slot < this.#capacity; slot++) {
      if (this.#live[slot] === 0 || this.#ecids[slot * ECID_BYTES] === 0) continue;
      const end = (slot + 1) * ECID_BYTES;
      if (!tails.has(this.#ecids.readUInt32LE(end - TAIL_BYTES))) continue;
      if (!wanted.has(this.#ecids.toString('latin1', end - ECID_BYTES, end)) || this.#pending[slot] !== null) continue;
      const isBefore = this.#partitions[slot] === partition && this.#offsets[slot]! < offset;
      if (isBefore || this.#offsets[slot] === NOWHERE) this.#remove(slot);
    }
  }

  /** Takes an entry out, and closes the gap that it leaves in the index. */
  #remove(slot: number): void {
    this.#live[slot] = 0;
    this.#pending[slot] = null;
    this.#size -= 1;
    let gap = this.#bucketOf(this.#prints, slot * LANES);
    let bucket = gap;
    for (;;) {
      bucket = (bucket + 1) & this.#mask;
      const moved = this.#index[bucket]!;
      if (moved === EMPTY) break;
      const home = this.#prints[moved * LANES]! & this.#mask;
      if (((bucket - home) & this.#mask) < ((bucket - gap) & this.#mask)) continue;
      this.#index[gap] = moved;
      gap = bucket;
    }
    this.#index[gap] = EMPTY;
  }

  /** The bucket that holds this fingerprint, or the empty one where it would go. */
  #bucketOf(prints: Uint32Array, at: number): number {
    let bucket = prints[at]! & this.#mask;
    for (;;) {
      const slot = this.#index[bucket]!;
      if (slot === EMPTY || this.#equals(prints, at, slot * LANES)) return bucket;
      bucket = (bucket + 1) & this.#mask;
    }
  }

  #equals(prints: Uint32Array, at: number, other: number): boolean {
    const mine = this.#prints;
    return (
      prints[at] === mine[other] &&
      prints[at + 1] === mine[other + 1] &&
      prints[at + 2] === mine[other + 2] &&
      prints[at + 3] === mine[other + 3]
    );
  }

  /** Four 32-bit lanes of multiply-and-rotate over the three texts, NUL between them. */
  #fingerprint(datastreamId: string, dedupKey: string, payloadHash: string): void {
    const known = this.#printOf;
    if (known !== null && known[1] === dedupKey && known[2] === payloadHash && known[0] === datastreamId) return;
    this.#printOf = [datastreamId, dedupKey, payloadHash];
    const print = this.#print;
    let a = this.#seed;
    let b = a ^ 0x9e3779b9;
    let c = a ^ 0x85ebca6b;
    let d = a ^ 0xc2b2ae35;
    for (const text of [datastreamId, dedupKey, payloadHash]) {
      for (let i = 0; i <= text.length; i++) {
        const unit = i === text.length ? 0 : text.charCodeAt(i);
        a = Math.imul(a ^ unit, 0x01000193);
        b = Math.imul(b ^ unit, 0x85ebca77) ^ (b >>> 15);
        c = Math.imul(c ^ unit, 0xc2b2ae3d) ^ (c >>> 13);
        d = Math.imul(d ^ unit, 0x27d4eb2f) ^ (d >>> 16);
      }
    }
    print[0] = (a ^ (a >>> 16) ^ d) >>> 0;
    print[1] = (b ^ (b >>> 13)) >>> 0;
    print[2] = (c ^ (c >>> 16)) >>> 0;
    print[3] = (d ^ (d >>> 15)) >>> 0;
  }
}
