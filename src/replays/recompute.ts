import { compileDecisions } from '../decisions/engine.ts';
import { clientFactsIn } from '../decisions/needs.ts';
import { makeFacts } from '../language/facts.ts';
import { ZoneTime } from '../language/zone-time.ts';
import type { DecisionEngine, DecisionInput, DecisionQuery, StoredDecision, StoredInputs } from '../model/decision.ts';
import type { DecisionDefinitions } from '../model/decision-definitions.ts';
import { type Capacity, capacityOf } from '../model/decision-history.ts';
import { decisionInput } from '../model/decision-input.ts';
import { decisionQuery, personalizationOf } from '../model/decision-query.ts';
import { Displays, NO_DISPLAYS } from '../model/displays.ts';
import type { Identity } from '../model/exchange.ts';
import { withoutNobodies } from '../model/identity-rules.ts';
import type { JsonObject } from '../model/json.ts';
import { personKey } from '../model/person.ts';
import type { LogRecord, StoredEvent } from '../model/record.ts';
import { storedPropositions, storedVerdicts } from '../model/stored-decision.ts';
import { LOST, type Sections } from './sections.ts';

/** Definitions, compiled to decide by them again. */
export interface Decider {
  readonly definitions: DecisionDefinitions;
  readonly engine: DecisionEngine;
  readonly zone: ZoneTime;
  readonly capacity: Capacity;
  /** Of records that were read. */
  readonly displays: WeakMap<LogRecord, Displays>;
  /** Names of facts of the client that the definitions read. */
  readonly clientFacts: readonly string[];
}

export function deciderOf(definitions: DecisionDefinitions): Decider {
  return {
    definitions,
    engine: compileDecisions(definitions),
    zone: new ZoneTime(definitions.timeZone),
    capacity: capacityOf(definitions),
    displays: new WeakMap(),
    clientFacts: clientFactsIn(definitions),
  };
}

/** Why a decision cannot be made again. */
export type Lack =
  /** What was known of the person is not in the log any more. */
  | 'person'
  /** Its event is not there: it was taken out of the log. */
  | 'event'
  /** The definitions look at facts of the client that were not kept: those that it was made by did not. */
  | 'client'
  /** The definitions that it was made by are not kept. */
  | 'definitions';

/** What a decision was made of, from its record; or what is lacking. */
export function inputOf(
  record: LogRecord,
  decision: StoredDecision,
  decider: Decider,
  sections: Sections,
): DecisionInput | Lack {
  const { definitions, zone, clientFacts } = decider;
  const event = record.events.find(({ index }) => index === decision.i);
  if (event === undefined) return 'event';
  const known = decision.in.client ?? {};
  if (clientFacts.some((name) => !Object.hasOwn(known, name))) return 'client';
  const read = readSections(record, event, decision, sections);
  if (read === null) return 'person';
  const asked = decision.in.query ?? personalizationOf(event.query, ASKED);
  const other = new Set([...definitions.audiences, ...definitions.pushes].map(({ id }) => id));
  return decisionInput({
    ...{ event, datastreamId: record.datastreamId, stored: decision.in, seed: decision.seed },
    ...{ nowMs: record.atMs, displays: displaysOf(record, decider) },
    // Whether segments were wanted is not kept: it tells only where one is broken.
    wantsActivation: decision.v.some(([id]) => other.has(id)),
    ecid: ecidOf(record, event),
    query: asked === null ? NOTHING_ASKED : decisionQuery(asked, ASKED),
    sectionOf: (namespace, section) => read.get(`${section} ${namespace}`) ?? null,
    client: () => known,
    makeFacts: (parts) => makeFacts(parts, zone),
  });
}

function displaysOf(record: LogRecord, { displays, capacity }: Decider): Displays {
  const notices = record.notices ?? null;
  if (notices === null) return NO_DISPLAYS;
  let known = displays.get(record);
  if (known === undefined) {
    const events = record.events.map((event) => ({ ...event, ecid: ecidOf(record, event) }));
    known = new Displays(notices, events, capacity);
    displays.set(record, known);
  }
  return known;
}

const ASKED = 'query.personalization';
const NOTHING_ASKED: DecisionQuery = { schemas: null, scopes: [], surfaces: [] };

/** By section and namespace. Null where one is lost. */
function readSections(
  record: LogRecord,
  event: StoredEvent,
  { in: inputs }: StoredDecision,
  sections: Sections,
): ReadonlyMap<string, JsonObject> | null {
  const read = new Map<string, JsonObject>();
  for (const [namespace, section, stamp] of inputs.sections ?? []) {
    const id = idOf(record, event, namespace, inputs);
    const value = id === null ? LOST : sections.valueAt(personKey(record.orgId, namespace, id), section, stamp);
    if (value === LOST) return null;
    read.set(`${section} ${namespace}`, value);
  }
  return read;
}

/** Keys of the persons of whom a decision read something. */
export function readOfPersons(record: LogRecord, { i, in: inputs }: StoredDecision): readonly string[] {
  const event = record.events.find(({ index }) => index === i);
  if (event === undefined) return [];
  const ids = (inputs.sections ?? []).map(
    ([namespace]) => [namespace, idOf(record, event, namespace, inputs)] as const,
  );
  return ids.flatMap(([namespace, id]) => (id === null ? [] : [personKey(record.orgId, namespace, id)]));
}

/** Tells the sections which ones a decision did not find, so that what begins later is known to be all. */
export function noteAbsent(record: LogRecord, decision: StoredDecision, sections: Sections): void {
  const event = record.events.find(({ index }) => index === decision.i);
  if (event === undefined) return;
  const named = decision.in.sections ?? [];
  const namespaces = new Set(identitiesOf(event, decision.in).map(({ namespace }) => namespace));
  if (ecidOf(record, event) !== null) namespaces.add('ECID');
  for (const namespace of namespaces) {
    for (const section of namespace === 'ECID' ? ['profile', 'decision'] : ['decision']) {
      if (named.some(([one, other]) => one === namespace && other === section)) continue;
      const id = idOf(record, event, namespace, decision.in);
      if (id !== null) sections.wasAbsent(personKey(record.orgId, namespace, id), section);
    }
  }
}

export function ecidOf(record: LogRecord, event: StoredEvent): string | null {
  return event.identities.find(({ namespace }) => namespace === 'ECID')?.id ?? record.ecid;
}

/** Those that select somebody. */
function identitiesOf({ identities }: StoredEvent, { nobodies }: StoredInputs): readonly Identity[] {
  return withoutNobodies(identities, nobodies ?? null);
}

function idOf(record: LogRecord, event: StoredEvent, namespace: string, inputs: StoredInputs): string | null {
  if (namespace === 'ECID') return ecidOf(record, event);
  return identitiesOf(event, inputs).find((identity) => identity.namespace === namespace)?.id ?? null;
}

type Stand = Pick<StoredDecision, 'v' | 'p'>;

/**
 * The decision, made again. `sameTime`: what ran out of time then does so now, at the same place; else everything is
 * judged.
 */
export function decideAgain({ engine }: Decider, input: DecisionInput, { v }: Stand, sameTime: boolean): Stand {
  const late = sameTime ? v.findIndex(([, outcome]) => outcome === 'out-of-time') : -1;
  const decision = engine.decide(input, late === -1 ? null : (verdicts) => verdicts >= late);
  return { v: storedVerdicts(decision), p: storedPropositions(decision) };
}
