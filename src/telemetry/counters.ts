import type { EdgeEvent } from '../model/exchange.ts';
import { LogUnavailable } from '../model/parts.ts';
import type { Problem } from '../model/problem.ts';
import { DecisionCounts } from './decision-counts.ts';
import { IdentityCounts } from './identity-counts.ts';
import { IngressLedger } from './ledger.ts';
import { NO_ENDPOINT, RequestCounts } from './requests.ts';

export type Fates = Readonly<Record<EdgeEvent['fate'], number>>;

/** How many events of a request had which fate. */
export function fatesOf(events: readonly EdgeEvent[]): Fates {
  const fates = { store: 0, withheld: 0, rejected: 0, duplicate: 0 };
  for (let i = 0; i < events.length; i++) fates[events[i]!.fate] += 1;
  return fates;
}

/**
 * Why the server refused a request that it would take at another time. Others are counted by their problem's code.
 * `connections`: there were too many, and this one was closed unread. `overload-…`: turned away before its body was read,
 * because the disk would have come to it too late. `request-units`: its org has sent too much (429).
 */
export const SHED_KINDS = [
  'disk-full',
  'queue-full',
  'too-slow',
  'failed',
  'closed',
  'connections',
  'slow-body',
  'overload-interact',
  'overload-collect',
  'request-units',
  'EXEG-0000-503',
] as const;

/** What the gateway counts: requests, problems, what was refused for our own reasons, and the events' ledger. */
export class Counters {
  readonly requests = new RequestCounts();
  readonly ledger: IngressLedger;
  readonly identity = new IdentityCounts();
  readonly decisions = new DecisionCounts();
  /** By code; `http-<status>` where the catalogue has none. */
  readonly problems: Record<string, number> = {};
  /** By kind. Every kind is there from the start, so that a rule sees the first one as an increase. */
  readonly shed: Record<string, number> = Object.fromEntries(SHED_KINDS.map((kind) => [kind, 0]));

  /** `sinceMs`: now, Unix epoch. */
  constructor(sinceMs: number) {
    this.ledger = new IngressLedger(sinceMs);
  }

  /** Bytes that were no request, and what they were answered with. */
  countUnreadable(listener: 'edge' | 'server', failure: Problem): void {
    this.requests.count(listener, NO_ENDPOINT, failure.spec.status);
    this.countProblem(failure);
  }

  countProblem(failure: Problem): void {
    const code = codeOf(failure);
    this.problems[code] = (this.problems[code] ?? 0) + 1;
    const { status } = failure.spec;
    if (status !== 503 && status !== 429) return;
    const { cause, shedAs } = failure;
    this.countShed(shedAs ?? (cause instanceof LogUnavailable ? cause.reason : code));
  }

  countShed(kind: string): void {
    this.shed[kind] = (this.shed[kind] ?? 0) + 1;
  }
}

/** A problem's code in counters and ledger. */
export function codeOf({ spec }: Problem): string {
  return spec.code === '' ? `http-${spec.status}` : spec.code;
}
