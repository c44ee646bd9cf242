import { CREDIT_DEFAULT, CREDITS, type Credit } from '../model/credit.ts';
import type { Workspace } from '../model/datastream.ts';
import type { DecisionDefinitions } from '../model/decision-definitions.ts';
import type { Json, JsonObject } from '../model/json.ts';
import { PREVIEW_DAYS_DEFAULT, PREVIEW_DAYS_MAX, previewExpiresAt } from '../model/preview-days.ts';
import { httpProblem } from '../model/problem.ts';
import { EXPOSITION_TYPE } from '../telemetry/exposition.ts';
import type { IngressLedger, LedgerRow } from '../telemetry/ledger.ts';
import type { AuditLog } from './audit-log.ts';
import type { Health } from './health.ts';
import type { ReadPerson } from './identities.ts';
import { erasePerson, exportPerson, getErasure, type Persons } from './persons.ts';
import { type AdminQuery, pageOf, type QuerySpec } from './query.ts';
import { describeDatastream, describeRow, TenantView } from './tenant-view.ts';
import type { Role, TokenScope } from './tokens.ts';

/** What the routes read and do. */
export interface Plane {
  readonly workspace: () => Workspace;
  readonly ledger: IngressLedger;
  readonly audit: AuditLog;
  readonly health: () => Promise<Health>;
  /** Why requests are not taken now, a sentence each; empty where they are. */
  readonly notReady: () => readonly string[];
  readonly metrics: () => Promise<string>;
  readonly person: ReadPerson;
  /** What became of an activity; null where the definitions have none of that id. */
  readonly report: (
    definitions: DecisionDefinitions,
    activityId: string,
    days: AskedDays,
    credit: Credit,
  ) => Promise<JsonObject | null>;
  /** A parameter that shows an experience to whoever has it; null where the activity has none of that id. */
  readonly preview: (
    definitions: DecisionDefinitions,
    activityId: string,
    experienceId: string,
    expiresAtSeconds: number,
  ) => Promise<string | null>;
  readonly persons: Persons;
  /** Reads the workspace again; resolves when that is done. `who`: for the audit log. */
  readonly reload: (who: JsonObject) => Promise<void>;
}

/** As "2026-11-28"; null: no bound. */
export interface AskedDays {
  readonly from: string | null;
  readonly to: string | null;
}

/** Who calls: a token, or anybody where the route is open. */
export interface Caller extends TokenScope {
  /** Null for anybody. */
  readonly tokenId: string | null;
}

export interface AdminCall {
  readonly caller: Caller;
  readonly params: Readonly<Record<string, string>>;
  readonly query: AdminQuery;
}

export interface AdminAnswer {
  readonly status?: number;
  /** JSON unless said otherwise. */
  readonly type?: string;
  readonly body: Json | string | AsyncIterable<string>;
}

/**
 * Who may call a route. `open`: anybody where the listener is on loopback or `admin.openStatus` says so, else any token.
 * `org`: any token; the route shows what the token's org has, through `TenantView`. `operator`: a token without an org.
 */
export type Access = 'open' | 'org' | 'operator';

export interface AdminRoute {
  readonly method: 'GET' | 'POST';
  /** As fastify spells it: ":id" is a parameter. */
  readonly path: string;
  readonly access: Access;
  readonly role: Role;
  readonly query: QuerySpec;
  answer(plane: Plane, call: AdminCall): AdminAnswer | Promise<AdminAnswer>;
}

/** Every route of the admin listener. Tests are made from this list: a route that is not in it does not exist. */
export const ROUTES: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/health',
    access: 'open',
    role: 'read',
    query: {},
    answer: async (plane) => ({ body: (await plane.health()) as unknown as Json }),
  },
  {
    method: 'GET',
    path: '/ready',
    access: 'open',
    role: 'read',
    query: {},
    answer(plane) {
      const reasons = plane.notReady();
      return { status: reasons.length === 0 ? 200 : 503, body: { ready: reasons.length === 0, reasons: [...reasons] } };
    },
  },
  {
    method: 'GET',
    path: '/metrics',
    access: 'open',
    role: 'read',
    query: {},
    answer: async (plane) => ({ type: EXPOSITION_TYPE, body: await plane.metrics() }),
  },
  {
    method: 'GET',
    path: '/api/v1/status',
    access: 'operator',
    role: 'read',
    query: {},
    answer: async (plane) => ({ body: (await plane.health()) as unknown as Json }),
  },
  {
    method: 'GET',
    path: '/api/v1/datastreams',
    access: 'org',
    role: 'read',
    query: { limit: 'limit', cursor: 'cursor' },
    answer: listDatastreams,
  },
  { method: 'GET', path: '/api/v1/datastreams/:id', access: 'org', role: 'read', query: {}, answer: getDatastream },
  {
    method: 'GET',
    path: '/api/v1/datastreams/:id/identities/:namespace/:identity',
    access: 'org',
    role: 'read',
    query: {},
    answer: getIdentity,
  },
  {
    method: 'POST',
    path: '/api/v1/datastreams/:id/identities/:namespace/:identity/erasure',
    access: 'org',
    role: 'admin',
    query: { now: 'flag' },
    answer: erasePerson,
  },
  {
    method: 'GET',
    path: '/api/v1/datastreams/:id/identities/:namespace/:identity/export',
    access: 'org',
    role: 'admin',
    query: {},
    answer: exportPerson,
  },
  {
    method: 'GET',
    path: '/api/v1/datastreams/:id/activities/:activity/report',
    access: 'org',
    role: 'read',
    query: { from: 'day', to: 'day', credit: CREDITS },
    answer: getReport,
  },
  {
    method: 'POST',
    path: '/api/v1/datastreams/:id/activities/:activity/experiences/:experience/preview',
    access: 'org',
    role: 'admin',
    query: { days: 'number' },
    answer: makePreview,
  },
  { method: 'GET', path: '/api/v1/erasures/:erasure', access: 'org', role: 'read', query: {}, answer: getErasure },
  {
    method: 'GET',
    path: '/api/v1/ledger',
    access: 'org',
    role: 'read',
    query: { datastream: 'id', from: 'time', to: 'time', limit: 'limit', cursor: 'cursor' },
    answer: readLedger,
  },
  {
    method: 'GET',
    path: '/api/v1/audit',
    access: 'operator',
    role: 'read',
    query: { after: 'number', limit: 'limit' },
    answer: readAudit,
  },
  { method: 'POST', path: '/api/v1/workspace/reload', access: 'operator', role: 'admin', query: {}, answer: reload },
];

function viewOf(plane: Plane, { caller }: AdminCall): TenantView {
  return new TenantView(caller, plane.workspace(), plane.ledger, plane.person);
}

function listDatastreams(plane: Plane, call: AdminCall): AdminAnswer {
  const { query } = call;
  const { items, next } = pageOf(viewOf(plane, call).datastreams(), ({ id }) => id, query.cursor(), query.limit());
  return { body: { items: items.map(describeDatastream), next } };
}

function getDatastream(plane: Plane, call: AdminCall): AdminAnswer {
  const datastream = viewOf(plane, call).datastream(call.params['id'] ?? '');
  if (datastream === null) throw noSuchDatastream();
  return { body: describeDatastream(datastream) };
}

async function getIdentity(plane: Plane, call: AdminCall): Promise<AdminAnswer> {
  const { id = '', namespace = '', identity = '' } = call.params;
  const found = await viewOf(plane, call).identity(id, namespace, identity, Date.now());
  if (found !== null) return { body: found };
  throw httpProblem(404, 'Not Found', 'No other id was seen with this one in an org that this token may see.');
}

/** Of the org, whichever of its datastreams it ran in. The same words for an activity of another org and one that nobody has. */
async function getReport(plane: Plane, call: AdminCall): Promise<AdminAnswer> {
  const { id = '', activity = '' } = call.params;
  const datastream = viewOf(plane, call).datastream(id);
  if (datastream === null) throw noSuchDatastream();
  const { decisions } = datastream;
  const days = call.query.days('from', 'to');
  const credit = call.query.oneOf('credit', CREDITS, CREDIT_DEFAULT);
  const report = decisions === null ? null : await plane.report(decisions, activity, days, credit);
  if (report !== null) return { body: report };
  throw httpProblem(404, 'Not Found', 'The org of this datastream has no activity with this id.');
}

/** For whoever may change what visitors see: a link passes over conditions, dates and consent to personalisation. */
async function makePreview(plane: Plane, call: AdminCall): Promise<AdminAnswer> {
  const { id = '', activity = '', experience = '' } = call.params;
  const datastream = viewOf(plane, call).datastream(id);
  if (datastream === null) throw noSuchDatastream();
  const days = call.query.number('days', PREVIEW_DAYS_DEFAULT);
  if (days < 1 || days > PREVIEW_DAYS_MAX) {
    throw httpProblem(400, 'Bad Request', `The parameter 'days' is '${days}'; it takes 1 to ${PREVIEW_DAYS_MAX}.`);
  }
  const expiresAt = previewExpiresAt(Date.now(), days);
  const { decisions } = datastream;
  const parameter = decisions === null ? null : await plane.preview(decisions, activity, experience, expiresAt);
  if (parameter !== null) return { body: { parameter, expiresAt: new Date(expiresAt * 1000).toISOString() } };
  throw httpProblem(404, 'Not Found', 'The org of this datastream has no activity, or it no experience, with this id.');
}

function readLedger(plane: Plane, call: AdminCall): AdminAnswer {
  const { query } = call;
  const view = viewOf(plane, call);
  const wanted = query.text('datastream');
  const fromMs = query.timeMs('from', 0);
  const toMs = query.timeMs('to', Number.POSITIVE_INFINITY);
  if (wanted !== null && !view.knows(wanted)) throw noSuchDatastream();
  const rows: LedgerRow[] = [];
  for (const row of view.ledgerRows(fromMs, toMs)) if (wanted === null || row.datastreamId === wanted) rows.push(row);
  const { items, next } = pageOf(rows, keyOfRow, query.cursor(), query.limit());
  const { sinceMs, completeFromMs } = plane.ledger;
  return {
    body: {
      since: new Date(sinceMs).toISOString(),
      completeFrom: new Date(completeFromMs).toISOString(),
      items: items.map(describeRow),
      next,
    },
  };
}

/** Sorts as the rows do: times of this century have 13 digits. */
function keyOfRow({ minuteMs, datastreamId }: LedgerRow): string {
  return `${String(minuteMs).padStart(15, '0')} ${datastreamId}`;
}

async function readAudit(plane: Plane, { query }: AdminCall): Promise<AdminAnswer> {
  const items = await plane.audit.read(query.number('after', 0), query.limit());
  const { entries, head, broken } = await plane.audit.state();
  return { body: { entries, head: { ...head }, broken, items: items as unknown as Json[] } };
}

async function reload(plane: Plane, { caller }: AdminCall): Promise<AdminAnswer> {
  await plane.reload({ kind: 'token', id: caller.tokenId });
  const { workspace } = await plane.health();
  return { status: workspace.rejected.length === 0 ? 200 : 409, body: workspace as unknown as Json };
}

/** The same words for an id of another org and one that nobody has: it is not said which. */
function noSuchDatastream() {
  return httpProblem(404, 'Not Found', 'There is no datastream with this id that this token may see.');
}
