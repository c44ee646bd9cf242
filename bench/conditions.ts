import { clientFacts } from '../src/language/client.ts';
import { makeFacts } from '../src/language/facts.ts';
import { compileTemplate, isTemplate } from '../src/language/templates.ts';
import { ZoneTime } from '../src/language/zone-time.ts';
import type { Facts } from '../src/model/condition.ts';
import type { Consent } from '../src/model/exchange.ts';
import type { Json, JsonObject } from '../src/model/json.ts';
import { UserAgents } from '../src/net/user-agents.ts';
import { compiled } from '../test/language/facts.ts';

/**
 * What conditions cost: a comparison of each kind, a rule as people write it, a template, and the facts about one event. The
 * best of the rounds, because whatever else runs on the machine only adds.
 */

const ROUNDS = 15;
const TESTS = 20_000;
/** Of the same comparison, on different paths, so that what starts a test is not what is measured. */
const LEAVES = 20;

const AGENT =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36';
const xdm: JsonObject = {
  web: {
    webPageDetails: { URL: 'https://shop.example/boots/winter?utm_source=newsletter&utm_campaign=autumn&size=42' },
    webReferrer: { URL: 'https://search.example/?q=boots' },
  },
  commerce: { order: { priceTotal: 120 } },
  productListItems: [
    { SKU: 'A', quantity: 1 },
    { SKU: 'B', quantity: 2 },
    { SKU: 'C', quantity: 3 },
  ],
};
const profile: JsonObject = { tier: 'gold', age: 30, born: '2026-11-20', app: '17.4.1', interests: ['boots', 'tents'] };
for (let i = 0; i < LEAVES; i++) profile[`tier${i}`] = `gold${i}`;
const zone = new ZoneTime('Europe/Zurich');
const agents = new UserAgents();
const NOW_MS = Date.UTC(2026, 10, 28, 12);
const client = (): JsonObject => clientFacts({ userAgent: AGENT, headers: {}, xdm, parse: agents.parse });
const consent: Consent = { recordId: null, collect: 'in', gpc: false, default: 'in', value: null };
const factsNow = (): Facts => makeFacts({ xdm, data: null, profile, consent, client, nowMs: NOW_MS }, zone);

const url: Json = { var: 'page.url' };
const isC: Json = { '==': [{ var: 'SKU' }, 'C'] };
const leaf = (comparison: (i: number) => Json): Json => {
  const each = Array.from({ length: LEAVES }, (_, i): Json => ({ or: [comparison(i), true] }));
  return { and: each };
};
const LEAF: readonly (readonly [string, (i: number) => Json])[] = [
  ['== with a text', (i) => ({ '==': [{ var: `profile.tier${i}` }, `gold${i}`] })],
  ['>= of a number, three names deep', () => ({ '>=': [{ var: 'xdm.commerce.order.priceTotal' }, 100] })],
  ['between', () => ({ '<=': [18, { var: 'profile.age' }, 65] })],
  [
    'in a list of 1,000',
    () => ({ in: [{ var: 'profile.tier' }, Array.from({ length: 1_000 }, (_, i) => `tier${i}`)] }),
  ],
  ['startsWith', () => ({ startsWith: [url, 'https://shop.example/boots'] })],
  ['contains', () => ({ contains: [url, 'utm_source=news'] })],
  ['matches', () => ({ matches: [url, '/boots/\\w+\\?.*size=4\\d'] })],
  ['containsAny', () => ({ containsAny: [{ var: 'profile.interests' }, ['skis', 'tents']] })],
  ['some of 3 items', () => ({ some: [{ var: 'xdm.productListItems' }, isC] })],
  ['withinDays', () => ({ withinDays: [{ var: 'profile.born' }, 14] })],
  ['semver', () => ({ semver: [{ var: 'profile.app' }, '>=', '17.4'] })],
];

const kept = factsNow();
for (const [name, comparison] of LEAF) {
  const { test, leaves } = compiled(leaf(comparison));
  const marks = new Uint8Array(leaves.length);
  report(`${name}, a leaf`, best(() => test(kept, marks)) / LEAVES);
}
const rule = compiled({
  and: [
    { '==': [{ var: 'profile.tier' }, 'gold'] },
    { startsWith: [{ var: 'page.path' }, '/boots'] },
    { '==': [{ var: 'page.query.utm_source' }, 'newsletter'] },
    { '!': { '==': [{ var: 'client.isBot' }, true] } },
    { '<': [8, { var: 'time.hour' }, 20] },
  ],
});
const marks = new Uint8Array(rule.leaves.length);
report(
  'a rule of five comparisons, facts there',
  best(() => rule.test(kept, marks)),
);
report(
  'the same with the facts made: page, client, time',
  best(() => rule.test(factsNow(), marks)),
);
report(
  'facts that nobody reads',
  best(() => factsNow().xdm === xdm),
);
report(
  'page',
  best(() => factsNow().page !== null),
);
report(
  'client, of a user agent that was there lately',
  best(() => factsNow().client !== null),
);
report(
  'time, in the same quarter of an hour',
  best(() => factsNow().time !== null),
);
const template = compileTemplate("Hello {{profile.name | 'friend'}}, you are {{profile.tier}}", 'html');
if (!isTemplate(template)) throw new Error(template[0]!.message);
report(
  'a template with two places',
  best(() => template.fill(kept) !== ''),
);

/** Nanoseconds of one call. */
function best(call: () => boolean): number {
  let ns = Number.POSITIVE_INFINITY;
  let count = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    for (let i = 0; i < TESTS; i++) count += call() ? 1 : 0;
    ns = Math.min(ns, ((performance.now() - started) * 1e6) / TESTS);
  }
  if (count < 0) throw new Error('It counts upwards.');
  return ns;
}

function report(name: string, ns: number): void {
  process.stdout.write(`${name.padEnd(56)} ${ns < 10_000 ? `${ns.toFixed(0)} ns` : `${(ns / 1_000).toFixed(1)} µs`}\n`);
}
