import type { ConsentRules } from '../model/consent-in-force.ts';
import { cookiePrefixOf, type Datastream } from '../model/datastream.ts';
import type { UnitLimits } from '../model/demand.ts';
import { type EventAges, KEPT_FOR_EVER } from '../model/expiry.ts';
import { isObject, type JsonObject, mergeJson, quoted } from '../model/json.ts';
import { SERVICE_NAMES, SERVICES, type ServiceName } from '../model/services.ts';
import type { Finding } from './finding.ts';
import { checkNamespaces, identityRules, type OrgIdentities } from './identity-rules.ts';
import { originProblem } from './origins.ts';
import { named } from './schema-findings.ts';
import type { KeyPath, Source } from './source.ts';

/** A datastream's file after its schema has been checked. */
interface DatastreamFile extends Settings {
  readonly id: string;
  readonly org: string;
  readonly name: string;
  readonly environments?: Readonly<Record<string, Settings>>;
}

/** In the IAB's list of vendors. Consent tools that were set up for Adobe's collection ask about it. Documented. */
const ADOBE_VENDOR = 565;

/** What an environment may set differently. */
interface Settings {
  readonly name?: string;
  readonly enabled?: boolean;
  readonly access?: Datastream['access'];
  readonly origins?: readonly string[];
  readonly services?: Readonly<Partial<Record<ServiceName, { readonly enabled?: boolean }>>>;
  readonly overrides?: { readonly unregistered?: 'reject' | 'warn'; readonly registered?: JsonObject };
  readonly consent?: Partial<ConsentRules>;
  readonly ipObfuscation?: Datastream['ipObfuscation'];
  readonly retention?: Age & { readonly eventTypes?: Readonly<Record<string, Age>> };
  readonly validation?: { readonly timestamp?: 'warn' | 'reject'; readonly identities?: 'warn' | 'reject' };
  readonly identity?: { readonly fpidCookie?: string | null; readonly namespaces?: readonly string[] };
}

interface Age {
  readonly maxAgeDays?: number | null;
}

/** What weir.yaml says that datastreams depend on. */
export interface OrgSettings {
  readonly identities: OrgIdentities;
  readonly unitLimits: (orgId: string) => UnitLimits | null;
  /** Whole files of the log are dropped at this age; null where they are not. */
  readonly logMaxAgeDays: number | null;
}

/** A file's datastreams: itself, then each of its environments. What the schema cannot say goes to `findings`. */
export function datastreamsOf(source: Source, orgs: OrgSettings, findings: Finding[]): Datastream[] {
  const { identities } = orgs;
  const file = source.value as unknown as DatastreamFile;
  const { environments = {}, ...base } = file;
  const check = (settings: Settings, path: KeyPath): void => {
    const codes = settings.identity?.namespaces ?? [];
    checkNamespaces(codes, identities, base.org, [...path, 'identity', 'namespaces'], source, findings);
    checkSettings(settings, path, source, findings);
    checkRetention(settings, orgs.logMaxAgeDays, path, source, findings);
  };
  check(base, []);
  const datastreams = [datastreamOf(base.id, base, orgs)];
  for (const [name, settings] of Object.entries(environments)) {
    check(settings, ['environments', name]);
    // Maps are merged key by key; lists and single values of the environment replace those of the datastream.
    const merged = mergeJson(base as unknown as JsonObject, settings as JsonObject) as unknown as DatastreamFile;
    datastreams.push(datastreamOf(`${base.id}:${name}`, merged, orgs));
  }
  return datastreams;
}

function datastreamOf(id: string, file: DatastreamFile, { identities, unitLimits }: OrgSettings): Datastream {
  const isStrict = file.validation?.identities === 'reject';
  const on = SERVICE_NAMES.filter((name) => file.services?.[name]?.enabled ?? SERVICES[name].enabledByDefault);
  return {
    id,
    orgId: file.org,
    name: file.name,
    enabled: file.enabled ?? true,
    access: file.access ?? 'mixed',
    requestUnits: unitLimits(file.org),
    origins: file.origins === undefined ? null : new Set(file.origins),
    services: new Set(on.filter((name) => SERVICES[name].inThisVersion)),
    missingServices: on.filter((name) => !SERVICES[name].inThisVersion),
    overrides: {
      unregistered: file.overrides?.unregistered ?? 'reject',
      registered: file.overrides?.registered ?? {},
    },
    validation: { timestamp: file.validation?.timestamp ?? 'warn' },
    consent: {
      default: file.consent?.default ?? 'in',
      tcfVendor: file.consent?.tcfVendor === undefined ? ADOBE_VENDOR : file.consent.tcfVendor,
    },
    ipObfuscation: file.ipObfuscation ?? null,
    retention: agesOf(file.retention),
    identity: {
      fpidCookie: file.identity?.fpidCookie ?? null,
      rules: identityRules(identities, file.org, file.identity?.namespaces, isStrict),
    },
    decisions: null,
    cookiePrefix: cookiePrefixOf(file.org),
  };
}

/** What a file or environment itself says; what an environment inherits was checked where it stands. */
function checkSettings(settings: Settings, path: KeyPath, source: Source, findings: Finding[]): void {
  settings.origins?.forEach((origin, index) => {
    const problem = originProblem(origin);
    const at = [...path, 'origins', index];
    if (problem !== null) findings.push(source.error(at, `${named(at)} is ${quoted(origin)}. ${problem}`));
  });
  for (const name of SERVICE_NAMES) {
    if (settings.services?.[name]?.enabled !== true || SERVICES[name].inThisVersion) continue;
    const at = [...path, 'services', name, 'enabled'];
    const message = `The service '${name}' is enabled, but this version of Weir does not have it: nothing of it runs.`;
    findings.push(source.warning(at, `${message} Set it to false to lose this warning.`));
  }
}

/** An age that the log's own undercuts has no effect. */
function checkRetention(
  { retention }: Settings,
  logMaxAgeDays: number | null,
  path: KeyPath,
  source: Source,
  findings: Finding[],
): void {
  if (retention === undefined || logMaxAgeDays === null) return;
  const types = Object.entries(retention.eventTypes ?? {});
  const ages = [[[], retention] as const, ...types.map(([type, age]) => [['eventTypes', type], age] as const)];
  for (const [key, { maxAgeDays }] of ages) {
    if (typeof maxAgeDays !== 'number' || maxAgeDays <= logMaxAgeDays) continue;
    const at = [...path, 'retention', ...key, 'maxAgeDays'];
    const message = `${named(at)} is ${maxAgeDays}, but 'log.retention.maxAgeDays' of weir.yaml is ${logMaxAgeDays}: the log drops these events before.`;
    findings.push(source.warning(at, `${message} Raise the one or lower the other.`));
  }
}

function agesOf(retention: Settings['retention']): EventAges {
  if (retention === undefined) return KEPT_FOR_EVER;
  const types = Object.entries(retention.eventTypes ?? {});
  return { maxAgeMs: msOf(retention), eventTypes: new Map(types.map(([type, age]) => [type, msOf(age)])) };
}

const DAY_MS = 24 * 60 * 60 * 1000;
function msOf({ maxAgeDays = null }: Age): number | null {
  return maxAgeDays === null ? null : maxAgeDays * DAY_MS;
}

/** A datastream's file, as far as one can tell before its schema has been checked. */
export function idOf(source: Source): string | null {
  const { value } = source;
  return isObject(value) && typeof value['id'] === 'string' ? value['id'] : null;
}
