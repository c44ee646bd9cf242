import type { Received } from '../model/exchange.ts';
import { eventField } from '../model/field-path.ts';
import { isObject, type Json, type JsonObject, quoted } from '../model/json.ts';
import { problem } from '../model/problem.ts';

/**
 * `query.identity.fetch`, of the request and of its events: a list of namespaces. Documented. One that is no list would
 * ask for nothing, without a word. Judged here and not where bodies are parsed: those that are stored are parsed again,
 * whatever was taken when they came. Throws 0102.
 */
export function checkIdentityQuery(path: string, { query, events }: Received): void {
  if (query['identity'] !== undefined) check(query, 'query');
  for (let index = 0; index < events.length; index++) {
    const own = events[index]!.query;
    if (own !== null && own['identity'] !== undefined) check(own, `${eventField(path, index)}.query`);
  }
}

function check(query: JsonObject, field: string): void {
  const identity = query['identity'];
  if (identity === undefined || identity === null) return;
  if (!isObject(identity)) throw wrong(`${field}.identity`, identity, 'an object such as {"fetch":["ECID"]}');
  const fetch = identity['fetch'];
  if (fetch === undefined || fetch === null) return;
  if (!Array.isArray(fetch)) throw wrong(`${field}.identity.fetch`, fetch, 'a list of namespaces such as ["ECID"]');
  const other = fetch.findIndex((namespace) => typeof namespace !== 'string');
  if (other !== -1) throw wrong(`${field}.identity.fetch[${other}]`, fetch[other]!, 'the name of a namespace');
}

function wrong(field: string, got: Json, wanted: string) {
  return problem('EXEG-0102-400', `The field '${field}' is ${quoted(got)}; it takes ${wanted}.`);
}
