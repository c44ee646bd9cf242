import { compileDecisions } from '../src/decisions/engine.ts';
import type { DecisionEngine, DecisionInput } from '../src/model/decision.ts';
import type { ActivityDefinition } from '../src/model/decision-definitions.ts';
import type { Json } from '../src/model/json.ts';
import {
  activityOf,
  definitionsOf,
  ecidOf,
  experienceOf,
  factsOf,
  inputOf,
  itemOf,
} from '../test/support/decisions.ts';

/**
 * What decisions cost: CPU of one, in microseconds, for visitors that differ. 50 activities on a page, of five comparisons each,
 * alone and beside 5,000 that belong to other scopes and surfaces. The best of some rounds, because whatever else runs on the
 * machine only adds.
 */

const ACTIVITIES = 50;
const ELSEWHERE = 5_000;
const DECISIONS = 20_000;
/** As many as a server has in its hands: more would be a measure of the machine's memory. */
const VISITORS = 200;
const ROUNDS = 15;
const PAGE = { kind: 'scope', name: '__view__' } as const;

/** Of five comparisons; those of one activity in ten hold. */
function whenOf(index: number): Json {
  return {
    and: [
      { '==': [{ var: 'profile.tier' }, index % 2 === 0 ? 'gold' : 'silver'] },
      { '>': [{ var: 'profile.visits' }, index % 5 === 0 ? 3 : 1_000] },
      { in: ['shoes', { var: 'xdm.web.webPageDetails.URL' }] },
      { '!=': [{ var: 'xdm.environment.type' }, 'application'] },
      { '<': [{ var: 'xdm.commerce.order.priceTotal' }, 500 + index] },
    ],
  };
}

function heldByAll(): Json {
  return {
    and: [
      { '==': [{ var: 'profile.tier' }, 'gold'] },
      { '>': [{ var: 'profile.visits' }, 3] },
      { in: ['shoes', { var: 'xdm.web.webPageDetails.URL' }] },
      { '!=': [{ var: 'xdm.environment.type' }, 'application'] },
      { '<': [{ var: 'xdm.commerce.order.priceTotal' }, 500] },
    ],
  };
}

function onPage(index: number, when: Json): ActivityDefinition {
  const experiences = ['a', 'b'].map((id) => experienceOf(id, [itemOf(PAGE, { id: `${index}-${id}` })]));
  return activityOf(`page-${index}`, { priority: index, when, experiences });
}

function elsewhere(index: number): ActivityDefinition {
  const place =
    index % 2 === 0
      ? ({ kind: 'scope', name: `scope-${index}` } as const)
      : ({ kind: 'surface', name: `web://shop.example/${index}${index % 4 === 1 ? '/*' : '#hero'}` } as const);
  return activityOf(`elsewhere-${index}`, { when: whenOf(index), experiences: [experienceOf('a', [itemOf(place)])] });
}

const facts = factsOf({
  profile: { tier: 'gold', visits: 7 },
  xdm: {
    web: { webPageDetails: { URL: 'https://shop.example/shoes/boots' } },
    environment: { type: 'browser' },
    commerce: { order: { priceTotal: 99 } },
  },
});
const inputs: readonly DecisionInput[] = Array.from({ length: VISITORS }, (_, index) =>
  inputOf([], {
    facts,
    ecid: ecidOf(index),
    query: { schemas: null, scopes: ['__view__'], surfaces: ['web://shop.example/shoes/boots'] },
  }),
);

const page = Array.from({ length: ACTIVITIES }, (_, index) => onPage(index, whenOf(index)));
const others = Array.from({ length: ELSEWHERE }, (_, index) => elsewhere(index));
const engines = {
  '50 activities of 5 comparisons, 5 hold': compileDecisions(definitionsOf({ activities: page })),
  'the same beside 5,000 elsewhere': compileDecisions(definitionsOf({ activities: [...page, ...others] })),
  '50 activities of 5 comparisons, all hold': compileDecisions(
    definitionsOf({ activities: Array.from({ length: ACTIVITIES }, (_, index) => onPage(index, heldByAll())) }),
  ),
  'nothing for the page': compileDecisions(definitionsOf({ activities: others })),
};
const best = new Map<string, number>();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, engine] of Object.entries(engines)) {
    best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, costOf(engine)));
  }
}
for (const [name, us] of best) process.stdout.write(`${name}: ${us.toFixed(2)} µs\n`);
const [alone, beside] = [...best.values()] as [number, number];
process.stdout.write(`5,000 elsewhere: ${((beside / alone - 1) * 100).toFixed(0)} % more\n`);

function costOf(engine: DecisionEngine): number {
  const before = process.cpuUsage();
  let shown = 0;
  for (let done = 0; done < DECISIONS; done += VISITORS) {
    for (const input of inputs) shown += engine.decide(input, null).propositions.length;
  }
  const { user, system } = process.cpuUsage(before);
  if (shown % DECISIONS !== 0) throw new Error('Some visitors saw less than others: that is not what is measured.');
  return (user + system) / DECISIONS;
}
