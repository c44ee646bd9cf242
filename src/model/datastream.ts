import type { AuthOptions } from './auth.ts';
import type { ConsentRules } from './consent-in-force.ts';
import type { DecisionDefinitions } from './decision-definitions.ts';
import type { UnitLimits } from './demand.ts';
import type { EventAges } from './expiry.ts';
import type { IdentityRules } from './identity-rules.ts';
import type { JsonObject } from './json.ts';
import type { Region } from './region.ts';
import type { ServiceName } from './services.ts';

/** One datastream, or one environment of it. Immutable; made anew when the workspace changes. Overrides of a request are applied on a copy. */
export interface Datastream {
  /** As clients send it: "<id>" or "<id>:<environment>". */
  readonly id: string;
  readonly orgId: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly access: 'mixed' | 'authenticated';
  /** Null where the org has no limit. */
  readonly requestUnits: UnitLimits | null;
  /** Exact origins that may send; null = any. */
  readonly origins: ReadonlySet<string> | null;
  /** Services that run: configured on, in this version, and not switched off by the request. */
  readonly services: ReadonlySet<ServiceName>;
  /** Configured on, but not part of this version: said in a warning. */
  readonly missingServices: readonly ServiceName[];
  readonly overrides: {
    readonly unregistered: 'reject' | 'warn';
    /** Values that requests may send, in the shape of `meta.configOverrides`, each leaf a list of allowed values. */
    readonly registered: JsonObject;
  };
  readonly validation: { readonly timestamp: 'warn' | 'reject' };
  readonly consent: ConsentRules;
  /** What is kept of clients' addresses with their events; null: nothing. */
  readonly ipObfuscation: IpObfuscation | null;
  /** How long its events are kept. */
  readonly retention: EventAges;
  readonly identity: {
    /** Name of the cookie with the site's own id of a device (FPID); null where it sets none. */
    readonly fpidCookie: string | null;
    readonly rules: IdentityRules;
  };
  /** Its org's, shared by all of its datastreams; null where the org has none. */
  readonly decisions: DecisionDefinitions | null;
  /** "kndctr_<org, @ as _>_": the datastream's org names the cookies, whatever the client says. */
  readonly cookiePrefix: string;
}

/** Documented. `partial`: without the last octet, or the last 80 bits. `full`: zeros. */
export type IpObfuscation = 'none' | 'partial' | 'full';

/** What requests are judged by: one immutable whole, swapped whole when files change. */
export interface Workspace {
  /** Content hash of every file it was made of: 16 hex digits. */
  readonly hash: string;
  readonly datastreams: ReadonlyMap<string, Datastream>;
  readonly regions: RegionTable;
  /** The region of requests without a hint. */
  readonly ownRegion: Region;
  /** Pages to serve on the edge listener, by URL path; empty unless `site` is set. */
  readonly pages: ReadonlyMap<string, Page>;
  readonly auth: AuthOptions;
  /** By org; of orgs that have any. */
  readonly decisions: ReadonlyMap<string, DecisionDefinitions>;
  /** Accepted, but worth saying at start and on reload: one sentence each, with file and line. */
  readonly warnings: readonly string[];
}

export interface RegionTable {
  readonly byHint: ReadonlyMap<string, Region>;
  readonly byTargetId: ReadonlyMap<number, Region>;
}

export interface Page {
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** "5BFE@AdobeOrg" → "kndctr_5BFE_AdobeOrg_". Documented. */
export function cookiePrefixOf(orgId: string): string {
  return `kndctr_${orgId.replaceAll('@', '_')}_`;
}
