import type { RetryKey } from './exchange.ts';
import { ecidEntry } from './identity.ts';
import type { JsonObject } from './json.ts';

/** By what an event, or a request, is known when it comes again. */
export interface DuplicateKey extends RetryKey {
  /** Whose it is; null: nobody's that is known. A copy that names somebody else is none. */
  readonly ecid: string | null;
}

interface Keyed extends RetryKey {
  readonly added: JsonObject | null;
}
interface KeyedRecord {
  readonly ecid: string | null;
  readonly retryKey?: RetryKey | null;
  /** Asked for where a batch has events that name their ECIDs themselves: then, the body is parsed. */
  readonly events: readonly { readonly xdm: JsonObject }[];
}

/** The keys of a stored request. `events`: what of its events can be told without its body. */
export function duplicateKeys(record: KeyedRecord, events: readonly Keyed[]): readonly DuplicateKey[] {
  const keys: DuplicateKey[] = events.map(({ dedupKey, payloadHash, added }, nth) => ({
    dedupKey,
    payloadHash,
    ecid:
      ecidIn(added) ?? (events.length === 1 || record.ecid === null ? record.ecid : ecidIn(record.events[nth]!.xdm)),
  }));
  if (record.retryKey != null) keys.push({ ...record.retryKey, ecid: record.ecid });
  return keys;
}

/** An event has its ECID added, unless it came with one: in a batch, that may be another visitor's than the request's. */
function ecidIn(xdm: JsonObject | null): string | null {
  const id = ecidEntry(xdm?.['identityMap']);
  return typeof id === 'string' ? id : null;
}
