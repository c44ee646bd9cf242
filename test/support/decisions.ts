import type { Facts } from '../../src/model/condition.ts';
import type { Decision, DecisionEngine, DecisionInput, Outcome } from '../../src/model/decision.ts';
import type {
  ActivityDefinition,
  DecisionDefinitions,
  ExperienceDefinition,
  ItemDefinition,
  Place,
} from '../../src/model/decision-definitions.ts';
import type { Consent, Identity } from '../../src/model/exchange.ts';

/** Definitions and inputs of decisions, with everything that a test does not speak of filled in. */

export const PERSONALIZATION = 'https://ns.adobe.com/personalization/';
export const COMPONENT = 'https://ns.adobe.com/experience/offer-management/content-component-';
export const NOW_MS = Date.UTC(2026, 10, 28, 12);
export const ECID = '41861666193140161934276845651148876988';

export function definitionsOf(given: Partial<DecisionDefinitions> = {}): DecisionDefinitions {
  return {
    orgId: 'ORG@AdobeOrg',
    hash: '0123456789abcdef',
    timeZone: 'UTC',
    holdoutPercent: 0,
    targetClient: '',
    audiences: [],
    activities: [],
    offers: { placements: [], offers: [], decisions: [] },
    pushes: [],
    ...given,
  };
}

export function activityOf(id: string, given: Partial<ActivityDefinition> = {}): ActivityDefinition {
  return {
    id,
    name: `Activity ${id}`,
    enabled: true,
    kind: 'ab',
    provider: 'TGT',
    datastreams: null,
    propertyToken: null,
    startMs: null,
    endMs: null,
    priority: 0,
    exclusionGroup: null,
    when: null,
    trafficPercent: 100,
    holdoutPercent: 0,
    bucketing: 'weir',
    bucketBy: 'ECID',
    requires: {},
    caps: [],
    experiences: [experienceOf('a', [itemOf('hero')])],
    goals: [],
    ...given,
  };
}

export function experienceOf(
  id: string,
  items: readonly ItemDefinition[],
  given: Partial<ExperienceDefinition> = {},
): ExperienceDefinition {
  return { id, name: `Experience ${id}`, weight: 1, when: null, items, ...given };
}

/** At a named scope; of HTML unless `given` says otherwise. */
export function itemOf(place: string | Place, given: Partial<ItemDefinition> = {}): ItemDefinition {
  return {
    id: 'i1',
    place: typeof place === 'string' ? { kind: 'scope', name: place } : place,
    schema: `${PERSONALIZATION}html-content-item`,
    data: { content: '<p>Hello</p>' },
    meta: {},
    rank: null,
    ...given,
  };
}

export const CONSENT: Consent = { recordId: null, collect: 'in', gpc: false, default: 'in', value: null };

export function factsOf(given: Partial<Facts> = {}): Facts {
  return { xdm: {}, data: {}, profile: {}, consent: {}, client: {}, page: {}, time: {}, ...given };
}

export function inputOf(scopes: readonly string[], given: Partial<DecisionInput> = {}): DecisionInput {
  return {
    datastreamId: 'shop',
    query: { schemas: null, scopes, surfaces: [] },
    facts: factsOf(),
    ecid: ECID,
    identities: [],
    histories: new Map(),
    consent: CONSENT,
    propertyToken: null,
    preview: null,
    wantsActivation: false,
    nowMs: NOW_MS,
    seed: '0'.repeat(32),
    ...given,
  };
}

export function surfacesOf(surfaces: readonly string[], given: Partial<DecisionInput> = {}): DecisionInput {
  return inputOf([], { query: { schemas: null, scopes: [], surfaces }, ...given });
}

export function decided(engine: DecisionEngine, input: DecisionInput): Decision {
  return engine.decide(input, null);
}

/** The outcome of each activity, by id. */
export function outcomesOf({ verdicts }: Decision): Readonly<Record<string, Outcome>> {
  return Object.fromEntries(verdicts.map(({ activityId, outcome }) => [activityId, outcome]));
}

export function identityOf(namespace: string, id: string): Identity {
  return { namespace, id, authenticatedState: 'ambiguous', primary: false };
}

/** The n-th of many ids as they come: 38 digits. */
export function ecidOf(n: number): string {
  const digits = String(Math.imul(n + 1, 0x9e3779b1) >>> 0).padStart(10, '0');
  return `${digits}${String(n).padStart(9, '0')}${digits}${String(n).padStart(9, '0')}`;
}
