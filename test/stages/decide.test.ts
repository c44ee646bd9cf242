import { performance } from 'node:perf_hooks';
import { describe, expect, test } from 'vitest';
import { ANSWER_RESERVE_MS } from '../../src/model/answer-reserve.ts';
import type { DecisionDefinitions } from '../../src/model/decision-definitions.ts';
import type { Consent, EdgeEvent, Exchange, Identity } from '../../src/model/exchange.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { personKey } from '../../src/model/person.ts';
import { Decide } from '../../src/stages/decide.ts';
import type { DecidingTools } from '../../src/stages/deciding.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { decidingTools } from '../support/deciding.ts';
import { activityOf, CONSENT, definitionsOf, experienceOf, itemOf } from '../support/decisions.ts';
import {
  clientOf,
  datastreamOf,
  ECID_A,
  ECID_B,
  type ExchangeFields,
  eventOf,
  exchangeOf,
  ORG,
} from '../support/exchanges.ts';

const SERVICES = new Set(['decisions', 'offers', 'messages', 'activation', 'audiences']);
const HERO = { personalization: { decisionScopes: ['hero'] } };
const MANY = 40;
const many = definitionsOf({
  orgId: ORG,
  activities: Array.from({ length: MANY }, (_, i) => activityOf(`a${String(i).padStart(2, '0')}`)),
});
const one = definitionsOf({ orgId: ORG, activities: [activityOf('hero')] });
const asking = (fields: Partial<EdgeEvent> = {}): EdgeEvent => eventOf({}, { ecid: ECID_A, query: HERO, ...fields });

function decide(
  definitions: DecisionDefinitions,
  events: readonly EdgeEvent[],
  tools: DecidingTools | null = decidingTools(),
  fields: ExchangeFields = {},
): Exchange {
  const datastream = datastreamOf({ decisions: definitions, services: SERVICES as never });
  const x = exchangeOf({ events, datastream, ...fields });
  new Decide(tools).run(x);
  return x;
}
const codes = ({ errors }: Exchange): string[] => errors.map(({ spec }) => spec.code);
const outcomes = ({ decisions }: Exchange): string[] => (decisions ?? []).flatMap(({ v }) => v.map(([, how]) => how));
const contents = ({ personalization }: Exchange): unknown[] =>
  (personalization ?? []).map(({ decision }) =>
    decision.propositions.map(({ activityId, experienceId }) => [activityId, experienceId]),
  );
const count = (list: readonly string[], what: string): number => list.filter((each) => each === what).length;

describe('the budget', () => {
  /** Each look at the clock takes so long. */
  const ticking = (stepMs: number, startMs = 0) => {
    let nowMs = startMs;
    return () => {
      nowMs += stepMs;
      return nowMs;
    };
  };

  test('that runs out leaves out the rest, with an error; the event and its decision are stored', () => {
    const tools = decidingTools({ budgetMs: 5, clockMs: ticking(10) });
    const x = decide(many, [asking()], tools);
    const late = count(outcomes(x), 'out-of-time');
    expect(late).toBeGreaterThan(0);
    expect(codes(x)).toEqual(['EXEG-0200-504']);
    expect(x.errors[0]!.message).toContain(`: ${late} of ${MANY} activities`);
    expect(x.events[0]!.fate).toBe('store');
    expect(x.personalization).toHaveLength(1);
    expect(x.decisions![0]!.v).toHaveLength(MANY);
    expect(tools.counts.outcomes['out-of-time']).toBe(late);
    expect(tools.counts.seconds.cumulative().at(-1)).toBe(1);
  });

  test('that does not run out leaves out nothing', () => {
    const x = decide(many, [asking()], decidingTools({ budgetMs: 1e9, clockMs: ticking(10) }), { deadlineMs: 1e9 });
    expect([count(outcomes(x), 'out-of-time'), codes(x)]).toEqual([0, []]);
  });

  test('ends before the answer’s deadline, less what logging and answering take', () => {
    const budget = { budgetMs: 1e9, clockMs: () => 1_000 };
    const until = (deadlineMs: number): Exchange => decide(many, [asking()], decidingTools(budget), { deadlineMs });
    expect(codes(until(1_000 + ANSWER_RESERVE_MS))).toEqual([]);
    expect(codes(until(999 + ANSWER_RESERVE_MS))).toEqual(['EXEG-0200-504']);
  });

  test('is each event’s own, and the error names the event', () => {
    // Time enough for the first event; from the second's beginning on, each look at the clock finds it far ahead.
    let looks = 0;
    const counting = (): number => {
      looks += 1;
      return 0;
    };
    expect(codes(decide(many, [asking()], decidingTools({ clockMs: counting }), { deadlineMs: 1e12 }))).toEqual([]);
    let left = looks;
    const clockMs = (): number => {
      left -= 1;
      return left >= 0 ? 0 : -left * 1e6;
    };
    const events = [asking({ index: 0 }), asking({ index: 1 })];
    const x = decide(many, events, decidingTools({ clockMs }), { deadlineMs: 1e12 });
    expect(x.errors.map(({ report }) => report)).toEqual([expect.objectContaining({ eventIndex: 1 })]);
    expect(x.personalization).toHaveLength(2);
  });
});

describe('overload', () => {
  test('decides nothing, says so where content was asked for, and counts', () => {
    const tools = decidingTools({ isOverloaded: () => true });
    const x = decide(one, [asking({ index: 0 }), eventOf({}, { index: 1, ecid: ECID_A }), asking({ index: 2 })], tools);
    expect(codes(x)).toEqual(['EXEG-0201-503', 'EXEG-0201-503']);
    expect(x.errors.map(({ report }) => report)).toEqual([0, 2].map((eventIndex) => ({ eventIndex })));
    expect([x.personalization, x.decisions, x.changes]).toEqual([null, null, []]);
    expect(x.events.map(({ fate }) => fate)).toEqual(['store', 'store', 'store']);
    expect([tools.counts.shed, tools.counts.seconds.cumulative().at(-1)]).toEqual([2, 0]);
  });

  test('leaves out pushes and segments without an error', () => {
    const push = { id: 'p', when: null, payload: { type: 'cookie' }, requires: {} };
    const tools = decidingTools({ isOverloaded: () => true });
    const x = decide(definitionsOf({ orgId: ORG, pushes: [push] }), [eventOf({}, { ecid: ECID_A })], tools);
    expect([codes(x), x.personalization, tools.counts.shed]).toEqual([[], null, 1]);
  });
});

test('a broken activity breaks itself alone, and is told of once, not with each request', () => {
  // A rule that is none: as of definitions that another version has kept.
  const experiences = [experienceOf('a', [itemOf('hero', { data: null, meta: null as never })])];
  const definitions = definitionsOf({
    orgId: ORG,
    activities: [activityOf('bad', { experiences, priority: 1 }), activityOf('good')],
  });
  const tools = decidingTools();
  for (let request = 0; request < 3; request++) {
    const x = decide(definitions, [asking()], tools);
    expect(x.decisions![0]!.v.map(([id, how]) => [id, how])).toEqual([
      ['bad', 'broken'],
      ['good', 'shown'],
    ]);
    expect([codes(x), contents(x)]).toEqual([[], [[['good', 'a']]]]);
  }
  expect(tools.counts.outcomes.broken).toBe(3);
  expect(tools.told).toEqual([expect.objectContaining({ activity: 'bad', orgId: ORG })]);
});

describe('consent', () => {
  const PERSONAL = definitionsOf({
    orgId: ORG,
    activities: [activityOf('hero', { requires: { adobe: ['personalize.content'] } })],
  });
  const chosen = (val: string): Consent => ({ ...CONSENT, value: { personalize: { content: { val } } } });
  test.each<[string, Consent, string]>([
    ['a yes', chosen('y'), 'shown'],
    ['a no', chosen('n'), 'no-consent'],
    ['no choice, and yes by default', CONSENT, 'shown'],
    ['no choice, and no yes by default', { ...CONSENT, default: 'pending' }, 'no-consent'],
  ])('to personal content: %s', (_, consent, outcome) => {
    const x = decide(PERSONAL, [asking({ consent })]);
    expect(outcomes(x)).toEqual([outcome]);
    expect(x.personalization![0]!.decision.propositions).toHaveLength(outcome === 'shown' ? 1 : 0);
  });

  test.each(['withheld', 'rejected'] as const)('of an event that is %s: nothing is decided', (fate) => {
    const x = decide(one, [asking({ fate })]);
    expect([x.personalization, x.decisions, codes(x), x.changes]).toEqual([null, null, [], []]);
  });

  test('a query that is wrong is refused whatever becomes of the event, and where nothing is decided', () => {
    const wrong = asking({ query: { personalization: { decisionScopes: 'hero' } }, fate: 'withheld' });
    expect(() => decide(one, [wrong])).toThrow("'events[0].query.personalization.decisionScopes'");
    expect(() => decide(one, [wrong], null)).toThrow("'events[0].query.personalization.decisionScopes'");
  });
});

/** Persons whose activity goes by them; the log brings what was decided into their state. */
class Visitors {
  readonly #state = new MemoryState();
  #offset = 0;

  send(
    definitions: DecisionDefinitions,
    ecid: string,
    identities: readonly Identity[] = [],
    fate: EdgeEvent['fate'] = 'store',
  ) {
    const keys = [
      personKey(ORG, 'ECID', ecid),
      ...identities.map(({ namespace, id }) => personKey(ORG, namespace, id)),
    ];
    const persons = new Map(keys.map((key) => [key, this.#state.get(key)]));
    const x = decide(
      definitions,
      [asking({ ecid, identities: [deviceOf(ecid), ...identities], fate })],
      decidingTools(),
      { persons },
    );
    this.#state.apply([{ position: { partition: 0, offset: this.#offset++ }, changes: x.changes }]);
    return x;
  }

  kept(namespace: string, id: string): unknown {
    return (this.#state.get(personKey(ORG, namespace, id))?.body['decision'] as JsonObject | undefined)?.['value'];
  }
}

const deviceOf = (id: string): Identity => ({ namespace: 'ECID', id, authenticatedState: 'ambiguous', primary: false });
const EXPERIENCES = ['a', 'b', 'c', 'd'].map((id) => experienceOf(id, [itemOf('hero')]));
const personal = definitionsOf({
  orgId: ORG,
  activities: [activityOf('hero', { bucketBy: 'CRM', experiences: EXPERIENCES })],
});
const crm = (id: string): Identity[] => [{ namespace: 'CRM', id, authenticatedState: 'authenticated', primary: true }];
const seen = (x: Exchange): string => x.personalization![0]!.decision.propositions[0]!.experienceId;

describe('an activity that goes by persons', () => {
  test('keeps the experience for the device and for the person, and nothing for a copy', () => {
    const visitors = new Visitors();
    visitors.send(personal, ECID_A, crm('ada'), 'duplicate');
    expect([visitors.kept('ECID', ECID_A), visitors.kept('CRM', 'ada')]).toEqual([undefined, undefined]);
    const experience = seen(visitors.send(personal, ECID_A, crm('ada')));
    expect(visitors.kept('ECID', ECID_A)).toEqual({ hero: { experience } });
    expect(visitors.kept('CRM', 'ada')).toEqual({ hero: { experience } });
    expect(visitors.send(personal, ECID_A, crm('ada')).changes).toEqual([]);
  });

  test('keeps nothing where it goes by devices', () => {
    const devices = definitionsOf({ orgId: ORG, activities: [activityOf('hero', { experiences: EXPERIENCES })] });
    expect(new Visitors().send(devices, ECID_A, crm('ada')).changes).toEqual([]);
  });

  test('never flips at a login or a logout, and follows the person to another device', () => {
    const experiences = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const visitors = new Visitors();
      const [device, other] = [ECID_A, ECID_B].map((ecid) => ecid.slice(0, -2) + String(i).padStart(2, '0')) as [
        string,
        string,
      ];
      const before = seen(visitors.send(personal, device));
      experiences.add(before);
      expect(seen(visitors.send(personal, device, crm(`person-${i}`)))).toBe(before);
      expect(seen(visitors.send(personal, device))).toBe(before);
      expect(seen(visitors.send(personal, other, crm(`person-${i}`)))).toBe(before);
      expect(seen(visitors.send(personal, other))).toBe(before);
    }
    expect(experiences.size).toBeGreaterThan(1);
  });
});

describe('a copy of an event', () => {
  test('is shown the same, by the same seed, and nothing of it is stored', () => {
    // Nobody's id: chance decides, which is the seed.
    const visible = (dedupKey: string, fate: EdgeEvent['fate']): Exchange =>
      decide(personal, [asking({ ecid: null, dedupKey, fate })], decidingTools(), { seed: String(Math.random()) });
    const experiences = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const [first, copy] = [visible(`key-${i}`, 'store'), visible(`key-${i}`, 'duplicate')];
      experiences.add(seen(first));
      expect(copy.personalization!.map(({ decision }) => decision)).toEqual(
        first.personalization!.map(({ decision }) => decision),
      );
      expect(first.decisions![0]!.seed).toMatch(/^[0-9a-f]{32}$/);
      expect([copy.decisions, copy.changes]).toEqual([null, []]);
    }
    expect(experiences.size).toBeGreaterThan(1);
  });
});

describe('two events of one request', () => {
  test('are decided for by themselves, each by its own query, else the request’s', () => {
    const activities = ['hero', 'foot'].map((id) => activityOf(id, { experiences: [experienceOf('a', [itemOf(id)])] }));
    const events = [
      asking({ index: 0 }),
      eventOf({}, { index: 1, ecid: ECID_B }),
      asking({ index: 2, query: { personalization: { enabled: false } } }),
    ];
    const query = { personalization: { decisionScopes: ['foot'] } };
    const x = decide(definitionsOf({ orgId: ORG, activities }), events, decidingTools(), { received: { query } });
    expect(contents(x)).toEqual([[['hero', 'a']], [['foot', 'a']]]);
    expect(x.personalization!.map(({ eventIndex }) => eventIndex)).toEqual([0, 1]);
    expect(x.decisions!.map(({ i }) => i)).toEqual([0, 1]);
    // Only the event that does not have the query itself needs it beside its decision.
    expect(x.decisions!.map((stored) => stored.in.query)).toEqual([
      undefined,
      { decisionScopes: ['foot'], surfaces: [] },
    ]);
    const [mine, theirs] = x.personalization!.map(({ tokens }) => tokens[0]!);
    const { seal } = decidingTools();
    expect(seal.open(ORG, ECID_A, mine!)).toMatchObject({ activityId: 'hero', eventIndex: 0 });
    expect(seal.open(ORG, ECID_B, theirs!)).toMatchObject({ activityId: 'foot', eventIndex: 1 });
    expect(seal.open(ORG, ECID_A, theirs!)).toBeNull();
  });
});

describe('nothing is decided, and nothing is asked for', () => {
  test.each<[string, Partial<EdgeEvent>, DecidingTools | null]>([
    ['without a query', { query: null }, decidingTools()],
    ['without tools', {}, null],
  ])('%s', (_, fields, tools) => {
    const x = decide(one, [asking(fields)], tools, { deadlineMs: performance.now() + 2_000 });
    expect([x.personalization, x.decisions, x.errors]).toEqual([null, null, []]);
    if (tools !== null) expect(tools.counts.seconds.cumulative().at(-1)).toBe(0);
  });
});

describe('a key of a query that is misspelt', () => {
  const misspelt = { personalization: { decisionScope: ['hero'] } };
  const warnings = ({ warnings: all }: Exchange): string[] => all.map(({ spec, message }) => `${spec.code} ${message}`);

  test('is warned of once, by the first that has it, whether anything is decided or not', () => {
    const events = [asking(), asking({ query: misspelt, index: 1 }), asking({ query: misspelt, index: 2 })];
    for (const tools of [decidingTools(), null]) {
      const [only, ...others] = warnings(decide(one, events, tools));
      expect(only).toContain("EXEG-0204-200 The field 'events[1].query.personalization.decisionScope' has no effect");
      expect(others).toEqual([]);
    }
  });

  test('of the request is warned of', () => {
    const received = { ...exchangeOf({}).received, query: misspelt };
    const x = decide(one, [asking({ query: null }), asking({ query: null, index: 1 })], decidingTools(), { received });
    expect(warnings(x)).toEqual([expect.stringContaining("'query.personalization.decisionScope' has no effect")]);
  });
});

describe('a bot', () => {
  const BOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';
  const BROWSER =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36';
  const through = (userAgent: string): JsonObject => ({ environment: { browserDetails: { userAgent } } });

  test.each([
    ['says so in its header', BOT, {}, true],
    ['is what a server forwards for', BROWSER, through(BOT), true],
    ['is not who a bot forwards for', BOT, through(BROWSER), undefined],
    ['is not a browser', BROWSER, {}, undefined],
  ])('%s', (_what, userAgent, xdm, bot) => {
    const event = eventOf(xdm, { ecid: ECID_A, query: HERO });
    const x = decide(one, [event], decidingTools(), { client: clientOf({ userAgent }) });
    expect(x.decisions![0]!.in.bot).toBe(bot);
  });
});
