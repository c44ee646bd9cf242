import { explain, type Recorded } from './explanations/explain.ts';
import { startFold } from './folding.ts';
import { KeptDefinitions } from './kept-definitions.ts';
import type { StoredDecision } from './model/decision.ts';
import type { LogRecord, Stored } from './model/record.ts';
import { type Decider, deciderOf, ecidOf, inputOf, noteAbsent, readOfPersons } from './replays/recompute.ts';
import { type Held, PERSONS_MAX, TooManyPersons } from './replays/sections.ts';

/** Why somebody was shown something, from the log of a data folder, whether a server runs on it or not. */

export interface ExplainRequest {
  readonly data: string;
  /** As it was answered, or as the client gave it; of a visitor, the newest decision. */
  readonly of: { readonly requestId: string } | { readonly ecid: string };
  /** Null: any. Throws where a visitor's decisions are of several. */
  readonly orgId: string | null;
  readonly activityId: string | null;
  readonly personsMax?: number;
  readonly report: (message: string) => void;
}

export interface Explained {
  readonly isFound: boolean;
  readonly text: string;
}

/** Requests of a visitor that are named besides. */
const OTHERS_MAX = 10;

/** Where the log has more persons than memory holds, those of whom these decisions read are looked for first. */
export async function explainDecisions(request: ExplainRequest): Promise<Explained> {
  const max = request.personsMax ?? PERSONS_MAX;
  if (request.activityId !== null) await new KeptDefinitions(request.data).checkActivity(request.activityId);
  try {
    return await explainBy(request, { keys: null, max });
  } catch (error) {
    if (!(error instanceof TooManyPersons)) throw error;
    return explainBy({ ...request, report: () => {} }, { keys: await personsRead(request), max });
  }
}

async function personsRead(request: ExplainRequest): Promise<ReadonlySet<string>> {
  const { data, report } = request;
  const keys = new Set<string>();
  const { records } = await startFold(data, null, report, { keys, max: 0 });
  for await (const { record } of records) {
    for (const decision of record.decisions ?? []) {
      if (!isDecisionOf(record, decision, request)) continue;
      for (const key of readOfPersons(record, decision)) keys.add(key);
    }
  }
  return keys;
}

async function explainBy(request: ExplainRequest, held: Held): Promise<Explained> {
  const { data, of, activityId, report } = request;
  const isVisitor = 'ecid' in of;
  const deciders = new Deciders(data);
  const { sections, records, reached } = await startFold(data, null, report, held);
  let found: Recorded[] = [];
  const others: string[] = [];
  const orgs = new Set<string>();
  const seen = { requests: 0, firstAtMs: null as number | null };
  for await (const stored of records) {
    const { position, record } = stored;
    seen.firstAtMs ??= record.atMs;
    reached(position.offset);
    if (isAbout(record, request)) seen.requests += 1;
    for (const decision of record.decisions ?? []) {
      if (isDecisionOf(record, decision, request) && (!isVisitor || isWanted(decision, activityId))) {
        orgs.add(record.orgId);
        const decider = await deciders.of(decision.h);
        const input = decider === null ? 'definitions' : inputOf(record, decision, decider, sections);
        if (isVisitor && found.length > 0) others.push(nameOf(found[0]!));
        found = [...(isVisitor ? [] : found), { position: positionText(stored), record, decision, decider, input }];
      }
      noteAbsent(record, decision, sections);
    }
    sections.take(position, record.changes, record.atMs);
  }
  if (isVisitor && orgs.size > 1) {
    const named = [...orgs].map((orgId) => `'${orgId}'`).join(', ');
    throw new Error(`Several orgs have decided for the visitor ${of.ecid}: ${named}. Say which with --org.`);
  }
  if (found.length === 0) return { isFound: false, text: notFound(request, seen) };
  const text = found.map((one) => explain(one, activityId)).join('\n');
  return { isFound: true, text: others.length === 0 ? text : `${text}\n${othersText(others)}` };
}

function isAbout(record: LogRecord, { of, orgId }: ExplainRequest): boolean {
  if (orgId !== null && record.orgId !== orgId) return false;
  if ('requestId' in of) return isRequest(record.requestId, of.requestId);
  return record.ecid === of.ecid || record.events.some((event) => ecidOf(record, event) === of.ecid);
}

/** A client's own id has 16 digits of ours behind it. */
function isRequest(requestId: string, asked: string): boolean {
  return (
    requestId === asked || (requestId.startsWith(`${asked}-`) && /^-[0-9a-f]{16}$/.test(requestId.slice(asked.length)))
  );
}

function isDecisionOf(record: LogRecord, { i }: StoredDecision, { of, orgId }: ExplainRequest): boolean {
  if (orgId !== null && record.orgId !== orgId) return false;
  if ('requestId' in of) return isRequest(record.requestId, of.requestId);
  const event = record.events.find(({ index }) => index === i);
  return (event === undefined ? record.ecid : ecidOf(record, event)) === of.ecid;
}

/** Of a visitor's decisions, the newest about the activity is wanted; of a request's, all: it is said where it was not asked for. */
function isWanted({ v }: StoredDecision, activityId: string | null): boolean {
  return activityId === null || v.some(([id]) => id === activityId);
}

class Deciders {
  readonly #kept: KeptDefinitions;
  readonly #known = new Map<string, Decider | null>();

  constructor(data: string) {
    this.#kept = new KeptDefinitions(data);
  }

  async of(hash: string): Promise<Decider | null> {
    const known = this.#known.get(hash);
    if (known !== undefined) return known;
    const definitions = await this.#kept.of(hash);
    const decider = definitions === null ? null : deciderOf(definitions);
    this.#known.set(hash, decider);
    return decider;
  }
}

function positionText({ position }: Stored): string {
  return `${position.partition}:${position.offset}`;
}

function nameOf({ record, decision }: Recorded): string {
  return `${record.requestId} (event ${decision.i}, ${new Date(record.atMs).toISOString()})`;
}

function othersText(others: readonly string[]): string {
  const shown = others.slice(-OTHERS_MAX).reverse();
  const more = others.length - shown.length;
  const lines = shown.map((one) => `  ${one}`);
  return `Before it, for the same visitor:\n${lines.join('\n')}\n${more === 0 ? '' : `  … and ${more} more\n`}`;
}

function notFound(
  { of, orgId, activityId }: ExplainRequest,
  { requests, firstAtMs }: { readonly requests: number; readonly firstAtMs: number | null },
): string {
  const whose = orgId === null ? '' : ` of the org '${orgId}'`;
  const who = ('requestId' in of ? `the request '${of.requestId}'` : `the visitor ${of.ecid}`) + whose;
  const what = activityId === null ? 'Nothing was decided' : `Nothing was decided about the activity '${activityId}'`;
  if (requests > 0) {
    return `${what} for ${who}: ${requests === 1 ? 'one request is' : `${requests} requests are`} in the log, and asked for no content there, or for that of other activities.\n`;
  }
  const since = firstAtMs === null ? 'The log is empty.' : `The log begins at ${new Date(firstAtMs).toISOString()}.`;
  return `The log holds nothing of ${who}. Events without consent to collection are not kept, nor are those of visitors who were erased, or older than what the log keeps. ${since}\n`;
}
