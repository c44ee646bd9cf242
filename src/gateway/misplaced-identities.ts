import type { Received } from '../model/exchange.ts';
import { eventField, identityMapField } from '../model/field-path.ts';
import { isObject, type Json, type JsonObject, own } from '../model/json.ts';
import { type Problem, problem } from '../model/problem.ts';

/**
 * An identity map where an endpoint does not look for it, and none where it does: whom it names is passed over. Events are
 * stored all the same, as the service that is compatible does, with a warning (null where there is nothing to warn of). A call
 * that is about a visitor and nothing else would be about a new one: their choice would be lost, so that is refused. Throws
 * 0102. Judged here for the reason in `identity-query.ts`.
 */
export function misplacedIdentities(path: string, json: Json, { identityMap, events }: Received): Problem | null {
  if (identityMap !== null || !isObject(json)) return null;
  const right = path.startsWith('/v2/') ? `${eventField(path, 0)}.xdm.identityMap` : identityMapField(path);
  const field = PLACES.find((place) => place !== right && isMapAt(json, place));
  if (field === undefined || events.some(({ xdm }) => isObject(own(xdm, 'identityMap')))) return null;
  const detail = `The field '${field}' is not read by ${path}: nobody is known by it. Send it as '${right}'.`;
  if (events.length === 0) throw problem('EXEG-0102-400', detail);
  return problem('EXEG-0204-200', detail);
}

const PLACES = ['identityMap', 'xdm.identityMap'] as const;

function isMapAt(body: JsonObject, place: (typeof PLACES)[number]): boolean {
  const parent = place === 'identityMap' ? body : own(body, 'xdm');
  return isObject(parent) && isObject(own(parent, 'identityMap'));
}
