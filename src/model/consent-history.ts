import { choicesOf } from './consent-in-force.ts';
import type { Consent } from './exchange.ts';
import type { Json, JsonObject } from './json.ts';
import { applyChange, type Change, type PersonState, personKey } from './person.ts';
import type { Stored } from './record.ts';

/** Where a choice comes in by a call of its own; on any other path an event brought it. */
const SET_CONSENT = '/v1/privacy/set-consent';

/** One choice of a visitor, as the log has it. */
export interface ConsentChoice {
  /** "<partition>:<offset>" of its record: what events keep as `recordId`. */
  readonly position: string;
  /** When it was received: Unix epoch, milliseconds. */
  readonly atMs: number;
  readonly orgId: string;
  readonly datastreamId: string;
  readonly requestId: string;
  /** A call of its own, or the `consentStrings` of an event. */
  readonly by: 'set-consent' | 'event';
  readonly operation: 'replace' | 'update';
  /** `consent[]` as it was sent. */
  readonly given: readonly Json[];
  /** Position of the choice before it; null where it was the first. */
  readonly previous: string | null;
  /** All that holds from here on: preferences in the shape of Adobe 2.0, `version`, and `tcf`. */
  readonly holds: JsonObject;
  /** What that came to, by the datastream's rules of then; null in records of before it was noted. */
  readonly collect: Consent['collect'] | null;
  /** A newer one was there already: it changed nothing. */
  readonly isOutdated: boolean;
  /** The choice before it is in the log no more: of what it leaves as it was, nothing is known. */
  readonly isFragment: boolean;
}

/** Gathers the choices of one ECID, of every org, from records in the order of the log. */
export class ConsentHistory {
  readonly choices: ConsentChoice[] = [];
  readonly #ecid: string;
  readonly #persons = new Map<string, PersonState>();

  constructor(ecid: string) {
    this.#ecid = ecid;
  }

  add(stored: Stored): void {
    const key = personKey(stored.record.orgId, 'ECID', this.#ecid);
    for (const change of stored.record.changes) {
      if (change.kind === 'consent' && change.key === key) this.#add(stored, change);
    }
  }

  #add({ position, record }: Stored, change: Change): void {
    const before = this.#persons.get(change.key) ?? null;
    const after = applyChange(before, change, position)!;
    this.#persons.set(change.key, after);
    const { operation, given, previous, collect } = change.body;
    this.choices.push({
      position: `${position.partition}:${position.offset}`,
      atMs: record.atMs,
      orgId: record.orgId,
      datastreamId: record.datastreamId,
      requestId: record.requestId,
      by: record.path === SET_CONSENT ? 'set-consent' : 'event',
      operation: operation === 'update' ? 'update' : 'replace',
      given: Array.isArray(given) ? given : [],
      previous: typeof previous === 'string' ? previous : null,
      holds: choicesOf(after.body['consent'] as JsonObject),
      collect: (collect as ConsentChoice['collect'] | undefined) ?? null,
      isOutdated: after === before,
      isFragment: before === null && typeof previous === 'string' && operation === 'update',
    });
  }
}
