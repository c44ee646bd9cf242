import type { ActivityHistory, StoredNotice } from '../model/decision.ts';
import type { DecisionDefinitions } from '../model/decision-definitions.ts';
import { type Capped, cappedIn, DEVICE, namespaceFor, withDisplay } from '../model/decision-history.ts';
import { claimsText, type TokenClaims } from '../model/decision-token.ts';
import { warnOfEvents } from '../model/event-warnings.ts';
import type { EdgeEvent, Exchange } from '../model/exchange.ts';
import type { HybridClock } from '../model/hybrid-time.ts';
import { nobodiesIn, withoutNobodies } from '../model/identity-rules.ts';
import { type JsonObject, valueAt } from '../model/json.ts';
import { type NotificationKind, notificationOf } from '../model/notification.ts';
import { displayedIds } from '../model/offer-place.ts';
import type { Stage } from '../model/parts.ts';
import { problem } from '../model/problem.ts';
import type { DecisionCounts } from '../telemetry/decision-counts.ts';
import type { DecisionTools } from './deciding.ts';
import { changeSection, personOf, type ReadPerson, sectionOf } from './person-sections.ts';
import type { TokenSeal } from './token-seal.ts';

/** A page shows some ten; a batch brings those of many events. Each costs a signature check and some 300 bytes. Chosen. */
export const NOTICES_OF_REQUEST_MAX = 200;

/**
 * What clients tell of propositions. A notification counts where its token was signed here for this visitor: it is kept in the
 * record, by which reports go, once for each decision, place and kind in a request. Displays are kept on the visitor too, for
 * caps. Others are stored as the events that they are, and say so in a warning.
 */
export class Notify implements Stage {
  readonly name = 'notify';
  readonly service = null;
  readonly #seal: TokenSeal;
  readonly #clock: HybridClock;
  readonly #counts: DecisionCounts;
  readonly #capped = new WeakMap<DecisionDefinitions, ReadonlyMap<string, Capped>>();

  constructor({ seal, clock, counts }: DecisionTools) {
    this.#seal = seal;
    this.#clock = clock;
    this.#counts = counts;
  }

  run(x: Exchange): undefined {
    let found: Found | null = null;
    for (const event of x.events) {
      if (event.fate !== 'store' || !Object.hasOwn(event.xdm, '_experience')) continue;
      const notification = notificationOf(event.xdm);
      if (notification === null) continue;
      found ??= new Found();
      for (const { token } of notification.propositions) {
        const claims = token === null ? null : this.#seal.open(x.datastream.orgId, event.ecid, token);
        if (claims === null) found.miss(event.index);
        else for (const kind of notification.kinds) found.add(event, kind, claims);
      }
    }
    if (found !== null) this.#keep(x, found);
  }

  #keep(x: Exchange, { notices, displays, missed }: Found): void {
    this.#counts.notices += notices.length;
    this.#counts.notOurs += missed.length;
    if (notices.length > 0) x.notices = notices;
    const { decisions } = x.datastream;
    // An org that decides nothing here has its propositions from elsewhere: those are another system's to count.
    if (missed.length > 0 && decisions !== null) warnOfEvents(x.warnings, missed, (index) => notCounted(x, index));
    if (displays.length > 0 && decisions !== null) this.#remember(x, displays, this.#cappedOf(decisions));
  }

  /** Adds the displays of activities and offers that have caps to what is kept of the visitor. */
  #remember(x: Exchange, displays: readonly Display[], capped: ReadonlyMap<string, Capped>): void {
    const news = new Map<string, { readonly person: ReadPerson; readonly value: Record<string, ActivityHistory> }>();
    for (const { event, claims } of displays) {
      for (const id of displayedIds(claims.activityId, claims.experienceId)) {
        const caps = capped.get(id);
        if (caps === undefined) continue;
        for (const person of countedFor(x, event, caps.bucketBy)) {
          const value = news.get(person.key)?.value ?? {};
          const known = Object.hasOwn(value, id) ? value[id] : valueAt(sectionOf(person, 'decision'), 'value', id);
          const after = withDisplay((known ?? {}) as ActivityHistory, claims.atSeconds, caps.max);
          if (after === null) continue;
          value[id] = after;
          news.set(person.key, { person, value });
        }
      }
    }
    for (const { person, value } of news.values()) {
      changeSection(x, this.#clock, person, 'decision', value as unknown as JsonObject);
    }
  }

  #cappedOf(definitions: DecisionDefinitions): ReadonlyMap<string, Capped> {
    let capped = this.#capped.get(definitions);
    if (capped === undefined) {
      capped = cappedIn(definitions);
      this.#capped.set(definitions, capped);
    }
    return capped;
  }
}

interface Display {
  readonly event: EdgeEvent;
  readonly claims: TokenClaims;
}

/** What was found in one request. */
class Found {
  readonly notices: StoredNotice[] = [];
  readonly displays: Display[] = [];
  /** Indexes of events that name propositions without a token of ours, each once. */
  readonly missed: number[] = [];
  readonly #seen = new Set<string>();

  add(event: EdgeEvent, kind: NotificationKind, claims: TokenClaims): void {
    const text = claimsText(claims);
    const key = `${kind} ${text}`;
    if (this.#seen.has(key)) return;
    if (this.notices.length >= NOTICES_OF_REQUEST_MAX) {
      this.miss(event.index);
      return;
    }
    this.#seen.add(key);
    this.notices.push({ i: event.index, k: kind, t: text });
    if (kind === 'display' && !claims.isPreview) this.displays.push({ event, claims });
  }

  miss(index: number): void {
    if (this.missed.at(-1) !== index) this.missed.push(index);
  }
}

/**
 * Whom a display counts for: the device, and the person of the activity's namespace; of an event that names neither, whoever
 * decided instead. Only those whose state was read: nothing is known of others.
 */
function countedFor(x: Exchange, event: EdgeEvent, bucketBy: string): readonly ReadPerson[] {
  const { rules } = x.datastream.identity;
  const identities = withoutNobodies(event.identities, nobodiesIn(event.identities, rules));
  const namespaces = new Set([DEVICE, namespaceFor(bucketBy, event.ecid, identities)]);
  return [...namespaces].map((namespace) => personOf(x, event, namespace)).filter((person) => person !== null);
}

function notCounted(x: Exchange, index: number) {
  return problem(
    'EXEG-0204-200',
    `The event with index ${index} tells of propositions whose 'scopeDetails.characteristics.eventToken' was not made by this server for this visitor, or of more than ${NOTICES_OF_REQUEST_MAX} in one request: it is stored, and those are not counted. Send 'scopeDetails' as it was answered.`,
    x.events.length > 1 ? { eventIndex: index } : {},
  );
}
