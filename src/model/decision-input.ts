import type { Facts } from './condition.ts';
import type { DecisionHistory, DecisionInput, DecisionQuery, StoredInputs } from './decision.ts';
import { DEVICE } from './decision-history.ts';
import type { Displays } from './displays.ts';
import type { Consent, Identity } from './exchange.ts';
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
  /** Of the request. */
  readonly displays: Displays;
  readonly makeFacts: (inputs: FactParts) => Facts;
  readonly client: () => JsonObject;
  readonly wantsActivation: boolean;
  readonly nowMs: number;
  readonly seed: string;
}

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
  { event, ecid, sectionOf, displays }: DecisionMaterial,
  identities: readonly Identity[],
): DecisionInput['histories'] {
  let histories: Map<string, DecisionHistory> | null = null;
  const add = (namespace: string, id: string): void => {
    if (histories?.has(namespace) === true) return;
    const before = sectionOf(namespace, 'decision') as DecisionHistory | null;
    const history = displays.historyOf(namespace, id, event.index, before);
    if (history === null) return;
    histories ??= new Map();
    histories.set(namespace, history);
  };
  if (ecid !== null) add(DEVICE, ecid);
  for (const { namespace, id } of identities) if (namespace !== DEVICE) add(namespace, id);
  return histories ?? NO_HISTORIES;
}
