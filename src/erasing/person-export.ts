import { withoutErased } from '../model/erased-record.ts';
import { changeWithoutErased } from '../model/erasure.ts';
import { eventLine } from '../model/event-line.ts';
import type { Json } from '../model/json.ts';
import { type PersonState, personKey } from '../model/person.ts';
import type { OwnId } from '../model/person-ids.ts';
import type { Stored } from '../model/record.ts';

export interface ExportedPerson {
  readonly orgId: string;
  /** The person's, the one that was asked for first. */
  readonly ids: readonly OwnId[];
  readonly state: (key: string) => PersonState | null | Promise<PersonState | null>;
  readonly log: AsyncIterable<Stored>;
}

/**
 * Everything that is known of a person, as JSON in pieces: `{org, ids, state, log}`. `state` has what is known of each id (links,
 * consent …), `log` every event, choice and link as it came, oldest first, a line each: `{"kind":"event"|"consent"|…}`. What
 * belongs to the person is what an erasure would take. Holds one record at a time.
 */
export async function* exportOf({ orgId, ids, state, log }: ExportedPerson): AsyncGenerator<string> {
  const known: Json[] = [];
  for (const { namespace, id } of ids) {
    const person = await state(personKey(orgId, namespace, id));
    if (person !== null) known.push({ namespace, id, ...person.body });
  }
  const named = ids.map(({ namespace, id }) => ({ namespace, id }));
  yield `{"org":${JSON.stringify(orgId)},"ids":${JSON.stringify(named)},"state":${JSON.stringify(known)},"log":[`;
  const own = new Set(ids.map(({ namespace, id }) => personKey(orgId, namespace, id)));
  let separator = '\n';
  let looked = 0;
  for await (const stored of log) {
    looked += 1;
    if (looked % SILENT_RECORDS_MAX === 0) yield ' ';
    if (stored.record.orgId !== orgId) continue;
    for (const entry of entriesOf(stored, (key) => own.has(key))) {
      yield `${separator}${JSON.stringify(entry)}`;
      separator = ',\n';
    }
  }
  yield '\n]}\n';
}

/** A second or less: where much of the log is of others a space comes now and then, or the connection would be cut as a silent one. */
const SILENT_RECORDS_MAX = 4_096;

function* entriesOf(stored: Stored, isOwn: (key: string) => boolean): Generator<object> {
  const { record, position } = stored;
  const others = withoutErased(record, isOwn);
  if (others === record) return;
  const kept = new Set(others.events.map(({ index }) => index));
  for (const event of record.events) {
    if (!kept.has(event.index)) yield { kind: 'event', ...eventLine(stored, event) };
  }
  for (const change of record.changes) {
    if (change.kind === 'erasure' || changeWithoutErased(change, isOwn) !== null) continue;
    const { kind, key, body } = change;
    const at = new Date(record.atMs).toISOString();
    yield {
      kind,
      position: `${position.partition}:${position.offset}`,
      at,
      id: key.split('|').slice(1).join('|'),
      body,
    };
  }
}
