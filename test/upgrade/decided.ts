import { isObject, type JsonObject } from '../../src/model/json.ts';
import type { Running } from '../../src/server.ts';
import { post } from '../support/raw-http.ts';

/** The shop whose decisions are kept in fixtures, and who was there: some of every kind of rule, chance and content. */

const ORG = 'UPGRADE@AdobeOrg';
export const SHOP: Readonly<Record<string, string>> = {
  'weir.yaml': `deadlineMs: 4500
decisions: { budgetMs: 1000, timeZone: Europe/Berlin, holdoutPercent: 10, targetClient: shop }
identity: { namespaces: { ${ORG}: { CRM: { kind: person } } } }
`,
  'datastreams/shop.yaml': `id: shop\norg: ${ORG}\nname: Shop\n`,
  'audiences/gold.yaml': 'id: gold\nwhen: { "==": [{ var: profile.tier }, gold] }\nsegment: true\n',
  'activities/hero.yaml': `id: hero
scope: hero
holdoutPercent: 15
trafficPercent: 80
experiences: [{ id: a }, { id: b, weight: 2, html: "Hello {{profile.name | 'you'}}" }]
goals:
  - { id: bought, when: { "==": [{ var: xdm.eventType }, commerce.purchases] }, value: xdm.commerce.order.priceTotal }
`,
  'activities/target.yaml': `id: target
scope: box
bucketing: target
bucketBy: CRM
experiences: [{ id: x, html: X }, { id: y, html: Y }, { id: z, html: Z }]
`,
  'activities/offer.yaml': `id: offer
scope: offer
priority: 5
experiences:
  - { id: gold, html: Gold, when: { audience: gold } }
  - { id: evening, html: Evening, when: { ">=": [{ var: time.hour }, 18] } }
  - { id: phone, html: Phone, when: { "==": [{ var: client.deviceType }, mobile] } }
`,
  'activities/once.yaml':
    'id: once\nscope: note\ncaps: [{ max: 1, per: 1d }]\nexperiences: [{ id: only, html: Once }]\n',
  'activities/left.yaml': 'id: left\nscope: left\ngroup: sides\nexperiences: [{ id: all, html: Left }]\n',
  'activities/right.yaml': 'id: right\nscope: right\ngroup: sides\nexperiences: [{ id: all, html: Right }]\n',
  'activities/page.yaml': `id: page
view: cart
experiences: [{ id: all, actions: [{ setText: "{{page.path}}", selector: h1 }] }]
`,
  'activities/message.yaml': `id: message
surface: web://shop.example/*
experiences: [{ id: all, message: { html: <p>Hi</p> } }, { id: card, card: { title: Hi } }]
`,
  'offers/closing.yaml': `placements: [{ id: bar, type: html }]
offers:
  - { id: good, caps: [{ max: 2 }], priority: 2, content: { bar: Good } }
  - { id: rare, when: { semver: [{ var: data.version }, ">=", 2.0.0] }, content: { bar: "Rare {{data.version}}" } }
  - { id: last, content: { bar: Last } }
decisions: [{ id: closing, placements: [{ placement: bar, offers: [good, rare], fallback: last }] }]
`,
};
export const REPORTED: readonly string[] = ['hero', 'target', 'closing~bar'];
/** Whose experience no cap and no later visit changes. */
export const STEADY: readonly string[] = ['hero', 'box'];

const CLOSING = Buffer.from('{"activityId":"closing","placementId":"bar","itemCount":2}').toString('base64');
const SCOPES = ['hero', 'box', 'offer', 'note', 'left', 'right', '__view__', CLOSING];
const BROWSERS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
  'Googlebot/2.1 (+http://www.google.com/bot.html)',
];

export interface Visitor {
  readonly ecid: string;
  readonly identityMap: JsonObject;
  readonly userAgent: string;
}
/** Some log in, two share a login, and some send an id that stands for nobody. */
export const VISITORS: readonly Visitor[] = Array.from({ length: 24 }, (_, n) => {
  const ecid = String(n + 10).repeat(19);
  const crm = ['null', `crm-${n}`, 'crm-shared', null][n % 4];
  const login: JsonObject = crm == null ? {} : { CRM: [{ id: crm, authenticatedState: 'authenticated' }] };
  return { ecid, identityMap: { ECID: [{ id: ecid }], ...login }, userAgent: BROWSERS[n % BROWSERS.length]! };
});

async function send({ urls }: Running, { identityMap, userAgent }: Visitor, event: JsonObject): Promise<JsonObject[]> {
  const xdm = isObject(event['xdm']) ? event['xdm'] : {};
  const body = { events: [{ ...event, xdm: { ...xdm, identityMap } }] };
  const answer = await post(urls.edge, '/ee/v1/interact?configId=shop', body, [['user-agent', userAgent]]);
  const { handle } = answer.json as { handle: { type: string; payload: JsonObject[] }[] };
  return handle.filter(({ type }) => type === 'personalization:decisions').flatMap(({ payload }) => payload);
}

/** The propositions that a page view gets. */
export function ask(running: Running, visitor: Visitor, more: JsonObject = {}): Promise<JsonObject[]> {
  const personalization: JsonObject = { decisionScopes: [...SCOPES], surfaces: ['web://shop.example/cart'] };
  const web = { webPageDetails: { URL: 'https://shop.example/cart?size=1' } };
  return send(running, visitor, { xdm: { web }, query: { personalization }, ...more });
}

export async function tellDisplayed(running: Running, visitor: Visitor, shown: readonly JsonObject[]): Promise<void> {
  const propositions = shown.map(({ id, scope, scopeDetails }) => ({
    id: id!,
    scope: scope!,
    scopeDetails: scopeDetails!,
  }));
  const decisioning = { propositions, propositionEventType: { display: 1 } };
  await send(running, visitor, { xdm: { eventType: 'decisioning.propositionDisplay', _experience: { decisioning } } });
}

export async function buy(running: Running, visitor: Visitor): Promise<void> {
  await send(running, visitor, { xdm: { eventType: 'commerce.purchases', commerce: { order: { priceTotal: 12.5 } } } });
}

/** By scope, the texts that are shown there. */
export function contentsOf(shown: readonly JsonObject[], scopes: readonly string[]): JsonObject {
  return Object.fromEntries(
    shown
      .filter(({ scope }) => scopes.includes(String(scope)))
      .map(({ scope, items }) => [String(scope), items as JsonObject[]] as const)
      .map(([scope, items]) => [scope, items.map(({ data }) => (isObject(data) ? (data['content'] ?? null) : null))]),
  );
}

/** Beside a fixture's data: what a server and its commands say of it. */
export interface DecidedBefore {
  readonly decisions: number;
  /** By ECID, `contentsOf` the steady scopes. */
  readonly shown: Readonly<Record<string, JsonObject>>;
  /** `weir report --json` by activity: each one's arms. */
  readonly arms: Readonly<Record<string, unknown>>;
}
