import { hash } from 'node:crypto';
import type { Decision, DecisionHistory, DecisionInput, DecisionQuery, StoredInputs } from '../model/decision.ts';
import type { DecisionDefinitions } from '../model/decision-definitions.ts';
import { withExperiences } from '../model/decision-history.ts';
import { decisionInput } from '../model/decision-input.ts';
import { decisionQuery, hasOwnQuery, misspeltKey, personalizationOf } from '../model/decision-query.ts';
import { Displays, NO_DISPLAYS } from '../model/displays.ts';
import type { EdgeEvent, EventDecision, Exchange } from '../model/exchange.ts';
import { eventField } from '../model/field-path.ts';
import type { JsonObject } from '../model/json.ts';
import type { Stage } from '../model/parts.ts';
import { type Problem, problem } from '../model/problem.ts';
import { propositionJson } from '../model/proposition-json.ts';
import { MadeDecision } from '../model/stored-decision.ts';
import type { DecidingTools } from './deciding.ts';
import { inputsOf, type Mutable, namespacesOf, restricted, type Work } from './decision-inputs.ts';
import { changeSection, personOf, type ReadPerson, sectionOf } from './person-sections.ts';

/** Hexadecimal digits of a seed. */
const SEED_DIGITS = 32;

/**
 * What visitors see: for each event that asks by `query.personalization` (its own, else the request's), and, where an org tells
 * clients of segments or pushes, for every event. An event that is not stored for lack of consent gets nothing. A copy of an
 * event is decided for again, with the same seed, by what is known now; nothing of it is kept. Decides by what was known
 * before the request, and what the event itself brings.
 */
export class Decide implements Stage {
  readonly name = 'decide';
  readonly service = null;
  readonly #tools: DecidingTools | null;

  /** `tools`: null where nothing is decided. */
  constructor(tools: DecidingTools | null) {
    this.#tools = tools;
  }

  run(x: Exchange): undefined {
    const tools = this.#tools;
    const { decisions: definitions } = x.datastream;
    let ofRequest: DecisionQuery | null | undefined;
    let misspelt: Problem | null = null;
    let displays: Displays | null = null;
    const queryOf = (query: JsonObject | null, path: string): DecisionQuery | null => {
      const asked = personalizationOf(query, path);
      if (asked === null) return null;
      misspelt ??= misspeltKey(asked, path);
      return decisionQuery(asked, path);
    };
    for (const event of x.events) {
      const isOwn = hasOwnQuery(event);
      if (!isOwn && ofRequest === undefined) ofRequest = queryOf(x.received.query, 'query.personalization');
      const query = isOwn
        ? queryOf(event.query, `${eventField(x.path, event.index)}.query.personalization`)
        : (ofRequest ?? null);
      if (tools === null || definitions === null || (event.fate !== 'store' && event.fate !== 'duplicate')) continue;
      const runtime = tools.runtimeOf(definitions);
      displays ??= x.notices === null ? NO_DISPLAYS : new Displays(x.notices, x.events, runtime.capacity);
      decideEvent({ x, event, tools, definitions, runtime, displays }, query, !isOwn);
    }
    // The first only: a batch has the same mistake in each of its events.
    if (misspelt !== null) x.warnings.push(misspelt);
  }
}

function decideEvent(work: Work, asked: DecisionQuery | null, isOfRequest: boolean): void {
  const { x, event, tools, definitions, runtime } = work;
  const { services } = x.datastream;
  const wantsActivation =
    (runtime.hasSegments && services.has('activation')) || (runtime.hasPushes && services.has('audiences'));
  const query = asked === null ? null : restricted(asked, work);
  if (query === null && !wantsActivation) return;
  if (tools.isOverloaded()) {
    tools.counts.shed += 1;
    if (query !== null) x.errors.push(shed(x, event));
    return;
  }
  // Where every service that it asks is off, that is kept too: the event alone would say otherwise.
  const kept = asked === null ? null : (query ?? NOTHING_ASKED);
  const stored = inputsOf(work, kept, query !== asked || isOfRequest);
  const decided = decide(work, query ?? NOTHING_ASKED, wantsActivation, stored);
  const { decision } = decided;
  if (decision.assigned !== null && event.fate === 'store') keepExperiences(work, decision.assigned, decided.histories);
  const isTold = x.role === 'server' || x.datastream.access === 'authenticated';
  const one: EventDecision = {
    eventIndex: event.index,
    decision,
    isAsked: query !== null,
    tokens: tokensOf(work, decision, stored),
    profile: isTold ? decided.profile : null,
  };
  x.personalization ??= [];
  x.personalization.push(one);
  if (decision.verdicts.length === 0 || event.fate !== 'store') return;
  x.decisions ??= [];
  x.decisions.push(new MadeDecision(event.index, definitions.hash, decided.seed, stored, decision));
}

const NOTHING_ASKED: DecisionQuery = Object.freeze({ schemas: null, scopes: [], surfaces: [] });

interface Decided {
  readonly decision: Decision;
  readonly seed: string;
  readonly profile: JsonObject;
  readonly histories: DecisionInput['histories'];
}

/** Adds to `stored` what is known of the client. */
function decide(
  { x, event, tools, runtime, displays, definitions }: Work,
  query: DecisionQuery,
  wantsActivation: boolean,
  stored: Mutable<StoredInputs>,
): Decided {
  // What reads user agents is loaded with the first one: that is not the decisions' time.
  const client = tools.readClient(x.client, event.xdm);
  const startMs = tools.clockMs();
  const seed = seedOf(x, event);
  const input = decisionInput({
    datastreamId: x.datastream.id,
    event,
    ecid: event.ecid,
    query,
    stored,
    sectionOf: (namespace, section) => {
      const value = sectionOf(personOf(x, event, namespace), section)?.['value'];
      return (value as JsonObject | undefined) ?? null;
    },
    displays,
    makeFacts: runtime.makeFacts,
    client: client.facts,
    wantsActivation,
    nowMs: x.nowMs,
    seed,
  });
  const endMs = Math.min(startMs + tools.budgetMs, x.deadlineMs - x.reserveMs);
  const decision = runtime.engine.decide(input, () => tools.clockMs() > endMs);
  tools.counts.seconds.observe((tools.clockMs() - startMs) / 1000);
  if (client.isBot) stored.bot = true;
  if (runtime.clientFacts.length > 0) {
    const { client: facts } = input.facts;
    stored.client = Object.fromEntries(runtime.clientFacts.map((name) => [name, facts[name] ?? null]));
  }
  judgeVerdicts(x, event, tools, definitions, decision);
  return { decision, seed, profile: input.facts.profile, histories: input.histories };
}

/**
 * The same for each copy of an event, and for no other: made of what copies are known by, and the visitor. (An event that
 * nobody could know again has a key of its own.)
 */
function seedOf({ datastream }: Exchange, { dedupKey, payloadHash, ecid }: EdgeEvent): string {
  const text = `${datastream.id}\n${dedupKey}\n${payloadHash}\n${ecid ?? ''}`;
  return hash('sha256', text, 'hex').slice(0, SEED_DIGITS);
}

function judgeVerdicts(
  x: Exchange,
  event: EdgeEvent,
  tools: DecidingTools,
  { orgId, hash: definitions }: DecisionDefinitions,
  { verdicts }: Decision,
): void {
  tools.counts.countOutcomes(verdicts);
  let late = 0;
  for (const { outcome, activityId, because } of verdicts) {
    if (outcome === 'out-of-time') late += 1;
    if (outcome === 'broken') tools.reportBroken({ orgId, definitions, activity: activityId, why: because });
  }
  if (late === 0) return;
  x.errors.push(
    problem(
      'EXEG-0200-504',
      `The service 'decisions' did not decide in time: ${late} of ${verdicts.length} activities that could be shown are left out, and the page keeps its own content. Try again.`,
      reportOf(x, event),
    ),
  );
}

function shed(x: Exchange, event: EdgeEvent) {
  return problem(
    'EXEG-0201-503',
    "The service 'decisions' is not available at the moment: the server has more to store than it can decide for. The event is stored, and the page keeps its own content. Try again.",
    reportOf(x, event),
  );
}

function reportOf(x: Exchange, { index }: EdgeEvent): { eventIndex?: number } {
  return x.events.length > 1 ? { eventIndex: index } : {};
}

const NO_TOKENS: readonly string[] = [];

function tokensOf({ x, event, tools, definitions }: Work, { propositions }: Decision, stored: StoredInputs) {
  if (propositions.length === 0) return NO_TOKENS;
  const sign = tools.seal.signer(definitions.orgId, event.ecid, {
    requestId: x.requestId,
    eventIndex: event.index,
    atSeconds: Math.floor(x.nowMs / 1000),
    isBot: stored.bot === true,
  });
  return propositions.map((proposition) => sign(propositionJson(proposition).token));
}

/** For the device, and for the person by whom the activity goes. */
function keepExperiences(
  { x, event, tools, runtime }: Work,
  assigned: Readonly<Record<string, string>>,
  histories: Decided['histories'],
): void {
  for (const namespace of namespacesOf(event)) {
    const person = personOf(x, event, namespace);
    if (person === null) continue;
    const own = Object.fromEntries(
      Object.entries(assigned).filter(([id]) => namespace === 'ECID' || runtime.namespaceOf(id) === namespace),
    );
    const changed = withExperiences({ ...histories.get(namespace), ...changedSoFar(x, person) }, own);
    if (Object.keys(changed).length > 0)
      changeSection(x, tools.clock, person, 'decision', changed as unknown as JsonObject);
  }
}

/** What the request has changed of a person's decisions already: displays that it tells of, experiences that events before got. */
function changedSoFar({ changes }: Exchange, { key }: ReadPerson): DecisionHistory {
  const own = changes.filter((change) => change.kind === 'decision' && change.key === key);
  return Object.assign({}, ...own.map(({ body }) => body['value'])) as DecisionHistory;
}
