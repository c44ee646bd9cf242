import type { Erasure } from '../model/erasure.ts';
import type { Fs } from '../model/fs.ts';
import type { DiskSpace } from './disk-space.ts';
import { type DigestKey, type ExpiryRule, encodeHidden, HIDDEN_FILE, Hidden, type HiddenList } from './hidden.ts';
import { replaceFile } from './io.ts';

export interface HiddenFileDeps {
  readonly fs: Fs;
  readonly directory: string;
  readonly space: DiskSpace;
  readonly key: DigestKey | null;
  readonly nowMs: () => number;
}

/**
 * The writer's side of `hidden`. One change after the other, each durable when it resolves. What hides more is in force
 * before it is written, what hides less after: nobody is shown on the strength of a file that may be lost.
 */
export class HiddenFile {
  readonly #deps: HiddenFileDeps;
  #current: Hidden;
  #writing: Promise<void> = Promise.resolve();

  constructor(deps: HiddenFileDeps, list: HiddenList) {
    this.#deps = deps;
    this.#current = new Hidden(list, deps.key, deps.nowMs);
  }

  get current(): Hidden {
    return this.#current;
  }

  /**
   * Hides a person before the log says so; until its place is known, wherever they stand. Throws without a key, and what the
   * disk says: then nobody is hidden by it.
   */
  async begin(erasure: Erasure, since: number): Promise<void> {
    const { key } = this.#deps;
    if (key === null) throw new Error('Nobody can be erased: this log was opened without an erasure key.');
    const pending = { ...erasure, keyId: key.keyId, since, offset: null };
    try {
      await this.#change((list) => ({ ...list, erasures: [...list.erasures, pending] }), 'first');
    } catch (error) {
      const { list } = this.#current;
      this.#take({ ...list, erasures: list.erasures.filter(({ id }) => id !== erasure.id) });
      throw error;
    }
  }

  /** Its record stands at `offset`. */
  place(id: string, offset: number): Promise<void> {
    const placed = (list: HiddenList): HiddenList => ({
      ...list,
      erasures: list.erasures.map((one) => (one.id === id ? { ...one, offset } : one)),
    });
    return this.#change(placed, 'after');
  }

  /** These are not hidden any more: they are gone, or they were never erased. */
  end(ids: readonly string[]): Promise<void> {
    const ended = (list: HiddenList): HiddenList => ({
      ...list,
      generation: list.generation + 1,
      erasures: list.erasures.filter(({ id }) => !ids.includes(id)),
    });
    return this.#change(ended, 'after');
  }

  /** In force at once, whether the disk takes it or not. */
  setRules(rules: readonly ExpiryRule[]): Promise<void> {
    return this.#change((list) => ({ ...list, rules }), 'first');
  }

  /** Segments hold less than they did. */
  rewritten(): Promise<void> {
    return this.#change((list) => ({ ...list, generation: list.generation + 1 }), 'after');
  }

  #change(next: (list: HiddenList) => HiddenList, inForce: 'first' | 'after'): Promise<void> {
    if (inForce === 'first') this.#take(next(this.#current.list));
    const written = this.#writing.then(async () => {
      const { fs, directory, space } = this.#deps;
      const list = inForce === 'first' ? this.#current.list : next(this.#current.list);
      await space.withReserve(() => replaceFile(fs, directory, HIDDEN_FILE, encodeHidden(list)));
      if (inForce === 'after') this.#take(next(this.#current.list));
    });
    // The caller is told of a failure; the change after it is tried all the same.
    this.#writing = written.catch(() => {});
    return written;
  }

  #take(list: HiddenList): void {
    this.#current = new Hidden(list, this.#deps.key, this.#deps.nowMs);
  }
}
