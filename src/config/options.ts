import { resolve } from 'node:path';
import type { AuthFile } from './auth.ts';
import type { DecisionsFile } from './decisions/options.ts';
import type { IdentityFile } from './identity-rules.ts';
import {
  CONSENT_AGE_DAYS,
  DEADLINE_MS,
  DECISIONS_BUDGET_MS,
  DUPLICATES_ENTRIES,
  DUPLICATES_WINDOW_MINUTES,
  LOW_WATER_BYTES,
  QUEUE_AGE_MS,
  QUEUE_BYTES,
  REQUEST_BYTES,
  RESERVED_BYTES,
  SEGMENT_BYTES,
} from './limits.ts';
import type { RequestUnitsFile } from './request-units.ts';

/**
 * What the server reads from weir.yaml when it starts. The rule of reloading: everything here takes effect after a
 * restart; everything in `Workspace` (regions, site, datastreams) at once.
 */
export interface ServerOptions {
  readonly basePath: string;
  readonly proxies: readonly string[];
  readonly deadlineMs: number;
  readonly requestBytesMax: number;
  readonly log: {
    readonly segmentBytes: number;
    readonly queueBytesMax: number;
    readonly queueAgeMsMax: number;
    readonly lowWaterBytes: number;
    readonly reservedBytes: number;
    readonly retention: { readonly maxAgeMs: number | null; readonly maxBytes: number | null };
  };
  /** Of choices, erasures and receipts. */
  readonly consent: { readonly retention: { readonly maxAgeMs: number | null } };
  readonly duplicates: { readonly windowMs: number; readonly entriesMax: number };
  readonly listeners: {
    readonly host: string;
    readonly adminHost: string;
    readonly edgePort: number;
    readonly serverPort: number;
    readonly adminPort: number;
    readonly tlsPort: number | null;
    /** Absolute paths of PEM files. */
    readonly tlsCert: string | null;
    readonly tlsKey: string | null;
  };
  readonly identity: {
    /** Absolute path of the key by which ECIDs are derived from FPIDs; null: it is kept in the data folder. */
    readonly fpidKeyFile: string | null;
    /** Absolute path of the keys that sign identity cookies; null: as above. */
    readonly cookieKeysFile: string | null;
    /** Absolute path of the key by which erased persons are told and receipts signed; null: as above. */
    readonly erasureKeyFile: string | null;
    /** Identity cookies that these keys did not sign name nobody. */
    readonly requireSigned: boolean;
  };
  /** Hosts, in lower case, on which visitors are known across sites by a cookie of that name. */
  readonly thirdParty: { readonly hosts: readonly string[]; readonly cookie: string };
  readonly decisions: {
    /** How long the decisions of one event may take. */
    readonly budgetMs: number;
    /** Absolute path of the keys that sign event tokens and previews; null: they are kept in the data folder. */
    readonly keysFile: string | null;
  };
  readonly tracing: {
    /** Null: where the environment names somebody who takes traces. */
    readonly enabled: boolean | null;
  };
  readonly admin: {
    /** /health, /ready and /metrics need no token, wherever the admin listener is. On loopback they never do. */
    readonly openStatus: boolean;
  };
}

/** weir.yaml after its schema has been checked. */
export interface WeirFile {
  readonly basePath?: string;
  readonly region?: string;
  readonly regions?: readonly {
    readonly hint: string;
    readonly targetId: number;
    readonly audienceManagerId: number;
  }[];
  readonly proxies?: readonly string[];
  readonly deadlineMs?: number;
  readonly requestBytesMax?: number;
  readonly log?: {
    readonly segmentBytes?: number;
    readonly queueBytesMax?: number;
    readonly queueAgeMsMax?: number;
    readonly lowWaterBytes?: number;
    readonly reservedBytes?: number;
    readonly retention?: { readonly maxAgeDays?: number | null; readonly maxBytes?: number | null };
  };
  readonly consent?: { readonly retention?: { readonly maxAgeDays?: number | null } };
  readonly duplicates?: { readonly windowMinutes?: number; readonly entriesMax?: number };
  readonly auth?: AuthFile;
  readonly requestUnits?: RequestUnitsFile;
  readonly identity?: IdentityFile & {
    readonly fpidKeyFile?: string | null;
    readonly cookieKeysFile?: string | null;
    readonly erasureKeyFile?: string | null;
    readonly requireSigned?: boolean;
  };
  readonly thirdParty?: { readonly hosts?: readonly string[]; readonly cookie?: string };
  readonly decisions?: DecisionsFile;
  readonly tracing?: { readonly enabled?: boolean | null };
  readonly admin?: { readonly openStatus?: boolean };
  readonly listeners?: { readonly [K in keyof ServerOptions['listeners']]?: ServerOptions['listeners'][K] };
  readonly site?: { readonly root: string; readonly files?: Readonly<Record<string, string>> };
}

/** Clients are built with it. Documented. */
export const DEFAULT_BASE_PATH = 'ee';
/** Documented. */
const THIRD_PARTY_COOKIE = 'demdex';
/** Nobody else's machine reaches a server that somebody tries out. */
const LOOPBACK = '127.0.0.1';
/** The first ports that developers look at; fixed by the command line's documentation. */
export const DEFAULT_PORTS = { edge: 8080, server: 8081, admin: 9090 } as const;

const DAY_MS = 24 * 60 * 60 * 1000;
const MINUTE_MS = 60 * 1000;

/** Fills in the defaults. `folder`: absolute; paths in the file are relative to it. */
export function serverOptions(file: WeirFile, folder: string): ServerOptions {
  const { log = {}, duplicates = {}, listeners = {} } = file;
  const { maxAgeDays = null, maxBytes = null } = log.retention ?? {};
  const { maxAgeDays: consentDays = CONSENT_AGE_DAYS.default } = file.consent?.retention ?? {};
  return {
    basePath: file.basePath ?? DEFAULT_BASE_PATH,
    proxies: file.proxies ?? [],
    deadlineMs: file.deadlineMs ?? DEADLINE_MS.default,
    requestBytesMax: file.requestBytesMax ?? REQUEST_BYTES.default,
    log: {
      segmentBytes: log.segmentBytes ?? SEGMENT_BYTES.default,
      queueBytesMax: log.queueBytesMax ?? QUEUE_BYTES.default,
      queueAgeMsMax: log.queueAgeMsMax ?? QUEUE_AGE_MS.default,
      lowWaterBytes: log.lowWaterBytes ?? LOW_WATER_BYTES.default,
      reservedBytes: log.reservedBytes ?? RESERVED_BYTES.default,
      retention: { maxAgeMs: maxAgeDays === null ? null : maxAgeDays * DAY_MS, maxBytes },
    },
    consent: { retention: { maxAgeMs: consentDays === null ? null : consentDays * DAY_MS } },
    duplicates: {
      windowMs: (duplicates.windowMinutes ?? DUPLICATES_WINDOW_MINUTES.default) * MINUTE_MS,
      entriesMax: duplicates.entriesMax ?? DUPLICATES_ENTRIES.default,
    },
    listeners: {
      host: listeners.host ?? LOOPBACK,
      adminHost: listeners.adminHost ?? LOOPBACK,
      edgePort: listeners.edgePort ?? DEFAULT_PORTS.edge,
      serverPort: listeners.serverPort ?? DEFAULT_PORTS.server,
      adminPort: listeners.adminPort ?? DEFAULT_PORTS.admin,
      tlsPort: listeners.tlsPort ?? null,
      tlsCert: absolute(folder, listeners.tlsCert),
      tlsKey: absolute(folder, listeners.tlsKey),
    },
    identity: {
      fpidKeyFile: absolute(folder, file.identity?.fpidKeyFile),
      cookieKeysFile: absolute(folder, file.identity?.cookieKeysFile),
      erasureKeyFile: absolute(folder, file.identity?.erasureKeyFile),
      requireSigned: file.identity?.requireSigned ?? false,
    },
    thirdParty: { hosts: file.thirdParty?.hosts ?? [], cookie: file.thirdParty?.cookie ?? THIRD_PARTY_COOKIE },
    tracing: { enabled: file.tracing?.enabled ?? null },
    admin: { openStatus: file.admin?.openStatus ?? false },
    decisions: {
      budgetMs: file.decisions?.budgetMs ?? DECISIONS_BUDGET_MS.default,
      keysFile: absolute(folder, file.decisions?.keysFile),
    },
  };
}

function absolute(folder: string, path: string | null | undefined): string | null {
  return path === null || path === undefined ? null : resolve(folder, path);
}

/** Options whose name or unit in weir.yaml differs from the field's. */
const NAMES_IN_FILE: Readonly<Record<string, string>> = {
  'log.retention.maxAgeMs': 'log.retention.maxAgeDays',
  'consent.retention.maxAgeMs': 'consent.retention.maxAgeDays',
  'duplicates.windowMs': 'duplicates.windowMinutes',
};

/** Names, as in weir.yaml, of the options that differ. All of them take effect after a restart. */
export function changedOptions(from: ServerOptions, to: ServerOptions): string[] {
  const before = leavesOf(from);
  return [...leavesOf(to)]
    .filter(([name, value]) => before.get(name) !== value)
    .map(([name]) => NAMES_IN_FILE[name] ?? name);
}

/** Every option by its dotted name, its value as JSON: a list is one value. */
function leavesOf(options: object, prefix = ''): Map<string, string> {
  const leaves = new Map<string, string>();
  for (const [key, value] of Object.entries(options) as [string, unknown][]) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      leaves.set(prefix + key, JSON.stringify(value));
    else for (const [name, leaf] of leavesOf(value, `${prefix}${key}.`)) leaves.set(name, leaf);
  }
  return leaves;
}
