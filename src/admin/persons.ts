import { type Json, type JsonObject, valueAt } from '../model/json.ts';
import type { OwnId } from '../model/person-ids.ts';
import { httpProblem } from '../model/problem.ts';
import type { AdminAnswer, AdminCall, Plane } from './routes.ts';

/** Erasure and access: what one person's data are asked for or removed by. */
export interface Persons {
  /** Hides a person from every reader, and tells how it is called. `carriesOut`: and begins to remove the person from the disk. */
  erase(org: PersonOfOrg, carriesOut: boolean, who: JsonObject): Promise<Json>;
  /** Null where there is no such erasure. */
  erasure(id: string): Promise<{ readonly org: string; readonly shown: Json } | null>;
  export(org: PersonOfOrg, who: JsonObject): Promise<AsyncIterable<string>>;
}

export interface PersonOfOrg {
  /** By which the person is asked for: an id and its links are the org's, whichever of its datastreams it came by. */
  readonly datastreamId: string;
  readonly orgId: string;
  readonly given: OwnId;
}

/** Durable, and in force for every reader, when it answers; 202 until the person is gone from the disk too. */
export async function erasePerson(plane: Plane, call: AdminCall): Promise<AdminAnswer> {
  const carriesOut = call.query.flag('now');
  const body = await plane.persons.erase(personOf(plane, call), carriesOut, whoOf(call));
  return { status: valueAt(body, 'status') === 'done' ? 200 : 202, body };
}

export async function exportPerson(plane: Plane, call: AdminCall): Promise<AdminAnswer> {
  return { body: await plane.persons.export(personOf(plane, call), whoOf(call)) };
}

export async function getErasure(plane: Plane, call: AdminCall): Promise<AdminAnswer> {
  const found = await plane.persons.erasure(call.params['erasure'] ?? '');
  if (found === null || !seesOrg(call, found.org)) {
    throw httpProblem(404, 'Not Found', 'There is no erasure with this id that this token may see.');
  }
  return { body: found.shown };
}

function personOf(plane: Plane, call: AdminCall): PersonOfOrg {
  const { id = '', namespace = '', identity = '' } = call.params;
  const datastream = plane.workspace().datastreams.get(id);
  if (datastream === undefined || !seesOrg(call, datastream.orgId) || call.caller.datastreams?.includes(id) === false) {
    throw httpProblem(404, 'Not Found', 'There is no datastream with this id that this token may see.');
  }
  if (call.caller.datastreams !== null) {
    throw httpProblem(403, 'Forbidden', 'A person is the whole org’s; this token is for some of its datastreams.');
  }
  if (!datastream.identity.rules.namespaces.has(namespace)) {
    throw httpProblem(404, 'Not Found', `'${namespace.slice(0, 60)}' is no namespace of this datastream.`);
  }
  return { datastreamId: id, orgId: datastream.orgId, given: { namespace, id: identity } };
}

function seesOrg({ caller }: AdminCall, orgId: string): boolean {
  return caller.orgId === null || caller.orgId === orgId;
}

function whoOf({ caller }: AdminCall): JsonObject {
  return { kind: 'token', id: caller.tokenId };
}
