import { isDeepStrictEqual } from 'node:util';
import type { Missing } from '../../src/log/cursor.ts';
import { isErasure } from '../../src/model/erasure.ts';
import type { StateStore } from '../../src/model/parts.ts';
import { applyChange, type Change, type PersonState } from '../../src/model/person.ts';
import type { LogRecord, Position, Stored } from '../../src/model/record.ts';
import { ErasedView, eraseVisitor } from './erased-view.ts';
import { ExpiredView, partsOf, proofMark } from './expired-view.ts';
import { KeptReceipts } from './kept-receipts.ts';
import { idOf, PLAIN_PATH } from './requests.ts';
import { faultsOf, type Reading } from './shown-record.ts';
import type { SimClock } from './sim-host.ts';

interface Sent {
  readonly record: LogRecord;
  /** Where it stands, once that is known. */
  offset: number | null;
  isAcknowledged: boolean;
  /** The caller was told that it is not stored and may come again: it must never be seen. */
  isRefused: boolean;
}

/**
 * What may be seen of a log, kept beside the real one. A record that was acknowledged, or shown to any reader, has to be
 * there for good; one that was sent and neither may be there or not, but once and whole. What it finds wrong stands in
 * `wrongs`.
 */
export class Model {
  readonly wrongs: string[] = [];
  readonly #sent = new Map<string, Sent>();
  readonly #byOffset = new Map<number, Sent>();
  /** Offsets whose bytes were damaged on purpose: they are to be reported, and nothing else is. */
  readonly #damaged = new Set<number>();
  /** Offsets that were damaged while nothing proved them durable: they may be missing without a word. */
  readonly #doubtful = new Set<number>();
  /** Retention was allowed to drop what is below. */
  mayDropBefore = 0;
  readonly erased = new ErasedView();
  readonly receipts = new KeptReceipts();
  readonly expired: ExpiredView;
  /** A change was lost to damage, so nobody can tell what state has to be. */
  isStateUnknown = false;

  constructor(clock: SimClock = { ms: 0, jumpedMs: 0 }) {
    this.expired = new ExpiredView(clock);
  }

  wrong(what: string): void {
    this.wrongs.push(what);
  }

  send(record: LogRecord): void {
    this.#sent.set(record.requestId, { record, offset: null, isAcknowledged: false, isRefused: false });
    this.expired.send(record);
  }

  acknowledge(record: LogRecord, { offset }: Position): void {
    const sent = this.#sent.get(record.requestId)!;
    sent.isAcknowledged = true;
    this.#place(sent, offset, 'acknowledged');
  }

  refuse(record: LogRecord): void {
    this.#sent.get(record.requestId)!.isRefused = true;
  }

  /** A reader got it, wherever that reader is: from now on it is durable, or the log has lied. */
  show({ position: { offset }, record }: Stored, where: string, reading = this.reading({})): void {
    const sent = record.requestId === '' ? this.#whoseRest(record, offset) : this.#sent.get(record.requestId);
    if (sent === undefined) {
      // Nothing of it is left that says whose it was.
      if (record.requestId === '' && record.events.length + record.changes.length === 0) return;
      this.wrong(`${where} shows '${record.requestId}', which nobody sent`);
      return;
    }
    if (sent.isRefused) this.wrong(`${where} shows '${record.requestId}', which was refused`);
    const { requestId, path, raw, changes } = sent.record;
    if (path !== PLAIN_PATH) {
      const isBare = record.events.length === 0 && record.raw === null && record.ecid === null;
      const isDropped = reading.hasProofs && isBare && offset < this.mayDropBefore;
      for (const fault of faultsOf(this, record, sent.record, offset, reading, isDropped))
        this.wrong(`${where}: ${offset} ${fault}`);
    } else if (!isDeepStrictEqual(record.raw, raw) || !isDeepStrictEqual(record.changes, changes)) {
      this.wrong(`${where} shows other bytes for '${requestId}' than were sent`);
    }
    this.#place(sent, offset, where);
    this.erased.place(requestId, offset);
  }

  /** A reading that begins now; `isKnown`: also for erasures, of which a consumer may show what it read long ago. */
  reading({ isInside = true, hasProofs = false, isKnown = false }): Reading {
    const expired = this.expired.now();
    return { erased: isKnown ? this.erased.now() : 0, expired, isInside, hasProofs };
  }

  /** What is left of a request may not say whose it was: its place does, or a change, which has a time of its own. */
  #whoseRest({ changes }: LogRecord, offset: number): Sent | undefined {
    const known = this.#byOffset.get(offset);
    const [first] = changes;
    if (known !== undefined || first === undefined) return known;
    return this.#sent.get(`r${Number.parseInt(first.time.slice(0, 12), 16)}`);
  }

  /** Records by where they stand. */
  placed(): ReadonlyMap<number, LogRecord> {
    return new Map([...this.#byOffset].map(([offset, { record }]) => [offset, record]));
  }

  /** Acknowledged records that are in the log as they were sent, but for what has expired. */
  *kept(): Generator<LogRecord> {
    for (const offset of this.acknowledged()) {
      const { record } = this.#byOffset.get(offset)!;
      if (record.changes.some(isErasure) || record.path === PLAIN_PATH) continue;
      if (!partsOf(record).some(({ visitor }) => this.erased.mayHide(visitor, offset, Number.POSITIVE_INFINITY)))
        yield record;
    }
  }

  #place(sent: Sent, offset: number, where: string): void {
    const id = sent.record.requestId;
    if (sent.offset !== null && sent.offset !== offset) {
      this.wrong(`${where}: '${id}' stands at ${offset}, and at ${sent.offset} before`);
    }
    const other = this.#byOffset.get(offset);
    if (other !== undefined && other !== sent) {
      this.wrong(`${where}: '${id}' stands at ${offset}, where '${other.record.requestId}' stood`);
    }
    sent.offset = offset;
    this.#byOffset.set(offset, sent);
  }

  /** A bit of this record was flipped. */
  damage(offset: number): void {
    this.#damaged.add(offset);
    this.#forgetState(offset);
  }

  /**
   * Nothing on the disk proves any more that records from `provenEnd` on were durable: what is damaged there, and all
   * behind it, looks like a write that was not finished.
   */
  doubtFrom(provenEnd: number): void {
    const first = Math.min(...[...this.#damaged].filter((offset) => offset >= provenEnd));
    for (const offset of this.#byOffset.keys()) {
      if (offset < first) continue;
      this.#doubtful.add(offset);
      this.#forgetState(offset);
    }
  }

  /**
   * A start found the end of the log here. What was damaged behind it is gone for good, and nothing of that speaks of the
   * records that get these offsets now, not even before they are acknowledged: they may be damaged in their turn.
   */
  endAt(nextOffset: number): void {
    for (const offset of [...this.#damaged, ...this.#doubtful]) {
      if (offset < nextOffset) continue;
      this.#damaged.delete(offset);
      this.#doubtful.delete(offset);
      this.#byOffset.delete(offset);
    }
  }

  #forgetState(offset: number): void {
    if ((this.#byOffset.get(offset)?.record.changes.length ?? 1) > 0) this.isStateUnknown = true;
  }

  get hasDamage(): boolean {
    return this.#damaged.size + this.#doubtful.size > 0;
  }

  isDamaged(offset: number): boolean {
    return this.#damaged.has(offset) || this.#doubtful.has(offset);
  }

  /** Someone said that records could not be read. */
  report(missing: Missing): void {
    const { why, fromOffset, toOffset } = missing;
    if (why === 'dropped') {
      if (toOffset > this.mayDropBefore) this.wrong(`records up to ${toOffset} were dropped, which state needs`);
      return;
    }
    for (let offset = fromOffset; offset < toOffset; offset++) {
      if (!this.isDamaged(offset)) this.wrong(`record ${offset} is said to be damaged, and nothing happened to it`);
    }
  }

  /** A start looks at the end of the log, and says by itself what is missing there. */
  checkStart(provablyDamaged: readonly number[], missing: readonly Missing[]): void {
    for (const offset of provablyDamaged) {
      if (!this.#damaged.has(offset) || this.#doubtful.has(offset)) continue;
      const isSaid = missing.some(({ fromOffset, toOffset }) => offset >= fromOffset && offset < toOffset);
      if (!isSaid) this.wrong(`the start did not say that ${offset} is damaged`);
    }
  }

  /** All that a reader got from the start on, in order, when it had come to `end` (exclusive). */
  checkWhole(shown: readonly Stored[], missing: readonly Missing[], end: number, where: string): void {
    const offsets = shown.map(({ position }) => position.offset);
    const isSaid = (offset: number): boolean =>
      missing.some(({ fromOffset, toOffset }) => offset >= fromOffset && offset < toOffset);
    let expected = offsets[0] ?? end;
    if (expected > this.mayDropBefore) {
      for (let offset = this.mayDropBefore; offset < expected; offset++) {
        if (!this.isDamaged(offset)) this.wrong(`${where} begins at ${expected}, but ${offset} may not be missing`);
      }
    }
    for (const offset of [...offsets, end]) {
      if (offset < expected) this.wrong(`${where}: ${offset} comes after ${expected - 1}`);
      for (let gone = expected; gone < offset; gone++) {
        const isExcused = this.isDamaged(gone) && (isSaid(gone) || this.#doubtful.has(gone));
        if (!isExcused) this.wrong(`${where}: ${gone} is missing between ${expected - 1} and ${offset}`);
      }
      expected = offset + 1;
    }
    const first = offsets[0] ?? end;
    const there = new Set(offsets);
    for (const [offset, { record, isAcknowledged }] of this.#byOffset) {
      if (offset < first || there.has(offset) || this.isDamaged(offset)) continue;
      const what = isAcknowledged ? 'acknowledged' : 'shown';
      this.wrong(`${where}: ${offset} ('${record.requestId}') was ${what} and is gone`);
    }
  }

  /** Offsets acknowledged by now, and not damaged since; those that may be dropped only with `isOld`. */
  acknowledged(isOld = false): number[] {
    const found: number[] = [];
    for (const [offset, { isAcknowledged }] of this.#byOffset) {
      if (isAcknowledged && (isOld || offset >= this.mayDropBefore) && !this.isDamaged(offset)) found.push(offset);
    }
    return found;
  }

  checkShown(offsets: readonly number[], shown: readonly Stored[], where: string): void {
    const there = new Set(shown.map(({ position }) => position.offset));
    for (const offset of offsets) {
      if (!there.has(offset) && offset >= this.mayDropBefore)
        this.wrong(`${where} does not show ${offset}, which was acknowledged`);
    }
  }

  /**
   * What a reader of choices and erasures got: of those at `offsets` each that is kept, once, in order, wherever it stands.
   */
  checkProofs(offsets: readonly number[], shown: readonly Stored[], reading: Reading, where: string): void {
    const there = new Set<number>();
    let last = -1;
    for (const { position } of shown) {
      if (position.offset <= last) this.wrong(`${where}: ${position.offset} comes after ${last}`);
      last = position.offset;
      there.add(last);
    }
    for (const offset of offsets) {
      if (there.has(offset) || this.isDamaged(offset)) continue;
      const { record } = this.#byOffset.get(offset)!;
      for (const change of record.changes) {
        const mark = proofMark(change);
        if (mark === null || this.expired.mayProofHide(mark)) continue;
        if (isErasure(change) || !this.erased.mayHide(idOf(change), offset, reading.erased))
          this.wrong(`${where}: ${mark} of ${offset} is neither in the log nor in what is kept of it`);
      }
    }
  }

  /** State is the fold of all records below `end` in log order. */
  checkState(store: StateStore, end: number): void {
    const applied = store.appliedUpTo(0) as number;
    if (applied >= end) this.wrong(`state holds record ${applied}, the log ends before ${end}`);
    if (this.isStateUnknown) return;
    const expected = new Map<string, PersonState>();
    for (let offset = 0; offset < end; offset++) this.#fold(expected, offset);
    const dump = store.dump();
    const actual = new Map([...dump.persons].map((person) => [person.key, person]));
    dump.end();
    if (isDeepStrictEqual(actual, expected)) return;
    this.wrong(`state differs from the log:\n  ${text(actual)}\nand not\n  ${text(expected)}`);
  }

  #fold(persons: Map<string, PersonState>, offset: number): void {
    const erasure = this.erased.all.find((one) => one.offset === offset);
    if (erasure !== undefined) eraseVisitor(persons, erasure.visitor);
    for (const change of this.#byOffset.get(offset)?.record.changes ?? []) {
      if (isErasure(change)) continue;
      const after = applyChange(persons.get(change.key) ?? null, change as Change, { partition: 0, offset });
      if (after !== null) persons.set(change.key, after);
    }
  }
}

function text(persons: Map<string, PersonState>): string {
  return JSON.stringify([...persons.values()].sort((a, b) => (a.key < b.key ? -1 : 1)));
}
