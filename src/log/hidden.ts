import { crc32 } from 'node:zlib';
import { withoutErased } from '../model/erased-record.ts';
import { type Digest, type Erasure, isErasedBy } from '../model/erasure.ts';
import type { Fs } from '../model/fs.ts';
import type { LogRecord } from '../model/record.ts';
import { readFile } from './io.ts';

/** The installation's way of telling who is erased: digests under a key, which `keyId` names. */
export interface DigestKey {
  readonly keyId: string;
  readonly digest: Digest;
}

/** An erasure that segments may still have to be rewritten for. */
export interface PendingErasure extends Erasure {
  readonly keyId: string;
  /** No record of it stands before this offset. */
  readonly since: number;
  /** Where its record stands: what is before is hidden. Null until that is known, and then all is. */
  readonly offset: number | null;
}

/** What stands in the file. */
export interface HiddenList {
  /** Grows with each rewriting: files that were opened before are to be opened again. */
  readonly generation: number;
  readonly erasures: readonly PendingErasure[];
}
export const NOTHING_HIDDEN: HiddenList = { generation: 0, erasures: [] };

/**
 * What readers are not shown, though segments hold it: `hidden` beside them. The log's own records say who is erased; this
 * file has those of them that are not carried out yet, so that a reader knows of an erasure before it comes to its record.
 * Where nothing is to be hidden it costs a reader nothing.
 *
 * One line of JSON, replaced as a whole: `{"format":1,"generation":…,"erasures":[…],"crc":<CRC-32 of the line without it>}`.
 */
export const HIDDEN_FORMAT = 1;
export const HIDDEN_FILE = 'hidden';

export class Hidden {
  readonly list: HiddenList;
  readonly #sets: readonly { readonly before: number; readonly set: ReadonlySet<string> }[];
  readonly #key: DigestKey | null;

  constructor(list: HiddenList, key: DigestKey | null) {
    this.list = list;
    this.#key = key;
    this.#sets = list.erasures.map(({ offset, digests }) => ({
      before: offset ?? Number.POSITIVE_INFINITY,
      set: new Set(digests),
    }));
  }

  /** Throws where it cannot be told who is erased: then nothing may be shown. */
  check(): void {
    const ids = new Set(this.list.erasures.map(({ keyId }) => keyId));
    if (ids.size === 0 || (ids.size === 1 && ids.has(this.#key?.keyId ?? ''))) return;
    throw new Error(
      'Persons are being erased from this log, and the key by which they are known is missing or another one. Give the erasure key of this installation (WEIR_ERASURE_KEY, identity.erasureKeyFile, or keys/erasure.key in the data folder).',
    );
  }

  /** The record as it is to be shown; the same object where nothing of it is hidden. */
  shown(offset: number, record: LogRecord): LogRecord {
    const sets = this.#sets.filter(({ before }) => offset < before).map(({ set }) => set);
    return sets.length === 0 ? record : withoutErased(record, isErasedBy(sets, this.#key!.digest));
  }

  /** Without erasures whose place is not known yet: these hide what comes behind them too, which is not to be removed. */
  placed(): Hidden {
    const erasures = this.list.erasures.filter(({ offset }) => offset !== null);
    return new Hidden({ ...this.list, erasures }, this.#key);
  }

  get isEmpty(): boolean {
    return this.#sets.length === 0;
  }
}

export function encodeHidden({ generation, erasures }: HiddenList): Buffer {
  const body = JSON.stringify({ format: HIDDEN_FORMAT, generation, erasures });
  return Buffer.from(`${body.slice(0, -1)},"crc":${crc32(body)}}`);
}

/** Null where there is no such file. Throws where its bytes are not what was written, or a newer version wrote it. */
export async function readHidden(fs: Fs, directory: string): Promise<HiddenList | null> {
  const bytes = await readFile(fs, `${directory}/${HIDDEN_FILE}`);
  if (bytes === null) return null;
  const parts = /^(\{.*),"crc":(\d+)\}$/s.exec(bytes.toString());
  if (parts === null || crc32(`${parts[1]}}`) !== Number(parts[2])) throw new HiddenDamaged(directory);
  const { format, generation, erasures } = JSON.parse(`${parts[1]}}`) as HiddenList & { readonly format: number };
  if (format > HIDDEN_FORMAT) {
    throw new Error(
      `${directory}/${HIDDEN_FILE} has format ${format}; this version of Weir reads format ${HIDDEN_FORMAT}. Start the version that wrote it, or a newer one.`,
    );
  }
  return { generation, erasures };
}

/** The file is damaged: whom it names is not known, so nothing may be shown by it. */
export class HiddenDamaged extends Error {
  constructor(directory: string) {
    super(`${directory}/${HIDDEN_FILE} is damaged: which persons are being erased has to be read from the whole log.`);
    this.name = 'HiddenDamaged';
  }
}
