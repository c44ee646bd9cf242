import type { Demand, UnitLimits } from '../model/demand.ts';
import { httpProblem, type Problem } from '../model/problem.ts';

/**
 * A request costs a unit for each of these that its body begins. Documented as fragments times upstreams; Weir has one
 * upstream, its log.
 */
export const UNIT_BYTES = 8 * 1024;

interface Account {
  /** Units; below 0 after a request that cost more than there was. */
  left: number;
  /** When that was so, monotonic milliseconds. */
  atMs: number;
}

/**
 * How much of its request units each org has left. An account fills evenly, up to what a second gives; while it holds a
 * unit a request is taken, whatever it costs, so that in the long run exactly the limit is, and a small limit does not
 * keep large requests out for good. No timers, and nothing that one org shares with another. Accounts belong to a limit
 * object: they begin anew with a reload, and go with the workspace.
 */
export class RequestUnits {
  readonly #clockMs: () => number;
  readonly #accounts = new WeakMap<UnitLimits, Readonly<Record<Demand, Account>>>();

  /** `clockMs`: monotonic. */
  constructor(clockMs: () => number) {
    this.#clockMs = clockMs;
  }

  /** Whole units that are left after a request with a body of so many bytes; null where nothing limits it; -1: refuse it. */
  charge(limits: UnitLimits | null, demand: Demand, bytes: number): number | null {
    const perSecond = limits === null ? null : limits[demand];
    if (limits === null || perSecond === null) return null;
    const nowMs = this.#clockMs();
    const account = this.#accountOf(limits, demand, perSecond, nowMs);
    account.left = Math.min(perSecond, account.left + ((nowMs - account.atMs) / 1000) * perSecond);
    account.atMs = nowMs;
    if (account.left < 1) return -1;
    account.left -= Math.max(1, Math.ceil(bytes / UNIT_BYTES));
    return Math.max(0, Math.floor(account.left));
  }

  #accountOf(limits: UnitLimits, demand: Demand, perSecond: number, nowMs: number): Account {
    let accounts = this.#accounts.get(limits);
    if (accounts === undefined) {
      accounts = {
        interact: { left: limits.interact ?? perSecond, atMs: nowMs },
        collect: { left: limits.collect ?? perSecond, atMs: nowMs },
      };
      this.#accounts.set(limits, accounts);
    }
    return accounts[demand];
  }
}

/** The service answers 429 too; how its body looks is documented nowhere, and the catalogue has no code. Made once. */
export const UNITS_USED_UP: Problem = httpProblem(
  429,
  'Too Many Requests',
  "The request units of this datastream's org are used up for now; nothing of this request was stored. Send it again, or have 'requestUnits' in weir.yaml raised.",
  [],
  { shedAs: 'request-units' },
);
