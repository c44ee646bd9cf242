import { performance } from 'node:perf_hooks';
import { identityRules, orgIdentities } from '../../src/config/identity-rules.ts';
import { ANSWER_RESERVE_MS } from '../../src/model/answer-reserve.ts';
import { NO_AUTH } from '../../src/model/auth.ts';
import { type ConsentRules, PLAIN_CONSENT } from '../../src/model/consent-in-force.ts';
import { cookiePrefixOf, type Datastream, type RegionTable, type Workspace } from '../../src/model/datastream.ts';
import type { Client, EdgeEvent, Exchange, Received } from '../../src/model/exchange.ts';
import { KEPT_FOR_EVER } from '../../src/model/expiry.ts';
import { HybridClock } from '../../src/model/hybrid-time.ts';
import { identitiesOf } from '../../src/model/identity.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { DEFAULT_OWN_HINT, DEFAULT_REGIONS } from '../../src/model/region.ts';
import { CookieSeal } from '../../src/stages/cookie-seal.ts';
import type { DecisionTools } from '../../src/stages/deciding.ts';
import { FpidSeeds } from '../../src/stages/fpid.ts';
import type { IdentityTools } from '../../src/stages/identify.ts';
import { TokenSeal } from '../../src/stages/token-seal.ts';
import { DecisionCounts } from '../../src/telemetry/decision-counts.ts';
import { IdentityCounts } from '../../src/telemetry/identity-counts.ts';

/** Exchanges as the gateway makes them, with everything that a test does not care about filled in. */

export const ORG = 'TEST@AdobeOrg';
export const PREFIX = cookiePrefixOf(ORG);
/** 2026-11-23T09:30:00Z */
export const NOW_MS = 1_795_426_200_000;
export const ECID_A = '11111111111111111112222222222222222222';
export const ECID_B = '33333333333333333334444444444444444444';

export const FPIDS = new FpidSeeds(Buffer.alloc(32, 7));
export const SEAL = new CookieSeal([Buffer.alloc(32, 8)]);
export function identityTools(fields: Partial<IdentityTools> = {}): IdentityTools {
  return {
    fpids: FPIDS,
    seal: SEAL,
    requireSigned: false,
    counts: new IdentityCounts(),
    thirdParty: { hosts: new Set(), cookie: 'demdex' },
    reportQuarantine() {},
    ...fields,
  };
}

export const TOKENS = new TokenSeal([Buffer.alloc(32, 9)]);
export function decisionTools(fields: Partial<DecisionTools> = {}): DecisionTools {
  return { seal: TOKENS, clock: new HybridClock(), counts: new DecisionCounts(), ...fields };
}

/** `namespaces`: what the org of the tests has declared beside the standard ones. */
export function identityOf(fields: Partial<Datastream['identity']> = {}): Datastream['identity'] {
  return { fpidCookie: null, rules: RULES, ...fields };
}
const declared = { namespaces: { [ORG]: { CRM: {} } } };
export const RULES = identityRules(orgIdentities(declared, null, []), ORG, undefined, false);

/** The defaults of a datastream. */
export const CONSENT_RULES: ConsentRules = { default: 'in', tcfVendor: 565 };

export function datastreamOf(fields: Partial<Datastream> = {}): Datastream {
  return {
    id: 'shop',
    orgId: ORG,
    name: 'Shop',
    enabled: true,
    access: 'mixed',
    requestUnits: null,
    origins: null,
    services: new Set(),
    missingServices: [],
    overrides: { unregistered: 'reject', registered: {} },
    validation: { timestamp: 'warn' },
    consent: CONSENT_RULES,
    ipObfuscation: null,
    retention: KEPT_FOR_EVER,
    identity: identityOf(),
    decisions: null,
    cookiePrefix: PREFIX,
    ...fields,
  };
}

export const REGIONS: RegionTable = {
  byHint: new Map(DEFAULT_REGIONS.map((region) => [region.hint, region])),
  byTargetId: new Map(DEFAULT_REGIONS.map((region) => [region.targetId, region])),
};
export const OWN_REGION = REGIONS.byHint.get(DEFAULT_OWN_HINT)!;

export function workspaceOf(datastreams: readonly Datastream[], fields: Partial<Workspace> = {}): Workspace {
  return {
    hash: '0123456789abcdef',
    datastreams: new Map(datastreams.map((one) => [one.id, one])),
    regions: REGIONS,
    ownRegion: OWN_REGION,
    pages: new Map(),
    auth: NO_AUTH,
    decisions: new Map(),
    warnings: [],
    ...fields,
  };
}

export function clientOf(fields: Partial<Client> = {}): Client {
  return {
    ip: '192.0.2.1',
    host: 'edge.weir.test',
    https: false,
    gpc: false,
    thirdParty: true,
    cookieDomain: '',
    cookiesEnabled: false,
    origin: null,
    referer: null,
    userAgent: '',
    rawHeaders: [],
    preview: null,
    cookies: new Map(),
    ...fields,
  };
}

/** Like an event that was just accepted: nothing is known of its visitor but what it says itself. */
export function eventOf(xdm: JsonObject, fields: Partial<EdgeEvent> = {}): EdgeEvent {
  const index = fields.index ?? 0;
  return {
    id: `request-0123456789abcdef/${index}`,
    dedupKey: `request/${index}`,
    payloadHash: `hash-of-${JSON.stringify(xdm)}`,
    index,
    xdm,
    data: null,
    query: null,
    meta: null,
    identities: identitiesOf(xdm),
    ecid: null,
    consent: PLAIN_CONSENT,
    occurredAtMs: NOW_MS,
    occurredAtFrom: 'received',
    fate: 'store',
    added: null,
    ...fields,
  };
}

export interface ExchangeFields extends Partial<Omit<Exchange, 'received'>> {
  readonly received?: Partial<Received>;
}

export function exchangeOf(fields: ExchangeFields = {}): Exchange {
  const { received, ...rest } = fields;
  return {
    requestId: 'request-0123456789abcdef',
    clientRequestId: 'request',
    nowMs: NOW_MS,
    seed: '00112233445566778899aabbccddeeff',
    role: 'edge',
    datastream: datastreamOf(),
    client: clientOf(),
    region: OWN_REGION,
    path: '/v1/interact',
    mintsEcid: true,
    silent: false,
    received: { events: [], identityMap: null, consent: null, query: {}, meta: {}, ...received },
    raw: Buffer.from('{}'),
    deadlineMs: performance.now() + 2_000,
    reserveMs: ANSWER_RESERVE_MS,
    expired: false,
    events: [],
    ecid: null,
    ecidSource: 'random',
    identityCookie: null,
    persons: new Map(),
    core: null,
    hostCookie: null,
    changes: [],
    cookies: [],
    preferences: null,
    personalization: null,
    handles: [],
    decisions: null,
    notices: null,
    errors: [],
    warnings: [],
    position: null,
    retryKey: null,
    isRetry: false,
    awaiting: null,
    appended: null,
    ...rest,
  };
}
