/** What `/health` says. `degraded`: Weir serves, but something needs an operator. */
export interface Health {
  readonly status: 'ok' | 'degraded';
  /** What an acknowledged event has survived: a sync to this machine's disk. */
  readonly durability: 'local-fsync';
  readonly startedAt: string;
  readonly workspace: {
    readonly hash: string;
    readonly loadedAt: string;
    readonly rejected: readonly string[];
    readonly warnings: readonly string[];
  };
  readonly log: { readonly nextOffset: number; readonly refusing: string | null; readonly damage: readonly string[] };
  /**
   * What is kept no longer: when the last whole pass removed it, null where none is known; whether nothing is removed by its age now,
   * because the clock has not run evenly for an hour; why the last pass was not whole.
   */
  readonly retention: {
    readonly lastPassAt: string | null;
    readonly waitsForClock: boolean;
    readonly failure: string | null;
    readonly removedSinceStart: number;
  };
  /** Null without a TLS listener. `rejected`: why the files as they are now are not in force. */
  readonly certificate: { readonly expiresAt: string; readonly rejected: string | null } | null;
  /** Sequence number and hash of the last entry, to be kept elsewhere; `broken`: where the chain does not hold. */
  readonly audit: { readonly seq: number; readonly hash: string; readonly broken: string | null };
  /** See telemetry/identity-counts.ts. */
  readonly identitiesSinceStart: {
    readonly cookies: { readonly verified: number; readonly unverified: number; readonly foreign: number };
    readonly quarantined: number;
  };
  readonly eventsSinceStart: Readonly<Record<string, number>>;
  readonly problemsSinceStart: Readonly<Record<string, number>>;
}
