import type { Exchange } from '../model/exchange.ts';
import { type Change, personKey } from '../model/person.ts';

/**
 * Choices that are on their way to disk, and not in state yet, by whose they are. What is judged by state alone would go by the
 * choice before, and stand in the log behind the new one.
 */
export class ChoicesUnderWay {
  readonly #settled = new Map<string, Promise<void>>();

  /** `appended`: settles when the changes are in state, or never will be. */
  add(changes: readonly Change[], appended: Promise<unknown>): void {
    for (const { kind, key } of changes) {
      if (kind !== 'consent') continue;
      const forget = (): void => {
        if (this.#settled.get(key) === settled) this.#settled.delete(key);
      };
      const settled: Promise<void> = appended.then(forget, forget);
      this.#settled.set(key, settled);
    }
  }

  /** Those of the visitors whom the request is about; null where there are none. Never rejects. */
  of(x: Exchange): Promise<unknown> | null {
    if (this.#settled.size === 0) return null;
    const found = visitorKeysOf(x).flatMap((key) => this.#settled.get(key) ?? []);
    return found.length === 0 ? null : Promise.all(found);
  }
}

/** Keys of the visitors whose choices hold for a request. */
export function visitorKeysOf({ datastream, ecid, events }: Exchange): readonly string[] {
  const ecids = new Set([ecid, ...events.map((event) => event.ecid)].filter((one) => one !== null));
  return [...ecids].map((one) => personKey(datastream.orgId, 'ECID', one));
}
