import type { ReceivedEvent } from '../model/exchange.ts';
import { isObject, type Json, type JsonObject, own, quoted } from '../model/json.ts';
import { problem } from '../model/problem.ts';

/**
 * Shape checks that the endpoints share. Every failure names the field's path as the caller wrote it: 0103 where
 * something is missing, 0102 where it has the wrong type. Fields that nobody asked about are left alone.
 */

/** The body itself. An array is guessable: the caller has a batch. */
export function bodyObject(body: Json, where: string): JsonObject {
  if (isObject(body)) return body;
  const hint = Array.isArray(body) ? ' A batch goes to collect as an object: {"events":[…]}.' : '';
  throw problem('EXEG-0102-400', `The body of ${where} must be a JSON object, not ${kindOf(body)}.${hint}`);
}

export function optionalObject(parent: JsonObject, key: string, path: string): JsonObject | null {
  const value = own(parent, key);
  if (value === undefined || value === null) return null;
  if (!isObject(value)) throw wrongType(path, 'an object', value);
  return value;
}

/** Both `event` and `events`: whichever were taken, the other would be lost without a word. */
export function refuseBoth(body: JsonObject, path: string): void {
  if ((own(body, 'event') ?? null) === null || (own(body, 'events') ?? null) === null) return;
  const remedy =
    path === '/v2/interact'
      ? "'event' alone. Leave the 'events' out, or send all of them to /v2/collect as {\"events\":[…]}."
      : "'events' alone. Put the 'event' into it, or leave it out.";
  throw problem('EXEG-0103-400', `The body has an 'event' and an 'events'; ${path} takes ${remedy}`);
}

export function eventList(body: JsonObject): readonly JsonObject[] {
  const events = own(body, 'events');
  if (!Array.isArray(events)) throw wrongType('events', 'an array of events', events);
  if (events.length === 0) {
    throw problem(
      'EXEG-0103-400',
      'The field \'events\' is an empty array. Send at least one event: {"events":[{"xdm":{…}}]}.',
    );
  }
  events.forEach((event, index) => {
    if (!isObject(event)) throw wrongType(`events[${index}]`, 'an object such as {"xdm":{…}}', event);
  });
  return events as JsonObject[];
}

/** One event; `xdm` is required by interact and collect. */
export function eventParts(event: JsonObject, path: string): ReceivedEvent {
  const xdm = own(event, 'xdm');
  if (xdm === undefined || xdm === null) {
    throw problem(
      'EXEG-0103-400',
      `The field '${path}.xdm' is missing. An event's data stand in an object 'xdm': {"xdm":{"eventType":"…"}}.`,
    );
  }
  if (!isObject(xdm)) throw wrongType(`${path}.xdm`, 'an object', xdm);
  checkIdentityMap(own(xdm, 'identityMap'), `${path}.xdm.identityMap`);
  return {
    xdm,
    data: optionalObject(event, 'data', `${path}.data`),
    query: optionalObject(event, 'query', `${path}.query`),
    meta: optionalObject(event, 'meta', `${path}.meta`),
  };
}

const STATES = ['ambiguous', 'authenticated', 'loggedOut'];
/** One person has few ids; a map beyond this is a mistake or an attack, and costs work in every later stage. */
export const IDENTITIES_MAX = 100;

/** `{namespace: [{id, authenticatedState?, primary?}]}`. Documented; the text "true" or "false" is taken for `primary`. */
export function checkIdentityMap(map: Json | undefined, path: string): void {
  if (map === undefined || map === null) return;
  if (!isObject(map)) throw wrongType(path, 'an object of namespaces', map);
  let count = 0;
  for (const namespace of Object.keys(map)) {
    const items = map[namespace];
    if (!Array.isArray(items)) throw wrongType(`${path}.${namespace}`, 'an array of identities', items);
    for (let i = 0; i < items.length; i++) {
      count += 1;
      checkIdentity(items[i]!, `${path}.${namespace}[${i}]`);
    }
  }
  if (count > IDENTITIES_MAX) {
    throw problem(
      'EXEG-0102-400',
      `The field '${path}' names ${count} identities; at most ${IDENTITIES_MAX} are taken.`,
    );
  }
}

function checkIdentity(item: Json, path: string): void {
  if (!isObject(item)) throw wrongType(path, 'an object such as {"id":"…"}', item);
  const id = own(item, 'id');
  if (id === undefined || id === null)
    throw problem('EXEG-0103-400', `The field '${path}.id' is missing: an identity needs its id.`);
  if (typeof id !== 'string') throw wrongType(`${path}.id`, 'a string', id);
  const state = own(item, 'authenticatedState');
  if (state !== undefined && state !== null && !STATES.includes(state as string)) {
    throw problem(
      'EXEG-0102-400',
      `The field '${path}.authenticatedState' is ${quoted(state)}; it takes ${STATES.join(', ')}.`,
    );
  }
  const primary = own(item, 'primary');
  if (
    primary !== undefined &&
    primary !== null &&
    typeof primary !== 'boolean' &&
    primary !== 'true' &&
    primary !== 'false'
  ) {
    throw wrongType(`${path}.primary`, 'true or false', primary);
  }
}

/** `query`, `meta` of the request: absent is empty. */
export function requestParts(body: JsonObject): { query: JsonObject; meta: JsonObject } {
  return {
    query: optionalObject(body, 'query', 'query') ?? EMPTY,
    meta: optionalObject(body, 'meta', 'meta') ?? EMPTY,
  };
}
const EMPTY: JsonObject = Object.freeze({});

export function wrongType(path: string, wanted: string, got: Json | undefined) {
  return problem('EXEG-0102-400', `The field '${path}' must be ${wanted}, not ${kindOf(got)}.`);
}

function kindOf(value: Json | undefined): string {
  if (value === undefined) return 'absent';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return `the ${typeof value} ${quoted(value)}`;
}
