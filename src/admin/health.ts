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
  /** Events that datastreams keep no longer: when the last whole pass removed them, null for none since the start; why the last one was not whole. */
  readonly retention: {
    readonly lastPassAt: string | null;
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
