import type { Fs } from '../model/fs.ts';
import { isOutOfSpace, openIfThere, unlinkIfThere, writeFully } from './io.ts';

/**
 * Whether there is room for appends. Below low water they are refused, so that what others write, commits, snapshots and
 * deletion still have room. And where the disk is full in earnest, the file `reserve` is given up: its space is then
 * there for the few small files that delivery and state need. Appends are taken again when the low water is reached and
 * the reserve could be written anew, which is also the proof that this user's quota allows writing.
 */
export interface DiskSpaceOptions {
  readonly fs: Fs;
  readonly directory: string;
  readonly lowWaterBytes: number;
  readonly reservedBytes: number;
  readonly report: (message: string) => void;
}

/** Room for some thousand commits of consumers, and the snapshots of a small installation. */
export const RESERVED_BYTES = 8 * 1024 * 1024;
const RESERVE = 'reserve';
const PIECE_BYTES = 1024 * 1024;

export class DiskSpace {
  readonly #options: DiskSpaceOptions;
  readonly #path: string;
  #isFull = false;
  #hasReserve = false;
  #checking: Promise<void> | null = null;

  constructor(options: DiskSpaceOptions) {
    this.#options = options;
    this.#path = `${options.directory}/${RESERVE}`;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** A write found no space. Resolves when the reserve has been given up. */
  async exhausted(): Promise<void> {
    this.#enter('The disk has no space left');
    await this.#giveUpReserve();
  }

  /** Runs what needs a few bytes; where the disk has none, once more when the reserve has been given up. */
  async withReserve<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (!isOutOfSpace(error)) throw error;
      await this.exhausted();
      return run();
    }
  }

  /** Looks again, and writes the reserve where it is missing. One look at a time; never rejects. */
  check(): Promise<void> {
    this.#checking ??= this.#check()
      .catch((error: Error) => this.#options.report(`Free disk space could not be looked at: ${error.message}`))
      .finally(() => {
        this.#checking = null;
      });
    return this.#checking;
  }

  /** Resolves when no look is under way. */
  async settled(): Promise<void> {
    await this.#checking;
  }

  /** Only looks: for a start, which writes nothing. */
  async look(): Promise<number> {
    const { fs, directory, lowWaterBytes } = this.#options;
    const free = await fs.freeBytes(directory);
    if (free < lowWaterBytes) {
      this.#enter(`The disk has ${free} bytes left, fewer than log.lowWaterBytes (${lowWaterBytes})`);
    }
    return free;
  }

  async #check(): Promise<void> {
    const { lowWaterBytes, reservedBytes } = this.#options;
    const free = await this.look();
    if (free < lowWaterBytes) return;
    if (!this.#hasReserve && !(await this.#isReserveThere())) {
      if (free < lowWaterBytes + reservedBytes || !(await this.#makeReserve())) return;
    }
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#options.report('There is space on the disk again: events are taken.');
  }

  #enter(why: string): void {
    if (this.#isFull) return;
    this.#isFull = true;
    this.#options.report(`${why}: events are refused until there is space. Free some, or set log.retention.`);
  }

  async #isReserveThere(): Promise<boolean> {
    const file = await openIfThere(this.#options.fs, this.#path, 'read');
    if (file === null) return false;
    try {
      this.#hasReserve = (await file.size()) === this.#options.reservedBytes;
    } finally {
      await file.close();
    }
    return this.#hasReserve;
  }

  /** Whether it could be made: not where there is no space after all. */
  async #makeReserve(): Promise<boolean> {
    const { fs, reservedBytes } = this.#options;
    await unlinkIfThere(fs, this.#path);
    const file = await fs.open(this.#path, 'create');
    try {
      const zeros = Buffer.alloc(Math.min(PIECE_BYTES, reservedBytes));
      for (let at = 0; at < reservedBytes; at += zeros.length) {
        await writeFully(file, zeros, 0, Math.min(zeros.length, reservedBytes - at), at);
      }
      await file.datasync();
      this.#hasReserve = true;
    } catch (error) {
      if (!isOutOfSpace(error)) throw error;
      await unlinkIfThere(fs, this.#path);
      this.#enter('The disk has no space left');
    } finally {
      await file.close();
    }
    return this.#hasReserve;
  }

  async #giveUpReserve(): Promise<void> {
    this.#hasReserve = false;
    await unlinkIfThere(this.#options.fs, this.#path);
  }
}
