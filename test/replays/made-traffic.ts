import { makeFacts } from '../../src/language/facts.ts';
import { PLAIN_CONSENT } from '../../src/model/consent-in-force.ts';
import type { DecisionInput, StoredDecision } from '../../src/model/decision.ts';
import type { DecisionDefinitions } from '../../src/model/decision-definitions.ts';
import { decisionInput } from '../../src/model/decision-input.ts';
import { decisionQuery } from '../../src/model/decision-query.ts';
import { NO_DISPLAYS } from '../../src/model/displays.ts';
import { identitiesOf } from '../../src/model/identity.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { applyChange, type Change, type PersonState, personKey } from '../../src/model/person.ts';
import type { LogRecord, StoredEvent } from '../../src/model/record.ts';
import { decideAgain, deciderOf } from '../../src/replays/recompute.ts';
import { activityOf, definitionsOf, ecidOf, experienceOf, itemOf } from '../support/decisions.ts';

/** Traffic of made-up visitors, decided as a server does it, with what each decision was made of kept beside the log. */

export const ORG = 'A@AdobeOrg';
const START_MS = Date.UTC(2026, 10, 1);

export const FIRST: DecisionDefinitions = definitionsOf({
  ...{ orgId: ORG, hash: 'aaaaaaaaaaaaaaaa', timeZone: 'Europe/Berlin', holdoutPercent: 5 },
  audiences: [{ id: 'gold', name: 'Gold', when: { '==': [{ var: 'profile.tier' }, 'gold'] }, segment: null }],
  activities: [
    activityOf('hero', {
      holdoutPercent: 10,
      experiences: [experienceOf('a', [itemOf('hero')]), experienceOf('b', [itemOf('hero')], { weight: 2 })],
    }),
    activityOf('offer', {
      ...{ kind: 'targeted', priority: 5 },
      experiences: [
        experienceOf('gold', [itemOf('offer')], { when: { audience: 'gold' } }),
        experienceOf('late', [itemOf('offer')], { when: { '>=': [{ var: 'time.hour' }, 18] } }),
        experienceOf('phone', [itemOf('offer')], { when: { '==': [{ var: 'client.deviceType' }, 'mobile'] } }),
      ],
    }),
    activityOf('capped', {
      caps: [{ max: 2, periodMs: 3_600_000 }],
      experiences: [experienceOf('only', [itemOf('note')])],
    }),
    activityOf('person', {
      ...{ bucketBy: 'CRM', bucketing: 'target' },
      experiences: [experienceOf('x', [itemOf('box')]), experienceOf('y', [itemOf('box')])],
    }),
  ],
});

export interface Sent {
  readonly record: LogRecord;
  readonly input: DecisionInput;
  readonly decision: StoredDecision;
}

/** A generator of numbers in [0, 1) that a seed determines (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const TIERS = ['gold', 'silver', 'none'];

export class Traffic {
  readonly persons = new Map<string, PersonState>();
  offset = 0;
  readonly #random: () => number;
  readonly #decider: ReturnType<typeof deciderOf>;
  readonly #visitors: number;
  #atMs = START_MS;
  /** Requests under way: state moves on before their records are written. */
  #waiting: Sent[] = [];

  constructor(seed: number, visitors: number, definitions = FIRST) {
    this.#random = seeded(seed);
    this.#visitors = visitors;
    this.#decider = deciderOf(definitions);
  }

  *requests(count: number): Generator<Sent> {
    for (let i = 0; i < count; i++) {
      this.#waiting.push(this.#request(i));
      while (this.#waiting.length > 0 && (this.#random() < 0.6 || this.#waiting.length > 8)) yield this.#store();
    }
    while (this.#waiting.length > 0) yield this.#store();
  }

  /** In any order, as concurrent requests come to the log. */
  #store(): Sent {
    const [sent] = this.#waiting.splice(Math.floor(this.#random() * this.#waiting.length), 1);
    const position = { partition: 0, offset: this.offset++ };
    for (const change of sent!.record.changes) {
      this.persons.set(change.key, applyChange(this.persons.get(change.key) ?? null, change, position)!);
    }
    return sent!;
  }

  #request(i: number): Sent {
    this.#atMs += Math.floor(this.#random() * 20_000);
    const visitor = Math.floor(this.#random() ** 2 * this.#visitors);
    const ecid = ecidOf(visitor);
    const isIn = this.#random() < 0.3;
    const xdm: JsonObject = {
      identityMap: { ECID: [{ id: ecid }], ...(isIn ? { CRM: [{ id: `crm ${visitor >> 1}` }] } : {}) },
    };
    const tier = TIERS[Math.floor(this.#random() * 12)];
    const data: JsonObject | null = tier === undefined ? null : { __adobe: { target: { 'profile.tier': tier } } };
    const requestId = `r${i}`;
    const personalization = {
      decisionScopes: ['hero', 'offer', 'note', 'box'].slice(0, 1 + Math.floor(this.#random() * 4)),
    };
    const event: StoredEvent = {
      ...{ id: `${requestId}/0`, dedupKey: requestId, payloadHash: requestId, index: 0, meta: null, xdm, data },
      ...{ query: i % 3 === 0 ? null : { personalization }, identities: identitiesOf(xdm), consent: PLAIN_CONSENT },
      ...{ added: null, occurredAtMs: this.#atMs, occurredAtFrom: 'timestamp' as const },
    };
    const client: JsonObject = { deviceType: this.#random() < 0.4 ? 'mobile' : 'desktop' };
    const keys = new Map([['ECID', personKey(ORG, 'ECID', ecid)]]);
    if (isIn) keys.set('CRM', personKey(ORG, 'CRM', `crm ${visitor >> 1}`));
    const sections: (readonly [string, string, string])[] = [];
    const sectionOf = (namespace: string, section: string): JsonObject | null => {
      const found = this.persons.get(keys.get(namespace)!)?.body[section] as JsonObject | undefined;
      if (found === undefined) return null;
      if (!sections.some(([one, other]) => one === namespace && other === section)) {
        sections.push([namespace, section, found['record'] as string]);
      }
      return found['value'] as JsonObject;
    };
    const stored = { client, ...(i % 3 === 0 ? { query: personalization } : {}) };
    const seed = i.toString(16).padStart(32, '0');
    const { zone, engine, definitions } = this.#decider;
    const input = decisionInput({
      ...{ event, ecid, stored, sectionOf, seed, datastreamId: 'shop', nowMs: this.#atMs },
      displays: NO_DISPLAYS,
      ...{ query: decisionQuery(personalization, 'query'), client: () => client, wantsActivation: false },
      makeFacts: (parts) => makeFacts(parts, zone),
    });
    const made = decideAgain(this.#decider, input, { v: [], p: [] }, false);
    const decision = { i: 0, h: definitions.hash, seed, in: { ...stored, sections }, ...made };
    const changes = this.#changes(keys, data, engine.decide(input, null).assigned, i);
    const record: LogRecord = {
      ...{ requestId, atMs: this.#atMs, orgId: ORG, datastreamId: 'shop', path: '/v1/interact', ecid, meta: {} },
      ...{ events: [event], raw: null, changes, decisions: [decision] },
    };
    return { record, input, decision };
  }

  /** Attributes, displays and experiences, as the stages write them. */
  #changes(
    keys: ReadonlyMap<string, string>,
    data: JsonObject | null,
    assigned: Readonly<Record<string, string>> | null,
    i: number,
  ): Change[] {
    const device = keys.get('ECID')!;
    const time = String(i).padStart(12, '0');
    const update = (kind: Change['kind'], key: string, value: JsonObject): Change => ({
      ...{ kind, key, time, body: { operation: 'update', value } },
    });
    const changes: Change[] = [];
    const tier = ((data?.['__adobe'] as JsonObject | undefined)?.['target'] as JsonObject | undefined)?.[
      'profile.tier'
    ];
    if (tier !== undefined) changes.push(update('profile', device, { tier }));
    if (this.#random() < 0.2) {
      changes.push(update('decision', device, { capped: { shown: [Math.floor(this.#atMs / 1000)] } }));
    }
    const other = keys.get('CRM');
    if (assigned !== null && other !== undefined) {
      const value = Object.fromEntries(Object.entries(assigned).map(([id, experience]) => [id, { experience }]));
      changes.push(update('decision', other, value));
    }
    return changes;
  }
}
