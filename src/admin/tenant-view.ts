import type { Datastream, Workspace } from '../model/datastream.ts';
import type { EventAges } from '../model/expiry.ts';
import type { JsonObject } from '../model/json.ts';
import type { IngressLedger, LedgerRow } from '../telemetry/ledger.ts';
import { describeIdentity, type ReadPerson } from './identities.ts';
import type { TokenScope } from './tokens.ts';

/**
 * What one credential may see of the tenants' things: every org-scoped route reads through this and nothing else. The org
 * comes from the credential, never from the request, and what belongs to another org is as if it did not exist.
 */
export class TenantView {
  readonly #scope: TokenScope;
  readonly #workspace: Workspace;
  readonly #ledger: IngressLedger;
  readonly #person: ReadPerson;

  constructor(scope: TokenScope, workspace: Workspace, ledger: IngressLedger, person: ReadPerson) {
    this.#scope = scope;
    this.#workspace = workspace;
    this.#ledger = ledger;
    this.#person = person;
  }

  /** By id. */
  datastreams(): readonly Datastream[] {
    const all = [...this.#workspace.datastreams.values()];
    return all.filter(({ id, orgId }) => this.#sees(id, orgId)).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  datastream(id: string): Datastream | null {
    const datastream = this.#workspace.datastreams.get(id);
    return datastream !== undefined && this.#sees(id, datastream.orgId) ? datastream : null;
  }

  /** An id and its links. They are the org's, whichever of its datastreams they came by. */
  async identity(datastreamId: string, namespace: string, id: string, nowMs: number): Promise<JsonObject | null> {
    const datastream = this.datastream(datastreamId);
    return datastream === null ? null : await describeIdentity(datastream, namespace, id, this.#person, nowMs);
  }

  /** Whether the ledger may be asked about this datastream: it is there, or it was and has rows. */
  knows(id: string): boolean {
    if (this.datastream(id) !== null) return true;
    for (const row of this.ledgerRows(0, Number.POSITIVE_INFINITY)) if (row.datastreamId === id) return true;
    return false;
  }

  *ledgerRows(fromMs: number, toMs: number): Iterable<LedgerRow> {
    for (const row of this.#ledger.rows(fromMs, toMs)) if (this.#sees(row.datastreamId, row.orgId)) yield row;
  }

  #sees(id: string, orgId: string): boolean {
    const { orgId: own, datastreams } = this.#scope;
    return (own === null || own === orgId) && (datastreams === null || datastreams.includes(id));
  }
}

/** A datastream as the API shows it. Named one by one, so that an option which holds a secret is never shown by chance. */
export function describeDatastream(datastream: Datastream): JsonObject {
  const { id, orgId, name, enabled, access, origins, services, missingServices } = datastream;
  const { overrides, validation, retention, identity } = datastream;
  return {
    id,
    org: orgId,
    name,
    enabled,
    access,
    origins: origins === null ? null : [...origins],
    services: [...services],
    servicesNotAvailable: [...missingServices],
    overrides: { unregistered: overrides.unregistered },
    validation: { timestamp: validation.timestamp, identities: identity.rules.isStrict ? 'reject' : 'warn' },
    retention: describeRetention(retention),
    identity: { fpidCookie: identity.fpidCookie, namespaces: [...identity.rules.namespaces.keys()] },
  };
}

/** As in its file. */
function describeRetention({ maxAgeMs, eventTypes }: EventAges): JsonObject {
  const age = (ms: number | null): JsonObject => ({ maxAgeDays: ms === null ? null : ms / DAY_MS });
  return {
    ...age(maxAgeMs),
    eventTypes: Object.fromEntries([...eventTypes].map(([type, ms]) => [type, age(ms)])),
  };
}
const DAY_MS = 24 * 60 * 60 * 1000;

export function describeRow({ minuteMs, datastreamId, orgId, outcomes }: LedgerRow): JsonObject {
  return {
    minute: new Date(minuteMs).toISOString(),
    datastream: datastreamId,
    org: orgId === '' ? null : orgId,
    received: outcomes.received,
    stored: outcomes.stored,
    withheld: outcomes.withheld,
    duplicate: outcomes.duplicate,
    rejected: Object.fromEntries(outcomes.rejected ?? []),
    refused: Object.fromEntries(outcomes.refused ?? []),
  };
}
