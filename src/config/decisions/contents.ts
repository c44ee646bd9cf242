import { isAbsolute } from 'node:path';
import { type Folder, isUnread, isWithin } from '../folder.ts';

/** A page's worth of markup; clients get it in one answer. */
export const CONTENT_BYTES_MAX = 256 * 1024;
/** Held in memory, with everything else that is decided among. */
export const CONTENTS_BYTES_MAX = 32 * 1024 * 1024;

/** Content that stands in files of its own, read and watched with the workspace. */
export class Contents {
  readonly #folder: Folder;
  readonly #addToHash: (name: string, bytes: Uint8Array) => void;
  readonly #texts = new Map<string, string>();
  #bytes = 0;

  constructor(folder: Folder, addToHash: (name: string, bytes: Uint8Array) => void) {
    this.#folder = folder;
    this.#addToHash = addToHash;
  }

  /** The text of a file of the workspace; or, as an object, why there is none, with the remedy. */
  read(name: string): string | { readonly why: string } {
    const known = this.#texts.get(name);
    if (known !== undefined) return known;
    if (!this.#isInside(name)) {
      return { why: `The file '${name}' lies outside of the workspace. Put it into it, and name it from there.` };
    }
    const bytes = this.#folder.read(name, CONTENT_BYTES_MAX);
    if (isUnread(bytes))
      return {
        why: `The file '${name}' cannot be read. ${bytes.message} The path is relative to the workspace folder.`,
      };
    this.#bytes += bytes.length;
    if (this.#bytes > CONTENTS_BYTES_MAX)
      return { why: `Files of content have more than ${CONTENTS_BYTES_MAX} bytes together, which are held in memory.` };
    this.#addToHash(`content ${name}`, bytes);
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      this.#texts.set(name, text);
      return text;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return { why: `The file '${name}' is not UTF-8. Save it in that encoding.` };
    }
  }

  /** A link out of the workspace would show visitors a file that nobody meant. One that is missing is looked for, and watched. */
  #isInside(name: string): boolean {
    if (isAbsolute(name) || name.split(/[/\\]/).includes('..')) return false;
    const real = this.#folder.real(name);
    const root = this.#folder.real('.');
    return real === null || (root !== null && isWithin(real, root));
  }
}
