import { afterAll, beforeAll, expect, test } from 'vitest';
import { post } from '../support/raw-http.ts';
import { TC_IN, TC_OUT } from '../support/tc-strings.ts';
import { startWeir, type Weir } from '../support/weir.ts';

/**
 * Choices and events of one visitor that are under way at the same time, as from two tabs: by the log alone, every event goes by
 * the last choice before it, and every choice points to the one before it.
 */

const VISITORS = 20;
const ROUNDS = 3;
const ORG = 'TEST@AdobeOrg';

let weir: Weir;
beforeAll(async () => {
  weir = await startWeir();
});
afterAll(() => weir.stop());

const ecidOf = (visitor: number): string => String(visitor + 1).padStart(38, '7');
const map = (visitor: number) => ({ identityMap: { ECID: [{ id: ecidOf(visitor) }] } });

function choose(visitor: number, val: string): Promise<unknown> {
  const consent = [{ standard: 'Adobe', version: '2.0', value: { collect: { val } } }];
  const query = { consent: { operation: 'update' } };
  return post(weir.edge, '/ee/v1/privacy/set-consent?configId=shop', { ...map(visitor), consent, query });
}

function send(visitor: number, tcString: string | null = null): Promise<unknown> {
  const base = { consentStandard: 'IAB TCF', consentStandardVersion: '2.2' };
  const strings = tcString === null ? {} : { consentStrings: [{ ...base, consentStringValue: tcString }] };
  return post(weir.edge, '/ee/v2/interact?configId=shop', { event: { xdm: { ...map(visitor), ...strings } } });
}

test('everything at once', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const all: Promise<unknown>[] = [];
    for (let visitor = 0; visitor < VISITORS; visitor++) {
      all.push(send(visitor), choose(visitor, 'n'), send(visitor), send(visitor, TC_OUT), choose(visitor, 'y'));
      all.push(send(visitor), send(visitor, TC_IN), choose(visitor, 'n'), send(visitor), choose(visitor, 'y'));
    }
    await Promise.all(all);
  }
  const last = new Map<string, { readonly position: string; readonly collect: unknown }>();
  const wrong: string[] = [];
  let stored = 0;
  for (const { position, record } of await weir.records()) {
    const at = `${position.partition}:${position.offset}`;
    const choices = record.changes.filter(({ kind }) => kind === 'consent');
    const held = last.get(`${ORG}|ECID|${record.ecid}`) ?? null;
    for (const { consent } of record.events) {
      stored += 1;
      if (choices.length > 0) continue;
      if (consent.recordId !== (held?.position ?? null))
        wrong.push(`${at} goes by ${consent.recordId}, not ${held?.position}`);
      if (held !== null && held.collect !== 'in') wrong.push(`${at} stands behind the revocation ${held.position}`);
    }
    for (const { key, body } of choices) {
      const before = last.get(key)?.position ?? null;
      if (body['previous'] !== before) wrong.push(`${at} points to ${body['previous']}, not to ${before}`);
      last.set(key, { position: at, collect: body['collect'] });
    }
  }
  expect(wrong).toEqual([]);
  expect([last.size, stored > VISITORS]).toEqual([VISITORS, true]);
});
