import type { Received } from '../model/exchange.ts';
import { eventField, identityMapField } from '../model/field-path.ts';
import { isObject, type Json, own } from '../model/json.ts';
import { problem } from '../model/problem.ts';

/**
 * The identity map beside events stands in `xdm` in v1, and in v2 nowhere: there each event has its own. Documented. One in
 * another place would be passed over, and the events be a new visitor's, without a word. Refused where no event names
 * anybody; judged here for the reason in `identity-query.ts`. Throws 0102.
 */
export function checkIdentityPlace(path: string, json: Json, { identityMap, events }: Received): void {
  if (!isObject(json) || events.length === 0) return;
  const right = path.startsWith('/v2/') ? `${eventField(path, 0)}.xdm.identityMap` : identityMapField(path);
  const misplaced = PLACES.find((field) => field !== right && isMapAt(json, field));
  if (misplaced === undefined || identityMap !== null) return;
  if (events.some(({ xdm }) => isObject(own(xdm, 'identityMap')))) return;
  throw problem(
    'EXEG-0102-400',
    `The field '${misplaced}' is not read by ${path}: nobody would be known by it. Send it as '${right}'.`,
  );
}

const PLACES = ['identityMap', 'xdm.identityMap'] as const;

function isMapAt(body: Json, field: (typeof PLACES)[number]): boolean {
  const parent = field === 'identityMap' ? body : isObject(body) ? own(body, 'xdm') : undefined;
  return isObject(parent) && isObject(own(parent, 'identityMap'));
}
