import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AdobePurpose, missingConsent } from '../../src/model/consent-gate.ts';
import { mintEcid } from '../../src/model/identity.ts';
import { post } from '../support/raw-http.ts';
import { tcString } from '../support/tc-strings.ts';
import { startWeir, type Weir } from '../support/weir.ts';
import { type Entry, type Rules, type TcChosen, Visitor } from './consent-oracle.ts';

/**
 * Generated histories of choices and events, through the whole server in this process and back from its log: nothing is stored
 * without consent to its collection, nothing behind the position of a revocation, and the gate says what a second
 * implementation says. A failure prints its seed.
 */

const HISTORIES = 60;
const DAY_MS = 24 * 60 * 60 * 1000;
const TODAY_MS = Math.floor(Date.now() / DAY_MS) * DAY_MS;

const RULES: Readonly<Record<string, Rules>> = {
  open: { default: 'in', vendor: 565 },
  waiting: { default: 'pending', vendor: 12 },
  closed: { default: 'out', vendor: null },
};
const datastreams = Object.keys(RULES);

const vals = fc.constantFrom('y', 'n', 'p', 'u', 'li', 'dn', 'dy', 'vi');
const choice = fc.record({ val: vals });
const preferences = fc
  .record(
    {
      collect: choice,
      share: choice,
      adID: choice,
      personalize: fc.record({ content: choice }),
      marketing: fc.record({ any: choice, email: choice, push: choice }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  )
  .filter((value) => Object.keys(value).length > 0);
const tcChosen: fc.Arbitrary<TcChosen> = fc
  .record({
    purposes: fc.oneof(fc.constant([1, 10]), fc.uniqueArray(fc.integer({ min: 1, max: 24 }), { maxLength: 6 })),
    vendors: fc.oneof(fc.constant([12, 565]), fc.uniqueArray(fc.constantFrom(1, 12, 565, 700), { maxLength: 3 })),
    gdprApplies: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    daysAgo: fc.nat(2),
  })
  .map(({ purposes, vendors, gdprApplies, daysAgo }) => {
    const updatedMs = TODAY_MS - daysAgo * DAY_MS;
    const text = tcString({ purposes, vendors, lastUpdatedMs: updatedMs });
    return { text, purposes: new Set(purposes), vendors: new Set(vendors), gdprApplies, updatedMs };
  });
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.constantFrom('in' as const, 'out' as const, 'pending' as const, 'not_provided' as const).map((general) => ({
    ...{ standard: 'Adobe' as const, version: '1.0' as const, general },
  })),
  preferences.map((value) => ({ standard: 'Adobe' as const, version: '2.0' as const, value })),
  tcChosen.map((tcf) => ({ standard: 'IAB TCF' as const, tcf })),
);

const visitor = fc.constantFrom(0, 1);
const event = fc.record({
  visitor,
  /** Null: none; garbage: a string that cannot be read. */
  strings: fc.oneof(
    { weight: 5, arbitrary: fc.constant(null) },
    { weight: 3, arbitrary: tcChosen },
    { weight: 1, arbitrary: fc.constant('garbage' as const) },
  ),
  /** It happened an hour ago, before every choice. */
  isLate: fc.boolean(),
});
const step = fc.oneof(
  fc.record({
    kind: fc.constant('choose' as const),
    visitor,
    datastream: fc.constantFrom(...datastreams),
    operation: fc.constantFrom('replace' as const, 'update' as const),
    entries: fc.array(entry, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant('send' as const),
    datastream: fc.constantFrom(...datastreams),
    gpc: fc.boolean(),
    events: fc.array(event, { minLength: 1, maxLength: 3 }),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const uses = fc.array(
  fc.record({
    adobe: fc.subarray<AdobePurpose>(['share', 'adID', 'personalize.content', 'marketing.email', 'marketing.push']),
    tcf: fc.subarray([1, 2, 10]),
    vendors: fc.subarray([12, 565]),
  }),
  { minLength: 3, maxLength: 3 },
);

let server: Weir;
beforeAll(async () => {
  const fileOf = (id: string): string => {
    const { default: unset, vendor } = RULES[id]!;
    return `id: ${id}\norg: TEST@AdobeOrg\nname: ${id}\nconsent: { default: ${unset}, tcfVendor: ${vendor} }\n`;
  };
  server = await startWeir(Object.fromEntries(datastreams.map((id) => [`datastreams/${id}.yaml`, fileOf(id)])));
});
afterAll(() => server.stop());

interface Sent {
  readonly marker: string;
  readonly ecid: string;
  /** What the oracle says. */
  readonly isStored: boolean;
  readonly collect: string;
  readonly lacking: readonly (string | null)[];
}

/** Plays a history for two new visitors, and returns what the oracle expects of each event. */
async function play(
  steps: readonly Step[],
  asked: readonly Parameters<Visitor['lacks']>[0][],
): Promise<readonly Sent[]> {
  const ecids = [0, 1].map(() => mintEcid(randomBytes(16).toString('hex')));
  const visitors = [new Visitor(), new Visitor()];
  const sent: Sent[] = [];
  for (const one of steps) {
    const rules = RULES[one.datastream]!;
    if (one.kind === 'choose') {
      const isTaken = visitors[one.visitor]!.choose(one.entries, one.operation);
      const { status } = await post(server.edge, `/ee/v1/privacy/set-consent?configId=${one.datastream}`, {
        identityMap: { ECID: [{ id: ecids[one.visitor]! }] },
        query: { consent: { operation: one.operation } },
        consent: one.entries.map(asSent),
      });
      expect(status).toBe(isTaken ? 200 : 409);
      continue;
    }
    const events = one.events.map(({ visitor: who, strings, isLate }) => {
      const marker = `marker-${randomBytes(8).toString('hex')}`;
      const own = visitors[who]!;
      const isReadable = strings !== 'garbage';
      if (strings !== null && strings !== 'garbage') own.sees(strings, isLate);
      const collect = own.collect(rules);
      const isStored = isReadable && collect === 'in';
      const lacking = asked.map((use) => own.lacks(use, rules, one.gpc));
      sent.push({ marker, ecid: ecids[who]!, isStored, collect, lacking });
      const consentStrings = strings === null ? {} : { consentStrings: [stringsOf(strings)] };
      const timestamp = isLate ? { timestamp: new Date(Date.now() - 60 * 60 * 1000).toISOString() } : {};
      return { xdm: { identityMap: { ECID: [{ id: ecids[who]! }] }, marker, ...timestamp, ...consentStrings } };
    });
    const headers: [string, string][] = one.gpc ? [['Sec-GPC', '1']] : [];
    const { status } = await post(server.edge, `/ee/v2/collect?datastreamId=${one.datastream}`, { events }, headers);
    expect(status).toBe(202);
  }
  return sent;
}

function asSent(one: Entry) {
  if (one.standard === 'IAB TCF') {
    const { text, gdprApplies } = one.tcf;
    return { standard: one.standard, version: '2.2', value: text, gdprApplies };
  }
  const value = one.version === '1.0' ? { general: one.general } : one.value;
  return { standard: one.standard, version: one.version, value };
}

function stringsOf(strings: TcChosen | 'garbage') {
  const base = { consentStandard: 'IAB TCF', consentStandardVersion: '2.2' };
  if (strings === 'garbage') return { ...base, consentStringValue: 'CgarbageXYZ' };
  return { ...base, consentStringValue: strings.text, gdprApplies: strings.gdprApplies };
}

test('whatever visitors choose and send', async () => {
  const all: Sent[] = [];
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), uses, async (steps, asked) => {
      const sent = await play(steps, asked);
      const ofThese = new Set(sent.map(({ ecid }) => ecid));
      const stored = (await server.events()).filter(({ xdm }) => ofThese.has(String(ecidIn(xdm))));
      expect(stored.map(({ xdm }) => xdm['marker']).sort()).toEqual(
        sent
          .filter(({ isStored }) => isStored)
          .map(({ marker }) => marker)
          .sort(),
      );
      for (const { xdm, consent } of stored) {
        const expected = sent.find(({ marker }) => marker === xdm['marker'])!;
        expect(consent.collect).toBe('in');
        expect(asked.map((use) => missingConsent(use, consent))).toEqual(expected.lacking);
      }
      all.push(...sent);
    }),
    { numRuns: HISTORIES },
  );

  const withheld = all.filter(({ isStored }) => !isStored);
  expect(withheld.length).toBeGreaterThan(HISTORIES / 2);
  expect(all.length - withheld.length).toBeGreaterThan(HISTORIES / 2);
  await expectNothingBehindRevocations();
  // Not in a body that was kept for other events, and not anywhere else on the disk.
  await server.halt();
  const files = readdirSync(server.data, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  const bytes = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1')).join('\n');
  expect(all.filter(({ isStored, marker }) => isStored !== bytes.includes(marker))).toEqual([]);
});

/**
 * By the log alone: an event names the last choice before it as the one in force, so none stands behind a revocation that it did
 * not take into account. In a batch, the events before the one that brought a choice go by the choice before.
 */
async function expectNothingBehindRevocations(): Promise<void> {
  const lastChoice = new Map<string, string>();
  let revocations = 0;
  for (const { position, record } of await server.records()) {
    const choices = record.changes.filter(({ kind }) => kind === 'consent');
    for (const { xdm, consent } of record.events) {
      const key = `TEST@AdobeOrg|ECID|${ecidIn(xdm)}`;
      const inForce = [lastChoice.get(key) ?? null, ...(choices.some((one) => one.key === key) ? ['this'] : [])];
      expect(consent.collect).toBe('in');
      expect(inForce).toContain(consent.recordId);
    }
    for (const { key, body } of choices) {
      lastChoice.set(key, `${position.partition}:${position.offset}`);
      if (body['collect'] !== 'in') revocations += 1;
    }
  }
  expect(revocations).toBeGreaterThan(HISTORIES / 2);
}

function ecidIn(xdm: Record<string, unknown>): unknown {
  return (xdm['identityMap'] as { ECID: { id: string }[] }).ECID[0]?.id;
}
