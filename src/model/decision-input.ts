import type { Facts } from './condition.ts';
import type { DecisionHistory, DecisionInput, DecisionQuery, StoredInputs, StoredNotice } from './decision.ts';
import { type Capacity, DEVICE, withDisplays } from './decision-history.ts';
import { claimsOf, type TokenClaims } from './decision-token.ts';
import type { Consent, EdgeEvent, Identity } from './exchange.ts';
import { withoutNobodies } from './identity-rules.ts';
import type { JsonObject } from './json.ts';
import { profileFacts } from './profile-attributes.ts';
import type { StoredEvent } from './record.ts';

/** What a decision is made of: the event, what its record keeps beside it, and what was known of its persons before it came. */
export interface DecisionMaterial {
  readonly datastreamId: string;
  readonly event: Pick<StoredEvent, 'index' | 'xdm' | 'data' | 'identities' | 'consent'>;
  readonly ecid: string | null;
  readonly query: DecisionQuery;
  readonly stored: StoredInputs;
  /** What a section of a person held, by namespace; null where there was none. */
  readonly sectionOf: (namespace: string, section: 'profile' | 'decision') => JsonObject | null;
  /** Of the record, this event's among them: what they say was displayed to this visitor counts for this decision already. */
  readonly notices: readonly StoredNotice[] | null;
  /** All of the record: whom its notices are of. */
  readonly events: readonly Named[];
  readonly capacity: Capacity;
  readonly makeFacts: (inputs: FactParts) => Facts;
  readonly client: () => JsonObject;
  readonly wantsActivation: boolean;
  readonly nowMs: number;
  readonly seed: string;
}

/** Whom an event names. `ecid`: of its device. */
type Named = Pick<EdgeEvent, 'index' | 'ecid' | 'identities'>;

/** What the facts of an event are made of, but for the org's time zone. */
export interface FactParts {
  readonly xdm: JsonObject;
  readonly data: JsonObject | null;
  readonly profile: JsonObject;
  readonly consent: Consent;
  readonly client: () => JsonObject;
  readonly nowMs: number;
}

const EMPTY: JsonObject = Object.freeze({});

/** Pure: the server decides by this, and whoever decides again from the log does too. */
export function decisionInput(material: DecisionMaterial): DecisionInput {
  const { event, ecid, stored, nowMs } = material;
  const { xdm, data, consent } = event;
  const identities = withoutNobodies(event.identities, stored.nobodies ?? null);
  const kept = material.sectionOf('ECID', 'profile') ?? EMPTY;
  const profile = profileFacts(kept, data);
  return {
    datastreamId: material.datastreamId,
    query: material.query,
    facts: material.makeFacts({ xdm, data, profile, consent, client: material.client, nowMs }),
    ecid,
    identities,
    histories: historiesOf(material, identities),
    consent,
    propertyToken: stored.propertyToken ?? null,
    preview: stored.preview === undefined ? null : new Map(Object.entries(stored.preview)),
    wantsActivation: material.wantsActivation,
    nowMs,
    seed: material.seed,
  };
}

const NO_HISTORIES: ReadonlyMap<string, DecisionHistory> = new Map();

function historiesOf(
  { event, ecid, sectionOf, notices, events, capacity }: DecisionMaterial,
  identities: readonly Identity[],
): DecisionInput['histories'] {
  let histories: Map<string, DecisionHistory> | null = null;
  const add = (namespace: string, id: string): void => {
    if (histories?.has(namespace) === true) return;
    const displayed = displayedTo(namespace, id, notices, events, event.index);
    const before = sectionOf(namespace, 'decision') as DecisionHistory | null;
    const history = displayed.length === 0 ? before : withDisplays(before ?? {}, displayed, capacity);
    if (history === null) return;
    histories ??= new Map();
    histories.set(namespace, history);
  };
  if (ecid !== null) add(DEVICE, ecid);
  for (const { namespace, id } of identities) if (namespace !== DEVICE) add(namespace, id);
  return histories ?? NO_HISTORIES;
}

const NOTHING: readonly TokenClaims[] = [];

/** Up to this event, in the order of the request. A preview counts nowhere. */
function displayedTo(
  namespace: string,
  id: string,
  notices: readonly StoredNotice[] | null,
  events: readonly Named[],
  eventIndex: number,
): readonly TokenClaims[] {
  if (notices === null) return NOTHING;
  return notices
    .filter(({ i, k }) => k === 'display' && i <= eventIndex && events.some((one) => one.index === i && names(one)))
    .map(({ t }) => claimsOf(t))
    .filter((claims) => claims !== null && !claims.isPreview) as TokenClaims[];

  function names({ ecid, identities }: Named): boolean {
    if (namespace === DEVICE) return ecid === id;
    return identities.some((identity) => identity.namespace === namespace && identity.id === id);
  }
}
