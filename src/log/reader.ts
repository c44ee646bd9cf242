import type { Stored } from '../model/record.ts';
import { type Durable, type ReaderOptions, type ReadFrom, readRecords, type View } from './cursor.ts';
import { type EndMark, readEndMark } from './end-mark.ts';
import { type DigestKey, Hidden, NOTHING_HIDDEN, readHidden } from './hidden.ts';
import { type LogHost, systemHost } from './host.ts';
import { codeOf, openIfThere, readdirIfThere } from './io.ts';
import { readWithProofs } from './proofs.ts';
import { findEnd, listSegments, readHeader } from './recovery.ts';
import { type Place, segmentStart } from './scan.ts';
import type { SegmentRef } from './segment.ts';

/** How often another process looks for more. */
const POLL_MS = 100;
/** Writing the mark takes microseconds. */
const MARK_TRIES = 5;
const MARK_RETRY_MS = 5;
const NEVER = new AbortController().signal;

export interface OutsideOptions extends ReaderOptions {
  readonly host?: Pick<LogHost, 'sleep' | 'bootId' | 'nowMs'>;
  /** By which persons who are being erased are told: asked for only while there are any. */
  readonly erasureKey?: () => Promise<DigestKey | null>;
  /** Told whenever a reader that follows has read all that there is. */
  readonly atEnd?: () => void;
}

export interface LogReader {
  read(from: ReadFrom, follow: boolean, signal: AbortSignal): AsyncIterable<Stored>;
  /** All of it up to now, and before it the choices and erasures of what retention has dropped. */
  readWithProofs(signal: AbortSignal): AsyncIterable<Stored>;
}

/**
 * Reads a log that another process may be writing, or none; changes nothing in its folder. Shows acknowledged records:
 * all of them, and while the machine runs no others. What the mark of the writer (end-mark.ts) covers was synced. If the
 * machine was started anew since, nothing is in the page cache that did not come from the disk, so every whole record is
 * durable. Where there is no mark for the newest segment, a batch counts when a later one proves it.
 */
export async function openLogReader(options: OutsideOptions): Promise<LogReader> {
  const { fs, directory, host = systemHost } = options;
  if ((await readdirIfThere(fs, directory)) === null)
    throw new Error(`There is no event log in '${directory}'. Is this the data folder of a server that has run?`);
  return {
    read: (from, follow, signal) => readRecords(options, new OutsideView(options, host), from, follow, signal),
    readWithProofs: (signal) => readWithProofs(options, new OutsideView(options, host), signal),
  };
}

class OutsideView implements View {
  readonly #options: OutsideOptions;
  readonly #host: Pick<LogHost, 'sleep' | 'bootId' | 'nowMs'>;
  /** How far the newest segment has been proven, so that it is not scanned from its start at every look. */
  #scanned: { readonly ref: SegmentRef; readonly proven: Place } | null = null;
  /** The newest segment, when its format was looked at. */
  #known: string | null = null;
  #key: DigestKey | null = null;

  constructor(options: OutsideOptions, host: Pick<LogHost, 'sleep' | 'bootId' | 'nowMs'>) {
    this.#options = options;
    this.#host = host;
  }

  async current(): Promise<Durable> {
    const hidden = await this.#readHidden();
    return { ...(await this.#durable()), hidden };
  }

  /** Before any record: whoever was erased by now is not shown. */
  async #readHidden(): Promise<Hidden> {
    const { fs, directory, erasureKey } = this.#options;
    const list = (await readHidden(fs, directory)) ?? NOTHING_HIDDEN;
    if (list.erasures.length > 0) this.#key ??= (await erasureKey?.()) ?? null;
    const hidden = new Hidden(list, this.#key, () => this.#host.nowMs());
    hidden.check();
    return hidden;
  }

  async #durable(): Promise<Omit<Durable, 'hidden'>> {
    const { fs, directory } = this.#options;
    // The mark first: a segment that is begun meanwhile proves what the mark says of the one before.
    const mark = await this.#readMark();
    const segments = await listSegments(fs, directory);
    const last = segments.at(-1);
    if (last === undefined) return { segments, offset: 0 };
    await this.#checkFormat(last);
    const bootId = this.#host.bootId();
    if (mark?.epoch === last.epoch && mark.bootId === bootId) return { segments, offset: mark.offset };
    const isOldBoot = mark !== null && mark.bootId !== bootId;
    const from = mark?.epoch === last.epoch ? mark : segmentStart(last.firstOffset);
    return { segments, offset: await this.#scanEnd(last, from, isOldBoot) };
  }

  /** Throws `UnknownFormat` for a segment of another version. A header that the disk refuses says nothing, and is not needed. */
  async #checkFormat(ref: SegmentRef): Promise<void> {
    if (this.#known === ref.name) return;
    const { fs, directory } = this.#options;
    const file = await openIfThere(fs, `${directory}/${ref.name}`, 'read');
    if (file === null) return;
    try {
      await readHeader(file, ref.name);
    } catch (error) {
      if (codeOf(error) !== 'EIO') throw error;
    } finally {
      await file.close();
    }
    this.#known = ref.name;
  }

  /** A mark that cannot be read may be just being written. */
  async #readMark(): Promise<EndMark | null> {
    const { fs, directory } = this.#options;
    for (let tries = 1; ; tries++) {
      const mark = await readEndMark(fs, directory);
      if (mark !== null || tries === MARK_TRIES) return mark;
      await this.#host.sleep(MARK_RETRY_MS, NEVER);
    }
  }

  async #scanEnd(ref: SegmentRef, mark: Place, isOldBoot: boolean): Promise<number> {
    const { fs, directory } = this.#options;
    const known = this.#scanned?.ref.name === ref.name ? this.#scanned.proven : mark;
    const from = known.offset > mark.offset ? known : mark;
    const file = await openIfThere(fs, `${directory}/${ref.name}`, 'read');
    if (file === null) return ref.firstOffset;
    try {
      const { proven, whole } = await findEnd(file, ref, from, 'is-damage');
      this.#scanned = { ref, proven };
      return isOldBoot ? whole.offset : proven.offset;
    } finally {
      await file.close();
    }
  }

  async wait(_offset: number, signal: AbortSignal): Promise<boolean> {
    this.#options.atEnd?.();
    await this.#host.sleep(POLL_MS, signal);
    return !signal.aborted;
  }
}
