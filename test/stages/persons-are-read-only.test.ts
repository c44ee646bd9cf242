import { expect, test } from 'vitest';
import { matrix } from '../../src/components.ts';
import type { Exchange } from '../../src/model/exchange.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { PersonState } from '../../src/model/person.ts';
import { DuplicateWindow } from '../../src/stages/duplicates.ts';
import { runStages } from '../../src/stages/run.ts';
import { MemoryState } from '../../src/state/memory.ts';
import { clientOf, decisionTools, ECID_A, eventOf, exchangeOf, identityTools, NOW_MS } from '../support/exchanges.ts';
import { HeldLog } from '../support/held-log.ts';
import { TC_IN, TC_OUT } from '../support/tc-strings.ts';

/**
 * State hands out the persons that it keeps, and hands them out again: what a stage changed in one would be believed without
 * ever having been in the log. Here they are frozen, so that whoever writes to one fails.
 */

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) frozen(child);
  }
  return value;
}

class FrozenState extends MemoryState {
  override get(key: string): PersonState | null {
    return frozen(super.get(key));
  }
  override getMany(keys: readonly string[]): readonly (PersonState | null)[] {
    return keys.map((key) => this.get(key));
  }
}

const HOST = 'id.shop.test';
const state = new FrozenState();
const identity = identityTools({ thirdParty: { hosts: new Set([HOST]), cookie: 'demdex' } });
const deps = {
  log: new HeldLog(),
  state,
  duplicates: new DuplicateWindow(),
  identity,
  decisions: decisionTools(),
  deciding: null,
};
const stagesOf = (name: string) => matrix(deps).find(([endpoint]) => endpoint.name === name)![1];
const all = { interact: stagesOf('interact'), 'set-consent': stagesOf('set-consent') };
deps.log.automatic = true;

/** Behind every choice: a string of an event counts from then on. */
const LATER_MS = NOW_MS + 30 * 24 * 60 * 60 * 1000;
const identityMap = { ECID: [{ id: ECID_A }] };
const choose = (consent: JsonObject[], operation = 'update') => ({
  received: { identityMap, consent, query: { consent: { operation } } },
});
const event = (xdm: JsonObject) => ({
  events: [eventOf({ identityMap, ...xdm }, { payloadHash: '', occurredAtMs: LATER_MS })],
});
const strings = (consentStringValue: string) => ({
  consentStrings: [{ consentStandard: 'IAB TCF', consentStandardVersion: '2.2', consentStringValue }],
});
const login = (id: string) => ({ identityMap: { ...identityMap, CRM: [{ id, authenticatedState: 'authenticated' }] } });
const adobe = (value: JsonObject): JsonObject => ({ standard: 'Adobe', version: '2.0', value });

test.each([[NOW_MS], [NOW_MS + 2 * 24 * 60 * 60 * 1000]])(
  'no stage writes to what state holds, at %d',
  async (fromMs) => {
    const requests: readonly (readonly [keyof typeof all, Partial<Parameters<typeof exchangeOf>[0]>])[] = [
      ['set-consent', choose([adobe({ collect: { val: 'y' }, marketing: { any: { val: 'n' } } })])],
      ['set-consent', choose([adobe({ marketing: { email: { val: 'y' } } })])],
      ['set-consent', choose([{ standard: 'IAB TCF', version: '2.2', value: TC_OUT }])],
      ['interact', event(strings(TC_IN))],
      ['interact', event(login('ada'))],
      ['interact', event(login('bob'))],
      ['interact', { ...event(login('ada')), client: clientOf({ host: HOST, https: true }) }],
      ['set-consent', choose([adobe({ collect: { val: 'n' } })], 'replace')],
      ['interact', event({})],
    ];
    let offset = state.appliedUpTo(0) as number;
    let read = 0;
    for (const [index, [endpoint, fields]] of requests.entries()) {
      const x: Exchange = exchangeOf({ ...fields, nowMs: fromMs + index * 1000, clientRequestId: null });
      await runStages(all[endpoint], x);
      read += [...x.persons.values()].filter((person) => person !== null).length;
      offset += 1;
      state.apply([{ position: { partition: 0, offset }, changes: x.changes }]);
    }
    expect(read).toBeGreaterThan(requests.length);
  },
);
