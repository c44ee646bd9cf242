import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Random } from '../sim/random.ts';
import type { EventLine } from './server.ts';

export interface Sent {
  readonly path: '/ee/v1/interact' | '/ee/v1/collect' | '/ee/v1/privacy/set-consent';
  readonly body: string;
  /** One for each event: it stands in the event's xdm. */
  readonly marks: readonly string[];
}

const FILLER_CHARACTERS_MAX = 1500;
const BATCH_EVENTS_MAX = 5;

/** What clients sent and what was acknowledged, kept apart from the server, to be held against what its log has. */
export class Ledger {
  readonly sent = new Map<string, Sent>();
  readonly acknowledged = new Set<string>();
  /** ECIDs of visitors whose `out` was acknowledged. */
  readonly optedOut = new Set<string>();

  /** Writes down a request that is about to be sent: an interact, a collect of some events, or an opt-out. Returns its id. */
  plan(random: Random): string {
    const requestId = randomUUID();
    const kind = random.below(10);
    if (kind === 9) this.sent.set(requestId, optOut(random));
    else
      this.sent.set(requestId, events(requestId, kind < 6 ? 1 : 1 + random.below(BATCH_EVENTS_MAX), kind < 6, random));
    return requestId;
  }

  acknowledge(requestId: string): void {
    this.acknowledged.add(requestId);
    const { path, body } = this.sent.get(requestId)!;
    if (path === '/ee/v1/privacy/set-consent') this.optedOut.add(JSON.parse(body).identityMap.ECID[0].id);
  }

  /** Every acknowledged event is there exactly once, with its content, and nothing else is. */
  verify(log: readonly EventLine[]): void {
    const times = new Map<string, number>();
    for (const { xdm } of log) {
      const mark = String(xdm['mark']);
      const sent = this.sent.get(mark.slice(0, mark.indexOf('#')));
      expect(sent?.marks, `an event that nobody sent: ${mark}`).toContain(mark);
      expect(sent!.body).toContain(`"filler":"${String(xdm['filler'])}"`);
      times.set(mark, (times.get(mark) ?? 0) + 1);
    }
    const expected = [...this.acknowledged].flatMap((requestId) => this.sent.get(requestId)!.marks);
    expect(expected.filter((mark) => times.get(mark) !== 1)).toEqual([]);
    const acknowledged = new Set(expected);
    expect([...times.keys()].filter((mark) => !acknowledged.has(mark))).toEqual([]);
  }
}

function events(requestId: string, count: number, isInteract: boolean, random: Random): Sent {
  const marks = Array.from({ length: count }, (_, index) => `${requestId}#${index}`);
  const list = marks.map((mark) => ({
    xdm: { eventType: 'ledger.test', mark, filler: 'x'.repeat(random.below(FILLER_CHARACTERS_MAX)) },
  }));
  const query = isInteract ? { identity: { fetch: ['ECID'] } } : undefined;
  const path = isInteract ? '/ee/v1/interact' : '/ee/v1/collect';
  return { path, marks, body: JSON.stringify({ events: list, query }) };
}

function optOut(random: Random): Sent {
  const ecid = String(random.below(2 ** 31)).padStart(38, '1');
  const body = JSON.stringify({
    identityMap: { ECID: [{ id: ecid }] },
    consent: [{ standard: 'Adobe', version: '2.0', value: { collect: { val: 'n' } } }],
  });
  return { path: '/ee/v1/privacy/set-consent', marks: [], body };
}
