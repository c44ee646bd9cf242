import { crc32 } from 'node:zlib';
import { withoutErased } from '../model/erased-record.ts';
import { type Digest, type Erasure, isErasedBy } from '../model/erasure.ts';
import { type EventAges, withoutExpired } from '../model/expiry.ts';
import type { Fs } from '../model/fs.ts';
import type { LogRecord } from '../model/record.ts';
import { readFile } from './io.ts';
import { UnknownFormat } from './segment.ts';

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

/** How long the events of a datastream are kept. */
export interface ExpiryRule extends EventAges {
  readonly datastreamId: string;
  /** When it began to be so: Unix epoch, milliseconds. */
  readonly sinceMs: number;
}

/** What stands in the file. */
export interface HiddenList {
  /** Grows with each rewriting: files that were opened before are to be opened again. */
  readonly generation: number;
  readonly erasures: readonly PendingErasure[];
  readonly rules: readonly ExpiryRule[];
}
export const NOTHING_HIDDEN: HiddenList = { generation: 0, erasures: [], rules: [] };

/** A rule hides at once, and removes only when it has been the same for so long: a slip in a file can be mended until then. Chosen. */
export const RULE_SETTLES_MS = 24 * 60 * 60 * 1000;

/**
 * What readers are not shown, though segments hold it: `hidden` beside them. The log's own records say who is erased; this
 * file has those of them that are not carried out yet, so that a reader knows of an erasure before it comes to its record.
 * And it has the rules by which events expire, for readers that know no workspace. Where nothing is to be hidden it costs a
 * reader nothing.
 *
 * One line of JSON, replaced as a whole: `{"format":1,"generation":…,"erasures":[…],"crc":<CRC-32 of the line without it>}`.
 * Format 2, where there are rules, has `"rules":[…]` before `"crc"`: a version that would show what they hide does not read it.
 */
export const HIDDEN_FORMAT = 1;
export const RULED_HIDDEN_FORMAT = 2;
export const HIDDEN_FILE = 'hidden';

export class Hidden {
  readonly list: HiddenList;
  readonly #sets: readonly { readonly before: number; readonly set: ReadonlySet<string> }[];
  readonly #rules: ReadonlyMap<string, ExpiryRule>;
  readonly #key: DigestKey | null;
  readonly #nowMs: () => number;

  /** `nowMs`: the wall clock, by which events expire. */
  constructor(list: HiddenList, key: DigestKey | null, nowMs: () => number) {
    this.list = list;
    this.#key = key;
    this.#nowMs = nowMs;
    this.#rules = new Map(list.rules.map((rule) => [rule.datastreamId, rule]));
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
    const left = sets.length === 0 ? record : withoutErased(record, isErasedBy(sets, this.#key!.digest));
    const rule = this.#rules.get(left.datastreamId);
    return rule === undefined ? left : withoutExpired(left, rule, this.#nowMs());
  }

  /** Those who are erased alone, without erasures whose place is not known yet: these hide what comes behind them too, which is not to be removed. */
  placed(): Hidden {
    const erasures = this.list.erasures.filter(({ offset }) => offset !== null);
    return new Hidden({ ...this.list, erasures, rules: [] }, this.#key, this.#nowMs);
  }

  /** Rules that have been the same for long enough to remove what they hide, by datastream. */
  settledRules(): ReadonlyMap<string, ExpiryRule> {
    const before = this.#nowMs() - RULE_SETTLES_MS;
    return new Map([...this.#rules].filter(([, { sinceMs }]) => sinceMs <= before));
  }

  get isEmpty(): boolean {
    return this.#sets.length === 0 && this.#rules.size === 0;
  }
}

/** As in the file: types and their ages as pairs. */
type WrittenRule = Omit<ExpiryRule, 'eventTypes'> & {
  readonly eventTypes: readonly (readonly [string, number | null])[];
};

export function encodeHidden({ generation, erasures, rules }: HiddenList): Buffer {
  const written = rules.map((rule): WrittenRule => ({ ...rule, eventTypes: [...rule.eventTypes] }));
  const body = JSON.stringify(
    rules.length === 0
      ? { format: HIDDEN_FORMAT, generation, erasures }
      : { format: RULED_HIDDEN_FORMAT, generation, erasures, rules: written },
  );
  return Buffer.from(`${body.slice(0, -1)},"crc":${crc32(body)}}`);
}

/** Null where there is no such file. Throws `HiddenDamaged` where its bytes are not what was written, `UnknownFormat` where a newer version wrote it. */
export async function readHidden(fs: Fs, directory: string): Promise<HiddenList | null> {
  const bytes = await readFile(fs, `${directory}/${HIDDEN_FILE}`);
  if (bytes === null) return null;
  const parts = /^(\{.*),"crc":(\d+)\}$/s.exec(bytes.toString());
  if (parts === null || crc32(`${parts[1]}}`) !== Number(parts[2])) throw new HiddenDamaged(directory);
  const { format, generation, erasures, rules = [] } = JSON.parse(`${parts[1]}}`) as WrittenList;
  if (format > RULED_HIDDEN_FORMAT) throw new UnknownFormat(`${directory}/${HIDDEN_FILE} has format ${format}`);
  return { generation, erasures, rules: rules.map((rule) => ({ ...rule, eventTypes: new Map(rule.eventTypes) })) };
}

type WrittenList = Omit<HiddenList, 'rules'> & { readonly format: number; readonly rules?: readonly WrittenRule[] };

/** The file is damaged: what it hides is not known, so nothing may be shown by it. */
export class HiddenDamaged extends Error {
  constructor(directory: string) {
    super(
      `${directory}/${HIDDEN_FILE} is damaged: which persons are being erased has to be read from the whole log, and how long events are kept from the workspace.`,
    );
    this.name = 'HiddenDamaged';
  }
}
