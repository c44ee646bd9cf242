import type { Fs } from '../model/fs.ts';
import type { PersonState } from '../model/person.ts';
import type { Position } from '../model/record.ts';
import { readSnapshotFile, SnapshotDamaged, writeSnapshotFile } from './snapshot-file.ts';

/**
 * The snapshots of one partition in their folder, `<partition>-<offset, 16 digits>.snapshot`.
 *
 * 1. A snapshot counts (is in `offsets`) only when its data and its name are on stable storage.
 * 2. The newest `KEPT` are kept; an older one goes only after a newer one counts.
 * 3. What cannot be used is renamed: `….damaged`, or `….ahead` where the log ends before it. It is removed only when persons
 *    are erased.
 */
export class Snapshots {
  readonly #fs: Fs;
  readonly #directory: string;
  readonly #partition: number;
  /** Offsets of the snapshots that count, oldest first. */
  #offsets: number[] = [];

  private constructor(fs: Fs, directory: string, partition: number) {
    this.#fs = fs;
    this.#directory = directory;
    this.#partition = partition;
  }

  /** Lists what is there, removes what a crash left half written, and makes the names durable that a crash may have left unsynced. */
  static async open(fs: Fs, directory: string, partition: number): Promise<Snapshots> {
    await fs.mkdir(directory);
    const snapshots = new Snapshots(fs, directory, partition);
    for (const name of await fs.readdir(directory)) {
      const match = NAME.exec(name);
      if (match === null || Number(match[1]) !== partition) continue;
      if (match[3] === UNFINISHED) await fs.unlink(`${directory}/${name}`);
      else snapshots.#offsets.push(Number(match[2]));
    }
    snapshots.#offsets.sort((a, b) => a - b);
    await fs.syncDirectory(directory);
    return snapshots;
  }

  /** Offsets of the snapshots that count, oldest first. */
  get offsets(): readonly number[] {
    return this.#offsets;
  }

  /** Writes one; it counts when this resolves. On an error nothing is left of it and the others still count. */
  async write(offset: number, persons: Iterable<PersonState> | AsyncIterable<PersonState>): Promise<void> {
    await this.#replace(offset, persons);
    if (!this.#offsets.includes(offset)) this.#offsets.push(offset);
    this.#offsets.sort((a, b) => a - b);
    while (this.#offsets.length > KEPT) await this.#remove(this.#path(this.#offsets.shift()!));
  }

  /** Writes one that counts anew, with fewer persons in it; after a crash it is the old one or the new one. */
  async #replace(offset: number, persons: Iterable<PersonState> | AsyncIterable<PersonState>): Promise<void> {
    const path = this.#path(offset);
    const unfinished = path + UNFINISHED;
    await this.#remove(unfinished);
    try {
      await writeSnapshotFile(this.#fs, unfinished, this.#position(offset), persons);
      await this.#fs.rename(unfinished, path);
    } catch (error) {
      await this.#giveUp(unfinished, error);
    }
    await this.#fs.syncDirectory(this.#directory);
  }

  /**
   * Leaves in every snapshot what `left` leaves of its persons, and removes those that cannot be used: nobody knows whom they
   * hold. Durable when it resolves, with how many were written anew.
   */
  async purge(left: Left, report: (message: string) => void): Promise<number> {
    for (const name of await this.#fs.readdir(this.#directory)) {
      if (SET_ASIDE.test(name) || name.endsWith(UNFINISHED)) await this.#remove(`${this.#directory}/${name}`);
    }
    let written = 0;
    for (const offset of [...this.#offsets]) {
      try {
        if (await this.#purgeOne(offset, left)) written += 1;
      } catch (error) {
        if (!(error instanceof SnapshotDamaged)) throw error;
        this.#offsets = this.#offsets.filter((other) => other !== offset);
        await this.#remove(this.#path(offset));
        report(`${error.message} It was removed, because it may hold persons who are erased.`);
      }
    }
    await this.#fs.syncDirectory(this.#directory);
    return written;
  }

  async #purgeOne(offset: number, left: Left): Promise<boolean> {
    if (!(await changes(this.read(offset), left))) return false;
    await this.#replace(offset, leftOf(this.read(offset), left));
    return true;
  }

  /** The persons of one, for `StateStore.restore`; throws where the file turns out to be damaged, at the latest at its end. */
  read(offset: number): AsyncIterable<PersonState> {
    return readSnapshotFile(this.#fs, this.#path(offset), this.#position(offset));
  }

  /** It no longer counts; its file keeps its bytes under another name, which is returned. */
  async setAside(offset: number, why: 'damaged' | 'ahead'): Promise<string> {
    const path = `${this.#path(offset)}.${why}`;
    this.#offsets = this.#offsets.filter((other) => other !== offset);
    await this.#fs.rename(this.#path(offset), path);
    await this.#fs.syncDirectory(this.#directory);
    return path;
  }

  /** A full disk gets its space back at once; where not even this works, the next start removes the file. */
  async #giveUp(unfinished: string, error: unknown): Promise<never> {
    try {
      await this.#remove(unfinished);
    } catch (also) {
      throw new AggregateError([error, also], `A snapshot failed (${String(error)}), and ${unfinished} stays behind.`);
    }
    throw error;
  }

  async #remove(path: string): Promise<void> {
    try {
      await this.#fs.unlink(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  #position(offset: number): Position {
    return { partition: this.#partition, offset };
  }

  #path(offset: number): string {
    return `${this.#directory}/${this.#partition}-${String(offset).padStart(OFFSET_DIGITS, '0')}.snapshot`;
  }
}

/** The last two: if the newest turns out damaged, the one before and the log behind it still make the state. */
export const KEPT = 2;
/** As many as the largest safe integer has. */
const OFFSET_DIGITS = 16;
const UNFINISHED = '.new';
const NAME = /^(\d+)-(\d{16})\.snapshot(\.new)?$/;
const SET_ASIDE = /^\d+-\d{16}\.snapshot\.(damaged|ahead)$/;

type Left = (person: PersonState) => PersonState | null;

async function changes(persons: AsyncIterable<PersonState>, left: Left): Promise<boolean> {
  let isChanged = false;
  // To the end: whether the file is damaged is known there.
  for await (const person of persons) isChanged ||= left(person) !== person;
  return isChanged;
}

async function* leftOf(persons: AsyncIterable<PersonState>, left: Left): AsyncGenerator<PersonState> {
  for await (const person of persons) {
    const one = left(person);
    if (one !== null) yield one;
  }
}
