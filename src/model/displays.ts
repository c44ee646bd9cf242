import type { DecisionHistory, StoredNotice } from './decision.ts';
import { type Capacity, DEVICE, withDisplays } from './decision-history.ts';
import { claimsOf, type TokenClaims } from './decision-token.ts';
import type { EdgeEvent } from './exchange.ts';

/** Whom an event names. `ecid`: of its device. */
export type Named = Pick<EdgeEvent, 'index' | 'ecid' | 'identities'>;

interface Display {
  /** Of whom it tells. */
  readonly event: Named;
  readonly claims: TokenClaims;
}

/** What was displayed to one visitor, and what of it has been counted. */
interface Counted {
  readonly displays: readonly Display[];
  /** Index of the event up to which it was asked for. */
  upTo: number;
  next: number;
  history: DecisionHistory | null;
}

/**
 * What the events of one request tell was displayed, and to whom: it counts for the decisions of this request already, up to the event
 * that is decided for. A preview counts nowhere. Read once for all of them: a batch has a thousand events and hundreds of notices.
 */
export class Displays {
  readonly #notices: readonly StoredNotice[] | null;
  readonly #events: readonly Named[];
  readonly #capacity: Capacity;
  #all: readonly Display[] | null = null;
  readonly #known = new Map<string, Counted>();

  /** `notices`: in the order of the events; null: nothing was displayed. `events`: all of the request. */
  constructor(notices: readonly StoredNotice[] | null, events: readonly Named[], capacity: Capacity) {
    this.#notices = notices;
    this.#events = events;
    this.#capacity = capacity;
  }

  /** The history of whoever has the id, `before` the request, with what was displayed to them up to the event. Cheapest in the order of the events. */
  historyOf(namespace: string, id: string, eventIndex: number, before: DecisionHistory | null): DecisionHistory | null {
    if (this.#notices === null) return before;
    const counted = this.#counted(namespace, id, before);
    if (eventIndex < counted.upTo) Object.assign(counted, { next: 0, history: before });
    counted.upTo = eventIndex;
    const { displays, next } = counted;
    while (counted.next < displays.length && displays[counted.next]!.event.index <= eventIndex) counted.next += 1;
    if (counted.next > next) {
      const claims = displays.slice(next, counted.next).map((display) => display.claims);
      counted.history = withDisplays(counted.history ?? {}, claims, this.#capacity);
    }
    return counted.history;
  }

  #counted(namespace: string, id: string, before: DecisionHistory | null): Counted {
    const key = `${namespace}\n${id}`;
    let counted = this.#known.get(key);
    if (counted === undefined) {
      this.#all ??= this.#read();
      const displays = this.#all.filter(({ event }) => names(event, namespace, id));
      counted = { displays, upTo: -1, next: 0, history: before };
      this.#known.set(key, counted);
    }
    return counted;
  }

  #read(): readonly Display[] {
    const events = new Map(this.#events.map((event) => [event.index, event]));
    return (this.#notices ?? []).flatMap(({ i, k, t }) => {
      const event = k === 'display' ? events.get(i) : undefined;
      const claims = event === undefined ? null : claimsOf(t);
      return claims === null || claims.isPreview ? [] : [{ event: event!, claims }];
    });
  }
}

export const NO_DISPLAYS = new Displays(null, [], () => 0);

function names({ ecid, identities }: Named, namespace: string, id: string): boolean {
  if (namespace === DEVICE) return ecid === id;
  return identities.some((identity) => identity.namespace === namespace && identity.id === id);
}
