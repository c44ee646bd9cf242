import fc from 'fast-check';
import { PLAIN_CONSENT } from '../../src/model/consent-in-force.ts';
import { HELD_OUT, type Outcome, type StoredDecision, type StoredNotice } from '../../src/model/decision.ts';
import { claimsText, type TokenClaims } from '../../src/model/decision-token.ts';
import { identitiesOf } from '../../src/model/identity.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { LogRecord, Stored, StoredEvent } from '../../src/model/record.ts';

/** Made-up histories of two tenants: what happened, step by step, and the log that it leaves. */

export const ORG = 'A@AdobeOrg';
export const OTHER_ORG = 'B@AdobeOrg';
export const ACTIVITY = 'hero';
export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;
export const START_MS = Date.UTC(2026, 2, 27, 12);

export interface Step {
  /** Since the step before. */
  readonly afterMs: number;
  /** How long before it was received the event occurred. */
  readonly lateMs: number;
  readonly orgId: string;
  /** Null: a server's event that names no device. */
  readonly visitor: number | null;
  readonly what: 'decide' | 'tell' | 'buy' | 'look';
  readonly outcome: Outcome;
  readonly experience: string;
  readonly activity: string;
  readonly isBot: boolean;
  /** Of a notification: how many decisions back, and what it says of them. */
  readonly back: number;
  readonly kinds: readonly string[];
  readonly token: 'true' | 'forged' | 'none';
  readonly amount: number | null;
}

/** Mostly the first: histories in which everything is rare reach nothing. */
function often<T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
}

export const steps = fc.array(
  fc.record<Step>({
    afterMs: often(MINUTE_MS, 0, 1, 20 * MINUTE_MS, 60 * MINUTE_MS, 7 * 60 * MINUTE_MS, DAY_MS, 9 * DAY_MS),
    lateMs: often(0, MINUTE_MS, 90 * MINUTE_MS, DAY_MS, 3 * DAY_MS, -MINUTE_MS),
    orgId: often(ORG, OTHER_ORG),
    visitor: often<number | null>(0, 1, 2, null),
    what: fc.constantFrom('decide', 'tell', 'tell', 'buy', 'buy', 'look'),
    outcome: often<Outcome>('shown', 'holdout', 'global-holdout', 'preview', 'traffic'),
    experience: often('a', 'b'),
    activity: often(ACTIVITY, 'footer'),
    isBot: often(false, true),
    back: often(0, 1, 2, 5),
    kinds: often(['display'], ['interact'], ['display', 'interact'], ['dismiss'], ['trigger']),
    token: often<Step['token']>('true', 'forged', 'none'),
    amount: fc.constantFrom(10, 25, -5, 0, null),
  }),
  { minLength: 20, maxLength: 120, size: 'max' },
);

/** What was decided, for the steps that come after. */
export interface Decided extends TokenClaims {
  readonly orgId: string;
}

/** The steps with their times, and what a notification speaks of. */
export interface Happened extends Step {
  readonly atMs: number;
  readonly requestId: string;
  readonly of: Decided | null;
}

export function happened(all: readonly Step[]): readonly Happened[] {
  const decided: Decided[] = [];
  let atMs = START_MS;
  return all.map((step, index) => {
    atMs += step.afterMs;
    const requestId = `r${index}`;
    const of = step.what === 'tell' ? (decided.at(-1 - step.back) ?? null) : null;
    // Whoever is held out of everything gets the fallback of offers.
    const isFallback = step.outcome === 'global-holdout';
    if (step.what === 'decide' && (step.outcome === 'shown' || step.outcome === 'preview' || isFallback)) {
      decided.push({
        ...{ orgId: step.orgId, requestId, eventIndex: 0, scope: 'hero', isBot: step.isBot },
        ...{ activityId: step.activity, experienceId: isFallback ? HELD_OUT : step.experience },
        ...{ isPreview: step.outcome === 'preview', atSeconds: Math.floor(atMs / 1000) },
      });
    }
    return { ...step, atMs, requestId, of };
  });
}

export function logOf(all: readonly Happened[]): readonly Stored[] {
  return all.map((one, offset) => ({ position: { partition: 0, offset }, record: recordOf(one) }));
}

export function ecidOf(visitor: number): string {
  return String(visitor + 1).repeat(38);
}

function recordOf(one: Happened): LogRecord {
  const ecid = one.visitor === null ? null : ecidOf(one.visitor);
  const xdm = xdmOf(one);
  const event: StoredEvent = {
    ...{ id: `${one.requestId}/0`, dedupKey: one.requestId, payloadHash: one.requestId, index: 0 },
    ...{ xdm, data: null, query: null, meta: null, identities: identitiesOf(xdm), consent: PLAIN_CONSENT },
    ...{ added: null, occurredAtMs: one.atMs - one.lateMs, occurredAtFrom: 'timestamp' as const },
  };
  return {
    ...{ requestId: one.requestId, atMs: one.atMs, orgId: one.orgId, datastreamId: 'shop', path: '/v1/interact' },
    ...{ ecid, meta: {}, events: [event], raw: null, changes: [] },
    decisions: one.what === 'decide' ? [decisionOf(one)] : null,
    notices: noticesOf(one),
  };
}

function decisionOf({ activity, outcome, experience, isBot }: Happened): StoredDecision {
  return {
    ...{ i: 0, h: 'definitions', seed: '0'.repeat(32), in: isBot ? { bot: true } : {}, p: [] },
    v: [
      ['another', 'shown', 'a', 1, '', null],
      [activity, outcome, experience, 1, '', null],
    ],
  };
}

function xdmOf(one: Happened): JsonObject {
  if (one.what === 'buy') {
    return { eventType: 'commerce.purchases', ...(one.amount === null ? {} : { total: one.amount }) };
  }
  const purchase = { eventType: 'commerce.purchases', total: one.amount };
  if (one.what !== 'tell') return isPurchase(one) ? purchase : { eventType: 'web.webpagedetails.pageViews' };
  const proposition: JsonObject = {
    ...{ id: 'p', scope: 'hero' },
    scopeDetails: {
      activity: { id: one.of?.activityId ?? ACTIVITY },
      characteristics: one.token === 'none' ? {} : { eventToken: 'some token' },
    },
  };
  const propositionEventType = Object.fromEntries(one.kinds.map((kind) => [kind, 1]));
  const told = { _experience: { decisioning: { propositions: [proposition], propositionEventType } } };
  return isPurchase(one) ? { ...told, ...purchase } : told;
}

/** One amount stands for purchases that tell of a display, or are decided for, as well. */
export function isPurchase({ what, amount }: Step): boolean {
  return what === 'buy' || (what !== 'look' && amount === 25);
}

/** The stage believes what it signed for the org. */
export function isBelieved({ what, token, orgId, of }: Happened): boolean {
  return what === 'tell' && token === 'true' && of?.orgId === orgId;
}

function noticesOf(one: Happened): readonly StoredNotice[] | null {
  if (one.of === null || !isBelieved(one)) return null;
  const t = claimsText(one.of);
  return one.kinds.map((kind) => ({ i: 0, k: kind as StoredNotice['k'], t }));
}
